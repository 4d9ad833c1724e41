"""One answer of Azure, and what it says when it is a refusal.

Errors come as ``{"error": {code, message, details, additionalInfo}}``, without the wrapper, with
the useful code buried (Machine Learning), as a page of HTML, as plain text, or as nothing.
https://github.com/Azure/azure-resource-manager-rpc/blob/master/v1.0/common-api-details.md
"""

import json
import re
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from email.utils import parsedate_to_datetime
from typing import Any, Final, Self

from reconciler.core.body import member
from reconciler.core.model import Json

LONGEST_MESSAGE: Final = 600
LONGEST_WAIT_S: Final = 86_400.0
SHORTEST_SECRET: Final = 4
"""Shorter values are not hidden: they would blot out ordinary words."""

GENERIC: Final = frozenset(
    {"", "usererror", "badrequest", "badargument", "conflict", "notfound", "systemerror", "429"}
    | {"internalservererror", "retryableerror", "validationerror", "invalidrequest"}
)
"""Codes that say less than the ones inside them."""

SIGNED: Final = re.compile(r"(https?://[^\s?#'\"<>]+)[?#][^\s'\"<>]*")
TOKEN: Final = re.compile(
    r"(?:Bearer\s+)?\beyJ[\w-]{8,}\.[\w-]+\.?[\w-]*|Bearer\s+[\w.~+/=-]{8,}", re.I
)
PASSWORD: Final = re.compile(
    r"\b(sig|signature|accountkey|sharedaccesskey|password|client_secret|api-?key)"
    r"(['\"]?\s*[=:]\s*['\"]?)[^\s;&,'\"}]+",
    re.IGNORECASE,
)
TITLE: Final = re.compile(r"<title[^>]*>([^<]{1,200})</title>", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Answer:
    """Status, headers (by any letter case) and body: parsed JSON, else text, else None."""

    status: int
    headers: Mapping[str, str]
    body: Json

    @classmethod
    def of(cls, status: int, headers: Mapping[str, str], content: bytes) -> Self:
        return cls(status, headers, parsed(content))

    @property
    def request_id(self) -> str:
        found = self.headers.get("x-ms-request-id") or self.headers.get(
            "x-ms-correlation-request-id"
        )
        return found or ""

    def retry_after_s(self, now: datetime) -> float | None:
        """``Retry-After`` as seconds from now; None when it is absent or unreadable."""
        return retry_after_s(self.headers.get("Retry-After"), now)


@dataclass(frozen=True, slots=True)
class Said:
    """What an error body comes down to. ``message`` is safe to show."""

    code: str
    message: str
    codes: tuple[str, ...] = ()
    """Every code in it, outermost first."""

    def names(self, *codes: str) -> bool:
        mine = {code.lower() for code in self.codes}
        return any(code.lower() in mine for code in codes)


def parsed(content: bytes) -> Json:
    if not content.strip():
        return None
    try:
        return json.loads(content)
    except ValueError:
        return content[:20_000].decode("utf-8", "replace")


def retry_after_s(text: str | None, now: datetime) -> float | None:
    """Seconds or an HTTP date; None for anything else. Never negative, never more than a day."""
    if not text:
        return None
    try:
        wait = float(text) if text.strip().isdecimal() else _until(text, now)
    except ValueError:
        return None
    return min(max(0.0, wait), LONGEST_WAIT_S)


def _until(text: str, now: datetime) -> float:
    moment = parsedate_to_datetime(text)
    return (moment.astimezone(now.tzinfo) - now).total_seconds()


def said(body: Json, hide: Collection[str] = ()) -> Said:
    """The code and the message of an error body. ``hide``: values that must not be repeated."""
    if isinstance(body, str) and body.lstrip()[:1] == "<":
        title = TITLE.search(body)
        return Said("", f"a web page ({title[1].strip()})" if title else "a web page")
    if not isinstance(body, Mapping):
        return Said("", shown(body, hide) if isinstance(body, str) else "")
    error = _unwrapped(body)
    codes = tuple(dict.fromkeys(_codes(error)))
    best = next((code for code in codes if code.lower() not in GENERIC), codes[0] if codes else "")
    return Said(shown(best, hide), shown(_message(error), hide), codes)


def _unwrapped(body: Mapping[str, Any]) -> Mapping[str, Any]:
    error = member(body, "error", None)
    if isinstance(error, Mapping):
        return error
    if isinstance(error, str):  # OAuth: {"error": "invalid_grant", "error_description": "…"}
        return {"code": error, "message": str(body.get("error_description") or "")}
    return body


def _message(error: Mapping[str, Any]) -> str:
    own = member(error, "message", "")
    texts = [own] if isinstance(own, str) and own else []
    for detail in _list(member(error, "details", None)):
        text = member(detail, "message", "")
        if isinstance(text, str) and text and text not in texts:
            texts.append(text)
    return " ".join(texts)


def _codes(error: Json, depth: int = 0) -> Iterator[str]:
    """Codes of an error, of its details, and of the inner errors Machine Learning hides."""
    if not isinstance(error, Mapping) or depth > 8:
        return
    code = member(error, "code", None)
    if isinstance(code, str | int):
        yield str(code)
    for inner in ("innerError", "value"):
        yield from _codes(member(error, inner, None), depth + 1)
    for detail in _list(member(error, "details", None)):
        yield from _codes(detail, depth + 1)
    for more in _list(member(error, "additionalInfo", None)):
        if str(member(more, "type", "")).lower() == "innererror":
            yield from _codes(member(more, "info", None), depth + 1)


def _list(value: Json) -> list[Any]:
    return value if isinstance(value, list) else []


def shown(text: str, hide: Collection[str] = ()) -> str:
    """Text from Azure, fit for people: one line, no secrets, no signed links, not too long."""
    for value in sorted(hide, key=len, reverse=True):
        if len(value) >= SHORTEST_SECRET:
            for spelling in (value, json.dumps(value)[1:-1]):
                text = text.replace(spelling, "(secret)")
    text = SIGNED.sub(r"\1", text)
    text = TOKEN.sub("(token)", text)
    text = PASSWORD.sub(r"\1\2(secret)", text)
    if not text.isprintable():
        text = "".join(c if c.isprintable() else " " for c in text)
    text = " ".join(text.split())
    return text if len(text) <= LONGEST_MESSAGE else text[: LONGEST_MESSAGE - 1] + "…"
