"""doctor: is everything there that the reconciler needs?"""

import json
from collections.abc import Mapping
from pathlib import Path
from textwrap import wrap
from typing import TYPE_CHECKING, Final

import click

from reconciler.cli.console import width, write
from reconciler.cli.reconcile import finish
from reconciler.cli.specs import SPECS

if TYPE_CHECKING:
    from reconciler.core.render.text import Line
    from reconciler.doctor import Finding

MARKS: Final = {
    "ok": ("✓", "create"),
    "warning": ("!", "warning"),
    "failed": ("✗", "error"),
    "skipped": ("–", "quiet"),
}


@click.command()
@SPECS
@click.option("-e", "--environment", default="", metavar="ENV", help="Only what this one needs.")
@click.option("--format", "shape", type=click.Choice(("text", "json")), default="text")
def doctor(specs: Path, environment: str, shape: str) -> int:
    """Check settings, git, identities and their rights, Azure, state, queue, repository and forge.

    Changes nothing. Exits with 1 when something has to be done. The specs are those of the
    repository, if RECONCILER_REPO_URL is set, and else those of the folder.

    \b
    Examples:
      reconciler doctor
      reconciler doctor -e prod --format json
    """
    found = finish(_look(specs, environment))
    if shape == "json":
        click.echo(json.dumps(_as_json(found), indent=2, ensure_ascii=False))
    else:
        _show(found)
    return 0 if _well(found) else 1


async def _look(specs: Path, environment: str) -> "dict[str, Finding]":
    import os

    from reconciler.app import doctor_for
    from reconciler.local.folder import read_folder

    async with doctor_for(os.environ, lambda: read_folder(specs), environment) as one:
        return await one.look()


def _well(found: "Mapping[str, Finding]") -> bool:
    return all(one.state != "failed" for one in found.values())


def _as_json(found: "Mapping[str, Finding]") -> dict[str, object]:
    checks = [
        {"name": name, "state": one.state, "message": one.words, "todo": list(one.todo)}
        for name, one in found.items()
    ]
    return {"ok": _well(found), "checks": checks}


def _show(found: "Mapping[str, Finding]") -> None:
    from reconciler.core.render.words import plural

    names = max(len(name) for name in found)
    for name, one in found.items():
        write(_lines(name.ljust(names), one))
    click.echo()
    states = [one.state for one in found.values()]
    if failed := states.count("failed"):
        write([((f"{plural(failed, 'check')} failed.", "error"),)])
    elif warnings := states.count("warning"):
        write([((f"It works, with {plural(warnings, 'warning')}.", "warning"),)])
    else:
        write([(("Everything that was looked at is as it should be.", "create"),)])


def _lines(name: str, one: "Finding") -> "list[Line]":
    """A mark, the check and what it found; below it, what to do. Long sentences are indented."""
    from reconciler.core.render.words import clean

    mark, style = MARKS[one.state]
    quiet = "quiet" if one.state == "skipped" else ""
    room = width() - len(name) - 4
    first, *more = wrap(clean(one.words), room, break_long_words=False) or [""]
    indent = (" " * (len(name) + 4), "")
    lines: list[Line] = [((f"{mark} ", style), (f"{name}  ", quiet), (first, quiet))]
    lines += [(indent, (text, quiet)) for text in more]
    for todo in one.todo:
        parts = wrap(clean(todo), room - 2, break_long_words=False)
        lines += [
            (indent, (f"{'  ' if place else '→ '}{part}", "strong"))
            for place, part in enumerate(parts)
        ]
    return lines
