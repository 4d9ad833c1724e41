"""What ``host.json`` says, with the defaults of the Functions host.

https://learn.microsoft.com/azure/azure-functions/functions-host-json
https://learn.microsoft.com/azure/azure-functions/functions-bindings-storage-queue#hostjson-settings
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from reconciler.local.host.schedule import INTERVAL
from reconciler.local.host.worker import NotHosted


@dataclass(frozen=True)
class QueueOptions:
    """``extensions.queues``."""

    batch_size: int = 16
    new_batch_threshold: int = 8
    max_dequeue_count: int = 5
    visibility_timeout_s: float = 0.0
    """How long a message waits that a function failed on."""
    max_polling_s: float = 60.0


@dataclass(frozen=True)
class HostOptions:
    """The parts of ``host.json`` that a local host heeds."""

    queues: QueueOptions = QueueOptions()
    route_prefix: str = "api"
    timeout_s: float | None = 1800.0
    """``functionTimeout``; None: a function may run for ever."""

    @classmethod
    def read(cls, project: Path) -> "HostOptions":
        """Raises NotHosted for a host.json that is not there or cannot be meant."""
        try:
            given = json.loads((project / "host.json").read_text())
            return cls(
                queues=_queues(_inside(given, "extensions", "queues")),
                route_prefix=_inside(given, "extensions", "http").get("routePrefix", "api"),
                timeout_s=_timeout(given.get("functionTimeout", "00:30:00")),
            )
        except (OSError, ValueError, TypeError) as error:
            raise NotHosted(f"host.json cannot be used: {error}") from error


def _inside(given: Mapping[str, Any], *names: str) -> Mapping[str, Any]:
    for name in names:
        given = given.get(name, {})
    return given


def _queues(given: Mapping[str, Any]) -> QueueOptions:
    batch = int(given.get("batchSize", QueueOptions.batch_size))
    encoding = given.get("messageEncoding", "base64")
    if encoding not in ("base64", "none") or not 1 <= batch <= 32:
        raise ValueError("batchSize is 1 to 32, messageEncoding base64 or none")
    return QueueOptions(
        batch_size=batch,
        new_batch_threshold=int(given.get("newBatchThreshold", batch // 2)),
        max_dequeue_count=int(given.get("maxDequeueCount", QueueOptions.max_dequeue_count)),
        visibility_timeout_s=seconds(given.get("visibilityTimeout", "00:00:00")),
        max_polling_s=seconds(given.get("maxPollingInterval", "00:01:00")),
    )


def _timeout(text: str) -> float | None:
    return None if text == "-1" else seconds(text)


def seconds(text: str) -> float:
    """``[d.]hh:mm:ss`` in seconds. Raises ValueError."""
    found = INTERVAL.fullmatch(text)
    if found is None:
        raise ValueError(f'"{text}" is not hh:mm:ss')
    days, hours, minutes, rest = (int(one or 0) for one in found.groups())
    return ((days * 24 + hours) * 60 + minutes) * 60.0 + rest
