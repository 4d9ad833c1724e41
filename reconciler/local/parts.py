"""The parts of a sandbox: commands of ours, each in a process of its own."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

from reconciler.core.errors import Permanent

ENDING_S: Final = 10


class Part:
    """A process that was started; its log is a file."""

    def __init__(self, process: "subprocess.Popen[str]", name: str, log: Path) -> None:
        self.process, self.name, self.log = process, name, log

    def told(self) -> dict[str, Any]:
        """The line of JSON that it begins with. Raises Permanent when it did not come up."""
        assert self.process.stdout is not None
        line = self.process.stdout.readline()
        if not line:
            raise Permanent(f"{self.name} did not start: {self.log.read_text()[-2000:]}")
        found: dict[str, Any] = json.loads(line)
        return found


@contextmanager
def part(
    *arguments: str, folder: Path, name: str, environment: Mapping[str, str] | None = None
) -> Iterator[Part]:
    """Start ``reconciler …``; it ends with the block. What it writes, it writes to ``folder``."""
    log = folder / f"{name}.log"
    env = {**os.environ, "TMPDIR": str(folder), **(environment or {})}
    with (
        log.open("w") as errors,
        subprocess.Popen(  # noqa: S603 - ourselves
            [sys.executable, "-m", "reconciler", *arguments],
            stdout=subprocess.PIPE,
            stderr=errors,
            env=env,
            text=True,
            start_new_session=True,  # Ctrl-C is ours; what we started ends when we say so
        ) as process,
    ):
        try:
            yield Part(process, name, log)
        finally:
            process.terminate()
            try:
                process.wait(timeout=ENDING_S)
            except subprocess.TimeoutExpired:
                process.kill()
