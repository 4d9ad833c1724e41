"""What happens while it happens, on stderr: a live view on a terminal, plain lines elsewhere."""

import sys
from types import TracebackType
from typing import Protocol, Self

from reconciler.cli.console import is_terminal, write
from reconciler.core.model import Step
from reconciler.core.render.progress import STANDINGS, step_name
from reconciler.core.render.text import Line
from reconciler.core.render.words import clean, duration, name_of, plural, shorten, title_of
from reconciler.engine.events import Event, ReadProgress, RunBegun, StepProgress

STYLES = {"done": "create", "failed": "error", "held": "warning"}


class Reporter(Protocol):
    """Shows events for as long as its block lasts."""

    def __enter__(self) -> Self: ...
    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None: ...
    def __call__(self, event: Event) -> None: ...
    def say(self, line: Line) -> None:
        """A line of its own, beside what is going on."""


def reporter() -> Reporter:
    from reconciler.cli.live import Live

    return Live() if is_terminal(sys.stderr) else Lines()


def finished_line(event: StepProgress) -> Line:
    """One finished step: how it ended, what it was, how long it took, and why it failed."""
    outcome, step = event.outcome, event.step
    word = STANDINGS["held"] if outcome.state == "held" else outcome.state
    detail = f": {shorten(clean(outcome.detail), 200)}" if outcome.state == "failed" else ""
    took = f"  {duration(event.elapsed_s)}" if outcome.state != "held" else ""
    what = f"{title_of(step.key)} {name_of(step.key)}"
    return (
        (f"  {word.ljust(9)} ", STYLES[outcome.state]),
        (what, ""),
        (_of(step) + took, "quiet"),
        (detail, "error"),
    )


def _of(step: Step) -> str:
    return f"  {step_name(step)}"


def begun_line(event: RunBegun) -> Line:
    verb = "Going on with" if event.resumed else "Starting"
    text = f"{verb} run {clean(event.run.id)}: {plural(len(event.run.plan.steps), 'step')}"
    return ((text, "quiet"),)


class Lines:
    """For logs: one line when reading is over, one for each finished step."""

    def __init__(self) -> None:
        self._read: ReadProgress | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if error is None:
            self._say_read()

    def __call__(self, event: Event) -> None:
        if isinstance(event, ReadProgress):
            self._read = event
        elif isinstance(event, RunBegun):
            self._say_read()
            self.say(begun_line(event))
        elif event.outcome.ended:
            self.say(finished_line(event))

    def _say_read(self) -> None:
        """Only now: what is found while reading adds to what has to be read."""
        if self._read:
            self.say(((f"Read {plural(self._read.done, 'collection')} from Azure", "quiet"),))
        self._read = None

    def say(self, line: Line) -> None:
        write([line], sys.stderr)
        sys.stderr.flush()
