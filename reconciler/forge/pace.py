"""Never writing faster than GitHub wants to be written to.

At most 80 requests that make content a minute and 500 an hour; and silence for as long as GitHub
asks for it.
https://docs.github.com/en/rest/using-the-rest-api/rate-limits-for-the-rest-api#about-secondary-rate-limits
"""

from collections import deque
from typing import Final

from reconciler.core.errors import Transient
from reconciler.ports import Clock

LIMITS: Final = ((80, 60.0), (500, 3600.0))
"""So many in any so many seconds."""
SLACK_S: Final = 0.001
"""Waited longer than computed, so that rounding never makes a request early."""


class Pace:
    """Gives every request its moment; first come, first served."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._writes: deque[float] = deque(maxlen=max(count for count, _ in LIMITS))
        self._closed_until = clock.monotonic()

    async def take(self, writes: bool, patience_s: float) -> None:
        """Wait for a request's turn. Raises Transient when that would take longer than
        ``patience_s``; then no turn is used up."""
        began = self._clock.monotonic()
        moment = max(began, self._free() if writes else began, self._closed_until)
        if moment - began > max(0.0, patience_s):
            raise Transient(
                "GitHub takes no more requests for now: its rate limit is used up",
                retry_after_s=moment - began,
            )
        if writes:
            self._writes.append(moment)
        while (wait := moment - self._clock.monotonic()) > 0:
            await self._clock.sleep(wait)

    def close(self, seconds: float) -> None:
        """GitHub asked for silence: asking again earlier prolongs it."""
        self._closed_until = max(self._closed_until, self._clock.monotonic() + seconds)

    def _free(self) -> float:
        """The moment at which one more write fits into every limit."""
        return max(
            (
                self._writes[-count] + window_s + SLACK_S
                for count, window_s in LIMITS
                if len(self._writes) >= count
            ),
            default=0.0,
        )
