"""Nothing is deleted, replaced or applied that nobody looked at, whatever happens in between; and
nobody is left without an answer, nor asked for ever."""

import asyncio
from collections.abc import AsyncIterator, Mapping
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from reconciler.core.errors import Transient
from reconciler.core.preview import Preview
from reconciler.local.azure import Fault
from reconciler.local.github import Fault as ForgeFault
from reconciler.service import Remembered
from reconciler.service.pulls import MOST_TRIES
from tests.desk import ACCOUNT_ID
from tests.engine.estates import ACCOUNT, GROUP, chat
from tests.engine.world import ENVIRONMENT
from tests.pull_desk import REPOSITORY, PullDesk, a_pull_desk

CHAT_ID = f"{ACCOUNT_ID}/deployments/chat"
ON_COMMAND = "apply: onCommand"
PRUNE = f"{ON_COMMAND}\nprune: true"


@pytest.fixture
async def desk(tmp_path: Path) -> AsyncIterator[PullDesk]:
    async with a_pull_desk(tmp_path) as one:
        await one.branch_at(GROUP, ACCOUNT)
        yield one


async def stands(desk: PullDesk, *documents: str, environment: str = ON_COMMAND) -> None:
    """The branch says so, and somebody has applied it."""
    await desk.branch_at(*documents, environment=environment)
    await desk.ask()
    await desk.work()
    assert (await desk.applied()).state == "done"


async def propose(
    desk: PullDesk,
    *documents: str,
    branch: str = "more",
    environment: str = ON_COMMAND,
    **files: str,
) -> int:
    number = await desk.propose(*documents, environment=environment, branch=branch, **files)
    await desk.look(number)
    await desk.approve(number)
    return number


async def docs(desk: PullDesk) -> None:
    """A push that changes no spec."""
    await desk.hub.backdoor.commit(REPOSITORY, {"docs/x.md": f"{desk.turns}\n"}, "Docs")
    await desk.pushed()


async def test_rights_that_come_with_a_merge_are_no_review(desk: PullDesk) -> None:
    """It was planned, approved and applied without ``prune``; merging it turns that on."""
    await stands(desk, GROUP, ACCOUNT, chat(3))
    await stands(desk, GROUP, ACCOUNT)
    number = await propose(desk, GROUP, ACCOUNT, chat(2, "other"), environment="prune: true")
    await desk.say(number, "/apply dev")
    assert (await desk.applied()).state == "done"
    await desk.merge(number)
    await desk.sweep()
    await desk.sweep()
    assert desk.world.get(CHAT_ID)


async def test_a_heal_replaces_nothing_unasked_and_its_issue_says_how_it_may(
    desk: PullDesk,
) -> None:
    await desk.branch_at(GROUP, ACCOUNT, chat(3))
    await desk.pushed()
    desk.world.patch(CHAT_ID, {"sku": {"name": "Standard"}})
    before = await desk.runs()
    await desk.sweep()
    assert [one for one in await desk.runs() if "drift" in one] == []
    assert len(await desk.runs()) == len(before)
    (issue,) = [one for one in await desk.get("/issues") if "pull_request" not in one]
    digest = issue["body"].partition("/apply dev ")[2][:8]
    number = await desk.propose(GROUP, ACCOUNT, chat(4), branch="any")
    await desk.hub.backdoor.merge(REPOSITORY, number)
    await desk.branch_at(GROUP, ACCOUNT, chat(3))
    await desk.say(number, f"/apply dev {digest}")
    run = await desk.applied()
    assert [run.state, run.allow] == ["done", digest]


async def test_a_review_that_was_reverted_is_none_any_more(desk: PullDesk) -> None:
    """A merge that deletes is taken back before it was applied; later somebody pushes the same."""
    pruned, stopped = "prune: true", "prune: true\nsuspend: {reason: audit}"
    await desk.branch_at(GROUP, ACCOUNT, chat(3), environment=pruned)
    await desk.pushed()
    await desk.branch_at(GROUP, ACCOUNT, chat(3), environment=stopped)
    await desk.pushed()
    for branch, documents in (("less", ()), ("back", (chat(3),))):
        number = await desk.propose(GROUP, ACCOUNT, *documents, environment=stopped, branch=branch)
        await desk.look(number)
        await desk.merge(number)
    await desk.branch_at(GROUP, ACCOUNT, environment=pruned)
    await desk.pushed()
    assert (await desk.applied()).state == "refused"
    assert desk.world.get(CHAT_ID)


async def test_a_plan_that_is_younger_than_the_comment_is_not_what_it_asks_for(
    desk: PullDesk,
) -> None:
    await stands(desk, GROUP, ACCOUNT, chat(3), environment=PRUNE)
    other = {"specs/other.yaml": chat(1, "other")}
    number = await propose(desk, GROUP, ACCOUNT, chat(3), environment=PRUNE, **other)
    comment = await desk.write(number, "/apply dev")
    await desk.branch_at(GROUP, ACCOUNT, environment=PRUNE)
    preview = await desk.look(number)
    late = (desk.clock.now() + timedelta(days=30)).isoformat()
    (shown,) = preview.shown
    await desk.store.keep_preview(replace(preview, shown=(replace(shown, since=late),)))
    await desk.queue.send({"comment": str(comment), "pull": str(number)})
    await desk.work()
    assert "younger than this comment" in (await desk.answers(number))[-1]
    assert desk.world.get(CHAT_ID)
    await desk.say(number, f"/apply dev {shown.digest}")
    assert not desk.world.get(CHAT_ID)


async def test_what_was_seen_when_it_was_asked_for_counts_and_no_later_plan(
    desk: PullDesk,
) -> None:
    await stands(desk, GROUP, ACCOUNT, chat(3), environment=PRUNE)
    other = {"specs/other.yaml": chat(1, "other")}
    number = await propose(desk, GROUP, ACCOUNT, chat(3), environment=PRUNE, **other)
    comment = await desk.write(number, "/apply dev")
    await desk.queue.send({"comment": str(comment), "pull": str(number)})
    await desk.service.handle(desk.queue.take())  # a run waits now, with what was shown
    desk.world.patch(CHAT_ID, {"sku": {"name": "Standard"}})
    await desk.look(number, again="yes")  # a replace is shown now, and the run begins after
    assert (await desk.applied()).state == "refused"
    assert desk.world.get(CHAT_ID)["sku"]["name"] == "Standard"


async def test_a_running_apply_of_one_pull_request_is_not_ended_by_another(
    desk: PullDesk,
) -> None:
    await stands(desk, GROUP, ACCOUNT)
    one = await propose(desk, GROUP, ACCOUNT, chat(3), chat(4, "late"), branch="one")
    two = await propose(desk, GROUP, ACCOUNT, chat(1, "other"), branch="two")
    desk.service.budget_s = 60
    slow = Fault(method="PUT", path="deployments", latency_s=120, count=1)
    desk.world.azure.faults.add([slow])
    for number in (one, two):
        comment = await desk.write(number, "/apply")
        await desk.queue.send({"comment": str(comment), "pull": str(number)})
    await desk.work()
    states = {run.pull: run.state for run in await desk.store.runs("dev", mode="apply")}
    assert [states[one], (await desk.status()).held_by] == ["done", one]
    assert states.get(two, "refused") == "refused"
    assert "Applied to" in await desk.comment(one, "apply-dev")
    assert desk.world.get(f"{ACCOUNT_ID}/deployments/late")


async def test_a_held_environment_is_not_applied_by_a_word_on_another_pull_request(
    desk: PullDesk,
) -> None:
    await stands(desk, GROUP, ACCOUNT, chat(3))
    await desk.hub.backdoor.commit(REPOSITORY, {"docs/x.md": "x\n"}, branch="docs")
    merged = await desk.hub.backdoor.open_pull(REPOSITORY, "docs", "Docs")
    await desk.look(merged)
    await desk.merge(merged)
    one = await propose(desk, GROUP, ACCOUNT, chat(9), branch="one")
    await desk.say(one, "/apply")
    await desk.say(merged, "/apply dev")
    assert [(await desk.status()).held_by, desk.world.get(CHAT_ID)["sku"]["capacity"]] == [one, 9]
    assert f"pull request {one}" in (await desk.answers(merged))[-1]
    name = await desk.ask()  # nor over HTTP
    await desk.work()
    assert (await desk.run(name)).state == "refused"


async def test_what_was_cancelled_stays_so_however_much_is_planned(desk: PullDesk) -> None:
    number = await desk.propose(GROUP, ACCOUNT, chat(3))
    await desk.look(number)
    await desk.hub.backdoor.merge(REPOSITORY, number)
    await desk.service.handle({"branch": "moved"})
    while "run" not in desk.queue.waiting[0]:
        await desk.service.handle(desk.queue.take())
    await desk.service.cancel(desk.queue.waiting[0]["run"])
    desk.queue.waiting.clear()
    for _ in range(60):
        await desk.ask("plan")
    await desk.work(500)
    desk.turns = 0
    await desk.sweep()
    assert [one.state for one in await desk.store.runs("dev", mode="apply")] == ["cancelled"]
    assert not desk.world.get(CHAT_ID)


async def test_strangers_cannot_have_old_commands_carried_out_again(desk: PullDesk) -> None:
    number = await desk.propose(GROUP, ACCOUNT, chat(3))
    await desk.look(number)
    await desk.set_status(held_by=number)
    comment = await desk.say(number, "/unlock dev")
    kept = await desk.preview(number)
    await desk.store.keep_preview(replace(kept, declined=tuple(range(10_000, 11_000))))
    stranger = await desk.say(number, "/help", author="passer-by")
    assert await desk.reactions(stranger) == []
    await desk.set_status(held_by=number)
    await desk.queue.send({"comment": str(comment), "pull": str(number)})
    await desk.work()
    assert (await desk.status()).held_by == number


async def test_a_command_that_is_too_old_is_nobodys_any_more(desk: PullDesk) -> None:
    number = await desk.propose(GROUP, ACCOUNT, chat(3))
    comment = await desk.write(number, "/help")
    desk.skip(30 * 24 * 3600)
    await desk.queue.send({"comment": str(comment), "pull": str(number)})
    await desk.work()
    assert [await desk.answers(number), await desk.reactions(comment)] == [[], []]


async def test_an_apply_that_a_push_overtook_is_asked_for_again(desk: PullDesk) -> None:
    await stands(desk, GROUP, ACCOUNT)
    number = await propose(desk, GROUP, ACCOUNT, chat(3))
    await desk.merge(number)
    comment = await desk.write(number, "/apply dev")
    await desk.queue.send({"comment": str(comment), "pull": str(number)})
    await desk.service.handle(desk.queue.take())
    await docs(desk)
    run = await desk.applied()
    assert [run.state, run.pulls, "maintainer" in run.requested_by] == ["done", (number,), True]
    assert "Applied to" in await desk.comment(number, "apply-dev")


async def test_what_may_do_more_is_not_superseded_by_what_may_do_less(desk: PullDesk) -> None:
    await desk.branch_at(GROUP, ACCOUNT, chat(3), environment="prune: true")
    await desk.pushed()
    await desk.branch_at(GROUP, ACCOUNT, environment="prune: true")
    await desk.pushed()
    refused = await desk.applied()
    assert refused.state == "refused"
    allowed = await desk.ask(allow=refused.plan.digest)
    await desk.ask()
    await desk.work()
    assert (await desk.run(allowed)).state == "done"
    assert not desk.world.get(CHAT_ID)


async def test_a_push_that_changes_no_spec_does_not_make_a_plan_old(desk: PullDesk) -> None:
    await stands(desk, GROUP, ACCOUNT)
    number = await propose(desk, GROUP, ACCOUNT, chat(3))
    await docs(desk)
    await desk.sweep()
    await desk.say(number, "/apply dev")
    assert (await desk.applied()).pull == number
    assert desk.world.get(CHAT_ID)


async def test_while_the_forge_takes_no_writes_nothing_is_tried_for_ever(desk: PullDesk) -> None:
    number = await desk.propose(GROUP, ACCOUNT, chat(3))
    refuse = ForgeFault(method="POST", path="comments", status=503)
    desk.hub.faults.add([refuse])
    await desk.queue.send({"pull": str(number)})
    await desk.work()  # which ends, because there is an end
    pauses = [delay for delay in desk.queue.delays if delay]
    assert len(pauses) == MOST_TRIES
    assert pauses == sorted(pauses)
    desk.hub.faults.clear()
    await desk.sweep()
    assert (await desk.preview(number)).told


async def test_the_end_of_a_run_is_not_told_by_more_and_more_messages(desk: PullDesk) -> None:
    number = await desk.propose(GROUP, ACCOUNT, chat(3))
    await desk.look(number)
    await desk.hub.backdoor.merge(REPOSITORY, number)
    broken = [ForgeFault(method="GET|POST|PATCH", path="comments", status=503)]
    desk.hub.faults.add(broken)
    await desk.pushed()
    assert (await desk.applied()).state == "done"
    for _ in range(3):
        desk.turns = 0
        await desk.sweep()
    assert not desk.queue.waiting
    desk.hub.faults.clear()
    await desk.sweep()
    assert "Applied to" in await desk.comment(number, "apply-dev")


class Away:
    """Specs that cannot be read just now."""

    def __init__(self, head: str) -> None:
        self._head = head

    async def head(self) -> str:
        return self._head

    async def read(self, commit: str) -> Mapping[str, str]:
        raise Transient("git is away")


async def test_no_check_stays_pending_on_what_was_merged_meanwhile(desk: PullDesk) -> None:
    number = await desk.propose(GROUP, ACCOUNT, chat(3))
    specs = desk.service.specs
    desk.service.specs = Away(await specs.head())
    await desk.queue.send({"pull": str(number)})
    await desk.service.handle(desk.queue.take())
    assert await desk.marks(number) == {"reconciler": "in_progress"}
    desk.service.specs = specs
    await desk.merge(number)
    assert await desk.marks(number) == {"reconciler": "neutral"}


async def test_a_pull_request_that_is_gone_holds_nothing_and_is_closed(desk: PullDesk) -> None:
    await stands(desk, GROUP, ACCOUNT, chat(3), environment="")
    await desk.set_status(held_by=4242)
    await desk.branch_at(GROUP, ACCOUNT, chat(5))
    moment = desk.clock.now().isoformat()
    gone = Preview(999, "abc", state="planned", told="x", told_at=moment)
    await desk.store.keep_preview(gone)
    await desk.sweep()
    assert [(await desk.status()).held_by, desk.world.get(CHAT_ID)["sku"]["capacity"]] == [0, 5]
    assert (await desk.preview(999)).state == "closed"


async def test_of_several_environments_each_is_answered(desk: PullDesk) -> None:
    prod = ENVIRONMENT.replace("dev", "prod").replace("rg-ai", "rg-prod")
    strict = f"{prod}  include: [prod]\n  apply: onCommand\n  policy: {{approvals: 2}}\n"
    mine = f"{ON_COMMAND}\ninclude: [estate.yaml]"
    files = {"specs/environments/prod.yaml": strict, "specs/prod/group.yaml": GROUP}
    await desk.branch_at(GROUP, environment=mine, **files)
    changed = {**files, "specs/prod/group.yaml": GROUP.replace("{}", "{tags: {a: b}}")}
    number = await propose(desk, GROUP, ACCOUNT, environment=mine, **changed)
    comment = await desk.say(number, "/apply")
    (answer,) = await desk.answers(number)
    assert "`dev`: run" in answer
    assert "`prod`: it needs 2 approvals" in answer
    assert "-1" in await desk.reactions(comment)


async def test_what_a_merge_queued_is_cancelled_before_a_worker_has_it(desk: PullDesk) -> None:
    number = await desk.propose(GROUP, ACCOUNT, chat(3))
    await desk.look(number)
    await desk.hub.backdoor.merge(REPOSITORY, number)
    await desk.service.handle({"branch": "moved"})
    while "run" not in desk.queue.waiting[0]:
        await desk.service.handle(desk.queue.take())
    comment = await desk.write(number, "/cancel")
    desk.queue.waiting.insert(0, {"comment": str(comment), "pull": str(number)})
    await desk.work()
    assert "`dev` ends" in (await desk.answers(number))[-1]
    assert not desk.world.get(CHAT_ID)


async def test_other_programs_commands_cost_a_sweep_nothing(desk: PullDesk) -> None:
    number = await desk.propose(GROUP, ACCOUNT, chat(3))
    await desk.look(number)
    await desk.write(number, "/rebase")
    await desk.service.sweep()
    assert [one for one in desk.queue.waiting if "comment" in one] == []


async def test_a_reading_that_failed_after_it_was_forgotten_says_why() -> None:
    gate = asyncio.Event()

    class Slow:
        async def head(self) -> str:
            return "head"

        async def read(self, commit: str) -> Mapping[str, str]:
            if commit == "slow":
                await gate.wait()
                raise Transient("git is away")
            return {}

    specs = Remembered(Slow())
    reading = asyncio.create_task(specs.read("slow"))
    await asyncio.sleep(0)
    for number in range(30):
        await specs.read(str(number))
    gate.set()
    with pytest.raises(Transient):
        await reading
