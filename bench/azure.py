"""The emulated Azure in a process of its own, and what the bench asks of it.

``python -m bench.azure`` is that process: the emulator as ``reconciler emulate azure`` serves it,
with quotas so large that they never decide.
"""

import argparse
import asyncio
import json
import os
import signal
import subprocess
import sys
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from reconciler.local.azure import EmulatedAzure
from reconciler.local.azure.server import serve_until

QUOTAS: Mapping[str, Any] = {
    "quota": {"*": 1_000_000},
    "machine_learning.vcpu_limit": 1_000_000,
}


@dataclass(frozen=True)
class Azure:
    """A running emulator."""

    url: str
    environment: Mapping[str, str]

    def state(self) -> dict[str, Any]:
        return self._ask("state")

    def requests(self) -> tuple[int, int]:
        """How many requests it has answered, and how many of these with 429."""
        found = self._ask("requests")
        return found["total"], found["statuses"].get("429", 0)

    def _ask(self, name: str) -> dict[str, Any]:
        with urllib.request.urlopen(f"{self.url}/_emulator/{name}", timeout=60) as answer:
            found: dict[str, Any] = json.load(answer)
        return found


@contextmanager
def azure(
    state: Path | None = None, *, latency_ms: float = 0, limits: bool = False
) -> Iterator[Azure]:
    """An emulator that holds what is in ``state`` (the file stays as it is)."""
    options = ["--latency-ms", str(latency_ms), *(["--limits"] if limits else [])]
    if state:
        options += ["--state", str(state)]
    command = [sys.executable, "-m", "bench.azure", *options]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        try:
            line = process.stdout.readline()
            if not line:
                raise SystemExit("the emulated Azure did not start")
            told = json.loads(line)
            limited = {"RECONCILER_RATE_LIMITS": "on" if limits else "off"}
            yield Azure(told["arm"], {**os.environ, **told["environment"], **limited})
        finally:
            process.terminate()
            process.wait(timeout=30)


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m bench.azure", description=__doc__)
    parser.add_argument("--state", type=Path)
    parser.add_argument("--latency-ms", type=float, default=0.0)
    parser.add_argument("--limits", action="store_true")
    given = parser.parse_args()
    served = EmulatedAzure(
        latency_ms=given.latency_ms, rate_limits=given.limits, settings=dict(QUOTAS)
    )
    if given.state:
        load_into(served, json.loads(given.state.read_text(encoding="utf-8")))
    asyncio.run(_serve(served))


def load_into(served: EmulatedAzure, state: dict[str, Any]) -> None:
    """Give an emulator that is about to open what it holds."""
    served.store.load(state)


async def _serve(served: EmulatedAzure) -> None:
    stop = asyncio.Event()
    for name in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(name, stop.set)
    await serve_until(served, stop)


if __name__ == "__main__":
    main()
