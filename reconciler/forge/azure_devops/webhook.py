"""What a service hook sends: verified by its password or secret, and read only as far as it says
where to look.

Service hooks sign nothing, so the password or secret is as good as every delivery: they have to be
sent over HTTPS alone, which Azure DevOps insists on for basic authentication.
https://learn.microsoft.com/azure/devops/service-hooks/services/webhooks
https://learn.microsoft.com/azure/devops/service-hooks/events
"""

import binascii
import hashlib
import hmac
import json
import logging
import re
from base64 import b64decode
from collections.abc import Callable, Mapping
from typing import Any, Final

from reconciler.core.commands import commands
from reconciler.core.forge import Event, EventKind, Untrusted
from reconciler.forge.azure_devops.numbers import comment_number
from reconciler.forge.azure_devops.settings import AzureDevOpsSettings

log = logging.getLogger(__name__)

COMMIT: Final = re.compile(r"[0-9a-f]{40}([0-9a-f]{24})?")
COMMENT: Final = re.compile(r"/pullrequests/([0-9]{1,10})/threads/([0-9]{1,10})(?:/|$)", re.I)
MAX_COMMENT_CHARS: Final = 150_000
LONGEST_NAME: Final = 400

type Payload = Mapping[str, Any]


class Webhook:
    """Hears what service hooks send about one repository."""

    def __init__(self, settings: AzureDevOpsSettings) -> None:
        self._settings = settings
        pairs = [f"{user}:{password}" for user, password in settings.webhook_logins]
        self._logins = [_digest(pair.encode()) for pair in pairs]
        self._secrets = [_digest(secret.encode()) for secret in settings.webhook_secrets if secret]

    def hear(self, headers: Mapping[str, str], body: bytes) -> Event | None:
        """What an authentic delivery is about; None: nothing that matters. Raises Untrusted."""
        given = {name.lower(): value for name, value in headers.items()}
        self._verify(given, body)
        payload = _parsed(body)
        understand = READERS.get(_text(payload, "eventType"))
        if not understand:
            return None
        return understand(payload, hashlib.sha256(body).hexdigest()[:32], self._settings)

    def _verify(self, headers: Mapping[str, str], body: bytes) -> None:
        most = self._settings.max_payload_bytes
        length = headers.get("content-length", "")
        if len(body) > most or (length.isdecimal() and int(length[:12]) > most):
            raise Untrusted(f"the delivery is larger than {most >> 20} MiB", status=413)
        login = _login(headers.get("authorization", ""))
        secret = headers.get(self._settings.webhook_header.lower(), "").encode("utf-8", "replace")
        # Digests have one length, and every one is tried: time tells nothing about which one fits.
        fits = [hmac.compare_digest(known, _digest(login)) for known in self._logins]
        fits += [hmac.compare_digest(known, _digest(secret)) for known in self._secrets]
        if not any(fits):
            raise Untrusted("the delivery carries no password or secret that is known here")


def _digest(text: bytes) -> bytes:
    return hashlib.sha256(text).digest()


def _login(header: str) -> bytes:
    """``name:password`` of basic authentication; nothing else."""
    scheme, _, value = header.partition(" ")
    if scheme.lower() != "basic":
        return b""
    try:
        return b64decode(value.strip(), validate=True)
    except (binascii.Error, ValueError):
        return b""


def _parsed(body: bytes) -> Payload:
    try:
        found = json.loads(body)
    except (ValueError, RecursionError):
        log.warning("a delivery that is not JSON was ignored")
        return {}
    return found if isinstance(found, dict) else {}


def _ours(repository: Payload, settings: AzureDevOpsSettings) -> bool:
    name, project = _text(repository, "name"), _text(repository, "project", "name")
    if (name.lower(), project.lower()) == (settings.repository.lower(), settings.project.lower()):
        return True
    log.warning("an authentic delivery about another repository was ignored")
    return False


PULL_STATES: Final[Mapping[str, EventKind]] = {
    "active": "pull",
    "completed": "closed",
    "abandoned": "closed",
}


def _pull(payload: Payload, identity: str, settings: AzureDevOpsSettings) -> Event | None:
    """Created, updated, or merged: that a merge was tried, be it to see whether it works."""
    found = _at(payload, "resource")
    number, kind = _number(found, "pullRequestId"), PULL_STATES.get(_text(found, "status"))
    if not kind or not number or not _into_branch(found, settings):
        return None
    return Event(kind, identity, pull=number, commit=_head(found))


def _push(payload: Payload, identity: str, settings: AzureDevOpsSettings) -> Event | None:
    found = _at(payload, "resource")
    updates = _at(found, "refUpdates")
    for update in updates if isinstance(updates, list) else []:
        commit = _commit(update, "newObjectId")
        if _text(update, "name") == settings.ref and commit.strip("0"):
            ours = _ours(_at(found, "repository"), settings)
            return Event("push", identity, commit=commit) if ours else None
    return None


def _comment(payload: Payload, identity: str, settings: AzureDevOpsSettings) -> Event | None:
    """In version 1.0 of the resource the pull request is not named: 2.0 is needed."""
    found, pull = _at(payload, "resource", "comment"), _at(payload, "resource", "pullRequest")
    place = COMMENT.search(_text(found, "_links", "self", "href"))
    number, comment = _number(pull, "pullRequestId"), _number(found, "id")
    text = _text(found, "content", most=MAX_COMMENT_CHARS)
    if not place or int(place[1]) != number or _at(found, "isDeleted") is True:
        return None
    if not commands(text) or not _into_branch(pull, settings):
        return None
    try:
        comment = comment_number(number, int(place[2]), comment)
    except ValueError:
        return None
    return Event("comment", identity, pull=number, comment=comment)


READERS: Final[Mapping[str, Callable[[Payload, str, AzureDevOpsSettings], Event | None]]] = {
    "git.pullrequest.created": _pull,
    "git.pullrequest.updated": _pull,
    "git.pullrequest.merged": _pull,
    "git.push": _push,
    "ms.vss-code.git-pullrequest-comment-event": _comment,
}


def _into_branch(pull: Payload, settings: AzureDevOpsSettings) -> bool:
    target = _text(pull, "targetRefName")
    return target == settings.ref and _ours(_at(pull, "repository"), settings)


def _head(pull: Payload) -> str:
    return _commit(pull, "lastMergeSourceCommit", "commitId")


def _at(payload: Any, *path: str) -> Any:
    for name in path:
        payload = payload.get(name) if isinstance(payload, dict) else None
    return payload


def _text(payload: Payload, *path: str, most: int = LONGEST_NAME) -> str:
    found = _at(payload, *path)
    return found if isinstance(found, str) and len(found) <= most else ""


def _number(payload: Payload, *path: str) -> int:
    found = _at(payload, *path)
    return found if type(found) is int and 0 < found < 1 << 31 else 0


def _commit(payload: Payload, *path: str) -> str:
    found = _text(payload, *path)
    return found if COMMIT.fullmatch(found) else ""
