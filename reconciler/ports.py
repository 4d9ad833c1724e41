"""The things the reconciler asks for: Azure (Provider), saved state (Store), pull requests (Forge),
time (Clock).

Adapters implement these protocols; each translates foreign errors into ``reconciler.core.errors``.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from types import TracebackType
from typing import Any, Protocol, Self

from reconciler.core.forge import Comment, Event, Mark, Pull, Reaction, Reviews
from reconciler.core.model import (
    Collection,
    Mode,
    Observed,
    Outcome,
    Owned,
    Properties,
    Run,
    RunHeader,
    RunState,
    Secret,
    Status,
    Target,
    Verify,
)
from reconciler.core.preview import Preview

type Stopping = Callable[[], bool]
"""Whether a worker has to stop: it is out of time, was asked to, or may have lost its lease."""


def never() -> bool:
    return False


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

    A write asks ``stop`` at the last moment before its request leaves, after any waiting for
    secrets, tokens, limits and pauses: a worker that slept meanwhile sends nothing, and Transient
    is raised.

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

    async def put(
        self, target: Target, properties: Properties, stop: Stopping = never
    ) -> Operation:
        """Send the whole resource, in the spec's shape; secrets are resolved here and only here."""

    async def delete(self, target: Target, stop: Stopping = never) -> Operation:
        """Start deleting; done at once when it does not exist."""

    async def purge(self, target: Target, location: str, stop: Stopping = never) -> Operation:
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
    """What must survive: runs and their journals, the owned list, one writer per environment.

    Raises Permanent for saved state of another version, or that is damaged: it is never
    overwritten. Raises Transient when the place it is kept in cannot be reached.
    """

    async def owned(self, environment: str) -> Mapping[str, Owned]:
        """Everything owned, by lower-cased ARM id."""

    async def own(self, environment: str, owned: Iterable[Owned]) -> None:
        """Add or replace."""

    async def disown(self, environment: str, arm_ids: Iterable[str]) -> None:
        """Forget; what is not owned is passed over."""

    async def begin(self, run: Run) -> None:
        """Save a new run, queued or planned. A run that is already there stays as it is."""

    async def planned(self, run: Run) -> None:
        """Save the plan and the state of a run that was queued; one that ended stays as it is."""

    async def record(self, run_id: str, step_id: str, outcome: Outcome, now: datetime) -> None:
        """Append one outcome to a run's journal. Raises KeyError when there is no such run."""

    async def end(self, run_id: str, state: RunState, detail: str, now: datetime) -> None:
        """Say how a run ended; one that ended already stays as it is. Raises KeyError when there
        is no such run."""

    async def cancel(self, run_id: str, now: datetime) -> RunState:
        """Ask for a run to end: a queued one is ``cancelled`` at once, a running one becomes
        ``cancelling``; one that ended stays. The state it then has. Raises KeyError."""

    async def state(self, run_id: str) -> RunState | None:
        """How a run stands, cheaply."""

    async def run(self, run_id: str) -> Run | None:
        """A run with its plan and its last outcomes; None when there is none."""

    async def runs(
        self, environment: str = "", limit: int = 50, mode: Mode | None = None
    ) -> list[RunHeader]:
        """Newest first, of one mode or of both, without reading plans and journals."""

    async def open_runs(self, environment: str = "") -> list[RunHeader]:
        """Runs that have not ended, oldest first."""

    async def unfinished(self, environment: str) -> Run | None:
        """The newest apply that has begun and not ended."""

    async def status(self, environment: str) -> Status: ...

    async def keep_status(self, status: Status) -> None: ...

    async def preview(self, pull: int) -> Preview | None:
        """What is known of a pull request, closed ones too."""

    async def keep_preview(self, preview: Preview) -> None:
        """Add or replace."""

    async def open_previews(self) -> list[Preview]:
        """Those of pull requests that are not known to be closed, oldest first."""

    async def seen(self, delivery: str, now: datetime) -> bool:
        """Remember a delivery id; True when it was remembered before."""

    async def lease(self, environment: str, holder: str, seconds: float) -> Lease:
        """Raises Transient, naming the holder, when somebody else writes."""

    async def digest_key(self) -> bytes:
        """The key of the digests of secret versions: random, made once, never shown."""


class Queue(Protocol):
    """Work to be done by some worker, some time: at least once."""

    async def send(self, message: Mapping[str, str], delay_s: float = 0.0) -> None:
        """Put a message on the queue; it can be taken ``delay_s`` seconds later."""


@dataclass(frozen=True, slots=True)
class Taken:
    """A message that is ours for a while; ``receipt`` proves it."""

    id: str
    receipt: str
    text: str
    count: int
    """How often it has been taken, this time included."""
    inserted_at: datetime


class Messages(Protocol):
    """The other end of a queue. A message that somebody else has by now is passed over."""

    async def take(self, most: int, hidden_s: float) -> list[Taken]:
        """The messages that wait longest; nobody else sees them for so many seconds."""

    async def keep(self, taken: Taken, hidden_s: float) -> None:
        """Keep it hidden for so long from now; 0: give it back."""

    async def delete(self, taken: Taken) -> None:
        """It is done."""

    async def poison(self, taken: Taken) -> None:
        """Nobody could do it: put it on the queue ``<name>-poison`` instead."""


class Specs(Protocol):
    """The texts of the specs in their repository."""

    async def head(self) -> str:
        """The newest commit of the branch. Raises Transient or Permanent."""

    async def read(self, commit: str) -> Mapping[str, str]:
        """The spec files at a commit, by path. Raises SpecErrors for content that is refused,
        Transient or Permanent for a repository that cannot be read."""


class Forge(Protocol):
    """Where pull requests are. Every method is safe to repeat.

    Raises Transient when the same call may work later (the forge is down, or asks to be left in
    peace), Permanent when it refused; neither repeats a token.
    """

    name: str
    """As in ``RECONCILER_FORGE`` and in the address of its webhooks."""
    text_limit: int
    """The most characters that ``say``, ``keep_issue`` and the summary of a mark take."""
    alerts: bool
    """Whether its Markdown knows ``> [!CAUTION]``."""
    source_link: str
    """Where a line of a file is shown: a template over ``commit``, ``path`` and ``line``."""

    def hear(self, headers: Mapping[str, str], body: bytes) -> Event | None:
        """Verify and understand a webhook; None: nothing that matters here. Raises Untrusted.
        Asks nobody and takes no time worth mentioning."""

    async def pull(self, number: int) -> Pull:
        """A pull request; waits a little until the forge knows whether it merges."""

    async def open_pulls(self) -> list[Pull]:
        """Those that are to be merged into the branch, oldest first; nothing is said of whether
        they merge."""

    async def merged_between(self, old: str, new: str) -> list[Pull]:
        """The pull requests whose merges are in ``new`` and not in ``old``, newest first; without
        ``old``, or when it is gone, those that brought ``new`` alone."""

    async def changed_files(self, pull: int) -> frozenset[str] | None:
        """The paths it touches, old names of renamed files too; None: too many to tell."""

    async def reviews(self, pull: Pull) -> Reviews:
        """Who approved it as it is, and who asks for changes."""

    async def comment(self, comment: int) -> Comment | None:
        """A comment; None when it is gone or belongs to no pull request."""

    async def comments_since(self, moment: datetime) -> list[Comment]:
        """The comments on pull requests that were made since then and begin with a command, oldest
        first."""

    async def may_write(self, user: str) -> bool:
        """Whether somebody may write to the repository, by what the forge says now."""

    async def say(self, pull: int, marker: str, text: str) -> None:
        """Keep one comment per marker (letters, digits, hyphens) up to date."""

    async def mark(self, pull: int, commit: str, mark: Mark) -> None:
        """Say how the newest commit of a pull request stands; the newest mark of a name is the one
        that counts."""

    async def react(self, comment: int, reaction: Reaction) -> None:
        """Answer a comment with a sign."""

    async def keep_issue(
        self, marker: str, title: str, text: str | None, *, over: bool = False
    ) -> None:
        """Keep one open issue per marker up to date; None closes it. ``over``: this is the last
        that is said, and it is closed; none is opened for that."""


class Clock(Protocol):
    """Time, so that tests can hold it."""

    def now(self) -> datetime:
        """The moment, in UTC."""

    def monotonic(self) -> float: ...

    async def sleep(self, seconds: float) -> None: ...
