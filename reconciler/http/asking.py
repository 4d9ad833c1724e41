"""Reading what a caller sent: everything is checked before anything is asked of anybody."""

import json
import re
from collections.abc import Mapping
from typing import Any, Final

from reconciler.core.model import Mode
from reconciler.http.answer import BadRequest
from reconciler.service.asked import Asked

MAX_BODY_BYTES: Final = 64 << 10
MAX_LIMIT: Final = 500
MODES: Final[tuple[Mode, ...]] = ("plan", "apply")
FIELDS: Final = ("environment", "mode", "ref", "only", "allow")
ENVIRONMENT: Final = re.compile(r"[A-Za-z0-9]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?")
COMMIT: Final = re.compile(r"[0-9a-f]{7,64}")
PATTERN: Final = re.compile(r"[\w.*?\[\]()-]+(/[\w.*?\[\]()-]+)+")
MAX_PATTERNS: Final = 100
DIGEST: Final = re.compile(r"[0-9a-f]{8,64}")


def read_asked(body: bytes, by: str) -> Asked:
    """The request in a JSON body. Raises BadRequest with a sentence that says what is wrong."""
    given = _object(body)
    unknown = sorted(set(given) - set(FIELDS))
    if unknown:
        raise BadRequest(f'unknown field "{unknown[0][:60]}": there are {", ".join(FIELDS)}')
    mode = given.get("mode")
    if mode not in MODES:
        raise BadRequest('mode has to be "plan" or "apply"')
    return Asked(
        environment=_text(given, "environment", ENVIRONMENT, "the name of an environment"),
        mode=mode,
        ref=_text(given, "ref", COMMIT, "the id of a commit, in hexadecimal", optional=True),
        only=_patterns(given.get("only")),
        allow=_text(given, "allow", DIGEST, "the digest of a plan", optional=True),
        by=by,
    )


def _object(body: bytes) -> Mapping[str, Any]:
    if len(body) > MAX_BODY_BYTES:
        raise BadRequest(f"the body is larger than {MAX_BODY_BYTES >> 10} KiB", status=413)
    try:
        given = json.loads(body)
    except (ValueError, RecursionError) as error:
        raise BadRequest("the body is not JSON") from error
    if not isinstance(given, dict):
        raise BadRequest('the body has to be a JSON object: {"environment": …, "mode": "plan"}')
    return given


def _text(
    given: Mapping[str, Any],
    name: str,
    pattern: re.Pattern[str],
    meaning: str,
    *,
    optional: bool = False,
) -> str:
    value = given.get(name)
    if value is None and optional:
        return ""
    if not isinstance(value, str) or not pattern.fullmatch(value):
        raise BadRequest(f"{name} has to be {meaning}")
    return value


def _patterns(value: Any) -> tuple[str, ...]:
    if value is None:
        return ()
    listed = [value] if isinstance(value, str) else value
    if (
        not isinstance(listed, list)
        or not 0 < len(listed) <= MAX_PATTERNS
        or not all(isinstance(one, str) and PATTERN.fullmatch(one) for one in listed)
    ):
        raise BadRequest('only has to be a list of patterns such as "ModelDeployment/*/chat"')
    return tuple(listed)


def read_limit(text: str) -> int:
    """How many runs to list. Raises BadRequest."""
    if not text:
        return 50
    if not (text.isascii() and text.isdigit()) or not 1 <= int(text[:9]) <= MAX_LIMIT:
        raise BadRequest(f"limit has to be a number from 1 to {MAX_LIMIT}")
    return int(text)


def read_environment(text: str) -> str:
    """The name of an environment, or "" for all of them. Raises BadRequest."""
    if text and not ENVIRONMENT.fullmatch(text):
        raise BadRequest("environment has to be the name of an environment")
    return text
