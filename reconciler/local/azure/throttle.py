"""Request limits as Azure Resource Manager applies them: token buckets.

Sizes are those of
https://learn.microsoft.com/azure/azure-resource-manager/management/request-limits-and-throttling:
per subscription, principal and type of operation; fifteen times that over all principals.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from math import ceil
from typing import Literal

from reconciler.local.azure.model import ArmError

Kind = Literal["reads", "writes", "deletes"]
KINDS: Mapping[str, Kind] = {
    "GET": "reads",
    "HEAD": "reads",
    "PUT": "writes",
    "PATCH": "writes",
    "POST": "writes",
    "DELETE": "deletes",
}
GLOBAL_FACTOR = 15


@dataclass(frozen=True)
class Limit:
    """A bucket of `size` tokens that gains `refill` tokens a second."""

    size: int
    refill: float


LIMITS: Mapping[Kind, Limit] = {
    "reads": Limit(250, 25),
    "writes": Limit(200, 10),
    "deletes": Limit(200, 10),
}


@dataclass
class Bucket:
    """Tokens left; refilled as time passes."""

    limit: Limit
    tokens: float
    at: float

    def take(self, now: float) -> float:
        """Take a token: 0, or the seconds until there is one."""
        gained = max(0.0, now - self.at) * self.limit.refill
        self.tokens, self.at = min(self.limit.size, self.tokens + gained), now
        if self.tokens >= 1:
            self.tokens -= 1
            return 0.0
        return (1 - self.tokens) / self.limit.refill


@dataclass
class Throttle:
    """All buckets. `refused` counts the requests that got 429."""

    limits: Mapping[Kind, Limit] = field(default_factory=lambda: LIMITS)
    enabled: bool = True
    refused: int = 0
    _buckets: dict[tuple[str, str, Kind], Bucket] = field(default_factory=dict)

    def admit(self, subscription: str, principal: str, method: str, now: float) -> dict[str, str]:
        """The headers that tell what is left; 429 with Retry-After when nothing is."""
        kind = KINDS.get(method, "reads")
        own = self._bucket(subscription, principal, kind, 1, now)
        shared = self._bucket(subscription, "", kind, GLOBAL_FACTOR, now)
        if self.enabled and (wait := own.take(now) or shared.take(now)):
            self.refused += 1
            raise _too_many(subscription, max(1, ceil(wait)))
        prefix = "x-ms-ratelimit-remaining-subscription"
        return {
            f"{prefix}-{kind}": str(int(own.tokens)),
            f"{prefix}-global-{kind}": str(int(shared.tokens)),
        }

    def reset(self) -> None:
        self._buckets.clear()
        self.refused = 0

    def _bucket(
        self, subscription: str, principal: str, kind: Kind, factor: int, now: float
    ) -> Bucket:
        found = self._buckets.get((subscription, principal, kind))
        if found is None:
            limit = self.limits[kind]
            limit = Limit(limit.size * factor, limit.refill * factor)
            found = Bucket(limit, limit.size, now)
            self._buckets[subscription, principal, kind] = found
        return found


def _too_many(subscription: str, retry_after_s: int) -> ArmError:
    return ArmError(
        429,
        "SubscriptionRequestsThrottled",
        f"Number of requests for subscription '{subscription}' exceeded the limit. "
        f"Please try again after '{retry_after_s}' seconds.",
        cause="gateway",
        headers={"Retry-After": str(retry_after_s)},
    )
