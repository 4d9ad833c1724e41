"""Token buckets: never more than Azure admits, first come first served, bad news believed."""

import asyncio
import heapq
from datetime import UTC, datetime, timedelta
from itertools import count

from hypothesis import given, settings
from hypothesis import strategies as st

from reconciler.azure.bucket import Bucket, Buckets
from reconciler.azure.settings import SUBSCRIPTION_LIMITS


class SteppedClock:
    """Time goes to the next sleeper whenever everybody waits."""

    def __init__(self) -> None:
        self.time = 0.0
        self._order = count()
        self._sleepers: list[tuple[float, int, asyncio.Future[None]]] = []

    def now(self) -> datetime:
        return datetime(2026, 11, 20, tzinfo=UTC) + timedelta(seconds=self.time)

    def monotonic(self) -> float:
        return self.time

    async def sleep(self, seconds: float) -> None:
        awake = asyncio.get_running_loop().create_future()
        heapq.heappush(self._sleepers, (self.time + seconds, next(self._order), awake))
        await awake

    async def run(self, tasks: list[asyncio.Task[None]]) -> None:
        while not all(task.done() for task in tasks):
            for _ in range(10):
                await asyncio.sleep(0)
            if self._sleepers:
                self.time, _, awake = heapq.heappop(self._sleepers)
                awake.set_result(None)
        await asyncio.gather(*tasks)


class Reference:
    """A bucket as Azure keeps it: refuses what it has no token for."""

    def __init__(self, size: float, per_second: float) -> None:
        self.size, self.per_second, self.tokens, self.at = size, per_second, size, 0.0
        self.refused = 0

    def admit(self, now: float) -> int:
        grown = self.tokens + (now - self.at) * self.per_second
        self.tokens, self.at = min(self.size, grown), now
        if self.tokens < 1 - 1e-3:
            self.refused += 1
        else:
            self.tokens -= 1
        return int(max(0, self.tokens))


arrivals = st.lists(st.floats(0, 3, allow_nan=False), min_size=1, max_size=60)


@settings(deadline=None, max_examples=60)
@given(arrivals, st.integers(1, 20), st.integers(1, 30))
def test_no_more_is_sent_than_a_reference_bucket_admits(
    gaps: list[float], size: int, per_second: int
) -> None:
    async def scenario() -> None:
        clock = SteppedClock()
        bucket, azure = Bucket(size, per_second, clock), Reference(size, per_second)
        sent: list[int] = []

        async def one(number: int, at: float) -> None:
            await clock.sleep(at)
            await bucket.take()
            sent.append(number)
            bucket.answered(azure.admit(clock.time))

        starts = sorted(gaps)
        tasks = [asyncio.create_task(one(n, at)) for n, at in enumerate(starts)]
        await clock.run(tasks)
        assert azure.refused == 0
        assert sent == sorted(sent)

    asyncio.run(scenario())


@settings(deadline=None, max_examples=40)
@given(st.lists(st.floats(0, 1), min_size=1, max_size=40), st.integers(0, 20))
def test_what_others_use_up_is_believed(gaps: list[float], taken: int) -> None:
    async def scenario() -> None:
        clock = SteppedClock()
        bucket, azure = Bucket(20, 5, clock), Reference(20, 5)
        azure.tokens -= taken  # by somebody else, with the same identity

        async def one(at: float) -> None:
            await clock.sleep(at)
            await bucket.take()
            bucket.answered(azure.admit(clock.time))

        await clock.run([asyncio.create_task(one(at)) for at in gaps])
        # Only the first, sent before Azure had said anything, can be one too many.
        assert azure.refused <= 1

    asyncio.run(scenario())


async def test_what_is_on_its_way_is_not_counted_twice() -> None:
    clock = SteppedClock()
    bucket = Bucket(10, 1, clock)
    for _ in range(5):
        await bucket.take()
    bucket.answered(remaining=7)  # Azure has seen three of the five
    assert bucket._wait() == 0
    for _ in range(3):
        await bucket.take()
    assert bucket._wait() > 0


async def test_a_closed_bucket_lets_nothing_out_until_its_time() -> None:
    clock = SteppedClock()
    bucket = Bucket(10, 1, clock)
    bucket.close(30)
    task = asyncio.create_task(bucket.take())
    await clock.run([task])
    assert 30 <= clock.time < 31


def test_each_subscription_and_operation_has_its_own_bucket() -> None:
    buckets = Buckets(SUBSCRIPTION_LIMITS, SteppedClock())
    a, header = buckets.of("GET", "/subscriptions/A/resourceGroups/x")
    assert header == "x-ms-ratelimit-remaining-subscription-reads"
    assert buckets.of("HEAD", "/subscriptions/a/locations/y")[0] is a
    assert buckets.of("GET", "/subscriptions/b")[0] is not a
    assert buckets.of("PUT", "/subscriptions/a/x")[0] is not a
    assert buckets.of("POST", "/subscriptions/a/x")[1].endswith("-writes")
    assert buckets.of("DELETE", "/subscriptions/a/x")[1].endswith("-deletes")
    assert buckets.of("GET", "/providers/x")[1] == "x-ms-ratelimit-remaining-tenant-reads"


def test_limits_can_be_off() -> None:
    assert Buckets({}, SteppedClock()).of("GET", "/subscriptions/a")[0] is None
