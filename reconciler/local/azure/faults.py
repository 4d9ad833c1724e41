"""What can go wrong at the emulated Azure, on request."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from reconciler.local.azure.model import JSON, Operation, Reply
from reconciler.local.faults import Rule, Rules, read_faults

NGINX_PAGE = (
    "<html>\r\n<head><title>{0}</title></head>\r\n<body>\r\n<center><h1>{0}</h1></center>\r\n"
    "<hr><center>nginx</center>\r\n</body>\r\n</html>\r\n"
)
REASONS = {500: "Internal Server Error", 502: "Bad Gateway", 503: "Service Unavailable",
           504: "Gateway Time-out"}  # fmt: skip


@dataclass(kw_only=True)
class Fault(Rule):
    """What happens to a request that fits is what is set.

    `latency_s` of waiting; a `status` instead of an answer (JSON error, or an nginx page with
    `html`); `drop`; the long-running operation that the request begins takes `operation_delay_s`
    longer, or fails with `operation_error`.
    """

    status: int | None = None
    code: str | None = None
    message: str = "A fault that was asked for."
    retry_after_s: int | None = None
    html: bool = False
    operation_delay_s: float = 0.0
    operation_error: JSON | None = None

    def reply(self) -> Reply | None:
        """The answer that takes the place of the real one, if the rule has one."""
        if self.status is None:
            return None
        headers = {"x-ms-failure-cause": "service"}
        if self.retry_after_s is not None:
            headers["Retry-After"] = str(self.retry_after_s)
        if self.html:
            page = NGINX_PAGE.format(f"{self.status} {REASONS.get(self.status, 'Error')}")
            return Reply(self.status, page.encode(), {**headers, "Content-Type": "text/html"})
        code = self.code or REASONS.get(self.status, str(self.status)).replace(" ", "")
        body = {"error": {"code": code, "message": self.message}}
        return Reply(self.status, body, headers)

    def spoil(self, operation: Operation) -> float:
        """Make the operation fail if the rule says so; returns how much longer it takes."""
        if self.operation_error is not None:
            operation.fail_with = {
                "code": self.operation_error.get("code", "InternalServerError"),
                "message": self.operation_error.get("message", self.message),
            }
        return self.operation_delay_s


class Faults(Rules[Fault]):
    """All rules of an emulated Azure."""

    def __init__(self, rules: Iterable[Fault | Mapping[str, Any]] = (), seed: int = 0) -> None:
        super().__init__(Fault, rules, seed)


def load_faults(path: Path) -> list[Fault]:
    """Rules from a YAML or JSON file: a list, or a mapping with the list under `faults`."""
    return [Fault.of(rule) for rule in read_faults(path).get("faults") or ()]
