"""The sweep: what an event, a message or a worker has dropped is found and mended."""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Final

from reconciler.core.desired import Desired, environments, parse
from reconciler.core.desired.environment import Environment
from reconciler.core.errors import Permanent, Refused, SpecErrors, Transient
from reconciler.core.model import Plan, Run, RunHeader, Status
from reconciler.core.safety import refuse_if_suspended
from reconciler.engine import Progress
from reconciler.service.asked import Asked
from reconciler.service.parts import LOST_S, Parts
from reconciler.service.reviewing import still_open
from reconciler.service.standing import behind_s, due, noticed, standing
from reconciler.service.telling import Telling
from reconciler.telemetry import DRIFT, QUEUE_AGE, UNRECONCILED_AGE, gauge

log = logging.getLogger(__name__)

TOLD_S: Final = 3600.0
"""For so long after a run has ended the sweep sees to it that this was told."""


@dataclass
class Sweep:
    """Looks at every environment; asks for an apply where there is reason to."""

    parts: Parts
    request: Callable[[Asked], Awaitable[Run]]

    async def all(self) -> int:
        """Send a check of every environment, and a new message for every run that may have lost
        its own. How many were sent. Raises SpecErrors when an environment's file is broken."""
        return await self._lost_runs() + await self.checks()

    async def checks(self, by: str = "sweep") -> int:
        """Send a check of every environment: how many. Raises SpecErrors."""
        head = await self.parts.specs.head()
        found = environments(await self.parts.specs.read(head))
        for one in found:
            await self.parts.queue.send({"check": one.name, "by": by})
        return len(found)

    async def _lost_runs(self) -> int:
        """A message too many does no harm: it finds its run ended, or its environment taken."""
        now = self.parts.clock.now()
        horizon = now - timedelta(seconds=LOST_S)
        found = await self.parts.store.open_runs()
        gauge(QUEUE_AGE, _waiting_s(found, now), {})
        old = [run for run in found if datetime.fromisoformat(run.created_at) < horizon]
        for run in old:
            await self.parts.queue.send({"run": run.id})
        return len(old)

    async def check(self, name: str, progress: Progress, by: str = "sweep") -> None:
        """Compare one environment with its specs. Raises what reading them and Azure raises."""
        head = await self.parts.specs.head()
        environment = await self.parts.environment(name, head)
        status = await self.parts.store.status(name)
        by_itself = environment.apply == "onMerge" and not self._suspended(environment)
        applying = await self._is_applied_to(name)
        if not applying:
            status = await self._noted(status)
            status = await self._followed(status, head)
            unapplied = by_itself and status.applied_commit != head
            status = await self._notice(status, unapplied or status.drift > 0)
        self._tell_age(status)
        if applying:
            return
        await self._tell_again(status.last_run)
        if status.held_by and await self._held(status):
            return
        if status.tried_commit == head and not due(
            status, self.parts.drift_s, self.parts.clock.now()
        ):
            return
        if status.applied_commit != head and by_itself:
            await self.request(Asked(name, "apply", by=by, if_idle=True))
            return
        drift = await self._drift(environment, head, progress)
        # What would delete or replace something waits for a person's word; its issue says so.
        unasked = drift.changes and (self.parts.forge is None or not drift.dangerous)
        if unasked and by_itself and environment.self_heal == "apply":
            await self.request(Asked(name, "apply", by="drift", if_idle=True))

    async def _noted(self, status: Status) -> Status:
        """The end of an apply that its worker did not live to write down here."""
        found = await self.parts.store.runs(status.environment, 10, "apply")
        newest = next((one for one in found if one.state != "superseded"), None)
        if newest is None or newest.open or newest.id == status.last_run:
            return status
        run = await self.parts.store.run(newest.id)
        if run is None:
            return status
        status = standing(status, run, self.parts.clock.now())
        await self.parts.store.keep_status(status)
        if self.parts.forge:
            await self.parts.queue.send({"tell": run.id})
        return status

    async def _followed(self, status: Status, head: str) -> Status:
        """A commit that changes nothing here is applied as soon as it is there."""
        old, name = status.applied_commit, status.environment
        if old in ("", head) or status.tried_commit != old or not await self._same(name, old, head):
            return status
        newest = await self.parts.store.runs(name, 1, "apply")
        if not newest or newest[0].id != status.last_run:
            return status  # something was begun since then: it may have been half done
        status = replace(status, applied_commit=head, tried_commit=head)
        await self.parts.store.keep_status(status)
        return status

    async def _same(self, name: str, old: str, new: str) -> bool:
        """Whether two commits want the same of an environment."""
        try:
            before, after = await asyncio.gather(
                self.parts.specs.read(old), self.parts.specs.read(new)
            )
            return _bare(parse(before, name)) == _bare(parse(after, name))
        except (SpecErrors, Permanent):
            return False

    async def _tell_again(self, run_id: str) -> None:
        """The end of a run is told by a message, which may have been lost."""
        if self.parts.forge is None:
            return
        horizon = (self.parts.clock.now() - timedelta(seconds=TOLD_S)).isoformat()
        last = await self.parts.store.run(run_id) if run_id else None
        if last and last.ended_at > horizon:
            await self.parts.queue.send({"tell": run_id, "again": "yes"})

    async def _held(self, status: Status) -> bool:
        """Whether the pull request that was applied here is still open: then Azure is meant to be
        otherwise than the branch says."""
        if self.parts.forge and await still_open(self.parts.forge, status.held_by):
            return True
        status = await self.parts.store.status(status.environment)
        await self.parts.store.keep_status(replace(status, held_by=0))
        return False

    async def _notice(self, status: Status, behind: bool) -> Status:
        """Write down since when the environment is behind, the first time that it is."""
        now = noticed(status, behind, self.parts.clock.now())
        if now != status:
            await self.parts.store.keep_status(now)
        return now

    def _tell_age(self, status: Status) -> None:
        age_s = behind_s(status, self.parts.clock.now())
        gauge(UNRECONCILED_AGE, age_s, {"environment": status.environment})

    async def _is_applied_to(self, name: str) -> bool:
        return any(run.mode == "apply" for run in await self.parts.store.open_runs(name))

    def _suspended(self, environment: Environment) -> bool:
        if environment.suspend is None:
            return False
        until, reason = environment.suspend.until, environment.suspend.reason
        try:
            refuse_if_suspended(environment.name, until, reason, self.parts.clock.now())
        except Refused:
            return True
        return False

    async def _drift(self, environment: Environment, head: str, progress: Progress) -> Plan:
        """What a plan finds now; how much it is, is kept as the environment's status."""
        desired = parse(await self.parts.specs.read(head), environment.name)
        engine = self.parts.engine("plan")
        proposal = await engine.propose(desired.environment, desired.resources, head, progress)
        if await self._is_applied_to(environment.name):
            # Somebody began to write meanwhile: what was seen is half of it.
            return Plan(environment.name, head)
        found = len(proposal.plan.changes)
        # Read again: an apply may have ended while this was looking.
        status = await self.parts.store.status(environment.name)
        status = await self._tell_drift(status, environment, proposal.plan)
        now = self.parts.clock.now()
        status = noticed(replace(status, checked_at=now.isoformat(), drift=found), found > 0, now)
        if not found and environment.apply == "onCommand":
            # Nobody applied this commit, and all of it stands: what was applied before its merge.
            status = replace(status, applied_commit=head)
        if not found and status.applied_commit == head:
            status = replace(status, failures=0, retry_at="")  # whatever failed, it stands now
        await self.parts.store.keep_status(status)
        gauge(DRIFT, found, {"environment": environment.name})
        if found:
            log.info("%s differs from its specs in %d places", environment.name, found)
        return proposal.plan

    async def _tell_drift(self, status: Status, environment: Environment, plan: Plan) -> Status:
        """An issue as long as there is drift. That there may be one is written down before it is
        opened, and that there is none after it was closed."""
        if self.parts.forge is None or not (plan.changes or status.issue):
            return status
        telling = Telling(self.parts, self.parts.forge)
        try:
            if plan.changes:
                status = replace(status, issue=True)
                await self.parts.store.keep_status(status)
                by_itself = environment.apply == "onMerge"
                self_heal = environment.self_heal if by_itself else "report"
                await telling.drift(plan, self_heal, status.behind_since)
                return status
            last = await self.parts.store.run(status.last_run)
            if last and last.requested_by == "drift":
                await telling.healed(last)
            else:
                await telling.no_drift(environment.name)
        except (Transient, Permanent) as error:
            log.warning("the drift of %s could not be told: %s", environment.name, error)
            return status
        return replace(status, issue=False)


def _bare(desired: Desired) -> Desired:
    """Without where it is written."""
    environment = replace(desired.environment, source="")
    return Desired(environment, tuple(replace(one, source="") for one in desired.resources))


def _waiting_s(runs: Iterable[RunHeader], now: datetime) -> float:
    """How many seconds the oldest run that nobody has begun has been waiting."""
    queued = [datetime.fromisoformat(one.created_at) for one in runs if one.state == "queued"]
    return max(0.0, (now - min(queued, default=now)).total_seconds())
