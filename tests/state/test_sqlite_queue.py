"""The queue in the state file: taken by one, given back by doing nothing, beside the store."""

import asyncio
import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from reconciler.state.sqlite import SqliteStore
from reconciler.state.sqlite_queue import SqliteQueue

LOOK = """
import asyncio, sys
from reconciler.state.sqlite_queue import SqliteQueue
queue = SqliteQueue(sys.argv[1])
print(sum(1 for _ in asyncio.run(queue.take(100, 0))))
queue.close()
"""


class Hand:
    """A clock that is set by hand."""

    def __init__(self) -> None:
        self.time = datetime(2026, 11, 20, 12, tzinfo=UTC)

    def now(self) -> datetime:
        return self.time

    def skip(self, seconds: float) -> None:
        self.time += timedelta(seconds=seconds)


@pytest.fixture
def clock() -> Hand:
    return Hand()


@pytest.fixture
def queue(tmp_path: Path, clock: Hand) -> Iterator[SqliteQueue]:
    one = SqliteQueue(tmp_path / "state.db", now=clock.now)
    yield one
    one.close()


async def test_messages_come_in_the_order_in_which_they_may(
    queue: SqliteQueue, clock: Hand
) -> None:
    await queue.send({"run": "late"}, delay_s=60)
    await queue.send({"run": "first"})
    await queue.send({"run": "second"})
    assert [one.text for one in await queue.take(10, 30)] == [
        '{"run": "first"}',
        '{"run": "second"}',
    ]
    clock.skip(60)
    found = await queue.take(1, 30)
    assert [found[0].count, found[0].inserted_at] == [2, clock.now() - timedelta(seconds=60)]


async def test_a_message_that_is_taken_is_hidden_until_its_time_is_over(
    queue: SqliteQueue, clock: Hand
) -> None:
    await queue.send({"run": "a"})
    (first,) = await queue.take(1, 30)
    assert await queue.take(1, 30) == []
    clock.skip(20)
    await queue.keep(first, 30)
    clock.skip(20)
    assert await queue.take(1, 30) == []
    await queue.keep(first, 0)
    (second,) = await queue.take(1, 30)
    assert [first.count, second.count] == [1, 2]


async def test_who_was_too_slow_can_no_longer_say_what_becomes_of_it(
    queue: SqliteQueue, clock: Hand
) -> None:
    await queue.send({"run": "a"})
    (slow,) = await queue.take(1, 30)
    clock.skip(30)
    (quick,) = await queue.take(1, 30)
    for move in (queue.delete(slow), queue.poison(slow), queue.keep(slow, 0)):
        await move
    assert await queue.take(1, 0) == []
    await queue.delete(quick)
    clock.skip(100)
    assert await queue.take(1, 30) == []


async def test_poison_goes_to_a_queue_of_its_own(
    queue: SqliteQueue, tmp_path: Path, clock: Hand
) -> None:
    await queue.send({"run": "a"})
    (taken,) = await queue.take(1, 30)
    await queue.poison(taken)
    clock.skip(100)
    assert await queue.take(1, 30) == []
    poison = SqliteQueue(tmp_path / "state.db", "reconcile-poison", clock.now)
    assert [one.text for one in await poison.take(1, 30)] == ['{"run": "a"}']
    poison.close()


async def test_every_message_is_taken_once_whoever_takes(tmp_path: Path) -> None:
    path = tmp_path / "state.db"
    queues = [SqliteQueue(path) for _ in range(4)]
    for number in range(100):
        await queues[0].send({"run": str(number)})

    async def all_of(one: SqliteQueue) -> list[str]:
        texts: list[str] = []
        while found := await one.take(3, 600):
            texts += [taken.text for taken in found]
            await asyncio.sleep(0)
        return texts

    found = await asyncio.gather(*(all_of(one) for one in queues))
    texts = [text for part in found for text in part]
    assert [len(texts), len(set(texts))] == [100, 100]
    for one in queues:
        one.close()


async def test_what_is_written_beside_several_connections_is_seen_by_other_processes(
    tmp_path: Path,
) -> None:
    path = tmp_path / "state.db"
    store, queue, another = SqliteStore(path), SqliteQueue(path), SqliteQueue(path, "other")

    def seen() -> int:
        command = [sys.executable, "-c", LOOK, str(path)]
        return int(subprocess.run(command, check=True, capture_output=True).stdout)

    for number in (1, 2, 3):
        await queue.send({"run": str(number)})
        assert seen() == number
    for one in (store, queue, another):
        one.close()
