"""What starting costs: importing the package in fresh processes."""

import json
import subprocess
import sys
from collections.abc import Iterator, Mapping
from statistics import median

from bench.result import Result
from bench.stage import Stage

STATEMENTS: Mapping[str, tuple[float, float | None]] = {
    "import reconciler.cli": (0.4, None),
    "import reconciler.app, reconciler.azure.provider": (0.4, None),
    # What a webhook needs before it is answered, but for the SDK of the storage account.
    "import reconciler.http, reconciler.app, reconciler.forge": (0.6, None),
    "import function_app": (0.6, 90.0),
}
"""The most seconds and MB that each may take."""
PROGRAM = """
import sys, time
begun = time.perf_counter()
{statement}
took = time.perf_counter() - begun
assert "azure.ai.ml" not in sys.modules, "azure-ai-ml takes a second: only who needs it imports it"
from bench.worker import peak_mb
print([took, peak_mb()])
"""


def imports(stage: Stage, times: int) -> Iterator[Result]:
    for statement, (most_s, most_mb) in STATEMENTS.items():
        stage.say(statement)
        program = PROGRAM.format(statement=statement)
        _measure(program)  # once, so that everything is compiled and in the file cache
        found = [_measure(program) for _ in range(times)]
        took, held = (median(column) for column in zip(*found, strict=True))
        yield Result(f"{statement}: time", took, "s", most_s)
        yield Result(f"{statement}: memory", held, "MB", most_mb)


def _measure(program: str) -> tuple[float, float]:
    done = subprocess.run(
        [sys.executable, "-c", program], stdout=subprocess.PIPE, check=True, text=True
    )
    took, held = json.loads(done.stdout)
    return took, held
