"""The things the engine asks for: Azure (Provider), saved state (Store) and time (Clock).

Adapters implement these protocols; each translates foreign errors into ``reconciler.core.errors``.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from types import TracebackType
from typing import Any, Protocol, Self

from reconciler.core.model import (
    Collection,
    Observed,
    Outcome,
    Owned,
    Properties,
    Run,
    RunState,
    Secret,
    Target,
    Verify,
)


@dataclass(frozen=True, slots=True)
class Operation:
    """A write that Azure accepted. ``poll_url`` is secret (it is signed) and is never saved."""

    target: Target
    verb: str
    done: bool
    poll_url: str = ""
    poll_style: str = ""
    """``async`` (Azure-AsyncOperation), ``location``, or ``resource`` (its provisioningState)."""
    retry_after_s: float | None = None
    request_id: str = ""


class Provider(Protocol):
    """The cloud, as far as a run is concerned. Every method is safe to repeat.

    Raises Transient when the same call may work later (throttled or busy beyond patience),
    Permanent when Azure refused (with a sentence, code and request id).
    """

    async def observe(self, collection: Collection) -> list[Observed]:
        """Everything in a collection, each with its ``kind`` told; empty when the parent is not
        there. What belongs to the service itself (``Kind.foreign``) is left out."""

    async def read(self, target: Target) -> Observed | None:
        """One resource, fresh; None when it does not exist."""

    async def query(self, url: str, api_version: str) -> list[Mapping[str, Any]]:
        """The items of any other ARM listing (usages, models, deleted accounts)."""

    async def put(self, target: Target, properties: Properties) -> Operation:
        """Send the whole resource, in the spec's shape; secrets are resolved here and only here."""

    async def delete(self, target: Target) -> Operation:
        """Start deleting; done at once when it does not exist."""

    async def purge(self, target: Target, location: str) -> Operation:
        """Remove a soft-deleted resource for good; done at once when there is none."""

    async def poll(self, operation: Operation) -> Operation:
        """Ask how a slow write is going; raises Permanent when it failed."""

    async def secret_versions(self, secrets: Iterable[Secret]) -> Mapping[Secret, str]:
        """The current version of each secret that can be seen without reading its value."""

    async def verify(self, target: Target, verify: Verify) -> tuple[int, Any]:
        """Send a smoke test to the resource's data plane: status and JSON answer. Waits, up to
        ``verify.timeout_s``, for a deployment or a role that Azure has not spread yet."""


class Lease(Protocol):
    """The right to write to one environment, for as long as it is kept."""

    async def __aenter__(self) -> Self: ...
    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None: ...

    async def renew(self) -> None:
        """Keep it; raises Transient when somebody else has taken it."""


class Store(Protocol):
    """What must survive: runs, the owned list, one writer per environment."""

    async def owned(self, environment: str) -> Mapping[str, Owned]:
        """Everything owned, by lower-cased ARM id."""

    async def own(self, environment: str, owned: Iterable[Owned]) -> None:
        """Add or replace."""

    async def disown(self, environment: str, arm_ids: Iterable[str]) -> None: ...

    async def begin(self, run: Run) -> None:
        """Save a new run with its plan."""

    async def record(self, run_id: str, step_id: str, outcome: Outcome, now: datetime) -> None:
        """Append one outcome to a run's journal."""

    async def end(self, run_id: str, state: RunState, detail: str, now: datetime) -> None: ...

    async def run(self, run_id: str) -> Run | None: ...

    async def runs(self, environment: str = "", limit: int = 50) -> list[Run]:
        """Newest first."""

    async def unfinished(self, environment: str) -> Run | None: ...

    async def lease(self, environment: str, holder: str, seconds: float) -> Lease:
        """Raises Transient, naming the holder, when somebody else writes."""

    async def digest_key(self) -> bytes:
        """The key of the digests of secret versions: random, made once, never shown."""


class Clock(Protocol):
    """Time, so that tests can hold it."""

    def now(self) -> datetime:
        """The moment, in UTC."""

    def monotonic(self) -> float: ...

    async def sleep(self, seconds: float) -> None: ...
