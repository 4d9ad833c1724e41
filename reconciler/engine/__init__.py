"""The conductor: ``propose`` says what applying would do, ``apply`` does it and can be resumed.

The engine always reads both sides; who called it, and why, never changes what it does.
"""

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field, replace
from typing import Self

from reconciler.core.checks import check_plan, facts_wanted
from reconciler.core.desired.environment import Environment
from reconciler.core.errors import Permanent, Refused, Transient
from reconciler.core.findings import Wanted
from reconciler.core.live import Live
from reconciler.core.model import OPEN, Danger, Owned, Plan, Resource, Run
from reconciler.core.owning import bookkeeping
from reconciler.core.plan import make_plan, with_checks
from reconciler.core.safety import (
    refuse_if_blocked,
    refuse_if_empty,
    refuse_if_suspended,
    refuse_if_too_much,
    refuse_if_worse,
)
from reconciler.engine.advance import Advance
from reconciler.engine.events import Event, Progress, ReadProgress, RunBegun, StepProgress, silent
from reconciler.engine.observe import read_inside, read_live
from reconciler.engine.perform import Pace, Performer
from reconciler.ports import Clock, Lease, Provider, Stopping, Store, never
from reconciler.telemetry import run_ended, work

TRUSTED = 0.7
"""The share of a lease's time after which a worker that could not renew stops: the rest is for
clocks that differ and for requests on their way."""


@dataclass(frozen=True)
class Reviewed:
    """What somebody looked at before saying yes."""

    digest: str
    dangerous: frozenset[Danger]

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
    lease_s: float = 60.0
    """How long an environment stays taken after its worker died, in seconds."""

    async def propose(
        self,
        environment: Environment,
        resources: Sequence[Resource],
        commit: str,
        progress: Progress = silent,
        only: tuple[str, ...] = (),
    ) -> Proposal:
        """Read Azure and say what applying would do. Writes nothing anywhere.

        ``only`` limits the plan to resources whose ``Kind/name`` fits one of these patterns, and
        to what these need.
        """
        with work("plan", environment=environment.name, commit=commit):
            return await self._proposal(environment, resources, commit, progress, only)

    async def _proposal(
        self,
        environment: Environment,
        resources: Sequence[Resource],
        commit: str,
        progress: Progress,
        only: tuple[str, ...],
    ) -> Proposal:
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
            only=only,
            shared=await self._shared(environment, resources, owned),
        )
        plan = make_plan(wanted, live, owned)
        inside = await read_inside(self.cloud, plan, live, progress)
        if inside is not live:
            live, plan = inside, make_plan(wanted, inside, owned)
        facts = await self._facts(plan, live)
        today, unlimited = self.clock.now().date(), () if only else resources
        checks = check_plan(plan, live, facts, today, environment.policy, unlimited)
        plan = with_checks(plan, checks)
        # What a limited plan leaves out differs all the same: it is not written down as applied.
        whole = make_plan(replace(wanted, only=()), live, owned) if only else plan
        books = bookkeeping(whole, resources, live, owned, wanted.shared)
        return Proposal(plan, *books, owned)

    async def _shared(
        self, environment: Environment, resources: Sequence[Resource], owned: Mapping[str, Owned]
    ) -> Mapping[str, str]:
        """What is owned and declared no more, but owned by another environment as well."""
        left = owned.keys() - {one.arm_id.lower() for one in resources}
        names = environment.others if left else ()
        books = await asyncio.gather(*(self.store.owned(name) for name in names))
        return {
            arm_id: name
            for name, theirs in zip(names, books, strict=True)
            for arm_id in left & theirs.keys()
        }

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
        stopping: Stopping = never,
        progress: Progress = silent,
    ) -> Run:
        """Make Azure as declared; goes on with an interrupted run of the same commit first.

        Raises Refused before anything is sent when a safety rule says no, and Transient when
        another worker is writing to this environment.
        """
        self.refuse_if_suspended(environment)
        async with self.writing(environment.name, stopping) as stop:
            earlier = await self.finish_earlier(environment.name, commit, stop, progress)
            if earlier and earlier.open:
                raise Transient("stopped before the run was finished: apply again to go on")
            queued = Run(
                self.new_id(),
                Plan(environment.name, commit),
                requested_by,
                self.clock.now().isoformat(),
                allow=allow or "",
            )
            run = await self.start(queued, environment, resources, reviewed, progress)
            return await self.advance(run, stop, progress)

    def refuse_if_suspended(self, environment: Environment) -> None:
        """Raises Refused while the environment's file says ``suspend``."""
        if environment.suspend:
            until, reason = environment.suspend.until, environment.suspend.reason
            refuse_if_suspended(environment.name, until, reason, self.clock.now())

    @asynccontextmanager
    async def writing(
        self, environment: str, stopping: Stopping = never
    ) -> AsyncIterator[Stopping]:
        """The environment's lease, kept while the block runs; the value says when to stop: when
        the caller says so, or when the lease may be somebody else's by now.

        Raises Transient, naming the holder, when it is taken.
        """
        lease = await self.store.lease(environment, self.holder, self.lease_s)
        async with lease, Kept(lease, self.clock, self.lease_s) as kept:
            yield lambda: stopping() or kept.lost()

    async def start(
        self,
        run: Run,
        environment: Environment,
        resources: Sequence[Resource],
        reviewed: Reviewed | None = None,
        progress: Progress = silent,
    ) -> Run:
        """Plan a queued run and save it as running, if every safety rule agrees.

        Needs the lease. Raises Refused; then Azure and the owned list are as they were, and the
        run holds the plan that was refused.
        """
        proposal = await self.propose(
            environment, resources, run.plan.commit, progress, only=run.only
        )
        plan, allow = proposal.plan, run.allow or None
        try:
            refuse_if_blocked(plan)
            refuse_if_too_much(plan, len(proposal.owned), allow)
            if reviewed:
                refuse_if_worse(plan, reviewed.dangerous, reviewed.digest, allow)
        except Refused as error:
            # Still queued: whoever finds it in this state begins anew.
            refused = replace(run, plan=plan, state="queued")
            await self.store.begin(refused)
            await self.store.planned(refused)
            await self.store.end(run.id, "refused", str(error), self.clock.now())
            raise
        if proposal.settled:
            await self.store.own(plan.environment, proposal.settled)
        if proposal.forgotten:
            await self.store.disown(plan.environment, proposal.forgotten)
        run = replace(run, plan=plan, state="running")
        await self.store.begin(run)
        await self.store.planned(run)
        state = await self.store.state(run.id)
        if state and state not in OPEN:
            return replace(run, state=state)  # somebody ended it while it was being planned
        progress(RunBegun(run, resumed=False))
        return run

    async def finish_earlier(
        self,
        environment: str,
        commit: str,
        stop: Stopping = never,
        progress: Progress = silent,
    ) -> Run | None:
        """Go on with a run that was cut short, and return it; one of another commit is closed
        instead, because planning anew sees what it did. Needs the lease."""
        run = await self.store.unfinished(environment)
        if run is None:
            return None
        if run.plan.commit != commit:
            detail = "a newer commit took its place"
            await self.store.end(run.id, "superseded", detail, self.clock.now())
            run_ended(environment, run.mode, "superseded")
            return None
        progress(RunBegun(run, resumed=True))
        return await self.advance(run, stop, progress)

    async def advance(self, run: Run, stop: Stopping = never, progress: Progress = silent) -> Run:
        """Take a run that was started as far as it will go now. Needs the lease.

        A run that is still open afterwards was stopped; the next call goes on.
        """
        owned = dict(await self.store.owned(run.plan.environment))
        key = await self.store.digest_key()
        performer = Performer(
            run.plan, self.cloud, self.store, self.clock, owned, key, stop, pace=self.pace
        )
        with work("run", run=run.id, environment=run.plan.environment, commit=run.plan.commit):
            return await Advance(run, performer, self.store, self.clock, progress).go()


class Kept:
    """Renews a lease in the background, and knows when it can no longer be trusted."""

    def __init__(self, lease: Lease, clock: Clock, lease_s: float) -> None:
        self.lease = lease
        self.clock = clock
        self.lease_s = lease_s
        self.gone = False
        self.renewed = clock.monotonic()

    def lost(self) -> bool:
        """Taken by somebody else, or so long not renewed that it may be."""
        return self.gone or self.clock.monotonic() - self.renewed > self.lease_s * TRUSTED

    async def __aenter__(self) -> Self:
        self.task = asyncio.create_task(self._renew())
        return self

    async def __aexit__(self, *error: object) -> None:
        self.task.cancel()
        with suppress(asyncio.CancelledError):
            await self.task

    async def _renew(self) -> None:
        while not self.gone:
            await self.clock.sleep(self.lease_s / 4)
            asked = self.clock.monotonic()
            try:
                await self.lease.renew()
                self.renewed = asked
            except Transient:
                self.gone = self.clock.monotonic() - self.renewed > self.lease_s * TRUSTED
            except Permanent:
                self.gone = True


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
    "Stopping",
    "silent",
]
