"""What happens while it happens, on stderr: a live view on a terminal, plain lines elsewhere."""

import sys
import time
from types import TracebackType
from typing import TYPE_CHECKING, Protocol, Self

from reconciler.cli.console import LOOKS, is_terminal
from reconciler.core.model import Step
from reconciler.core.render.progress import STANDINGS, doing_words, step_name
from reconciler.core.render.text import Line, plain
from reconciler.core.render.words import clean, duration, name_of, title_of
from reconciler.engine.events import Event, ReadProgress, RunBegun, StepProgress

if TYPE_CHECKING:
    from rich.console import RenderableType

STYLES = {"done": "create", "failed": "error", "held": "warning"}
LIVE_ROWS = 12


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


def reporter() -> Reporter:
    return Live() if is_terminal(sys.stderr) else Lines()


def finished_line(event: StepProgress) -> Line:
    """One finished step: how it ended, what it was, how long it took, and why it failed."""
    outcome, step = event.outcome, event.step
    word = STANDINGS["held"] if outcome.state == "held" else outcome.state
    detail = f": {clean(outcome.detail)}" if outcome.state == "failed" else ""
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


def _begun(event: RunBegun) -> str:
    verb = "Going on with" if event.resumed else "Starting"
    return f"{verb} run {clean(event.run.id)}: {len(event.run.plan.steps)} steps"


class Lines:
    """For logs: one line when reading is over, one for each finished step."""

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        pass

    def __call__(self, event: Event) -> None:
        if isinstance(event, ReadProgress):
            if event.done == event.total:
                self._say(f"Read {event.total} collections from Azure")
        elif isinstance(event, RunBegun):
            self._say(_begun(event))
        elif event.outcome.ended:
            self._say(plain([finished_line(event)]).rstrip())

    def _say(self, text: str) -> None:
        sys.stderr.write(f"{text}\n")
        sys.stderr.flush()


class Live:
    """For people: a bar while reading, then every running step with its time."""

    def __init__(self) -> None:
        from rich.console import Console
        from rich.live import Live as View

        self._console = Console(stderr=True, highlight=False, markup=False, emoji=False)
        self._view = View(
            get_renderable=self._now,
            console=self._console,
            refresh_per_second=8,
            transient=True,
            redirect_stdout=False,
            redirect_stderr=False,
        )
        self._started = time.monotonic()
        self._read: ReadProgress | None = None
        self._steps: dict[str, tuple[Step, float]] = {}
        self._total = 0
        self._ended = 0

    def __enter__(self) -> Self:
        self._view.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._view.stop()

    def __call__(self, event: Event) -> None:
        if isinstance(event, ReadProgress):
            self._read = event
        elif isinstance(event, RunBegun):
            self._console.print(self._rich(((_begun(event), "quiet"),)))
            self._total = len(event.run.plan.steps)
            self._ended = sum(one.ended for one in event.run.outcomes.values())
        elif event.outcome.ended:
            self._steps.pop(event.step.id, None)
            self._ended += 1
            self._console.print(self._rich(finished_line(event)))
        elif event.step.id not in self._steps:
            self._steps[event.step.id] = (event.step, time.monotonic() - event.elapsed_s)

    def _rich(self, line: Line) -> "RenderableType":
        from rich.style import Style
        from rich.text import Text

        text = Text(no_wrap=False)
        for words, style in line:
            look = LOOKS.get(style, {})
            text.append(
                words, Style(color=look.get("fg"), bold=look.get("bold"), dim=look.get("dim"))
            )
        return text

    def _now(self) -> "RenderableType":
        """What the live part shows at this moment."""
        from rich.console import Group

        if self._total:
            return Group(*map(self._rich, self._running()))
        return self._reading()

    def _reading(self) -> "RenderableType":
        from rich.progress_bar import ProgressBar
        from rich.table import Table

        row = Table.grid(padding=(0, 1))
        seen = self._read
        elapsed = duration(time.monotonic() - self._started)
        if seen is None:
            row.add_row("Reading Azure", elapsed)
            return row
        bar = ProgressBar(total=max(1, seen.total), completed=seen.done, width=30)
        row.add_row("Reading Azure", bar, f"{seen.done}/{seen.total} collections", elapsed)
        return row

    def _running(self) -> list[Line]:
        now = time.monotonic()
        longest = sorted(self._steps.values(), key=lambda one: one[1])
        lines: list[Line] = [
            (
                (f"  {doing_words(step).ljust(9)} ", "update"),
                (f"{title_of(step.key)} {name_of(step.key)}", ""),
                (f"  {duration(now - begun)}", "quiet"),
            )
            for step, begun in longest[:LIVE_ROWS]
        ]
        hidden = len(longest) - LIVE_ROWS
        more = f", {hidden} more running" if hidden > 0 else ""
        elapsed = duration(now - self._started)
        lines.append(((f"{self._ended} of {self._total} steps{more} · {elapsed}", "strong"),))
        return lines
