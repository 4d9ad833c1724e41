"""What can go wrong at the emulated Azure DevOps, on request."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from reconciler.local.azure_devops.model import Refusal
from reconciler.local.faults import Rule, Rules
from reconciler.local.github.wire import Reply

SIGN_IN = b"<!DOCTYPE html>\n<html><head><title>Sign in</title></head><body></body></html>\n"
BLOCKED = (
    "TF400733: The request has been canceled: Request was blocked due to exceeding usage of "
    "resource 'Concurrency' in namespace 'User'."
)


@dataclass(kw_only=True)
class Fault(Rule):
    """What happens to a request that fits is what is set.

    `latency_s` of waiting; a `status` instead of an answer, with `retry_after_s`; without a status
    `retry_after_s` goes out with the real answer, as Azure DevOps asks for patience; `sign_in`: the
    page that stands in for an answer; `drop`.
    """

    status: int | None = None
    message: str = "A fault that was asked for."
    retry_after_s: int | None = None
    sign_in: bool = False

    def reply(self) -> Reply | None:
        """The answer that takes the place of the real one, if the rule has one."""
        if self.sign_in:
            return Reply(203, SIGN_IN, {"Content-Type": "text/html"})
        if self.status is None:
            return None
        said = BLOCKED if self.status == 429 else self.message
        return Reply(self.status, Refusal(self.status, said).body, self.headers())

    def headers(self) -> dict[str, str]:
        """https://learn.microsoft.com/azure/devops/integrate/concepts/rate-limits"""
        if self.retry_after_s is None:
            return {}
        delay = {"X-RateLimit-Delay": str(float(self.retry_after_s))}
        return {"Retry-After": str(self.retry_after_s), **delay}


class Faults(Rules[Fault]):
    """All rules of an emulated Azure DevOps."""

    def __init__(self, rules: Iterable[Fault | Mapping[str, Any]] = (), seed: int = 0) -> None:
        super().__init__(Fault, rules, seed)
