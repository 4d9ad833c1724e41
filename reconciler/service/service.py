"""The calls that triggers, the local host and the tests make."""

import logging
from collections.abc import Mapping
from dataclasses import dataclass, replace

from reconciler.core.desired import environments
from reconciler.core.desired.environment import Environment
from reconciler.core.errors import Permanent, Refused, SpecErrors, Transient
from reconciler.core.model import Plan, Run, RunState, Status
from reconciler.engine import Progress, silent
from reconciler.ports import Forge
from reconciler.service.answering import Answering
from reconciler.service.asked import Asked, Ended, UnknownCommit, UnknownEnvironment, UnknownRun
from reconciler.service.hearing import hear
from reconciler.service.parts import Parts
from reconciler.service.pulls import Pulls
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
        commit = asked.ref if asked.pull else await self._commit(asked, head)
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
            pulls=asked.pulls,
            pull=asked.pull,
            seen=asked.seen,
        )
        older = await self._superseded(run) if run.mode == "apply" and not run.only else []
        pulls = [*run.pulls, *(pull for one in older for pull in one.pulls)]
        run = replace(run, pulls=tuple(dict.fromkeys(pulls)))
        await self.store.begin(run)
        for one in older:
            detail = f"{run.id} took its place"
            await self.store.end(one.id, "superseded", detail, self.clock.now())
            run_ended(one.plan.environment, one.mode, "superseded")
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

    async def _superseded(self, newer: Run) -> list[Run]:
        """Runs that wait, and are not needed once a newer one of the same waits too; one that may
        do what the newer may not is."""
        found = []
        for header in await self.store.open_runs(newer.plan.environment):
            same = header.mode == "apply" and header.pull == newer.pull
            if same and header.state == "queued" and (one := await self.store.run(header.id)):
                older = (one.created_at, one.id) < (newer.created_at, newer.id)
                if older and one.allow in ("", newer.allow):
                    found.append(one)
        return found

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
            await Worker(self, self.request, silent).ended(run)
        return state

    async def known(self) -> Known:
        """Raises SpecErrors when an environment's file is broken."""
        head = await self.specs.head()
        found = environments(await self.specs.read(head))
        return Known(head, tuple([(one, await self.store.status(one.name)) for one in found]))

    # Messages

    async def hear(self, forge: str, headers: Mapping[str, str], body: bytes) -> bool:
        """Whether a webhook is about anything that matters; then a message is queued, unless it
        was heard before. Raises UnknownForge, Untrusted, Transient and Permanent."""
        return await hear(self, forge, headers, body)

    async def handle(self, message: Mapping[str, str], progress: Progress = silent) -> None:
        """Do what a message asks for. Raises Transient and Permanent for trouble with state or
        the repository: then the queue gives the message to somebody again."""
        if run_id := message.get("run"):
            await Worker(self, self.request, progress, "waited" in message).advance(run_id)
        elif name := message.get("check"):
            await self._check(name, progress, message.get("by", "sweep"))
        elif "branch" in message:
            await self._branch_moved()
        elif self.forge and not await self._about_pulls(self.forge, message, progress):
            log.warning("a message that asks for nothing known was dropped")

    async def _branch_moved(self) -> None:
        """Whoever is behind it is applied; the pull requests that it changes are planned again by
        the sweep."""
        try:
            await Sweep(self, self.request).checks("push")
        except SpecErrors as error:
            log.warning("the branch has a broken environment: %s", error)

    async def _about_pulls(
        self, forge: Forge, message: Mapping[str, str], progress: Progress
    ) -> bool:
        pulls = Pulls(self, forge, progress)
        tries = int(message.get("tries", "0"))
        if comment := message.get("comment"):
            answering = Answering(self, forge, pulls, self.request, self.cancel)
            await answering.answer(int(comment), tries)
        elif number := message.get("pull"):
            await pulls.look(int(number), again="again" in message, tries=tries)
        elif commit := message.get("recheck"):
            await pulls.recheck(commit)
        elif run_id := message.get("tell"):
            await pulls.tell_run(run_id, again="again" in message, tries=tries)
        else:
            return False
        return True

    async def _check(self, name: str, progress: Progress, by: str) -> None:
        """A check that cannot be made is made by the next sweep."""
        with work("check", environment=name):
            try:
                await Sweep(self, self.request).check(name, progress, by)
            except (UnknownEnvironment, SpecErrors, Transient, Permanent) as error:
                log.warning("%s could not be compared with its specs: %s", name, error)

    async def poisoned(self, message: Mapping[str, str]) -> None:
        """A message that nobody could handle: its run has failed, and says so."""
        if self.forge and message.get("pull") and "comment" not in message:
            await Pulls(self, self.forge, silent).poisoned(int(message["pull"]))
        run = await self.store.run(message.get("run", ""))
        if run and run.open:
            detail = "every worker that took it broke off: see the log of the app"
            await Worker(self, self.request, silent).end(run, "failed", detail)

    async def sweep(self) -> int:
        """Look after everything: how many messages were sent."""
        with work("sweep"):
            sent = await self._lost_pulls()
            return sent + await Sweep(self, self.request).all()

    async def _lost_pulls(self) -> int:
        """A forge that does not answer keeps nobody from looking after Azure."""
        if self.forge is None:
            return 0
        try:
            return await Pulls(self, self.forge, silent).lost()
        except (Transient, Permanent) as error:
            log.warning("the forge could not be asked what was missed: %s", error)
            return 0
