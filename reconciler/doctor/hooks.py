"""What is wrong with a webhook of GitHub, from what GitHub says of it: pure.

https://docs.github.com/en/rest/repos/webhooks, https://docs.github.com/en/rest/apps/webhooks
"""

from collections.abc import Iterable, Mapping
from typing import Any, Final
from urllib.parse import urlsplit

from reconciler.settings import LOOPBACK

PATH: Final = "/api/webhooks/github"
EVENTS: Final = frozenset({"check_run", "check_suite", "issue_comment", "pull_request", "push"})
"""``check_*``: somebody asks for another look, which only Apps are told:
https://docs.github.com/en/webhooks/webhook-events-and-payloads#check_run"""
APP_ONLY: Final = frozenset({"check_run", "check_suite"})

type Json = Mapping[str, Any]


def points_here(config: Json, public_url: str) -> bool:
    """Whether it leads to this app; where the app's own address is not known, to one like it."""
    url = str(config.get("url") or "")
    if public_url:
        return url.rstrip("/").lower() == f"{public_url}{PATH}".lower()
    return url.rstrip("/").endswith(PATH)


def broken(config: Json, public_url: str) -> list[str]:
    """Why its deliveries do not come, or are refused."""
    found = []
    if not points_here(config, public_url):
        shown = place_of(str(config.get("url") or "")) or "nowhere"
        found.append(f"It leads to {shown}: set its URL to {public_url or 'https://…'}{PATH}.")
    if config.get("content_type") != "json":
        found.append("Set its content type to application/json: forms are passed over.")
    if not config.get("secret"):
        found.append("Give it the secret that GITHUB_WEBHOOK_SECRET holds: it has none.")
    return found


def careless(config: Json) -> list[str]:
    """What works and should not be so."""
    url = urlsplit(str(config.get("url") or ""))
    found = []
    if url.scheme != "https" and url.hostname not in LOOPBACK:
        found.append("Let its URL begin with https://: anybody on the way can read it now.")
    if str(config.get("insecure_ssl", "0")) != "0":
        found.append("Switch its SSL verification on.")
    return found


def unheard(events: Iterable[str], *, app: bool) -> list[str]:
    """Events that matter and are not sent; none for ``*``, which stands for all."""
    given = set(events)
    wanted = EVENTS if app else EVENTS - APP_ONLY
    return [] if "*" in given else sorted(wanted - given)


def refused(status: int) -> str:
    """What the answer to the newest delivery tells; "" when it was taken."""
    if 200 <= status < 300:
        return ""
    if status == 401:
        return (
            "The newest delivery was refused with 401: its secret is not the one in "
            "GITHUB_WEBHOOK_SECRET."
        )
    said = f"was answered with {status}" if status else "found nobody"
    return f"The newest delivery {said}: see its page on GitHub, and the log of the app."


def place_of(url: str) -> str:
    """A URL without what could be a secret."""
    parts = urlsplit(url)
    return (
        f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}{parts.path}"[:200]
        if parts.hostname
        else ""
    )
