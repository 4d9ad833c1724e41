"""What a worker that dies between two writes about a pull request leaves behind, one by one."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from reconciler.core.model import Plan, Run, Status
from reconciler.service.standing import standing
from tests.engine.estates import ACCOUNT, GROUP, chat
from tests.pull_desk import PullDesk, a_pull_desk

ON_COMMAND = "apply: onCommand"


@pytest.fixture
async def desk(tmp_path: Path) -> AsyncIterator[PullDesk]:
    """Its environment is applied by command, and a pull request is approved."""
    async with a_pull_desk(tmp_path) as one:
        await one.branch_at(GROUP, ACCOUNT, environment=ON_COMMAND)
        await one.ask()
        await one.work()
        await one.propose(GROUP, ACCOUNT, chat(3), environment=ON_COMMAND)
        await one.look(1)
        await one.approve(1)
        yield one


async def test_the_end_of_an_apply_that_nobody_wrote_down_is_noted_by_the_sweep(
    desk: PullDesk,
) -> None:
    """Else nobody would know that the pull request holds the environment: what it applied would
    be reported as drift, and it would never be told."""
    before = await desk.status()
    await desk.say(1, "/apply")
    await desk.store.keep_status(before)
    await desk.sweep()
    status = await desk.status()
    assert [status.held_by, status.last_run] == [1, (await desk.applied()).id]
    await desk.sweep()
    assert [await desk.issues(), await desk.status()] == [[], status]


def test_what_two_workers_note_of_one_run_counts_once() -> None:
    now = datetime(2026, 11, 24, tzinfo=UTC)
    run = Run("run-1", Plan("dev", "commit"), "", now.isoformat(), mode="apply", state="failed")
    once = standing(Status("dev"), run, now)
    assert once.failures == 1
    assert standing(once, run, now + timedelta(minutes=1)) == once


async def test_a_command_that_is_carried_out_again_asks_for_no_second_apply(
    desk: PullDesk,
) -> None:
    """Whoever answers is cut off after the run was asked for: the answer is given by another."""
    before = await desk.preview(1)
    comment = await desk.say(1, "/apply")
    runs, answers = await desk.runs(), await desk.answers(1)
    assert "Applied to" in await desk.comment(1, "apply-dev")
    await desk.store.keep_preview(before)
    await desk.queue.send({"comment": str(comment), "pull": "1"})
    await desk.work()
    applies = [one for one in await desk.runs() if one.startswith("apply")]
    assert applies == [one for one in runs if one.startswith("apply")]
    assert await desk.answers(1) == answers
    assert comment in (await desk.preview(1)).answered


async def test_the_plan_that_an_apply_made_old_is_made_anew_though_the_message_was_lost(
    desk: PullDesk,
) -> None:
    before = await desk.preview(1)
    comment = await desk.write(1, "/apply")
    await desk.queue.send({"comment": str(comment), "pull": "1"})
    while desk.queue.waiting:
        message = desk.queue.take()
        if "again" not in message:
            await desk.service.handle(message)
    kept = await desk.preview(1)
    assert kept.environments == before.environments
    await desk.sweep()
    assert (await desk.preview(1)).environments[0].applied
    assert (await desk.marks(1))["reconciler"] == "success"
