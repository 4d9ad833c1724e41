"""Misbehaviour on request: rules that say which requests go wrong, how, and how often."""

from __future__ import annotations

import random
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

import yaml

from reconciler.local.github.hooks import Mischief
from reconciler.local.github.limits import secondary
from reconciler.local.github.wire import Reply

# What stands in for the page with a unicorn.
PAGE = "<!DOCTYPE html>\n<html><head><title>{0}</title></head><body><h1>{0}</h1></body></html>\n"


@dataclass(kw_only=True)
class Fault:
    """One rule. A request fits when `method` and `path` (regular expressions) match it.

    Of the requests that fit, the `nth` (1 is the first) goes wrong, or each with `probability`;
    at most `count` in all. What happens is what is set: `latency_s` of waiting; a `status`
    instead of an answer (JSON, or a page with `html`); the `secondary_limit`, with
    `retry_after_s`; `drop` the connection "before" the request is handled or "after" (the
    answer is lost).
    """

    method: str = ".*"
    path: str = ".*"
    probability: float = 1.0
    nth: int | None = None
    count: int | None = None
    latency_s: float = 0.0
    status: int | None = None
    message: str = "A fault that was asked for."
    retry_after_s: int | None = None
    html: bool = False
    secondary_limit: bool = False
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

    def reply(self) -> Reply | None:
        """The answer that takes the place of the real one, if the rule has one."""
        if self.secondary_limit:
            refusal = secondary(60 if self.retry_after_s is None else self.retry_after_s)
            return Reply(refusal.status, refusal.body, refusal.headers)
        if self.status is None:
            return None
        wait = {} if self.retry_after_s is None else {"retry-after": str(self.retry_after_s)}
        if self.html:
            page = PAGE.format(self.status).encode()
            return Reply(self.status, page, {**wait, "Content-Type": "text/html"})
        return Reply(self.status, {"message": self.message, "status": str(self.status)}, wait)


class Faults:
    """All rules, with one seeded source of chance."""

    def __init__(self, rules: Iterable[Fault | Mapping[str, Any]] = (), seed: int = 0) -> None:
        self.rules: list[Fault] = []
        self._chance = random.Random(seed)  # noqa: S311 - it must repeat with the seed
        self.add(rules)

    def add(self, rules: Iterable[Fault | Mapping[str, Any]]) -> None:
        """Add rules; mappings name the fields of `Fault`. ValueError for unknown names."""
        self.rules.extend(r if isinstance(r, Fault) else fault_from(r) for r in rules)

    def clear(self) -> None:
        self.rules.clear()

    def striking(self, method: str, path: str) -> list[Fault]:
        return [rule for rule in self.rules if rule.strikes(method, path, self._chance)]


def fault_from(data: Mapping[str, Any]) -> Fault:
    """A rule from a file or a request. ValueError when it has a field that does not exist."""
    known = {f.name for f in fields(Fault)} - {"seen", "fired"}
    if unknown := set(data) - known:
        raise ValueError(f"unknown in a fault: {', '.join(sorted(unknown))}")
    return Fault(**data)


def load_faults(path: Path) -> tuple[list[Fault], Mischief]:
    """Rules from a YAML or JSON file: a list, or a mapping with `faults` and `webhooks`."""
    content = yaml.safe_load(path.read_text(encoding="utf-8")) or []
    if isinstance(content, list):
        content = {"faults": content}
    rules = [fault_from(rule) for rule in content.get("faults") or ()]
    return rules, Mischief.of(content.get("webhooks") or {})
