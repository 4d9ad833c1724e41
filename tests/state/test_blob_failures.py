"""Storage that refuses, loses answers, or is slow while somebody else takes over."""

import asyncio
import uuid
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import replace
from typing import Any

import pytest

from reconciler.core.errors import ReconcilerError, Transient
from reconciler.core.model import Outcome, Plan
from reconciler.core.preview import PreviewState
from reconciler.state.blob import BlobStore
from tests.state.azurite import Azurite, AzuriteTime, azurite, time
from tests.state.builders import DONE, a_plan, a_preview, a_run, an_owned
from tests.state.conformance import MOMENT
from tests.state.proxy import Fate, Proxy

__all__ = ["azurite", "time"]

type Act = Callable[[BlobStore], Awaitable[Any]]

QUEUED = replace(a_run("r2"), plan=Plan("prod", "3f2c1ab"), state="queued")
ACTS: dict[str, Act] = {
    "record": lambda store: store.record("r1", "update:1", DONE, MOMENT),
    "own": lambda store: store.own("prod", [an_owned()]),
    "disown": lambda store: store.disown("prod", [an_owned("kept").arm_id]),
    "end": lambda store: store.end("r1", "failed", "gave up", MOMENT),
    "begin": lambda store: store.begin(a_run("r3")),
    "planned": lambda store: store.planned(replace(QUEUED, plan=a_plan(), state="running")),
}


class Place:
    """One container, seen directly and through a proxy."""

    def __init__(self, azurite: Azurite, proxy: Proxy, url: str) -> None:
        self.azurite, self.proxy, self.url = azurite, proxy, url
        self.stores: list[BlobStore] = []
        self.anew()

    def anew(self) -> None:
        self.name = f"c{uuid.uuid4().hex}"

    def store(self, *, proxied: bool = False) -> BlobStore:
        url = self.url if proxied else ""
        self.stores.append(BlobStore(self.azurite.container(self.name, url)))
        return self.stores[-1]

    async def prepared(self) -> BlobStore:
        store = self.store()
        await store.begin(a_run())
        await store.begin(QUEUED)
        await store.own("prod", [an_owned("kept")])
        return store


@pytest.fixture
async def place(azurite: Azurite) -> AsyncIterator[Place]:
    proxy = Proxy(azurite.urls["Blob"])
    place = Place(azurite, proxy, await proxy.start())
    yield place
    for store in place.stores:
        await store.close()
    await proxy.stop()


async def seen_by(store: BlobStore) -> Any:
    """Everything that is said of an environment."""
    runs = [await store.run(header.id) for header in await store.runs("prod")]
    return runs, await store.owned("prod"), await store.open_runs("prod")


async def test_what_storage_refuses_for_a_while_is_worth_trying_again(place: Place) -> None:
    await place.prepared()
    store = place.store(proxied=True)
    await store.record("r1", "first", DONE, MOMENT)
    place.proxy.fate = place.proxy.refuse
    for act in ACTS.values():
        with pytest.raises(Transient, match="cannot be reached"):
            await act(store)
    with pytest.raises(Transient, match="cannot be reached"):
        await store.runs()
    place.proxy.fate = place.proxy.let_through
    for act in ACTS.values():
        await act(store)
    run = await store.run("r1")
    assert run is not None
    assert run.outcomes == {"first": DONE, "update:1": DONE}
    assert run.state == "failed"


@pytest.mark.parametrize(
    ("fate", "fails"),
    [("lose", 1), ("lose", 4), ("refuse", 4)],
    ids=["an answer", "answers for longer than the client tries", "requests for as long"],
)
@pytest.mark.parametrize("name", ACTS)
async def test_losing_any_request_or_answer_changes_nothing_once_it_is_tried_again(
    place: Place, name: str, fate: Fate, fails: int
) -> None:
    direct = await place.prepared()
    await ACTS[name](direct)
    expected = await seen_by(direct)
    for failing in range(1, 30):
        place.anew()
        await place.prepared()
        store = place.store(proxied=True)
        place.proxy.requests = 0
        await _until_it_works(place.proxy, ACTS[name], store, fate, range(failing, failing + fails))
        if place.proxy.requests < failing:
            break
        assert await seen_by(store) == expected, failing
    assert failing > 3


@pytest.mark.parametrize("fate", ["lose", "refuse"])
@pytest.mark.parametrize(
    ("before", "after"),
    [(None, "planned"), (None, "closed"), ("planned", "closed"), ("closed", "planned")],
)
async def test_a_preview_is_listed_if_it_is_open_wherever_keeping_it_breaks_off(
    place: Place, before: PreviewState | None, after: PreviewState, fate: Fate
) -> None:
    old, new = a_preview(7, before) if before else None, a_preview(7, after)
    for failing in range(1, 10):
        place.anew()
        direct = place.store()
        if old:
            await direct.keep_preview(old)
        store = place.store(proxied=True)
        await store.preview(8)
        first = place.proxy.requests

        async def fail(number: int, first: int = first + failing) -> Fate:
            return fate if number >= first else "pass"

        place.proxy.fate = fail
        failed = await _outcome(store.keep_preview(new))
        found = await direct.preview(7)
        assert found in (old, new), failing
        assert await direct.open_previews() == ([found] if found and found.open else []), failing
        place.proxy.fate = place.proxy.let_through
        await store.keep_preview(new)
        assert await direct.preview(7) == new
        assert await direct.open_previews() == ([new] if new.open else [])
        if failed is None:
            break
        assert isinstance(failed, Transient)
    assert failing == (3 if after == "closed" else 2)


async def test_open_previews_are_found_without_reading_closed_ones(place: Place) -> None:
    direct = place.store()
    for pull in range(1, 31):
        await direct.keep_preview(a_preview(pull, "closed" if pull < 29 else "planned"))
    store = place.store(proxied=True)
    await store.preview(29)
    first = place.proxy.requests
    assert [one.pull for one in await store.open_previews()] == [29, 30]
    assert place.proxy.requests - first == 3  # the listing, and one for each


async def _until_it_works(
    proxy: Proxy, act: Act, store: BlobStore, fate: Fate, failing: range
) -> None:
    async def fail(number: int) -> Fate:
        return fate if number in failing else "pass"

    proxy.fate = fail
    while isinstance(await _outcome(act(store)), Transient):
        pass
    proxy.fate = proxy.let_through


@pytest.mark.parametrize("name", ACTS)
async def test_a_writer_that_is_overtaken_at_any_request_changes_nothing_any_more(
    place: Place, time: AzuriteTime, name: str
) -> None:
    """A writer stops before each of its requests until its successor has looked at everything;
    when it goes on, what the successor saw still holds."""
    for stopping in range(1, 20):
        place.anew()
        quick = await place.prepared()
        slow = place.store(proxied=True)
        lease = await slow.lease("prod", "slow", 60)
        stopped, goes_on = asyncio.Event(), asyncio.Event()
        first = place.proxy.requests

        async def wait(number: int, last: int = first + stopping) -> Fate:
            if number == last:
                stopped.set()  # noqa: B023 (awaited within its turn of the loop)
                await goes_on.wait()  # noqa: B023
            return "pass"

        place.proxy.fate = wait
        writing = asyncio.create_task(_outcome(ACTS[name](slow)))
        waiting = asyncio.create_task(stopped.wait())
        await asyncio.wait({writing, waiting}, return_when=asyncio.FIRST_COMPLETED)
        waiting.cancel()
        time.pass_by(61)
        async with await quick.lease("prod", "quick", 60):
            before = await seen_by(quick)
            goes_on.set()
            failed = await writing
            assert await seen_by(quick) == before, (name, stopping)
            assert failed is None or isinstance(failed, Transient)
            with pytest.raises(Transient):
                await lease.renew()
            await quick.record("r1", "after", Outcome("started"), MOMENT)
        place.proxy.fate = place.proxy.let_through
        if not stopped.is_set():
            break
    assert stopping > 1


async def _outcome(call: Awaitable[Any]) -> ReconcilerError | None:
    try:
        await call
    except ReconcilerError as error:
        return error
    return None


async def test_a_lease_whose_answer_was_lost_does_not_outlast_the_attempt(place: Place) -> None:
    await place.prepared()
    store = place.store(proxied=True)
    await store.runs()
    first = place.proxy.requests

    async def lose_four(number: int) -> Fate:
        return "lose" if first < number < first + 5 else "pass"

    place.proxy.fate = lose_four
    with pytest.raises(Transient, match="cannot be reached"):
        await store.lease("prod", "worker-1", 60)
    async with await place.store().lease("prod", "worker-2", 60):
        pass


async def test_a_lease_that_cannot_be_given_back_does_not_hide_what_went_before(
    place: Place,
) -> None:
    await place.prepared()
    store = place.store(proxied=True)
    async with await store.lease("prod", "worker-1", 60):
        place.proxy.fate = place.proxy.refuse
    place.proxy.fate = place.proxy.let_through
    await store.own("prod", [an_owned()])


async def test_what_waits_for_a_lost_append_fails_with_it_and_is_not_written_twice(
    place: Place,
) -> None:
    await place.prepared()
    store = place.store(proxied=True)
    await store.record("r1", "first", DONE, MOMENT)
    place.proxy.fate = place.proxy.refuse
    steps = [f"step-{number}" for number in range(10)]
    calls = [_outcome(store.record("r1", step, DONE, MOMENT)) for step in steps]
    answers = await asyncio.gather(*calls)
    assert all(isinstance(answer, Transient) for answer in answers)
    place.proxy.fate = place.proxy.let_through
    await store.record("r1", "last", DONE, MOMENT)
    run = await store.run("r1")
    assert run is not None
    assert run.outcomes.keys() == {"first", "last"}


async def test_a_task_that_is_cancelled_while_it_writes_for_others_leaves_it_to_them(
    place: Place,
) -> None:
    await place.prepared()
    store = place.store(proxied=True)
    await store.record("r1", "first", DONE, MOMENT)
    arrived, goes_on = asyncio.Event(), asyncio.Event()

    async def wait(number: int) -> Fate:
        arrived.set()
        await goes_on.wait()
        return "pass"

    place.proxy.fate = wait
    first = asyncio.create_task(store.record("r1", "cancelled", DONE, MOMENT))
    await arrived.wait()
    others = [asyncio.create_task(store.record("r1", f"step-{n}", DONE, MOMENT)) for n in range(3)]
    first.cancel()
    await asyncio.gather(first, return_exceptions=True)
    place.proxy.fate = place.proxy.let_through
    goes_on.set()
    await asyncio.gather(*others)
    run = await store.run("r1")
    assert run is not None
    assert {"first", "step-0", "step-1", "step-2"} <= run.outcomes.keys()
