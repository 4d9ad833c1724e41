"""Kill an instance of the service anywhere between a request and its end: the others finish it."""

import asyncio
import json
import shutil
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from reconciler.local.azure.state import dump_state, load_state
from reconciler.service import Asked
from reconciler.state.codec import encode
from reconciler.state.sqlite import SqliteStore
from tests.engine.estates import ACCOUNT, GROUP, chat
from tests.engine.killing import Killed, differences, journal, settled
from tests.engine.world import World
from tests.proofs.simulation import Instance, Luck, Simulation, a_simulation, simulate, true_now

CHUNKS = 4
SWEEP_S = 300.0
LONGEST_S = 6 * 3600.0
BEFORE = (GROUP, ACCOUNT, chat(5), chat(1, "extra"))
AFTER = (GROUP, ACCOUNT, chat(2), chat(1, "fresh"))
"""An update, a delete and a create."""


def commit(simulation: Simulation, *documents: str) -> str:
    world = World(simulation.azure, simulation.folder, None)  # type: ignore[arg-type]
    world.declare(*documents, environment="prune: true")
    return simulation.branch.commit(world.files)


async def finish(simulation: Simulation, instance: Instance, sweeps: bool) -> None:
    """Let an instance work until there is nothing left to do, or until it is dead."""
    hosting = asyncio.create_task(instance.host())
    begun = swept = asyncio.get_running_loop().time()
    while not (instance.luck.dead or (await simulation.idle("dev") and not simulation.messages())):
        await asyncio.sleep(5.0)
        now = asyncio.get_running_loop().time()
        assert now - begun < LONGEST_S, await simulation.state.open_runs()
        if sweeps and now - swept > SWEEP_S:
            swept = now
            await instance.service.sweep()
    hosting.cancel()
    await asyncio.gather(hosting, return_exceptions=True)


@dataclass
class Scene:
    """A service that is about to be asked for an apply, as often as one likes."""

    simulation: Simulation
    azure: str = ""

    async def keep(self) -> None:
        simulation = self.simulation
        commit(simulation, *BEFORE)
        await simulation.instance("before").service.request(Asked("dev", "apply"))
        await finish(simulation, simulation.instances[-1], sweeps=False)
        commit(simulation, *AFTER)
        self.azure = json.dumps(dump_state(simulation.azure.store, simulation.azure.verbs))
        await self._close()
        shutil.copy(simulation.folder / "state.db", simulation.folder / "kept.db")

    async def _close(self) -> None:
        """SQLite puts its log into the file when the last connection is closed."""
        simulation = self.simulation
        for one in simulation.instances:
            await one.close()
        simulation.instances.clear()
        simulation.state.close()

    async def put_back(self) -> None:
        simulation = self.simulation
        load_state(simulation.azure.store, simulation.azure.verbs, json.loads(self.azure))
        await self._close()
        for end in ("", "-wal", "-shm"):
            (simulation.folder / f"state.db{end}").unlink(missing_ok=True)
        shutil.copy(simulation.folder / "kept.db", simulation.folder / "state.db")
        simulation.state = SqliteStore(simulation.folder / "state.db", true_now)
        simulation.made.clear()

    async def picture(self) -> dict[str, Any]:
        """Azure, the owned list, how often each thing was made, every step, and how it stands."""
        simulation, state = self.simulation, self.simulation.state
        steps: dict[str, str] = {}
        for header in reversed(await state.runs("dev")):
            run = await state.run(header.id)
            if run and run.plan.commit == await simulation.branch.head() and run.state == "done":
                steps |= journal(run)
        stands = json.loads(encode(await state.status("dev")))
        names = ("applied_commit", "tried_commit", "failures", "retry_at", "drift", "behind_since")
        owned = await state.owned("dev")
        return {
            "azure": {one.id.lower(): settled(one.body) for one in simulation.azure.store},
            "owned": {key: json.loads(encode(one)) for key, one in owned.items()},
            "made": dict(simulation.made),
            "steps": steps,
            "status": {name: stands.get(name) for name in names},
        }


async def killed_at(scene: Scene, luck: Luck) -> dict[str, Any]:
    """Ask, work, perhaps die; let another instance go on; and see what is there then."""
    await scene.put_back()
    simulation = scene.simulation
    first = simulation.instance("first", luck)
    with suppress(Killed):
        await first.service.request(Asked("dev", "apply"))
    await finish(simulation, first, sweeps=False)
    if luck.dead:
        await finish(simulation, simulation.instance("second"), sweeps=True)
    assert simulation.writes.wrong == []
    return await scene.picture()


async def sweep(folder: Path, chunk: int) -> tuple[int, int]:
    """How many points were swept, and how many calls there are."""
    async with a_simulation(folder, time_scale=1.0) as simulation:
        scene = Scene(simulation)
        await scene.keep()
        whole = Luck()
        expected = await killed_at(scene, whole)
        assert set(expected["steps"].values()) == {"done"}
        swept = 0
        for at in range(chunk, whole.calls, CHUNKS):
            for after in (False, True):
                found = await killed_at(scene, Luck(dies_at=at, after=after))
                where = f"killed {'after' if after else 'before'} call {at} of {whole.calls}"
                assert differences(found, expected) == [], where
                swept += 1
        return swept, whole.calls


@pytest.mark.parametrize("chunk", range(CHUNKS))
def test_an_instance_killed_at_any_call_is_made_up_for_by_another(
    tmp_path: Path, chunk: int
) -> None:
    swept, calls = simulate(sweep(tmp_path, chunk))
    print(f"\nswept {swept} of {2 * calls} points (chunk {chunk} of {CHUNKS})")  # noqa: T201 - the count is the result
    assert swept
