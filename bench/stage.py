"""What the measurements stand on: specs, seeded Azures and processes, in one folder."""

import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path
from typing import Any
from unittest.mock import patch

from bench.azure import azure
from bench.estate import SAMPLE, Estate
from reconciler.local.azure.server import SUBSCRIPTION


@dataclass
class Stage:
    """Everything is made once, when it is first asked for."""

    folder: Path
    say: Callable[[str], None]
    """Tells a person what is going on."""
    _ready: dict[int, Path] = field(default_factory=dict)
    _names: Any = field(default_factory=count)

    def specs(self, estate: Estate) -> Path:
        """The specs of an estate."""
        folder = self.folder / f"specs-{estate.resources}"
        if not folder.exists():
            estate.write(folder, SUBSCRIPTION)
        return folder

    def settled(self, size: int) -> tuple[Path, Path]:
        """An Azure that holds an estate, as a file, and the store of whoever applied it."""
        folder = self._ready.get(size) or self._settle(Estate.of(size))
        self._ready[size] = folder
        return folder / "azure.json", folder / "store.db"

    def _settle(self, estate: Estate) -> Path:
        """Copy the sample, then let the reconciler adopt what it finds there."""
        self.say(f"seeding {estate.resources:,} resources")
        folder = self.folder / f"settled-{estate.resources}"
        folder.mkdir()
        state = estate.state(self._sample())
        (folder / "azure.json").write_text(json.dumps(state), encoding="utf-8")
        with azure(folder / "azure.json") as running:
            arguments = ("apply", str(self.specs(estate)))
            answer = self.worker(*arguments, env=running.environment, store=folder / "store.db")
        if answer["changes"] or answer["unchanged"] != estate.resources:
            raise SystemExit(f"the seeded Azure is not as declared: {answer}")
        return folder

    def _sample(self) -> dict[str, Any]:
        with azure() as running:
            specs = self.specs(SAMPLE)
            answer = self.worker("apply", str(specs), env=running.environment, store=self.store())
            if answer["state"] != "done":
                raise SystemExit(f"the sample could not be applied: {answer}")
            return running.state()

    def store(self) -> Path:
        """Where a new store may be."""
        return self.folder / f"store-{next(self._names)}.db"

    def copy(self, store: Path) -> Path:
        """A store of its own for one measurement."""
        return Path(shutil.copyfile(store, self.store()))

    def worker(self, *arguments: str, env: Mapping[str, str], store: Path) -> dict[str, Any]:
        """What a worker process measured."""
        settings = {"RECONCILER_STATE": f"sqlite:{store}", "RECONCILER_POLL_S": "0.01"}
        command = [sys.executable, "-m", "bench.worker", *arguments]
        done = subprocess.run(
            command, env={**env, **settings}, stdout=subprocess.PIPE, check=True, text=True
        )
        answer: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
        return answer


@contextmanager
def stage(say: Callable[[str], None]) -> Iterator[Stage]:
    """A stage in a temporary folder.

    Every process it starts finds its modules compiled there, as where the package is installed;
    without that, starting takes twice as long.
    """
    with tempfile.TemporaryDirectory(prefix="reconciler-bench-") as name:
        folder = Path(name)
        with patch.dict(os.environ, PYTHONPYCACHEPREFIX=str(folder / "compiled")):
            os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
            yield Stage(folder, say)
