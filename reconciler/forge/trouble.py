"""What GitHub's refusals mean, in sentences that hold no token.

https://docs.github.com/en/rest/using-the-rest-api/troubleshooting-the-rest-api
"""

import re
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Final, Literal

from reconciler.core.errors import Permanent, ReconcilerError, Transient
from reconciler.core.render.words import clean

if TYPE_CHECKING:
    from reconciler.forge.connection import Answer, Unanswered

QUIET_S: Final = 60.0
"""For how long to leave GitHub in peace when it does not say:
https://docs.github.com/en/rest/using-the-rest-api/rate-limits-for-the-rest-api#exceeding-the-rate-limit"""
LONGEST_SAYING: Final = 300
TOKENS: Final = re.compile(
    r"gh[a-z]_\w+|github_pat_\w+|eyJ[\w-]+\.[\w-]+\.[\w-]*|v\d\.[0-9a-f]{40}"
)


@dataclass(frozen=True, slots=True)
class Trouble:
    """``again``: which requests may be sent again; ``wait_s``: not before (None: the usual)."""

    error: ReconcilerError
    again: Literal["any", "repeatable", "none"]
    wait_s: float | None = None


def unanswered(error: "Unanswered", what: str) -> Trouble:
    """No answer: only what was never sent, or can be repeated, is sent again."""
    found = Transient(f"GitHub did not answer ({what}: {error})")
    return Trouble(found, "repeatable" if error.sent else "any")


def refused(answer: "Answer", what: str, token: str, now: datetime) -> Trouble:
    """What an answer of 300 and above means for the request ``what``."""
    wait_s = _quiet_s(answer, now)
    if wait_s is not None:
        sentence = f"GitHub wants no requests for {wait_s:.0f} s: its rate limit is used up"
        return Trouble(Transient(sentence, retry_after_s=wait_s), "any", wait_s)
    said = _said(answer, token)
    if answer.status >= 500 or answer.status == 408:
        asked_s = _asked_s(answer)
        sentence = f"GitHub is in trouble ({what}: {answer.status} {said})"
        return Trouble(Transient(sentence, retry_after_s=asked_s), "repeatable", asked_s)
    request_id = clean(answer.headers.get("x-github-request-id", ""))[:64]
    sentence = f"GitHub refused ({what}: {answer.status} {said}){_way(answer)}"
    return Trouble(Permanent(sentence, status=answer.status, request_id=request_id), "none")


def _quiet_s(answer: "Answer", now: datetime) -> float | None:
    """For how long GitHub wants to be left in peace; None when it is about something else."""
    if answer.status not in (403, 429):
        return None
    asked_s = _asked_s(answer)
    if asked_s is not None:
        return asked_s
    if answer.headers.get("x-ratelimit-remaining") == "0":
        reset = answer.headers.get("x-ratelimit-reset", "")
        return max(1.0, int(reset[:12]) - now.timestamp()) if reset.isdecimal() else QUIET_S
    limited = answer.status == 429 or "rate limit" in _said(answer, "").lower()
    return QUIET_S if limited else None


def _asked_s(answer: "Answer") -> float | None:
    """What GitHub itself says is to be waited."""
    asked = answer.headers.get("retry-after", "")
    return max(1.0, float(asked[:9])) if asked.isdecimal() else None


def _said(answer: "Answer", token: str) -> str:
    """GitHub's own words, short, on one line and without anything like a token."""
    body = answer.body if isinstance(answer.body, dict) else {}
    words = [body.get("message"), *(_reasons(body.get("errors")))]
    text = "; ".join(word for word in words if isinstance(word, str))
    text = text.replace(token, "***") if token else text
    return clean(TOKENS.sub("***", text))[:LONGEST_SAYING] or "without a word"


def _reasons(errors: object) -> list[object]:
    found = errors[:5] if isinstance(errors, list) else []
    return [
        one.get("message") or one.get("code") if isinstance(one, dict) else one for one in found
    ]


def _way(answer: "Answer") -> str:
    if answer.status == 401:
        return ". Check GITHUB_TOKEN, or GITHUB_APP_ID and GITHUB_PRIVATE_KEY, and this clock"
    if answer.status == 403:
        needs = clean(answer.headers.get("x-accepted-github-permissions", ""))[:100]
        return f". Grant the App or the token what it needs{f' ({needs})' if needs else ''}"
    if answer.status == 404:
        return ". It is gone, or the App or the token may not see it"
    if answer.status < 400:
        return ". The repository has moved: set RECONCILER_REPO_URL to where it is now"
    return ""
