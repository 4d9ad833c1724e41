"""How a pull request's newest commit stands: a mark per environment, and one of them together."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from reconciler.core.annotations import of_checks, of_errors
from reconciler.core.forge import Mark, MarkState
from reconciler.core.model import Plan
from reconciler.core.preview import OWN_MARK, Preview, Previewed, PreviewState, mark_name
from reconciler.core.render.escape import code, prose
from reconciler.core.render.fitting import how_many_fit, plan_within, run_url, size
from reconciler.core.render.markdown import Links
from reconciler.core.render.words import SYMBOLS, check_counts, clean, plural, shorten

LONGEST_TITLE: Final = 120
"""Characters; a commit status of GitHub takes 140:
https://docs.github.com/en/rest/commits/statuses"""
WORDS: Final = 800
WORST_FIRST: Final[Sequence[MarkState]] = ("failure", "blocked")
STATES: Final[Mapping[PreviewState, tuple[MarkState, str]]] = {
    "planning": ("pending", "planning"),
    "invalid": ("failure", "the specs cannot be used"),
    "conflicting": ("failure", "it does not merge"),
    "untrusted": ("blocked", "from a fork: waits for a maintainer's /plan"),
    "failed": ("failure", "it could not be looked at"),
    "closed": ("neutral", "closed"),
}
"""Every state but ``planned``: how all marks stand then."""
WAYS_OUT: Final[Mapping[PreviewState, str]] = {
    "invalid": "Push a fix: it is planned again by itself.",
    "conflicting": "Bring it up to date with its branch: it is planned again by itself.",
    "untrusted": "Its specs are valid; nothing was read from Azure. A maintainer who trusts this "
    "commit comments `/plan`.",
    "failed": "Comment `/plan` to try again.",
}


@dataclass(frozen=True)
class _Standing:
    """How one environment stands, in a few words."""

    state: MarkState
    title: str
    detail: str = ""
    """Why, in full."""
    plan: Plan | None = None


def marks(
    preview: Preview, plans: Mapping[str, Plan], *, links: Links, limit: int
) -> tuple[Mark, ...]:
    """One mark for each environment by name, and last the one made for branch protection.

    ``plans``: by environment; ``limit``: characters of a summary (2,000 or more). Pending only
    while it is being planned.
    """
    stands = {
        one.environment: _standing(preview, one, plans.get(one.environment))
        for one in preview.environments
    }
    each = [
        Mark(
            mark_name(one.environment),
            stands[one.environment].state,
            _title(stands[one.environment].title),
            _summary(one, stands[one.environment], links, limit),
            run_url(links, one.run),
            of_checks(plan.checks if (plan := stands[one.environment].plan) else ()),
        )
        for one in preview.environments
    ]
    return (*each, _together(preview, stands, limit))


def _standing(preview: Preview, one: Previewed, plan: Plan | None) -> _Standing:
    if preview.state != "planned":
        return _Standing(*STATES[preview.state], preview.detail)
    if one.verdict == "refused":
        return _Standing("blocked", "refused by a safety rule", one.detail)
    if one.verdict == "failed":
        return _Standing("failure", "it could not be planned", one.detail)
    if plan is None:
        return _Standing("failure", "its plan is gone", "comment /plan to plan again")
    if plan.blocked:
        return _Standing("failure", f"{check_counts(plan)}; {_changes([plan])}", one.detail, plan)
    said = ", ".join(filter(None, [_changes([plan]), check_counts(plan)]))
    if one.on_command and plan.changes and not one.applied:
        name = clean(plan.environment)
        return _Standing("blocked", f"waits for /apply {name}: {said}", one.detail, plan)
    if one.detail:
        # Not a reason to hold the merge back: only after it can a person allow the plan by name.
        return _Standing("neutral", f"its apply would be refused: {said}", one.detail, plan)
    return _Standing("success", "applied as planned" if one.applied else said, "", plan)


def _changes(plans: Iterable[Plan]) -> str:
    """``1 to delete, 2 to create``: danger first."""
    found = list(plans)
    total = {action: sum(plan.summary[action] for plan in found) for action in SYMBOLS}
    parts = [f"{count} to {action}" for action, count in total.items() if count]
    return ", ".join(parts) or "nothing to do"


def _title(text: str) -> str:
    said = shorten(clean(text), LONGEST_TITLE)
    return said[:1].upper() + said[1:]


def _summary(one: Previewed, stands: _Standing, links: Links, limit: int) -> str:
    """One environment alone."""
    place = f" · {prose(shorten(clean(one.place), 200))}" if one.place else ""
    head = [f"{_bold(stands.title)}{place}", ""]
    if stands.detail:
        head += [f"> {prose(shorten(clean(stands.detail), _words(limit)))}", ""]
    if stands.plan is None:
        return _joined(head)
    tail = ["", f"Plan `{stands.plan.digest}`"]
    room = limit - size([*head, *tail]) - 1
    return _joined([*head, *plan_within(stands.plan, links, False, room), *tail])


def _bold(text: str) -> str:
    return f"**{prose(shorten(clean(_title(text)), LONGEST_TITLE))}**"


def _words(limit: int) -> int:
    """Of foreign words: escaped they may be three times as long."""
    return min(WORDS, limit // 12)


def _together(preview: Preview, stands: Mapping[str, _Standing], limit: int) -> Mark:
    """All environments in one: the worst of them."""
    if preview.state == "planned":
        states = {one.state for one in stands.values()}
        fine: MarkState = "success"
        state = next((one for one in WORST_FIRST if one in states), fine)
        title = _together_title(stands)
    else:
        state, title = STATES[preview.state]
    if preview.errors:
        title = f"{plural(len(preview.errors), 'error')} in specs"
    return Mark(
        OWN_MARK,
        state,
        _title(title),
        _together_summary(preview, stands, title, limit),
        annotations=of_errors(preview.errors),
    )


def _together_title(stands: Mapping[str, _Standing]) -> str:
    """The worst environment's, where something is in the way; otherwise everything counted."""
    if not stands:
        return "no environment is touched"
    for state in WORST_FIRST:
        there = [name for name, one in stands.items() if one.state == state]
        if there:
            more = f" (and {plural(len(there) - 1, 'more environment')})" if there[1:] else ""
            name = shorten(clean(there[0]), 40)
            title = stands[there[0]].title.partition(";")[0]
            return f"in {name}: {shorten(title, 50)}{more}"
    said = _changes(one.plan for one in stands.values() if one.plan)
    return said if len(stands) == 1 else f"{len(stands)} environments: {said}"


def _together_summary(
    preview: Preview, stands: Mapping[str, _Standing], title: str, limit: int
) -> str:
    words = _words(limit)
    head = [_bold(title), ""]
    if preview.detail:
        head += [f"> {prose(shorten(clean(preview.detail), words))}", ""]
    told = [
        f"- {code(shorten(clean(name), 63))}: {prose(shorten(clean(one.title), LONGEST_TITLE))}"
        for name, one in stands.items()
    ]
    errors = [f"- {_error(one.source, one.message, words)}" for one in preview.errors]
    notes = [f"- Note: {prose(shorten(clean(one), words))}" for one in preview.notes]
    way_out = WAYS_OUT.get(preview.state, "")
    tail = ["", way_out] if way_out else []
    lines = [*notes, *errors, *told]
    room = limit - size([*head, *tail]) - 100
    most = how_many_fit(lines, room)
    left = [f"- and {len(lines) - most} more"] if most < len(lines) else []
    return _joined([*head, *lines[:most], *left, *tail])


def _error(source: str, message: str, words: int) -> str:
    place = f"{code(shorten(clean(source), 120))}: " if source else ""
    return f"{place}{prose(shorten(clean(message), words))}"


def _joined(lines: Sequence[str]) -> str:
    return "\n".join(lines).rstrip() + "\n"
