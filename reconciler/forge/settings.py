"""What an operator may choose about GitHub."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from ipaddress import ip_address
from typing import Final
from urllib.parse import urlsplit

from reconciler.core.errors import Permanent

GITHUB_API: Final = "https://api.github.com"
MAX_PAYLOAD_BYTES: Final = 25 << 20
"""GitHub sends nothing larger:
https://docs.github.com/en/webhooks/webhook-events-and-payloads#payload-cap"""
REPOSITORY: Final = re.compile(r"[\w.-]+/[\w.-]+", re.ASCII)
WORD: Final = re.compile(r"[!-~]+")


@dataclass(frozen=True, kw_only=True)
class GitHubSettings:
    """Which repository, and who the reconciler is there. Raises Permanent for what cannot be."""

    repository: str
    """``GITHUB_REPOSITORY``: ``owner/name``; else the end of ``RECONCILER_REPO_URL``."""
    branch: str = "main"
    """``RECONCILER_BRANCH``"""
    api_url: str = GITHUB_API
    """``GITHUB_API_URL``: of a GitHub Enterprise Server ``https://HOST/api/v3``. Plain HTTP is
    accepted for this machine alone."""
    app_id: str = ""
    """``GITHUB_APP_ID``: with it the reconciler is a GitHub App, which can make check runs."""
    private_key: str = field(default="", repr=False)
    """``GITHUB_PRIVATE_KEY``: the App's key, PEM; line breaks may be written as ``\\n``."""
    installation_id: str = ""
    """``GITHUB_INSTALLATION_ID``; "": asked from GitHub."""
    token: str = field(default="", repr=False)
    """``GITHUB_TOKEN``: instead of an App."""
    webhook_secrets: tuple[str, ...] = field(default=(), repr=False)
    """``GITHUB_WEBHOOK_SECRET``, and ``GITHUB_WEBHOOK_SECRET_OLD`` while it is being changed."""
    max_payload_bytes: int = MAX_PAYLOAD_BYTES
    patience_s: float = 30.0
    """For how long one call goes on trying a throttled or failing GitHub."""

    def __post_init__(self) -> None:
        if not REPOSITORY.fullmatch(self.repository) or ".." in self.repository:
            raise Permanent(
                "which repository on GitHub is meant? Set GITHUB_REPOSITORY to owner/name"
            )
        if not _safe(self.api_url):
            raise Permanent(
                "GITHUB_API_URL has to begin with https:// (http:// only for this machine)"
            )
        for name, value in (("APP_ID", self.app_id), ("INSTALLATION_ID", self.installation_id)):
            if value and not (value.isascii() and value.isdecimal()):
                raise Permanent(f"GITHUB_{name} has to be a number")
        if self.app_id and "PRIVATE KEY-----" not in self.private_key:
            raise Permanent("GITHUB_PRIVATE_KEY has to be the App's private key, in PEM")
        if self.token and not WORD.fullmatch(self.token):
            raise Permanent("GITHUB_TOKEN does not look like a token: it has to be one word")

    @property
    def name(self) -> str:
        """The repository's name without its owner."""
        return self.repository.partition("/")[2]

    @property
    def site(self) -> str:
        """Where people look at the repository: the host whose API it is.

        A GitHub Enterprise Server has its API below ``/api/v3``, the others have it on a host of
        its own, ``api.``:
        https://docs.github.com/en/enterprise-server@latest/rest/using-the-rest-api/getting-started-with-the-rest-api
        https://docs.github.com/en/enterprise-cloud@latest/admin/data-residency/feature-overview-for-github-enterprise-cloud-with-data-residency
        """
        parts = urlsplit(self.api_url)
        below = parts.path.startswith("/api/v3")
        return f"{parts.scheme}://{parts.netloc if below else parts.netloc.removeprefix('api.')}"

    @classmethod
    def from_env(cls, environment: Mapping[str, str]) -> "GitHubSettings":
        """Read the environment. Raises Permanent, without repeating a secret."""
        url = environment.get("RECONCILER_REPO_URL", "")
        api_url = environment.get("GITHUB_API_URL", "").rstrip("/")
        if not api_url and _host(url) not in ("github.com", "www.github.com", "ssh.github.com", ""):
            raise Permanent(
                "RECONCILER_REPO_URL is not on github.com: set GITHUB_API_URL, for a GitHub "
                "Enterprise Server to https://HOST/api/v3"
            )
        secrets = ("GITHUB_WEBHOOK_SECRET", "GITHUB_WEBHOOK_SECRET_OLD")
        return cls(
            repository=environment.get("GITHUB_REPOSITORY") or _repository(url),
            branch=environment.get("RECONCILER_BRANCH") or cls.branch,
            api_url=api_url or cls.api_url,
            app_id=environment.get("GITHUB_APP_ID", "").strip(),
            private_key=environment.get("GITHUB_PRIVATE_KEY", "").replace("\\n", "\n").strip(),
            installation_id=environment.get("GITHUB_INSTALLATION_ID", "").strip(),
            token=environment.get("GITHUB_TOKEN", "").strip(),
            webhook_secrets=tuple(
                found for name in secrets if (found := environment.get(name, "").strip())
            ),
        )


def _repository(url: str) -> str:
    """``owner/name`` from any way of writing where a repository is."""
    path = urlsplit(url).path if "://" in url else url.partition(":")[2]
    return "/".join(path.strip("/").removesuffix(".git").split("/")[-2:])


def _host(url: str) -> str:
    if "://" in url:
        return (urlsplit(url).hostname or "").lower()
    return url.partition(":")[0].rpartition("@")[2].lower() if ":" in url else ""


def _safe(url: str) -> bool:
    parts = urlsplit(url)
    if parts.username or parts.password or not parts.hostname:
        return False
    return parts.scheme == "https" or (parts.scheme == "http" and _is_loopback(parts.hostname))


def _is_loopback(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False
