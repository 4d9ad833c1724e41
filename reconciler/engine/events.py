"""What the engine tells while it works, for progress bars, comments and logs."""

from collections.abc import Callable
from dataclasses import dataclass

from reconciler.core.model import Outcome, Run, Step


@dataclass(frozen=True, slots=True)
class ReadProgress:
    """So many of the collections to read have been read."""

    done: int
    total: int


@dataclass(frozen=True, slots=True)
class RunBegun:
    """A run is about to start, or to go on (``resumed``)."""

    run: Run
    resumed: bool


@dataclass(frozen=True, slots=True)
class StepProgress:
    """A step reached a new state, ``elapsed_s`` seconds after it was started."""

    step: Step
    outcome: Outcome
    elapsed_s: float


type Event = ReadProgress | RunBegun | StepProgress
type Progress = Callable[[Event], None]


def silent(event: Event) -> None:
    """Tell nobody."""
