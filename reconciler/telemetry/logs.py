"""Logs: one JSON object or one line of text for each, with what was being worked on."""

import json
import logging
import sys
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any, Final, Literal

from reconciler.core.errors import Permanent
from reconciler.telemetry.context import FIELDS, fields
from reconciler.telemetry.redact import redactor, secrets_of

type Shape = Literal["json", "text"]

LEVELS: Final = ("debug", "info", "warning", "error")
OURS: Final = "reconciler"


class Redact(logging.Filter):
    """Lets every record pass, without secrets in its words, its traceback or its stack."""

    def __init__(self, redact: Callable[[str], str]) -> None:
        super().__init__()
        self._redact = redact
        self._plain = logging.Formatter()

    def filter(self, record: logging.LogRecord) -> bool:
        try:
            message = record.getMessage()
        except (TypeError, ValueError, KeyError):  # arguments that do not fit the words
            message = f"{record.msg} {record.args}"
        record.msg, record.args = self._redact(message), ()
        if record.exc_info and record.exc_info[0]:
            record.exc_text = self._plain.formatException(record.exc_info)
        record.exc_info = None
        if record.exc_text:
            record.exc_text = self._redact(record.exc_text)
        if record.stack_info:
            record.stack_info = self._redact(record.stack_info)
        return True


class JsonLines(logging.Formatter):
    """``{"time", "level", "logger", "message"}``, and ``run``, ``environment``, ``commit``,
    ``step``, ``error`` where there are any. Time is UTC, ISO 8601."""

    def format(self, record: logging.LogRecord) -> str:
        line: dict[str, Any] = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": record.getMessage(),
            **_worked_on(),
        }
        if record.exc_text or record.exc_info:
            line["error"] = record.exc_text or self.formatException(record.exc_info or _NOBODY)
        return json.dumps(line, ensure_ascii=False)


class TextLines(logging.Formatter):
    """``12:30:45 warning message (run=… step=…)``: for people."""

    def format(self, record: logging.LogRecord) -> str:
        time = datetime.fromtimestamp(record.created, UTC).strftime("%H:%M:%S")
        about = " ".join(f"{name}={value}" for name, value in _worked_on().items())
        line = f"{time} {record.levelname.lower()} {record.getMessage()}"
        line = f"{line} ({about})" if about else line
        return f"{line}\n{record.exc_text}" if record.exc_text else line


_NOBODY: Final = (None, None, None)


def _worked_on() -> Mapping[str, str]:
    known = fields()
    return {name: known[name] for name in FIELDS if name in known}


def start_logs(
    environment: Mapping[str, str], shape: Shape = "json", level: str = "info"
) -> logging.Handler:
    """Write logs as ``RECONCILER_LOG`` and ``RECONCILER_LOG_LEVEL`` say; the arguments are for
    when they say nothing. Raises Permanent for values that cannot be meant.

    Where the host of the process listens already (the Functions worker does), its handlers are
    given our words; else they go to stderr. Safe to repeat. Returns our handler, or the host's.
    """
    shape, level = log_shape(environment, shape), log_level(environment, level)
    formatter = JsonLines() if shape == "json" else TextLines()
    filtering = Redact(redactor(secrets_of(environment)))
    root = logging.getLogger()
    if not root.handlers:
        root.addHandler(logging.StreamHandler(sys.stderr))
    for handler in root.handlers:
        for earlier in [one for one in handler.filters if isinstance(one, Redact)]:
            handler.removeFilter(earlier)
        handler.addFilter(filtering)
        handler.setFormatter(formatter)
    logging.getLogger(OURS).setLevel(level.upper())
    return root.handlers[0]


def log_shape(environment: Mapping[str, str], default: Shape) -> Shape:
    """``RECONCILER_LOG``. Raises Permanent."""
    text = environment.get("RECONCILER_LOG", "").strip().lower() or default
    if text not in ("json", "text"):
        raise Permanent(f"RECONCILER_LOG is {text[:40]!a}: it has to be json or text")
    return "json" if text == "json" else "text"


def log_level(environment: Mapping[str, str], default: str) -> str:
    """``RECONCILER_LOG_LEVEL``. Raises Permanent."""
    text = environment.get("RECONCILER_LOG_LEVEL", "").strip().lower() or default
    if text not in LEVELS:
        known = ", ".join(LEVELS)
        raise Permanent(f"RECONCILER_LOG_LEVEL is {text[:40]!a}: it has to be one of {known}")
    return text
