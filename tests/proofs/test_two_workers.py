"""Two instances at one environment: whatever is slow, freezes, dies or is told the wrong time, at
no moment do both write."""

import asyncio
from pathlib import Path
from random import Random

import pytest

from reconciler.core.errors import ReconcilerError
from reconciler.service import Asked
from tests.engine.estates import ACCOUNT, GROUP, chat
from tests.engine.killing import Killed
from tests.proofs.scale import scaled
from tests.proofs.simulation import Instance, Luck, Simulation, a_simulation, simulate
from tests.proofs.test_killed_service import SWEEP_S, commit

CHUNKS = 4
SCHEDULES = 12
"""In each chunk."""
LONGEST_S = 20 * 3600.0
PAUSES = (0.0, 0.0, 0.0, 0.01, 0.3, 2.0)
LATENCY_S = (0.0, 0.05, 1.0, 6.0)
SKEW_S = 30.0
"""How wrong an instance's own clock may be."""
LEASE_SKEW_S = 4.0
"""How wrong the clock may be that leases are measured by: one machine's, or the storage's."""


def an_instance(simulation: Simulation, name: str, chance: Random, mortal: bool) -> Instance:
    luck = Luck(
        Random(chance.random()),
        pauses=PAUSES,
        freezes=chance.choice((0.0, 0.01, 0.04)),
        dies_at=chance.randrange(10, 200) if mortal else -1,
        after=chance.random() < 0.5,
    )
    return simulation.instance(
        name,
        luck,
        ahead_s=chance.uniform(-SKEW_S, SKEW_S),
        lease_ahead_s=chance.uniform(-LEASE_SKEW_S, LEASE_SKEW_S),
        latency_s=LATENCY_S,
        budget_s=chance.choice((15.0, 60.0, 240.0)),
        drift_s=3600.0,
    )


async def attempt(what: asyncio.Future[object] | object) -> None:
    """What an instance cannot do now, or any more, somebody does later."""
    try:
        await what  # type: ignore[misc]
    except (ReconcilerError, Killed):
        return


async def ask(simulation: Simulation, chance: Random) -> None:
    """Two commits and some requests, through either instance."""
    for capacity in (1, 3):
        more = [chat(1, f"extra{n}") for n in range(capacity)]
        commit(simulation, GROUP, ACCOUNT, chat(capacity), *more)
        for _ in range(chance.choice((1, 1, 2))):
            one = chance.choice(simulation.instances)
            mode = chance.choice(("apply", "apply", "plan"))
            await attempt(one.service.request(Asked("dev", mode)))  # type: ignore[arg-type]
            await asyncio.sleep(chance.choice((0.0, 5.0, 40.0, 200.0)))


async def schedule(folder: Path, seed: int) -> tuple[int, Simulation]:
    chance = Random(seed)
    async with a_simulation(folder, time_scale=1.0, seed=seed) as simulation:
        for place in range(2):
            an_instance(simulation, f"w{place}", chance, mortal=chance.random() < 0.4)
        hosting = [asyncio.create_task(one.host()) for one in simulation.instances]
        await ask(simulation, chance)
        loop = asyncio.get_running_loop()
        begun = swept = loop.time()
        while not (await simulation.idle("dev") and not simulation.messages()):
            await asyncio.sleep(5.0)
            assert loop.time() - begun < LONGEST_S, (seed, await simulation.state.open_runs())
            living = [one for one in simulation.instances if not one.luck.dead]
            if len(living) < 2:
                new = an_instance(simulation, f"w{len(simulation.instances)}", chance, False)
                hosting.append(asyncio.create_task(new.host()))
            if living and loop.time() - swept > SWEEP_S:
                swept = loop.time()
                await attempt(chance.choice(living).service.sweep())
        for task in hosting:
            task.cancel()
        await asyncio.gather(*hosting, return_exceptions=True)
        return simulation.writes.sent, simulation


@pytest.mark.parametrize("chunk", range(CHUNKS))
def test_two_instances_never_write_to_one_environment_at_once(tmp_path: Path, chunk: int) -> None:
    sent = 0
    count = scaled(SCHEDULES)
    for seed in range(chunk * count, (chunk + 1) * count):
        folder = tmp_path / str(seed)
        folder.mkdir()
        writes, simulation = simulate(schedule(folder, seed))
        assert simulation.writes.wrong == [], seed
        twice = [name for name, times in simulation.made.items() if times > 1]
        assert twice == [], seed
        sent += writes
    print(f"\n{count} schedules, {sent} writes")  # noqa: T201 - the count is the result
