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
from typing import Final

from reconciler.core.commands import commands
from reconciler.core.forge import Event, EventKind, Untrusted
from reconciler.forge.azure_devops.numbers import comment_number
from reconciler.forge.azure_devops.settings import AzureDevOpsSettings
from reconciler.forge.payload import Payload, at_path, commit_at, number_at, text_at

log = logging.getLogger(__name__)

COMMENT: Final = re.compile(r"/pullrequests/([0-9]{1,10})/threads/([0-9]{1,10})(?:/|$)", re.I)
MAX_COMMENT_CHARS: Final = 150_000
LARGEST: Final = (1 << 31) - 1
"""Numbers of pull requests and comments are 32-bit integers, and are packed as such."""


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
        understand = READERS.get(text_at(payload, "eventType"))
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
    name, project = text_at(repository, "name"), text_at(repository, "project", "name")
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
    found = at_path(payload, "resource")
    number = number_at(found, "pullRequestId", most=LARGEST)
    kind = PULL_STATES.get(text_at(found, "status"))
    if not kind or not number or not _into_branch(found, settings):
        return None
    return Event(kind, identity, pull=number, commit=_head(found))


def _push(payload: Payload, identity: str, settings: AzureDevOpsSettings) -> Event | None:
    found = at_path(payload, "resource")
    updates = at_path(found, "refUpdates")
    for update in updates if isinstance(updates, list) else []:
        commit = commit_at(update, "newObjectId")
        if text_at(update, "name") == settings.ref and commit.strip("0"):
            ours = _ours(at_path(found, "repository"), settings)
            return Event("push", identity, commit=commit) if ours else None
    return None


def _comment(payload: Payload, identity: str, settings: AzureDevOpsSettings) -> Event | None:
    """In version 1.0 of the resource the pull request is not named: 2.0 is needed."""
    found = at_path(payload, "resource", "comment")
    pull = at_path(payload, "resource", "pullRequest")
    place = COMMENT.search(text_at(found, "_links", "self", "href"))
    number = number_at(pull, "pullRequestId", most=LARGEST)
    comment = number_at(found, "id", most=LARGEST)
    text = text_at(found, "content", most=MAX_COMMENT_CHARS)
    if not place or int(place[1]) != number or at_path(found, "isDeleted") is True:
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
    target = text_at(pull, "targetRefName")
    return target == settings.ref and _ours(at_path(pull, "repository"), settings)


def _head(pull: Payload) -> str:
    return commit_at(pull, "lastMergeSourceCommit", "commitId")
