"""The conductor: ``propose`` says what applying would do, ``apply`` does it and can be resumed.

The engine always reads both sides; who called it, and why, never changes what it does.
"""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field

from reconciler.core.checks import check_plan, facts_wanted
from reconciler.core.desired.environment import Environment
from reconciler.core.errors import Permanent, Refused, Transient
from reconciler.core.live import Live
from reconciler.core.model import Key, Owned, Plan, Resource, Run
from reconciler.core.owning import bookkeeping
from reconciler.core.plan import Wanted, make_plan, with_checks
from reconciler.core.safety import (
    refuse_if_blocked,
    refuse_if_empty,
    refuse_if_suspended,
    refuse_if_too_much,
    refuse_if_worse,
)
from reconciler.engine.advance import Advance
from reconciler.engine.events import Event, Progress, ReadProgress, RunBegun, StepProgress, silent
from reconciler.engine.observe import read_live
from reconciler.engine.perform import Pace, Performer
from reconciler.ports import Clock, Lease, Provider, Store

LEASE_S = 60.0
"""How long an environment stays taken after its worker died, in seconds."""


@dataclass(frozen=True)
class Reviewed:
    """What somebody looked at before saying yes."""

    digest: str
    dangerous: frozenset[tuple[str, Key]]

    @classmethod
    def of(cls, plan: Plan) -> "Reviewed":
        return cls(plan.digest, plan.dangerous)


@dataclass(frozen=True)
class Proposal:
    """A plan, and what to write down about resources that need no request."""

    plan: Plan
    settled: tuple[Owned, ...] = ()
    """Unchanged resources that are new on the owned list, or whose declaration changed."""
    forgotten: tuple[str, ...] = ()
    """Owned ARM ids that no longer exist and that no spec declares."""
    owned: Mapping[str, Owned] = field(default_factory=dict)


@dataclass
class Engine:
    """Everything a plan or a run needs, chosen by ``reconciler.app``."""

    cloud: Provider
    store: Store
    clock: Clock
    new_id: Callable[[], str]
    holder: str
    """Who this worker is, for the lease."""
    pace: Pace = field(default_factory=Pace)

    async def propose(
        self,
        environment: Environment,
        resources: Sequence[Resource],
        commit: str,
        progress: Progress = silent,
    ) -> Proposal:
        """Read Azure and say what applying would do. Writes nothing anywhere."""
        owned = await self.store.owned(environment.name)
        refuse_if_empty(environment.name, len(resources), len(owned))
        key = await self.store.digest_key()
        live = await read_live(self.cloud, resources, owned, key, progress)
        wanted = Wanted(
            environment.name,
            commit,
            tuple(resources),
            prune=environment.prune,
            resource_group=environment.resource_group,
        )
        plan = make_plan(wanted, live, owned)
        facts = await self._facts(plan, live)
        plan = with_checks(plan, check_plan(plan, live, facts, self.clock.now().date()))
        return Proposal(plan, *bookkeeping(plan, resources, live, owned), owned)

    async def _facts(self, plan: Plan, live: Live) -> Mapping[str, Sequence[Mapping[str, object]]]:
        """Catalogue and quota listings, only for what the plan changes. One that may not be read
        is left out: the checks say what they could not check."""
        urls = facts_wanted(plan, live)
        answers = await asyncio.gather(*(self._fact(url, api) for url, api in urls))
        return {url: answer for (url, _), answer in zip(urls, answers, strict=True)}

    async def _fact(self, url: str, api_version: str) -> Sequence[Mapping[str, object]]:
        try:
            return await self.cloud.query(url, api_version)
        except Permanent:
            return ()

    async def apply(
        self,
        environment: Environment,
        resources: Sequence[Resource],
        commit: str,
        *,
        reviewed: Reviewed | None = None,
        allow: str | None = None,
        requested_by: str = "",
        stopping: Callable[[], bool] = lambda: False,
        progress: Progress = silent,
    ) -> Run:
        """Make Azure as declared; goes on with an interrupted run of the same commit first.

        Raises Refused before anything is sent when a safety rule says no, and Transient when
        another worker is writing to this environment.
        """
        if environment.suspend:
            until, reason = environment.suspend.until, environment.suspend.reason
            refuse_if_suspended(environment.name, until, reason, self.clock.now())
        lease = await self.store.lease(environment.name, self.holder, LEASE_S)
        async with lease, _kept(lease, self.clock) as lost:
            stop = _either(stopping, lost)
            await self._finish_earlier(environment.name, commit, stop, progress)
            proposal = await self.propose(environment, resources, commit, progress)
            run = await self._begin(proposal, reviewed, allow, requested_by)
            progress(RunBegun(run, resumed=False))
            return await self._advance(run, stop, progress)

    async def _begin(
        self, proposal: Proposal, reviewed: Reviewed | None, allow: str | None, requested_by: str
    ) -> Run:
        plan = proposal.plan
        refuse_if_blocked(plan)
        refuse_if_too_much(plan, len(proposal.owned), allow)
        if reviewed:
            refuse_if_worse(plan, reviewed.dangerous, reviewed.digest, allow)
        if proposal.settled:
            await self.store.own(plan.environment, proposal.settled)
        if proposal.forgotten:
            await self.store.disown(plan.environment, proposal.forgotten)
        run = Run(self.new_id(), plan, requested_by, self.clock.now().isoformat())
        await self.store.begin(run)
        return run

    async def _finish_earlier(
        self, environment: str, commit: str, stop: Callable[[], bool], progress: Progress
    ) -> None:
        """Go on with a run that was cut short; one of another commit is closed instead: planning
        anew sees what it did."""
        run = await self.store.unfinished(environment)
        if run is None:
            return
        if run.plan.commit != commit:
            detail = "a newer commit took its place"
            await self.store.end(run.id, "cancelled", detail, self.clock.now())
            return
        progress(RunBegun(run, resumed=True))
        run = await self._advance(run, stop, progress)
        if run.state == "running":
            raise Transient("stopped before the run was finished: apply again to go on")

    async def _advance(self, run: Run, stop: Callable[[], bool], progress: Progress) -> Run:
        owned = dict(await self.store.owned(run.plan.environment))
        key = await self.store.digest_key()
        performer = Performer(
            run.plan, self.cloud, self.store, self.clock, owned, key, stop, pace=self.pace
        )
        return await Advance(run, performer, self.store, self.clock, progress).go()


def _either(first: Callable[[], bool], second: Callable[[], bool]) -> Callable[[], bool]:
    return lambda: first() or second()


class _kept:
    """Renew a lease in the background; the value says whether it was lost."""

    def __init__(self, lease: Lease, clock: Clock) -> None:
        self.lease = lease
        self.clock = clock
        self.gone = False

    async def __aenter__(self) -> Callable[[], bool]:
        self.task = asyncio.create_task(self._renew())
        return lambda: self.gone

    async def __aexit__(self, *error: object) -> None:
        self.task.cancel()
        with suppress(asyncio.CancelledError):
            await self.task

    async def _renew(self) -> None:
        while True:
            await self.clock.sleep(LEASE_S / 3)
            try:
                await self.lease.renew()
            except Transient:
                self.gone = True
                return


__all__ = [
    "Engine",
    "Event",
    "Pace",
    "Progress",
    "Proposal",
    "ReadProgress",
    "Refused",
    "Reviewed",
    "RunBegun",
    "StepProgress",
    "silent",
]
