"""Two instances at one pull request: everything is heard twice and taken up by both; people see one
comment, one answer and one apply, as if there were one instance."""

import asyncio
from collections.abc import Mapping
from pathlib import Path
from random import Random
from typing import Any

import pytest

from tests.engine.estates import ACCOUNT, GROUP, chat
from tests.engine.killing import differences
from tests.proofs.pull_simulation import BOT, REPOSITORY, PullSimulation, a_pull_simulation
from tests.proofs.scale import scaled
from tests.proofs.simulation import Luck, simulate
from tests.proofs.test_killed_pulls import SWEEP_S, webhooks

SCHEDULES = 6
PAUSES = (0.0, 0.0, 0.0, 0.01, 0.3, 2.0)
LATENCY_S = (0.0, 0.05, 1.0, 6.0)
LONGEST_S = 4 * 3600.0
type Messages = list[Mapping[str, str]]


async def begun(scene: PullSimulation) -> Messages:
    await scene.commit(GROUP, ACCOUNT)
    return [{"branch": ""}]


async def opened(scene: PullSimulation) -> Messages:
    await scene.propose(GROUP, ACCOUNT, chat(3))
    return [{"pull": "1"}]


async def pushed_to_and_asked(scene: PullSimulation) -> Messages:
    await scene.commit(GROUP, ACCOUNT, chat(4), branch="more")
    comments = [await scene.say(1, text) for text in ("/plan", "/help", "/unlock dev")]
    asked = [{"comment": str(one), "pull": "1"} for one in comments]
    return [{"pull": "1"}, *asked, {"pull": "1", "again": "yes"}]


async def merged(scene: PullSimulation) -> Messages:
    await scene.merge(1)
    return [{"branch": ""}, {"pull": "1"}, {"check": "dev"}]


async def applied_again(scene: PullSimulation) -> Messages:
    comment = await scene.say(1, "/apply dev")
    return [{"comment": str(comment), "pull": "1"}, {"check": "dev"}]


ACTS = (begun, opened, pushed_to_and_asked, merged, applied_again)


def one_of_each(scene: PullSimulation) -> list[str]:
    """The markers that stand in more than one comment now."""
    repository = scene.hub.world.repositories[REPOSITORY]
    bodies = [c.body for one in repository.issues.values() for c in one.comments if _ours(c)]
    markers = [body.partition("\n")[0] for body in bodies]
    return sorted({one for one in markers if markers.count(one) > 1})


def _ours(comment: Any) -> bool:
    return bool(comment.user.login == BOT)


async def played(scene: PullSimulation, times: int) -> list[str]:
    """The acts one after the other, everything heard so many times; what is doubled in between."""
    loop = asyncio.get_running_loop()
    chance, doubled = Random(times), []
    for act in ACTS:
        messages = await act(scene) * times
        chance.shuffle(messages)
        await webhooks(scene, *messages)
        since = swept = loop.time()
        while scene.simulation.messages() or await scene.simulation.state.open_runs():
            await asyncio.sleep(5.0)
            assert loop.time() - since < LONGEST_S, await scene.simulation.state.open_runs()
            if loop.time() - swept > SWEEP_S:
                swept = loop.time()
                await scene.simulation.instances[0].service.sweep()
        doubled += one_of_each(scene)
    return doubled


async def swept_until(scene: PullSimulation, expected: dict[str, Any]) -> None:
    """Sweeps come by until all is as expected, or for too long."""
    begun = asyncio.get_running_loop().time()
    while asyncio.get_running_loop().time() - begun < LONGEST_S:
        await scene.simulation.instances[0].service.sweep()
        await asyncio.sleep(SWEEP_S)
        found = lasting(await scene.picture(), expected)
        if not (scene.simulation.messages() or differences(found, lasting(expected, expected))):
            return


def lasting(picture: dict[str, Any], expected: dict[str, Any]) -> dict[str, Any]:
    """Without what somebody who was away may say once more: a second sign, or a late answer to what
    was answered long ago. That something was answered stays."""
    comments: dict[str, Any] = {}
    for name, said in expected["comments"].items():
        found = picture["comments"].get(name, [])
        if name.startswith("1 /"):
            found = sorted(set(found) & set(said))
        comments[name] = len(found) if "answer to" in name else found
    kept = {name: picture[name] for name in picture if name != "asked for by comment"}
    return {**kept, "comments": comments}


async def hosted(
    folder: Path, lucks: list[Luck], until: dict[str, Any] | None = None, **more: Any
) -> tuple[dict[str, Any], list[str]]:
    """What is seen at the end, with an instance for each luck, and what was doubled."""
    folder.mkdir()
    async with a_pull_simulation(folder) as scene:
        hosting = [
            asyncio.create_task(scene.instance(f"w{place}", luck, **more).host())
            for place, luck in enumerate(lucks)
        ]
        doubled = await played(scene, len(lucks))
        if until:
            await swept_until(scene, until)
        for task in hosting:
            assert not task.done(), task
            task.cancel()
        await asyncio.gather(*hosting, return_exceptions=True)
        assert scene.simulation.writes.wrong == []
        picture = await scene.picture()
        runs = await scene.simulation.state.runs("dev")
        asked = [one for one in runs if "comment" in one.requested_by]
        return {**picture, "asked for by comment": len(asked)}, doubled


@pytest.fixture(scope="module")
def alone(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    found, doubled = simulate(hosted(tmp_path_factory.mktemp("alone") / "story", [Luck()]))
    assert doubled == []
    assert found["asked for by comment"] == 1
    assert len([name for name in found["comments"] if "answer" in name]) == 3
    return found


def test_two_instances_that_hear_everything_twice_say_and_do_it_once(
    tmp_path: Path, alone: dict[str, Any]
) -> None:
    count = scaled(SCHEDULES)
    for seed in range(count):
        lucks = [Luck(Random(f"{seed} {place}"), pauses=PAUSES) for place in range(2)]
        work = hosted(tmp_path / str(seed), lucks, latency_s=LATENCY_S)
        found, doubled = simulate(work)
        assert doubled == [], seed
        assert differences(found, alone) == [], seed
    print(f"\n{count} schedules")  # noqa: T201 - the count is the result


def _is_twice(name: str, said: list[str]) -> bool:
    """Whether there is more than one comment of ours for a marker."""
    return "reconciler:" in name and len(said) > 1


def test_instances_that_freeze_in_the_middle_leave_nothing_that_sweeps_do_not_mend(
    tmp_path: Path, alone: dict[str, Any]
) -> None:
    """One that was away for longer than its lease lasts goes on as if nothing had happened: what
    it then says may be old, or said twice."""
    count = scaled(SCHEDULES // 2)
    for seed in range(count):
        lucks = [Luck(Random(f"{seed} {place}"), pauses=PAUSES, freezes=0.01) for place in range(2)]
        work = hosted(tmp_path / str(seed), lucks, until=alone, latency_s=LATENCY_S)
        found, _ = simulate(work)
        assert differences(lasting(found, alone), lasting(alone, alone)) == [], seed
        doubled = [name for name, said in found["comments"].items() if _is_twice(name, said)]
        assert doubled == [], seed
    print(f"\n{count} schedules")  # noqa: T201 - the count is the result
