"""Kill an instance at any call while it looks after a pull request: people see in the end what they
would have seen anyway."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from random import Random
from typing import Any

import pytest

from reconciler.service import Asked
from reconciler.state.sqlite_queue import SqliteQueue
from tests.engine.estates import ACCOUNT, GROUP, chat
from tests.engine.killing import Killed, differences
from tests.proofs.pull_simulation import Kept, PullSimulation, a_pull_simulation, work
from tests.proofs.scale import scaled
from tests.proofs.simulation import Instance, Luck, simulate, true_now

POINTS = 12
"""Of each story; at a hundred times the scale there are no more."""
SWEEP_S = 300.0
LONGEST_S = 3 * 3600.0
type Act = Callable[[PullSimulation, Instance], Awaitable[None]]


@dataclass
class Named(Luck):
    """It remembers what was called."""

    names: list[str] = field(default_factory=list)

    async def meet(self, name: str = "") -> None:
        if name:
            self.names.append(name)
        await super().meet(name)


async def webhooks(scene: PullSimulation, *messages: Mapping[str, str]) -> None:
    queue = SqliteQueue(scene.folder / "state.db", now=true_now)
    try:
        for one in messages:
            await queue.send(one)
    finally:
        queue.close()


# What happens in each story: first what was before, then acts with calm in between


async def nothing_yet(scene: PullSimulation, one: Instance) -> None:
    await scene.commit(GROUP, ACCOUNT)
    await webhooks(scene, {"branch": ""})


async def opened(scene: PullSimulation, one: Instance) -> None:
    await scene.propose(GROUP, ACCOUNT, chat(3))
    await webhooks(scene, {"pull": "1"})


async def pushed_to(scene: PullSimulation, one: Instance) -> None:
    await scene.commit(GROUP, ACCOUNT, chat(4), branch="more")
    await webhooks(scene, {"pull": "1"})


async def planned_by_comment(scene: PullSimulation, one: Instance) -> None:
    comment = await scene.say(1, "/plan")
    await webhooks(scene, {"comment": str(comment), "pull": "1"})


async def merged(scene: PullSimulation, one: Instance) -> None:
    await scene.merge(1)
    await webhooks(scene, {"pull": "1"}, {"branch": ""})


async def applied_before(scene: PullSimulation, one: Instance) -> None:
    await scene.commit(GROUP, ACCOUNT, chat(3))
    await webhooks(scene, {"branch": ""})


async def opened_to_update(scene: PullSimulation, one: Instance) -> None:
    await scene.propose(GROUP, ACCOUNT, chat(5))
    await webhooks(scene, {"pull": "1"})


async def merged_unseen(scene: PullSimulation, one: Instance) -> None:
    """What was pushed last deletes, and was merged before anybody looked at it."""
    await scene.commit(GROUP, ACCOUNT, branch="more")
    await merged(scene, one)


async def allowed_by_name(scene: PullSimulation, one: Instance) -> None:
    newest = next(run for run in await scene.simulation.state.runs("dev") if run.mode == "apply")
    refused = await scene.simulation.state.run(newest.id)
    assert refused is not None
    assert refused.state == "refused"
    comment = await scene.say(1, f"/apply dev {refused.plan.digest}")
    await webhooks(scene, {"comment": str(comment), "pull": "1"})


ON_COMMAND = "apply: onCommand\nprune: true"


async def applied_by_command(scene: PullSimulation, one: Instance) -> None:
    await scene.commit(GROUP, ACCOUNT, environment=ON_COMMAND)
    await one.service.request(Asked("dev", "apply"))


async def opened_and_approved(scene: PullSimulation, one: Instance) -> None:
    await scene.propose(GROUP, ACCOUNT, chat(3), environment=ON_COMMAND)
    await scene.approve(1)
    await webhooks(scene, {"pull": "1"})


async def apply_said(scene: PullSimulation, one: Instance) -> None:
    comment = await scene.say(1, "/apply")
    await webhooks(scene, {"comment": str(comment), "pull": "1"})


async def drifted_and_healed(scene: PullSimulation, one: Instance) -> None:
    chat_id = next(one.id for one in scene.simulation.azure.store if one.id.endswith("/chat"))
    scene.simulation.azure.backdoor.patch(chat_id, {"sku": {"capacity": 7}})
    for _ in range(2):  # it is found and put back; it is seen to be put back
        await one.service.sweep()
        await work(scene, one)


@dataclass(frozen=True)
class Story:
    before: tuple[Act, ...]
    acts: tuple[Act, ...]


STORIES = {
    "looked at": Story((nothing_yet,), (opened, pushed_to, planned_by_comment)),
    "merged": Story((nothing_yet, opened), (merged,)),
    "allowed by name": Story((applied_before, opened_to_update), (merged_unseen, allowed_by_name)),
    "applied by command": Story((applied_by_command, opened_and_approved), (apply_said, merged)),
    "drifted": Story((applied_before,), (drifted_and_healed,)),
}


@dataclass
class Stage:
    """A story that can be played as often as one likes."""

    scene: PullSimulation
    story: Story
    kept: Kept
    expected: list[dict[str, Any]] = field(default_factory=list)
    """What is seen after each act when nobody dies."""

    async def play(self, luck: Luck, *, lost: bool = False) -> list[str]:
        """What is otherwise at the end. ``lost``: the messages die with the instance."""
        await self.scene.put_back(self.kept)
        one = self.scene.instance("first", luck)
        for place, act in enumerate(self.story.acts):
            with suppress(Killed):
                await act(self.scene, one)
            await work(self.scene, one)
            if luck.dead and one.luck is luck:
                if lost:
                    self.scene.lose_messages()
                one = self.scene.instance("second")
            if luck.dead and (wrong := await self._mended(one, place)):
                return wrong
            if len(self.expected) == place:
                self.expected.append(await self.scene.picture())
        assert self.scene.simulation.writes.wrong == []
        return differences(await self.scene.picture(), self.expected[-1])

    async def _mended(self, one: Instance, place: int) -> list[str]:
        """Messages come again and sweeps come by until all is as it should be after this act."""
        loop = asyncio.get_running_loop()
        begun = loop.time()
        await work(self.scene, one)
        while found := differences(await self.scene.picture(), self.expected[place]):
            if loop.time() - begun > LONGEST_S:
                return found
            await asyncio.sleep(SWEEP_S)
            await one.service.sweep()
            await work(self.scene, one)
        return []


async def prepared(scene: PullSimulation, story: Story) -> Stage:
    one = scene.instance("before")
    for act in story.before:
        await act(scene, one)
        await work(scene, one)
    return Stage(scene, story, await scene.keep())


async def sweep(folder: Path, name: str) -> tuple[int, int]:
    """How many points were tried, and how many there are."""
    async with a_pull_simulation(folder) as scene:
        stage = await prepared(scene, STORIES[name])
        whole = Named()
        assert await stage.play(whole) == []
        assert not_pending(stage.expected[-1])
        calls = [at for at, call in enumerate(whole.names) if call != "take"]
        every = [(at, after, lost) for at in calls for after in (0, 1) for lost in (0, 1)]
        points = Random(name).sample(every, min(len(every), scaled(POINTS)))
        wrong = []
        for at, after, lost in points:
            luck = Luck(dies_at=at, after=bool(after))
            found = await stage.play(luck, lost=bool(lost))
            if found:
                when = f"{'after' if after else 'before'} call {at} ({whole.names[at]})"
                wrong.append((f"killed {when}, messages {'lost' if lost else 'kept'}", found))
        assert wrong == []
        return len(points), len(every)


def not_pending(picture: dict[str, Any]) -> bool:
    return all("in_progress" not in one for one in picture["checks"].values())


@pytest.mark.parametrize("name", STORIES)
def test_what_people_see_is_the_same_wherever_an_instance_is_killed(
    tmp_path: Path, name: str
) -> None:
    tried, points = simulate(sweep(tmp_path, name))
    print(f"\n{name}: {tried} of {points} points")  # noqa: T201 - the count is the result
    assert tried
