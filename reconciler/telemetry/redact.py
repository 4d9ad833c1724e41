"""Takes secrets out of text that is about to leave.

This is the second line of defence: whoever writes a message already keeps secrets out of it. It
shares nothing with the first line, so that one mistake does not open both.
"""

import json
import re
from collections.abc import Callable, Collection, Mapping
from typing import Final

SHORTEST: Final = 6
"""Shorter values are not looked for: they would blot out ordinary words."""
HIDDEN: Final = "(secret)"

SECRET_NAME: Final = re.compile(
    r"SECRET|PASSWORD|TOKEN$|PRIVATE_KEY|CONNECTION|IDENTITY_HEADER|AzureWebJobsStorage", re.I
)
"""Environment variables whose values are hidden, wherever they turn up."""

_PATTERNS: Final = (
    # A link with a query: shared access signatures and status links of Azure are in it.
    (re.compile(r"(\b[a-z][a-z0-9+.-]{1,20}://[^\s?#\"'<>]*)[?#][^\s\"'<>]+", re.I), r"\1?…"),
    # user:password@host
    (re.compile(r"(\b[a-z][a-z0-9+.-]{1,20}://)[^\s/@\"'<>]+@", re.I), r"\1"),
    (re.compile(r"\b(Bearer|Basic)\s+[A-Za-z0-9._~+/=-]{8,}", re.I), rf"\1 {HIDDEN}"),
    (re.compile(r"\beyJ[A-Za-z0-9_-]{8,}(?:\.[A-Za-z0-9_-]*){1,4}"), HIDDEN),
    (re.compile(r"\b(?:gh[pousr]_|github_pat_)[A-Za-z0-9_]{16,}"), HIDDEN),
    (
        re.compile(r"-----BEGIN [A-Z ]*PRIVATE KEY-----.*?(?:-----END [A-Z ]*-----|\Z)", re.S),
        HIDDEN,
    ),
    (
        re.compile(
            r"\b(sig|accountkey|sharedaccess(?:key|signature)|password|pwd|passwd|client_?secret"
            r"|client_assertion|access_token|refresh_token|api[_-]?key|instrumentationkey)"
            r"(\\?[\"']?\s*[=:]\s*\\?[\"']?)[^\s;&,\"'}\\]+",
            re.I,
        ),
        rf"\1\2{HIDDEN}",
    ),
)


def secrets_of(environment: Mapping[str, str]) -> frozenset[str]:
    """The values of variables that hold secrets, judged by their names."""
    named = (value for name, value in environment.items() if SECRET_NAME.search(name))
    return frozenset(value for value in named if len(value) >= SHORTEST)


def redactor(hide: Collection[str] = ()) -> Callable[[str], str]:
    """A function that gives text back without these values and without what looks secret."""
    spellings = {text for value in hide for text in (value, json.dumps(value)[1:-1])}
    known = re.compile(
        "|".join(re.escape(one) for one in sorted(spellings, key=len, reverse=True)) or r"(?!)"
    )

    def redact(text: str) -> str:
        text = known.sub(HIDDEN, text)
        for pattern, shown in _PATTERNS:
            text = pattern.sub(shown, text)
        return text

    return redact
