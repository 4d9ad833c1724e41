"""What people ask for in comments, who may, and what they are answered."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from reconciler.local.azure import Fault
from reconciler.service import Asked
from tests.desk import ACCOUNT_ID
from tests.engine.estates import ACCOUNT, GROUP, chat
from tests.pull_desk import REPOSITORY, PullDesk, a_pull_desk

CHAT_ID = f"{ACCOUNT_ID}/deployments/chat"
ON_COMMAND = "apply: onCommand"


@pytest.fixture
async def desk(tmp_path: Path) -> AsyncIterator[PullDesk]:
    async with a_pull_desk(tmp_path) as one:
        await one.branch_at(GROUP, ACCOUNT)
        yield one


@pytest.fixture
async def careful(tmp_path: Path) -> AsyncIterator[PullDesk]:
    """Its environment is applied by command, and stands as its branch says."""
    async with a_pull_desk(tmp_path) as one:
        await one.branch_at(GROUP, ACCOUNT, environment=ON_COMMAND)
        await one.ask()
        await one.work()
        yield one


async def propose(desk: PullDesk, *documents: str, branch: str = "more") -> int:
    number = await desk.propose(*documents, environment=ON_COMMAND, branch=branch)
    await desk.look(number)
    return number


async def test_who_may_not_write_is_refused_and_nothing_happens(desk: PullDesk) -> None:
    number = await desk.propose(GROUP, ACCOUNT, chat(3))
    await desk.look(number)
    before = [await desk.runs(), await desk.comments(number)]
    for text in ("/plan", "/apply dev", "/cancel", "/unlock dev", "/help"):
        comment = await desk.say(number, text, author="passer-by")
        assert await desk.reactions(comment) == ["-1"]
    assert [await desk.runs(), await desk.comments(number)] == before


async def test_help_says_what_can_be_said(desk: PullDesk) -> None:
    number = await desk.propose(GROUP, ACCOUNT, chat(3))
    comment = await desk.say(number, "/help")
    (answer,) = await desk.answers(number)
    for word in ("/plan", "/apply", "/cancel", "/unlock"):
        assert word in answer
    assert await desk.reactions(comment) == ["+1", "eyes"]


async def test_a_slip_is_answered_and_another_programs_command_is_not(desk: PullDesk) -> None:
    number = await desk.propose(GROUP, ACCOUNT, chat(3))
    slip = await desk.say(number, "/plann")
    foreign = await desk.say(number, "/rebase")
    talk = await desk.say(number, "I think we should /apply this")
    (answer,) = await desk.answers(number)
    assert "/plan" in answer
    assert "confused" in await desk.reactions(slip)
    assert [await desk.reactions(foreign), await desk.reactions(talk)] == [[], []]


async def test_a_command_heard_twice_is_carried_out_once(desk: PullDesk) -> None:
    number = await desk.propose(GROUP, ACCOUNT, chat(3))
    await desk.hub.backdoor.merge(REPOSITORY, number)
    comment = await desk.say(number, "/apply dev")
    before = await desk.runs()
    await desk.queue.send({"comment": str(comment), "pull": str(number)})
    await desk.work()
    assert await desk.runs() == before


async def test_a_command_that_was_edited_is_carried_out_as_it_reads_now(desk: PullDesk) -> None:
    number = await desk.propose(GROUP, ACCOUNT, chat(3))
    comment = await desk.write(number, "/apply dev")
    path = f"/repos/{REPOSITORY}/issues/comments/{comment}"
    token = desk.hub.backdoor.token("maintainer")
    await desk.call("PATCH", path, token, {"body": "never mind"})
    await desk.queue.send({"comment": str(comment), "pull": str(number)})
    await desk.work()
    assert [await desk.runs(), await desk.reactions(comment)] == [[], []]


async def test_plan_plans_again(desk: PullDesk) -> None:
    number = await desk.propose(GROUP, ACCOUNT, chat(3))
    first = (await desk.look(number)).environments[0].run
    comment = await desk.say(number, "/plan")
    assert (await desk.preview(number)).environments[0].run != first
    assert await desk.reactions(comment) == ["+1", "eyes"]


async def test_an_environment_that_is_none_is_told(desk: PullDesk) -> None:
    number = await desk.propose(GROUP, ACCOUNT, chat(3))
    comment = await desk.say(number, "/plan prot")
    (answer,) = await desk.answers(number)
    assert "there are: dev" in answer
    assert "-1" in await desk.reactions(comment)


async def test_before_the_merge_only_an_environment_that_wants_it_is_applied(
    desk: PullDesk,
) -> None:
    number = await desk.propose(GROUP, ACCOUNT, chat(3))
    await desk.look(number)
    await desk.approve(number)
    for text in ("/apply", "/apply dev"):
        await desk.say(number, text)
    assert not desk.world.get(CHAT_ID)
    assert all("merged" in one for one in await desk.answers(number))


async def test_an_apply_before_the_merge_needs_an_approval_by_somebody_else(
    careful: PullDesk,
) -> None:
    desk = careful
    number = await propose(desk, GROUP, ACCOUNT, chat(3))
    assert (await desk.marks(number))["reconciler"] == "action_required"
    await desk.say(number, "/apply")
    await desk.approve(number, by="passer-by")
    desk.hub.backdoor.allow(REPOSITORY, "passer-by", "read")
    await desk.say(number, "/apply")
    answers = await desk.answers(number)
    assert ["needs 1 approval" in one for one in answers] == [True, True]
    assert not desk.world.get(CHAT_ID)
    await desk.approve(number)
    await desk.say(number, "/apply")
    run = await desk.applied()
    assert [run.state, run.pull, run.pulls] == ["done", number, (number,)]
    assert desk.world.get(CHAT_ID)
    preview = await desk.preview(number)
    assert preview.environments[0].applied
    assert (await desk.marks(number))["reconciler"] == "success"
    assert "Applied to" in await desk.comment(number, "apply-dev")


async def test_an_apply_that_failed_half_way_holds_the_environment_too(careful: PullDesk) -> None:
    desk = careful
    number = await propose(desk, GROUP, ACCOUNT, chat(3), chat(4, name="other"))
    await desk.approve(number)
    bad = Fault(method="PUT", path="deployments/other", status=400, count=1)
    desk.world.azure.faults.add([bad])
    await desk.say(number, "/apply")
    assert (await desk.applied()).state == "failed"
    assert (await desk.status()).held_by == number
    await desk.sweep()
    assert await desk.issues() == []
    await desk.say(number, "/apply")
    assert (await desk.applied()).state == "done"


async def test_what_changed_between_approval_and_apply_is_not_applied(careful: PullDesk) -> None:
    desk = careful
    number = await propose(desk, GROUP, ACCOUNT, chat(3))
    await desk.approve(number)
    comment = await desk.write(number, "/apply")
    await desk.queue.send({"comment": str(comment), "pull": str(number)})
    await desk.service.handle(desk.queue.take())  # a run waits now
    desk.world.declare(GROUP, ACCOUNT, chat(9), environment=ON_COMMAND)
    await desk.hub.backdoor.commit(REPOSITORY, desk.world.files, branch="more")
    await desk.work()
    assert (await desk.applied()).state == "refused"
    assert not desk.world.get(CHAT_ID)


async def test_what_is_not_planned_or_a_draft_or_behind_is_not_applied(careful: PullDesk) -> None:
    desk = careful
    number = await desk.propose(GROUP, ACCOUNT, chat(3), environment=ON_COMMAND)
    await desk.approve(number)
    await desk.say(number, "/apply dev")
    assert "no plan yet" in (await desk.answers(number))[-1]
    await desk.look(number)
    await desk.hub.backdoor.set_draft(REPOSITORY, number, draft=True)
    await desk.say(number, "/apply dev")
    assert "draft" in (await desk.answers(number))[-1]
    await desk.hub.backdoor.set_draft(REPOSITORY, number, draft=False)
    await desk.hub.backdoor.commit(REPOSITORY, {"docs/x.md": "x\n"}, "The branch moves")
    await desk.say(number, "/apply dev")
    assert "has moved" in (await desk.answers(number))[-1]
    assert not desk.world.get(CHAT_ID)


async def test_a_pull_request_cannot_ask_for_fewer_approvals_of_itself(careful: PullDesk) -> None:
    desk = careful
    number = await desk.propose(
        GROUP, ACCOUNT, chat(3), environment="apply: onCommand\npolicy: {approvals: 0}"
    )
    await desk.look(number)
    await desk.say(number, "/apply dev")
    assert "needs 1 approval" in (await desk.answers(number))[-1]
    assert not desk.world.get(CHAT_ID)


async def test_one_pull_request_holds_an_environment_until_it_is_merged(careful: PullDesk) -> None:
    desk = careful
    one = await propose(desk, GROUP, ACCOUNT, chat(3))
    two = await propose(desk, GROUP, ACCOUNT, chat(5, name="other"), branch="two")
    for number in (one, two):
        await desk.approve(number)
    await desk.say(one, "/apply")
    await desk.say(two, "/apply")
    assert f"pull request {one} wants it" in (await desk.answers(two))[-1]
    assert (await desk.status()).held_by == one
    await desk.sweep()
    assert await desk.issues() == []  # that Azure is ahead of the branch is no drift
    await desk.merge(one)
    await desk.sweep()
    status = await desk.status()
    assert [status.held_by, status.drift, await desk.issues()] == [0, 0, []]


async def test_unlock_frees_an_environment_that_a_pull_request_holds(careful: PullDesk) -> None:
    desk = careful
    one = await propose(desk, GROUP, ACCOUNT, chat(3))
    two = await propose(desk, GROUP, ACCOUNT, chat(3), chat(5, name="other"), branch="two")
    for number in (one, two):
        await desk.approve(number)
    await desk.say(one, "/apply")
    await desk.say(two, "/unlock dev")
    await desk.look(two, again="yes")
    await desk.say(two, "/apply")
    assert (await desk.status()).held_by == two
    assert desk.world.get(f"{ACCOUNT_ID}/deployments/other")
    await desk.say(two, "/unlock dev")
    await desk.say(two, "/unlock dev")
    assert "no pull request holds" in (await desk.answers(two))[-1].lower()


async def test_what_was_applied_and_then_closed_shows_as_drift(careful: PullDesk) -> None:
    desk = careful
    number = await propose(desk, GROUP, ACCOUNT, chat(3))
    await desk.approve(number)
    await desk.say(number, "/apply")
    token = desk.hub.backdoor.token("maintainer")
    path = f"/repos/{REPOSITORY}/pulls/{number}"
    await desk.call("PATCH", path, token, {"state": "closed"})
    await desk.sweep()
    status = await desk.status()
    assert status.held_by == 0
    assert desk.world.get(CHAT_ID)  # nothing is pruned here, and nothing healed unasked


async def test_what_was_merged_without_an_apply_is_applied_by_a_word(careful: PullDesk) -> None:
    desk = careful
    number = await propose(desk, GROUP, ACCOUNT, chat(3))
    await desk.merge(number)
    assert not desk.world.get(CHAT_ID)
    await desk.say(number, "/apply")
    assert desk.world.get(CHAT_ID)
    assert "Applied to" in await desk.comment(number, "apply-dev")


async def test_cancel_ends_what_waits(desk: PullDesk) -> None:
    number = await desk.propose(GROUP, ACCOUNT, chat(3))
    await desk.hub.backdoor.merge(REPOSITORY, number)
    name = await desk.ask(pulls=(number,))
    other = (await desk.service.request(_plan_of_dev())).id
    comment = await desk.write(number, "/cancel")
    desk.queue.waiting.insert(0, {"comment": str(comment), "pull": str(number)})
    await desk.work()
    assert (await desk.run(name)).state == "cancelled"
    assert (await desk.run(other)).state == "done"
    await desk.say(number, "/cancel")
    assert "nothing is being applied" in (await desk.answers(number))[-1].lower()


def _plan_of_dev() -> Asked:
    return Asked("dev", "plan")


async def test_a_closed_pull_request_applies_nothing(desk: PullDesk) -> None:
    number = await desk.propose(GROUP, ACCOUNT, chat(3))
    await desk.look(number)
    token = desk.hub.backdoor.token("maintainer")
    path = f"/repos/{REPOSITORY}/pulls/{number}"
    await desk.call("PATCH", path, token, {"state": "closed"})
    await desk.say(number, "/apply dev")
    assert await desk.runs() == ["plan done pull request " + str(number)]


async def test_a_command_waits_for_whoever_looks_at_the_pull_request(desk: PullDesk) -> None:
    number = await desk.propose(GROUP, ACCOUNT, chat(3))
    comment = await desk.write(number, "/help")
    async with await desk.store.lease(f"pull.{number}", "somebody", 60_000):
        await desk.queue.send({"comment": str(comment), "pull": str(number)})
        await desk.service.handle(desk.queue.take())
        assert await desk.answers(number) == []
    await desk.work()
    assert len(await desk.answers(number)) == 1


async def test_several_commands_are_answered_together(desk: PullDesk) -> None:
    number = await desk.propose(GROUP, ACCOUNT, chat(3))
    comment = await desk.say(number, "/plan\n/unlock dev")
    (answer,) = await desk.answers(number)
    assert "holds" in answer
    assert await desk.reactions(comment) == ["-1", "eyes"]
