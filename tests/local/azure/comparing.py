"""How recorded answers are compared with the emulator's: what is volatile is left aside."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any
from urllib.parse import parse_qsl, urlsplit

_GUID = re.compile(r"[0-9a-f]{8}-([0-9a-f]{4}-){3}[0-9a-f]{12}", re.IGNORECASE)
_TIME = re.compile(r"^\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)?$")
_HEX = re.compile(r"^(?=.*\d)[0-9a-f]{16,}$")
_DATA_URLS = (
    (re.compile(r"https?://[^/]+/_data/keyvault/([^/]+)"), r"https://\1.vault.azure.net"),
    (
        re.compile(r"https?://[^/]+/_data/(?:online|batch)/([^/]+)/([^/]+)"),
        r"https://\2.\1.inference.ml.azure.com",
    ),
)
_REDACTED = re.compile(r"REDACTED|redacted-rg|Sanitized|^0000+$|TRIMMED")
_OPAQUE = re.compile(
    r"(?i)((?:operation\w*|asyncoperations|operationresults)/)[^/?]+", re.IGNORECASE
)
_HOST = re.compile(r"https?://[^/\"]+")
ABSENT = "(absent)"


def differing(recorded: Any, answered: Any, place: str = "") -> Iterator[tuple[str, Any, Any]]:
    """Where two bodies differ, what is volatile left aside."""
    if isinstance(recorded, dict) and isinstance(answered, dict):
        for name in sorted(set(recorded) | set(answered)):
            one, other = recorded.get(name, ABSENT), answered.get(name, ABSENT)
            # Who wrote, and in which region's service, is not the emulator's to know.
            both = ABSENT not in (one, other)
            if both and (place.endswith("/systemData") or "/additionalInfo/" in place):
                continue
            yield from differing(one, other, f"{place}/{name}")
    elif isinstance(recorded, list) and isinstance(answered, list):
        if len(recorded) != len(answered):
            yield f"{place}#", len(recorded), len(answered)
        for index, (one, other) in enumerate(zip(recorded, answered, strict=False)):
            yield from differing(one, other, f"{place}/{index}")
    elif normal(recorded) != normal(answered) and not _hidden(recorded):
        yield place, recorded, answered


def normal(value: Any) -> Any:
    """A leaf without what changes from run to run."""
    if isinstance(value, int) and value > 1_000_000_000:
        return "<seconds>"
    if not isinstance(value, str):
        return value
    for ours, theirs in _DATA_URLS:
        value = ours.sub(theirs, value)
    if _TIME.match(value):
        return "<time>"
    value = _OPAQUE.sub(r"\1<operation>", _HOST.sub("<host>", value))
    value = _GUID.sub("<guid>", value)
    return "<hex>" if _HEX.match(value) else value


def _hidden(recorded: Any) -> bool:
    return isinstance(recorded, str) and bool(_REDACTED.search(recorded))


def style(name: str, value: str | None) -> str | None:
    """A header's presence, or the shape of its URL."""
    if value is None:
        return None
    if name == "retry-after":
        return "(seconds)"
    if not value.startswith(("http", "/")):
        return value
    split = urlsplit(value)
    names = sorted(k for k, _ in parse_qsl(split.query) if k not in ("t", "c", "s", "h"))
    host = "<host>" if split.netloc else ""
    return host + normal(split.path).lower() + "?" + "&".join(names)
