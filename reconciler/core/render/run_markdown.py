"""A run as a comment: what stands how, and in full what failed."""

from typing import Final

from reconciler.core.model import Run
from reconciler.core.render.escape import code, folded, prose
from reconciler.core.render.markdown import OPEN_LINES, Links, safe_url
from reconciler.core.render.progress import Row, headline, next_step, rows_of, run_took
from reconciler.core.render.words import commit_text, name_of, shorten, title_of

MARKER: Final = "<!-- reconciler:apply -->"
ROOM: Final = 36_000
"""Characters for the table; GitHub refuses comments above 65,536."""


def run_markdown(
    run: Run, *, now: str = "", links: Links | None = None, alerts: bool = True
) -> str:
    """A run as a comment. ``now``: ISO 8601, UTC, for what is still going on."""
    rows = rows_of(run, now)
    took = run_took(run, now)
    title = headline(run, rows).format(code(run.plan.environment))
    lines = [MARKER, f"### {title}" + (f" · {took}" if took else ""), ""]
    lines += [f"> **Why**: {prose(run.detail)}", ""] if run.detail else []
    for row in [row for row in rows if row.standing == "failed"][:10]:
        lines += [*_failure(row, alerts), ""]
    table = _table(rows)
    if rows:
        lines += folded("All resources", table) if len(rows) > OPEN_LINES else table
        lines.append("")
    facts = [f"Plan `{run.plan.digest}`", code(commit_text(run.plan.commit))]
    facts.append(f"[run]({safe_url(links.run)})" if links and links.run else f"run {code(run.id)}")
    lines.append(" · ".join(facts))
    todo = next_step(run)
    return "\n".join([*lines, *(["", prose(todo)] if todo else [])]) + "\n"


def _failure(row: Row, alerts: bool) -> list[str]:
    new = row.request_id and row.request_id not in row.detail
    request = f" Request {code(row.request_id)}." if new else ""
    why = prose(shorten(row.detail, 800).removesuffix(".") or "no reason given")
    said = f"{prose(title_of(row.key))} {code(name_of(row.key))} **failed**: {why}.{request}"
    return ["> [!WARNING]", f"> {said}"] if alerts else [f"> **Warning**: {said}"]


def _table(rows: list[Row]) -> list[str]:
    lines = ["| | resource | state | took |", "| --- | --- | --- | --: |"]
    room = ROOM
    for place, row in enumerate(rows):
        name = f"{prose(title_of(row.key))} {code(name_of(row.key))}"
        state = prose(shorten(row.words, 160))
        lines.append(f"| {row.symbol} | {name} | {state} | {row.took} |")
        room -= len(lines[-1])
        if room < 0:
            return [*lines, f"| | and {len(rows) - place - 1} more | | |"]
    return lines
