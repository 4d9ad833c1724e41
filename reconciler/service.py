"""The reconciler as a service: requests become runs, runs are advanced by whoever takes their
message, and a sweep mends whatever an event, a message or a worker has dropped.

Messages are hints: everything is read again when one is taken, so that a lost, doubled, late or
reordered message changes when something happens and never what.
"""

import asyncio
import logging
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Final

from reconciler.core.desired import Desired, environments, parse
from reconciler.core.desired.environment import Environment
from reconciler.core.errors import (
    Permanent,
    ReconcilerError,
    Refused,
    SpecError,
    SpecErrors,
    Transient,
)
from reconciler.core.model import Mode, Plan, Run, RunState, Status
from reconciler.engine import Engine, Progress, Stopping, silent
from reconciler.ports import Clock, Queue, Specs, Store

log = logging.getLogger(__name__)

RETRY_S: Final = 300.0
"""The first pause before a failed apply is tried again by itself; doubled each time."""
RETRY_LONGEST_S: Final = 6 * 3600.0
LOST_S: Final = 900.0
"""A run that is open for so long, with nobody working on it, has lost its message."""
GO_ON_S: Final = 5.0
"""The pause before a run that ran out of time is taken up again."""
NEVER: Final = "never"


class UnknownEnvironment(ReconcilerError):
    """No environment of that name is declared at the head of the branch."""


class UnknownRun(ReconcilerError):
    """There is no run of that id."""


class Ended(ReconcilerError):
    """The run has ended: there is nothing to cancel."""


@dataclass(frozen=True)
class Asked:
    """A request, as somebody made it."""

    environment: str
    mode: Mode
    ref: str = ""
    """A commit; "": the head of the branch. Only the head can be applied."""
    only: tuple[str, ...] = ()
    allow: str = ""
    by: str = ""


@dataclass
class Service:
    """What the triggers, the local host and the tests call."""

    store: Store
    queue: Queue
    specs: Specs
    clock: Clock
    engine: Callable[[Mode], Engine]
    """The engine that acts with the rights of a mode: planning reads, applying writes."""
    new_id: Callable[[], str]
    budget_s: float = 240.0
    """How long one message may keep a worker, in seconds."""
    drift_s: float = 0.0
    """How old a comparison with Azure may get before the sweep asks for a new one."""

    # Asking

    async def request(self, asked: Asked) -> Run:
        """Queue a run. Raises UnknownEnvironment; Refused when another commit than the head is to
        be applied."""
        head = await self.specs.head()
        commit = asked.ref or head
        if asked.mode == "apply" and commit != head:
            raise Refused(f"only the head of the branch ({head[:9]}) can be applied, not {commit}")
        await self._environment(asked.environment, head)
        run = Run(
            self.new_id(),
            Plan(asked.environment, commit),
            asked.by,
            self.clock.now().isoformat(),
            state="queued",
            mode=asked.mode,
            only=asked.only,
            allow=asked.allow,
        )
        await self.store.begin(run)
        if run.mode == "apply" and not run.only:
            await self._supersede(run)
        await self.queue.send({"run": run.id})
        return run

    async def _environment(self, name: str, commit: str) -> Environment:
        files = await self.specs.read(commit)
        known = {one.name: one for one in environments(files)}
        if name not in known:
            names = ", ".join(sorted(known)) or "none is declared"
            raise UnknownEnvironment(f'there is no environment "{name}" (there are: {names})')
        return known[name]

    async def _supersede(self, newer: Run) -> None:
        """A run that waits is not needed once a newer one waits too."""
        for one in await self.store.open_runs(newer.plan.environment):
            waits = one.mode == "apply" and one.state == "queued" and one.id != newer.id
            if waits and one.created_at <= newer.created_at:
                detail = f"{newer.id} took its place"
                await self.store.end(one.id, "superseded", detail, self.clock.now())

    async def cancel(self, run_id: str) -> RunState:
        """Ask a run to end. Raises UnknownRun and Ended."""
        state = await self.store.state(run_id)
        if state is None:
            raise UnknownRun(f'there is no run "{run_id}"')
        if state not in ("queued", "running", "cancelling"):
            raise Ended(f"the run is {state} already")
        state = await self.store.cancel(run_id, self.clock.now())
        if state == "cancelling":
            await self.queue.send({"run": run_id})
        return state

    # Messages

    async def handle(self, message: Mapping[str, str], progress: Progress = silent) -> None:
        """Do what a message asks for. Raises Transient and Permanent for trouble with state or
        the repository: then the queue gives the message to somebody again."""
        if run_id := message.get("run"):
            await self._advance(run_id, progress)
        elif environment := message.get("check"):
            await self._check(environment, progress)
        else:
            log.warning("a message that asks for nothing known was dropped")

    async def poisoned(self, message: Mapping[str, str]) -> None:
        """A message that nobody could handle: its run has failed, and says so."""
        run_id = message.get("run", "")
        if run_id and await self.store.state(run_id):
            detail = "every worker that took it broke off: see the log of the app"
            await self.store.end(run_id, "failed", detail, self.clock.now())

    async def _advance(self, run_id: str, progress: Progress) -> None:
        run = await self.store.run(run_id)
        if run is None or not run.open:
            return
        try:
            if run.mode == "plan":
                await self._plan(run, progress)
            else:
                await self._apply(run, progress)
        except SpecErrors as error:
            await self._end(run, "failed", str(error), NEVER)
        except Refused as error:
            await self._end(run, "refused", str(error), self._after(RETRY_LONGEST_S))

    async def _plan(self, run: Run, progress: Progress) -> None:
        """A plan run waits for nobody: it writes nothing."""
        desired = await self._desired(run)
        try:
            proposal = await self.engine("plan").propose(
                desired.environment, desired.resources, run.plan.commit, progress, only=run.only
            )
        except Permanent as error:
            await self._end(run, "failed", str(error))
            return
        await self.store.planned(replace(run, plan=proposal.plan, state="running"))
        await self._end(run, "done", "")

    async def _apply(self, run: Run, progress: Progress) -> None:
        engine = self.engine("apply")
        until = self.clock.monotonic() + self.budget_s
        watch = Watch(self.store, self.clock, run.id, until)
        try:
            async with engine.writing(run.plan.environment, watch) as stop, watch:
                run = await self._take_further(engine, run, stop, progress)
        except Transient as error:
            pause = error.retry_after_s or GO_ON_S
            log.info("run %s goes on later: %s", run.id, error)
            await self.queue.send({"run": run.id}, delay_s=pause)
            return
        if run.open and watch.cancelled:
            await self._end(run, "cancelled", "cancelled on request")
        elif run.open:
            await self.queue.send({"run": run.id}, delay_s=GO_ON_S)
        else:
            await self._note(run)

    async def _take_further(
        self, engine: Engine, run: Run, stop: Stopping, progress: Progress
    ) -> Run:
        """Start a queued run, once what a dead worker left is finished; or go on with it."""
        if await self.store.state(run.id) in ("cancelling", "cancelled"):
            return run
        if run.state != "queued":
            return await engine.advance(run, stop, progress)
        environment, commit = run.plan.environment, run.plan.commit
        earlier = await engine.finish_earlier(environment, commit, stop, progress)
        if earlier and earlier.open:
            return run
        desired = await self._desired(run)
        engine.refuse_if_suspended(desired.environment)
        try:
            run = await engine.start(run, desired.environment, desired.resources, progress=progress)
        except Permanent as error:
            await self.store.end(run.id, "failed", str(error), self.clock.now())
            return replace(run, state="failed", detail=str(error))
        return await engine.advance(run, stop, progress)

    async def _desired(self, run: Run) -> Desired:
        files = await self.specs.read(run.plan.commit)
        if run.plan.environment not in {one.name for one in environments(files)}:
            reason = f'environment "{run.plan.environment}" is declared no more'
            raise SpecErrors([SpecError("", reason)])
        return parse(files, run.plan.environment)

    # Endings

    async def _end(self, run: Run, state: RunState, detail: str, retry_at: str = "") -> None:
        await self.store.end(run.id, state, detail, self.clock.now())
        if run.mode == "apply":
            await self._note(replace(run, state=state, detail=detail), retry_at)

    async def _note(self, run: Run, retry_at: str = "") -> None:
        """What an apply that ended means for its environment. ``retry_at``: when a failed one is
        tried again by itself; "": after a pause that grows with each failure."""
        now = self.clock.now()
        before = await self.store.status(run.plan.environment)
        commit = run.plan.commit
        failed = run.state in ("failed", "refused", "stale")
        count = (before.failures if before.tried_commit == commit else 0) + 1 if failed else 0
        status = replace(before, tried_commit=commit, failures=count, last_run=run.id, retry_at="")
        if failed:
            pause = min(RETRY_LONGEST_S, RETRY_S * 2.0 ** min(count - 1, 10))
            status = replace(status, retry_at=retry_at or self._after(pause))
        elif run.state == "done" and not run.only:
            moment = now.isoformat()
            status = replace(
                status, applied_commit=commit, applied_at=moment, checked_at=moment, drift=0
            )
        await self.store.keep_status(status)

    def _after(self, seconds: float) -> str:
        return (self.clock.now() + timedelta(seconds=seconds)).isoformat()

    # The sweep

    async def sweep(self) -> int:
        """Ask for a check of every environment, and for runs whose message was lost to be taken
        up. How many messages were sent."""
        head = await self.specs.head()
        found = environments(await self.specs.read(head))
        sent = 0
        for one in found:
            await self.queue.send({"check": one.name})
            sent += 1
        horizon = self.clock.now() - timedelta(seconds=LOST_S)
        for run in await self.store.open_runs():
            if datetime.fromisoformat(run.created_at) < horizon:
                await self.queue.send({"run": run.id})
                sent += 1
        return sent

    async def _check(self, name: str, progress: Progress) -> None:
        """Compare one environment with its specs; apply when there is reason to."""
        head = await self.specs.head()
        environment = await self._environment(name, head)
        status = await self.store.status(name)
        if any(run.mode == "apply" for run in await self.store.open_runs(name)):
            return
        if status.tried_commit == head and not self._due(status):
            return
        if status.applied_commit != head:
            await self.request(Asked(name, "apply", by="sweep"))
            return
        drift = await self._drift(environment, head, status, progress)
        if drift and environment.self_heal == "apply":
            await self.request(Asked(name, "apply", by="drift"))

    def _due(self, status: Status) -> bool:
        """Whether the pause after a failure, or since the last comparison, is over."""
        now = self.clock.now()
        if status.retry_at:
            return status.retry_at != NEVER and datetime.fromisoformat(status.retry_at) <= now
        if not status.checked_at:
            return True
        return datetime.fromisoformat(status.checked_at) + timedelta(seconds=self.drift_s) <= now

    async def _drift(
        self, environment: Environment, head: str, status: Status, progress: Progress
    ) -> int:
        """How many changes a plan finds now; kept as the environment's status."""
        desired = parse(await self.specs.read(head), environment.name)
        proposal = await self.engine("plan").propose(
            desired.environment, desired.resources, head, progress
        )
        found = len(proposal.plan.changes)
        now = self.clock.now().isoformat()
        await self.store.keep_status(replace(status, checked_at=now, drift=found))
        if found:
            log.info("%s differs from its specs in %d places", environment.name, found)
        return found


class Watch:
    """Says when a worker has to stop: its time is over, or somebody asked the run to end.

    The store is asked in the background, so that asking is free for the steps.
    """

    EVERY_S = 10.0

    def __init__(self, store: Store, clock: Clock, run_id: str, until: float) -> None:
        self.store = store
        self.clock = clock
        self.run_id = run_id
        self.until = until
        self.cancelled = False

    def __call__(self) -> bool:
        return self.cancelled or self.clock.monotonic() >= self.until

    async def __aenter__(self) -> "Watch":
        await self._look()
        self.task = asyncio.create_task(self._keep_looking())
        return self

    async def __aexit__(self, *error: object) -> None:
        self.task.cancel()
        with suppress(asyncio.CancelledError):
            await self.task
        await self._look()

    async def _keep_looking(self) -> None:
        while not self.cancelled:
            await self.clock.sleep(self.EVERY_S)
            await self._look()

    async def _look(self) -> None:
        self.cancelled = await self.store.state(self.run_id) == "cancelling"
