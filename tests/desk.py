"""A small world to run the service in: a branch of specs, a queue, and the engine's own world."""

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from hashlib import sha1
from pathlib import Path
from random import Random
from typing import Any

from reconciler.core.errors import Permanent, Transient
from reconciler.core.model import Run, Status
from reconciler.ports import Store
from reconciler.service import Asked, Service
from tests.engine.world import FASTER, FastClock, World, a_world

ACCOUNT_ID = "Microsoft.CognitiveServices/accounts/contoso"


@dataclass
class Branch:
    """Specs at commits; ``broken`` makes every reading fail."""

    commits: dict[str, Mapping[str, str]] = field(default_factory=dict)
    broken: Exception | None = None

    def commit(self, files: Mapping[str, str]) -> str:
        name = sha1(f"{len(self.commits)}{dict(files)}".encode()).hexdigest()
        self.commits[name] = dict(files)
        return name

    async def head(self) -> str:
        if self.broken:
            raise self.broken
        return list(self.commits)[-1]

    async def read(self, commit: str) -> Mapping[str, str]:
        if self.broken:
            raise self.broken
        if commit not in self.commits:
            raise Permanent(f"there is no commit {commit}")
        return self.commits[commit]


@dataclass
class Belt:
    """A queue that does what it is told: in order, shuffled, doubled or lost."""

    waiting: list[Mapping[str, str]] = field(default_factory=list)
    delays: list[float] = field(default_factory=list)
    broken: bool = False

    async def send(self, message: Mapping[str, str], delay_s: float = 0.0) -> None:
        if self.broken:
            raise Transient("the queue is away")
        self.waiting.append(dict(message))
        self.delays.append(delay_s)

    def take(self, chance: Random | None = None) -> Mapping[str, str]:
        return self.waiting.pop(chance.randrange(len(self.waiting)) if chance else 0)


@dataclass
class Desk:
    """A service with everything around it."""

    world: World
    branch: Branch
    queue: Belt
    service: Service
    clock: FastClock
    turns: int = 0

    @property
    def store(self) -> Store:
        return self.service.store

    def skip(self, seconds: float) -> None:
        """Put the clock forward."""
        self.clock.begun -= seconds / FASTER

    def declare(self, *documents: str, environment: str = "") -> str:
        """Commit these specs for the environment ``dev``."""
        self.world.declare(*documents, environment=environment)
        return self.branch.commit(self.world.files)

    async def ask(self, mode: Any = "apply", **more: Any) -> str:
        return (await self.service.request(Asked("dev", mode, **more))).id

    async def work(self, most: int = 200, chance: Random | None = None) -> None:
        """Handle messages until there are none; what is handled may send more."""
        while self.queue.waiting:
            assert self.turns < most, f"{most} messages were not enough: {self.queue.waiting}"
            self.turns += 1
            await self.service.handle(self.queue.take(chance))

    async def sweep(self) -> None:
        """What the timer does, and what comes of it."""
        await self.service.sweep()
        await self.work()

    async def run(self, run_id: str) -> Run:
        found = await self.store.run(run_id)
        assert found is not None
        return found

    async def apply(self) -> Run:
        """Ask for an apply and see it done."""
        run = await self.apply_anyhow()
        assert run.state == "done", run
        return run

    async def apply_anyhow(self) -> Run:
        name = await self.ask()
        await self.work()
        return await self.run(name)

    async def status(self) -> Status:
        return await self.store.status("dev")

    async def set_status(self, **changes: Any) -> None:
        await self.store.keep_status(replace(await self.status(), **changes))

    async def runs(self) -> list[str]:
        """``mode state by`` of every run, newest first."""
        found = await self.store.runs("dev")
        return [f"{one.mode} {one.state} {one.requested_by}" for one in found]

    async def converged(self) -> bool:
        name = await self.ask("plan")
        await self.work()
        return (await self.run(name)).plan.changes == ()


@asynccontextmanager
async def a_desk(folder: Path, **options: Any) -> AsyncIterator[Desk]:
    async with a_world(folder, **options) as world, world.app() as app:
        branch, queue = Branch(), Belt()
        numbers = iter(range(10_000))
        service = Service(
            store=app.store,
            queue=queue,
            specs=branch,
            clock=world.clock,
            engine=app.engine,
            new_id=lambda: f"run-{next(numbers):04}",
        )
        yield Desk(world, branch, queue, service, world.clock)
