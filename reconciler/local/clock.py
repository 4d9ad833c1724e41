"""Time as an emulator sees it: the system's, or a test's own."""

from __future__ import annotations

import asyncio
import heapq
import time
from itertools import count
from typing import Protocol


class Clock(Protocol):
    """Where an emulator asks what time it is, and waits."""

    def now(self) -> float:
        """Seconds since 1970."""

    async def sleep(self, seconds: float) -> None:
        """Come back after that time, on this clock."""


class SystemClock:
    """The clock on the wall."""

    def now(self) -> float:
        return time.time()

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(seconds)


class ManualClock:
    """A clock that stands still until `advance` is called; sleepers wake in order."""

    def __init__(self, start: float = 1_780_000_000.0) -> None:
        self._now = start
        self._order = count()
        self._sleepers: list[tuple[float, int, asyncio.Event]] = []

    def now(self) -> float:
        return self._now

    async def sleep(self, seconds: float) -> None:
        if seconds <= 0:
            await asyncio.sleep(0)
            return
        awake = asyncio.Event()
        heapq.heappush(self._sleepers, (self._now + seconds, next(self._order), awake))
        await awake.wait()

    def advance(self, seconds: float) -> None:
        """Let time pass; whoever slept less than that is woken."""
        self._now += seconds
        while self._sleepers and self._sleepers[0][0] <= self._now:
            heapq.heappop(self._sleepers)[2].set()

    @property
    def sleepers(self) -> int:
        """How many are waiting: what a test waits for before it advances."""
        return len(self._sleepers)
