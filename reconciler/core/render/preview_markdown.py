"""A pull request's comment: everything that is known of it, within the forge's limit."""

from collections.abc import Mapping, Sequence
from typing import Final

from reconciler.core.errors import SpecError
from reconciler.core.model import Plan
from reconciler.core.preview import Preview, Previewed
from reconciler.core.render.escape import code
from reconciler.core.render.fitting import ENDLESS, as_many_as_fit, fitting, how_many_fit, size
from reconciler.core.render.markdown import LIMIT, Links, source_markdown
from reconciler.core.render.next_steps import name_code
from reconciler.core.render.planned_markdown import Planned, commit_code, words
from reconciler.core.render.words import clean, plural, shorten

BRANCH: Final = 100


def preview_markdown(
    preview: Preview,
    plans: Mapping[str, Plan],
    *,
    branch: str,
    links: Links,
    alerts: bool = True,
    limit: int = LIMIT,
) -> str:
    """Everything about a pull request in at most ``limit`` characters (2,000 or more).

    ``plans``: those of ``preview.environments``, by name. ``branch``: what it is merged into.
    ``alerts``: the forge knows ``> [!CAUTION]``. What is too long to show is counted, and where
    the rest is, is said; nothing is cut without a word.
    """
    if preview.state == "planned" and preview.environments:
        return fitting(limit, Planned(preview, plans, links, alerts, limit).texts())
    if preview.state == "invalid":
        return _invalid(preview, links, limit)
    return fitting(
        limit, ("\n".join(_said(preview, branch, alerts, most)) + "\n" for most in (ENDLESS, limit))
    )


def _said(preview: Preview, branch: str, alerts: bool, limit: int) -> list[str]:
    """What is known before there is a plan, or where there is none."""
    commit, onto = commit_code(preview.head), code(shorten(clean(branch), BRANCH))
    match preview.state:
        case "planning":
            return _planning(preview, commit, limit)
        case "conflicting":
            return [
                f"### {commit} does not merge",
                "",
                f"It conflicts with {onto}, so nothing is planned. Bring it up to date with that "
                "branch, and it is planned by itself.",
            ]
        case "untrusted":
            return [
                f"### {commit} comes from a fork: validated, not planned",
                "",
                "Its specs are valid. Nothing was read from Azure. Somebody who may write to this "
                "repository looks at this commit and, trusting it, comments `/plan`; what is "
                "pushed later has to be looked at again.",
            ]
        case "failed":
            why = [f"> **Why**: {words(preview.detail, limit)}", ""] if preview.detail else []
            way_out = "It is tried again by itself; `/plan` tries now."
            return [f"### {commit} could not be planned", "", *why, way_out]
        case "closed":
            return ["Closed: nothing is planned any more."]
        case _:
            return _untouched(preview, commit, alerts, limit)


def plan_markdown(plan: Plan, *, place: str = "", links: Links | None = None) -> str:
    """One plan as a comment, for whoever posts it without a service that listens."""
    one = Previewed(plan.environment, "planned", place=place)
    preview = Preview(0, plan.commit, state="planned", environments=(one,))
    return preview_markdown(preview, {one.environment: plan}, branch="", links=links or Links())


def _planning(preview: Preview, commit: str, limit: int) -> list[str]:
    known = [name_code(one.environment) for one in preview.environments]
    most = how_many_fit(known, limit // 3)
    left = f" and {len(known) - most} more" if most < len(known) else ""
    where = f" for {', '.join(known[:most])}{left}" if most else ""
    return [
        f"### Planning {commit} …",
        "",
        f"What merging would do{where} is told here in a moment.",
    ]


def _untouched(preview: Preview, commit: str, alerts: bool, limit: int) -> list[str]:
    """No environment is planned; what it means for later may be told all the same."""
    notes = Planned(preview, {}, Links(), alerts, limit).notes(limit, limit - 500)
    said = "It touches no spec, include or patch of any environment"
    ending = " that is planned." if notes else ": merging it changes nothing in Azure."
    return [f"### Nothing to plan for {commit}", "", *notes, said + ending]


def _invalid(preview: Preview, links: Links, limit: int) -> str:
    """Every error, with a link to its line."""
    count = plural(len(preview.errors), "error")
    head = [f"### {commit_code(preview.head)} cannot be planned: **{count} in the specs**", ""]
    tail = [
        "",
        "Push a fix: it is planned by itself. `reconciler validate` finds the same at home.",
    ]
    room = limit - size([*head, *tail])
    lines: list[str] = []
    for shown, most in ((links, ENDLESS), (links, limit), (Links(), limit)):
        told = _errors(preview.errors, shown, most)
        lines = as_many_as_fit(told, room, "- and {} more")
        if lines[:1] == told[:1]:
            break
    return "\n".join([*head, *lines, *tail]) + "\n"


def _errors(errors: Sequence[SpecError], links: Links, limit: int) -> list[str]:
    return [
        f"- {f'{source_markdown(one.source, links)}: ' if one.source else ''}"
        f"{words(one.message, limit)}"
        for one in errors
    ]
