"""Recorded traffic of Azure, where ``RECONCILER_CONTRACTS`` says it is."""

import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

FOLDER = os.environ.get("RECONCILER_CONTRACTS", "")
needs_recordings = pytest.mark.skipif(
    not FOLDER, reason="RECONCILER_CONTRACTS is not set: recorded traffic of Azure is NOT checked"
)


def exchanges(scenario: str = "*") -> Iterator[tuple[str, dict[str, Any]]]:
    """Every exchange with its scenario's name, in order."""
    for file in sorted(Path(FOLDER, "recordings").glob(f"{scenario}.jsonl")):
        for line in file.read_text(encoding="utf-8").splitlines():
            yield file.stem, json.loads(line)


def content(exchange: dict[str, Any]) -> bytes:
    """The body of an answer as it came over the wire."""
    body = exchange["response"]
    if isinstance(body, dict) and "_nonjson" in body:
        return str(body["_nonjson"]).encode()
    return b"" if body is None else json.dumps(body).encode()
