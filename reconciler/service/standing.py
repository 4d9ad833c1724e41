"""What the end of an apply means for its environment: pure."""

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Final

from reconciler.core.model import Run, Status

RETRY_S: Final = 300.0
"""The first pause before a failed apply is tried again by itself; doubled each time."""
RETRY_LONGEST_S: Final = 6 * 3600.0
"""The longest of these pauses, and the one after a refusal: quotas and policies may change."""
NEVER: Final = "never"
"""Not tried again by itself before the commit changes or somebody asks."""
FAILED: Final = frozenset({"failed", "refused", "stale"})


def standing(before: Status, run: Run, now: datetime, retry_at: str = "") -> Status:
    """The environment's status once ``run``, an apply, has ended.

    ``retry_at``: when it is tried again by itself; "": after a pause that grows with each failure
    of the same commit. A run that a person cancelled stays so until somebody asks, or commits.
    What was said of the same run before holds. An apply before a merge never counts as one of the
    branch's commits: it had the branch's rights, and what is merged has its own.
    """
    if before.last_run == run.id:
        return before
    if run.pull:
        # What is not on the branch says nothing about it, but who has the environment now.
        mine = run.pull if run.outcomes else 0
        return replace(before, last_run=run.id, held_by=mine or before.held_by)
    commit = run.plan.commit
    earlier = before.failures if before.tried_commit == commit else 0
    failures = earlier + 1 if run.state in FAILED else 0
    status = replace(
        before, tried_commit=commit, failures=failures, last_run=run.id, retry_at=retry_at
    )
    if run.state == "cancelled":
        return replace(status, retry_at=NEVER)
    if run.state in FAILED:
        return replace(status, retry_at=retry_at or _next(run, failures, now))
    if run.state == "done" and not run.only:
        moment = now.isoformat()
        status = replace(status, applied_commit=commit, applied_at=moment, behind_since="")
        return replace(status, checked_at=moment, drift=0)
    return status


def _next(run: Run, failures: int, now: datetime) -> str:
    doubled = RETRY_S * 2.0 ** min(failures - 1, 10)
    pause = RETRY_LONGEST_S if run.state == "refused" else min(RETRY_LONGEST_S, doubled)
    return (now + timedelta(seconds=pause)).isoformat()


def noticed(status: Status, behind: bool, now: datetime) -> Status:
    """The status with since when the environment has been otherwise than its specs."""
    since = (status.behind_since or now.isoformat()) if behind else ""
    return replace(status, behind_since=since)


def behind_s(status: Status, now: datetime) -> float:
    """For how many seconds the environment has been otherwise than the specs; 0: it is as they
    say."""
    if not status.behind_since:
        return 0.0
    return max(0.0, (now - datetime.fromisoformat(status.behind_since)).total_seconds())


def due(status: Status, drift_s: float, now: datetime) -> bool:
    """Whether the pause after a failure, or since the last comparison with Azure, is over."""
    if status.retry_at:
        return status.retry_at != NEVER and datetime.fromisoformat(status.retry_at) <= now
    if not status.checked_at:
        return True
    return datetime.fromisoformat(status.checked_at) + timedelta(seconds=drift_s) <= now
