"""Misbehaviour on request, for every emulator: which requests go wrong, and how often.

What going wrong means is each emulator's own: it derives its `Fault` from `Rule`.
"""

from __future__ import annotations

import random
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

import yaml


@dataclass(kw_only=True)
class Rule:
    """A request fits when `method` and `path` (regular expressions) match it.

    Of the requests that fit, the `nth` (1 is the first) goes wrong, or each with `probability`;
    at most `count` in all. `drop` ends the connection "before" the request is handled or "after"
    (the answer is lost).
    """

    method: str = ".*"
    path: str = ".*"
    probability: float = 1.0
    nth: int | None = None
    count: int | None = None
    latency_s: float = 0.0
    drop: str | None = None
    seen: int = 0
    fired: int = 0

    def __post_init__(self) -> None:
        if self.drop not in (None, "before", "after"):
            raise ValueError(f"drop is 'before' or 'after', not {self.drop!r}")
        self._method = re.compile(self.method, re.IGNORECASE)
        self._path = re.compile(self.path, re.IGNORECASE)

    def strikes(self, method: str, path: str, chance: random.Random) -> bool:
        """Whether this request is one that goes wrong; counts it either way."""
        if not self._method.fullmatch(method) or not self._path.search(path):
            return False
        self.seen += 1
        spent = self.count is not None and self.fired >= self.count
        if spent or (self.nth is not None and self.seen != self.nth):
            return False
        if self.probability < 1.0 and chance.random() >= self.probability:
            return False
        self.fired += 1
        return True

    @classmethod
    def of[F: Rule](cls: type[F], data: Mapping[str, Any]) -> F:
        """From a file or a request. ValueError when it has a field that does not exist."""
        known = {f.name for f in fields(cls)} - {"seen", "fired"}
        if unknown := set(data) - known:
            raise ValueError(f"unknown in a fault: {', '.join(sorted(unknown))}")
        return cls(**data)


class Rules[F: Rule]:
    """All rules, with one seeded source of chance."""

    def __init__(
        self, kind: type[F], rules: Iterable[F | Mapping[str, Any]] = (), seed: int = 0
    ) -> None:
        self.rules: list[F] = []
        self._kind = kind
        self._chance = random.Random(seed)  # noqa: S311 - it must repeat with the seed
        self.add(rules)

    def add(self, rules: Iterable[F | Mapping[str, Any]]) -> None:
        """Add rules; mappings name the fields of one. ValueError for unknown names."""
        for rule in rules:
            self.rules.append(self._kind.of(rule) if isinstance(rule, Mapping) else rule)

    def clear(self) -> None:
        self.rules.clear()

    def striking(self, method: str, path: str) -> list[F]:
        return [rule for rule in self.rules if rule.strikes(method, path, self._chance)]


def read_faults(path: Path) -> Mapping[str, Any]:
    """A YAML or JSON file: a list of rules, or a mapping with the list under `faults`."""
    content = yaml.safe_load(path.read_text(encoding="utf-8")) or []
    return {"faults": content} if isinstance(content, list) else content
