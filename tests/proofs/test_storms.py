"""Everything that can go wrong at once: all environments still come to be as declared."""

import asyncio
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from random import Random
from typing import Any

import pytest

from reconciler.core.errors import ReconcilerError, Transient
from reconciler.local.azure import Fault
from reconciler.service import Asked
from tests.proofs.scale import scaled
from tests.proofs.simulation import Luck, Simulation, a_simulation, declared, simulate
from tests.proofs.test_killed_service import SWEEP_S

SEEDS = 6
ENVIRONMENTS = ("red", "green", "blue")
LONGEST_S = 20 * 3600.0
DRIFT_S = 1800.0
AFTERMATH_S = 2 * DRIFT_S
OUTAGES_S = ((30.0, 100.0), (700.0, 1300.0), (2500.0, 2600.0))
"""When storage is away altogether; a few times, for longer than a lease lasts."""


def estate(name: str, capacity: int) -> str:
    return f"""
    apiVersion: aigitops/v1
    kind: ResourceGroup
    metadata: {{name: rg-{name}}}
    spec: {{}}
    ---
    apiVersion: aigitops/v1
    kind: Account
    metadata: {{name: ai-{name}}}
    spec: {{kind: OpenAI, sku: {{name: S0}}, customSubDomainName: ai-{name}}}
    ---
    apiVersion: aigitops/v1
    kind: ModelDeployment
    metadata: {{name: chat{capacity}}}
    spec:
      account: ai-{name}
      sku: {{name: GlobalStandard, capacity: {capacity}}}
      model: {{format: OpenAI, name: gpt-4.1-mini, version: "2025-04-14"}}
      versionUpgradeOption: NoAutoUpgrade
    ---
    apiVersion: aigitops/v1
    kind: ManagedIdentity
    metadata: {{name: id-{name}}}
    spec: {{}}
    """


def faults() -> list[Fault]:
    """A fifth of all requests is refused or fails; some answers and operations get lost."""
    everything: dict[str, Any] = {"path": "^/subscriptions/"}
    return [
        Fault(**everything, probability=0.1, status=429, retry_after_s=5),
        Fault(**everything, probability=0.1, status=500),
        Fault(**everything, probability=0.02, drop="before"),
        Fault(**everything, probability=0.02, drop="after"),
        Fault(
            **everything,
            method="PUT|DELETE",
            probability=0.05,
            operation_error={"code": "InternalServerError"},
        ),
        Fault(**everything, method="PUT|DELETE", probability=0.2, operation_delay_s=900.0),
    ]


class Away:
    """Storage that cannot be reached at times; an answer may be lost after the work was done."""

    def __init__(self, part: Any, chance: Random) -> None:
        self._part, self._chance = part, chance

    def __getattr__(self, name: str) -> Any:
        member = getattr(self._part, name)
        if name in ("close", "_db") or not callable(member):
            return member

        async def call(*values: Any, **named: Any) -> Any:
            self._fail()
            answer = await member(*values, **named)
            if self._chance.random() < 0.01 and name != "lease":
                raise Transient("storage did it, but its answer was lost")
            return Away(answer, self._chance) if name == "lease" else answer

        return call

    def _fail(self) -> None:
        now = asyncio.get_running_loop().time()
        if self._chance.random() < 0.01 or any(a <= now < b for a, b in OUTAGES_S):
            raise Transient("storage cannot be reached")

    async def send(self, message: Mapping[str, str], delay_s: float = 0.0) -> None:
        """Messages are lost, doubled and late."""
        self._fail()
        for _ in range(self._chance.choice((0, 1, 1, 1, 1, 2, 3))):
            late = self._chance.choice((0.0, 0.0, 10.0, 200.0))
            await self._part.send(message, delay_s + late)

    async def __aenter__(self) -> Any:
        await self._part.__aenter__()
        return self

    async def __aexit__(self, *error: Any) -> None:
        await self._part.__aexit__(*error)


async def storm(folder: Path, seed: int) -> int:
    chance = Random(seed)
    async with a_simulation(folder, time_scale=1.0, seed=seed, faults=faults()) as simulation:
        simulation.wrap = lambda part: Away(part, chance)
        for place in range(3):
            luck = Luck(Random(chance.random()), pauses=(0.0, 0.0, 0.1), freezes=0.002)
            simulation.instance(f"w{place}", luck, latency_s=(0.0, 1.0), drift_s=DRIFT_S)
        hosting = [asyncio.create_task(one.host(4)) for one in simulation.instances]
        for capacity in (1, 2, 3):
            files = declared(**{name: estate(name, capacity) for name in ENVIRONMENTS})
            simulation.branch.commit(files)
            await ask(simulation, chance)
        await sweeps_until_converged(simulation, chance)
        for task in hosting:
            task.cancel()
        await asyncio.gather(*hosting, return_exceptions=True)
        assert simulation.writes.wrong == []
        assert [one for one, times in simulation.made.items() if times > 1] == []
        await nothing_left_to_do(simulation)
        return len(simulation.azure.requests.entries)


async def ask(simulation: Simulation, chance: Random) -> None:
    """Requests, some doubled, some failing."""
    for name in chance.choices(ENVIRONMENTS, k=4):
        one = chance.choice(simulation.instances)
        with suppress(ReconcilerError):
            mode = chance.choice(("apply", "plan"))
            await one.service.request(Asked(name, mode))  # type: ignore[arg-type]
        await asyncio.sleep(chance.choice((0.0, 20.0, 120.0)))


async def sweeps_until_converged(simulation: Simulation, chance: Random) -> None:
    """Only the timer is there to mend what the faults spoil. They go on until all is applied; what
    was accepted by then may still end badly, and is healed like any other drift."""
    begun = asyncio.get_running_loop().time()
    calm = float("inf")
    while (now := asyncio.get_running_loop().time()) < calm + AFTERMATH_S or not (
        await simulation.idle(*ENVIRONMENTS)
    ):
        assert now - begun < LONGEST_S, await simulation.state.open_runs()
        if calm > now and await simulation.idle(*ENVIRONMENTS):
            simulation.azure.faults.clear()
            calm = now
        with suppress(ReconcilerError):
            await chance.choice(simulation.instances).service.sweep()
        await asyncio.sleep(SWEEP_S)


async def nothing_left_to_do(simulation: Simulation) -> None:
    simulation.wrap = lambda part: part
    last = simulation.instance("last")
    for name in ENVIRONMENTS:
        run = await last.service.request(Asked(name, "plan"))
        await last.service.handle({"run": run.id})
        found = await simulation.state.run(run.id)
        assert found is not None
        assert (found.state, found.plan.changes) == ("done", ()), found.detail


@pytest.mark.parametrize("seed", range(scaled(SEEDS)))
def test_all_environments_converge_in_a_storm_by_sweeps_alone(tmp_path: Path, seed: int) -> None:
    requests = simulate(storm(tmp_path, seed))
    print(f"\nseed {seed}: {requests} requests to Azure")  # noqa: T201 - the count is the result
