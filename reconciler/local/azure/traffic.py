"""What passed over the wire: lines of the log, and exchanges for whoever watches."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Request:
    """A request as it came in. `path` is decoded; header names are in lower case."""

    method: str
    path: str
    raw_query: str
    query: Mapping[str, str]
    headers: Mapping[str, str]
    content: bytes = b""


@dataclass(frozen=True, slots=True)
class Logged:
    """One line of the log; `at` is the emulator's clock, `status` 0 when none was answered."""

    method: str
    path: str
    api_version: str
    status: int
    principal: str
    at: float


@dataclass(frozen=True, slots=True)
class Exchange:
    """A management request and its answer, bodies decoded."""

    method: str
    path: str
    api_version: str
    request: Any
    status: int
    response: Any
    headers: Mapping[str, str]
