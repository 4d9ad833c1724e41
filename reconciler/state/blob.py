"""A Store in Azure Blob storage, for many instances of the service at once.

In its container: ``runs/headers|plans|journals|open``, ``owned/<environment>``,
``leases/<environment>``, ``environments/<environment>``, ``previews/open|closed``, ``deliveries``,
and the markers ``schema`` and ``digest-key``.

One writer: the environment's blob lease says who; a fence in the ledger and in the journal of the
run that was begun last keeps out who held it before (``blob_log``), whatever their clocks say.
"""

import secrets
from collections.abc import AsyncIterator, Iterable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any, Final
from urllib.parse import quote

from azure.core.credentials_async import AsyncTokenCredential
from azure.storage.blob.aio import ContainerClient, ExponentialRetry

from reconciler.core.errors import Permanent
from reconciler.core.model import Mode, Outcome, Owned, Plan, Run, RunHeader, RunState, Status
from reconciler.core.preview import Preview
from reconciler.state.blob_container import Container
from reconciler.state.blob_deliveries import Deliveries
from reconciler.state.blob_lease import BlobLease
from reconciler.state.blob_ledger import Ledger
from reconciler.state.blob_log import Fenced, Log, Pen
from reconciler.state.blob_previews import Previews
from reconciler.state.blob_runs import Runs, Saved, name_of
from reconciler.state.codec import decode, encode

CONTAINER: Final = "reconciler"


@dataclass
class Desk:
    """What this store writes an environment with: anew for every lease."""

    container: Container
    pen: Pen
    ledger: Ledger
    journals: dict[str, Log] = field(default_factory=dict)

    def journal(self, run_id: str) -> Log:
        if run_id not in self.journals:
            self.journals[run_id] = _journal(self.container, run_id, self.pen)
        return self.journals[run_id]


class BlobStore:
    """``ports.Store`` over one container, made when it is not there.

    Raises Permanent when the container belongs to something else, to another version, when what
    is in it is damaged (it is never overwritten) or may not be used, and Transient when storage
    cannot be reached.
    """

    def __init__(self, client: ContainerClient) -> None:
        self._container = Container(client)
        self._runs = Runs(self._container)
        self._previews = Previews(self._container)
        self._deliveries = Deliveries(self._container)
        self._desks: dict[str, Desk] = {}
        self._environments: dict[str, str] = {}
        """Of each run that was written to."""

    @classmethod
    def open(
        cls, place: str, connection: str = "", credential: AsyncTokenCredential | None = None
    ) -> "BlobStore":
        """``place``: ``https://ACCOUNT.blob.core.windows.net/CONTAINER``, opened with a credential
        that the caller closes; "": the account of a connection string. Raises Permanent for a
        place that cannot be meant."""
        if place and credential:
            client = ContainerClient.from_container_url(place, credential, **patience())
        elif connection and not place:
            client = _connected(connection)
        else:
            raise Permanent(
                "state in Blob storage needs blob:https://ACCOUNT.blob.core.windows.net/"
                f"{CONTAINER} with an identity, or blob: with RECONCILER_STATE_CONNECTION"
            )
        return cls(client)

    async def close(self) -> None:
        await self._container.close()

    # The owned list

    async def owned(self, environment: str) -> Mapping[str, Owned]:
        """Everything owned, by lower-cased ARM id."""
        return await self._ledger(environment, Pen()).owned()

    async def own(self, environment: str, owned: Iterable[Owned]) -> None:
        """Add or replace."""
        async with self._writing(environment) as desk:
            await desk.ledger.own(owned)

    async def disown(self, environment: str, arm_ids: Iterable[str]) -> None:
        """Forget; what is not owned is passed over."""
        async with self._writing(environment) as desk:
            await desk.ledger.disown(arm_ids)

    # Runs

    async def begin(self, run: Run) -> None:
        """Save a new run, queued or planned. A run that is already there stays as it is."""
        if await self._runs.find(run.id) is None:
            await self._announce(run)
            await self._runs.create(run)

    async def planned(self, run: Run) -> None:
        """Save the plan and the state of a run that was queued; one that ended stays as it is."""
        while (saved := await self._saved(run.id)).header.open:
            await self._announce(run)
            if await self._runs.plan(saved, replace(run, outcomes={})):
                return

    async def _announce(self, run: Run) -> None:
        """Whoever takes the environment over has to know an apply that may have begun."""
        if run.mode == "apply" and run.state != "queued":
            async with self._writing(run.plan.environment) as desk:
                await desk.ledger.begin(run.id)

    async def record(self, run_id: str, step_id: str, outcome: Outcome, now: datetime) -> None:
        """Append one outcome to a run's journal. Raises KeyError when there is no such run."""
        if run_id not in self._environments:
            self._environments[run_id] = (await self._saved(run_id)).header.environment
        entry = {"step": step_id, "at": now.isoformat(), "outcome": encode(outcome)}
        async with self._writing(self._environments[run_id]) as desk:
            await desk.journal(run_id).append(entry)

    async def end(self, run_id: str, state: RunState, detail: str, now: datetime) -> None:
        """Say how a run ended; one that ended already stays as it is. Raises KeyError."""
        while (saved := await self._saved(run_id)).header.open:
            await self._sign_off(saved.header, state, now)
            ended = replace(saved.header, state=state, detail=detail, ended_at=now.isoformat())
            if await self._runs.change(saved, ended):
                return
        await self._runs.tidy(saved.header)

    async def _sign_off(self, header: RunHeader, state: RunState, now: datetime) -> None:
        """The journal's last entry: refused when somebody else has taken the run over."""
        async with self._writing(header.environment) as desk:
            if desk.pen.token and header.mode == "apply" and header.state != "queued":
                await desk.journal(header.id).append({"end": state, "at": now.isoformat()})

    async def cancel(self, run_id: str, now: datetime) -> RunState:
        """Ask for a run to end; the state it then has. Raises KeyError."""
        while (header := (saved := await self._saved(run_id)).header).state in (
            "queued",
            "running",
        ):
            if header.state == "queued":
                header = replace(header, state="cancelled", ended_at=now.isoformat())
            else:
                header = replace(header, state="cancelling")
            if await self._runs.change(saved, header):
                break
        return header.state

    async def state(self, run_id: str) -> RunState | None:
        saved = await self._runs.find(run_id)
        return saved.header.state if saved else None

    async def run(self, run_id: str) -> Run | None:
        while saved := await self._runs.find(run_id):
            if run := await self._runs.whole(saved, await self._outcomes(saved.header)):
                return run
        return None

    async def runs(
        self, environment: str = "", limit: int = 50, mode: Mode | None = None
    ) -> list[RunHeader]:
        """Newest first; of every environment when none is named."""
        return await self._runs.newest(environment, limit, mode)

    async def open_runs(self, environment: str = "") -> list[RunHeader]:
        """Runs that have not ended, oldest first."""
        return await self._runs.open(environment)

    async def unfinished(self, environment: str) -> Run | None:
        """The newest apply that has begun and not ended."""
        for header in reversed(await self._runs.open(environment)):
            if header.mode == "apply" and header.state != "queued":
                return await self.run(header.id)
        return None

    async def _saved(self, run_id: str) -> Saved:
        saved = await self._runs.find(run_id)
        if saved is None:
            raise KeyError(run_id)
        return saved

    async def _outcomes(self, header: RunHeader) -> dict[str, Outcome]:
        """The journal in order: the last word on a step is how it stands."""
        _, entries = await _journal(self._container, header.id, Pen()).read()
        last = {one["step"]: one["outcome"] for one in entries if "step" in one}
        try:
            return {step: decode(Outcome, text) for step, text in last.items()}
        except (ValueError, KeyError, TypeError) as error:
            raise self._container.damaged(f"the journal of {header.id}", error) from error

    # Environments, pull requests and deliveries

    async def status(self, environment: str) -> Status:
        blob = await self._container.read(_status(environment))
        if blob is None:
            return Status(environment)
        try:
            return decode(Status, blob.content.decode())
        except (ValueError, KeyError, TypeError) as error:
            raise self._container.damaged(_status(environment), error) from error

    async def keep_status(self, status: Status) -> None:
        await self._container.overwrite(_status(status.environment), encode(status).encode())

    async def preview(self, pull: int) -> Preview | None:
        """What is known of a pull request, closed ones too."""
        return await self._previews.find(pull)

    async def keep_preview(self, preview: Preview) -> None:
        """Add or replace."""
        await self._previews.keep(preview)

    async def open_previews(self) -> list[Preview]:
        """Those of pull requests that are not known to be closed, oldest first."""
        return await self._previews.open()

    async def seen(self, delivery: str, now: datetime) -> bool:
        """Remember a delivery id for a week; True when it was remembered before."""
        return await self._deliveries.seen(delivery, now)

    async def digest_key(self) -> bytes:
        """The key of the digests of secret versions: random, made once, never shown."""
        await self._container.create("digest-key", secrets.token_bytes(32))
        blob = await self._container.read("digest-key")
        if blob is None or len(blob.content) != 32:
            raise self._container.damaged("digest-key", "it is not 32 bytes long")
        return blob.content

    # One writer

    async def lease(self, environment: str, holder: str, seconds: float) -> BlobLease:
        """Take the right to write. Raises Transient, naming the holder, when it is taken.

        While it is held, writes of this store to the environment fail once somebody else has
        taken over, so that a worker that slept too long cannot undo what its successor did.
        """
        desk = self._new_desk(environment)

        def given_back() -> None:
            if self._desks.get(environment) is desk:
                del self._desks[environment]

        lease = BlobLease(self._container, environment, seconds, given_back)
        try:
            await lease.take(holder)
            await self._take_over(environment, desk)
        except Fenced:
            kept_out = await lease.taken()
            await lease.release()
            raise kept_out from None
        except BaseException:
            await lease.release()
            raise
        self._desks[environment] = desk
        return lease

    async def _take_over(self, environment: str, desk: Desk) -> None:
        """Keep out who held the lease before, from the ledger and from the run they began."""
        desk.pen, run_id = await desk.ledger.take_over()
        if not run_id:
            return
        await desk.journal(run_id).fence()
        # A new ETag: who was about to end the run has to look again, and meets the fence.
        while (saved := await self._runs.find(run_id)) and saved.header.open:
            if await self._runs.change(saved, saved.header):
                return
        if saved is None:
            # Announced, not saved: nobody may save it any more.
            detail = "its worker was lost before the run was saved: nothing was sent"
            await self._runs.create(
                Run(run_id, Plan(environment, ""), state="failed", detail=detail)
            )

    def _new_desk(self, environment: str) -> Desk:
        pen = Pen()
        return Desk(self._container, pen, self._ledger(environment, pen))

    def _ledger(self, environment: str, pen: Pen) -> Ledger:
        return Ledger(self._container, quote(environment, safe=""), pen)

    @asynccontextmanager
    async def _writing(self, environment: str) -> AsyncIterator[Desk]:
        """Whatever happens with the environment happens as the holder of its lease, if we are."""
        if environment not in self._desks:
            self._desks[environment] = self._new_desk(environment)
        desk = self._desks[environment]
        try:
            yield desk
        except Fenced as error:
            lost = BlobLease(self._container, environment, 0, lambda: None)
            raise await lost.taken() from error


def patience() -> dict[str, Any]:
    """A hiccup is sat out here; more than a few seconds is for the caller to wait."""
    return {
        "retry_policy": ExponentialRetry(
            initial_backoff=1, increment_base=2, retry_total=3, random_jitter_range=1
        ),
        "connection_timeout": 5,
        "read_timeout": 30,
    }


def _journal(container: Container, run_id: str, pen: Pen) -> Log:
    return Log(container, f"runs/journals/{name_of(run_id)}", pen)


def _connected(connection: str) -> ContainerClient:
    try:
        return ContainerClient.from_connection_string(connection, CONTAINER, **patience())
    except ValueError as error:  # its message would quote the account's key
        raise Permanent("the connection string of the state cannot be read") from error


def _status(environment: str) -> str:
    return f"environments/{quote(environment, safe='')}"
