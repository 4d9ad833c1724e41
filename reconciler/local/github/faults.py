"""What can go wrong at the emulated GitHub, on request."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from reconciler.local.faults import Rule, Rules, read_faults
from reconciler.local.github.hooks import Mischief
from reconciler.local.github.limits import secondary
from reconciler.local.github.wire import Reply

# What stands in for the page with a unicorn.
PAGE = "<!DOCTYPE html>\n<html><head><title>{0}</title></head><body><h1>{0}</h1></body></html>\n"


@dataclass(kw_only=True)
class Fault(Rule):
    """What happens to a request that fits is what is set.

    `latency_s` of waiting; a `status` instead of an answer (JSON, or a page with `html`); the
    `secondary_limit`, with `retry_after_s`; `drop`.
    """

    status: int | None = None
    message: str = "A fault that was asked for."
    retry_after_s: int | None = None
    html: bool = False
    secondary_limit: bool = False

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


class Faults(Rules[Fault]):
    """All rules of an emulated GitHub."""

    def __init__(self, rules: Iterable[Fault | Mapping[str, Any]] = (), seed: int = 0) -> None:
        super().__init__(Fault, rules, seed)


def load_faults(path: Path) -> tuple[list[Fault], Mischief]:
    """Rules from a YAML or JSON file: a list, or a mapping with `faults` and `webhooks`."""
    content = read_faults(path)
    rules = [Fault.of(rule) for rule in content.get("faults") or ()]
    return rules, Mischief.of(content.get("webhooks") or {})
