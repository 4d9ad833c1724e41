"""Remarks on the exact lines of spec files, as a forge shows them beside the text."""

import re
from collections.abc import Iterable
from typing import Final

from reconciler.core.errors import SpecError
from reconciler.core.forge import Annotation, Level
from reconciler.core.model import Check
from reconciler.core.render.words import clean, shorten

PLACE: Final = re.compile(r"(.+?):([0-9]{1,7})(?::([0-9]{1,7}))?", re.DOTALL)
"""``specs/models/chat.yaml:9:15``"""
MOST: Final = 100
"""Of one mark: more are no help on a page, and are sent in further requests."""
LONGEST_PATH: Final = 500
LONGEST_MESSAGE: Final = 1_000
ORDER: Final[tuple[Level, ...]] = ("error", "warning", "note")


def of_errors(errors: Iterable[SpecError]) -> tuple[Annotation, ...]:
    """What is wrong in the specs; what has no place in a file is left to the summary."""
    return _kept(_on_line(one.source, "error", one.message, "") for one in errors)


def of_checks(checks: Iterable[Check]) -> tuple[Annotation, ...]:
    """What the checks of a plan say, errors first."""
    return _kept(_on_line(one.source, one.level, one.message, one.rule) for one in checks)


def _on_line(source: str, level: Level, message: str, title: str) -> Annotation | None:
    found = PLACE.fullmatch(source)
    if not found or not found[1].isprintable() or len(found[1]) > LONGEST_PATH:
        return None
    line, column = int(found[2]), int(found[3] or 0)
    if not line:
        return None
    said = shorten(clean(message), LONGEST_MESSAGE) or "no reason given"
    return Annotation(found[1], line, level, said, shorten(clean(title), 100), column)


def _kept(found: Iterable[Annotation | None]) -> tuple[Annotation, ...]:
    """Each once, errors first, no more than a page takes."""
    once: dict[tuple[str, int, str], Annotation] = {}
    for one in found:
        if one:
            once.setdefault((one.path, one.line, one.message), one)
    return tuple(sorted(once.values(), key=lambda one: ORDER.index(one.level))[:MOST])
