"""What is said, marked and kept on Azure DevOps: once, and up to date."""

import asyncio
from datetime import UTC, datetime, timedelta

import pytest

from reconciler.app import SystemClock
from reconciler.core.errors import Permanent
from reconciler.core.forge import Annotation, Mark
from reconciler.forge.azure_devops import AzureDevOps
from reconciler.forge.azure_devops.numbers import comment_number
from reconciler.local.azure_devops import EmulatedAzureDevOps
from reconciler.local.azure_devops.model import Pull, Thread
from tests.forge.azure_devops.conftest import READER, REPO, SPEC, WRITER, a_pull, settings


def threads(devops: EmulatedAzureDevOps, number: int) -> list[Thread]:
    pull = devops.world.repository("estate").pulls[number]
    return [one for one in pull.threads if not one.deleted]


def raw(devops: EmulatedAzureDevOps, number: int) -> Pull:
    return devops.world.repository("estate").pulls[number]


def writes(devops: EmulatedAzureDevOps) -> list[str]:
    return [
        f"{one.method} {one.path.rpartition('/')[2]}"
        for one in devops.requests.entries
        if one.method != "GET"
    ]


async def test_one_comment_a_marker_is_kept_up_to_date_in_a_thread_of_its_own(
    devops: EmulatedAzureDevOps, forge: AzureDevOps
) -> None:
    number = await a_pull(devops)
    await forge.say(number, "plan", "Planning\n")
    await forge.say(number, "plan", "Planned ✓")
    await forge.say(number, "plan", "Planned ✓")
    await forge.say(number, "apply", "Applied")
    found = threads(devops, number)
    assert [one.comments[0].content for one in found] == ["Planned ✓", "Applied"]
    assert [one.status for one in found] == ["closed", "closed"]
    assert writes(devops) == ["POST threads", "PATCH 1", "POST threads"]


async def test_a_thread_can_be_left_active_for_people_to_resolve(
    devops: EmulatedAzureDevOps,
) -> None:
    number = await a_pull(devops)
    one = AzureDevOps(settings(devops, AZURE_DEVOPS_COMMENT_STATUS="active"), SystemClock())
    await one.say(number, "plan", "Planned")
    assert [thread.status for thread in threads(devops, number)] == ["active"]
    await one.close()


async def test_two_workers_leave_one_comment(
    devops: EmulatedAzureDevOps, forge: AzureDevOps
) -> None:
    number = await a_pull(devops)
    others = [AzureDevOps(settings(devops), SystemClock()) for _ in range(2)]
    devops.backdoor.add_faults([{"method": "POST", "path": "/threads$", "latency_s": 0.05}])
    await asyncio.gather(*(one.say(number, "plan", "Planned") for one in (forge, *others)))
    await forge.say(number, "plan", "Planned again")
    assert [one.comments[0].content for one in threads(devops, number)] == ["Planned again"]
    for one in others:
        await one.close()


async def test_nobody_takes_a_comment_over_by_copying_its_marker(
    devops: EmulatedAzureDevOps, forge: AzureDevOps
) -> None:
    number = await a_pull(devops)
    thread = devops.site.thread(raw(devops, number), devops.world.add_user(READER), "Mine")
    thread.properties = {"Reconciler.Marker": "plan"}
    await forge.say(number, "plan", "Planned")
    assert [one.comments[0].content for one in threads(devops, number)] == ["Mine", "Planned"]


async def test_a_comment_as_long_as_it_can_be_is_taken_and_a_longer_one_is_our_mistake(
    devops: EmulatedAzureDevOps, forge: AzureDevOps
) -> None:
    number = await a_pull(devops)
    await forge.say(number, "plan", "é" * forge.text_limit)
    assert len(threads(devops, number)[0].comments[0].content) == 150_000
    for marker, text in (("plan", "x" * 150_001), ("not a marker", "x"), ("a_b", "x")):
        with pytest.raises(ValueError, match=r"characters|marker"):
            await forge.say(number, marker, text)


async def test_a_lost_answer_leaves_one_comment_whoever_asks_again(
    devops: EmulatedAzureDevOps, forge: AzureDevOps
) -> None:
    number = await a_pull(devops)
    devops.backdoor.add_faults(
        [{"method": "POST", "path": "/threads$", "drop": "after", "count": 1}]
    )
    with pytest.raises(Exception, match="did not answer"):
        await forge.say(number, "plan", "Planned")
    await forge.say(number, "plan", "Planned")
    assert [one.comments[0].content for one in threads(devops, number)] == ["Planned"]


async def test_marks_are_statuses_of_the_iteration_that_brought_the_commit(
    devops: EmulatedAzureDevOps, forge: AzureDevOps
) -> None:
    number = await a_pull(devops)
    devops.backdoor.protect(REPO, status="gitops/reconciler")
    head = (await forge.pull(number)).head
    remark = Annotation(SPEC, 3, "error", "No")
    waiting = Mark("reconciler", "pending", "Planning", annotations=(remark,))
    done = Mark("reconciler", "success", "2 to create", "**2** to create", "https://example.com/r")
    for mark in (waiting, waiting, done, done):
        await forge.mark(number, head, mark)
    await forge.mark(number, head, Mark("reconciler/dev", "blocked", "x" * 500))
    found = raw(devops, number).statuses
    assert [(one.genre, one.name, one.state, one.iteration) for one in found] == [
        ("gitops", "reconciler", "pending", 1),
        ("gitops", "reconciler", "succeeded", 1),
        ("gitops", "reconciler/dev", "failed", 1),
    ]
    assert (found[1].description, found[1].url) == ("2 to create", "https://example.com/r")
    assert len(found[2].description) == 200
    await devops.backdoor.commit(REPO, {SPEC: "three\n"}, branch="change")
    with pytest.raises(Exception, match="policy is not fulfilled"):
        await devops.backdoor.complete(REPO, number)
    await forge.mark(number, head, done)
    await forge.mark(number, "b" * 40, done)
    assert [one.iteration for one in raw(devops, number).statuses] == [1, 1, 1]
    await forge.mark(number, (await forge.pull(number)).head, done)
    assert raw(devops, number).statuses[-1].iteration == 2
    await devops.backdoor.complete(REPO, number)


async def test_a_like_answers_what_was_seen_or_done_and_nothing_else(
    devops: EmulatedAzureDevOps, forge: AzureDevOps
) -> None:
    number = await a_pull(devops)
    comment = comment_number(number, *devops.backdoor.comment(REPO, number, "/plan", by=WRITER))
    await forge.react(comment, "refused")
    await forge.react(comment, "confused")
    await forge.react(12, "seen")
    assert threads(devops, number)[0].comments[0].likes == []
    await forge.react(comment, "seen")
    await forge.react(comment, "done")
    assert [one.name for one in threads(devops, number)[0].comments[0].likes] == [
        await forge.login()
    ]


async def test_one_work_item_a_marker_is_opened_updated_and_closed(
    devops: EmulatedAzureDevOps, forge: AzureDevOps
) -> None:
    await forge.keep_issue("drift-dev", "Drift in dev", None)
    assert devops.world.work_items == {}
    await forge.keep_issue("drift-dev", "Drift in dev", "**chat** was changed")
    await forge.keep_issue("drift-dev", "Drift in dev", "**chat** was changed")
    await forge.keep_issue("drift-dev", "Drift in dev", "**chat** and **talk** were")
    await forge.keep_issue("drift-prod", "D" * 300, "prod")
    dev, prod = devops.world.work_items.values()
    assert dev.fields == {
        "System.State": "To Do",
        "System.Title": "Drift in dev",
        "System.Description": "**chat** and **talk** were",
        "System.Tags": "reconciler-drift-dev",
    }
    assert (dev.kind, dev.revision, len(prod.fields["System.Title"])) == ("Issue", 2, 255)
    await forge.keep_issue("drift-dev", "Drift in dev", None)
    assert (dev.fields["System.State"], prod.fields["System.State"]) == ("Done", "To Do")
    await forge.keep_issue("drift-dev", "Drift in dev", "again")
    assert len(devops.world.work_items) == 3


async def test_a_work_item_is_closed_with_its_last_word_and_none_is_opened_for_one(
    devops: EmulatedAzureDevOps, forge: AzureDevOps
) -> None:
    await forge.keep_issue("drift-dev", "Drift in dev", "one")
    for _ in range(2):
        await forge.keep_issue("drift-dev", "Drift in dev", "healed", over=True)
    (item,) = devops.world.work_items.values()
    assert (item.fields["System.State"], item.fields["System.Description"]) == ("Done", "healed")


async def test_two_workers_leave_one_open_work_item(
    devops: EmulatedAzureDevOps, forge: AzureDevOps
) -> None:
    other = AzureDevOps(settings(devops), SystemClock())
    devops.backdoor.add_faults([{"method": "POST", "path": "workitems/.Issue", "latency_s": 0.05}])
    await asyncio.gather(*(one.keep_issue("drift", "Drift", "text") for one in (forge, other)))
    states = [one.fields["System.State"] for one in devops.world.work_items.values()]
    assert sorted(states)[-1:] == ["To Do"]
    assert states.count("To Do") == 1
    await other.close()


async def test_a_project_without_markdown_in_work_items_gets_the_text_as_it_is(
    devops: EmulatedAzureDevOps, forge: AzureDevOps
) -> None:
    devops.backdoor.board(markdown=False)
    await forge.keep_issue("drift", "Drift", "text")
    (item,) = devops.world.work_items.values()
    assert item.fields["System.Description"] == "text"


async def test_work_items_that_may_not_be_written_are_a_clear_refusal(
    devops: EmulatedAzureDevOps, forge: AzureDevOps
) -> None:
    devops.backdoor.board(allowed=False)
    with pytest.raises(Permanent, match="AZURE_DEVOPS_ISSUE_TYPE") as caught:
        await forge.keep_issue("drift", "Drift", "text")
    assert caught.value.status == 403
    strange = AzureDevOps(settings(devops, AZURE_DEVOPS_ISSUE_TYPE="Bogus"), SystemClock())
    devops.backdoor.board()
    with pytest.raises(Permanent, match="Bogus"):
        await strange.keep_issue("drift", "Drift", "text")
    await strange.close()


async def test_without_a_type_no_work_item_is_made_and_nobody_is_asked(
    devops: EmulatedAzureDevOps,
) -> None:
    one = AzureDevOps(settings(devops, AZURE_DEVOPS_ISSUE_TYPE=""), SystemClock())
    await one.keep_issue("drift", "Drift", "text")
    await one.keep_issue("drift", "Drift", None)
    assert len(devops.requests) == 0
    await one.close()


async def test_our_own_comments_hold_no_command_for_us(
    devops: EmulatedAzureDevOps, forge: AzureDevOps
) -> None:
    number = await a_pull(devops)
    await forge.say(number, "help", "Say `/plan` or `/apply`.")
    assert await forge.comments_since(datetime.now(UTC) - timedelta(hours=1)) == []
