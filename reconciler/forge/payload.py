"""Reading what somebody else sent: whatever its shape, what is wanted or nothing."""

import re
from collections.abc import Mapping
from typing import Any, Final

COMMIT: Final = re.compile(r"[0-9a-f]{40}([0-9a-f]{24})?")
LONGEST_NAME: Final = 400
LARGEST: Final = (1 << 63) - 1

type Payload = Mapping[str, Any]


def at_path(payload: Any, *path: str) -> Any:
    """What stands at a path; None: nothing."""
    for name in path:
        payload = payload.get(name) if isinstance(payload, dict) else None
    return payload


def text_at(payload: Payload, *path: str, most: int = LONGEST_NAME) -> str:
    """A text of at most so many characters; "": there is none, or a longer one."""
    found = at_path(payload, *path)
    return found if isinstance(found, str) and len(found) <= most else ""


def number_at(payload: Payload, *path: str, most: int = LARGEST) -> int:
    """A number above zero; 0: there is none, or a larger one."""
    found = at_path(payload, *path)
    return found if type(found) is int and 0 < found <= most else 0


def commit_at(payload: Payload, *path: str) -> str:
    """The whole id of a commit; "": there is none."""
    found = text_at(payload, *path)
    return found if COMMIT.fullmatch(found) else ""
