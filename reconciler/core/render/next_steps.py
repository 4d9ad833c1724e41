"""How each environment of a pull request stands, and what a person does about it now."""

from collections.abc import Mapping, Sequence
from typing import Final, Literal

from reconciler.core.model import Plan
from reconciler.core.preview import Previewed
from reconciler.core.render.escape import code
from reconciler.core.render.fitting import how_many_fit
from reconciler.core.render.words import clean, plural, shorten
from reconciler.core.safety import by_name, lifted_by_name

type Standing = Literal[
    "refused", "failed", "blocked", "asks", "stops", "waits", "merge", "command", "applied", "still"
]
"""``asks``: its apply is refused until somebody allows the plan by name; ``stops``: it is refused
while something lasts; ``command``: it waits for one; ``waits``: it does, and is refused while
something lasts; ``still``: there is nothing to do."""

NAME: Final = 63
SENTENCES: Final[Mapping[Standing, str]] = {
    "refused": "{} is refused for the reason above: push a fix, and it is planned again.",
    "failed": "{} could not be planned: it is tried again by itself, `/plan` tries now.",
    "blocked": "{} cannot be applied until the errors are gone.",
    "waits": "{} waits for `/apply` before the merge, which is refused for the reason above.",
    "stops": "Merging applies nothing to {} for now, for the reason above.",
    "merge": "Merging applies this to {}.",
    "applied": "{} is applied as planned here: merge this.",
}
ALLOWING: Final = (
    "Merging alone does not apply this to {}: {} after the merge allows this very plan."
)
"""For ``asks``."""


def name_code(environment: str) -> str:
    return code(shorten(clean(environment), NAME))


def standing(one: Previewed, plan: Plan | None) -> Standing:
    if one.verdict == "refused":
        return "refused"
    if one.verdict == "failed" or plan is None:
        return "failed"
    if plan.blocked:
        return "blocked"
    if one.applied:
        return "applied"
    if not plan.changes:
        return "still"
    if one.detail and not lifted_by_name(plan, one.detail):
        return "waits" if one.on_command else "stops"
    if one.on_command:
        return "command"
    return "asks" if one.detail else "merge"


def what_stops(one: Previewed, plan: Plan) -> tuple[str, str]:
    """Why its apply will be refused, and the way out in words of ours."""
    if not lifted_by_name(plan, one.detail):
        return one.detail, ""
    # The next steps say how, as something to copy.
    why = one.detail.removesuffix(by_name(plan)).rstrip()
    return why, " allow this plan by name, as said below."


def next_steps(
    stands: Mapping[Standing, Sequence[Previewed]], digests: Mapping[str, str], room: int
) -> str:
    """A sentence for each way in which environments stand, in about ``room`` characters.

    ``digests``: of the plans, by environment.
    """
    names = room // 8
    said = []
    for state, words in SENTENCES.items():
        if state == "merge":
            said += _commanded(stands, digests, names)
        if found := stands.get(state):
            said.append(words.format(_listed([name_code(one.environment) for one in found], names)))
    most = how_many_fit(said, room)
    more = ["More is told in the table."] if most < len(said) else []
    return " ".join([*said[:most], *more]) or "Nothing to do: Azure is as declared."


def _commanded(
    stands: Mapping[Standing, Sequence[Previewed]], digests: Mapping[str, str], room: int
) -> list[str]:
    """What somebody has to say so that it is applied."""
    said = []
    if asking := stands.get("asks"):
        names = [name_code(one.environment) for one in asking]
        ways = [_apply(one, digests[one.environment]) for one in asking]
        said.append(ALLOWING.format(_listed(names, room), _listed(ways, room)))
    if waiting := stands.get("command"):
        ways = [_apply(one, digests[one.environment] if one.detail else "") for one in waiting]
        verb = "applies it" if len(waiting) == 1 else "apply it"
        said.append(f"{_listed(ways, room, 'command')} {verb} before the merge.")
    return said


def _apply(one: Previewed, digest: str) -> str:
    return code(f"/apply {shorten(clean(one.environment), NAME)} {digest}".rstrip())


def _listed(words: Sequence[str], room: int, noun: str = "environment") -> str:
    """As many as there is room for, and a count of the others."""
    most = how_many_fit(words, room)
    if not most:
        return plural(len(words), noun)
    left = f" and {len(words) - most} more" if most < len(words) else ""
    return ", ".join(words[:most]) + left
