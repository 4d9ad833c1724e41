"""How a run stands, resource by resource, in words."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Final, Literal

from reconciler.core.model import Key, Outcome, Run, RunState, Step
from reconciler.core.render.words import SYMBOLS, clean, duration, in_order

type Standing = Literal["failed", "cut", "held", "running", "open", "done"]
"""``cut``: begun, in a run that is over."""

DOING: Final[Mapping[str, str]] = {
    "create": "creating",
    "update": "updating",
    "delete": "deleting",
    "purge": "purging",
    "restore": "restoring",
    "settle": "settling",
}


STANDINGS: Final[Mapping[Standing, str]] = {
    "done": "done",
    "failed": "failed",
    "running": "running",
    "cut": "broken off",
    "held": "not tried",
    "open": "not started",
}


@dataclass(frozen=True)
class Row:
    """One resource of a run."""

    symbol: str
    key: Key
    standing: Standing
    state: str
    """``done``, ``not tried``, ``creating (step 1 of 2: …)``."""
    detail: str = ""
    took: str = ""
    request_id: str = ""
    endpoint: str = ""
    arm_id: str = ""
    """Where it is, or will be; "" for what the run deletes."""
    gone: bool | None = None
    """Of a replace that did not come to its end: whether the old one is deleted already."""

    @property
    def remark(self) -> str:
        if self.gone is None:
            return ""
        return "The old one is deleted already." if self.gone else "The old one is still there."

    @property
    def words(self) -> str:
        said = f"{self.state}: {self.detail}" if self.detail else self.state
        return f"{said.removesuffix('.')}. {self.remark}" if self.remark else said


def rows_of(run: Run, now: str = "") -> list[Row]:
    """Every resource of a run, danger first; ``now`` (ISO 8601) dates what is still going on."""
    steps: dict[Key, list[Step]] = {}
    symbols = {}
    for change in in_order(run.plan.changes):
        steps[change.key] = []
        symbols[change.key] = SYMBOLS[change.action]
    for step in run.plan.steps:
        steps.setdefault(step.key, []).append(step)
    return [_row(symbols.get(key, "~"), key, mine, run, now) for key, mine in steps.items() if mine]


def _row(symbol: str, key: Key, steps: list[Step], run: Run, now: str) -> Row:
    outcomes = [run.outcomes[step.id] for step in steps if step.id in run.outcomes]
    standing = _standing(steps, outcomes)
    if standing == "running" and not run.open:
        standing = "cut"
    took = _took(outcomes, now if standing == "running" else "")
    request_id = next((one.request_id for one in outcomes if one.state == "failed"), "")
    state = _running(steps, run) if standing == "running" else STANDINGS[standing]
    details = [clean(one.detail) for one in outcomes if one.state == standing and one.detail]
    detail = details[-1] if details else ""
    endpoint = next((one.endpoint for one in reversed(outcomes) if one.endpoint), "")
    arm_id = next((one.arm_id for one in reversed(steps) if one.verb == "put"), "")
    return Row(
        symbol,
        key,
        standing,
        state,
        detail,
        took,
        clean(request_id),
        clean(endpoint),
        arm_id,
        _gone(steps, run) if standing in ("failed", "cut", "held") else None,
    )


def _gone(steps: list[Step], run: Run) -> bool | None:
    removed = [step for step in steps if step.verb == "delete"]
    if not removed or len(removed) == len(steps):
        return None
    ends = [run.outcomes.get(step.id) for step in removed]
    return any(one is not None and one.state == "done" for one in ends)


def _standing(steps: list[Step], outcomes: list[Outcome]) -> Standing:
    states = {one.state for one in outcomes}
    if "failed" in states:
        return "failed"
    if "held" in states:
        return "held"
    if not states:
        return "open"
    return "done" if states == {"done"} and len(outcomes) == len(steps) else "running"


def _running(steps: list[Step], run: Run) -> str:
    done = [step for step in steps if step.id in run.outcomes and run.outcomes[step.id].ended]
    step = next(step for step in steps if step not in done)
    doing = doing_words(step)
    if len(steps) == 1:
        return doing
    parts = ", ".join(step_name(one) for one in steps)
    return f"{doing} (step {len(done) + 1} of {len(steps)}: {parts})"


def step_name(step: Step) -> str:
    """``create``, ``delete``, …: the first word of its id."""
    return clean(step.id.partition(":")[0])


def doing_words(step: Step) -> str:
    return DOING.get(step_name(step), "working")


def _took(outcomes: list[Outcome], now: str) -> str:
    starts = _moments(one.started_at for one in outcomes)
    ends = _moments([*(one.ended_at for one in outcomes), now])
    return duration(max(0.0, (ends[-1] - starts[0]).total_seconds())) if starts and ends else ""


def _moments(texts: Iterable[str]) -> list[datetime]:
    return sorted(datetime.fromisoformat(text) for text in texts if text)


def run_took(run: Run, now: str = "") -> str:
    """How long a run took, or has been going on."""
    moments = _moments([run.created_at, run.ended_at or now])
    return duration((moments[-1] - moments[0]).total_seconds()) if len(moments) == 2 else ""


LEADS: Final[Mapping[RunState, str]] = {
    "queued": "Waiting to apply to",
    "running": "Applying to",
    "done": "Applied to",
    "failed": "Apply failed in",
    "stale": "Apply stopped in",
    "refused": "Apply refused in",
    "cancelling": "Cancelling the apply to",
    "cancelled": "Apply cancelled in",
    "superseded": "Apply superseded in",
}
PLAN_LEADS: Final[Mapping[RunState, str]] = {
    "queued": "Waiting to plan",
    "running": "Planning",
    "done": "Planned",
    "failed": "Plan failed for",
    "stale": "Plan stopped for",
    "refused": "Plan refused for",
    "cancelling": "Cancelling the plan of",
    "cancelled": "Plan cancelled for",
    "superseded": "Plan superseded for",
}


def headline(run: Run, rows: list[Row]) -> str:
    """``Applied to prod: 2 of 3 done, 1 failed``; the environment's name is left to the caller."""
    lead = (PLAN_LEADS if run.mode == "plan" else LEADS)[run.state]
    if run.state == "refused":
        return f"{lead} {{}}: nothing was changed"
    if not rows and run.state not in ("done", "running"):
        return f"{lead} {{}}"
    count = [row.standing for row in rows].count
    parts = [f"{count('done')} of {len(rows)} done"] if rows else ["nothing to do"]
    others: tuple[Standing, ...] = ("failed", "cut", "running", "held", "open")
    parts += [f"{count(one)} {STANDINGS[one]}" for one in others if count(one)]
    return f"{lead} {{}}: {', '.join(parts)}"


def next_step(run: Run) -> str:
    """What a person does now."""
    if run.mode == "plan":
        return ""
    environment = clean(run.plan.environment)
    return {
        "done": "",
        "queued": "It waits for a worker.",
        "running": "It goes on where it is: apply again to take it further.",
        "failed": f"Mend what failed, then apply to {environment} again: what is done stays done.",
        "stale": f"Somebody changed Azure meanwhile: plan {environment} again, then apply.",
        "refused": "See why above.",
        "cancelling": "What was sent to Azure is not taken back; nothing more is sent.",
        "cancelled": f"Apply to {environment} again to plan afresh from where Azure stands.",
        "superseded": "A newer run took its place.",
    }[run.state]
