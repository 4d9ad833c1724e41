"""Taking one run as far as it will go now."""

import logging
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from reconciler.core.desired import Desired, environments, parse
from reconciler.core.errors import Permanent, Refused, SpecError, SpecErrors, Transient
from reconciler.core.model import Run, RunState
from reconciler.engine import Engine, Progress, Reviewed, Stopping
from reconciler.service.asked import Asked
from reconciler.service.parts import AGAIN_S, GIVE_UP_S, GO_ON_S, Parts
from reconciler.service.reviewing import Reviewing
from reconciler.service.showing import Showing
from reconciler.service.standing import NEVER, standing
from reconciler.service.watch import Watch
from reconciler.telemetry import run_ended, work

log = logging.getLogger(__name__)


@dataclass
class Worker:
    """One message's worth of work on a run.

    What ends a run is written down; what may pass puts its message back on the queue. Raises
    Permanent, and Transient for the store and the queue themselves: then the queue gives the
    message to somebody again.
    """

    parts: Parts
    request: Callable[[Asked], Awaitable[Run]]
    progress: Progress
    waited: bool = False
    """The message has found the environment taken before."""

    async def advance(self, run_id: str) -> None:
        """Safe to repeat, and for a run that ended or never was nothing happens."""
        run = await self.parts.store.run(run_id)
        if run is None or not run.open:
            return
        plan = run.plan
        with work(run.mode, run=run.id, environment=plan.environment, commit=plan.commit):
            try:
                await (self._plan(run) if run.mode == "plan" else self._apply(run))
            except SpecErrors as error:
                await self.end(run, "failed", str(error), NEVER)
            except Refused as error:
                await self.end(run, "refused", str(error))

    async def end(self, run: Run, state: RunState, detail: str, retry_at: str = "") -> None:
        """Close a run, and say what that means for its environment and for who waits for it."""
        await self.parts.store.end(run.id, state, detail, self.parts.clock.now())
        self._tell(run, state, detail)
        if run.mode == "apply":
            await self._note(replace(run, state=state, detail=detail), retry_at)
            await self._hand_over(run)

    async def ended(self, run: Run) -> None:
        """What it means that somebody else ended this run, while it waited."""
        run_ended(run.plan.environment, run.mode, run.state)
        if run.mode == "apply":
            await self._note(run)

    def _tell(self, run: Run, state: RunState, detail: str) -> None:
        run_ended(run.plan.environment, run.mode, state)
        log.info("the run is %s%s", state, f": {detail}" if detail else "")

    async def _note(self, run: Run, retry_at: str = "") -> None:
        before = await self.parts.store.status(run.plan.environment)
        now = self.parts.clock.now()
        await self.parts.store.keep_status(standing(before, run, now, retry_at))
        if self.parts.forge:
            await self.parts.queue.send({"tell": run.id})

    async def _hand_over(self, run: Run) -> None:
        """Wake the applies whose messages found the environment taken."""
        for one in await self.parts.store.open_runs(run.plan.environment):
            if one.mode == "apply" and one.state == "queued" and one.id != run.id:
                await self.parts.queue.send({"run": one.id})

    # Planning

    async def _plan(self, run: Run) -> None:
        """A plan run waits for nobody: it writes nothing."""
        engine, commit = self.parts.engine("plan"), run.plan.commit
        try:
            desired = await self._desired(run)
            proposal = await engine.propose(
                desired.environment, desired.resources, commit, self.progress, only=run.only
            )
        except Permanent as error:
            await self.end(run, "failed", str(error))
        except Transient as error:
            await self._later(run, error)
        else:
            await self.parts.store.planned(replace(run, plan=proposal.plan, state="running"))
            await self.end(run, "done", "")

    async def _desired(self, run: Run) -> Desired:
        files = await self.parts.specs.read(run.plan.commit)
        rights = None
        if run.pull:
            head = await self.parts.specs.head()
            rights = await self.parts.environment(run.plan.environment, head)
        if run.plan.environment not in {one.name for one in environments(files)}:
            reason = f'environment "{run.plan.environment}" is declared no more'
            raise SpecErrors([SpecError("", reason)])
        return parse(files, run.plan.environment, rights=rights)

    # Applying

    async def _apply(self, run: Run) -> None:
        engine, clock = self.parts.engine("apply"), self.parts.clock
        watch = Watch(self.parts.store, clock, run.id, clock.monotonic() + self.parts.budget_s)
        taken = True
        try:
            async with (
                engine.writing(run.plan.environment, watch) as stop,
                watch,
                Showing(self.parts, run.id),
            ):
                taken = False
                run = await self._take_further(engine, run, stop)
        except Transient as error:
            if taken and await self._is_written_to(run.plan.environment):
                await self._wait(run, error)
            else:
                await self._later(run, error)
            return
        await self._stopped(run, watch)

    async def _wait(self, run: Run, error: Transient) -> None:
        """Whoever writes hands over when it stops. If it is dead, its lease will be free after a
        while; if that is still taken then, its holder lives, and this message is one too many."""
        if not self.waited:
            pause = (error.retry_after_s or 0.0) + GO_ON_S
            await self.parts.queue.send({"run": run.id, "waited": "yes"}, delay_s=pause)

    async def _is_written_to(self, environment: str) -> bool:
        found = await self.parts.store.open_runs(environment)
        return any(one.mode == "apply" and one.state != "queued" for one in found)

    async def _take_further(self, engine: Engine, run: Run, stop: Stopping) -> Run:
        """Start a queued run, once what a dead worker left is finished; or go on with it."""
        if await self.parts.store.state(run.id) in ("cancelling", "cancelled"):
            return run
        if run.state != "queued":
            return await engine.advance(run, stop, self.progress)
        environment, commit = run.plan.environment, run.plan.commit
        head = await self.parts.specs.head()
        if not run.pull and head != commit:
            return await self._overtaken(run, head)
        # Whatever is refused is refused before what somebody else began is ended.
        run, reviewed = await self._reviewed(run)
        desired = await self._desired(run)
        engine.refuse_if_suspended(desired.environment)
        left = await self.parts.store.unfinished(environment)
        earlier = await engine.finish_earlier(environment, commit, stop, self.progress)
        if earlier and earlier.open:
            return run
        if left and not earlier and self.parts.forge:
            await self.parts.queue.send({"tell": left.id})
        await self._hold(run)
        try:
            run = await engine.start(
                run, desired.environment, desired.resources, reviewed, self.progress
            )
        except Permanent as error:
            await self.parts.store.end(run.id, "failed", str(error), self.parts.clock.now())
            self._tell(run, "failed", str(error))
            return replace(run, state="failed", detail=str(error))
        return await engine.advance(run, stop, self.progress) if run.open else run

    async def _reviewed(self, run: Run) -> tuple[Run, Reviewed | None]:
        """The run with the pull requests that are told of it, whatever becomes of it, and what
        their plans showed. Raises Refused for one that may not be applied before its merge."""
        if self.parts.forge is None:
            return run, None
        reviewing = Reviewing(self.parts, self.parts.forge)
        await reviewing.refuse_if_held(run.plan.environment, run.pull)
        if run.pull:
            name, commit = run.plan.environment, run.plan.commit
            await reviewing.refuse_unless_ready(run.pull, name, commit)
        found, reviewed = await reviewing.of(run)
        if found != run:
            await self.parts.store.planned(found)
        return found, reviewed

    async def _hold(self, run: Run) -> None:
        """Written down before anything is sent: from then on the environment is the pull
        request's."""
        status = await self.parts.store.status(run.plan.environment)
        if run.pull and status.held_by != run.pull:
            await self.parts.store.keep_status(replace(status, held_by=run.pull))

    async def _overtaken(self, run: Run, head: str) -> Run:
        """Of two commits the branch knows which is newer, whatever order their requests came in
        and whatever the clocks said: applying the older one last would undo the newer. What a
        person asked for is asked for again; a digest goes on to name one plan alone."""
        detail = f"the branch is at {head[:9]} by now"
        if run.pulls or run.allow:
            name, by = run.plan.environment, run.requested_by
            again = Asked(name, "apply", "", run.only, run.allow, pulls=run.pulls, by=by)
            detail += f": {(await self.request(again)).id} takes its place"
        await self.parts.store.end(run.id, "superseded", detail, self.parts.clock.now())
        self._tell(run, "superseded", detail)
        await self.parts.queue.send({"check": run.plan.environment})
        return replace(run, state="superseded", detail=detail)

    async def _stopped(self, run: Run, watch: Watch) -> None:
        """The lease is free again: say how the run stands, and let others go on."""
        state = await self.parts.store.state(run.id)
        if run.open and (watch.cancelled or state == "cancelling"):
            await self.end(run, "cancelled", "cancelled on request")
            return
        if not run.open:
            if run.state != "superseded":  # it says nothing about the environment
                await self._note(run)
        elif state in ("queued", "running"):
            await self.parts.queue.send({"run": run.id}, delay_s=GO_ON_S)
        await self._hand_over(run)

    async def _later(self, run: Run, error: Transient) -> None:
        """Try again after a pause, but not for ever."""
        now = self.parts.clock.now()
        begun = datetime.fromisoformat(run.created_at)
        if run.state == "queued" and begun + timedelta(seconds=GIVE_UP_S) < now:
            await self.end(run, "failed", f"given up after a day: {error}")
            return
        log.info("run %s goes on later: %s", run.id, error)
        pause = AGAIN_S if error.retry_after_s is None else error.retry_after_s
        await self.parts.queue.send({"run": run.id}, delay_s=max(pause, 1.0))
