"""What is merged is applied as it was reviewed, and everybody concerned is told how it went."""

from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import pytest

from reconciler.local.azure import Fault
from reconciler.local.github import Fault as ForgeFault
from reconciler.service.sweep import TOLD_S
from tests.desk import ACCOUNT_ID
from tests.engine.estates import ACCOUNT, GROUP, chat
from tests.pull_desk import REPOSITORY, PullDesk, a_pull_desk

CHAT_ID = f"{ACCOUNT_ID}/deployments/chat"
PRUNE = "prune: true"


@pytest.fixture
async def desk(tmp_path: Path) -> AsyncIterator[PullDesk]:
    async with a_pull_desk(tmp_path) as one:
        await one.branch_at(GROUP, ACCOUNT, environment=PRUNE)
        await one.pushed()
        assert (await one.applied()).state == "done"
        yield one


async def propose(desk: PullDesk, *documents: str, branch: str = "more") -> int:
    number = await desk.propose(*documents, environment=PRUNE, branch=branch)
    await desk.look(number)
    return number


async def test_a_merge_is_applied_and_told_on_its_pull_request(desk: PullDesk) -> None:
    number = await propose(desk, GROUP, ACCOUNT, chat(3))
    commit = await desk.merge(number)
    run = await desk.applied()
    assert [run.state, run.plan.commit, run.pulls] == ["done", commit, (number,)]
    assert run.requested_by == "push"
    text = await desk.comment(number, "apply-dev")
    assert "Applied to" in text
    assert "contoso/chat" in text
    assert desk.world.get(CHAT_ID)


async def test_all_that_was_merged_since_the_last_apply_is_told(desk: PullDesk) -> None:
    one = await propose(desk, GROUP, ACCOUNT, chat(3))
    other = {"specs/other.yaml": chat(4, name="other")}
    two = await desk.propose(GROUP, ACCOUNT, environment=PRUNE, branch="two", **other)
    await desk.look(two)
    await desk.hub.backdoor.merge(REPOSITORY, one)
    await desk.hub.backdoor.merge(REPOSITORY, two)
    await desk.pushed()
    run = await desk.applied()
    assert [run.state, sorted(run.pulls)] == ["done", [one, two]]
    for number in (one, two):
        assert "Applied to" in await desk.comment(number, "apply-dev")


async def test_a_pull_request_that_touches_no_environment_is_not_told(desk: PullDesk) -> None:
    await desk.hub.backdoor.commit(REPOSITORY, {"docs/x.md": "x\n"}, branch="docs")
    docs = await desk.hub.backdoor.open_pull(REPOSITORY, "docs", "Docs")
    await desk.look(docs)
    number = await propose(desk, GROUP, ACCOUNT, chat(3))
    await desk.hub.backdoor.merge(REPOSITORY, docs)
    await desk.hub.backdoor.merge(REPOSITORY, number)
    await desk.look(docs)
    await desk.look(number)
    await desk.pushed()
    assert [(await desk.applied()).pulls, await desk.comments(docs)] == [(number,), []]


async def test_a_push_that_changes_nothing_of_an_environment_is_not_applied_to_it(
    desk: PullDesk,
) -> None:
    before = await desk.runs()
    head = await desk.hub.backdoor.commit(REPOSITORY, {"docs/x.md": "x\n"}, "Docs")
    await desk.pushed()
    status = await desk.status()
    assert [await desk.runs(), status.applied_commit] == [before, head]


async def test_a_comment_in_a_spec_changes_nothing_either(desk: PullDesk) -> None:
    before = await desk.runs()
    text = "# Why there is a group.\n" + desk.world.files["specs/estate.yaml"]
    await desk.hub.backdoor.commit(REPOSITORY, {"specs/estate.yaml": text}, "A remark")
    await desk.pushed()
    assert await desk.runs() == before


async def test_what_a_broken_off_apply_may_have_half_done_is_applied_all_the_same(
    desk: PullDesk,
) -> None:
    """Going back to what was applied before is no reason to do nothing."""
    files = dict(desk.world.files)
    await desk.branch_at(GROUP, ACCOUNT, chat(3), environment=PRUNE)
    late = Fault(method="PUT", path="deployments", status=400, count=1)
    desk.world.azure.faults.add([late])
    await desk.pushed()
    assert (await desk.applied()).state == "failed"
    head = await desk.hub.backdoor.commit(REPOSITORY, files, "Back")
    await desk.pushed()
    run = await desk.applied()
    assert [run.plan.commit, run.state] == [head, "done"]


async def test_a_delete_that_was_reviewed_is_done_without_another_word(desk: PullDesk) -> None:
    await desk.merge(await propose(desk, GROUP, ACCOUNT, chat(3)))
    number = await propose(desk, GROUP, ACCOUNT, branch="less")
    await desk.merge(number)
    assert (await desk.applied()).state == "done"
    assert not desk.world.get(CHAT_ID)


async def test_a_delete_that_nobody_reviewed_stops_and_asks(desk: PullDesk) -> None:
    await desk.merge(await propose(desk, GROUP, ACCOUNT, chat(3)))
    number = await propose(desk, GROUP, ACCOUNT, chat(5), branch="two")
    desk.world.declare(GROUP, ACCOUNT, environment=PRUNE)
    await desk.hub.backdoor.commit(REPOSITORY, desk.world.files, branch="two")
    await desk.merge(number)  # before anybody has looked at the newest commit
    run = await desk.applied()
    assert [run.state, run.pulls] == ["refused", (number,)]
    assert desk.world.get(CHAT_ID)
    text = await desk.comment(number, "apply-dev")
    assert f"/apply dev {run.plan.digest}" in text
    assert "contoso/chat" in text
    await desk.say(number, f"/apply dev {run.plan.digest}")
    assert (await desk.applied()).state == "done"
    assert not desk.world.get(CHAT_ID)
    assert "Applied to" in await desk.comment(number, "apply-dev")


async def test_the_digest_of_another_plan_allows_nothing(desk: PullDesk) -> None:
    await desk.merge(await propose(desk, GROUP, ACCOUNT, chat(3)))
    desk.world.declare(GROUP, ACCOUNT, environment=PRUNE)
    await desk.hub.backdoor.commit(REPOSITORY, desk.world.files, "Straight to the branch")
    await desk.pushed()
    refused = await desk.applied()
    assert refused.state == "refused"
    number = await propose(desk, GROUP, ACCOUNT, chat(9), branch="any")
    await desk.hub.backdoor.merge(REPOSITORY, number)
    await desk.say(number, "/apply dev deadbeef")
    assert desk.world.get(CHAT_ID)


async def test_what_was_pushed_without_a_pull_request_deletes_nothing_unasked(
    desk: PullDesk,
) -> None:
    await desk.merge(await propose(desk, GROUP, ACCOUNT, chat(3)))
    await desk.branch_at(GROUP, ACCOUNT, environment=PRUNE)
    await desk.pushed()
    run = await desk.applied()
    assert [run.state, run.pulls] == ["refused", ()]
    assert desk.world.get(CHAT_ID)


async def test_the_plan_of_an_older_commit_is_no_review(desk: PullDesk) -> None:
    """It showed a delete; what was merged deletes something else."""
    await desk.merge(await propose(desk, GROUP, ACCOUNT, chat(3), chat(4, name="other")))
    number = await propose(desk, GROUP, ACCOUNT, chat(3), branch="two")
    desk.world.declare(GROUP, ACCOUNT, chat(4, name="other"), environment=PRUNE)
    await desk.hub.backdoor.commit(REPOSITORY, desk.world.files, branch="two")
    await desk.merge(number)
    assert (await desk.applied()).state == "refused"
    assert desk.world.get(CHAT_ID)
    assert desk.world.get(f"{ACCOUNT_ID}/deployments/other")


async def test_what_is_merged_while_it_is_planned_again_was_reviewed_all_the_same(
    desk: PullDesk,
) -> None:
    await desk.merge(await propose(desk, GROUP, ACCOUNT, chat(3)))
    number = await propose(desk, GROUP, ACCOUNT, branch="less")
    preview = await desk.preview(number)
    await desk.store.keep_preview(replace(preview, state="planning", environments=(), told=""))
    await desk.merge(number)
    assert (await desk.applied()).state == "done"
    assert not desk.world.get(CHAT_ID)


async def test_a_plan_that_nobody_was_told_is_no_review(desk: PullDesk) -> None:
    await desk.merge(await propose(desk, GROUP, ACCOUNT, chat(3)))
    desk.hub.faults.add([ForgeFault(method="POST", path="comments", status=403, count=1000)])
    number = await propose(desk, GROUP, ACCOUNT, branch="less")
    assert (await desk.preview(number)).environments
    await desk.merge(number)
    assert (await desk.applied()).state == "refused"


async def test_a_failure_is_told_and_so_is_the_way_out(desk: PullDesk) -> None:
    number = await propose(desk, GROUP, ACCOUNT, chat(3))
    desk.world.azure.faults.add([Fault(method="PUT", path="deployments", status=400, count=1)])
    await desk.merge(number)
    assert (await desk.applied()).state == "failed"
    text = await desk.comment(number, "apply-dev")
    assert "failed" in text
    assert "/apply dev" in text
    await desk.say(number, "/apply dev")
    assert (await desk.applied()).state == "done"
    assert "Applied to" in await desk.comment(number, "apply-dev")


async def test_a_forge_that_takes_no_comment_changes_nothing_about_the_apply(
    desk: PullDesk,
) -> None:
    number = await propose(desk, GROUP, ACCOUNT, chat(3))
    desk.hub.faults.add([ForgeFault(method="POST", path="comments", status=403, count=1000)])
    await desk.merge(number)
    assert (await desk.applied()).state == "done"
    assert await desk.comment(number, "apply-dev") == ""
    desk.hub.faults.clear()
    await desk.sweep()
    assert "Applied to" in await desk.comment(number, "apply-dev")


async def test_the_end_of_a_run_whose_message_was_lost_is_told_by_the_sweep(
    desk: PullDesk,
) -> None:
    number = await propose(desk, GROUP, ACCOUNT, chat(3))
    await desk.hub.backdoor.merge(REPOSITORY, number)
    await desk.queue.send({"branch": "moved"})
    while desk.queue.waiting:
        message = desk.queue.take()
        if "tell" not in message:
            await desk.service.handle(message)
    assert "Applied to" not in await desk.comment(number, "apply-dev")
    await desk.sweep()
    assert "Applied to" in await desk.comment(number, "apply-dev")
    desk.skip(TOLD_S + 60)
    await desk.service.sweep()
    checks = [one for one in desk.queue.waiting if "check" in one]
    desk.queue.waiting = []
    await desk.service.handle(checks[0])
    assert not [one for one in desk.queue.waiting if "tell" in one]


async def test_what_takes_long_is_shown_while_it_goes_on(desk: PullDesk) -> None:
    number = await propose(desk, GROUP, ACCOUNT, chat(3))
    slow = Fault(method="PUT", path="deployments", latency_s=120, count=1)
    desk.world.azure.faults.add([slow])
    await desk.merge(number)
    edits = [
        one
        for one in desk.hub.requests.entries
        if one.method == "PATCH" and "/issues/comments/" in one.path
    ]
    assert (await desk.applied()).state == "done"
    assert 1 <= len(edits) <= 8


async def test_a_poisoned_run_says_so_on_its_pull_request(desk: PullDesk) -> None:
    number = await propose(desk, GROUP, ACCOUNT, chat(3))
    await desk.hub.backdoor.merge(REPOSITORY, number)
    name = await desk.ask(pulls=(number,))
    await desk.service.poisoned({"run": name})
    await desk.work()
    assert (await desk.run(name)).state == "failed"
    assert "broke off" in await desk.comment(number, "apply-dev")


# Drift


async def test_drift_is_an_issue_until_it_is_gone(desk: PullDesk) -> None:
    await desk.branch_at(GROUP, ACCOUNT, chat(3), environment="selfHeal: report")
    await desk.pushed()
    await desk.sweep()
    assert await desk.issues() == []
    desk.world.patch(CHAT_ID, {"sku": {"capacity": 7}})
    await desk.sweep()
    ((title, state),) = await desk.issues()
    assert ["dev" in title, state] == [True, "open"]
    (issue,) = [one for one in await desk.get("/issues") if "pull_request" not in one]
    assert "7 → 3" in issue["body"]
    desk.world.patch(CHAT_ID, {"sku": {"capacity": 8}})
    await desk.sweep()
    assert [state for _, state in await desk.issues()] == ["open"]
    assert "8 → 3" in (await desk.get(f"/issues/{issue['number']}"))["body"]
    desk.world.patch(CHAT_ID, {"sku": {"capacity": 3}})
    await desk.sweep()
    assert [state for _, state in await desk.issues()] == ["closed"]


async def test_what_is_healed_is_reported(desk: PullDesk) -> None:
    await desk.branch_at(GROUP, ACCOUNT, chat(3))
    await desk.pushed()
    desk.world.patch(CHAT_ID, {"sku": {"capacity": 7}})
    await desk.sweep()
    assert (await desk.applied()).requested_by == "drift"
    assert desk.world.get(CHAT_ID)["sku"]["capacity"] == 3
    await desk.sweep()
    ((_, state),) = await desk.issues()
    told = (await desk.get("/issues/1"))["body"]
    assert [state, "healed" in told.lower() or "put back" in told] == ["closed", True]


async def test_an_issue_that_could_not_be_closed_is_closed_later(desk: PullDesk) -> None:
    await desk.branch_at(GROUP, ACCOUNT, chat(3), environment="selfHeal: report")
    await desk.pushed()
    desk.world.patch(CHAT_ID, {"sku": {"capacity": 7}})
    await desk.sweep()
    desk.world.patch(CHAT_ID, {"sku": {"capacity": 3}})
    desk.hub.faults.add([ForgeFault(method="PATCH", path="issues", status=403, count=1000)])
    await desk.sweep()
    assert [state for _, state in await desk.issues()] == ["open"]
    desk.hub.faults.clear()
    await desk.sweep()
    assert [state for _, state in await desk.issues()] == ["closed"]


async def test_a_heal_needs_no_review(desk: PullDesk) -> None:
    """What the branch says has been reviewed: it is put back, whatever was done by hand."""
    await desk.branch_at(GROUP, ACCOUNT, chat(3))
    await desk.pushed()
    chats = [one.id for one in desk.world.azure.store if one.id.lower().endswith("/chat")]
    desk.world.azure.backdoor.delete(chats[0])
    await desk.sweep()
    assert desk.world.get(CHAT_ID)
