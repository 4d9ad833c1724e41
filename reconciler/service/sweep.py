"""The sweep: what an event, a message or a worker has dropped is found and mended."""

import logging
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from reconciler.core.desired import environments, parse
from reconciler.core.desired.environment import Environment
from reconciler.core.errors import Refused
from reconciler.core.model import Run, RunHeader, Status
from reconciler.core.safety import refuse_if_suspended
from reconciler.engine import Progress
from reconciler.service.asked import Asked
from reconciler.service.parts import LOST_S, Parts
from reconciler.service.standing import behind_s, due, noticed
from reconciler.telemetry import DRIFT, QUEUE_AGE, UNRECONCILED_AGE, gauge

log = logging.getLogger(__name__)


@dataclass
class Sweep:
    """Looks at every environment; asks for an apply where there is reason to."""

    parts: Parts
    request: Callable[[Asked], Awaitable[Run]]

    async def all(self) -> int:
        """Send a check of every environment, and a new message for every run that may have lost
        its own. How many were sent. Raises SpecErrors when an environment's file is broken."""
        sent = await self._lost_runs()
        head = await self.parts.specs.head()
        found = environments(await self.parts.specs.read(head))
        for one in found:
            await self.parts.queue.send({"check": one.name})
        return sent + len(found)

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

    async def check(self, name: str, progress: Progress) -> None:
        """Compare one environment with its specs. Raises what reading them and Azure raises."""
        head = await self.parts.specs.head()
        environment = await self.parts.environment(name, head)
        status = await self.parts.store.status(name)
        by_itself = environment.apply == "onMerge" and not self._suspended(environment)
        applying = await self._is_applied_to(name)
        if not applying:
            unapplied = by_itself and status.applied_commit != head
            status = await self._notice(status, unapplied or status.drift > 0)
        self._tell_age(status)
        if applying:
            return
        if status.tried_commit == head and not due(
            status, self.parts.drift_s, self.parts.clock.now()
        ):
            return
        if status.applied_commit != head and by_itself:
            await self.request(Asked(name, "apply", by="sweep", if_idle=True))
            return
        drift = await self._drift(environment, head, progress)
        if drift and by_itself and environment.self_heal == "apply":
            await self.request(Asked(name, "apply", by="drift", if_idle=True))

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

    async def _drift(self, environment: Environment, head: str, progress: Progress) -> int:
        """How many changes a plan finds now; kept as the environment's status."""
        desired = parse(await self.parts.specs.read(head), environment.name)
        engine = self.parts.engine("plan")
        proposal = await engine.propose(desired.environment, desired.resources, head, progress)
        if await self._is_applied_to(environment.name):
            return 0  # somebody began to write meanwhile: what was seen is half of it
        found = len(proposal.plan.changes)
        # Read again: an apply may have ended while this was looking.
        status = await self.parts.store.status(environment.name)
        now = self.parts.clock.now()
        status = noticed(replace(status, checked_at=now.isoformat(), drift=found), found > 0, now)
        await self.parts.store.keep_status(status)
        gauge(DRIFT, found, {"environment": environment.name})
        if found:
            log.info("%s differs from its specs in %d places", environment.name, found)
        return found


def _waiting_s(runs: Iterable[RunHeader], now: datetime) -> float:
    """How many seconds the oldest run that nobody has begun has been waiting."""
    queued = [datetime.fromisoformat(one.created_at) for one in runs if one.state == "queued"]
    return max(0.0, (now - min(queued, default=now)).total_seconds())
