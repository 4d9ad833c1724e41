"""The log of requests that every emulator keeps."""

from __future__ import annotations

from collections import Counter, deque
from dataclasses import dataclass, field
from typing import Any, Protocol

LOG_LENGTH = 200_000


class Entry(Protocol):
    """One line of a log; `status` is 0 when nothing was answered."""

    @property
    def method(self) -> str: ...

    @property
    def status(self) -> int: ...


@dataclass
class Log[E: Entry]:
    """The newest requests, and counts of all since the last reset."""

    entries: deque[E] = field(default_factory=lambda: deque(maxlen=LOG_LENGTH))
    counts: Counter[tuple[str, int]] = field(default_factory=Counter)

    def add(self, entry: E) -> None:
        self.entries.append(entry)
        self.counts[entry.method, entry.status] += 1

    def count(self, method: str | None = None, status: int | None = None) -> int:
        """How many requests, of one method or status if asked."""
        return sum(
            n
            for (its_method, its_status), n in self.counts.items()
            if method in (None, its_method) and status in (None, its_status)
        )

    def clear(self) -> None:
        self.entries.clear()
        self.counts.clear()

    def __len__(self) -> int:
        return self.counts.total()

    def summary(self) -> dict[str, Any]:
        """Counts for people and for the backdoor."""
        methods: Counter[str] = Counter()
        statuses: Counter[str] = Counter()
        for (method, status), n in self.counts.items():
            methods[method] += n
            statuses[str(status)] += n
        return {"total": len(self), "methods": dict(methods), "statuses": dict(statuses)}
