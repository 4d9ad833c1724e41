"""The same as test_drained.py on Blob and Queue storage: instances with connections of their own,
messages taken as the Functions host takes them."""

import asyncio
import base64
import os
import uuid
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from dataclasses import dataclass
from random import Random
from typing import Any
from unittest.mock import patch

from azure.core.exceptions import ResourceNotFoundError
from azure.storage.queue.aio import QueueClient

from reconciler.azure import AzureSettings, build_provider
from reconciler.core.model import Mode
from reconciler.engine import Engine, Pace
from reconciler.local.azure import EmulatedAzure
from reconciler.ports import Clock, Taken
from reconciler.service import Asked, Service
from reconciler.state.blob import BlobStore
from reconciler.state.storage_queue import StorageQueue
from tests.desk import Branch
from tests.engine.world import Seconds
from tests.proofs.scale import scaled
from tests.proofs.simulation import Instance, Luck, declared, made_in
from tests.proofs.test_drained import ESTATE
from tests.state.azurite import Azurite, azurite
from tests.state.conformance import MOMENT

__all__ = ["azurite"]

REQUESTS = 20
ENVIRONMENTS = 4
MOST_ENVIRONMENTS = 20
INSTANCES = 3
FASTER = 10.0
LONGEST_S = 300.0


class HurriedClock:
    """Real time, but ten times as quick."""

    def __init__(self) -> None:
        self.begun = asyncio.get_running_loop().time()

    def monotonic(self) -> float:
        return (asyncio.get_running_loop().time() - self.begun) * FASTER

    def now(self) -> Any:
        from datetime import timedelta

        return MOMENT + timedelta(seconds=self.monotonic())

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(seconds / FASTER)


@dataclass
class TakingEnd:
    """The taking end of a queue, as far as the host's listener needs it."""

    client: QueueClient

    async def take(self, most: int, hidden_s: float) -> list[Taken]:
        found = self.client.receive_messages(max_messages=most, visibility_timeout=int(hidden_s))
        return [
            Taken(
                one.id,
                one.pop_receipt,
                base64.b64decode(one.content).decode(),
                one.dequeue_count,
                one.inserted_on,
            )
            async for one in found
        ]

    async def keep(self, taken: Taken, hidden_s: float) -> None:
        with suppress(ResourceNotFoundError):
            await self.client.update_message(
                taken.id, taken.receipt, visibility_timeout=int(hidden_s)
            )

    async def delete(self, taken: Taken) -> None:
        with suppress(ResourceNotFoundError):
            await self.client.delete_message(taken.id, taken.receipt)


@asynccontextmanager
async def instances(
    azurite: Azurite, azure: EmulatedAzure, branch: Branch, clock: Clock
) -> AsyncIterator[list[Instance]]:
    place = f"c{uuid.uuid4().hex}"
    async with AsyncExitStack() as stack:
        first = QueueClient.from_connection_string(azurite.connection(), place)
        await (await stack.enter_async_context(first)).create_queue()
        made: list[Instance] = []
        for number in range(INSTANCES):
            made.append(_instance(azurite, azure, branch, clock, place, number))
            stack.push_async_callback(made[-1].close)
        yield made


def _instance(
    azurite: Azurite, azure: EmulatedAzure, branch: Branch, clock: Clock, place: str, number: int
) -> Instance:
    name = f"w{number}"
    store = BlobStore(azurite.container(place))
    sending = QueueClient.from_connection_string(
        azurite.connection(), place, message_encode_policy=_encoding()
    )
    taking = QueueClient.from_connection_string(azurite.connection(), place)
    cloud = build_provider(AzureSettings(endpoint=azure.url, limits={}), clock)
    numbers = iter(range(10_000))

    def engine(mode: Mode) -> Engine:
        return Engine(cloud, store, clock, lambda: "", name, Pace(2.0, 15.0))

    service = Service(
        store=store,
        queue=StorageQueue(sending),
        specs=branch,
        clock=clock,
        engine=engine,
        new_id=lambda: f"{clock.now():%Y%m%d-%H%M%S}-{name}{next(numbers):04}",
    )
    parts = [cloud, store, sending, taking]
    return Instance(name, Luck(), service, TakingEnd(taking), parts, poll_s=0.1)


def _encoding() -> Any:
    from azure.storage.queue import TextBase64EncodePolicy

    return TextBase64EncodePolicy()


async def tick(azurite: Azurite, clock: Clock) -> None:
    """Azurite's clock goes with ours."""
    while True:
        azurite.set_clock(clock.now())
        await asyncio.sleep(0.05)


async def finished(service: Service, names: list[str], head: str) -> bool:
    if await service.store.open_runs():
        return False
    stands = [await service.store.status(name) for name in names]
    return all(one.applied_commit == head for one in stands)


async def test_many_instances_drain_what_many_ask_for_in_blob_storage(azurite: Azurite) -> None:
    chance, clock, branch = Random(2), HurriedClock(), Branch()
    count = min(MOST_ENVIRONMENTS, scaled(ENVIRONMENTS))
    names = [f"team{number}" for number in range(count)]
    head = branch.commit(declared(**{name: ESTATE.format(name=name) for name in names}))
    async with AsyncExitStack() as stack:
        azure = EmulatedAzure(clock=Seconds(clock), rate_limits=False)  # type: ignore[arg-type]
        await stack.enter_async_context(azure)
        stack.enter_context(patch.dict(os.environ, azure.environment()))
        made = made_in(azure)
        ours = await stack.enter_async_context(instances(azurite, azure, branch, clock))
        tasks = [asyncio.create_task(one.host(4)) for one in ours]
        tasks.append(asyncio.create_task(tick(azurite, clock)))
        wanted = names + chance.choices(names, k=scaled(REQUESTS) - count)
        for place, name in enumerate(wanted):
            mode: Any = "apply" if place < count else chance.choice(("apply", "apply", "plan"))
            await chance.choice(ours).service.request(Asked(name, mode))
        async with asyncio.timeout(LONGEST_S):
            while not await finished(ours[0].service, names, head):
                await asyncio.sleep(0.2)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        states = [one.state for one in await ours[0].service.store.runs(limit=1000)]
    print(f"\n{len(states)} runs, {states.count('done')} done, by {INSTANCES} instances")  # noqa: T201 - the count is the result
    assert set(states) <= {"done", "superseded"}
    assert len(states) == len(wanted)
    assert made == dict.fromkeys(made, 1)
    assert len(made) == 2 * count
