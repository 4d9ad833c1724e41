"""What passed over the wire: lines of the log, and exchanges for whoever watches."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any


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
