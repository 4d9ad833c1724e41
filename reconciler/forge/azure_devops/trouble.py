"""What Azure DevOps' refusals mean, in sentences that hold no token."""

from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING, Final

from reconciler.core.errors import Permanent, Transient
from reconciler.core.render.words import clean
from reconciler.forge.trouble import LONGEST_SAYING, TOKENS, Trouble

if TYPE_CHECKING:
    from reconciler.forge.azure_devops.connection import Answer, Unanswered

QUIET_S: Final = 60.0
"""For how long to leave Azure DevOps in peace when it blocks requests and does not say."""
WAYS: Final = {
    401: ". Check AZURE_DEVOPS_TOKEN (has it run out?), or that this identity is a member",
    403: ". Grant the token or the identity what it needs: see docs/azure-devops.md",
    404: ". It is gone, or the token or the identity may not see it",
}


def unanswered(error: "Unanswered", what: str) -> Trouble:
    """No answer: only what was never sent, or can be repeated, is sent again."""
    found = Transient(f"Azure DevOps did not answer ({what}: {error})")
    return Trouble(found, "repeatable" if error.sent else "any")


def refused(answer: "Answer", what: str, token: str, now: datetime) -> Trouble:
    """What an answer that is none means for the request ``what``."""
    said = _said(answer, token)
    if answer.status == 429:
        # "The request has been canceled": nothing was carried out.
        # https://learn.microsoft.com/azure/devops/integrate/concepts/rate-limits
        wait_s = quiet_s(answer, now) or QUIET_S
        sentence = f"Azure DevOps wants no requests for {wait_s:.0f} s: its limits are used up"
        return Trouble(Transient(sentence, retry_after_s=wait_s), "any", wait_s)
    if answer.status >= 500 or answer.status == 408:
        error = Transient(f"Azure DevOps is in trouble ({what}: {answer.status} {said})")
        return Trouble(error, "repeatable", quiet_s(answer, now))
    if answer.status in (203, 302):
        # A page for signing in stands in for the answer.
        sentence = f"Azure DevOps does not know who asks ({what}){WAYS[401]}"
        return Trouble(Permanent(sentence, status=401), "none")
    request_id = clean(answer.headers.get("x-vss-e2eid", ""))[:64]
    sentence = f"Azure DevOps refused ({what}: {answer.status} {said}){_way(answer.status)}"
    return Trouble(Permanent(sentence, status=answer.status, request_id=request_id), "none")


def quiet_s(answer: "Answer", now: datetime) -> float | None:
    """For how long Azure DevOps wants to be left in peace: it says so in good answers too."""
    asked = answer.headers.get("retry-after", "").strip()
    if not asked:
        return None
    try:
        return max(0.0, float(asked[:12])) if asked[0].isdecimal() else _until(asked, now)
    except (ValueError, TypeError, OverflowError):
        return None


def _until(date: str, now: datetime) -> float:
    moment = parsedate_to_datetime(date)
    return max(
        0.0, ((moment if moment.tzinfo else moment.replace(tzinfo=UTC)) - now).total_seconds()
    )


def _way(status: int) -> str:
    if 300 <= status < 400:
        return ". The organization has moved: set AZURE_DEVOPS_ORG_URL to where it is now"
    return WAYS.get(status, "")


def _said(answer: "Answer", token: str) -> str:
    """Azure DevOps' own words, short, on one line and without anything like a token."""
    body = answer.body if isinstance(answer.body, dict) else {}
    word = body.get("message")
    text = word if isinstance(word, str) else ""
    text = text.replace(token, "***") if token else text
    return clean(TOKENS.sub("***", text))[:LONGEST_SAYING] or "without a word"
