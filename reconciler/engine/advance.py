"""Taking a run as far as it will go: many steps at once, each saved as it moves."""

import asyncio
import heapq
import logging
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace

from reconciler.core.errors import Stale
from reconciler.core.kinds import KINDS
from reconciler.core.model import Outcome, Run, RunState, Step
from reconciler.engine.events import Progress, StepProgress
from reconciler.engine.perform import Performer, Stopped
from reconciler.ports import Clock, Store
from reconciler.telemetry import run_ended, work

log = logging.getLogger(__name__)

AT_ONCE = 256
"""Steps under way at most, nearly all of them waiting for Azure. Asked about every 15 s, so many
take 17 of the 25 reads a second that Azure admits; more would wait for each other instead."""


@dataclass
class Schedule:
    """Which step may go next. The one with the longest work behind it goes first."""

    steps: Mapping[str, Step]
    ended: set[str]
    busy: set[str] = field(default_factory=set)
    """Locks that are taken."""

    def __post_init__(self) -> None:
        self.behind: dict[str, list[str]] = defaultdict(list)
        self.missing: dict[str, int] = {}
        for step in self.steps.values():
            waits = [one for one in step.after if one in self.steps and one not in self.ended]
            self.missing[step.id] = len(waits)
            for before in waits:
                self.behind[before].append(step.id)
        self.weight = longest(self.steps.values())
        self.ready: list[tuple[float, str]] = []
        self.parked: dict[str, list[tuple[float, str]]] = defaultdict(list)
        for name, count in self.missing.items():
            if not count and name not in self.ended:
                self._offer(name)

    def _offer(self, name: str) -> None:
        heapq.heappush(self.ready, (-self.weight[name], name))

    def take(self) -> Step | None:
        """The next step whose needs are met and whose lock is free."""
        while self.ready:
            entry = heapq.heappop(self.ready)
            step = self.steps[entry[1]]
            if step.lock and step.lock in self.busy:
                heapq.heappush(self.parked[step.lock], entry)
                continue
            if step.lock:
                self.busy.add(step.lock)
            return step
        return None

    def release(self, step: Step, done: bool) -> None:
        """The step is over: its lock is free, and if it is done, so is the way for others."""
        if step.lock:
            self.busy.discard(step.lock)
            if parked := self.parked.get(step.lock):
                heapq.heappush(self.ready, heapq.heappop(parked))
        if done:
            for name in self.behind[step.id]:
                self.missing[name] -= 1
                if not self.missing[name]:
                    self._offer(name)

    def behind_all(self, name: str) -> Iterable[Step]:
        """Everything that waits for a step, directly or not."""
        seen: set[str] = set()
        todo = list(self.behind[name])
        while todo:
            one = todo.pop()
            if one not in seen:
                seen.add(one)
                todo += self.behind[one]
                yield self.steps[one]


def longest(steps: Iterable[Step]) -> dict[str, float]:
    """For each step the usual time, in seconds, of the longest chain that starts with it.

    Steps that share a lock form a queue: a step counts for the whole queue it stands in.
    """
    listed = list(steps)
    queue: dict[str, float] = defaultdict(float)
    for step in listed:
        if step.lock:
            queue[step.lock] += KINDS[step.key.kind].typical_s
    behind: dict[str, float] = defaultdict(float)
    weight: dict[str, float] = {}
    for step in reversed(listed):
        own = KINDS[step.key.kind].typical_s + behind[step.id]
        weight[step.id] = max(own, queue[step.lock]) if step.lock else own
        for before in step.after:
            behind[before] = max(behind[before], weight[step.id])
    return weight


@dataclass
class Advance:
    """One worker's turn at a run."""

    run: Run
    performer: Performer
    store: Store
    clock: Clock
    progress: Progress

    def __post_init__(self) -> None:
        ended = {name for name, one in self.run.outcomes.items() if one.ended}
        steps = {step.id: step for step in self.run.plan.steps}
        self.schedule = Schedule(steps, ended)
        self.performer.started = self.save
        self.begun: dict[str, float] = {}
        self.stale = ""

    async def go(self) -> Run:
        """Work until everything ended, or until there is no time left. Returns the run as saved."""
        active: dict[asyncio.Task[Outcome | None], Step] = {}
        try:
            while True:
                while len(active) < AT_ONCE and self._may_begin():
                    step = self.schedule.take()
                    if step is None:
                        break
                    active[asyncio.create_task(self._one(step))] = step
                if not active:
                    return await self._ended()
                done, _ = await asyncio.wait(active, return_when=asyncio.FIRST_COMPLETED)
                for task in done:
                    step = active.pop(task)
                    await self._over(step, task.result())
        finally:
            for task in active:
                task.cancel()
            await asyncio.gather(*active, return_exceptions=True)

    def _may_begin(self) -> bool:
        return not (self.stale or self.performer.stopping())

    async def _one(self, step: Step) -> Outcome | None:
        """The outcome of a step; None when it goes on in a later turn."""
        self.begun[step.id] = self.clock.monotonic()
        with work("step", step=step.id):
            outcome = await self._performed(step)
            if outcome and outcome.state == "failed":
                log.warning("%s %s failed: %s", step.verb, step.key, outcome.detail)
            elif outcome:
                log.info("%s %s is done", step.verb, step.key)
            return outcome

    async def _performed(self, step: Step) -> Outcome | None:
        try:
            return await self.performer.perform(step, self.run.outcomes.get(step.id))
        except Stopped:
            return None
        except Stale as error:
            self.stale = self.stale or str(error)
            return Outcome("failed", str(error))

    async def _over(self, step: Step, outcome: Outcome | None) -> None:
        if outcome is None:
            self.schedule.release(step, done=False)
            return
        await self.save(step, outcome)
        self.schedule.release(step, done=outcome.state == "done")
        if outcome.state == "failed":
            for other in self.schedule.behind_all(step.id):
                if other.id not in self.run.outcomes:
                    await self.save(other, Outcome("held", f"waits for {step.key}, which failed"))

    async def save(self, step: Step, outcome: Outcome) -> None:
        """Append an outcome to the run, here and in the store."""
        now = self.clock.now()
        before = self.run.outcomes.get(step.id)
        stamped = replace(
            outcome,
            started_at=before.started_at if before else now.isoformat(),
            ended_at=now.isoformat() if outcome.ended else "",
            request_id=outcome.request_id or (before.request_id if before else ""),
        )
        self.run = self.run.record(step.id, stamped)
        await self.store.record(self.run.id, step.id, stamped, now)
        elapsed = self.clock.monotonic() - self.begun.get(step.id, self.clock.monotonic())
        self.progress(StepProgress(step, stamped, elapsed))

    async def _ended(self) -> Run:
        """Close the run when nothing is left to do; leave it open for a later turn otherwise."""
        open_steps = [
            step.id
            for step in self.run.plan.steps
            if step.id not in self.run.outcomes or not self.run.outcomes[step.id].ended
        ]
        if open_steps and not self.stale:
            return self.run
        failed = [name for name, one in self.run.outcomes.items() if one.state == "failed"]
        state: RunState = "stale" if self.stale else "failed" if failed else "done"
        now = self.clock.now()
        self.run = replace(self.run, state=state, detail=self.stale, ended_at=now.isoformat())
        await self.store.end(self.run.id, state, self.stale, now)
        run_ended(self.run.plan.environment, self.run.mode, state)
        log.info("the run is %s", state)
        return self.run
