"""What we write and keep up to date: found again by a hidden marker and by who wrote it."""

import asyncio
import re
from collections.abc import Mapping
from typing import Any, Final
from weakref import WeakValueDictionary

MARKER: Final = re.compile(r"[A-Za-z0-9-]{1,80}")
LIMIT: Final = 65_536
"""Characters that GitHub takes in a comment or an issue, the marker included. Its message says so
("Body is too long (maximum is 65536 characters)"); the documentation does not."""
TEXT_LIMIT: Final = LIMIT - 136


def marked(marker: str, text: str) -> str:
    """The body of a comment or an issue. A marker that stands further down is nobody's."""
    if len(text) > TEXT_LIMIT:
        raise ValueError(f"{len(text)} characters are too many: it can be {TEXT_LIMIT}")
    return f"{_line(marker)}\n{text}"


def is_marked(item: Mapping[str, Any], marker: str, login: str) -> bool:
    """Whether we wrote it, for this marker."""
    author = (item.get("user") or {}).get("login", "")
    body = item.get("body") or ""
    return bool(author.lower() == login.lower()) and body.startswith(_line(marker))


def same(one: str | None, other: str | None) -> bool:
    """Whether two bodies are the same, but for what a forge does to line ends."""
    return _plain(one) == _plain(other)


def _plain(text: str | None) -> str:
    return (text or "").replace("\r\n", "\n").rstrip()


def _line(marker: str) -> str:
    if not MARKER.fullmatch(marker):
        raise ValueError("a marker is made of letters, digits and hyphens")
    return f"<!-- reconciler:{marker} -->"


class Turns:
    """One at a time for each name."""

    def __init__(self) -> None:
        self._locks: WeakValueDictionary[object, asyncio.Lock] = WeakValueDictionary()

    def of(self, name: object) -> asyncio.Lock:
        """The name's lock; it lasts as long as somebody holds it."""
        lock = self._locks.get(name)
        if lock is None:
            lock = self._locks[name] = asyncio.Lock()
        return lock
