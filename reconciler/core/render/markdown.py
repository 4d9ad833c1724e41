"""Plans as a pull request comment: danger first, folded where it is long, bounded in size."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final
from urllib.parse import quote

from reconciler.core.model import Change, Check, Plan
from reconciler.core.render.escape import code, fenced, folded, prose
from reconciler.core.render.words import (
    DANGEROUS_WORDS,
    SYMBOLS,
    check_counts,
    clean,
    commit_text,
    consequence,
    field_rows,
    in_order,
    name_of,
    plural,
    shorten,
    source_text,
    title_of,
)

MARKER: Final = "<!-- reconciler:plan -->"
"""First line: the forge finds and replaces its earlier comment by it."""
LIMIT: Final = 60_000
"""GitHub refuses comments above 65,536 characters."""
OPEN_LINES: Final = 12
WIDTH: Final = 110
COLUMN: Final = 21
LONGEST_URL: Final = 800
"""A longer address is no address that anybody made; it would crowd out what it stands beside."""
PLACE: Final = re.compile(r"(.+?):(\d+)(?::\d+)?", re.DOTALL)
"""``specs/models/chat.yaml:9:15``"""


@dataclass(frozen=True)
class Links:
    """Where things are shown; an empty template makes no link."""

    source: str = ""
    """Template over ``path`` and ``line``: ``https://…/blob/3f2c1ab/{path}#L{line}``."""
    run: str = ""
    """A page with everything about these plans."""
    portal: str = "https://portal.azure.com/#@/resource{arm_id}"
    """Template over ``arm_id``; other clouds have another portal."""


def plan_markdown(plan: Plan, *, place: str = "", links: Links | None = None) -> str:
    """One plan as a comment."""
    return plans_markdown([plan], places={plan.environment: place}, links=links)


def plans_markdown(
    plans: Sequence[Plan],
    *,
    places: Mapping[str, str] | None = None,
    links: Links | None = None,
    alerts: bool = True,
    limit: int = LIMIT,
) -> str:
    """The plans of one commit as a comment of at most ``limit`` characters.

    ``places``: where each environment is, in words. ``alerts``: the forge knows ``> [!CAUTION]``.
    """
    links = links or Links()
    head = [MARKER, _title(plans), ""]
    if len(plans) > 1:
        head += [*_table(plans), ""]
    lines = []
    for plan in plans:
        room = (limit - 2000) // len(plans)
        section = _Section(plan, (places or {}).get(plan.environment, ""), links, alerts, room)
        lines += section.lines(alone=len(plans) == 1)
    last = _last(plans, links)
    made = "\n".join([*head, *lines, last]) + "\n"
    if len(made) <= limit:
        return made
    return "\n".join([*head, "**Too long for a comment**: see the details.", "", last]) + "\n"


def plan_lines(
    plan: Plan, *, links: Links, alerts: bool, room: int, will: str = "will"
) -> list[str]:
    """One plan alone, as lines of about ``room`` characters."""
    return _Section(plan, "", links, alerts, room, will).lines(alone=True)


def environment_lines(
    plan: Plan, *, links: Links, alerts: bool, room: int, alone: bool, most: int = 0
) -> list[str]:
    """One environment of several, as lines of about ``room`` characters; quiet ones are folded
    unless they stand alone. ``most``: nothing but so many dangerous changes."""
    section = _Section(plan, "", links, alerts, room)
    if most:
        return section.danger(most)
    lines = section.lines(alone=alone)
    return lines if alone else lines[2:]


def _title(plans: Sequence[Plan]) -> str:
    total = {name: sum(plan.summary[name] for plan in plans) for name in SYMBOLS}
    parts = [f"**{plural(total[a], w)}**" for a, w in DANGEROUS_WORDS.items() if total[a]]
    parts += [f"{total[action]} to {action}" for action in ("update", "create") if total[action]]
    failed = sum(check.level == "error" for plan in plans for check in plan.checks)
    parts += [f"**{plural(failed, 'check')} failed**"] if failed else []
    where = code(plans[0].environment) if len(plans) == 1 else f"{len(plans)} environments"
    commit = commit_text(plans[0].commit).removeprefix("specs at ")
    return f"### Plan for {code(commit)} · {where} · " + " · ".join(parts or ["nothing to do"])


def _table(plans: Sequence[Plan]) -> list[str]:
    rows = [
        "| environment | create | update | replace | delete | checks |",
        "| --- | --: | --: | --: | --: | --- |",
    ]
    for plan in plans:
        count = {action: str(plan.summary[action] or "·") for action in SYMBOLS}
        for action in DANGEROUS_WORDS:
            count[action] = f"**{count[action]}**" if plan.summary[action] else "·"
        still = "·" if plan.changes else f"up to date ({plural(plan.unchanged, 'resource')})"
        cells = [code(plan.environment), *(count[one] for one in reversed(SYMBOLS))]
        rows.append(f"| {' | '.join([*cells, check_counts(plan) or still])} |")
    return rows


def _last(plans: Sequence[Plan], links: Links) -> str:
    digests = ", ".join(f"`{plan.digest}`" for plan in plans)
    unchanged = sum(plan.unchanged for plan in plans)
    reads = sum(plan.reads for plan in plans)
    what = "Plan" if len(plans) == 1 else "Plans"
    parts = [f"{what} {digests}", f"{unchanged} unchanged", plural(reads, "read")]
    parts += [f"[details]({safe_url(links.run)})"] if links.run else []
    return f"{_next(plans)} {' · '.join(parts)} · `/plan` to refresh"


def _next(plans: Sequence[Plan]) -> str:
    blocked = [plan for plan in plans if plan.blocked]
    if blocked:
        names = ", ".join(code(plan.environment) for plan in blocked)
        return f"{names} cannot be applied until the errors are gone."
    if not any(plan.changes for plan in plans):
        return "Nothing to do: Azure is as declared."
    names = ", ".join(code(plan.environment) for plan in plans if plan.changes)
    return f"Merging applies this to {names}."


def safe_url(url: str) -> str:
    return quote(url, safe="/:?=&#%+,;@~.-_", errors="replace")


def source_markdown(source: str, links: Links) -> str:
    """``file:line``, linked where a template says how."""
    found = PLACE.fullmatch(source)
    shown = code(source_text(source))
    if not links.source or not found:
        return shown
    path, line = found.groups()
    path = quote(path, safe="/", errors="replace")
    url = links.source.replace("{path}", path).replace("{line}", line)
    return f"[{shown}]({safe_url(url)})" if len(safe_url(url)) <= LONGEST_URL else shown


@dataclass(frozen=True)
class _Section:
    """One environment of a comment, of about ``room`` characters."""

    plan: Plan
    place: str
    links: Links
    alerts: bool
    room: int
    will: str = "will"
    """``would``: of what was refused."""

    def lines(self, *, alone: bool) -> list[str]:
        heading = f"#### {code(self.plan.environment)}"
        heading += f" · {prose(self.place)}" if self.place else ""
        before = [*self.danger(max(3, min(20, self.room // 600))), *self._checks()]
        after = self._unmanaged()
        body = [*before, *self._changes(self.room - _size([*before, *after])), *after]
        if alone:
            return [*([heading, ""] if self.place else []), *body]
        if not body:
            return []  # the table says it all
        if self.plan.dangerous or self.plan.blocked:
            return [heading, "", *body]
        return [heading, "", *folded(_quiet_summary(self.plan), body[:-1]), ""]

    def danger(self, most: int) -> list[str]:
        lines: list[str] = []
        dangerous = [c for c in in_order(self.plan.changes) if c.action in DANGEROUS_WORDS]
        for change in dangerous[:most]:
            lines += [*self._alert(change), ""]
        left = len(dangerous) - most
        if left > 0:
            lines += [f"**And {left} more to delete or replace**: see the changes.", ""]
        return lines

    def _alert(self, change: Change) -> list[str]:
        name = code(name_of(change.key))
        why = f": {prose(shorten(clean(change.reason), 300))}" if change.reason else ""
        means = consequence(change, self.plan)
        becomes = f"**{self.will} be {change.action}d**"
        said = f"{prose(title_of(change.key))} {name} {becomes}{why}. {means}"
        return ["> [!CAUTION]", f"> {said}"] if self.alerts else [f"> **Caution**: {said}"]

    def _checks(self) -> list[str]:
        if not self.plan.checks:
            return []
        remarks = [[self._check(check)] for check in self.plan.checks]
        return ["**Checks**", *_within(self.room // 3, remarks, "- and {} more"), ""]

    def _check(self, check: Check) -> str:
        level = f"**{check.level}**" if check.level == "error" else check.level
        source = f" {source_markdown(check.source, self.links)}" if check.source else ""
        return f"- {level} {code(check.rule)}{source}: {prose(shorten(clean(check.message), 800))}"

    def _changes(self, room: int) -> list[str]:
        changes = in_order(self.plan.changes)
        if not changes:
            return []
        brief = _within(
            room * 2 // 3, [_block(change, fields=change.action != "create") for change in changes]
        )
        lines = fenced(brief, "diff")
        if len(brief) > OPEN_LINES:
            lines = folded(f"{plural(len(changes), 'change')}", lines)
        else:
            lines = ["**Changes**", *lines]
        return [*lines, *self._new(changes, room - _size(lines) - 300), ""]

    def _new(self, changes: Sequence[Change], room: int) -> list[str]:
        new = [change for change in changes if change.action == "create" and change.fields]
        if not new:
            return []
        block = _within(room, [_block(change, fields=True, source=True) for change in new])
        title = f"All fields of {plural(len(new), 'new resource')}"
        return folded(title, fenced(block, "diff"))

    def _unmanaged(self) -> list[str]:
        keys = self.plan.unmanaged
        if not keys:
            return []
        names = ", ".join(f"{code(name_of(key))} ({prose(title_of(key))})" for key in keys[:20])
        names += f" and {len(keys) - 20} more" if len(keys) > 20 else ""
        title = f"{plural(len(keys), 'resource')} in Azure that no spec declares"
        return [*folded(title, [f"They are left alone: {names}."]), ""]


def _quiet_summary(plan: Plan) -> str:
    parts = [f"{plan.summary[a]} to {a}" for a in ("update", "create") if plan.summary[a]]
    return ", ".join([*parts, *filter(None, [check_counts(plan)])]) or "Details"


def _block(change: Change, *, fields: bool, source: bool = False) -> list[str]:
    """A change as lines of a ``diff`` block: its first sign colours it."""
    sign = {"replace": "- +", "update": "~"}.get(change.action, SYMBOLS[change.action])
    after = "  (replace)" if change.action == "replace" else ""
    after += f"   {source_text(change.source)}" if source and change.source else ""
    lines = [f"{sign} {title_of(change.key)}  {name_of(change.key)}{after}"]
    rows = field_rows(change, WIDTH - COLUMN) if fields else []
    column = max([COLUMN, *(len(row.name) for row in rows)])
    for row in rows:
        remark = f"   {row.remark}" if row.remark else ""
        lines.append(f"    {row.name.ljust(column)} {row.text}{remark}")
    return lines


def _within(room: int, blocks: Sequence[list[str]], more: str = "  … and {} more") -> list[str]:
    """As many blocks as there is room for, and how many are left out."""
    lines: list[str] = []
    for place, block in enumerate(blocks):
        room -= _size(block)
        if room < 0:
            return [*lines, more.format(len(blocks) - place)]
        lines += block
    return lines


def _size(lines: Sequence[str]) -> int:
    return sum(len(line) + 1 for line in lines)
