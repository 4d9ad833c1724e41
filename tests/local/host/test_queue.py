"""Queue triggers: deleted, returned, poisoned, kept."""

import asyncio
from contextlib import suppress
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Any

from reconciler.core.errors import Transient
from reconciler.local.host.options import QueueOptions
from reconciler.local.host.queue import Listener
from reconciler.local.host.worker import Failed, Function
from reconciler.ports import Taken

FUNCTION = Function("work", "1", {"type": "queueTrigger", "name": "m", "queueName": "q"})
FAST = QueueOptions(batch_size=4, new_batch_threshold=2, max_polling_s=0.01)


@dataclass
class Heap:
    """A queue in memory that notes what becomes of its messages."""

    waiting: list[Taken] = field(default_factory=list)
    deleted: list[str] = field(default_factory=list)
    poisoned: list[str] = field(default_factory=list)
    kept: list[float] = field(default_factory=list)
    changed: asyncio.Event = field(default_factory=asyncio.Event)
    broken: int = 0

    def add(self, *texts: str, count: int = 0) -> None:
        now = datetime.now(UTC)
        self.waiting += [Taken(text, "receipt", text, count, now) for text in texts]

    async def take(self, most: int, hidden_s: float) -> list[Taken]:
        if self.broken:
            self.broken -= 1
            raise Transient("the queue is away")
        found = [replace(one, count=one.count + 1) for one in self.waiting[:most]]
        del self.waiting[:most]
        return found

    async def keep(self, taken: Taken, hidden_s: float) -> None:
        self.kept.append(hidden_s)
        if hidden_s == FAST.visibility_timeout_s:
            self.waiting.append(taken)
        self.changed.set()

    async def delete(self, taken: Taken) -> None:
        self.deleted.append(taken.text)
        self.changed.set()

    async def poison(self, taken: Taken) -> None:
        self.poisoned.append(taken.text)
        self.changed.set()


@dataclass
class Hands:
    """A worker that fails on ``bad`` and waits while ``gate`` is closed."""

    counts: list[int] = field(default_factory=list)
    gate: asyncio.Event = field(default_factory=asyncio.Event)
    most: int = 0
    now: int = 0

    async def queue(self, name: str, text: str, message_id: str, count: int, at: datetime) -> None:
        self.counts.append(count)
        self.now += 1
        self.most = max(self.most, self.now)
        try:
            await self.gate.wait()
        finally:
            self.now -= 1
        if text.startswith("bad"):
            raise Failed("no")


async def listened(heap: Heap, hands: Hands, until: Any, hidden_s: float = 600.0) -> None:
    worker: Any = hands
    task = asyncio.create_task(Listener(FUNCTION, worker, heap, FAST, hidden_s).run())
    try:
        async with asyncio.timeout(5):
            while not until():
                heap.changed.clear()
                with suppress(TimeoutError):
                    await asyncio.wait_for(heap.changed.wait(), 0.01)
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


async def test_a_message_that_was_handled_is_deleted() -> None:
    heap, hands = Heap(), Hands()
    hands.gate.set()
    heap.add("a", "b")
    await listened(heap, hands, lambda: len(heap.deleted) == 2)
    assert heap.waiting == []


async def test_a_message_that_always_fails_is_poisoned_after_so_many_tries() -> None:
    heap, hands = Heap(), Hands()
    hands.gate.set()
    heap.add("bad")
    await listened(heap, hands, lambda: heap.poisoned)
    assert [hands.counts, heap.poisoned, heap.deleted] == [[1, 2, 3, 4, 5], ["bad"], []]


async def test_a_message_that_killed_its_workers_is_poisoned_without_another_try() -> None:
    heap, hands = Heap(), Hands()
    heap.add("deadly", count=5)
    await listened(heap, hands, lambda: heap.poisoned)
    assert hands.counts == []


async def test_no_more_is_done_at_once_than_a_batch_and_its_threshold() -> None:
    heap, hands = Heap(), Hands()
    heap.add(*[f"m{number}" for number in range(20)])
    await listened(heap, hands, lambda: hands.now == FAST.batch_size)
    hands.gate.set()
    heap.add(*[f"n{number}" for number in range(20)])
    await listened(heap, hands, lambda: not heap.waiting and not hands.now)
    assert hands.most <= FAST.batch_size + FAST.new_batch_threshold


async def test_a_message_is_kept_hidden_while_its_function_runs() -> None:
    heap, hands = Heap(), Hands()
    heap.add("slow")
    await listened(heap, hands, lambda: len(heap.kept) > 2, hidden_s=0.02)
    assert set(heap.kept) == {0.02}


async def test_a_queue_that_is_away_is_asked_again() -> None:
    heap, hands = Heap(broken=3), Hands()
    hands.gate.set()
    heap.add("a")
    await listened(heap, hands, lambda: heap.deleted)


async def test_what_was_under_way_when_the_host_ends_is_not_deleted() -> None:
    heap, hands = Heap(), Hands()
    heap.add("a")
    await listened(heap, hands, lambda: hands.now == 1)
    assert [hands.now, heap.deleted, heap.poisoned] == [0, [], []]
