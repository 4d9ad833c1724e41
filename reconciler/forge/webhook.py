"""What GitHub sends: verified over its raw bytes, and read only as far as it says where to look.

https://docs.github.com/en/webhooks/using-webhooks/validating-webhook-deliveries
https://docs.github.com/en/webhooks/webhook-events-and-payloads
"""

import hashlib
import hmac
import json
import logging
import re
from collections.abc import Callable, Mapping
from typing import Final

from reconciler.core.commands import commands
from reconciler.core.forge import Event, Untrusted
from reconciler.forge.payload import Payload, at_path, commit_at, number_at, text_at
from reconciler.forge.settings import GitHubSettings

log = logging.getLogger(__name__)

SIGNATURE: Final = re.compile(r"sha256=([0-9a-f]{64})")
MAX_COMMENT_CHARS: Final = 1 << 16


class Webhook:
    """Hears what GitHub sends to one repository's hook."""

    def __init__(self, settings: GitHubSettings) -> None:
        self._settings = settings
        self._keys = [secret.encode() for secret in settings.webhook_secrets if secret]

    def hear(self, headers: Mapping[str, str], body: bytes) -> Event | None:
        """What an authentic delivery is about; None: nothing that matters. Raises Untrusted."""
        given = {name.lower(): value for name, value in headers.items()}
        self._verify(given, body)
        understand = READERS.get(given.get("x-github-event", ""))
        payload = _parsed(body) if understand else None
        if not understand or payload is None or not self._ours(payload, given["x-github-event"]):
            return None
        # Of the body alone: the headers, the delivery's id among them, are not signed.
        identity = hashlib.sha256(body).hexdigest()[:32]
        return understand(payload, identity, self._settings)

    def _verify(self, headers: Mapping[str, str], body: bytes) -> None:
        most = self._settings.max_payload_bytes
        length = headers.get("content-length", "")
        if len(body) > most or (length.isdecimal() and int(length[:12]) > most):
            raise Untrusted(f"the delivery is larger than {most >> 20} MiB", status=413)
        found = SIGNATURE.fullmatch(headers.get("x-hub-signature-256", ""))
        if not found:
            raise Untrusted("the delivery is not signed with a secret that is known here")
        # Every secret is tried, so that time tells nothing about which one fits.
        fits = [
            hmac.compare_digest(hmac.new(key, body, hashlib.sha256).hexdigest(), found[1])
            for key in self._keys
        ]
        if not any(fits):
            raise Untrusted("the delivery is not signed with a secret that is known here")

    def _ours(self, payload: Payload, event: str) -> bool:
        """A ping to an App names no repository."""
        name = text_at(payload, "repository", "full_name")
        if name.lower() == self._settings.repository.lower() or (event == "ping" and not name):
            return True
        log.warning("an authentic delivery about another repository was ignored")
        return False


def _parsed(body: bytes) -> Payload | None:
    try:
        found = json.loads(body)
    except (ValueError, RecursionError):
        log.warning("a delivery that is not JSON was ignored: set its content type to that")
        return None
    return found if isinstance(found, dict) else None


PULL_ACTIONS: Final = {
    "opened": "pull",
    "synchronize": "pull",
    "reopened": "pull",
    "ready_for_review": "pull",
    "closed": "closed",
}


def _pull(payload: Payload, identity: str, settings: GitHubSettings) -> Event | None:
    number = number_at(payload, "pull_request", "number")
    kind = PULL_ACTIONS.get(text_at(payload, "action"))
    if not kind or not number or text_at(payload, "pull_request", "base", "ref") != settings.branch:
        return None
    commit = commit_at(payload, "pull_request", "head", "sha")
    return Event("pull" if kind == "pull" else "closed", identity, pull=number, commit=commit)


def _push(payload: Payload, identity: str, settings: GitHubSettings) -> Event | None:
    commit = commit_at(payload, "after")
    if text_at(payload, "ref") != f"refs/heads/{settings.branch}" or not commit.strip("0"):
        return None
    return Event("push", identity, commit=commit)


def _comment(payload: Payload, identity: str, settings: GitHubSettings) -> Event | None:
    text = text_at(payload, "comment", "body", most=MAX_COMMENT_CHARS)
    number, comment = number_at(payload, "issue", "number"), number_at(payload, "comment", "id")
    on_a_pull = isinstance(at_path(payload, "issue", "pull_request"), dict)
    if text_at(payload, "action") != "created" or not on_a_pull or not (number and comment):
        return None
    return Event("comment", identity, pull=number, comment=comment) if commands(text) else None


def _recheck(payload: Payload, identity: str, settings: GitHubSettings) -> Event | None:
    what = "check_run" if "check_run" in payload else "check_suite"
    if text_at(payload, "action") != "rerequested":
        return None
    if settings.app_id and str(number_at(payload, what, "app", "id")) != settings.app_id:
        return None
    commit = commit_at(payload, what, "head_sha")
    name = text_at(payload, "check_run", "name")
    return Event("recheck", identity, commit=commit, name=name) if commit else None


def _ping(payload: Payload, identity: str, settings: GitHubSettings) -> Event | None:
    return Event("ping", identity)


READERS: Final[Mapping[str, Callable[[Payload, str, GitHubSettings], Event | None]]] = {
    "pull_request": _pull,
    "push": _push,
    "issue_comment": _comment,
    "check_run": _recheck,
    "check_suite": _recheck,
    "ping": _ping,
}
