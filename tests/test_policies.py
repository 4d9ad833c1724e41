"""A pull request is held to the policy that its branch has, whatever it says itself."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.engine.estates import ACCOUNT, GROUP, chat
from tests.pull_desk import PullDesk, a_pull_desk

SMALL = """
policy:
  rules:
    - {name: capacity, kind: ModelDeployment, field: sku.capacity, atMost: 60, message: Be modest.}
"""


@pytest.fixture
async def desk(tmp_path: Path) -> AsyncIterator[PullDesk]:
    async with a_pull_desk(tmp_path) as one:
        yield one


async def policy_of(desk: PullDesk, number: int) -> list[tuple[str, str]]:
    (dev,) = (await desk.preview(number)).environments
    plan = (await desk.run(dev.run)).plan
    return [(one.level, one.rule) for one in plan.checks if one.rule.startswith("policy.")]


async def test_a_pull_request_that_breaks_a_rule_says_so_and_fails_its_check(
    desk: PullDesk,
) -> None:
    await desk.branch_at(GROUP, ACCOUNT, environment=SMALL)
    number = await desk.propose(GROUP, ACCOUNT, chat(61), environment=SMALL)
    await desk.look(number)
    assert await policy_of(desk, number) == [("error", "policy.capacity")]
    assert await desk.marks(number) == {"reconciler": "failure", "reconciler/dev": "failure"}
    text = await desk.comment(number)
    assert "policy.capacity" in text
    assert "it is 61. Be modest." in text


async def test_a_pull_request_cannot_lift_a_rule_for_its_own_plan(desk: PullDesk) -> None:
    await desk.branch_at(GROUP, ACCOUNT, environment=SMALL)
    number = await desk.propose(GROUP, ACCOUNT, chat(61))
    preview = await desk.look(number)
    assert "policy of environment dev" in preview.notes[0]
    assert await policy_of(desk, number) == [("error", "policy.capacity")]
    assert (await desk.marks(number))["reconciler"] == "failure"


async def test_a_rule_that_a_pull_request_adds_counts_once_it_is_merged(desk: PullDesk) -> None:
    await desk.branch_at(GROUP, ACCOUNT)
    number = await desk.propose(GROUP, ACCOUNT, chat(61), environment=SMALL)
    await desk.look(number)
    assert await policy_of(desk, number) == []
    await desk.merge(number)
    run = await desk.applied()
    assert run.state == "refused"
    assert "policy.capacity" in run.detail


async def test_what_was_merged_past_its_failed_check_is_refused_and_mended_is_applied(
    desk: PullDesk,
) -> None:
    await desk.branch_at(GROUP, ACCOUNT, environment=SMALL)
    number = await desk.propose(GROUP, ACCOUNT, chat(61), environment=SMALL)
    await desk.look(number)
    await desk.merge(number)
    run = await desk.applied()
    assert [run.state, desk.world.writes()] == ["refused", []]
    mended = await desk.propose(GROUP, ACCOUNT, chat(60), environment=SMALL, branch="mended")
    await desk.look(mended)
    assert await policy_of(desk, mended) == []
    await desk.merge(mended)
    assert (await desk.applied()).state == "done"
