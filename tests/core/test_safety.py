"""Rules that look at a whole plan say no, why, and what would allow it."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from reconciler.core.errors import Refused
from reconciler.core.model import Action, Change, Check, Key, Plan
from reconciler.core.safety import (
    lifted_by_name,
    refuse_if_blocked,
    refuse_if_empty,
    refuse_if_suspended,
    refuse_if_too_much,
    refuse_if_worse,
)

NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)


def a_plan(*actions: Action) -> Plan:
    changes = [
        Change(action, Key("ModelDeployment", ("ai", str(i))), f"/{i}")
        for i, action in enumerate(actions)
    ]
    return Plan("dev", "c", tuple(changes))


@pytest.mark.parametrize(
    ("going", "owned", "refused", "reason"),
    [
        (3, 10, False, "thirty percent exactly"),
        (4, 10, True, "more than thirty percent"),
        (9, 9, False, "few resources say nothing"),
        (0, 100, False, "nothing goes"),
        (69, 230, False, "thirty percent exactly, where fractions would mislead"),
        (70, 230, True, "just above"),
    ],
)
def test_a_run_may_take_away_thirty_percent(
    going: int, owned: int, refused: bool, reason: str
) -> None:
    half: list[Action] = ["delete", "replace"]
    plan = a_plan(*[half[i % 2] for i in range(going)], "create", "update")
    if refused:
        with pytest.raises(
            Refused, match=f"by name: `--allow {plan.digest}`, or `/apply dev {plan.digest}`"
        ):
            refuse_if_too_much(plan, owned, None)
    else:
        refuse_if_too_much(plan, owned, None)


def test_a_person_may_allow_exactly_this_plan() -> None:
    plan = a_plan(*["delete"] * 8)
    refuse_if_too_much(plan, 10, plan.digest)
    with pytest.raises(Refused):
        refuse_if_too_much(plan, 10, "another")


def test_what_was_not_reviewed_is_not_deleted() -> None:
    reviewed, worse = a_plan("create"), a_plan("create", "delete", "replace")
    with pytest.raises(Refused, match=r"delete ModelDeployment/ai/1, replace ModelDeployment/ai/2"):
        refuse_if_worse(worse, reviewed.dangerous, reviewed.digest, None)
    refuse_if_worse(worse, reviewed.dangerous, reviewed.digest, worse.digest)


def test_what_no_reviewed_plan_shows_is_refused_and_said_so() -> None:
    plan = a_plan(*["delete"] * 7)
    with pytest.raises(Refused, match=r"no reviewed plan shows it.* \(and 2 more\)\. ") as refused:
        refuse_if_worse(plan, frozenset(), "", None)
    assert "since plan" not in str(refused.value)


def test_a_refusal_says_itself_whether_a_name_lifts_it() -> None:
    plan, one = a_plan("delete"), Check("error", "quota.tokens", "too much")
    with pytest.raises(Refused) as worse:
        refuse_if_worse(plan, frozenset(), "", None)
    assert lifted_by_name(plan, str(worse.value))
    assert not lifted_by_name(a_plan("replace"), str(worse.value)), "another plan"
    with pytest.raises(Refused) as blocked:
        refuse_if_blocked(replace(plan, checks=(one,)))
    assert not lifted_by_name(plan, str(blocked.value))
    assert not lifted_by_name(replace(plan, checks=(one,)), str(worse.value))


def test_a_replace_that_was_reviewed_as_an_update_is_refused() -> None:
    with pytest.raises(Refused):
        refuse_if_worse(a_plan("replace"), a_plan("update").dangerous, "old", None)


def test_what_has_the_same_name_elsewhere_was_not_reviewed() -> None:
    here = a_plan("delete")
    there = replace(here, changes=(replace(here.changes[0], arm_id="/elsewhere"),))
    with pytest.raises(Refused):
        refuse_if_worse(there, here.dangerous, here.digest, None)


def test_less_than_was_reviewed_may_be_applied() -> None:
    refuse_if_worse(a_plan("create"), a_plan("create", "delete").dangerous, "old", None)


def test_specs_that_say_nothing_any_more_delete_nothing() -> None:
    refuse_if_empty("dev", 0, 0)
    refuse_if_empty("dev", 1, 9)
    with pytest.raises(Refused, match="broken checkout"):
        refuse_if_empty("dev", 0, 1)


def test_an_error_blocks_and_a_warning_does_not() -> None:
    warned = Plan("dev", "c", checks=(Check("warning", "model.retires", "soon"),))
    refuse_if_blocked(warned)
    one = Check("error", "quota.tokens", "too much")
    with pytest.raises(Refused, match=r"quota.tokens: too much$"):
        refuse_if_blocked(Plan("dev", "c", checks=(one,)))
    with pytest.raises(Refused, match=r"and 1 more"):
        refuse_if_blocked(Plan("dev", "c", checks=(one, one)))


def test_a_suspended_environment_waits_until_its_date() -> None:
    refuse_if_suspended("dev", NOW, "holidays", NOW)
    with pytest.raises(Refused, match=r"until 2026-11-21T12:00\+00:00: holidays"):
        refuse_if_suspended("dev", NOW + timedelta(days=1), "holidays", NOW)
    with pytest.raises(Refused, match="no reason given"):
        refuse_if_suspended("dev", NOW + timedelta(days=1), "", NOW)


def test_a_suspension_without_a_date_lasts_until_it_is_lifted() -> None:
    with pytest.raises(Refused, match="dev is suspended: incident"):
        refuse_if_suspended("dev", None, "incident", NOW)
