"""Never asking Azure faster than it answers: token buckets as ARM keeps them.

ARM counts per subscription, principal and operation type; a client acts as one principal, so here
the first and the last are the key. Requests for status links and lists are reads like any other.
https://learn.microsoft.com/azure/azure-resource-manager/management/request-limits-and-throttling
"""

import asyncio
from collections.abc import Mapping
from typing import Final

from reconciler.azure.settings import Limits
from reconciler.ports import Clock

SLACK_S: Final = 0.001
"""Waited longer than computed, so that rounding never makes a request early."""
ALMOST_ONE: Final = 1 - 1e-6

OPERATIONS: Final = {"GET": "reads", "HEAD": "reads", "DELETE": "deletes"}
"""Every other method is a write."""


class Bucket:
    """So many requests at once, so many more each second; first come, first served."""

    def __init__(self, size: float, per_second: float, clock: Clock) -> None:
        self._size, self._per_second, self._clock = size, per_second, clock
        self._tokens = size
        self._filled_at = clock.monotonic()
        self._closed_until = self._filled_at
        self._in_flight = 0
        self._turn = asyncio.Lock()

    async def take(self) -> None:
        """Wait until one more request may be sent. Every ``take`` is followed by ``answered``."""
        async with self._turn:
            while (wait := self._wait()) > 0:
                await self._clock.sleep(wait)
            self._tokens -= 1
            self._in_flight += 1

    def answered(self, remaining: int | None = None) -> None:
        """A request is over; ``remaining`` is what Azure says is left, where it said so.

        What Azure counted cannot include all that is still on its way, so that is subtracted;
        only bad news is believed, because others may share the bucket.
        """
        self._in_flight -= 1
        if remaining is not None:
            self._fill()
            self._tokens = min(self._tokens, remaining - self._in_flight)

    def close(self, seconds: float) -> None:
        """Azure refused: nothing before that time (earlier calls are refused and prolong it)."""
        self._closed_until = max(self._closed_until, self._clock.monotonic() + seconds)

    def _wait(self) -> float:
        self._fill()
        closed = self._closed_until - self._clock.monotonic()
        if closed > 0:
            return closed + SLACK_S
        if self._tokens >= ALMOST_ONE:
            return 0
        return (1 - self._tokens) / self._per_second + SLACK_S

    def _fill(self) -> None:
        now = self._clock.monotonic()
        grown = self._tokens + (now - self._filled_at) * self._per_second
        self._tokens, self._filled_at = min(self._size, grown), now


class Buckets:
    """One bucket for each subscription and operation type."""

    def __init__(self, limits: Limits, clock: Clock) -> None:
        self._limits, self._clock = limits, clock
        self._buckets: dict[tuple[str, str], Bucket] = {}

    def of(self, method: str, path: str) -> tuple[Bucket | None, str]:
        """The bucket a request draws from (None: unlimited), and the header that speaks of it."""
        operation = OPERATIONS.get(method, "writes")
        parts = path.split("/", 3)
        scoped = len(parts) > 2 and parts[1].lower() == "subscriptions"
        subscription = parts[2].lower() if scoped else ""
        scope = "subscription" if scoped else "tenant"
        header = f"x-ms-ratelimit-remaining-{scope}-{operation}"
        if operation not in self._limits:
            return None, header
        key = (subscription, operation)
        if key not in self._buckets:
            self._buckets[key] = Bucket(*self._limits[operation], self._clock)
        return self._buckets[key], header


def remaining(headers: Mapping[str, str], name: str) -> int | None:
    """The number in a remaining-requests header; None when it is not there."""
    text = headers.get(name) or ""
    return int(text) if text.isdecimal() else None
