"""What every Store promises. A test module of an adapter subclasses ``StoreConformance`` and gives
it a fixture ``open_store``: a function that opens one more store over the same saved state."""

import asyncio
from collections.abc import Callable
from contextlib import AsyncExitStack
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from reconciler.core.errors import Transient
from reconciler.core.model import Outcome, Plan, RunState, Status
from reconciler.core.preview import PreviewState
from reconciler.ports import Store
from tests.state.builders import CHAT_ID, DONE, a_plan, a_preview, a_run, an_owned

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

    async def test_runs_of_one_mode_are_found_behind_any_number_of_others(
        self, store: Store
    ) -> None:
        await store.begin(a_run("a", "prod", "2026-11-20T10:00:00+00:00"))
        for place in range(5):
            plan = a_run(f"p{place}", "prod", f"2026-11-20T11:00:0{place}+00:00")
            await store.begin(replace(plan, mode="plan"))
        assert [run.id for run in await store.runs("prod", 1, "apply")] == ["a"]
        assert [run.id for run in await store.runs(limit=2, mode="plan")] == ["p4", "p3"]
        assert await store.runs("dev", mode="apply") == []

    async def test_the_newest_of_many_runs_come_in_pages(self, store: Store) -> None:
        for place in range(12):
            await store.begin(
                a_run(f"20261120-1200{place:02}-ab", "prod", f"2026-11-20T{place:02}")
            )
        assert [run.id[-5:-3] for run in await store.runs("prod", 3)] == ["11", "10", "09"]
        assert len(await store.runs(limit=100)) == 12

    async def test_a_header_tells_what_the_run_tells(self, store: Store) -> None:
        await store.begin(a_run())
        await store.end("r1", "failed", "größer than\n2 lines", MOMENT)
        ended = await store.run("r1")
        assert ended is not None
        assert await store.runs() == [ended.header]

    async def test_a_queued_run_is_planned_and_ends(self, store: Store) -> None:
        queued = replace(a_run(), plan=Plan("prod", "3f2c1ab"), state="queued", only=("Account/*",))
        await store.begin(queued)
        assert await store.run("r1") == queued
        assert await store.unfinished("prod") is None
        await store.planned(replace(queued, plan=a_plan(), state="running"))
        assert await store.run("r1") == replace(queued, plan=a_plan(), state="running")
        assert await store.unfinished("prod") == await store.run("r1")
        await store.end("r1", "done", "", MOMENT)
        assert await store.state("r1") == "done"

    async def test_a_run_remembers_its_pull_requests(self, store: Store) -> None:
        queued = replace(a_run(), plan=Plan("prod", "3f2c1ab"), state="queued", pulls=(7, 8))
        queued = replace(queued, pull=8)
        await store.begin(queued)
        assert await store.run("r1") == queued
        assert [run.pull for run in await store.open_runs()] == [8]
        planned = replace(queued, plan=a_plan(), state="running", pulls=(7, 8, 9))
        await store.planned(planned)
        assert await store.run("r1") == planned
        await store.end("r1", "done", "", MOMENT)
        run = await store.run("r1")
        assert run is not None
        assert (run.pulls, run.pull) == ((7, 8, 9), 8)
        assert await store.runs() == [run.header]
        assert run.header.pull == 8

    @pytest.mark.parametrize("leased", [True, False])
    async def test_an_apply_that_is_refused_keeps_its_plan_and_never_counts_as_begun(
        self, open_store: Callable[[], Store], leased: bool
    ) -> None:
        worker, other = open_store(), open_store()
        queued = replace(a_run(), plan=Plan("prod", "3f2c1ab"), state="queued")
        planned = replace(queued, plan=a_plan())
        await worker.begin(queued)
        async with AsyncExitStack() as held:
            if leased:
                await held.enter_async_context(await worker.lease("prod", "worker-1", 60))
            await worker.planned(planned)
            # As a worker that dies here leaves it:
            assert await other.run("r1") == planned
            assert await other.state("r1") == "queued"
            assert [run.id for run in await other.open_runs("prod")] == ["r1"]
            assert await other.unfinished("prod") is None
            await worker.end("r1", "refused", "too many deletes", MOMENT)
        async with await other.lease("prod", "worker-2", 60):
            assert await other.unfinished("prod") is None
            assert await other.open_runs() == []
        run = await other.run("r1")
        ended_at = MOMENT.isoformat()
        refused = replace(planned, state="refused", detail="too many deletes", ended_at=ended_at)
        assert run == refused
        assert await other.runs() == [refused.header]

    async def test_a_queued_run_with_a_plan_is_planned_anew_by_whoever_finds_it(
        self, open_store: Callable[[], Store], time: HeldTime
    ) -> None:
        dead, other = open_store(), open_store()
        queued = replace(a_run(), plan=Plan("prod", "3f2c1ab"), state="queued")
        await dead.begin(queued)
        await dead.lease("prod", "dead", 60)
        await dead.planned(replace(queued, plan=a_plan()))
        time.pass_by(61)
        running = replace(queued, plan=replace(a_plan(), reads=15), state="running")
        async with await other.lease("prod", "worker-2", 60):
            await other.planned(running)
            assert await other.unfinished("prod") == running
            await other.end("r1", "done", "", MOMENT)
        assert await dead.state("r1") == "done"

    async def test_planning_a_run_that_ended_changes_nothing(self, store: Store) -> None:
        queued = replace(a_run(), plan=Plan("prod", "3f2c1ab"), state="queued")
        await store.begin(queued)
        await store.cancel("r1", MOMENT)
        before = await store.run("r1")
        await store.planned(replace(queued, plan=a_plan(), state="running"))
        assert await store.run("r1") == before

    async def test_a_run_ends_once(self, store: Store) -> None:
        await store.begin(a_run())
        await store.end("r1", "failed", "first", MOMENT)
        await store.end("r1", "done", "second", MOMENT)
        (header,) = await store.runs()
        assert (header.state, header.detail) == ("failed", "first")

    async def test_the_state_of_a_run_that_nobody_saved_is_none(self, store: Store) -> None:
        assert await store.state("r1") is None
        assert await store.state("../../etc") is None
        assert await store.run("a b?c#d/é") is None

    @pytest.mark.parametrize(
        ("before", "after"),
        [("queued", "cancelled"), ("running", "cancelling"), ("done", "done")],
    )
    async def test_cancelling_depends_on_how_far_a_run_is(
        self, store: Store, before: RunState, after: RunState
    ) -> None:
        await store.begin(replace(a_run(), state="queued" if before == "queued" else "running"))
        if before == "done":
            await store.end("r1", "done", "", MOMENT)
        assert await store.cancel("r1", MOMENT) == after
        assert await store.cancel("r1", MOMENT) == after
        assert await store.state("r1") == after

    async def test_cancelling_an_unknown_run_is_a_mistake(self, store: Store) -> None:
        with pytest.raises(KeyError):
            await store.cancel("r1", MOMENT)

    async def test_open_runs_come_oldest_first_and_without_those_that_ended(
        self, store: Store
    ) -> None:
        for run_id, environment, hour in [("a", "prod", 10), ("b", "dev", 11), ("c", "prod", 12)]:
            run = a_run(run_id, environment, f"2026-11-20T{hour}:00:00+00:00")
            await store.begin(replace(run, state="queued"))
        assert [run.id for run in await store.open_runs()] == ["a", "b", "c"]
        assert [run.id for run in await store.open_runs("prod")] == ["a", "c"]
        await store.end("a", "superseded", "c took its place", MOMENT)
        assert [run.id for run in await store.open_runs("prod")] == ["c"]
        await store.cancel("c", MOMENT)
        assert await store.open_runs("prod") == []

    async def test_a_plan_run_is_never_unfinished(self, store: Store) -> None:
        await store.begin(replace(a_run(), mode="plan"))
        assert await store.unfinished("prod") is None
        assert [run.id for run in await store.open_runs("prod")] == ["r1"]

    async def test_the_newest_unfinished_apply_counts(self, store: Store) -> None:
        await store.begin(a_run("a", created_at="2026-11-20T10:00:00+00:00"))
        await store.begin(a_run("b", created_at="2026-11-20T11:00:00+00:00"))
        newest = await store.unfinished("prod")
        assert newest is not None
        assert newest.id == "b"

    async def test_a_status_is_kept_by_environment(self, store: Store) -> None:
        assert await store.status("prod") == Status("prod")
        status = Status("prod", applied_commit="3f2c1ab", failures=2, drift=3, retry_at="never")
        await store.keep_status(replace(status, failures=1))
        await store.keep_status(status)
        assert await store.status("prod") == status
        assert await store.status("dev") == Status("dev")

    async def test_a_preview_is_read_back_as_it_was_kept(self, store: Store) -> None:
        assert await store.preview(7) is None
        assert await store.open_previews() == []
        await store.keep_preview(a_preview())
        assert await store.preview(7) == a_preview()
        assert await store.preview(70) is None
        assert await store.preview(-7) is None
        assert await store.preview(10**30) is None

    async def test_keeping_a_preview_again_replaces_it(
        self, open_store: Callable[[], Store]
    ) -> None:
        one, other = open_store(), open_store()
        await one.keep_preview(a_preview())
        await other.keep_preview(replace(a_preview(), environments=(), told="", state="failed"))
        found = await one.preview(7)
        assert found == replace(a_preview(), environments=(), told="", state="failed")
        assert await one.open_previews() == [found]

    async def test_open_previews_come_oldest_first(self, store: Store) -> None:
        for pull, hour in [(9, 12), (10, 11), (100, 10), (7, 12)]:
            await store.keep_preview(a_preview(pull, "planning", f"2026-11-20T{hour}:00:00+00:00"))
        found = await store.open_previews()
        assert [one.pull for one in found] == [100, 10, 7, 9]

    @pytest.mark.parametrize(
        "state", ["planning", "planned", "invalid", "conflicting", "untrusted", "failed"]
    )
    async def test_a_preview_is_listed_until_it_is_closed_and_when_it_is_opened_again(
        self, store: Store, state: PreviewState
    ) -> None:
        for _ in range(2):
            await store.keep_preview(a_preview(7, state))
            assert await store.open_previews() == [a_preview(7, state)]
            for _ in range(2):
                await store.keep_preview(a_preview(7, "closed"))
                assert await store.open_previews() == []
                assert await store.preview(7) == a_preview(7, "closed")

    async def test_a_preview_may_be_closed_that_nobody_saw_open(self, store: Store) -> None:
        await store.keep_preview(a_preview(7, "closed"))
        assert await store.preview(7) == a_preview(7, "closed")
        assert await store.open_previews() == []

    async def test_of_many_previews_the_open_ones_are_listed(self, store: Store) -> None:
        for pull in range(1, 61):
            await store.keep_preview(a_preview(pull, "closed" if pull % 3 else "planned"))
        assert [one.pull for one in await store.open_previews()] == list(range(3, 61, 3))

    async def test_of_two_that_open_and_close_at_once_one_has_the_last_word(
        self, open_store: Callable[[], Store]
    ) -> None:
        one, other = open_store(), open_store()
        for _ in range(10):
            await asyncio.gather(
                one.keep_preview(a_preview(7, "closed")), other.keep_preview(a_preview(7))
            )
            found = await one.preview(7)
            assert found in (a_preview(7, "closed"), a_preview(7))
            assert await other.open_previews() == ([found] if found.open else [])

    async def test_a_pull_request_has_a_lease_of_its_own(
        self, open_store: Callable[[], Store], time: HeldTime
    ) -> None:
        one, other = open_store(), open_store()
        async with await one.lease("pull.7", "worker-1", 60) as lease:
            with pytest.raises(Transient, match=r"pull\.7 .*worker-1"):
                await other.lease("pull.7", "worker-2", 60)
            async with await other.lease("pull.70", "worker-2", 60):
                await lease.renew()
                await one.keep_preview(a_preview())
            time.pass_by(61)
            async with await other.lease("pull.7", "worker-2", 60):
                with pytest.raises(Transient, match="worker-2"):
                    await lease.renew()
        assert await other.owned("pull.7") == {}
        assert await other.unfinished("pull.7") is None

    async def test_a_delivery_is_new_once_a_week(self, open_store: Callable[[], Store]) -> None:
        one, other = open_store(), open_store()
        assert not await one.seen("72d3162e-cc78", MOMENT)
        assert await other.seen("72d3162e-cc78", MOMENT + timedelta(days=6))
        assert not await one.seen("another", MOMENT)
        assert not await other.seen("72d3162e-cc78", MOMENT + timedelta(days=7, seconds=1))

    async def test_names_of_environments_do_not_meet(self, store: Store) -> None:
        names = ["prod", "prod/eu", "prod%2Feu", "PROD", "größe"]
        for place, name in enumerate(names):
            await store.own(name, [an_owned(capacity=place)])
            await store.keep_status(Status(name, drift=place))
            await store.begin(a_run(f"r{place}", name))
        for place, name in enumerate(names):
            assert await store.owned(name) == {CHAT_ID.lower(): an_owned(capacity=place)}
            assert (await store.status(name)).drift == place
            assert [run.id for run in await store.open_runs(name)] == [f"r{place}"]

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

    async def test_outcomes_that_come_at_once_are_all_kept(self, store: Store) -> None:
        await store.begin(a_run())
        steps = [f"step-{place}" for place in range(100)]
        await asyncio.gather(*(store.record("r1", step, DONE, MOMENT) for step in steps))
        run = await store.run("r1")
        assert run is not None
        assert run.outcomes.keys() == set(steps)

    async def test_of_twelve_that_want_the_same_exactly_one_wins(
        self, open_store: Callable[[], Store]
    ) -> None:
        stores = [open_store() for _ in range(12)]
        runs = [replace(a_run(), requested_by=str(place)) for place in range(12)]
        await asyncio.gather(*(s.begin(r) for s, r in zip(stores, runs, strict=True)))
        assert len(await stores[0].runs()) == 1
        assert await stores[0].run("r1") in runs
        ends = [s.end("r1", "failed", str(n), MOMENT) for n, s in enumerate(stores)]
        await asyncio.gather(*ends)
        assert len({(await store.runs())[0].detail for store in stores}) == 1
        known = await asyncio.gather(*(store.seen("d", MOMENT) for store in stores))
        assert known.count(False) == 1
        assert len(set(await asyncio.gather(*(store.digest_key() for store in stores)))) == 1

    async def test_of_twelve_that_want_the_lease_exactly_one_gets_it(
        self, open_store: Callable[[], Store]
    ) -> None:
        stores = [open_store() for _ in range(12)]
        for _ in range(3):
            wanted = [s.lease("prod", f"worker-{n}", 60) for n, s in enumerate(stores)]
            answers = await asyncio.gather(*wanted, return_exceptions=True)
            (won,) = [one for one in answers if not isinstance(one, BaseException)]
            assert sum(isinstance(one, Transient) for one in answers) == 11
            async with won:
                pass

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

    async def test_a_run_that_was_taken_over_is_ended_by_its_new_writer_only(
        self, open_store: Callable[[], Store], time: HeldTime
    ) -> None:
        slow, quick = open_store(), open_store()
        await slow.begin(a_run())
        async with await slow.lease("prod", "slow", 60):
            await slow.record("r1", "update:1", Outcome("started"), MOMENT)
            time.pass_by(61)
            async with await quick.lease("prod", "quick", 60):
                with pytest.raises(Transient, match="quick"):
                    await slow.end("r1", "failed", "gave up", MOMENT)
                with pytest.raises(Transient, match="quick"):
                    await slow.begin(a_run("r2"))
                with pytest.raises(Transient, match="quick"):
                    await slow.planned(a_run())
                assert await quick.unfinished("prod") is not None
                await quick.record("r1", "update:1", DONE, MOMENT)
                await quick.own("prod", [an_owned()])
                await quick.end("r1", "done", "", MOMENT)
        run = await quick.run("r1")
        assert run is not None
        assert (run.outcomes, run.state) == ({"update:1": DONE}, "done")
        assert await quick.owned("prod") == {CHAT_ID.lower(): an_owned()}

    async def test_a_run_begun_under_a_lease_is_kept_from_its_writer_after_a_take_over(
        self, open_store: Callable[[], Store], time: HeldTime
    ) -> None:
        slow, quick = open_store(), open_store()
        async with await slow.lease("prod", "slow", 60):
            await slow.begin(a_run())
            time.pass_by(61)
            async with await quick.lease("prod", "quick", 60):
                with pytest.raises(Transient, match="quick"):
                    await slow.record("r1", "update:1", DONE, MOMENT)
                await quick.record("r1", "update:1", Outcome("failed"), MOMENT)
        run = await quick.run("r1")
        assert run is not None
        assert run.outcomes == {"update:1": Outcome("failed")}

    async def test_writers_that_follow_each_other_go_on_where_the_last_one_was(
        self, open_store: Callable[[], Store]
    ) -> None:
        await open_store().begin(a_run())
        for place in range(5):
            store = open_store()
            async with await store.lease("prod", f"worker-{place}", 60):
                assert len(await store.owned("prod")) == place
                await store.record("r1", f"step-{place}", DONE, MOMENT)
                await store.own("prod", [an_owned(str(place))])
        run = await open_store().run("r1")
        assert run is not None
        assert len(run.outcomes) == 5

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
