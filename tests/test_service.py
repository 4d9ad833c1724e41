"""The service: what is asked becomes runs, runs end, and nothing that gets lost stays lost."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from random import Random

import pytest

from reconciler.core.errors import Permanent, Refused, Transient
from reconciler.local.azure import Fault
from reconciler.service import Asked, Ended, UnknownCommit, UnknownEnvironment, UnknownRun
from reconciler.service.parts import GIVE_UP_S, LOST_S
from reconciler.service.standing import NEVER, RETRY_LONGEST_S, RETRY_S
from tests.desk import ACCOUNT_ID, Desk, a_desk
from tests.engine.estates import ACCOUNT, GROUP, chat

CHAT_ID = f"{ACCOUNT_ID}/deployments/chat"


@pytest.fixture
async def desk(tmp_path: Path) -> AsyncIterator[Desk]:
    async with a_desk(tmp_path) as one:
        yield one


async def test_a_request_becomes_a_run_that_is_done(desk: Desk) -> None:
    commit = desk.declare(GROUP, ACCOUNT, chat())
    run = await desk.apply()
    status = await desk.status()
    assert [run.mode, run.plan.commit, len(run.outcomes)] == ["apply", commit, 3]
    assert [status.applied_commit, status.tried_commit, status.failures] == [commit, commit, 0]
    assert await desk.converged()


async def test_what_cannot_be_asked_queues_nothing(desk: Desk) -> None:
    first = desk.declare(GROUP)
    desk.declare(GROUP, ACCOUNT)
    with pytest.raises(UnknownEnvironment, match=r"\(there are: dev\)"):
        await desk.service.request(Asked("prod", "plan"))
    with pytest.raises(Refused, match="only the head"):
        await desk.ask("apply", ref=first)
    with pytest.raises(UnknownCommit):
        await desk.ask("plan", ref="0" * 40)
    assert [await desk.runs(), desk.queue.waiting] == [[], []]


async def test_a_plan_of_an_earlier_commit_can_be_asked_for(desk: Desk) -> None:
    first = desk.declare(GROUP)
    head = desk.declare(GROUP, ACCOUNT)
    one, two = await desk.ask("plan", ref=first), await desk.ask("plan", ref=head[:9])
    await desk.work()
    assert [len((await desk.run(name)).plan.changes) for name in (one, two)] == [1, 2]
    assert (await desk.run(two)).plan.commit == head


async def test_a_run_can_be_limited_to_some_resources(desk: Desk) -> None:
    desk.declare(GROUP, ACCOUNT, chat())
    name = await desk.ask(only=("Account/contoso",))
    await desk.work()
    assert (await desk.run(name)).state == "done"
    assert not desk.world.get(f"{ACCOUNT_ID}/deployments/chat")
    assert (await desk.status()).applied_commit == ""


async def test_a_newer_request_takes_the_place_of_one_that_waits(desk: Desk) -> None:
    desk.declare(GROUP)
    older = await desk.ask()
    newer = await desk.ask()
    await desk.work()
    assert (await desk.run(older)).state == "superseded"
    assert newer in (await desk.run(older)).detail
    assert (await desk.run(newer)).state == "done"


async def test_a_run_too_many_that_failed_is_forgotten_once_everything_stands(
    desk: Desk,
) -> None:
    """A doubled request whose message nobody could handle says nothing about the environment."""
    desk.declare(GROUP)
    await desk.apply()
    name = await desk.ask()
    desk.queue.waiting.clear()
    await desk.service.poisoned({"run": name})
    assert (await desk.status()).failures == 1
    desk.skip(RETRY_S + 60)
    await desk.sweep()
    status = await desk.status()
    assert [status.failures, status.retry_at, status.drift] == [0, "", 0]


async def test_a_plan_never_waits_for_an_apply(desk: Desk) -> None:
    desk.declare(GROUP)
    async with await desk.store.lease("dev", "somebody", 600):
        name = await desk.ask("plan")
        await desk.work()
    assert (await desk.run(name)).state == "done"


async def test_an_apply_waits_while_somebody_writes_who_cannot_wake_it(desk: Desk) -> None:
    desk.declare(GROUP)
    async with await desk.store.lease("dev", "somebody", 600):
        name = await desk.ask()
        await desk.service.handle(desk.queue.take())
        assert (await desk.run(name)).state == "queued"
        assert desk.queue.delays[-1] > 500
    await desk.work()
    assert (await desk.run(name)).state == "done"


async def test_an_apply_that_waits_is_woken_by_the_one_before_it(tmp_path: Path) -> None:
    async with a_desk(tmp_path, time_scale=1.0) as desk:
        desk.declare(GROUP, ACCOUNT)
        desk.service.budget_s = 5.0
        first = await desk.ask()
        while (await desk.run(first)).state == "queued":
            await desk.service.handle(desk.queue.take())
        second = await desk.ask(only=("ResourceGroup/*",))
        kept, desk.queue.waiting = desk.queue.waiting, []
        async with await desk.store.lease("dev", "the first one's worker", 600):
            await desk.service.handle({"run": second})
            assert [desk.queue.waiting[0]["run"], desk.queue.delays[-1] > 500] == [second, True]
            await desk.service.handle(desk.queue.take())
            assert desk.queue.waiting == [], "it does not ask again and again"
        desk.queue.waiting = [one for one in kept if one != {"run": second}]
        await desk.work()
        assert [(await desk.run(name)).state for name in (first, second)] == ["done", "done"]


async def test_a_run_goes_on_once_the_lease_of_its_dead_worker_is_over(tmp_path: Path) -> None:
    async with a_desk(tmp_path, time_scale=1.0) as desk:
        desk.declare(GROUP, ACCOUNT)
        desk.service.budget_s = 5.0
        name = await desk.ask()
        while (await desk.run(name)).state == "queued":
            await desk.service.handle(desk.queue.take())
        await desk.store.lease("dev", "a worker that dies with it", 60)
        await desk.service.handle(desk.queue.take())
        assert [len(desk.queue.waiting), desk.queue.delays[-1] > 55] == [1, True]
        desk.skip(desk.queue.delays[-1])
        await desk.work()
        assert (await desk.run(name)).state == "done"


async def test_a_run_that_is_out_of_time_goes_on_later(tmp_path: Path) -> None:
    async with a_desk(tmp_path, time_scale=1.0) as desk:
        desk.declare(GROUP, ACCOUNT, chat())
        desk.service.budget_s = 3.0
        await desk.apply()
        assert desk.turns > 2
        writes = [path for _, path in desk.world.writes()]
        assert len(writes) == len(set(writes)) == 3


async def test_a_newer_commit_takes_over_between_two_turns(tmp_path: Path) -> None:
    async with a_desk(tmp_path, time_scale=1.0) as desk:
        desk.declare(GROUP, ACCOUNT, chat(2))
        desk.service.budget_s = 3.0
        first = await desk.ask()
        await desk.service.handle(desk.queue.take())
        assert (await desk.run(first)).state == "running"
        desk.declare(GROUP, ACCOUNT, chat(5))
        second = await desk.ask()
        desk.queue.waiting.reverse()
        await desk.work()
        assert [(await desk.run(n)).state for n in (first, second)] == ["superseded", "done"]
        assert desk.world.get(CHAT_ID)["sku"]["capacity"] == 5


async def test_a_run_that_waits_is_cancelled_at_once(desk: Desk) -> None:
    desk.declare(GROUP)
    name = await desk.ask()
    assert await desk.service.cancel(name) == "cancelled"
    await desk.work()
    assert (await desk.run(name)).state == "cancelled"
    assert desk.world.writes() == []


async def test_a_run_that_works_is_cancelled_between_requests(tmp_path: Path) -> None:
    async with a_desk(tmp_path, time_scale=1.0) as desk:
        commit = desk.declare(GROUP, ACCOUNT, chat())
        desk.service.budget_s = 3.0
        name = await desk.ask()
        await desk.service.handle(desk.queue.take())
        assert await desk.service.cancel(name) == "cancelling"
        await desk.work()
        assert (await desk.run(name)).state == "cancelled"
        status = await desk.status()
        assert [status.tried_commit, status.retry_at] == [commit, NEVER]
        await desk.sweep()
        assert await desk.runs() == ["apply cancelled "], "what a person stopped stays stopped"


async def test_a_run_that_is_cancelled_while_it_is_planned_writes_nothing(desk: Desk) -> None:
    desk.declare(GROUP, ACCOUNT)
    name = await desk.ask()
    engine = desk.service.engine("apply")
    planned = engine.propose

    async def propose(*values: object, **more: object) -> object:
        found = await planned(*values, **more)  # type: ignore[arg-type]
        await desk.service.cancel(name)
        return found

    engine.propose = propose  # type: ignore[method-assign,assignment]
    desk.service.engine = lambda mode: engine
    await desk.work()
    assert (await desk.run(name)).state == "cancelled"
    assert desk.world.writes() == []


async def test_what_has_ended_or_never_was_cannot_be_cancelled(desk: Desk) -> None:
    desk.declare(GROUP)
    run = await desk.apply()
    with pytest.raises(Ended, match="done already"):
        await desk.service.cancel(run.id)
    with pytest.raises(UnknownRun):
        await desk.service.cancel("run-9999")
    assert desk.queue.waiting == []


async def test_the_run_of_a_poisoned_message_has_failed(desk: Desk) -> None:
    commit = desk.declare(GROUP)
    name = await desk.ask()
    await desk.service.poisoned(desk.queue.take())
    run, status = await desk.run(name), await desk.status()
    assert [run.state, status.tried_commit, status.failures] == ["failed", commit, 1]
    await desk.service.poisoned({"run": "run-9999"})
    await desk.service.poisoned({"check": "dev"})
    await desk.service.poisoned({})


async def test_a_message_that_was_lost_is_replaced_by_the_sweep(desk: Desk) -> None:
    desk.declare(GROUP)
    name = await desk.ask()
    desk.queue.waiting.clear()
    await desk.sweep()
    assert (await desk.run(name)).state == "queued", "it may still come"
    desk.skip(LOST_S)
    await desk.sweep()
    assert (await desk.run(name)).state == "done"


async def test_the_sweep_applies_a_commit_that_nobody_announced(desk: Desk) -> None:
    desk.declare(GROUP)
    await desk.sweep()
    assert await desk.runs() == ["apply done sweep"]
    desk.declare(GROUP, ACCOUNT)
    await desk.sweep()
    await desk.sweep()
    assert await desk.runs() == ["apply done sweep"] * 2
    assert desk.world.get(ACCOUNT_ID)


async def test_two_checks_at_once_ask_for_one_apply(desk: Desk) -> None:
    desk.declare(GROUP)
    await asyncio.gather(*(desk.service.handle({"check": "dev"}) for _ in range(5)))
    assert await desk.runs() == ["apply queued sweep"]


async def test_an_environment_that_is_applied_on_command_is_only_looked_at(desk: Desk) -> None:
    desk.declare(GROUP, environment="apply: onCommand")
    await desk.sweep()
    assert await desk.runs() == []
    assert (await desk.status()).drift == 1
    await desk.apply()


async def test_drift_is_healed(desk: Desk) -> None:
    desk.declare(GROUP, ACCOUNT, chat(2))
    await desk.apply()
    desk.world.patch(CHAT_ID, {"sku": {"capacity": 7}})
    await desk.sweep()
    assert desk.world.get(CHAT_ID)["sku"]["capacity"] == 2
    assert (await desk.runs())[0] == "apply done drift"


async def test_drift_is_only_reported_where_a_person_decides(desk: Desk) -> None:
    desk.declare(GROUP, ACCOUNT, chat(2), environment="selfHeal: report")
    await desk.apply()
    desk.world.patch(CHAT_ID, {"sku": {"capacity": 7}})
    await desk.sweep()
    assert desk.world.get(CHAT_ID)["sku"]["capacity"] == 7
    assert (await desk.status()).drift == 1
    await desk.apply()
    assert (await desk.status()).drift == 0


async def test_nothing_is_compared_again_before_it_is_time(desk: Desk) -> None:
    desk.declare(GROUP, ACCOUNT)
    await desk.apply()
    desk.service.drift_s = 3600.0
    before = len(desk.world.azure.requests.entries)
    await desk.sweep()
    assert len(desk.world.azure.requests.entries) == before
    desk.skip(3600.0)
    await desk.sweep()
    assert len(desk.world.azure.requests.entries) > before


async def test_a_suspended_environment_is_left_alone(desk: Desk) -> None:
    commit = desk.declare(GROUP, environment="suspend: {reason: audit}")
    await desk.sweep()
    assert await desk.runs() == []
    run = await desk.apply_anyhow()
    assert [run.state, "audit" in run.detail] == ["refused", True]
    assert [desk.world.writes(), (await desk.status()).tried_commit] == [[], commit]


async def test_a_failed_apply_is_tried_again_after_growing_pauses(desk: Desk) -> None:
    desk.declare(GROUP, ACCOUNT, chat())
    desk.world.azure.faults.add([Fault(method="PUT", path="/deployments/", status=400)])
    for turn in range(1, 4):
        await desk.sweep()
        assert await desk.runs() == ["apply failed sweep"] * turn
        assert (await desk.status()).failures == turn
        desk.skip(RETRY_S * 2 ** (turn - 1) * 0.9)
        await desk.sweep()
        assert len(await desk.runs()) == turn, "not yet"
        desk.skip(RETRY_S * 2 ** (turn - 1) * 0.1)
    desk.world.azure.faults.clear()
    await desk.sweep()
    status = await desk.status()
    assert [status.failures, status.retry_at, (await desk.runs())[0]] == [
        0, "", "apply done sweep"
    ]  # fmt: skip


async def test_a_refused_apply_is_not_tried_again_soon(desk: Desk) -> None:
    names = [f"old{number}" for number in range(10)]
    desk.declare(GROUP, ACCOUNT, *(chat(1, name) for name in names), environment="prune: true")
    await desk.apply()
    desk.declare(GROUP, ACCOUNT, environment="prune: true")
    run = await desk.apply_anyhow()
    assert [run.state, "--allow" in run.detail] == ["refused", True]
    desk.skip(RETRY_LONGEST_S / 2)
    await desk.sweep()
    assert len(await desk.runs()) == 2
    plan = await desk.ask("plan")
    await desk.work()
    allow = (await desk.run(plan)).plan.digest
    name = await desk.ask(allow=allow)
    await desk.work()
    assert (await desk.run(name)).state == "done", "a person's word is enough"


async def test_specs_that_cannot_be_used_wait_for_the_next_commit(desk: Desk) -> None:
    desk.declare(GROUP, "kind: Nonsense")
    await desk.sweep()
    assert await desk.runs() == ["apply failed sweep"]
    desk.skip(10 * RETRY_LONGEST_S)
    await desk.sweep()
    assert len(await desk.runs()) == 1
    desk.declare(GROUP)
    await desk.sweep()
    assert await desk.runs() == ["apply done sweep", "apply failed sweep"]


async def test_an_environment_that_is_gone_fails_its_runs(desk: Desk) -> None:
    desk.declare(GROUP)
    name = await desk.ask("plan")
    commit = list(desk.branch.commits)[-1]
    files = desk.branch.commits[commit]
    desk.branch.commits[commit] = {
        path.replace("dev", "prod"): text.replace("name: dev", "name: prod")
        for path, text in files.items()
    }
    await desk.work()
    run = await desk.run(name)
    assert [run.state, run.detail] == ["failed", 'environment "dev" is declared no more']


async def test_a_repository_that_is_away_for_a_while_delays_and_loses_nothing(desk: Desk) -> None:
    desk.declare(GROUP)
    names = [await desk.ask("plan"), await desk.ask()]
    desk.branch.broken = Transient("the repository is away", 30.0)
    for _ in range(6):
        await desk.service.handle(desk.queue.take())
    assert desk.queue.delays[-1] == 30.0
    desk.branch.broken = None
    await desk.work()
    assert [(await desk.run(name)).state for name in names] == ["done", "done"]


async def test_a_run_that_cannot_be_begun_for_a_day_has_failed(desk: Desk) -> None:
    desk.declare(GROUP)
    name = await desk.ask()
    desk.branch.broken = Transient("the repository is away")
    desk.skip(GIVE_UP_S)
    await desk.work()
    run = await desk.run(name)
    assert [run.state, "the repository is away" in run.detail] == ["failed", True]


async def test_a_check_that_cannot_be_made_is_left_to_the_next_sweep(desk: Desk) -> None:
    desk.declare(GROUP)
    await desk.service.sweep()
    desk.branch.broken = Permanent("the repository is gone")
    await desk.work()
    assert await desk.runs() == []


async def test_a_queue_that_is_away_is_told_to_who_asks(desk: Desk) -> None:
    desk.declare(GROUP)
    desk.queue.broken = True
    with pytest.raises(Transient):
        await desk.ask()
    desk.queue.broken = False
    desk.skip(LOST_S)
    await desk.sweep()
    assert (await desk.runs())[-1] == "apply done ", "it was saved, so the sweep finds it"


@pytest.mark.parametrize("seed", range(5))
async def test_doubled_and_reordered_messages_change_nothing(tmp_path: Path, seed: int) -> None:
    chance = Random(seed)
    async with a_desk(tmp_path) as desk:
        for capacity in (1, 2, 3):
            desk.declare(GROUP, ACCOUNT, chat(capacity))
            await desk.ask(chance.choice(["plan", "apply"]))
            await desk.service.sweep()
            desk.queue.waiting += chance.choices(desk.queue.waiting, k=4)
            if chance.random() < 0.5:
                await desk.service.handle(desk.queue.take(chance))
        await desk.work(chance=chance)
        await desk.sweep()
        assert desk.world.get(CHAT_ID)["sku"]["capacity"] == 3
        assert await desk.store.open_runs() == []
        assert await desk.converged()


async def test_a_message_that_asks_for_nothing_known_is_dropped(desk: Desk) -> None:
    for message in ({}, {"dance": "now"}, {"run": "run-9999"}, {"check": "nowhere"}):
        desk.declare(GROUP)
        await desk.service.handle(message)
    assert [await desk.runs(), desk.queue.waiting] == [[], []]


async def test_the_environments_are_listed_with_how_they_stand(desk: Desk) -> None:
    commit = desk.declare(GROUP)
    await desk.apply()
    known = await desk.service.known()
    assert known.commit == commit
    assert [(one.name, status.applied_commit) for one, status in known.environments] == [
        ("dev", commit)
    ]
