"""Writing to a terminal: colour where there is one, and where nobody said no."""

import os
import shutil
import sys
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any, Final, TextIO

import click

if TYPE_CHECKING:
    from reconciler.core.render.text import Line

LOOKS: Final[dict[str, dict[str, Any]]] = {
    "create": {"fg": "green"},
    "update": {"fg": "yellow"},
    "replace": {"fg": "red"},
    "delete": {"fg": "red"},
    "error": {"fg": "red", "bold": True},
    "warning": {"fg": "yellow"},
    "note": {"fg": "cyan"},
    "strong": {"bold": True},
    "quiet": {"dim": True},
}


def is_terminal(stream: TextIO) -> bool:
    return stream.isatty() and os.environ.get("TERM") != "dumb"


def in_colour(stream: TextIO) -> bool:
    """Colour is for terminals, unless NO_COLOR is set (https://no-color.org)."""
    return is_terminal(stream) and not os.environ.get("NO_COLOR")


def width() -> int:
    """Columns to write for: the terminal's, within what reads well."""
    return max(60, min(140, shutil.get_terminal_size((100, 24)).columns))


def write(lines: "Iterable[Line]", stream: TextIO | None = None) -> None:
    """Results: to stdout unless told otherwise."""
    from reconciler.core.render.text import plain

    stream = stream or sys.stdout
    if not in_colour(stream):
        click.echo(plain(lines), nl=False, file=stream)
        return
    for line in lines:
        text = "".join(click.style(text, **LOOKS.get(style, {})) for text, style in line)
        click.echo(text, file=stream, color=True)


def say(line: "Line") -> None:
    """One line to stderr."""
    write([line], sys.stderr)
