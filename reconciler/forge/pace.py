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
LONGEST_S: Final = max(window_s for _, window_s in LIMITS) + 1.0
SLACK_S: Final = 0.001
"""Waited longer than computed, so that rounding never makes a request early."""


class Pace:
    """Gives every request its moment; first come, first served."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._writes: deque[float] = deque()
        """The moments of writes, those to come too, in their order."""
        self._closed_until = clock.monotonic()

    async def take(self, writes: bool, patience_s: float) -> None:
        """Wait for a request's turn. Raises Transient when that would take longer than
        ``patience_s``; then no turn is used up."""
        deadline = self._clock.monotonic() + max(0.0, patience_s)
        moment = self._turn(writes, deadline)
        while (now := self._clock.monotonic()) < moment:
            await self._clock.sleep(moment - now)
            # Somebody else may have been asked for silence meanwhile.
            if self._closed_until > max(moment, self._clock.monotonic()):
                if writes:
                    self._writes.remove(moment)
                moment = self._turn(writes, deadline)

    def close(self, seconds: float) -> None:
        """GitHub asked for silence: asking again earlier prolongs it."""
        self._closed_until = max(self._closed_until, self._clock.monotonic() + seconds)

    def _turn(self, writes: bool, deadline: float) -> float:
        """The moment of a request; that of a write is nobody else's. Raises Transient."""
        now = self._clock.monotonic()
        moment = max(now, self._free(now) if writes else now, self._closed_until)
        if moment > max(now, deadline):
            raise Transient(
                "GitHub takes no more requests for now: its rate limit is used up",
                retry_after_s=moment - now,
            )
        if writes:
            self._writes.append(moment)
        return moment

    def _free(self, now: float) -> float:
        """The moment at which one more write fits into every limit, and after those that wait."""
        while self._writes and self._writes[0] < now - LONGEST_S:
            self._writes.popleft()
        fits = [
            self._writes[-count] + window_s + SLACK_S
            for count, window_s in LIMITS
            if len(self._writes) >= count
        ]
        return max([now, *fits, self._writes[-1] if self._writes else now])
