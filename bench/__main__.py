"""``python -m bench [--only NAME] [--quick]``: measure, print a table, write results.json."""

import argparse
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path

from rich.console import Console
from rich.progress import BarColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

from bench import applies, plans, pulls, render, service, webhooks
from bench.imports import imports
from bench.result import FILE, Result, save, show
from bench.stage import Stage, stage

type Measurement = Callable[[Stage], Iterator[Result]]

WHOLE: Mapping[str, Measurement] = {
    "imports": lambda stage: imports(stage, times=5),
    "plan": lambda stage: plans.plans(stage, plans.CASES, times=5),
    "apply": applies.apply_at_full_speed,
    "limits": applies.apply_within_limits,
    "makespan": applies.apply_in_azures_time,
    "makespan-1000": lambda stage: applies.apply_in_azures_time(stage, applies.MORE_OPERATIONS),
    "reconcile": service.reconcile,
    "webhooks": webhooks.webhooks,
    "comment": render.comment,
    "pulls": pulls.comments,
    "sweep": service.sweep,
}
QUICK: Mapping[str, Measurement] = {
    "imports": lambda stage: imports(stage, times=1),
    "plan": lambda stage: plans.plans(stage, plans.QUICK, times=1),
    "apply": lambda stage: applies.apply_at_full_speed(stage, 60),
    "limits": lambda stage: applies.apply_within_limits(stage, 60),
    "makespan": lambda stage: applies.apply_in_azures_time(stage, 60),
    "reconcile": lambda stage: service.reconcile(stage, 0.5),
    "webhooks": lambda stage: webhooks.webhooks(stage, 0.5),
    "comment": lambda stage: render.comment(stage, 60, times=1),
    "pulls": lambda stage: pulls.comments(stage, 60, times=1),
    "sweep": lambda stage: service.sweep(stage, 3),
}
"""The same at tiny sizes: whether it works, not how fast it is."""


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    parser.add_argument("--only", choices=WHOLE, help="one measurement instead of all")
    parser.add_argument("--quick", action="store_true", help="tiny sizes")
    parser.add_argument("--out", type=Path, default=FILE, help="where the numbers go")
    given = parser.parse_args(arguments)
    chosen = QUICK if given.quick else WHOLE
    if given.only:
        chosen = {given.only: chosen.get(given.only, WHOLE[given.only])}
    begun = time.monotonic()
    results = measure(chosen)
    console = Console(width=None if sys.stdout.isatty() else 120)
    show(results, console)
    save(results, given.out)
    console.print(f"{time.monotonic() - begun:.0f} s; {given.out}", style="dim", highlight=False)


def measure(chosen: Mapping[str, Measurement]) -> list[Result]:
    """Everything chosen, one after the other, with a bar on standard error for a person."""
    results: list[Result] = []
    columns = (SpinnerColumn(), BarColumn(), TextColumn("{task.description}"), TimeElapsedColumn())
    with Progress(*columns, console=Console(stderr=True), transient=True) as bars:
        bar = bars.add_task("starting", total=len(chosen))
        with stage(lambda text: bars.update(bar, description=text)) as ours:
            for one in chosen.values():
                results += one(ours)
                bars.advance(bar)
    return results


if __name__ == "__main__":
    main()
