"""Azurite, Microsoft's Blob and Queue storage for one machine, with a clock that tests hold."""

import os
import re
import shutil
import subprocess
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path

import pytest
from azure.storage.blob.aio import ContainerClient, ExponentialRetry

from tests.state.conformance import MOMENT, HeldTime

ROOT = Path(__file__).parents[2]
MAIN = ROOT / "node_modules/azurite/dist/src/azurite.js"
ACCOUNT = "devstoreaccount1"
KEY = "Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6tq/K1SZFPTOtr/KBHBeksoGMGw=="
"""Azurite's own, the same everywhere: https://learn.microsoft.com/azure/storage/common/storage-use-azurite"""
LISTENING = re.compile(rb"Azurite (Blob|Queue|Table) service is successfully listening at (\S+)")


class Azurite:
    """A process of its own, in memory, on free ports."""

    def __init__(self, clock: Path) -> None:
        self.clock = clock
        self.set_clock(MOMENT)
        self.process = subprocess.Popen(
            [
                *("node", "--require", Path(__file__).with_name("azurite_clock.cjs"), MAIN),
                *("--inMemoryPersistence", "--skipApiVersionCheck", "--disableTelemetry"),
                *("--silent", "--blobPort", "0", "--queuePort", "0", "--tablePort", "0"),
            ],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            env={**os.environ, "AZURITE_CLOCK": str(clock)},
            cwd=clock.parent,
        )
        self.urls = self._listening()

    def _listening(self) -> dict[str, str]:
        urls: dict[str, str] = {}
        said = b""
        assert self.process.stdout is not None
        while len(urls) < 3:
            line = self.process.stdout.readline()
            assert line, f"Azurite ended: {said.decode()}"
            said += line
            if found := LISTENING.search(line):
                urls[found[1].decode()] = found[2].decode()
        return urls

    def set_clock(self, moment: datetime) -> None:
        # Put in place in one go: Azurite must never read half a number.
        new = self.clock.with_suffix(".new")
        new.write_text(str(int(moment.timestamp() * 1000)))
        new.replace(self.clock)

    def connection(self, blob_url: str = "") -> str:
        """A connection string; ``blob_url``: of something in between."""
        blob, queue = blob_url or self.urls["Blob"], self.urls["Queue"]
        return (
            f"DefaultEndpointsProtocol=http;AccountName={ACCOUNT};AccountKey={KEY};"
            f"BlobEndpoint={blob}/{ACCOUNT};QueueEndpoint={queue}/{ACCOUNT}"
        )

    def container(self, name: str, blob_url: str = "") -> ContainerClient:
        """Not to be waited for long when storage is down."""
        return ContainerClient.from_connection_string(
            self.connection(blob_url), name, retry_policy=at_once()
        )

    def stop(self) -> None:
        for pipe in (self.process.stdin, self.process.stdout):
            assert pipe is not None
            pipe.close()
        self.process.terminate()
        self.process.wait()


def at_once() -> ExponentialRetry:
    """One more try, without a pause."""
    return ExponentialRetry(
        initial_backoff=0, increment_base=0, retry_total=1, random_jitter_range=0
    )


class AzuriteTime(HeldTime):
    def __init__(self, azurite: Azurite) -> None:
        super().__init__()
        self.azurite = azurite
        azurite.set_clock(self.moment)

    def pass_by(self, seconds: float) -> None:
        super().pass_by(seconds)
        self.azurite.set_clock(self.moment)


@pytest.fixture(scope="session")
def azurite(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Azurite]:
    """One for each process of the tests."""
    if not (MAIN.exists() and shutil.which("node")):
        reason = "Azurite is not installed (make setup does, with Node.js 20 and npm)"
        if os.environ.get("RECONCILER_AZURITE") == "required":
            pytest.fail(reason)
        pytest.skip(reason)
    azurite = Azurite(tmp_path_factory.mktemp("azurite") / "clock")
    yield azurite
    azurite.stop()


@pytest.fixture
def time(azurite: Azurite) -> AzuriteTime:
    return AzuriteTime(azurite)
