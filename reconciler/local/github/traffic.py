"""What passed over the wire: the log of requests, and exchanges for whoever watches."""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

LOG_LENGTH = 100_000


@dataclass(frozen=True, slots=True)
class Logged:
    """One line of the log; `at` is the emulator's clock, `status` 0 when none was answered."""

    method: str
    path: str
    status: int
    caller: str
    at: float


@dataclass(frozen=True, slots=True)
class Exchange:
    """A REST request and its answer, bodies decoded; the path is below the API's base."""

    method: str
    path: str
    request: Any
    status: int
    response: Any
    headers: Mapping[str, str]


@dataclass
class Log:
    """The newest requests, and counts of all."""

    entries: deque[Logged] = field(default_factory=lambda: deque(maxlen=LOG_LENGTH))
    counts: Counter[tuple[str, int]] = field(default_factory=Counter)

    def add(self, entry: Logged) -> None:
        self.entries.append(entry)
        self.counts[entry.method, entry.status] += 1

    def count(self, method: str | None = None, status: int | None = None) -> int:
        """How many requests, of one method or status if asked."""
        return sum(
            n
            for (its_method, its_status), n in self.counts.items()
            if method in (None, its_method) and status in (None, its_status)
        )

    def summary(self) -> dict[str, Any]:
        methods: Counter[str] = Counter()
        statuses: Counter[str] = Counter()
        for (method, status), n in self.counts.items():
            methods[method] += n
            statuses[str(status)] += n
        total = self.counts.total()
        return {"total": total, "methods": dict(methods), "statuses": dict(statuses)}
