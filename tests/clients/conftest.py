"""An emulated Azure over TLS, as other people's clients meet it."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def emulated(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, str]]:
    """The environment variables of a client; the emulator runs while the tests of a module do."""
    folder = tmp_path_factory.mktemp("client")
    command = [sys.executable, "-m", "reconciler", "emulate", "azure", "--tls"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=ROOT) as process:
        try:
            assert process.stdout is not None
            started = json.loads(process.stdout.readline())
            yield {
                **os.environ,
                **started["environment"],
                "AZURE_CONFIG_DIR": str(folder / "config"),
                "AZURE_CORE_COLLECT_TELEMETRY": "no",
                "PYTHONWARNINGS": "ignore",
                "RECONCILER_STATE": f"sqlite:{folder}/state.db",
            }
        finally:
            process.terminate()
            process.wait(timeout=10)
