"""Texts that fit: the fullest of several, and never a silent cut."""

from collections.abc import Iterable, Sequence
from typing import Final
from urllib.parse import quote

from reconciler.core.model import Plan
from reconciler.core.render.escape import code
from reconciler.core.render.markdown import LONGEST_URL, Links, plan_lines, safe_url
from reconciler.core.render.words import counts

ENDLESS: Final = 1_000_000_000


def fitting(limit: int, texts: Iterable[str]) -> str:
    """The first of these that is at most ``limit`` characters long, or else the last."""
    text = ""
    for text in texts:
        if len(text) <= limit:
            break
    return text


def size(lines: Sequence[str]) -> int:
    """How many characters lines take, with their ends."""
    return sum(len(line) + 1 for line in lines)


def how_many_fit(lines: Sequence[str], room: int) -> int:
    """So many of the first lines take at most ``room`` characters."""
    for place, line in enumerate(lines):
        room -= len(line) + 1
        if room < 0:
            return place
    return len(lines)


def as_many_as_fit(lines: Sequence[str], room: int, more: str) -> list[str]:
    """So many of the first lines, and ``more`` with how many are left, in ``room`` characters."""
    if size(lines) <= room:
        return list(lines)
    most = how_many_fit(lines, room - size([more.format(len(lines))]))
    return [*lines[:most], more.format(len(lines) - most)]


def linked(text: str, url: str) -> str:
    """``text`` (Markdown) as a link; as it is where there is no address."""
    return f"[{text}]({safe_url(url)})" if url and len(safe_url(url)) <= LONGEST_URL else text


def run_url(links: Links, run: str) -> str:
    return links.run.replace("{run}", quote(run, safe="", errors="replace")) if run else ""


def portal_url(links: Links, arm_id: str) -> str:
    found = quote(arm_id, safe="/", errors="replace")
    return links.portal.replace("{arm_id}", found) if arm_id else ""


def plan_within(
    plan: Plan, links: Links, alerts: bool, limit: int, will: str = "will"
) -> list[str]:
    """One plan alone in at most ``limit`` characters; when even its essence is longer than that,
    its counts."""
    room = limit
    while room >= limit // 16 and room > 0:
        lines = plan_lines(plan, links=links, alerts=alerts, room=room, will=will)
        while lines and not lines[-1]:
            lines.pop()
        if size(lines) <= limit:
            return lines
        room //= 2
    said = f"{counts(plan.summary)}. **Too long to show here**: see plan {code(plan.digest)}."
    return [said]
