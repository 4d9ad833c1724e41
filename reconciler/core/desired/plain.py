"""What an unquoted scalar means.

Only what YAML 1.1 and YAML 1.2 read alike is accepted; where the two differ (``on``, ``010``,
``1_000``, ``2025-04-14``) an author cannot know what a program will see, so quotes are asked for.
https://yaml.org/spec/1.2.2/#103-core-schema, https://yaml.org/type/
"""

import re
from dataclasses import dataclass
from math import isfinite

from reconciler.core.model import Json

LARGEST_INTEGER = 2**63 - 1


@dataclass(frozen=True, slots=True)
class Surprise:
    """An unquoted scalar that is refused, and why."""

    message: str


_WORDS: dict[str, Json] = {
    "": None,
    "~": None,
    "null": None,
    "Null": None,
    "NULL": None,
    "true": True,
    "True": True,
    "TRUE": True,
    "false": False,
    "False": False,
    "FALSE": False,
}
_SWITCHES = frozenset({"yes", "no", "on", "off"})
_FIRST = frozenset("+-.0123456789~=<")
_INTEGER = re.compile(r"[-+]?(0|[1-9][0-9]*)")
_FLOAT = re.compile(r"[-+]?(0|[1-9][0-9]*)?\.[0-9]*")
_REFUSED = (
    (re.compile(r"[0-9]{4}-[0-9]{1,2}-[0-9]{1,2}([Tt ].*)?"), "looks like a date"),
    (re.compile(r"[-+]?[0-9][0-9_]*(:[0-5]?[0-9])+(\.[0-9_]*)?"), "looks like a time of day"),
    (re.compile(r"[-+]?0(x[0-9a-fA-F_]+|o[0-7_]+|b[01_]+)"), "is not a decimal number"),
    (re.compile(r"[-+]?0[0-9_]+(\.[0-9_]*)?"), "is a number that starts with 0"),
    (re.compile(r"[-+]?[0-9][0-9_]*(\.[0-9_]*)?"), "is a number with underscores"),
    (re.compile(r"[-+]?([0-9]+\.?[0-9]*|\.[0-9]+)[eE][-+]?[0-9]+"), "is a number with an exponent"),
    (re.compile(r"[-+]?\.(inf|Inf|INF|nan|NaN|NAN)"), "is a number that JSON cannot hold"),
)


def plain(text: str) -> Json:
    """The value of an unquoted scalar, or a ``Surprise``."""
    if text in _WORDS:
        return _WORDS[text]
    if text.lower() in _SWITCHES:
        return Surprise(
            f"{text} is a boolean to some YAML readers: write true or false, or quote it"
        )
    if text[0] not in _FIRST:
        return text
    if text == "<<":
        return Surprise("merge keys (<<) are not accepted: use patches or values of an environment")
    return _number(text)


def _number(text: str) -> Json:
    if _INTEGER.fullmatch(text):
        # int() of a very long text is slow, and refuses past 4300 digits.
        value = int(text) if len(text) <= 20 else LARGEST_INTEGER + 1
        return value if abs(value) <= LARGEST_INTEGER else Surprise(_quote("is too large", text))
    if len(text) > 1 and _FLOAT.fullmatch(text) and text not in ("+.", "-."):
        real = float(text)
        return real if isfinite(real) else Surprise(_quote("is too large", text))
    for pattern, why in _REFUSED:
        if pattern.fullmatch(text):
            return Surprise(_quote(why, text))
    return text


def _quote(why: str, text: str) -> str:
    short = text if len(text) <= 40 else text[:37] + "…"
    return f'{short} {why}: quote it ("{short}")'
