"""The resources of a run, and where they can be called: what needs a person first."""

from collections.abc import Sequence
from typing import Final

from reconciler.core.render.escape import code, folded, prose
from reconciler.core.render.fitting import how_many_fit, linked, portal_url
from reconciler.core.render.markdown import OPEN_LINES, Links
from reconciler.core.render.progress import STANDINGS, Row, Standing
from reconciler.core.render.words import name_of, plural, shorten, title_of

ORDER: Final[Sequence[Standing]] = ("failed", "cut", "running", "held", "open", "done")
"""What needs a person first, and what is as it should be last."""
WIDTH: Final = 160
"""Characters for how one resource stands."""
FRAME: Final = 400
"""Characters for the heads of tables and folds, and for saying what is left out."""
HEAD: Final = ("| | resource | state | took |", "| --- | --- | --- | --: |")


def table_of(rows: Sequence[Row], told: int, links: Links, room: int) -> list[str]:
    """Rows, in their order, in about ``room`` characters: what matters in the open, a long tail
    of what went well folded, what is left out counted. ``told``: so many failures stand above."""
    if not rows:
        return []
    cells = [_row(row, place < told, links) for place, row in enumerate(rows)]
    most = how_many_fit(cells, room - FRAME)
    busy = sum(row.standing != "done" for row in rows)
    shown = min(most, len(cells) if len(cells) <= OPEN_LINES else min(busy, OPEN_LINES))
    lines = [*HEAD, *cells[:shown], ""] if shown else []
    if shown < most:
        lines += [*folded(counted(rows[shown:most]), [*HEAD, *cells[shown:most]]), ""]
    if most < len(cells):
        lines += [f"**Too long to show here**: {counted(rows[most:])}.", ""]
    return lines


def endpoints(rows: Sequence[Row], room: int) -> list[str]:
    """Where what was made can be called. Not in the table, which would grow wide with it."""
    lines = [
        f"- {prose(title_of(row.key))} {code(name_of(row.key))}: {code(row.endpoint)}"
        for row in rows
        if row.endpoint and row.standing == "done"
    ]
    if not lines:
        return []
    most = how_many_fit(lines, room - FRAME)
    told = lines[:most]
    if most < len(lines):
        told.append(f"- and {len(lines) - most} more: see the run")
    title = "Where to call it" if len(lines) == 1 else "Where to call them"
    if len(told) > OPEN_LINES:
        return [*folded(title, told), ""]
    return [f"**{title}**", "", *told, ""]


def counted(rows: Sequence[Row]) -> str:
    """``488 resources: 470 done, 18 not started``; ``23 resources done``."""
    standings = [row.standing for row in rows]
    if len(set(standings)) == 1:
        return f"{plural(len(rows), 'resource')} {STANDINGS[standings[0]]}"
    parts = [f"{standings.count(one)} {STANDINGS[one]}" for one in ORDER if one in standings]
    return f"{plural(len(rows), 'resource')}: {', '.join(parts)}"


def _row(row: Row, told: bool, links: Links) -> str:
    there = row.standing in ("done", "failed", "cut", "running")
    name = linked(code(name_of(row.key)), portal_url(links, row.arm_id) if there else "")
    what = f"{prose(title_of(row.key))} {name}"
    return f"| {row.symbol} | {what} | {_state(row, told)} | {row.took} |"


def _state(row: Row, told: bool) -> str:
    """How it stands; of what is done, how that was seen."""
    if row.standing == "failed":
        why = prose(shorten(row.detail or "no reason given", WIDTH))
        return "**failed**, see above" if told else f"**failed**: {why}"
    if row.standing != "done":
        return prose(shorten(row.words, WIDTH))
    if not row.arm_id:
        return "deleted, and seen to be gone"
    return f"done, {prose(shorten(row.detail or 'read back as declared', WIDTH))}"
