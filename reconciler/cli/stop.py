"""Ctrl-C while applying: once to stop waiting, twice to leave."""

import asyncio
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from reconciler.cli.progress import Reporter
from reconciler.engine.events import Event, Progress, RunBegun


@dataclass
class Stop:
    """A person's wish to stop."""

    asked: bool = False
    begun: bool = False

    def watching(self, progress: Progress) -> Progress:
        """The same reports, noticing when a run begins."""

        def report(event: Event) -> None:
            self.begun = self.begun or isinstance(event, RunBegun)
            progress(event)

        return report


@contextmanager
def stoppable(progress: Reporter) -> Iterator[Stop]:
    """The first signal asks a run to stop, the second one (or the first before a run) ends it."""
    stop = Stop()
    task = asyncio.current_task()
    loop = asyncio.get_running_loop()
    assert task is not None

    def signalled() -> None:
        if stop.asked or not stop.begun:
            task.cancel()
            return
        stop.asked = True
        words = "Stopping: what was sent to Azure continues there; apply again to go on."
        progress.say(((words, "warning"),))

    for one in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(one, signalled)
    try:
        yield stop
    except asyncio.CancelledError:
        raise KeyboardInterrupt from None
    finally:
        for one in (signal.SIGINT, signal.SIGTERM):
            loop.remove_signal_handler(one)
