"""The calls that triggers, the local host and the tests make."""

import logging
from collections.abc import Mapping
from dataclasses import dataclass

from reconciler.core.desired import environments
from reconciler.core.desired.environment import Environment
from reconciler.core.errors import Permanent, Refused, SpecErrors, Transient
from reconciler.core.model import Plan, Run, RunHeader, RunState, Status
from reconciler.engine import Progress, silent
from reconciler.service.asked import Asked, Ended, UnknownCommit, UnknownEnvironment, UnknownRun
from reconciler.service.parts import Parts
from reconciler.service.sweep import Sweep
from reconciler.service.worker import Worker
from reconciler.telemetry import run_ended, work

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Known:
    """The environments that the head of the branch declares, and how each one stands."""

    commit: str
    environments: tuple[tuple[Environment, Status], ...]


class Service(Parts):
    """Requests become runs; whoever takes a run's message advances it."""

    # Asking

    async def request(self, asked: Asked) -> Run:
        """Queue a run. Raises UnknownEnvironment and UnknownCommit; Refused when another commit
        than the head is to be applied; then nothing is queued."""
        head = await self.specs.head()
        await self.environment(asked.environment, head)
        commit = await self._commit(asked, head)
        if asked.if_idle and (open_run := await self._open_apply(asked.environment)):
            return open_run
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
            await self._supersede(run.header)
        await self.queue.send({"run": run.id})
        return run

    async def _open_apply(self, environment: str) -> Run | None:
        for one in await self.store.open_runs(environment):
            if one.mode == "apply":
                return await self.store.run(one.id)
        return None

    async def _commit(self, asked: Asked, head: str) -> str:
        """The commit a request means; a beginning of the head's name is enough."""
        if not asked.ref or (len(asked.ref) >= 7 and head.startswith(asked.ref)):
            return head
        if asked.mode == "apply":
            raise Refused(f"only the head of the branch ({head[:9]}) is applied, not {asked.ref}")
        try:
            await self.specs.read(asked.ref)
        except Permanent as error:
            raise UnknownCommit(f"{asked.ref} cannot be planned: {error}") from error
        return asked.ref

    async def _supersede(self, newer: RunHeader) -> None:
        """A run that waits is not needed once a newer one waits too."""
        for one in await self.store.open_runs(newer.environment):
            older = (one.created_at, one.id) < (newer.created_at, newer.id)
            if one.mode == "apply" and one.state == "queued" and older:
                detail = f"{newer.id} took its place"
                await self.store.end(one.id, "superseded", detail, self.clock.now())
                run_ended(one.environment, one.mode, "superseded")

    async def cancel(self, run_id: str) -> RunState:
        """Ask a run to end: the state it then has. Raises UnknownRun and Ended."""
        state = await self.store.state(run_id)
        if state is None:
            raise UnknownRun(f'there is no run "{run_id}"')
        if state not in ("queued", "running", "cancelling"):
            raise Ended(f"the run is {state} already")
        state = await self.store.cancel(run_id, self.clock.now())
        if state == "cancelling":
            await self.queue.send({"run": run_id})
        elif run := await self.store.run(run_id):
            run_ended(run.plan.environment, run.mode, state)
        return state

    async def known(self) -> Known:
        """Raises SpecErrors when an environment's file is broken."""
        head = await self.specs.head()
        found = environments(await self.specs.read(head))
        return Known(head, tuple([(one, await self.store.status(one.name)) for one in found]))

    # Messages

    async def handle(self, message: Mapping[str, str], progress: Progress = silent) -> None:
        """Do what a message asks for. Raises Transient and Permanent for trouble with state or
        the repository: then the queue gives the message to somebody again."""
        if run_id := message.get("run"):
            await Worker(self, progress, "waited" in message).advance(run_id)
        elif name := message.get("check"):
            await self._check(name, progress)
        else:
            log.warning("a message that asks for nothing known was dropped")

    async def _check(self, name: str, progress: Progress) -> None:
        """A check that cannot be made is made by the next sweep."""
        with work("check", environment=name):
            try:
                await Sweep(self, self.request).check(name, progress)
            except (UnknownEnvironment, SpecErrors, Transient, Permanent) as error:
                log.warning("%s could not be compared with its specs: %s", name, error)

    async def poisoned(self, message: Mapping[str, str]) -> None:
        """A message that nobody could handle: its run has failed, and says so."""
        run = await self.store.run(message.get("run", ""))
        if run and run.open:
            detail = "every worker that took it broke off: see the log of the app"
            await Worker(self, silent).end(run, "failed", detail)

    async def sweep(self) -> int:
        """Look after everything: how many messages were sent."""
        with work("sweep"):
            return await Sweep(self, self.request).all()
