"""When a run has to stop and ask: rules that look at a whole plan.

Rules that look at one resource (protected, holds data, not empty) are checks of the plan itself.
"""

from datetime import datetime
from typing import Final

from reconciler.core.errors import Refused
from reconciler.core.model import Danger, Plan

PERCENT: Final = 30
"""More than this share of what is owned may not go in one run without a person's word."""
FEW: Final = 10
"""Below this many owned resources the share says nothing."""


def refuse_if_blocked(plan: Plan) -> None:
    """Raises Refused when a check of the plan is an error."""
    errors = [check for check in plan.checks if check.level == "error"]
    if errors:
        more = f" (and {len(errors) - 1} more)" if len(errors) > 1 else ""
        raise Refused(f"this plan cannot be applied: {errors[0].rule}: {errors[0].message}{more}")


def refuse_if_empty(environment: str, declared: int, owned: int) -> None:
    """Raises Refused when specs that declared something now declare nothing at all."""
    if owned and not declared:
        raise Refused(
            f"the specs of {environment} declare nothing, while {owned} resources are owned: this "
            "looks like a broken checkout, so nothing is deleted. To really remove everything, "
            "leave one document and delete the rest in a second step"
        )


def refuse_if_too_much(plan: Plan, owned: int, allowed: str | None) -> None:
    """Raises Refused when a run would delete or replace a large share of what is owned.

    ``allowed`` is the digest of a plan that a person allowed by name.
    """
    going = len(plan.dangerous)
    if owned < FEW or going * 100 <= owned * PERCENT or allowed == plan.digest:
        return
    raise Refused(
        f"this run would delete or replace {going} of {owned} owned resources, more than "
        f"{PERCENT}%. If that is meant, {by_name(plan)}"
    )


def refuse_if_worse(
    plan: Plan, reviewed: frozenset[Danger], digest: str, allowed: str | None
) -> None:
    """Raises Refused when the plan deletes or replaces more than the reviewed one (``digest``; "":
    none was reviewed)."""
    new = sorted((action, str(key)) for action, key, _ in plan.dangerous - reviewed)
    if not new or allowed == plan.digest:
        return
    listed = ", ".join(f"{action} {key}" for action, key in new[:5])
    listed += f" (and {len(new) - 5} more)" if len(new) > 5 else ""
    why = (
        f"Azure or the specs changed since plan {digest} was reviewed: applying would now also "
        if digest
        else "no reviewed plan shows it: applying would "
    )
    raise Refused(f"{why}{listed}. Review what it would do; if that is meant, {by_name(plan)}")


def by_name(plan: Plan) -> str:
    """How a person allows exactly this plan, where a rule that asks for that refused it."""
    return (
        f"allow plan {plan.digest} by name: `--allow {plan.digest}`, or "
        f"`/apply {plan.environment} {plan.digest}` on the pull request"
    )


def lifted_by_name(plan: Plan, refusal: str) -> bool:
    """Whether a refusal of this plan is one that allowing it by name lifts."""
    return not plan.blocked and refusal.endswith(by_name(plan))


def refuse_if_suspended(
    environment: str, until: datetime | None, reason: str, now: datetime
) -> None:
    """Raises Refused while a suspension lasts (no date: until somebody lifts it)."""
    if until is not None and now >= until:
        return
    end = f" until {until.isoformat(timespec='minutes')}" if until else ""
    raise Refused(
        f"{environment} is suspended{end}: {reason or 'no reason given'}. "
        "Take suspend out of its environment file to apply"
    )
