"""Plans and runs for a terminal: lines of (text, style) spans, coloured at the edge or not at all.

Styles are words, not colours: the actions and levels, ``strong`` and ``quiet``.
"""

import textwrap
from collections.abc import Iterable, Sequence

from reconciler.core.model import Change, Check, Plan, Run
from reconciler.core.render.progress import headline, next_step, rows_of, run_took
from reconciler.core.render.words import (
    SYMBOLS,
    check_counts,
    clean,
    commit_text,
    consequence,
    counts,
    field_rows,
    in_order,
    name_of,
    plural,
    sentence,
    title_of,
)

type Span = tuple[str, str]
type Line = tuple[Span, ...]

EMPTY: Line = ()


def plain(lines: Iterable[Line]) -> str:
    """The same without colour; ends with a newline."""
    return "".join("".join(text for text, _ in line).rstrip() + "\n" for line in lines)


def plan_text(plan: Plan, *, width: int = 100, place: str = "") -> list[Line]:
    """A plan, danger first. ``place``: where the environment is, in words."""
    lines = [_title(plan, place), EMPTY]
    changes = in_order(plan.changes)
    pad = max((len(title_of(change.key)) for change in changes), default=0)
    for change in changes:
        lines += _change(change, plan, pad, width)
    lines += [EMPTY] if changes else []
    lines += _unmanaged(plan)
    lines += _checks(plan.checks, width)
    return lines + _ending(plan)


SHOWN = 10
"""Unmanaged resources that are named; the others are counted."""


def _unmanaged(plan: Plan) -> list[Line]:
    """What is in Azure and in no spec: named, so that nobody has to go and look for it."""
    keys = plan.unmanaged
    if not keys:
        return []
    pad = max(len(title_of(key)) for key in keys[:SHOWN])
    told = ["  In Azure, declared by no spec, and left alone:"]
    told += [f"    {title_of(key).ljust(pad)}  {name_of(key)}" for key in keys[:SHOWN]]
    if len(keys) > SHOWN:
        told.append(f"    and {len(keys) - SHOWN} more")
    return [*(((line, "quiet"),) for line in told), EMPTY]


def _title(plan: Plan, place: str) -> Line:
    rest = [clean(place)] if place else []
    rest.append(commit_text(plan.commit))
    return ((clean(plan.environment), "strong"), (" · " + " · ".join(rest), "quiet"))


def _change(change: Change, plan: Plan, pad: int, width: int) -> list[Line]:
    title = title_of(change.key).ljust(pad)
    lines: list[Line] = [
        (
            (f"  {SYMBOLS[change.action]} ", change.action),
            (f"{title}  ", ""),
            (name_of(change.key), "strong"),
        )
    ]
    rows = field_rows(change, max(24, width - 30))
    column = min(width // 2 - 4, max([20, *(len(row.name) for row in rows)]))
    room = max(24, width - column - 8)
    for row in field_rows(change, room):
        remark = ((f"   {row.remark}", change.action),) if row.remark else ()
        lines.append(((f"      {row.name.ljust(column)}  ", "quiet"), (row.text, ""), *remark))
    explained = change.reason and not any(row.remark for row in rows)
    reason = f"{sentence(change.reason)} " if explained else ""
    said = reason + consequence(change, plan)
    lines += [((f"      {part}", change.action),) for part in _wrapped(said.strip(), width - 6)]
    return lines


def _wrapped(text: str, width: int) -> list[str]:
    return textwrap.wrap(text, max(24, width), break_long_words=False, break_on_hyphens=False)


def _checks(checks: Sequence[Check], width: int) -> list[Line]:
    """Level, rule and place in columns; the message beside them, or beneath where it is long."""
    if not checks:
        return []
    rule = max(len(clean(check.rule)) for check in checks)
    source = max(len(clean(check.source)) for check in checks)
    indent = 2 + 7 + 2 + rule + 2 + source + 2
    lines: list[Line] = []
    for check in checks:
        head: Line = (
            (f"  {check.level.ljust(7)}  ", check.level),
            (f"{clean(check.rule).ljust(rule)}  ", ""),
            (f"{clean(check.source).ljust(source)}  ", "quiet"),
        )
        message = clean(check.message)
        if indent + len(message) <= width:
            lines.append((*head, (message, "")))
        else:
            lines.append(head)
            lines += [((f"      {part}", ""),) for part in _wrapped(message, width - 6)]
    return [*lines, EMPTY]


def _ending(plan: Plan) -> list[Line]:
    remarks = check_counts(plan)
    level = plan.checks[0].level if plan.checks else ""
    counted: Line = ((f"{counts(plan.summary, len(plan.adopted))}.", "strong"),)
    if remarks:
        counted += ((f"   {remarks}.", level),)
    return [counted, ((f"Plan {plan.digest}. ", ""), (_next(plan), ""))]


def _next(plan: Plan) -> str:
    environment = clean(plan.environment)
    if plan.blocked:
        return "It cannot be applied until the errors are gone."
    if not plan.changes and plan.adopted:
        return (
            f"Azure is as declared; applying takes note of {plural(len(plan.adopted), 'resource')}."
        )
    if not plan.changes:
        return "Nothing to do: Azure is as declared."
    return f"To apply it: reconciler apply -e {environment}"


def run_text(run: Run, *, width: int = 100, now: str = "") -> list[Line]:
    """A run: one line a resource, what failed beneath in full. ``now``: ISO 8601, UTC."""
    rows = rows_of(run, now)
    environment = clean(run.plan.environment)
    took = run_took(run, now)
    head = headline(run, rows).format(environment) + (f" · {took}" if took else "")
    lines: list[Line] = [((head, "error" if run.state == "failed" else "strong"),)]
    lines += [((f"  {part}", "error"),) for part in _wrapped(clean(run.detail), width - 2)]
    lines.append(EMPTY)
    styles = {symbol: action for action, symbol in SYMBOLS.items()}
    states = {"failed": "error", "held": "warning", "done": "quiet"}
    title = max((len(title_of(row.key)) for row in rows), default=0)
    name = min(50, max((len(name_of(row.key)) for row in rows), default=0))
    for row in rows:
        head_line: Line = (
            (f"  {row.symbol} ", styles[row.symbol]),
            (f"{title_of(row.key).ljust(title)}  {name_of(row.key).ljust(name)}  ", ""),
        )
        style = states.get(row.standing, "")
        took = f" · {row.took}" if row.took else ""
        words = row.words + took
        if len(plain([head_line])) + len(words) <= width and not row.request_id:
            lines.append((*head_line, (words, style)))
            continue
        lines.append((*head_line, (row.state + took, style)))
        new = row.request_id and row.request_id not in row.detail
        detail = row.detail + (f" (request {row.request_id})" if new else "")
        detail = f"{detail.removesuffix('.')}. {row.remark}" if row.remark else detail
        lines += [((f"      {part}", style),) for part in _wrapped(detail, width - 6)]
    lines += [EMPTY] if rows else []
    facts = f"Run {clean(run.id)} · plan {run.plan.digest} · {commit_text(run.plan.commit)}"
    lines.append(((facts, "quiet"),))
    return lines + [((part, ""),) for part in _wrapped(next_step(run), width)]
