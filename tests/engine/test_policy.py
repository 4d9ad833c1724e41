"""A policy keeps an apply from happening, and lets it happen once it is kept."""

import pytest

from reconciler.core.desired import parse
from reconciler.core.errors import Refused
from reconciler.core.model import Plan
from tests.engine.estates import ACCOUNT, GROUP, chat
from tests.engine.world import World

SMALL = """
policy:
  rules:
    - {name: capacity, kind: ModelDeployment, field: sku.capacity, atMost: 60, message: Be modest.}
"""
HERE = """
policy:
  rules: [{name: region, kind: "*", field: location, oneOf: [Canada East]}]
"""


def policy_of(plan: Plan) -> list[tuple[str, str]]:
    return [(one.level, one.rule) for one in plan.checks if one.rule.startswith("policy.")]


async def test_what_breaks_a_rule_is_not_applied_and_what_keeps_it_is(world: World) -> None:
    world.declare(GROUP, ACCOUNT, chat(61), environment=SMALL)
    with pytest.raises(Refused, match=r"policy\.capacity: .*at most 60; it is 61\. Be modest\."):
        await world.apply()
    assert world.writes() == []
    world.declare(GROUP, ACCOUNT, chat(60), environment=SMALL)
    await world.converge()


async def test_a_new_rule_holds_up_nobody_who_changes_something_else(world: World) -> None:
    world.declare(GROUP, ACCOUNT, chat(61))
    await world.converge()
    world.declare(GROUP, ACCOUNT, chat(61), chat(3, name="other"), environment=SMALL)
    plan = await world.plan()
    assert policy_of(plan) == [("warning", "policy.capacity")]
    assert not plan.blocked
    await world.converge()
    world.declare(GROUP, ACCOUNT, chat(62), chat(3, name="other"), environment=SMALL)
    with pytest.raises(Refused, match=r"policy\.capacity"):
        await world.apply("commit-2")
    world.declare(GROUP, ACCOUNT, chat(10), chat(3, name="other"), environment=SMALL)
    run = await world.apply("commit-3")
    assert run.state == "done"
    assert policy_of(await world.plan()) == []


async def test_where_an_account_is_holds_for_what_is_in_it(world: World) -> None:
    world.declare(GROUP, ACCOUNT, chat(), environment=HERE)
    plan = await world.plan()
    kinds = [one.key.kind for one in plan.checks if one.key and one.rule == "policy.region"]
    assert sorted(kinds) == ["Account", "ModelDeployment", "ResourceGroup"]
    assert plan.blocked


async def test_a_plan_of_one_resource_says_nothing_of_the_others(world: World) -> None:
    world.declare(GROUP, ACCOUNT, chat(61))
    await world.converge()
    world.declare(GROUP, ACCOUNT, chat(61), chat(3, name="other"), environment=SMALL)
    wanted = parse(world.files, "dev")
    async with world.app() as app:
        engine, limit = app.engine("plan"), ("*/other",)
        proposal = await engine.propose(wanted.environment, wanted.resources, "c", only=limit)
    assert policy_of(proposal.plan) == []
