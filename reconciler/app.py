"""The one place that chooses adapters."""

import os
import socket
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from functools import cache, partial
from importlib import import_module
from typing import TYPE_CHECKING, Final

from reconciler.core.model import Mode, Plan, Run, digest_of
from reconciler.engine import Engine, Pace, Progress, Reviewed, silent
from reconciler.settings import Settings

if TYPE_CHECKING:
    from azure.core.credentials_async import AsyncTokenCredential

    from reconciler.azure import AzureSettings
    from reconciler.azure.provider import ArmProvider
    from reconciler.core.desired import Desired
    from reconciler.doctor import Doctor
    from reconciler.service import Service
    from reconciler.state.blob import BlobStore
    from reconciler.state.sqlite import SqliteStore
    from reconciler.state.storage import Storage

DOCTOR_PATIENCE_S: Final = 5.0
"""A person waits for the answer."""


class SystemClock:
    """The machine's own time."""

    def now(self) -> datetime:
        return datetime.now(UTC)

    def monotonic(self) -> float:
        import time

        return time.monotonic()

    async def sleep(self, seconds: float) -> None:
        import asyncio

        await asyncio.sleep(seconds)


@dataclass
class App:
    """The same calls for the command line and the Function App."""

    settings: Settings
    store: "SqliteStore | BlobStore"
    clock: SystemClock
    storage: "Storage | None" = None
    """Closed with the app; None: whoever gave the store closes it."""
    _clouds: "dict[Mode, ArmProvider]" = field(default_factory=dict)

    async def plan(
        self,
        files: Mapping[str, str],
        environment: str,
        commit: str = "",
        progress: Progress = silent,
    ) -> Plan:
        """What applying these specs to an environment would do.

        Raises SpecErrors for specs that cannot be used, before anything is read.
        """
        desired = _parse(files, environment)
        proposal = await self.engine("plan").propose(
            desired.environment, desired.resources, commit_of(files, commit), progress
        )
        return proposal.plan

    async def apply(
        self,
        files: Mapping[str, str],
        environment: str,
        commit: str = "",
        *,
        reviewed: Reviewed | None = None,
        allow: str | None = None,
        requested_by: str = "",
        stopping: Callable[[], bool] = lambda: False,
        progress: Progress = silent,
    ) -> Run:
        """Make Azure as these specs say; raises SpecErrors, Refused, Transient or Permanent.

        A run that is still ``running`` when this returns was stopped; the next call goes on.
        """
        desired = _parse(files, environment)
        return await self.engine("apply").apply(
            desired.environment,
            desired.resources,
            commit_of(files, commit),
            reviewed=reviewed,
            allow=allow,
            requested_by=requested_by,
            stopping=stopping,
            progress=progress,
        )

    def engine(self, identity: Mode) -> Engine:
        """The engine that acts as one of the two identities."""
        first_s = self.settings.poll_s
        return Engine(
            cloud=self._cloud(identity),
            store=self.store,
            clock=self.clock,
            new_id=lambda: new_run_id(self.clock.now()),
            holder=f"{socket.gethostname()}:{os.getpid()}",
            pace=Pace(first_s=first_s, longest_s=max(first_s, Pace.longest_s)),
            lease_s=self.settings.lease_s,
        )

    def _cloud(self, identity: Mode) -> "ArmProvider":
        from reconciler.azure import build_provider

        if identity not in self._clouds:
            settings = azure_settings(self.settings, identity)
            self._clouds[identity] = build_provider(settings, self.clock)
        return self._clouds[identity]

    async def close(self) -> None:
        """Close connections and the store."""
        for cloud in self._clouds.values():
            await cloud.close()
        if self.storage is not None:
            await self.storage.close()


def azure_settings(given: Settings, identity: Mode) -> "AzureSettings":
    """How to reach Azure as one of the two identities."""
    from reconciler.azure import AzureSettings
    from reconciler.azure.settings import SUBSCRIPTION_LIMITS

    return AzureSettings(
        endpoint=given.arm_endpoint,
        audience=given.arm_audience,
        client_id=given.plan_client_id if identity == "plan" else given.apply_client_id,
        limits=SUBSCRIPTION_LIMITS if given.rate_limits else {},
        in_flight=given.in_flight,
        secrets=given.secrets,
    )


def build(settings: Settings, storage: "Storage | None" = None) -> App:
    """Choose the adapters. Raises Permanent when a setting names something that does not exist."""
    storage = storage or storage_of(settings, os.environ)
    return App(settings, storage.store(), SystemClock(), storage)


def storage_of(settings: Settings, environment: Mapping[str, str]) -> "Storage":
    """Where state and messages are kept. Raises Permanent."""
    from reconciler.state.storage import Storage

    def identity() -> "AsyncTokenCredential":
        from reconciler.azure.credential import credential

        return credential("auto", environment.get("AZURE_CLIENT_ID", ""), environment)

    return Storage(settings.state, settings.state_connection, identity)


def build_service(environment: Mapping[str, str]) -> "Service":
    """The reconciler as the triggers call it. Raises Permanent when a setting cannot be meant."""
    from reconciler.connect import forge_of, specs_of
    from reconciler.git import GitSettings
    from reconciler.service import Remembered, Service

    settings, closing = Settings.from_env(environment), AsyncExitStack()
    storage = storage_of(settings, environment)
    app = build(settings, storage)
    closing.push_async_callback(app.close)
    forge = forge_of(environment, settings, app.clock, closing)
    return Service(
        store=app.store,
        queue=storage.queue(),
        specs=Remembered(specs_of(environment, settings, forge, closing)),
        clock=app.clock,
        engine=app.engine,
        new_id=lambda: new_run_id(app.clock.now()),
        budget_s=settings.budget_s,
        drift_s=settings.drift_s,
        forge=forge,
        branch=GitSettings.from_env(environment).branch,
        run_link=f"{settings.public_url}/api/runs/{{run}}" if settings.public_url else "",
        closing=closing,
        get_ready=partial(get_ready, settings.forge),
    )


@cache
def get_ready(forge: str) -> None:
    """Import what looking at a pull request takes: most of what the first one waits for."""
    names = ["reconciler.azure.provider", "azure.identity.aio", "git"]
    names += ["reconciler.core.marks", "reconciler.core.render.preview_markdown"]
    names += ["reconciler.forge.connection"] if forge == "github" else []
    for name in names:
        import_module(name)


@cache
def service() -> "Service":
    """This process's service, made when it is first needed; one that could not be made is tried
    again. Raises Permanent."""
    from reconciler.doctor import look_at_start
    from reconciler.telemetry import start_export, start_logs

    start_logs(os.environ)
    start_export(os.environ)
    look_at_start(os.environ)
    return build_service(os.environ)


async def close_service() -> None:
    """Close what this process's service opened, if there is one: where a process ends tidily."""
    if service.cache_info().currsize:
        made = service()
        service.cache_clear()
        await made.close()


@asynccontextmanager
async def doctor_for(
    environment: Mapping[str, str], files: Callable[[], Mapping[str, str]], only: str = ""
) -> "AsyncIterator[Doctor]":
    """Who looks at everything that these settings ask for. ``files`` gives the specs where no
    repository is set."""
    from reconciler.azure.client import Client
    from reconciler.azure.credential import credential
    from reconciler.connect import forge_of, specs_of
    from reconciler.doctor import Doctor

    closing = AsyncExitStack()
    clock, settings = SystemClock(), cache(lambda: Settings.from_env(environment))
    forge = cache(lambda: forge_of(environment, settings(), clock, closing))
    storage = cache(lambda: storage_of(settings(), environment))
    clients: dict[Mode, Client] = {}

    def client(identity: Mode) -> Client:
        if identity not in clients:
            given = replace(azure_settings(settings(), identity), patience_s=DOCTOR_PATIENCE_S)
            who = credential(given.identity, given.client_id, environment)
            clients[identity] = Client(given, who, clock)
        return clients[identity]

    try:
        yield Doctor(
            environment,
            clock,
            client,
            store=cache(lambda: storage().store()),
            queue=lambda: storage().queue(),
            specs=(lambda: specs_of(environment, settings(), forge(), closing))
            if environment.get("RECONCILER_REPO_URL")
            else None,
            files=files,
            only=only,
            chosen=settings,
            forge=forge,
        )
    finally:
        await closing.aclose()
        for one in clients.values():
            await one.close()
        if storage.cache_info().currsize:
            await storage().close()


def new_run_id(now: datetime) -> str:
    """A run's name: sorts by time, unique across workers."""
    return f"{now:%Y%m%d-%H%M%S}-{os.urandom(3).hex()}"


def commit_of(files: Mapping[str, str], commit: str) -> str:
    """A name for exactly these texts: the commit, or a digest where there is no clean one."""
    return commit or f"files-{digest_of(dict(files))}"


def _parse(files: Mapping[str, str], environment: str) -> "Desired":
    from reconciler.core.desired import parse

    return parse(files, environment)


__all__ = [
    "App",
    "Settings",
    "SystemClock",
    "build",
    "build_service",
    "close_service",
    "commit_of",
    "new_run_id",
    "service",
    "storage_of",
]
