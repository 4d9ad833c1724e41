"""Kill the worker anywhere: whoever goes on ends where an undisturbed run would have ended."""

from contextlib import suppress
from pathlib import Path

import pytest

from reconciler.core.errors import Transient
from reconciler.core.model import Run, Target
from tests.engine.estates import ACCOUNT, AFTER, BEFORE, GROUP, chat
from tests.engine.killing import Killed, Killer, Scene, differences, journal
from tests.engine.world import LEASE_S, World, failures

CHUNKS = 8
PRUNE = "prune: true"


async def a_scene(world: World, folder: Path) -> Scene:
    """An estate that is about to be changed in every way, and a deleted account's name to win
    back."""
    world.declare(*BEFORE, environment=PRUNE)
    await world.converge()
    purging = ACCOUNT.replace("contoso", "phoenix") + "    lifecycle: {softDeleted: purge}\n"
    lost = world.azure.options.subscriptions[0]
    phoenix = f"/subscriptions/{lost}/resourceGroups/rg-ai/providers/"
    phoenix += "Microsoft.CognitiveServices/accounts/phoenix"
    world.declare(*BEFORE, purging, environment=PRUNE)
    await world.converge()
    async with world.app() as app:
        target = Target("Account", phoenix, "2026-03-01")
        await app._cloud("apply").delete(target)
        await app.store.disown("dev", [phoenix.lower()])
    world.declare(*AFTER, purging, environment=PRUNE)
    scene = Scene(world, folder)
    scene.keep()
    return scene


async def uninterrupted(scene: Scene) -> tuple[dict[str, object], Run, int]:
    scene.put_back()
    killer = Killer()
    scene.world.wrap = killer.wrap
    run = await scene.world.apply()
    scene.world.wrap = lambda part: part
    assert run.state == "done", failures(run)
    return await scene.picture(), run, killer.calls


@pytest.mark.parametrize("chunk", range(CHUNKS))
async def test_a_run_killed_at_any_request_or_save_ends_like_one_that_was_not(
    world: World, tmp_path_factory: pytest.TempPathFactory, chunk: int
) -> None:
    scene = await a_scene(world, tmp_path_factory.mktemp("kept"))
    expected, whole, calls = await uninterrupted(scene)
    swept = 0
    for at in range(chunk, calls, CHUNKS):
        for after in (False, True):
            scene.put_back()
            await killed_and_resumed(scene, Killer(at, after), expected, whole)
            swept += 1
    print(f"\nswept {swept} of {2 * calls} points (chunk {chunk} of {CHUNKS})")  # noqa: T201 - the count is the result
    assert swept


async def killed_and_resumed(
    scene: Scene, killer: Killer, expected: dict[str, object], whole: Run
) -> None:
    where = f"killed {'after' if killer.after else 'before'} call {killer.at}"
    world = scene.world
    world.wrap = killer.wrap
    with suppress(Killed):
        await world.apply()
    world.wrap = lambda part: part
    world.later_s = 2 * LEASE_S
    run = await world.apply()
    assert run.state == "done", (where, failures(run))
    async with world.app() as app:
        headers = await app.store.runs("dev")
        runs = [await app.store.run(one.id) for one in headers]
    assert not [one for one in headers if one.open], where
    # Whichever run did the work, together they ended every step exactly as the undisturbed one.
    steps: dict[str, str] = {}
    for one in reversed(runs):
        assert one is not None
        if one.state == "done":
            steps |= journal(one)
    assert steps.items() >= journal(whole).items(), where
    assert differences(await scene.picture(), expected) == [], where


async def test_a_worker_that_died_keeps_others_out_until_its_lease_runs_out(world: World) -> None:
    world.declare(GROUP, ACCOUNT, chat())
    killer = Killer(at=12)
    world.wrap = killer.wrap
    with pytest.raises(Killed):
        await world.apply()
    world.wrap = lambda part: part
    with pytest.raises(Transient, match="written to by"):
        await world.apply()
    world.later_s = 2 * LEASE_S
    await world.converge()
