"""Settings, and the one place that chooses adapters."""

import os
import socket
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Literal

from reconciler.core.errors import Permanent
from reconciler.core.model import Plan, Run, digest_of
from reconciler.engine import Engine, Pace, Progress, Reviewed, silent

if TYPE_CHECKING:
    from reconciler.azure.provider import ArmProvider
    from reconciler.core.desired import Desired
    from reconciler.state.sqlite import SqliteStore

SECRET = "RECONCILER_SECRET_"  # noqa: S105 - the start of a variable's name

type Identity = Literal["plan", "apply"]


@dataclass(frozen=True)
class Settings:
    """What a deployment may choose, from environment variables; the README lists them all."""

    state: str = "sqlite:.reconciler/state.db"
    """``RECONCILER_STATE``: ``sqlite:PATH``."""
    arm_endpoint: str = "https://management.azure.com"
    """``RECONCILER_ARM_ENDPOINT``: other clouds, or an emulator on this machine."""
    arm_audience: str = ""
    """``RECONCILER_ARM_AUDIENCE``: the token audience, where it is not the endpoint."""
    plan_client_id: str = ""
    """``RECONCILER_PLAN_CLIENT_ID``: the managed identity that reads."""
    apply_client_id: str = ""
    """``RECONCILER_APPLY_CLIENT_ID``: the managed identity that writes."""
    rate_limits: bool = True
    """``RECONCILER_RATE_LIMITS``: ``off`` sends as fast as it can (emulators only)."""
    in_flight: int = 32
    """``RECONCILER_IN_FLIGHT``: requests to Azure under way at once."""
    poll_s: float = 2.0
    """``RECONCILER_POLL_S``: the first pause, in seconds, while Azure works on something."""
    lease_s: float = 60.0
    """``RECONCILER_LEASE_S``: how long an environment stays taken after its worker died."""
    secrets: Mapping[str, str] = field(default_factory=dict, repr=False)
    """``RECONCILER_SECRET_<NAME>``: the values of ``{secret: {setting: <NAME>}}``, by name."""

    @classmethod
    def from_env(cls, environment: Mapping[str, str] | None = None) -> "Settings":
        """Read the environment. Raises Permanent for a value that cannot be meant."""
        env = dict(os.environ if environment is None else environment)
        return cls(
            state=env.get("RECONCILER_STATE") or cls.state,
            arm_endpoint=(env.get("RECONCILER_ARM_ENDPOINT") or cls.arm_endpoint).rstrip("/"),
            arm_audience=env.get("RECONCILER_ARM_AUDIENCE", ""),
            plan_client_id=env.get("RECONCILER_PLAN_CLIENT_ID", ""),
            apply_client_id=env.get("RECONCILER_APPLY_CLIENT_ID", ""),
            rate_limits=env.get("RECONCILER_RATE_LIMITS", "on").lower() != "off",
            in_flight=_number(env, "RECONCILER_IN_FLIGHT", int, cls.in_flight),
            poll_s=_number(env, "RECONCILER_POLL_S", float, cls.poll_s),
            lease_s=_number(env, "RECONCILER_LEASE_S", float, cls.lease_s),
            secrets={
                name.removeprefix(SECRET): value
                for name, value in env.items()
                if name.startswith(SECRET)
            },
        )


def _number[T: (int, float)](
    env: Mapping[str, str], name: str, read: Callable[[str], T], default: T
) -> T:
    text = env.get(name, "")
    if not text:
        return default
    try:
        value = read(text)
    except ValueError:
        value = read("-1")
    if value <= 0:
        raise Permanent(f'{name} is "{text}": it has to be a positive number')
    return value


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
    store: "SqliteStore"
    clock: SystemClock
    _clouds: "dict[Identity, ArmProvider]" = field(default_factory=dict)

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
        proposal = await self._engine("plan").propose(
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
        return await self._engine("apply").apply(
            desired.environment,
            desired.resources,
            commit_of(files, commit),
            reviewed=reviewed,
            allow=allow,
            requested_by=requested_by,
            stopping=stopping,
            progress=progress,
        )

    def _engine(self, identity: Identity) -> Engine:
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

    def _cloud(self, identity: Identity) -> "ArmProvider":
        from reconciler.azure import AzureSettings, build_provider
        from reconciler.azure.settings import SUBSCRIPTION_LIMITS

        if identity not in self._clouds:
            given = self.settings
            settings = AzureSettings(
                endpoint=given.arm_endpoint,
                audience=given.arm_audience,
                client_id=given.plan_client_id if identity == "plan" else given.apply_client_id,
                limits=SUBSCRIPTION_LIMITS if given.rate_limits else {},
                in_flight=given.in_flight,
                secrets=given.secrets,
            )
            self._clouds[identity] = build_provider(settings, self.clock)
        return self._clouds[identity]

    async def close(self) -> None:
        """Close connections and the store."""
        for cloud in self._clouds.values():
            await cloud.close()
        self.store.close()


def build(settings: Settings) -> App:
    """Choose the adapters. Raises Permanent when a setting names something that does not exist."""
    kind, _, place = settings.state.partition(":")
    if kind != "sqlite" or not place:
        raise Permanent(
            f'RECONCILER_STATE is "{settings.state}": it has to be sqlite:PATH, such as '
            f"{Settings.state}"
        )
    from reconciler.state.sqlite import SqliteStore

    return App(settings, SqliteStore(place), SystemClock())


def new_run_id(now: datetime) -> str:
    """A run's name: sorts by time, unique across workers."""
    return f"{now:%Y%m%d-%H%M%S}-{os.urandom(3).hex()}"


def commit_of(files: Mapping[str, str], commit: str) -> str:
    """A name for exactly these texts: the commit, or a digest where there is no clean one."""
    return commit or f"files-{digest_of(dict(files))}"


def _parse(files: Mapping[str, str], environment: str) -> "Desired":
    from reconciler.core.desired import parse

    return parse(files, environment)
