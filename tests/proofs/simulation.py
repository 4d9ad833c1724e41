"""Instances of the service in one process, on a clock that jumps: each has a store and a client of
its own, clocks that are wrong, pauses at any call, and may freeze or die there.

The queue, the store, the engine, the client and the emulated Azure are the real ones; what a seed
decides is when things happen.
"""

import asyncio
import json
import os
import selectors
import textwrap
import time
from collections import Counter
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from random import Random
from typing import Any
from unittest.mock import patch

from bench.virtual import JumpingLoop, JumpingSelector
from reconciler.azure import AzureSettings
from reconciler.azure.client import Client
from reconciler.azure.credential import credential
from reconciler.azure.provider import ArmProvider
from reconciler.core.errors import ReconcilerError
from reconciler.core.model import Mode
from reconciler.engine import Engine, Pace
from reconciler.local.azure import EmulatedAzure, ids
from reconciler.local.azure.model import Resource
from reconciler.ports import Taken
from reconciler.service import Service
from reconciler.state.sqlite import SqliteStore
from reconciler.state.sqlite_queue import SqliteQueue
from tests.desk import Branch
from tests.engine.killing import Killed
from tests.engine.world import SUBSCRIPTION
from tests.proofs.wire import Wire, counted

START = datetime.now(UTC)
"""Tokens are held to the machine's own time, so that no simulation may last a day."""
ENVIRONMENT = """
apiVersion: aigitops/v1
kind: Environment
metadata: {{name: {name}}}
spec:
  subscription: {subscription}
  resourceGroup: rg-{name}
  location: eastus2
  include: [{name}]
  prune: true
"""
LEASE_S = 60.0
HIDDEN_S = 120.0
"""How long a message stays hidden after the instance that took it has died."""
TRIES = 5
"""How often a message is taken before it is poison, as host.json has it."""
WRITING = {"put", "delete", "purge", "record"}
LOCAL = {"close", "state"}
"""Calls that are nobody's move: the store is asked for a state in the background."""


PATIENCE_S = 0.1
"""How long the kernel of a busy machine may take, in seconds, to hand over what was sent."""


class Selector(JumpingSelector):
    """Moves time only when nothing is on its way."""

    def __init__(self, wire: Wire) -> None:
        super().__init__()
        self._wire = wire

    def late(self) -> list[tuple[selectors.SelectorKey, int]]:
        ready = super().late()
        until = time.monotonic() + PATIENCE_S
        while self._wire.under_way and not ready and time.monotonic() < until:
            ready = super().late()
        if not ready:
            self._wire.lose()
        return ready


class Loop(JumpingLoop):
    """Threads know nothing of a time that jumps: what is meant for them is done at once."""

    def run_in_executor(self, executor: Any, func: Any, *args: Any) -> asyncio.Future[Any]:
        future = self.create_future()
        try:
            future.set_result(func(*args))
        except Exception as error:  # noqa: BLE001 - it is the caller's, as from a thread
            future.set_exception(error)
        return future


def simulate[T](work: Coroutine[Any, Any, T]) -> T:
    """Run it in a time of its own."""
    with counted() as wire, asyncio.Runner(loop_factory=lambda: Loop(Selector(wire))) as runner:
        return runner.run(work)


def true_now() -> datetime:
    return START + timedelta(seconds=asyncio.get_running_loop().time())


class TrueTime:
    """The emulator's clock."""

    def now(self) -> float:
        return true_now().timestamp()

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(seconds)


@dataclass
class Luck:
    """What befalls one process at each of its calls."""

    chance: Random = field(default_factory=lambda: Random(0))
    pauses: tuple[float, ...] = ()
    """How long a call is on its way, in seconds; one of these."""
    freezes: float = 0.0
    """How likely the whole process stops for a while at a call; five times that at a write."""
    frozen_s: tuple[float, float] = (20.0, 600.0)
    dies_at: int = -1
    """The number of the call at which it dies; -1: never."""
    after: bool = False
    """Whether it dies once the call was carried out, rather than before."""
    calls: int = 0
    dead: bool = False
    thaws_at: float = 0.0

    async def meet(self, name: str = "") -> None:
        """Take as long as it takes. Raises Killed in a process that is dead."""
        likely = self.freezes * (5 if name in WRITING else 1)
        if likely and self.chance.random() < likely:
            self.thaws_at = asyncio.get_running_loop().time() + self.chance.uniform(*self.frozen_s)
        if self.pauses:
            await asyncio.sleep(self.chance.choice(self.pauses))
        await self.thaw()

    async def thaw(self) -> None:
        while (left := self.thaws_at - asyncio.get_running_loop().time()) > 0:
            await asyncio.sleep(left + self.chance.random() / 1000)
        if self.dead:
            raise Killed

    def die_if_due(self, mine: int, after: bool) -> None:
        if mine == self.dies_at and after == self.after:
            self.dead = True
        if self.dead:
            raise Killed


class Through:
    """A part of an instance; every call of it meets the instance's luck on the way and back."""

    def __init__(self, part: Any, luck: Luck) -> None:
        self._part, self._luck = part, luck

    def __getattr__(self, name: str) -> Any:
        member = getattr(self._part, name)
        if name in LOCAL or not callable(member):
            return member
        luck = self._luck

        async def call(*values: Any, **named: Any) -> Any:
            await luck.meet(name)
            mine = luck.calls
            luck.calls += 1
            luck.die_if_due(mine, after=False)
            answer = await member(*values, **named)
            luck.die_if_due(mine, after=True)
            await luck.meet()
            return Through(answer, luck) if name == "lease" else answer

        return call

    async def __aenter__(self) -> Any:
        await self._part.__aenter__()
        return self

    async def __aexit__(self, *error: Any) -> None:
        if not self._luck.dead:  # the dead give nothing back
            await self._part.__aexit__(*error)


@dataclass
class WrongClock:
    """An instance's clock: ahead or behind, and standing still while the process does."""

    luck: Luck
    ahead_s: float = 0.0

    def now(self) -> datetime:
        return true_now() + timedelta(seconds=self.ahead_s)

    def monotonic(self) -> float:
        return asyncio.get_running_loop().time()

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(seconds)
        await self.luck.thaw()


@dataclass
class Writes:
    """What is on its way to Azure, from whom, and what should not have been."""

    leased: Callable[[str], str]
    """Who holds the lease of an environment."""
    under_way: Counter[tuple[str, str]] = field(default_factory=Counter)
    sent: int = 0
    wrong: list[str] = field(default_factory=list)

    def begun(self, name: str, environment: str, what: str) -> None:
        self.sent += 1
        now = f"{true_now():%H:%M:%S} {name} sent {what}"
        others = [
            f"{now} while {who} was writing"
            for (who, where), count in self.under_way.items()
            if count and where == environment and who != name
        ]
        self.wrong += others
        holder = self.leased(environment)
        if holder and holder != name:
            self.wrong.append(f"{now} while {holder} held the lease")
        self.under_way[name, environment] += 1

    def over(self, name: str, environment: str) -> None:
        self.under_way[name, environment] -= 1


@dataclass
class Instance:
    """One process of the service."""

    name: str
    luck: Luck
    service: Service
    queue: Any
    parts: list[Any]
    poll_s: float = 4.0
    """How often it looks for messages."""
    again_s: float = 0.0
    """How long a message that could not be handled stays hidden."""

    async def host(self, at_once: int = 2) -> None:
        """Take messages and handle them, as a Functions host does, until it dies."""
        busy: set[asyncio.Task[None]] = set()
        try:
            while not self.luck.dead:
                with suppress(ReconcilerError):
                    for taken in await self.queue.take(at_once - len(busy), HIDDEN_S):
                        busy.add(asyncio.create_task(self._handle(taken)))
                if len(busy) < at_once:
                    await asyncio.sleep(self.poll_s)
                else:
                    await asyncio.wait(busy, return_when=asyncio.FIRST_COMPLETED)
                busy = {one for one in busy if not _over(one)}
        except Killed:
            return
        finally:
            for one in busy:
                one.cancel()
            await asyncio.gather(*busy, return_exceptions=True)

    async def _handle(self, taken: Taken) -> None:
        renewing = asyncio.create_task(self._renew(taken))
        try:
            if taken.count > TRIES:
                await self.service.poisoned(json.loads(taken.text))
                await self.queue.delete(taken)
                return
            await self.service.handle(json.loads(taken.text))
            await self.queue.delete(taken)
        except ReconcilerError:
            with suppress(ReconcilerError):
                await self.queue.keep(taken, self.again_s)
        finally:
            renewing.cancel()
            await asyncio.gather(renewing, return_exceptions=True)

    async def _renew(self, taken: Taken) -> None:
        while True:
            await asyncio.sleep(HIDDEN_S / 2)
            with suppress(ReconcilerError):
                await self.queue.keep(taken, HIDDEN_S)

    async def close(self) -> None:
        for part in self.parts:
            if found := part.close():
                await found


def _over(task: asyncio.Task[None]) -> bool:
    """Whether it ended; what it died of is raised, unless it died with its process."""
    if not task.done() or task.cancelled():
        return task.done()
    if (error := task.exception()) and not isinstance(error, Killed):
        raise error
    return True


def made_in(azure: EmulatedAzure) -> Counter[str]:
    """How often each resource comes into being from now on, kept up to date."""
    made: Counter[str] = Counter()
    plain = azure.store.put

    def put(resource: Resource) -> Resource:
        if azure.store.find(resource.id) is None:
            made[ids.key(resource.id)] += 1
        return plain(resource)

    azure.store.put = put  # type: ignore[method-assign]
    return made


@dataclass
class Simulation:
    """An emulated Azure, a branch of specs, one file of state, and the instances over them."""

    azure: EmulatedAzure
    branch: Branch
    folder: Path
    wrap: Callable[[Any], Any] = field(default=lambda part: part)
    """Put around every store, for storage that fails."""
    instances: list[Instance] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.state = SqliteStore(self.folder / "state.db", true_now)
        """For looking at what is saved; belongs to no instance."""
        self.writes = Writes(self._holder)
        self.made = made_in(self.azure)

    def _holder(self, environment: str) -> str:
        held = self.state.leases.held(environment)
        return held[0] if held and held[2] > true_now() else ""

    def instance(
        self,
        name: str,
        luck: Luck | None = None,
        ahead_s: float = 0.0,
        lease_ahead_s: float = 0.0,
        latency_s: tuple[float, ...] = (),
        patience_s: float = 600.0,
        **more: Any,
    ) -> Instance:
        """Start a process. ``ahead_s``: of its clock; ``lease_ahead_s``: of its store's clock;
        ``latency_s``: how long a write may be on its way to Azure."""
        luck = luck or Luck()
        clock = WrongClock(luck, ahead_s)
        file = self.folder / "state.db"
        store = SqliteStore(file, lambda: true_now() + timedelta(seconds=lease_ahead_s))
        queue = SqliteQueue(file, now=true_now)
        settings = AzureSettings(
            endpoint=self.azure.url,
            limits={},
            secrets={"TOKEN": "canary-1"},
            patience_s=patience_s,
        )
        client = Client(settings, credential("auto", "", self.azure.environment()), clock)
        self._watch(client, name, luck, latency_s)
        cloud = Through(ArmProvider(client), luck)
        through = Through(self.wrap(store), luck)
        numbers = iter(range(10_000))

        def engine(mode: Mode) -> Engine:
            return Engine(cloud, through, clock, lambda: "", name, Pace(2.0, 15.0), lease_s=LEASE_S)

        service = Service(
            store=through,
            queue=Through(self.wrap(queue), luck),
            specs=self.branch,
            clock=clock,
            engine=engine,
            new_id=lambda: f"{clock.now():%H%M%S%f}-{name}-{next(numbers):04}",
            **more,
        )
        parts = [client, store, queue]
        one = Instance(name, luck, service, Through(queue, luck), parts)
        self.instances.append(one)
        return one

    def _watch(self, client: Client, name: str, luck: Luck, latency_s: tuple[float, ...]) -> None:
        plain, chance = client._transport.send, Random(luck.chance.random())

        async def send(request: Any, **options: Any) -> Any:
            path = request.url.partition("?")[0].removeprefix(self.azure.url)
            if request.method not in ("PUT", "DELETE"):
                return await plain(request, **options)
            environment = _environment_of(path)
            self.writes.begun(name, environment, f"{request.method} {path.rpartition('/')[2]}")
            try:
                if latency_s:
                    await asyncio.sleep(chance.choice(latency_s))
                return await plain(request, **options)
            finally:
                self.writes.over(name, environment)

        client._transport.send = send  # type: ignore[method-assign]

    async def idle(self, *environments: str) -> bool:
        """Whether the head is applied everywhere and nobody has anything left to do."""
        if await self.state.open_runs():
            return False
        head = await self.branch.head()
        stands = [await self.state.status(one) for one in environments]
        return all(one.applied_commit == head and not one.failures for one in stands)

    def messages(self) -> int:
        return int(self.state._db.rows("SELECT count(*) FROM messages")[0][0])


def declared(**environments: str) -> dict[str, str]:
    """The specs of some environments, each with a resource group and a folder of its own."""
    files: dict[str, str] = {}
    for name, documents in environments.items():
        text = ENVIRONMENT.format(name=name, subscription=SUBSCRIPTION)
        files[f"specs/environments/{name}.yaml"] = text
        files[f"specs/{name}/estate.yaml"] = textwrap.dedent(documents).strip() + "\n"
    return files


def _environment_of(path: str) -> str:
    """The resource group ``rg-NAME`` is the environment ``NAME``; ``rg-ai`` is ``dev``."""
    parts = path.lower().split("/")
    group = parts[parts.index("resourcegroups") + 1] if "resourcegroups" in parts else ""
    return "dev" if group == "rg-ai" else group.removeprefix("rg-")


@asynccontextmanager
async def a_simulation(folder: Path, **options: Any) -> AsyncIterator[Simulation]:
    async with AsyncExitStack() as stack:
        azure = EmulatedAzure(clock=TrueTime(), rate_limits=False, **options)
        await stack.enter_async_context(azure)
        stack.enter_context(patch.dict(os.environ, azure.environment()))
        simulation = Simulation(azure, Branch(), folder)
        try:
            yield simulation
        finally:
            for one in simulation.instances:
                await one.close()
            simulation.state.close()
