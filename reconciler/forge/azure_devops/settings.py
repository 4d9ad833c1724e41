"""What an operator may choose about Azure Repos."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from ipaddress import ip_address
from typing import Final
from urllib.parse import urlsplit

from reconciler.core.errors import Permanent
from reconciler.forge.azure_devops.place import CLOUD, place

MAX_PAYLOAD_BYTES: Final = 25 << 20
HEADER: Final = "X-Reconciler-Secret"
NAME: Final = re.compile(r"[^\x00-\x1f/\\?#%\x7f]{1,64}")
"""https://learn.microsoft.com/azure/devops/organizations/settings/naming-restrictions"""
WORD: Final = re.compile(r"[!-~]+")
HEADER_NAME: Final = re.compile(r"[A-Za-z0-9-]{1,64}")
TYPE: Final = re.compile(r"[\w .-]{0,128}")
STATUSES: Final = frozenset({"active", "closed"})


@dataclass(frozen=True, kw_only=True)
class AzureDevOpsSettings:
    """Which repository, and who the reconciler is there. Raises Permanent for what cannot be."""

    organization_url: str
    """``AZURE_DEVOPS_ORG_URL``: ``https://dev.azure.com/ORG``; else from ``RECONCILER_REPO_URL``.
    Plain HTTP is accepted for this machine alone."""
    project: str
    """``AZURE_DEVOPS_PROJECT``; else from ``RECONCILER_REPO_URL``."""
    repository: str
    """``AZURE_DEVOPS_REPOSITORY``: its name; else from ``RECONCILER_REPO_URL``."""
    branch: str = "main"
    """``RECONCILER_BRANCH``"""
    token: str = field(default="", repr=False)
    """``AZURE_DEVOPS_TOKEN``: a personal access token; "": the credential's Entra tokens."""
    webhook_logins: tuple[tuple[str, str], ...] = field(default=(), repr=False)
    """``AZURE_DEVOPS_WEBHOOK_USER`` and ``_PASSWORD``, and the same with ``_OLD`` while they are
    being changed."""
    webhook_secrets: tuple[str, ...] = field(default=(), repr=False)
    """``AZURE_DEVOPS_WEBHOOK_SECRET``, and ``AZURE_DEVOPS_WEBHOOK_SECRET_OLD`` while it is being
    changed."""
    webhook_header: str = HEADER
    """``AZURE_DEVOPS_WEBHOOK_HEADER``: the header that carries the secret."""
    comment_status: str = "closed"
    """``AZURE_DEVOPS_COMMENT_STATUS``: of the reconciler's own threads: ``closed``, or ``active``,
    which a policy for the resolution of comments would hold a pull request up for."""
    issue_type: str = "Issue"
    """``AZURE_DEVOPS_ISSUE_TYPE``: of the work items for drift; "": none are made."""
    issue_closed_state: str = "Done"
    """``AZURE_DEVOPS_ISSUE_CLOSED_STATE``: the state of one that is closed."""
    max_payload_bytes: int = MAX_PAYLOAD_BYTES
    patience_s: float = 30.0
    """For how long one call goes on trying a throttled or failing Azure DevOps."""

    def __post_init__(self) -> None:
        if not _safe(self.organization_url):
            raise Permanent(
                "which organization of Azure DevOps is meant? Set AZURE_DEVOPS_ORG_URL to "
                "https://dev.azure.com/ORG (http:// only for this machine)"
            )
        for name, value in (("PROJECT", self.project), ("REPOSITORY", self.repository)):
            if not NAME.fullmatch(value) or value in (".", ".."):
                raise Permanent(
                    f"AZURE_DEVOPS_{name} has to be the name of one (RECONCILER_REPO_URL does not "
                    "tell it)"
                )
        if self.token and not WORD.fullmatch(self.token):
            raise Permanent("AZURE_DEVOPS_TOKEN does not look like a token: it has to be one word")
        if not HEADER_NAME.fullmatch(self.webhook_header):
            raise Permanent("AZURE_DEVOPS_WEBHOOK_HEADER has to be the name of a header")
        if self.comment_status not in STATUSES:
            raise Permanent("AZURE_DEVOPS_COMMENT_STATUS has to be closed or active")
        for name, value in (("TYPE", self.issue_type), ("CLOSED_STATE", self.issue_closed_state)):
            if not TYPE.fullmatch(value):
                raise Permanent(f"AZURE_DEVOPS_ISSUE_{name} holds characters that no name has")

    @property
    def ref(self) -> str:
        """The branch as Azure Repos names it."""
        return f"refs/heads/{self.branch}"

    @property
    def identities_url(self) -> str:
        """Where identities are asked for: in the cloud a host of their own.
        https://learn.microsoft.com/rest/api/azure/devops/ims/identities/read-identities"""
        return self.organization_url.replace(f"https://{CLOUD}/", f"https://vssps.{CLOUD}/", 1)

    @classmethod
    def from_env(cls, environment: Mapping[str, str]) -> "AzureDevOpsSettings":
        """Read the environment. Raises Permanent, without repeating a secret."""

        def given(name: str, default: str = "") -> str:
            return environment.get(f"AZURE_DEVOPS_{name}", "").strip() or default

        branch = environment.get("RECONCILER_BRANCH") or cls.branch
        told = place(environment.get("RECONCILER_REPO_URL", "").strip())
        return cls(
            organization_url=given("ORG_URL", told.organization_url).rstrip("/"),
            project=given("PROJECT", told.project),
            repository=given("REPOSITORY", told.repository),
            branch=branch.removeprefix("refs/heads/"),
            token=given("TOKEN"),
            webhook_logins=_logins(given),
            webhook_secrets=tuple(
                found for name in ("WEBHOOK_SECRET", "WEBHOOK_SECRET_OLD") if (found := given(name))
            ),
            webhook_header=given("WEBHOOK_HEADER", cls.webhook_header),
            comment_status=given("COMMENT_STATUS", cls.comment_status).lower(),
            issue_type=environment.get("AZURE_DEVOPS_ISSUE_TYPE", cls.issue_type).strip(),
            issue_closed_state=given("ISSUE_CLOSED_STATE", cls.issue_closed_state),
        )


def _logins(given: Callable[..., str]) -> tuple[tuple[str, str], ...]:
    """The new and the old pair; a name that stays need not be repeated."""
    user = given("WEBHOOK_USER")
    pairs = (
        (user, given("WEBHOOK_PASSWORD")),
        (given("WEBHOOK_USER_OLD", user), given("WEBHOOK_PASSWORD_OLD")),
    )
    return tuple(pair for pair in pairs if all(pair))


def _safe(url: str) -> bool:
    try:
        parts = urlsplit(url)
        host = parts.hostname or ""
    except ValueError:
        return False
    if parts.username or parts.password or parts.query or parts.fragment or not host:
        return False
    if not url.isprintable() or " " in url or not parts.path.strip("/"):
        return False
    return parts.scheme == "https" or (parts.scheme == "http" and _is_loopback(host))


def _is_loopback(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False
