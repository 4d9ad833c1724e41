"""Answers, and what goes wrong as problem details (https://www.rfc-editor.org/rfc/rfc9457)."""

import json
import logging
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from reconciler.core.errors import (
    Permanent,
    ReconcilerError,
    Refused,
    SpecErrors,
    Transient,
)
from reconciler.core.forge import Untrusted
from reconciler.service.asked import (
    Ended,
    UnknownCommit,
    UnknownEnvironment,
    UnknownForge,
    UnknownRun,
)

log = logging.getLogger(__name__)

RETRY_AFTER_S: Final = 15
"""What a caller is told to wait when nobody knows how long the trouble lasts."""
RETRY_AFTER_REFUSAL_S: Final = 300
"""The same when somebody has to mend something first."""
SHOWN_ERRORS: Final = 100
"""Spec errors in one answer."""


@dataclass(frozen=True)
class Answer:
    """A status, a JSON body (None: there is none), and headers besides ``Content-Type``."""

    status: int
    body: Mapping[str, Any] | None
    headers: Mapping[str, str] = field(default_factory=dict)

    @property
    def content_type(self) -> str:
        return "application/problem+json" if self.status >= 400 else "application/json"

    @property
    def text(self) -> str:
        return "" if self.body is None else json.dumps(self.body, ensure_ascii=False)


class BadRequest(ReconcilerError):
    """What was sent cannot be understood; ``status`` says how."""

    def __init__(self, message: str, status: int = 400) -> None:
        super().__init__(message)
        self.status = status


@dataclass(frozen=True)
class Problem:
    """One kind of problem: its ``type`` is a reference that programs can tell apart."""

    type: str
    title: str
    status: int


BAD_REQUEST: Final = Problem("bad-request", "The request cannot be understood", 400)
UNTRUSTED: Final = Problem("untrusted", "Nobody can tell who sent this", 401)
TOO_LARGE: Final = Problem("too-large", "The request is too large", 413)
UNEXPECTED: Final = Problem("unexpected", "Something unexpected went wrong", 500)
PROBLEMS: Final[tuple[tuple[type[ReconcilerError], Problem], ...]] = (
    (UnknownEnvironment, Problem("unknown-environment", "There is no such environment", 404)),
    (UnknownCommit, Problem("unknown-commit", "There is no such commit", 404)),
    (UnknownRun, Problem("unknown-run", "There is no such run", 404)),
    (UnknownForge, Problem("unknown-forge", "There is no such forge", 404)),
    (Ended, Problem("run-ended", "The run has ended", 409)),
    (Refused, Problem("refused", "A safety rule says no", 409)),
    (SpecErrors, Problem("invalid-specs", "The specs cannot be used", 422)),
    (Transient, Problem("unavailable", "This does not work just now", 503)),
    (Permanent, Problem("unavailable", "Somebody has to mend something first", 503)),
)
"""The first that fits."""


def problem(error: Exception) -> Answer:
    """What is told of an error. Of an unexpected one only that it happened: the rest is logged."""
    if isinstance(error, BadRequest):
        return _answer(TOO_LARGE if error.status == 413 else BAD_REQUEST, str(error))
    if isinstance(error, Untrusted):
        log.warning("a webhook was refused: %s", error)
        return _answer(TOO_LARGE if error.status == 413 else UNTRUSTED, str(error))
    for kind, found in PROBLEMS:
        if isinstance(error, kind):
            return _answer(found, *_told(error), headers=_wait(error))
    log.error("an unexpected error was answered with 500", exc_info=error)
    return _answer(UNEXPECTED, "The log of the app says more.")


def _answer(
    found: Problem,
    detail: str,
    more: Mapping[str, Any] | None = None,
    headers: Mapping[str, str] | None = None,
) -> Answer:
    body = {"type": f"urn:reconciler:{found.type}", "title": found.title, "status": found.status}
    return Answer(found.status, {**body, "detail": detail, **(more or {})}, headers or {})


def _told(error: ReconcilerError) -> tuple[str, Mapping[str, Any]]:
    if not isinstance(error, SpecErrors):
        return str(error), {}
    shown = [{"source": one.source, "message": one.message} for one in error.errors]
    return f"{len(shown)} errors", {"errors": shown[:SHOWN_ERRORS]}


def _wait(error: ReconcilerError) -> Mapping[str, str]:
    if isinstance(error, Transient):
        pause = RETRY_AFTER_S if error.retry_after_s is None else error.retry_after_s
        return {"Retry-After": str(max(1, round(pause)))}
    if isinstance(error, Permanent):
        return {"Retry-After": str(RETRY_AFTER_REFUSAL_S)}
    return {}
