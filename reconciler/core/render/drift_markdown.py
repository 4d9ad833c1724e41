"""Drift as an issue: what Azure has instead of what the specs say, and who puts it right."""

from collections.abc import Sequence
from typing import Final

from reconciler.core.model import Action, Change, Plan, Run
from reconciler.core.render.escape import code, fenced, folded, prose
from reconciler.core.render.fitting import how_many_fit, plan_within, size
from reconciler.core.render.markdown import COLUMN, OPEN_LINES, WIDTH, Links
from reconciler.core.render.run_markdown import commit_markdown, run_markdown
from reconciler.core.render.words import (
    SYMBOLS,
    clean,
    field_rows,
    in_order,
    name_of,
    plural,
    shorten,
    title_of,
)

FOUND: Final[dict[Action, tuple[str, str]]] = {
    "delete": ("is there although no spec declares it", "are there although no spec declares them"),
    "replace": ("can only be replaced", "can only be replaced"),
    "update": ("was changed", "were changed"),
    "create": ("is missing", "are missing"),
}
BECAUSE: Final[dict[Action, str]] = {
    "create": "  (was missing)",
    "delete": "  (declared no more)",
    "replace": "  (replaced)",
}
FOUND_TITLE: Final = "What was found → what is declared"


def drift_title(environment: str) -> str:
    """The title of the one issue of an environment, in plain text."""
    return f"{shorten(clean(environment), 63)} differs from its specs"


def drift_markdown(
    plan: Plan, *, links: Links, alerts: bool, limit: int, self_heal: str, since: str = ""
) -> str:
    """What differs, in at most ``limit`` characters (2,000 or more).

    ``plan``: what applying the specs again would do. ``self_heal``: as the environment says;
    ``since``: when it was first seen, ISO 8601 in UTC.
    """
    name = code(shorten(clean(plan.environment), 63))
    seen = f" First seen {moment(since)}." if since else ""
    head = [
        f"{name} is not as its {commit_markdown(plan.commit)} say: {_found(plan)}.{seen}",
        "",
        "Before the arrow stands what Azure has, after it what the specs say.",
        "",
    ]
    tail = ["", *_ways_out(plan, self_heal)]
    room = limit - size([*head, *tail]) - 1
    lines = plan_within(plan, links, alerts, room, "would")
    return "\n".join([*head, *lines, *tail]) + "\n"


def healed_markdown(run: Run, *, links: Links, alerts: bool, limit: int) -> str:
    """What was found changed and put back, and how that went, in at most ``limit`` characters."""
    whole = run.state == "done"
    said = "this was put back" if whole else "not everything was put back"
    lead = [f"Azure was changed by hand, or by something else: {said}.", ""]
    more = [*(lead if run.plan.changes else []), *_put_back(run.plan.changes, limit // 3)]
    return run_markdown(run, links=links, alerts=alerts, limit=limit, more=more)


def _put_back(changes: Sequence[Change], room: int) -> list[str]:
    """The fields of what was found: before the arrow as Azure had them, after it as declared."""
    blocks = [_block(change) for change in in_order(changes)]
    most = how_many_fit(["\n".join(block) for block in blocks], room)
    lines = [line for block in blocks[:most] for line in block]
    if not blocks:
        return ["Azure was as declared by then: nothing had to be put back.", ""]
    shown = fenced(lines, "diff") if lines else []
    if len(lines) > OPEN_LINES:
        shown = folded(FOUND_TITLE, shown)
    elif lines:
        shown = [f"**{FOUND_TITLE}**", *shown]
    if most < len(blocks):
        left = plural(len(blocks) - most, "resource")
        shown += ["", f"**Too long to show here**: what was found of {left}."]
    return [*shown, ""]


def _block(change: Change) -> list[str]:
    sign = "- +" if change.action == "replace" else SYMBOLS[change.action]
    head = f"{sign} {title_of(change.key)}  {name_of(change.key)}"
    rows = field_rows(change, WIDTH - COLUMN) if change.action in ("update", "replace") else []
    column = max([COLUMN, *(len(row.name) for row in rows)])
    fields = [f"    {row.name.ljust(column)} {row.text}" for row in rows]
    return [head + BECAUSE.get(change.action, ""), *fields]


def _found(plan: Plan) -> str:
    """``1 resource was changed, 2 are missing``."""
    parts: list[str] = []
    for action, (one, many) in FOUND.items():
        if count := plan.summary[action]:
            noun = "" if parts else " resource" if count == 1 else " resources"
            parts.append(f"{count}{noun} {one if count == 1 else many}")
    return ", ".join(parts) or "nothing differs any more"


def _ways_out(plan: Plan, self_heal: str) -> list[str]:
    name = shorten(clean(plan.environment), 63)
    by_hand = (
        f"comment {code(f'/apply {name}')} on a pull request that was merged, or run "
        f"{code(f'reconciler apply -e {name}')}"
    )
    if plan.blocked:
        return [
            "It cannot be put back until the errors of the checks are gone. If Azure is right, put "
            "the specs right and merge that."
        ]
    if self_heal == "apply" and plan.dangerous:
        return [
            "It is not put back by itself, because that would delete or replace something: comment "
            f"{code(f'/apply {name} {plan.digest}')} on a pull request that was merged to allow "
            "exactly this. If Azure is right, put the specs right and merge that.",
            "",
            "This issue closes by itself.",
        ]
    if self_heal == "apply":
        return [
            "It is put back by itself (`selfHeal: apply`), unless the environment is suspended or "
            f"waits for a command; to do it now, {by_hand}. If Azure is right, put the specs right "
            "and merge that.",
            "",
            "This issue closes by itself.",
        ]
    return [
        f"Nothing is put back by itself ({code(f'selfHeal: {shorten(clean(self_heal), 40)}')}). If "
        f"the specs are right, {by_hand}: the next merge that concerns it does the same. If Azure "
        "is right, put the specs right and merge that.",
        "",
        "This issue closes by itself once they agree.",
    ]


def moment(text: str) -> str:
    """``2026-11-20 14:05 UTC``, of ISO 8601 in UTC."""
    return prose(f"{clean(text)[:10]} {clean(text)[11:16]} UTC")
