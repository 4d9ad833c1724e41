"""What was measured: a table for people, a file for programs."""

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from rich.console import Console
from rich.table import Table

FILE = Path(__file__).parent / "results.json"


@dataclass(frozen=True)
class Result:
    """One number; ``target`` is the most it may be, None where it is only told."""

    name: str
    value: float
    unit: str
    target: float | None = None

    @property
    def met(self) -> bool | None:
        return None if self.target is None else self.value <= self.target


def show(results: Sequence[Result], console: Console) -> None:
    table = Table(title="Measured against the emulated Azure", title_justify="left")
    table.add_column("what")
    for heading in ("value", "target"):
        table.add_column(heading, justify="right", no_wrap=True)
    table.add_column("met")
    for one in results:
        target = "" if one.target is None else f"≤ {_number(one.target)} {one.unit}"
        met = {True: "[green]yes[/]", False: "[red]no[/]", None: ""}[one.met]
        table.add_row(one.name, f"{_number(one.value)} {one.unit}", target, met)
    console.print(table)


def save(results: Sequence[Result], file: Path = FILE) -> None:
    listed = [{**asdict(one), "met": one.met} for one in results]
    file.write_text(json.dumps(listed, indent=1) + "\n", encoding="utf-8")


def _number(value: float) -> str:
    if value == int(value):
        return f"{int(value):,}"
    return f"{value:,.3f}" if value < 10 else f"{value:,.1f}"
