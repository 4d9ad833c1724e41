"""Many instances, many requests: all of them end, each environment is written to by one at a
time, and nothing is made twice."""

import asyncio
from pathlib import Path
from random import Random

from reconciler.service import Asked
from tests.proofs.scale import scaled
from tests.proofs.simulation import Luck, Simulation, a_simulation, declared, simulate

REQUESTS = 200
ENVIRONMENTS = 20
INSTANCES = 6
ESTATE = """
    apiVersion: aigitops/v1
    kind: ResourceGroup
    metadata: {{name: rg-{name}}}
    spec: {{}}
    ---
    apiVersion: aigitops/v1
    kind: ManagedIdentity
    metadata: {{name: id-{name}}}
    spec: {{}}
"""


async def asked(simulation: Simulation, chance: Random, names: list[str]) -> None:
    """Two of three ask for an apply; each environment is asked for at least once."""
    wanted = names + chance.choices(names, k=scaled(REQUESTS) - len(names))
    for place, name in enumerate(wanted):
        mode = "apply" if place < len(names) else chance.choice(("apply", "apply", "plan"))
        one = chance.choice(simulation.instances)
        await one.service.request(Asked(name, mode))  # type: ignore[arg-type]
        await asyncio.sleep(chance.choice((0.0, 0.0, 1.0)))


async def drained(folder: Path) -> list[str]:
    chance = Random(1)
    names = [f"team{number}" for number in range(ENVIRONMENTS)]
    async with a_simulation(folder, time_scale=1.0) as simulation:
        simulation.branch.commit(declared(**{n: ESTATE.format(name=n) for n in names}))
        for place in range(INSTANCES):
            luck = Luck(Random(chance.random()), pauses=(0.0, 0.0, 0.05))
            simulation.instance(f"w{place}", luck, latency_s=(0.0, 0.5))
        hosting = [asyncio.create_task(one.host(4)) for one in simulation.instances]
        await asked(simulation, chance, names)
        while not await simulation.idle(*names) or simulation.messages():
            await asyncio.sleep(5.0)
        for task in hosting:
            task.cancel()
        await asyncio.gather(*hosting, return_exceptions=True)
        assert simulation.writes.wrong == []
        assert set(simulation.made.values()) == {1}
        assert len(simulation.made) == 2 * len(names)
        return [one.state for one in await simulation.state.runs(limit=10_000)]


def test_many_instances_drain_what_many_ask_for(tmp_path: Path) -> None:
    states = simulate(drained(tmp_path))
    assert set(states) <= {"done", "superseded"}
    print(f"\n{len(states)} runs, {states.count('done')} done, by {INSTANCES} instances")  # noqa: T201 - the count is the result
    assert len(states) == scaled(REQUESTS)
