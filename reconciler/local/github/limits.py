"""Rate limits: so many requests an hour, and so much content a minute and an hour.

https://docs.github.com/en/rest/using-the-rest-api/rate-limits-for-the-rest-api
"""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass, field
from math import ceil

from reconciler.local.github.model import JSON, Caller, Refusal

HOUR = 3600.0
PER_HOUR, ANONYMOUS = 5000, 60
CONTENT = ((60.0, 80), (HOUR, 500))  # (seconds, how many)
DOCS = "https://docs.github.com/rest/using-the-rest-api/rate-limits-for-the-rest-api"
SECONDARY = (
    "You have exceeded a secondary rate limit and have been temporarily blocked from content "
    "creation. Please retry your request again later."
)


@dataclass
class Window:
    """What one caller has used of this hour."""

    limit: int
    reset: float
    used: int = 0

    def as_json(self) -> JSON:
        remaining = max(0, self.limit - self.used)
        return {
            "limit": self.limit,
            "used": min(self.used, self.limit),
            "remaining": remaining,
            "reset": ceil(self.reset),
        }


@dataclass
class Limits:
    """All windows; `refused` counts the requests that were turned away."""

    enabled: bool = True
    per_hour: int = PER_HOUR
    refused: int = 0
    _windows: dict[str, Window] = field(default_factory=dict)
    _created: dict[str, deque[float]] = field(default_factory=dict)

    def admit(self, caller: Caller, now: float) -> None:
        """Count a request. 403 when there were too many this hour."""
        window = self.window(caller, now)
        window.used += 1
        if self.enabled and window.used > window.limit:
            self.refused += 1
            who = f"user ID {caller.user.id}" if caller.user else "127.0.0.1"
            raise Refusal(403, f"API rate limit exceeded for {who}.", docs=DOCS)

    def give_back(self, caller: Caller, now: float) -> None:
        """An answer of 304 costs nothing."""
        self.window(caller, now).used -= 1

    def create(self, caller: Caller, now: float) -> None:
        """Count what makes content. 403 with Retry-After when it is too much."""
        made = self._created.setdefault(caller.key, deque())
        while made and made[0] <= now - HOUR:
            made.popleft()
        for span, most in CONTENT:
            recent = [at for at in made if at > now - span]
            if self.enabled and len(recent) >= most:
                self.refused += 1
                raise secondary(ceil(recent[-most] + span - now))
        made.append(now)

    def headers(self, caller: Caller, now: float) -> Mapping[str, str]:
        found = self.window(caller, now).as_json()
        named = {f"x-ratelimit-{name}": str(value) for name, value in found.items()}
        return {**named, "x-ratelimit-resource": "core"}

    def window(self, caller: Caller, now: float) -> Window:
        """The caller's hour, a new one when the last has passed."""
        found = self._windows.get(caller.key)
        if found is None or found.reset <= now:
            limit = self.per_hour if caller.key else ANONYMOUS
            found = self._windows[caller.key] = Window(limit, now + HOUR)
        return found

    def reset(self) -> None:
        self._windows.clear()
        self._created.clear()
        self.refused = 0


def secondary(retry_after_s: int) -> Refusal:
    """The refusal of a secondary limit."""
    return Refusal(403, SECONDARY, headers={"retry-after": str(retry_after_s)}, docs=DOCS)
