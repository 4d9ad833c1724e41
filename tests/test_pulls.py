"""Pull requests: planned as if merged, told in one comment, and by nobody's leave but their own."""

from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from reconciler.core.preview import Preview
from reconciler.local.azure import Fault
from reconciler.local.github import Fault as ForgeFault
from reconciler.service.pulls import DEADLINE_S, FAILED_AGAIN_S, RETOLD_S
from tests.engine.estates import ACCOUNT, GROUP, chat
from tests.engine.world import ENVIRONMENT, SUBSCRIPTION
from tests.pull_desk import REPOSITORY, PullDesk, a_pull_desk

PROD = ENVIRONMENT.replace("dev", "prod").replace("rg-ai", "rg-prod")


@pytest.fixture
async def desk(tmp_path: Path) -> AsyncIterator[PullDesk]:
    async with a_pull_desk(tmp_path) as one:
        await one.branch_at(GROUP, ACCOUNT)
        yield one


def asked_azure(desk: PullDesk) -> int:
    return len(desk.world.azure.requests.entries)


async def test_a_pull_request_gets_its_plan_as_a_comment_and_as_checks(desk: PullDesk) -> None:
    number = await desk.propose(GROUP, ACCOUNT, chat(3))
    preview = await desk.look(number)
    (dev,) = preview.environments
    run = await desk.run(dev.run)
    text = await desk.comment(number)
    assert [preview.state, dev.verdict, run.state] == ["planned", "planned", "done"]
    assert run.plan.summary["create"] == 3
    assert run.plan.commit == preview.commit != preview.head
    assert "contoso/chat" in text
    assert run.plan.digest in text
    assert f"https://app.example/api/runs/{run.id}" in text
    assert await desk.marks(number) == {"reconciler": "success", "reconciler/dev": "success"}


async def test_it_is_planned_as_if_merged(desk: PullDesk) -> None:
    number = await desk.propose(GROUP, ACCOUNT, chat(3))
    # Meanwhile somebody else adds a file to the branch.
    more = {"specs/more.yaml": chat(5, name="other")}
    await desk.hub.backdoor.commit(REPOSITORY, more, "More")
    preview = await desk.look(number)
    run = await desk.run(preview.environments[0].run)
    names = {change.key.name for change in run.plan.changes}
    assert {"contoso/chat", "contoso/other"} <= names


async def test_what_touches_no_environment_is_fine_and_nothing_is_said(desk: PullDesk) -> None:
    await desk.hub.backdoor.commit(REPOSITORY, {"docs/x.md": "x\n"}, branch="docs")
    number = await desk.hub.backdoor.open_pull(REPOSITORY, "docs", "Docs")
    before = asked_azure(desk)
    preview = await desk.look(number)
    assert [preview.state, preview.environments] == ["planned", ()]
    assert await desk.marks(number) == {"reconciler": "success"}
    assert [await desk.comments(number), asked_azure(desk) - before] == [[], 0]
    await desk.look(number, again="yes")
    assert await desk.comments(number) == []


async def test_only_the_environments_that_a_change_touches_are_planned(desk: PullDesk) -> None:
    only_prod = f"{PROD}  include: [prod]\n"
    only_dev = "include: [estate.yaml]"
    prod = {"specs/environments/prod.yaml": only_prod, "specs/prod/group.yaml": GROUP}
    await desk.branch_at(GROUP, ACCOUNT, environment=only_dev, **prod)
    changed = {**prod, "specs/prod/group.yaml": GROUP.replace("spec: {}", "spec: {tags: {a: b}}")}
    number = await desk.propose(GROUP, ACCOUNT, environment=only_dev, **changed)
    preview = await desk.look(number)
    assert [one.environment for one in preview.environments] == ["prod"]
    assert set(await desk.marks(number)) == {"reconciler", "reconciler/prod"}


async def test_another_environment_is_planned_when_somebody_names_it(desk: PullDesk) -> None:
    only_prod = f"{PROD}  include: [prod]\n"
    only_dev = "include: [estate.yaml]"
    prod = {"specs/environments/prod.yaml": only_prod, "specs/prod/group.yaml": GROUP}
    await desk.branch_at(GROUP, environment=only_dev, **prod)
    number = await desk.propose(GROUP, ACCOUNT, environment=only_dev, **prod)
    await desk.look(number)
    await desk.say(number, "/plan prod")
    preview = await desk.preview(number)
    assert [one.environment for one in preview.environments] == ["dev", "prod"]


async def test_a_pull_request_cannot_raise_its_own_rights(desk: PullDesk) -> None:
    """Its plan goes by the branch; what it would change of that is pointed out."""
    await desk.branch_at(GROUP, ACCOUNT, chat(2))
    await desk.pushed()
    number = await desk.propose(GROUP, ACCOUNT, environment="prune: true\npolicy: {approvals: 0}")
    preview = await desk.look(number)
    run = await desk.run(preview.environments[0].run)
    assert run.plan.summary["delete"] == 0
    assert len(preview.notes) == 1
    assert "prune, policy of environment dev" in preview.notes[0]
    assert "prune, policy" in await desk.comment(number)


async def test_a_place_cannot_be_changed_for_its_own_plan_either(desk: PullDesk) -> None:
    elsewhere = SUBSCRIPTION.replace("1", "9")
    await desk.branch_at(GROUP)
    text = desk.world.files["specs/environments/dev.yaml"].replace(SUBSCRIPTION, elsewhere)
    number = await desk.propose(GROUP, ACCOUNT, **{"specs/environments/dev.yaml": text})
    preview = await desk.look(number)
    run = await desk.run(preview.environments[0].run)
    assert all(elsewhere not in change.arm_id for change in run.plan.changes)
    assert not [one for one in desk.world.azure.requests.entries if elsewhere in one.path]
    assert "subscription" in preview.notes[0]


async def test_a_new_environment_is_validated_and_planned_when_it_is_merged(
    desk: PullDesk,
) -> None:
    number = await desk.propose(GROUP, ACCOUNT, **{"specs/environments/prod.yaml": PROD})
    preview = await desk.look(number)
    assert [one.environment for one in preview.environments] == ["dev"] or not preview.environments
    assert "prod is new" in " ".join(preview.notes)
    broken = PROD.replace("location", "lokation")
    number = await desk.propose(
        GROUP, ACCOUNT, branch="two", **{"specs/environments/prod.yaml": broken}
    )
    assert (await desk.look(number)).state == "invalid"


async def test_invalid_specs_are_told_with_their_lines_and_azure_is_not_asked(
    desk: PullDesk,
) -> None:
    wrong = chat(2).replace("capacity:", "capcity:")
    number = await desk.propose(GROUP, ACCOUNT, wrong)
    before = asked_azure(desk)
    preview = await desk.look(number)
    assert [preview.state, asked_azure(desk) - before] == ["invalid", 0]
    assert "capcity" in await desk.comment(number)
    assert (await desk.marks(number))["reconciler"] == "failure"
    head = preview.head
    runs = (await desk.get(f"/commits/{head}/check-runs"))["check_runs"]
    (own,) = [one for one in runs if one["name"] == "reconciler"]
    remarks = await desk.get(f"/check-runs/{own['id']}/annotations")
    path, _, line = preview.errors[0].source.partition(":")
    assert [remarks[0]["path"], str(remarks[0]["start_line"])] == [path, line.partition(":")[0]]


async def test_one_that_does_not_merge_says_so_and_is_planned_once_it_does(desk: PullDesk) -> None:
    number = await desk.propose(GROUP, ACCOUNT, chat(3))
    await desk.branch_at(GROUP, ACCOUNT, chat(4))
    assert (await desk.look(number)).state == "conflicting"
    assert (await desk.marks(number))["reconciler"] == "failure"
    await desk.branch_at(GROUP, ACCOUNT)
    await desk.sweep()
    assert (await desk.preview(number)).state == "planned"


async def a_fork(desk: PullDesk) -> int:
    fork = await desk.hub.backdoor.fork(REPOSITORY, "mallory")
    desk.world.declare(GROUP, ACCOUNT, chat(3))
    await desk.hub.backdoor.commit(fork, desk.world.files, branch="more", author="mallory")
    return await desk.hub.backdoor.open_pull(
        REPOSITORY, "mallory:more", "Let me in", author="mallory"
    )


async def test_a_fork_is_only_validated_until_a_maintainer_says_plan(desk: PullDesk) -> None:
    number = await a_fork(desk)
    before = asked_azure(desk)
    preview = await desk.look(number)
    assert [preview.state, asked_azure(desk) - before] == ["untrusted", 0]
    assert (await desk.marks(number))["reconciler"] == "action_required"
    await desk.say(number, "/plan", author="mallory")
    assert [(await desk.preview(number)).state, asked_azure(desk) - before] == ["untrusted", 0]
    await desk.say(number, "/plan")
    assert (await desk.preview(number)).state == "planned"
    assert asked_azure(desk) > before


async def test_what_a_fork_pushed_after_the_comment_is_not_what_was_vouched_for(
    desk: PullDesk,
) -> None:
    number = await a_fork(desk)
    await desk.look(number)
    comment = await desk.write(number, "/plan")
    desk.world.declare(GROUP, ACCOUNT, chat(9))
    await desk.hub.backdoor.commit(
        "mallory/estate", desk.world.files, branch="more", author="mallory"
    )
    before = asked_azure(desk)
    await desk.queue.send({"comment": str(comment), "pull": str(number)})
    await desk.work()
    assert "younger than this comment" in (await desk.answers(number))[-1]
    # Seen since then, but not by whoever wrote the comment.
    late = desk.clock.now() + timedelta(days=30)
    kept = await desk.look(number)
    await desk.store.keep_preview(replace(kept, begun_at=late.isoformat()))
    await desk.say(number, "/plan")
    assert "younger than this comment" in (await desk.answers(number))[-1]
    assert asked_azure(desk) == before


async def test_what_a_fork_pushes_after_that_has_to_be_vouched_for_again(desk: PullDesk) -> None:
    number = await a_fork(desk)
    await desk.look(number)
    await desk.say(number, "/plan")
    desk.world.declare(GROUP, ACCOUNT, chat(9))
    await desk.hub.backdoor.commit(
        "mallory/estate", desk.world.files, branch="more", author="mallory"
    )
    before = asked_azure(desk)
    preview = await desk.look(number)
    assert [preview.state, asked_azure(desk) - before] == ["untrusted", 0]


async def test_hearing_twice_plans_once_and_says_nothing_new(desk: PullDesk) -> None:
    number = await desk.propose(GROUP, ACCOUNT, chat(3))
    first = await desk.look(number)
    before, said = asked_azure(desk), len(desk.hub.requests.entries)
    assert await desk.look(number) == first
    writes = [
        one for one in list(desk.hub.requests.entries)[said:]
        if one.method in ("POST", "PATCH") and not one.path.endswith("git-upload-pack")
    ]  # fmt: skip
    assert [asked_azure(desk) - before, writes] == [0, []]
    await desk.look(number, again="yes")
    assert asked_azure(desk) > before


async def test_a_new_push_is_planned_and_the_same_comment_tells(desk: PullDesk) -> None:
    number = await desk.propose(GROUP, ACCOUNT, chat(3))
    old = await desk.look(number)
    desk.world.declare(GROUP, ACCOUNT, chat(4))
    await desk.hub.backdoor.commit(REPOSITORY, desk.world.files, branch="more")
    new = await desk.look(number)
    assert old.head != new.head
    assert len(await desk.comments(number)) == 1
    assert new.head[:7] in await desk.comment(number)


async def test_when_the_branch_moves_plans_follow_if_it_matters(desk: PullDesk) -> None:
    number = await desk.propose(GROUP, ACCOUNT, chat(3))
    old = await desk.look(number)
    assert old.environments
    await desk.hub.backdoor.commit(REPOSITORY, {"docs/x.md": "x\n"}, "Docs")
    before = asked_azure(desk)
    preview = await desk.look(number)
    assert preview.base != old.base
    assert preview.environments == old.environments
    assert asked_azure(desk) == before
    other = {"specs/other.yaml": chat(5, name="other")}
    await desk.hub.backdoor.commit(REPOSITORY, other, "More")
    await desk.sweep()
    assert (await desk.preview(number)).environments != old.environments


async def test_what_azure_refuses_for_a_moment_is_planned_again(desk: PullDesk) -> None:
    number = await desk.propose(GROUP, ACCOUNT, chat(3))
    desk.world.azure.faults.add([Fault(method="GET", path="resourcegroups", status=403, count=1)])
    await desk.queue.send({"pull": str(number)})
    await desk.service.handle(desk.queue.take())
    preview = await desk.preview(number)
    assert [one.verdict for one in preview.environments] == ["failed"]
    assert (await desk.marks(number))["reconciler"] == "failure"
    await desk.work()
    assert [one.verdict for one in (await desk.preview(number)).environments] == ["planned"]
    assert (await desk.marks(number))["reconciler"] == "success"


async def test_what_stays_broken_is_left_to_a_later_sweep(desk: PullDesk) -> None:
    await desk.pushed()
    number = await desk.propose(GROUP, ACCOUNT, chat(3))
    broken = Fault(method="GET", path="resourcegroups", status=403, count=1000)
    desk.world.azure.faults.add([broken])
    await desk.look(number)
    assert not desk.queue.waiting
    desk.world.azure.faults.clear()
    await desk.sweep()
    assert (await desk.preview(number)).environments[0].verdict == "failed"
    desk.skip(FAILED_AGAIN_S + 60)
    await desk.sweep()
    assert (await desk.preview(number)).environments[0].verdict == "planned"


async def test_a_forge_that_takes_no_comment_changes_no_outcome(desk: PullDesk) -> None:
    number = await desk.propose(GROUP, ACCOUNT, chat(3))
    refuse = ForgeFault(method="POST", path="comments", status=403, count=1000)
    desk.hub.faults.add([refuse])
    preview = await desk.look(number)
    assert [preview.state, preview.told] == ["planned", ""]
    desk.hub.faults.clear()
    before = asked_azure(desk)
    await desk.service.sweep()
    while desk.queue.waiting:
        message = desk.queue.take()
        if "pull" in message:
            await desk.service.handle(message)
    assert (await desk.preview(number)).told
    assert [bool(await desk.comment(number)), asked_azure(desk) - before] == [True, 0]


async def test_one_that_a_dead_worker_left_pending_is_taken_up_by_the_sweep(
    desk: PullDesk,
) -> None:
    number = await desk.propose(GROUP, ACCOUNT, chat(3))
    head = (await desk.forge.pull(number)).head
    begun = desk.clock.now().isoformat()
    await desk.store.keep_preview(Preview(number, head, begun_at=begun))
    await desk.sweep()
    assert (await desk.preview(number)).state == "planning"
    desk.skip(DEADLINE_S + 60)
    await desk.sweep()
    assert (await desk.preview(number)).state == "planned"
    assert (await desk.marks(number))["reconciler"] == "success"


async def test_what_nobody_could_look_at_says_so(desk: PullDesk) -> None:
    number = await desk.propose(GROUP, ACCOUNT, chat(3))
    head = (await desk.forge.pull(number)).head
    await desk.store.keep_preview(Preview(number, head, begun_at=desk.clock.now().isoformat()))
    await desk.service.poisoned({"pull": str(number)})
    assert (await desk.preview(number)).state == "failed"
    assert (await desk.marks(number))["reconciler"] == "failure"


async def test_two_workers_do_not_look_at_one_pull_request_at_once(desk: PullDesk) -> None:
    number = await desk.propose(GROUP, ACCOUNT, chat(3))
    async with await desk.store.lease(f"pull.{number}", "somebody", 60_000):
        await desk.queue.send({"pull": str(number)})
        await desk.service.handle(desk.queue.take())
        assert await desk.store.preview(number) is None
    await desk.work()
    assert (await desk.preview(number)).state == "planned"


async def test_the_sweep_alone_finds_what_no_webhook_told(desk: PullDesk) -> None:
    number = await desk.propose(GROUP, ACCOUNT, chat(3))
    comment = await desk.write(number, "/help")
    await desk.sweep()
    assert (await desk.preview(number)).state == "planned"
    assert len(await desk.answers(number)) == 1
    assert "+1" in await desk.reactions(comment)
    await desk.hub.backdoor.merge(REPOSITORY, number)
    await desk.sweep()
    assert (await desk.preview(number)).state == "closed"
    assert (await desk.applied()).state == "done"
    assert "Applied to" in await desk.comment(number, "apply-dev")


async def test_the_sweep_sees_to_it_that_the_forge_still_shows_it(desk: PullDesk) -> None:
    number = await desk.propose(GROUP, ACCOUNT, chat(3))
    await desk.look(number)
    (comment,) = await desk.get(f"/issues/{number}/comments")
    bot = desk.hub.environment()["GITHUB_TOKEN"]
    path = f"/repos/{REPOSITORY}/issues/comments/{comment['id']}"
    await desk.call("PATCH", path, bot, {"body": comment["body"][:30]})
    desk.skip(RETOLD_S + 60)
    await desk.sweep()
    assert "contoso/chat" in await desk.comment(number)


async def test_a_check_that_is_asked_for_again_is_made_again(desk: PullDesk) -> None:
    number = await desk.propose(GROUP, ACCOUNT, chat(3))
    preview = await desk.look(number)
    before = asked_azure(desk)
    await desk.queue.send({"recheck": preview.head, "name": "reconciler"})
    await desk.work()
    assert asked_azure(desk) > before


async def test_a_closed_pull_request_is_nobodys_business_until_it_is_opened_again(
    desk: PullDesk,
) -> None:
    number = await desk.propose(GROUP, ACCOUNT, chat(3))
    await desk.look(number)
    token = desk.hub.backdoor.token("maintainer")
    path = f"/repos/{REPOSITORY}/pulls/{number}"
    await desk.call("PATCH", path, token, {"state": "closed"})
    assert (await desk.look(number)).state == "closed"
    assert await desk.store.open_previews() == []
    await desk.call("PATCH", path, token, {"state": "open"})
    assert (await desk.look(number)).state == "planned"


async def test_a_pull_request_into_another_branch_is_not_looked_at(desk: PullDesk) -> None:
    await desk.hub.backdoor.commit(REPOSITORY, {"x": "x"}, branch="other")
    await desk.hub.backdoor.commit(REPOSITORY, {"specs/estate.yaml": "nonsense"}, branch="more")
    number = await desk.hub.backdoor.open_pull(REPOSITORY, "more", "Not ours", base="other")
    await desk.queue.send({"pull": str(number)})
    await desk.work()
    assert [await desk.store.preview(number), await desk.comments(number)] == [None, []]


async def test_a_broken_branch_does_not_keep_what_mends_it_from_being_looked_at(
    desk: PullDesk,
) -> None:
    await desk.hub.backdoor.commit(REPOSITORY, {"specs/environments/dev.yaml": "kind: 5\n"})
    number = await desk.propose(GROUP, ACCOUNT)
    preview = await desk.look(number)
    assert preview.state == "planned"
    assert "dev is new" in preview.notes[0]


async def test_an_apply_makes_the_plans_of_others_anew(desk: PullDesk) -> None:
    """A plan that shows a deployment to create is old once another pull request made it."""
    one = await desk.propose(GROUP, ACCOUNT, chat(3))
    other = {"specs/other.yaml": chat(4, name="other")}
    two = await desk.propose(GROUP, ACCOUNT, branch="two", **other)
    await desk.look(one)
    before = await desk.run((await desk.look(two)).environments[0].run)
    await desk.merge(one)
    await desk.sweep()
    after = await desk.run((await desk.preview(two)).environments[0].run)
    assert before.plan.summary["create"] == 3
    assert [c.key.name for c in after.plan.changes if c.action == "create"] == ["contoso/other"]


async def test_what_will_stop_the_apply_is_told_with_the_plan(desk: PullDesk) -> None:
    await desk.branch_at(GROUP, ACCOUNT, environment="suspend: {reason: audit}")
    number = await desk.propose(GROUP, ACCOUNT, chat(3), environment="suspend: {reason: audit}")
    preview = await desk.look(number)
    assert preview.environments[0].verdict == "planned"
    assert "audit" in preview.environments[0].detail


async def test_replaced_previews_keep_what_was_answered(desk: PullDesk) -> None:
    number = await desk.propose(GROUP, ACCOUNT, chat(3))
    await desk.look(number)
    comment = await desk.say(number, "/help")
    preview = await desk.look(number, again="yes")
    assert comment in preview.answered
    assert replace(preview, answered=()).answered == ()
