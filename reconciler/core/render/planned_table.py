"""The environments of a pull request as rows of a table."""

from collections.abc import Mapping
from typing import Final

from reconciler.core.model import Plan
from reconciler.core.preview import Previewed
from reconciler.core.render.fitting import linked
from reconciler.core.render.next_steps import Standing, name_code
from reconciler.core.render.words import DANGEROUS_WORDS, SYMBOLS, check_counts, plural

REMARKS: Final[Mapping[Standing, str]] = {
    "refused": "**refused**",
    "failed": "**not planned**",
    "asks": "**its apply will be refused**",
    "stops": "**its apply will be refused**",
    "command": "waits for `/apply`",
    "applied": "applied as planned",
}
# How it stands is beside its name: a telephone shows only the first columns.
HEADINGS: Final = (
    "| environment | state | delete | replace | update | create |",
    "| --- | --- | --: | --: | --: | --: |",
)
MORE_ROWS: Final = "| and {} more | | | | | |"


def row(one: Previewed, stands: Standing, plan: Plan | None, url: str) -> str:
    """How one environment stands, and what would change there."""
    name = linked(name_code(one.environment), url)
    remark = REMARKS.get(stands, "")
    if plan is None:
        return f"| {name} | {remark} | | | | |"
    count = {action: str(plan.summary[action] or "·") for action in SYMBOLS}
    for action in DANGEROUS_WORDS:
        count[action] = f"**{count[action]}**" if plan.summary[action] else "·"
    found = check_counts(plan)
    if plan.blocked:
        first, comma, rest = found.partition(",")
        found = f"**{first}**{comma}{rest}"
    if stands == "still":
        remark = f"up to date ({plural(plan.unchanged, 'resource')})"
    state = ", ".join(filter(None, [remark, found])) or "can be applied"
    return f"| {' | '.join([name, state, *(count[action] for action in SYMBOLS)])} |"
