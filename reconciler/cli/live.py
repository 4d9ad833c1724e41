"""Progress on a terminal: a bar while reading, then every running step with its time."""

import time
from types import TracebackType
from typing import Self

from rich.console import Console, Group, RenderableType
from rich.live import Live as View
from rich.progress_bar import ProgressBar
from rich.style import Style
from rich.table import Table
from rich.text import Text

from reconciler.cli.console import LOOKS
from reconciler.cli.progress import begun_line, finished_line
from reconciler.core.model import Step
from reconciler.core.render.progress import doing_words
from reconciler.core.render.text import Line
from reconciler.core.render.words import duration, name_of, title_of
from reconciler.engine.events import Event, ReadProgress, RunBegun

LIVE_ROWS = 12
"""More running steps than that are only counted."""


class Live:
    """For people: a bar while reading, then every running step with its time."""

    def __init__(self) -> None:
        self._started = time.monotonic()
        self._read: ReadProgress | None = None
        self._steps: dict[str, tuple[Step, float]] = {}
        self._total = 0
        self._ended = 0
        self._console = Console(stderr=True, highlight=False, markup=False, emoji=False)
        self._view = View(
            get_renderable=self._now,
            console=self._console,
            refresh_per_second=8,
            transient=True,
            redirect_stdout=False,
            redirect_stderr=False,
        )

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
            self.say(begun_line(event))
            self._total = len(event.run.plan.steps)
            self._ended = sum(one.ended for one in event.run.outcomes.values())
        elif event.outcome.ended:
            self._steps.pop(event.step.id, None)
            self._ended += 1
            self.say(finished_line(event))
        elif event.step.id not in self._steps:
            self._steps[event.step.id] = (event.step, time.monotonic() - event.elapsed_s)

    def say(self, line: Line) -> None:
        self._console.print(self._rich(line))

    def _rich(self, line: Line) -> RenderableType:
        text = Text(no_wrap=False)
        for words, style in line:
            look = LOOKS.get(style, {})
            text.append(
                words, Style(color=look.get("fg"), bold=look.get("bold"), dim=look.get("dim"))
            )
        return text

    def _now(self) -> RenderableType:
        """What the live part shows at this moment."""
        if self._total:
            return Group(*map(self._rich, self._running()))
        return self._reading()

    def _reading(self) -> RenderableType:
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
