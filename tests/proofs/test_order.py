"""Requests that are taken up in another order than they were made in."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.desk import ACCOUNT_ID, Desk, a_desk
from tests.engine.estates import ACCOUNT, GROUP, chat


@pytest.fixture
async def desk(tmp_path: Path) -> AsyncIterator[Desk]:
    async with a_desk(tmp_path) as one:
        yield one


async def test_an_older_commit_that_is_taken_up_late_undoes_nothing(desk: Desk) -> None:
    desk.declare(GROUP, ACCOUNT, chat(1))
    older = await desk.ask()
    late = desk.queue.take()
    desk.skip(-60.0)  # the next instance's clock is behind, so that its run looks older
    head = desk.declare(GROUP, ACCOUNT, chat(3))
    newer = await desk.ask()
    await desk.service.handle(desk.queue.take())
    await desk.service.handle(late)
    assert [(await desk.run(one)).state for one in (older, newer)] == ["superseded", "done"]
    assert head[:9] in (await desk.run(older)).detail
    assert desk.world.get(f"{ACCOUNT_ID}/deployments/chat")["sku"]["capacity"] == 3
    assert (await desk.status()).applied_commit == head


async def test_a_commit_that_nobody_asked_for_takes_the_place_of_one_that_waits(desk: Desk) -> None:
    desk.declare(GROUP, ACCOUNT, chat(1))
    older = await desk.ask()
    head = desk.declare(GROUP, ACCOUNT, chat(3))
    await desk.work()
    assert (await desk.run(older)).state == "superseded"
    assert (await desk.status()).applied_commit == head
    assert await desk.runs() == ["apply done sweep", "apply superseded "]
