"""Webhooks are hints: lost, doubled, late or out of order, and with none at all, the same comes of
what people do.

The emulated GitHub signs and delivers them over HTTP to a receiver that does what the trigger does.
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from random import Random
from typing import Any

import pytest
from aiohttp import web

from reconciler.core.errors import ReconcilerError
from reconciler.core.forge import Untrusted
from reconciler.service import Service
from tests.engine.estates import ACCOUNT, GROUP, chat
from tests.engine.killing import differences
from tests.proofs.pull_simulation import PullSimulation, a_pull_simulation
from tests.proofs.scale import scaled
from tests.proofs.simulation import simulate

SEEDS = 3
SWEEP_S = 900.0
"""As the timer has it."""
THINKS_S = 3000.0
"""How long people let pass before they do the next thing: some sweeps come by meanwhile."""


class Receiver:
    """The end of the line: counts what comes, and lets the service hear it."""

    def __init__(self, service: Service) -> None:
        self._service = service
        self.answers: list[int] = []

    async def handle(self, request: web.BaseRequest) -> web.Response:
        status = await self._heard(request)
        self.answers.append(status)
        return web.Response(status=status)

    async def _heard(self, request: web.BaseRequest) -> int:
        body = await request.read()
        try:
            return 202 if await self._service.hear("github", request.headers, body) else 204
        except Untrusted as error:
            return error.status
        except ReconcilerError:
            return 503


@asynccontextmanager
async def listening(scene: PullSimulation, service: Service) -> AsyncIterator[Receiver]:
    receiver = Receiver(service)
    runner = web.ServerRunner(web.Server(receiver.handle, access_log=None), shutdown_timeout=1)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    assert runner.addresses
    scene.hub.backdoor.webhook(f"http://127.0.0.1:{runner.addresses[0][1]}/api/webhooks/github")
    try:
        yield receiver
    finally:
        scene.hub.backdoor.webhook("")
        await runner.cleanup()


# What people do


async def begin(scene: PullSimulation) -> None:
    await scene.commit(GROUP, ACCOUNT)


async def propose_three(scene: PullSimulation) -> None:
    await scene.propose(GROUP, ACCOUNT, **{"specs/chat.yaml": chat(3)})
    await scene.propose(GROUP, ACCOUNT, branch="two", **{"specs/talk.yaml": chat(2, "talk")})
    wrong = chat(1, "slip").replace("capacity", "capcity")
    await scene.propose(GROUP, ACCOUNT, branch="three", **{"specs/slip.yaml": wrong})


async def push_and_ask(scene: PullSimulation) -> None:
    await scene.commit(GROUP, ACCOUNT, branch="more", **{"specs/chat.yaml": chat(4)})
    await scene.say(2, "/plan")
    await scene.say(2, "/plann", author="maintainer")
    await scene.say(2, "/apply dev", author="passer-by")


async def merge_the_first(scene: PullSimulation) -> None:
    await scene.merge(1)


async def ask_and_mend(scene: PullSimulation) -> None:
    await scene.say(2, "/help")
    await scene.commit(GROUP, ACCOUNT, branch="three", **{"specs/slip.yaml": chat(1, "slip")})


async def merge_the_second_and_close_the_third(scene: PullSimulation) -> None:
    await scene.merge(2)
    await scene.call("PATCH", "/pulls/3", "maintainer", {"state": "closed"})


async def apply_again(scene: PullSimulation) -> None:
    await scene.say(2, "/apply dev")


ACTS = (
    begin,
    propose_three,
    push_and_ask,
    merge_the_first,
    ask_and_mend,
    merge_the_second_and_close_the_third,
    apply_again,
)


async def told(folder: Path, **mischief: float) -> tuple[dict[str, Any], Receiver]:
    """The whole story with such deliveries: what is seen at the end."""
    folder.mkdir()
    async with a_pull_simulation(folder) as scene:
        seed = int(mischief.pop("seed", 0))
        scene.hub.hooks._chance = Random(seed)
        one = scene.instance("one")
        one.poll_s = 20.0
        hosting = asyncio.create_task(one.host())
        sweeping = asyncio.create_task(sweeps(one.service))
        async with listening(scene, one.service) as receiver:
            scene.hub.backdoor.deliver(**mischief)
            for act in ACTS:
                await act(scene)
                await asyncio.sleep(THINKS_S)
            while scene.simulation.messages():
                await asyncio.sleep(5.0)
        for task in (sweeping, hosting):
            assert not task.done(), task
            task.cancel()
        await asyncio.gather(sweeping, hosting, return_exceptions=True)
        assert scene.simulation.writes.wrong == []
        return await scene.picture(), receiver


async def sweeps(service: Service) -> None:
    while True:
        await asyncio.sleep(SWEEP_S)
        await service.sweep()


def seen_at_best(folder: Path) -> dict[str, Any]:
    found, receiver = simulate(told(folder))
    assert set(receiver.answers) == {202, 204}
    assert receiver.answers.count(202) >= 12
    assert found["status"]["applied"]
    assert {name[-4:] for name in found["made"]} >= {"chat", "talk"}
    assert found["open pulls"] == []
    return found


@pytest.fixture(scope="module")
def best(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    return seen_at_best(tmp_path_factory.mktemp("best") / "story")


@pytest.mark.parametrize("seed", range(scaled(SEEDS)))
def test_however_badly_webhooks_are_delivered_the_same_comes_of_it(
    tmp_path: Path, best: dict[str, Any], seed: int
) -> None:
    chance = Random(seed)
    mischief = {
        "drop": (0.2, 0.5, 0.0)[seed % 3],
        "double": chance.choice((0.0, 0.3, 1.0)),
        "reorder": chance.choice((0.2, 0.5)),
        "delay_s": chance.choice((0.0, 5.0, 60.0)),
    }
    found, receiver = simulate(told(tmp_path / "story", seed=seed, **mischief))
    print(f"\n{mischief}: {len(receiver.answers)} came")  # noqa: T201 - the count is the result
    assert differences(found, best) == []


def test_with_every_webhook_lost_the_sweep_alone_comes_to_the_same(
    tmp_path: Path, best: dict[str, Any]
) -> None:
    found, receiver = simulate(told(tmp_path / "story", drop=1.0))
    assert receiver.answers == []
    assert differences(found, best) == []
