"""One plan in Markdown: danger first, folded where it is long, in as much room as there is."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Final
from urllib.parse import quote

from reconciler.core.model import Change, Check, Key, Plan
from reconciler.core.render.escape import code, fenced, folded, prose
from reconciler.core.render.words import (
    DANGEROUS_WORDS,
    SYMBOLS,
    clean,
    consequence,
    field_rows,
    in_order,
    name_of,
    plural,
    shorten,
    source_text,
    title_of,
)

LIMIT: Final = 60_000
"""GitHub refuses comments above 65,536 characters."""
OPEN_LINES: Final = 12
MOST_ALARMS: Final = 20
LONGEST_RULE: Final = 60
ADOPTED: Final = "They are owned from the next apply on"
LEFT: Final = "They are left alone"
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
    """Template over ``run``, an id: ``https://…/api/runs/{run}``."""
    portal: str = "https://portal.azure.com/#@/resource{arm_id}"
    """Template over ``arm_id``; other clouds have another portal."""


def plan_lines(
    plan: Plan, *, links: Links, alerts: bool, room: int, will: str = "will"
) -> list[str]:
    """One plan alone, as lines of about ``room`` characters."""
    return Section(plan, links, alerts, will).lines(room)


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


class Section:
    """What one plan would do. What is costly is made once, so that it can be asked for again with
    less room."""

    def __init__(self, plan: Plan, links: Links, alerts: bool, will: str = "will") -> None:
        """``will``: ``would`` of what was refused."""
        self.plan, self.links, self.alerts, self.will = plan, links, alerts, will
        self.changes = in_order(plan.changes)

    def lines(self, room: int, *, folds: bool = True) -> list[str]:
        """Everything, in about ``room`` characters; what is left out is counted.

        ``folds``: what is long is folded. Inside of a fold nothing else is.
        """
        before = [*self._danger(room), *self._checks(room)]
        after = [
            line
            for title, names in self._others
            for line in (*_perhaps_folded(folds, title, [names]), "")
        ]
        return [*before, *self._changes(room - _size([*before, *after]), folds), *after]

    def _danger(self, room: int) -> list[str]:
        """What is deleted or replaced, with its consequence."""
        most = max(3, min(MOST_ALARMS, room // 600))
        left = len(self.alarms) - most
        more = (
            [f"**And {left} more to delete or replace**: see the changes.", ""] if left > 0 else []
        )
        return [*self.alert(most), "", *more] if self.alarms else []

    def alert(self, most: int) -> list[str]:
        """So many of the alarms in one box."""
        lines = self.alarms[:most]
        if len(lines) > 1:
            lines = [f"- {line}" for line in lines]
            lead = ["> [!CAUTION]"] if self.alerts else ["> **Caution**", ">"]
            return [*lead, *(f"> {line}" for line in lines)]
        return ["> [!CAUTION]", f"> {lines[0]}"] if self.alerts else [f"> **Caution**: {lines[0]}"]

    @cached_property
    def alarms(self) -> list[str]:
        """A sentence or two for each delete and replace."""
        return [self._alarm(one) for one in self.changes if one.action in DANGEROUS_WORDS]

    def _alarm(self, change: Change) -> str:
        name = code(name_of(change.key))
        why = f": {prose(shorten(clean(change.reason), 300))}" if change.reason else ""
        becomes = f"**{self.will} be {change.action}d**"
        means = consequence(change, self.plan)
        return f"{prose(title_of(change.key))} {name} {becomes}{why}. {means}"

    def _checks(self, room: int) -> list[str]:
        if not self._remarks:
            return []
        return ["**Checks**", *_within(room // 3, self._remarks, "- and {} more"), ""]

    @cached_property
    def _remarks(self) -> list[list[str]]:
        return [[self._check(check)] for check in self.plan.checks]

    def _check(self, check: Check) -> str:
        level = f"**{check.level}**" if check.level == "error" else check.level
        source = f" {source_markdown(check.source, self.links)}" if check.source else ""
        rule = code(shorten(clean(check.rule), LONGEST_RULE))
        return f"- {level} {rule}{source}: {prose(shorten(clean(check.message), 800))}"

    def _changes(self, room: int, folds: bool) -> list[str]:
        if not self.changes:
            return []
        brief = _within(room * 2 // 3, self._brief)
        title = plural(len(self.changes), "change")
        long = len(brief) > OPEN_LINES
        lines = _perhaps_folded(folds and long, title if long else "Changes", fenced(brief, "diff"))
        return [*lines, *self._new(room - _size(lines) - 300, folds), ""]

    @cached_property
    def _brief(self) -> list[list[str]]:
        return [_block(one, fields=one.action != "create") for one in self.changes]

    def _new(self, room: int, folds: bool) -> list[str]:
        if not self._in_full:
            return []
        block = _within(room, self._in_full)
        title = f"All fields of {plural(len(self._in_full), 'new resource')}"
        lines = _perhaps_folded(folds, title, fenced(block, "diff"))
        return lines if folds else ["", *lines]

    @cached_property
    def _in_full(self) -> list[list[str]]:
        new = [change for change in self.changes if change.action == "create" and change.fields]
        return [_block(change, fields=True, source=True) for change in new]

    @cached_property
    def _others(self) -> list[tuple[str, str]]:
        """Resources that stay as they are: how many, and which."""
        return [
            *_named(self.plan.adopted, "found as declared", ADOPTED),
            *_named(self.plan.unmanaged, "in Azure that no spec declares", LEFT),
        ]


def _named(keys: Sequence[Key], what: str, means: str) -> list[tuple[str, str]]:
    if not keys:
        return []
    names = ", ".join(f"{code(name_of(key))} ({prose(title_of(key))})" for key in keys[:20])
    names += f" and {len(keys) - 20} more" if len(keys) > 20 else ""
    return [(f"{plural(len(keys), 'resource')} {what}", f"{means}: {names}.")]


def _perhaps_folded(folds: bool, title: str, lines: Sequence[str]) -> list[str]:
    return folded(title, lines) if folds else [f"**{title}**", *lines]


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
