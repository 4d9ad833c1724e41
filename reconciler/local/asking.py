"""JSON to and from the servers of this machine."""

import json
import urllib.request
from collections.abc import Mapping
from typing import Any, Final

PATIENCE_S: Final = 30


def ask(
    url: str,
    body: Any = None,
    *,
    method: str | None = None,
    headers: Mapping[str, str] | None = None,
) -> Any:
    """What a server answers; None for nothing. Raises urllib.error.HTTPError for a refusal."""
    data = None if body is None else json.dumps(body).encode()
    given = {"Content-Type": "application/json", **(headers or {})}
    request = urllib.request.Request(url, data, given, method=method)  # noqa: S310 - loopback
    with urllib.request.urlopen(request, timeout=PATIENCE_S) as answer:  # noqa: S310 - as above
        return json.loads(answer.read() or b"null")
