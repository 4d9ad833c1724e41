"""What every Store promises. A test module of an adapter subclasses ``StoreConformance`` and gives
it a fixture ``open_store``: a function that opens one more store over the same saved state."""

import asyncio
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from reconciler.core.errors import Transient
from reconciler.core.model import Outcome
from reconciler.ports import Store
from tests.state.builders import CHAT_ID, DONE, a_run, an_owned

MOMENT = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)


class HeldTime:
    """A clock that moves when told."""

    def __init__(self) -> None:
        self.moment = MOMENT

    def now(self) -> datetime:
        return self.moment

    def pass_by(self, seconds: float) -> None:
        self.moment += timedelta(seconds=seconds)


@pytest.fixture
def time() -> HeldTime:
    return HeldTime()


class StoreConformance:
    @pytest.fixture
    def store(self, open_store: Callable[[], Store]) -> Store:
        return open_store()

    async def test_a_run_is_read_back_as_it_was_saved(self, store: Store) -> None:
        await store.begin(a_run())
        assert await store.run("r1") == a_run()

    async def test_a_run_that_nobody_saved_is_none(self, store: Store) -> None:
        assert await store.run("r1") is None
        assert await store.unfinished("prod") is None

    async def test_a_saved_plan_keeps_its_digest(self, store: Store) -> None:
        await store.begin(a_run())
        run = await store.run("r1")
        assert run is not None
        assert run.plan.digest == a_run().plan.digest

    async def test_the_last_outcome_of_a_step_counts(self, store: Store) -> None:
        await store.begin(a_run())
        await store.record("r1", "update:1", Outcome("started"), MOMENT)
        await store.record("r1", "other", Outcome("held", "update:1 failed"), MOMENT)
        await store.record("r1", "update:1", DONE, MOMENT)
        run = await store.run("r1")
        assert run is not None
        assert run.outcomes == {"update:1": DONE, "other": Outcome("held", "update:1 failed")}

    async def test_outcomes_that_a_run_begins_with_are_kept(self, store: Store) -> None:
        run = replace(a_run(), outcomes={"update:1": DONE})
        await store.begin(run)
        assert await store.run("r1") == run

    async def test_beginning_a_run_again_takes_nothing_back(self, store: Store) -> None:
        await store.begin(a_run())
        await store.record("r1", "update:1", DONE, MOMENT)
        await store.begin(a_run())
        run = await store.run("r1")
        assert run is not None
        assert run.outcomes == {"update:1": DONE}

    async def test_recording_in_an_unknown_run_is_a_mistake(self, store: Store) -> None:
        with pytest.raises(KeyError):
            await store.record("r1", "update:1", DONE, MOMENT)
        with pytest.raises(KeyError):
            await store.end("r1", "done", "", MOMENT)

    async def test_an_ended_run_is_no_longer_unfinished(self, store: Store) -> None:
        await store.begin(a_run())
        unfinished = await store.unfinished("prod")
        assert unfinished is not None
        assert unfinished.id == "r1"
        await store.end("r1", "failed", "one of three failed", MOMENT)
        assert await store.unfinished("prod") is None
        run = await store.run("r1")
        assert run is not None
        assert (run.state, run.detail) == ("failed", "one of three failed")
        assert datetime.fromisoformat(run.ended_at) == MOMENT

    async def test_runs_come_newest_first_by_environment(self, store: Store) -> None:
        await store.begin(a_run("a", "prod", "2026-11-20T10:00:00+00:00"))
        await store.begin(a_run("b", "dev", "2026-11-20T11:00:00+00:00"))
        await store.begin(a_run("c", "prod", "2026-11-20T12:00:00+00:00"))
        assert [run.id for run in await store.runs()] == ["c", "b", "a"]
        assert [run.id for run in await store.runs("prod")] == ["c", "a"]
        assert [run.id for run in await store.runs(limit=1)] == ["c"]

    async def test_owned_resources_are_kept_by_lower_cased_id(self, store: Store) -> None:
        await store.own("prod", [an_owned()])
        assert await store.owned("prod") == {CHAT_ID.lower(): an_owned()}
        assert await store.owned("dev") == {}

    async def test_owning_again_replaces(self, store: Store) -> None:
        await store.own("prod", [an_owned(), an_owned("embed")])
        await store.own("prod", [an_owned(capacity=9)])
        owned = await store.owned("prod")
        assert owned[CHAT_ID.lower()] == an_owned(capacity=9)
        assert len(owned) == 2

    async def test_disowning_forgets_whatever_the_case(self, store: Store) -> None:
        await store.own("prod", [an_owned()])
        await store.disown("prod", [CHAT_ID.upper(), "/never/owned"])
        assert await store.owned("prod") == {}

    async def test_another_store_sees_what_was_answered_for(
        self, open_store: Callable[[], Store]
    ) -> None:
        one, other = open_store(), open_store()
        await one.begin(a_run())
        await one.own("prod", [an_owned()])
        await other.record("r1", "update:1", DONE, MOMENT)
        run = await one.run("r1")
        assert run is not None
        assert run.outcomes == {"update:1": DONE}
        assert len(await other.owned("prod")) == 1

    async def test_two_writers_interleave_without_losing_anything(
        self, open_store: Callable[[], Store]
    ) -> None:
        stores = [open_store(), open_store()]
        await stores[0].begin(a_run())

        async def write(store: Store, name: str) -> None:
            for place in range(20):
                await store.record("r1", f"{name}-{place}", DONE, MOMENT)
                await store.own("prod", [an_owned(f"{name}-{place}")])

        await asyncio.gather(*(write(s, n) for s, n in zip(stores, "ab", strict=True)))
        run = await stores[0].run("r1")
        assert run is not None
        assert len(run.outcomes) == 40
        assert len(await stores[1].owned("prod")) == 40

    async def test_one_writer_at_a_time_and_the_other_learns_who(
        self, open_store: Callable[[], Store]
    ) -> None:
        one, other = open_store(), open_store()
        async with await one.lease("prod", "worker-1", 60):
            with pytest.raises(Transient, match="worker-1") as refused:
                await other.lease("prod", "worker-2", 60)
            assert refused.value.retry_after_s == pytest.approx(60)
        async with await other.lease("prod", "worker-2", 60):
            pass

    async def test_environments_do_not_wait_for_each_other(self, store: Store) -> None:
        async with (
            await store.lease("prod", "worker-1", 60),
            await store.lease("dev", "worker-1", 60),
        ):
            pass

    async def test_a_lease_of_a_writer_that_died_runs_out(
        self, open_store: Callable[[], Store], time: HeldTime
    ) -> None:
        await open_store().lease("prod", "dead", 60)
        time.pass_by(59)
        with pytest.raises(Transient, match="dead"):
            await open_store().lease("prod", "worker-2", 60)
        time.pass_by(1)
        async with await open_store().lease("prod", "worker-2", 60):
            pass

    async def test_a_renewed_lease_lasts_longer(
        self, open_store: Callable[[], Store], time: HeldTime
    ) -> None:
        async with await open_store().lease("prod", "worker-1", 60) as lease:
            time.pass_by(50)
            await lease.renew()
            time.pass_by(50)
            with pytest.raises(Transient, match="worker-1"):
                await open_store().lease("prod", "worker-2", 60)

    async def test_a_lease_that_ran_out_unnoticed_can_still_be_renewed(
        self, store: Store, time: HeldTime
    ) -> None:
        async with await store.lease("prod", "worker-1", 60) as lease:
            time.pass_by(600)
            await lease.renew()

    async def test_a_writer_that_slept_too_long_can_neither_renew_nor_write(
        self, open_store: Callable[[], Store], time: HeldTime
    ) -> None:
        slow, quick = open_store(), open_store()
        await slow.begin(a_run())
        async with await slow.lease("prod", "slow", 60) as lease:
            time.pass_by(61)
            async with await quick.lease("prod", "quick", 60):
                with pytest.raises(Transient, match="quick"):
                    await lease.renew()
                with pytest.raises(Transient, match="quick"):
                    await slow.record("r1", "update:1", DONE, MOMENT)
                with pytest.raises(Transient, match="quick"):
                    await slow.own("prod", [an_owned()])
            with pytest.raises(Transient, match="meanwhile"):
                await slow.end("r1", "done", "", MOMENT)
        run = await quick.run("r1")
        assert run is not None
        assert (run.outcomes, run.state) == ({}, "running")

    async def test_a_late_goodbye_does_not_end_the_lease_of_the_successor(
        self, open_store: Callable[[], Store], time: HeldTime
    ) -> None:
        slow, quick = open_store(), open_store()
        async with await slow.lease("prod", "slow", 60):
            time.pass_by(61)
            await quick.lease("prod", "quick", 60)
        with pytest.raises(Transient, match="quick"):
            await open_store().lease("prod", "worker-3", 60)

    async def test_the_digest_key_is_made_once(self, open_store: Callable[[], Store]) -> None:
        key = await open_store().digest_key()
        assert len(key) >= 32
        assert await open_store().digest_key() == key
