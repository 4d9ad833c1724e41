"""What seldom happens to a step, a lease or a look at a run, and what is then made of it."""

from collections.abc import AsyncIterator, Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from reconciler.core.errors import Permanent, Transient
from reconciler.core.model import Observed, Run
from reconciler.engine import Kept
from reconciler.service.watch import Watch
from tests.engine.estates import ACCOUNT, GROUP, chat
from tests.engine.world import World, a_world
from tests.proofs.simulation import Luck, WrongClock, simulate

type Seen = Callable[[Observed | None], Observed | None]


@pytest.fixture
async def world(tmp_path: Path) -> AsyncIterator[World]:
    async with a_world(tmp_path) as one:
        yield one


class Distorted:
    """A part of the engine whose answers about one resource are not what they were."""

    def __init__(self, part: Any, name: str, seen: Seen, after: str = "") -> None:
        self._part, self._name, self._seen, self._after = part, name, seen, after
        self._on = not after

    def __getattr__(self, name: str) -> Any:
        return getattr(self._part, name)

    async def read(self, target: Any) -> Observed | None:
        have: Observed | None = await self._part.read(target)
        mine = target.arm_id.endswith(self._name)
        return self._seen(have) if mine and self._on else have

    async def put(self, target: Any, *more: Any) -> Any:
        answer = await self._part.put(target, *more)
        self._on = self._on or (self._after == "put" and target.arm_id.endswith(self._name))
        return answer


async def outcome(world: World, seen: Seen, name: str = "/chat", after: str = "put") -> str:
    """What is said of the step at the one resource that is distorted."""
    world.wrap = lambda part: Distorted(part, name, seen, after) if hasattr(part, "put") else part
    run: Run = await world.apply()
    world.wrap = lambda part: part
    assert run.state == "failed", run
    return next(one.detail for key, one in run.outcomes.items() if key.endswith(name))


async def test_a_write_that_does_not_take_says_what_differs(world: World) -> None:
    world.declare(GROUP, ACCOUNT, chat())

    def other(have: Observed | None) -> Observed | None:
        return have and replace(have, properties={**have.properties, "sku": {"capacity": 9}})

    said = await outcome(world, other)
    assert "Azure accepted it, but a fresh read shows sku." in said
    await world.converge()


async def test_a_write_that_is_never_seen_says_so(world: World) -> None:
    world.declare(GROUP, ACCOUNT, chat())
    assert "a fresh read does not find it" in await outcome(world, lambda have: None)
    await world.converge()


async def test_a_write_that_ends_badly_after_it_was_accepted_has_failed(world: World) -> None:
    world.declare(GROUP, ACCOUNT, chat())
    said = await outcome(world, lambda have: have and replace(have, state="Failed"))
    assert said == "Azure accepted it, then its state became Failed"
    await world.converge()


async def test_a_delete_that_does_not_go_away_has_failed_and_stays_owned(world: World) -> None:
    world.declare(GROUP, ACCOUNT, chat(), environment="prune: true")
    await world.converge()
    owned = await world.owned()
    world.declare(GROUP, ACCOUNT, environment="prune: true")
    kept: list[Observed] = []

    def still_there(have: Observed | None) -> Observed | None:
        kept.extend([have] if have else [])
        return have or kept[-1]

    said = await outcome(world, still_there, after="")
    assert said == "Azure accepted the delete, but the resource is still there"
    assert await world.owned() == owned
    await world.converge()


async def test_a_resource_in_flight_is_waited_for_and_left_alone(world: World) -> None:
    world.declare(GROUP, ACCOUNT, chat())
    await world.converge()
    writes = len(world.writes())
    looks = iter([*["Updating"] * 3, *["Succeeded"] * 100])

    def busy(have: Observed | None) -> Observed | None:
        return have and replace(have, state=next(looks))

    world.patch(
        "Microsoft.CognitiveServices/accounts/contoso/deployments/chat", {"sku": {"capacity": 7}}
    )
    world.wrap = lambda part: Distorted(part, "/chat", busy) if hasattr(part, "put") else part
    run = await world.apply()
    assert run.state == "done"
    assert len(world.writes()) == writes + 1


async def test_a_resource_that_went_away_since_the_plan_makes_the_run_stale(world: World) -> None:
    world.declare(GROUP, ACCOUNT, chat())
    await world.converge()
    world.declare(GROUP, ACCOUNT, chat(5))
    world.wrap = lambda part: (
        Distorted(part, "/chat", lambda have: None) if hasattr(part, "put") else part
    )
    run = await world.apply()
    assert run.state == "stale"
    assert "is gone since the plan was made" in run.detail


async def test_trouble_that_does_not_pass_fails_the_step_after_some_tries(world: World) -> None:
    world.declare(GROUP, ACCOUNT, chat())

    def trouble(have: Observed | None) -> Observed | None:
        raise Transient("Azure does not answer", 0.1)

    said = await outcome(world, trouble, after="")
    assert said == "Azure does not answer (tried 5 times)"
    await world.converge()


class ALease:
    """A lease whose every renewal ends as it is told."""

    def __init__(self, *ends: Exception | None) -> None:
        self.ends = list(ends)

    async def renew(self) -> None:
        end = self.ends.pop(0) if self.ends else None
        if end:
            raise end


async def lost_after(lease: ALease, seconds: float) -> bool:
    clock = WrongClock(Luck())
    async with Kept(lease, clock, 60.0) as kept:  # type: ignore[arg-type]
        await clock.sleep(seconds)
        return kept.lost()


AWAY = Transient("storage is away")


@pytest.mark.parametrize(
    ("ends", "seconds", "lost", "reason"),
    [
        ((), 600.0, False, "renewed again and again"),
        ((AWAY, None), 50.0, False, "one that failed is made up for"),
        ((AWAY,) * 9, 40.0, False, "it is ours for a while yet"),
        ((AWAY,) * 9, 43.0, True, "by now it may be somebody else's"),
        ((AWAY,) * 9, 600.0, True, "and stays so"),
        ((Permanent("no right to it"),), 16.0, True, "nobody will let us renew it"),
    ],
)
def test_a_lease_is_trusted_for_as_long_as_nobody_else_can_have_it(
    ends: tuple[Exception, ...], seconds: float, lost: bool, reason: str
) -> None:
    assert simulate(lost_after(ALease(*ends), seconds)) is lost, reason


class AStore:
    """Says how a run stands; sometimes it cannot."""

    def __init__(self, *answers: Any) -> None:
        self.answers = list(answers)

    async def state(self, run_id: str) -> Any:
        answer = self.answers.pop(0) if self.answers else "running"
        if isinstance(answer, Exception):
            raise answer
        return answer


async def cancelled_after(store: AStore, seconds: float) -> bool:
    clock = WrongClock(Luck())
    async with Watch(store, clock, "run", float("inf")) as watch:  # type: ignore[arg-type]
        await clock.sleep(seconds)
        return watch()


def test_a_cancellation_is_seen_although_storage_was_away_for_a_moment() -> None:
    store = AStore("running", AWAY, "cancelling", "cancelling")
    assert simulate(cancelled_after(store, 25.0))
