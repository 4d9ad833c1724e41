"""Engine and emulator in one process, on a clock that jumps.

Whenever nothing is left to do but wait, time moves on to the end of the shortest wait: an hour of
Azure's operations takes seconds, and how busy the machine is changes nothing.
"""

import asyncio
import os
import selectors
import time
from collections.abc import Coroutine
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from unittest.mock import patch

from bench.azure import QUOTAS
from reconciler.app import App, Settings, SystemClock
from reconciler.core.model import Run
from reconciler.local.azure import EmulatedAzure
from reconciler.local.folder import read_folder
from reconciler.state.sqlite import SqliteStore

GRACE_S = 0.0005
"""How long bytes may be on their way through the kernel."""


class JumpingSelector(selectors.DefaultSelector):
    """Waits for what is on its way; instead of waiting for time, it moves time."""

    def __init__(self) -> None:
        super().__init__()
        self.now = 0.0

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        ready = super().select(0)
        if ready or (timeout is not None and timeout <= 0):
            return ready
        ready = super().select(None) if timeout is None else self.late()
        if not ready and timeout is not None:
            self.now += timeout
        return ready

    def late(self) -> list[tuple[selectors.SelectorKey, int]]:
        """What comes although nothing was there."""
        return super().select(GRACE_S)


class JumpingLoop(asyncio.SelectorEventLoop):
    """An event loop whose time is the selector's."""

    def __init__(self, selector: JumpingSelector | None = None) -> None:
        self._clock = selector or JumpingSelector()
        super().__init__(self._clock)

    def time(self) -> float:
        return self._clock.now


class JumpingClock(SystemClock):
    """The loop's time for the engine; ``Seconds`` is the same for the emulator."""

    def __init__(self) -> None:
        self.start = time.time()

    def now(self) -> datetime:
        return datetime.fromtimestamp(self.start + self.monotonic(), UTC)

    def monotonic(self) -> float:
        return asyncio.get_running_loop().time()


class Seconds:
    def __init__(self, clock: JumpingClock) -> None:
        self._clock = clock

    def now(self) -> float:
        return self._clock.now().timestamp()

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(seconds)


def applied(
    folder: Path, state: Path, environment: str, time_scale: float, poll_s: float
) -> tuple[float, Run, EmulatedAzure]:
    """Apply specs to an empty Azure, rate limits on both sides as in Azure.

    Returns the seconds it would have taken from the first request to the last answer, the run,
    and the emulator with its log.
    """
    return _run(_applied(folder, state, environment, time_scale, poll_s))


def _run[T](work: Coroutine[Any, Any, T]) -> T:
    with asyncio.Runner(loop_factory=JumpingLoop) as runner:
        return runner.run(work)


async def _applied(
    folder: Path, state: Path, environment: str, time_scale: float, poll_s: float
) -> tuple[float, Run, EmulatedAzure]:
    clock = JumpingClock()
    azure = EmulatedAzure(clock=Seconds(clock), time_scale=time_scale, settings=dict(QUOTAS))
    async with azure:
        with patch.dict(os.environ, azure.environment()):
            store = SqliteStore(state, clock.now)
            app = App(Settings(arm_endpoint=azure.url, poll_s=poll_s), store, clock)
            try:
                run = await app.apply(read_folder(folder), environment)
            finally:
                await app.close()
        return clock.monotonic(), run, azure
