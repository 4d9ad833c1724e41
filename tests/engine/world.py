"""A small world to run the engine in: an emulated Azure, a store, specs, and fast time."""

import asyncio
import os
import textwrap
import time
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from unittest.mock import patch

from reconciler.app import App, Settings
from reconciler.azure import AzureSettings
from reconciler.azure.client import Client
from reconciler.azure.credential import credential
from reconciler.azure.provider import ArmProvider
from reconciler.core.model import Plan, Run
from reconciler.local.azure import EmulatedAzure
from reconciler.state.sqlite import SqliteStore
from tests.contracts import check_exchange

CHECKED = bool(os.environ.get("RECONCILER_CONTRACTS"))
"""Whether bodies are held against Microsoft's types; without them the tests still run."""
FASTER = 200.0
"""How many seconds of the world pass in one real second."""
LEASE_S = 60 * FASTER
"""Long enough for a machine that is busy with other tests."""
SUBSCRIPTION = "00000000-0000-0000-0000-000000000001"
GROUP = f"/subscriptions/{SUBSCRIPTION}/resourceGroups/rg-ai"
ENVIRONMENT = f"""
apiVersion: aigitops/v1
kind: Environment
metadata: {{name: dev}}
spec:
  subscription: {SUBSCRIPTION}
  resourceGroup: rg-ai
  location: eastus2
"""


class FastClock:
    """The engine's and the emulator's clock: real, but ``FASTER`` times as quick."""

    START = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)

    def __init__(self) -> None:
        self.begun = time.monotonic()

    def monotonic(self) -> float:
        return (time.monotonic() - self.begun) * FASTER

    def now(self) -> datetime:
        return self.START + timedelta(seconds=self.monotonic())

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(seconds / FASTER)


@dataclass
class Seconds:
    """The same clock as the emulator reads it."""

    clock: FastClock

    def now(self) -> float:
        return self.clock.now().timestamp()

    async def sleep(self, seconds: float) -> None:
        await self.clock.sleep(seconds)


@dataclass
class World:
    """Everything outside the engine; every call is a fresh process's worth of engine."""

    azure: EmulatedAzure
    folder: Path
    clock: FastClock
    files: dict[str, str] = field(default_factory=dict)
    findings: list[str] = field(default_factory=list)
    """What Microsoft's types say against bodies that went over the wire."""
    secrets: Mapping[str, str] = field(default_factory=lambda: {"TOKEN": "canary-1"})
    """What the reconciler's settings hold for secrets."""
    wrap: Callable[[Any], Any] = field(default=lambda part: part)
    """Put around the provider and the store, for tests that kill."""
    later_s: float = 0.0
    """Seconds that the store's clock is ahead: more than a lease lasts lets a dead worker's go."""

    def declare(self, *documents: str, environment: str = "", **files: str) -> None:
        """Replace the specs; ``environment`` is more YAML below the environment's ``spec``."""
        body = "\n---\n".join(textwrap.dedent(one).strip() for one in documents)
        more = textwrap.indent(textwrap.dedent(environment).strip(), "  ")
        self.files = {
            "specs/environments/dev.yaml": f"{ENVIRONMENT.strip()}\n{more}\n",
            "specs/estate.yaml": f"{body}\n",
            **files,
        }

    @asynccontextmanager
    async def app(self) -> AsyncIterator[App]:
        environment = self.azure.environment()
        with patch.dict(os.environ, environment):
            async with self._app(environment) as app:
                yield app

    @asynccontextmanager
    async def _app(self, environment: Mapping[str, str]) -> AsyncIterator[App]:
        settings = AzureSettings(
            endpoint=self.azure.url, limits={}, secrets=self.secrets, patience_s=6000
        )
        client = Client(settings, credential("auto", "", environment), self.clock)
        store = SqliteStore(self.folder / "state.db", self._late)
        cloud = ArmProvider(client)
        app = App(Settings(poll_s=1.0, lease_s=LEASE_S), self.wrap(store), self.clock)  # type: ignore[arg-type]
        app._clouds = {"plan": self.wrap(cloud), "apply": self.wrap(cloud)}
        try:
            yield app
        finally:
            await client.close()
            store.close()

    def _late(self) -> datetime:
        return self.clock.now() + timedelta(seconds=self.later_s)

    async def plan(self) -> Plan:
        async with self.app() as app:
            return await app.plan(self.files, "dev", "commit-1")

    async def apply(self, commit: str = "commit-1", **options: Any) -> Run:
        async with self.app() as app:
            return await app.apply(self.files, "dev", commit, **options)

    async def owned(self) -> Mapping[str, Any]:
        async with self.app() as app:
            return await app.store.owned("dev")

    async def converge(self) -> Run:
        """Apply, and see that the second plan is empty."""
        run = await self.apply()
        assert run.state == "done", failures(run)
        plan = await self.plan()
        assert plan.changes == (), plan.changes
        return run

    def get(self, path: str) -> Any:
        return self.azure.backdoor.get(f"{GROUP}/providers/{path}")

    def patch(self, path: str, changes: dict[str, Any]) -> None:
        self.azure.backdoor.patch(f"{GROUP}/providers/{path}", changes)

    def ids(self) -> set[str]:
        """The ids of everything that exists, lower-cased."""
        return {one.id.lower() for one in self.azure.store}

    def writes(self) -> list[tuple[str, str]]:
        """Accepted PUTs and DELETEs in order."""
        return [
            (one.method, one.path)
            for one in self.azure.requests.entries
            if one.method in ("PUT", "DELETE") and 200 <= one.status < 300
        ]


def failures(run: Run) -> list[str]:
    return [f"{k}: {o.detail}" for k, o in run.outcomes.items() if o.state != "done"]


@asynccontextmanager
async def a_world(folder: Path, **options: Any) -> AsyncIterator[World]:
    clock = FastClock()
    world: World | None = None

    def watch(exchange: Any) -> None:
        if CHECKED and world is not None and 200 <= exchange.status < 300:
            world.findings += check_exchange(exchange)

    async with EmulatedAzure(
        clock=Seconds(clock), rate_limits=False, on_exchange=watch, **options
    ) as azure:
        world = World(azure, folder, clock)
        yield world
        assert world.findings == [], world.findings
