"""What a repository, a branch and a commit may be called: nothing that could become an option.

A name that begins with ``-``, or a URL such as ``ext::…``, would make git run commands.
https://git-scm.com/docs/git-check-ref-format, https://git-scm.com/docs/gitremote-helpers
"""

import re
from dataclasses import dataclass
from ipaddress import ip_address
from pathlib import Path
from typing import Final, Literal
from urllib.parse import unquote, urlsplit

from reconciler.core.errors import Permanent

type Scheme = Literal["https", "http", "ssh", "file"]

AZURE_REPOS: Final = ("dev.azure.com", ".visualstudio.com")
_SCP: Final = re.compile(r"(?:([\w.-]+)@)?([\w.-]+):(?!//)(.+)")
_BAD_IN_REF: Final = re.compile(
    r"[\x00-\x20\x7f~^:?*\[\\]|\.\.|@\{|//|/\.|\.lock(/|$)|[./]$|^[-./]"
)


@dataclass(frozen=True, slots=True)
class Address:
    """Where a repository is. ``url`` holds no secret, so it may be shown."""

    url: str
    scheme: Scheme
    origin: str = ""
    """``https://host[:port]``: where a token may be sent to; "" for SSH and files."""

    @property
    def azure_repos(self) -> bool:
        """Whether the host is Azure Repos', which takes Entra tokens."""
        host = urlsplit(self.origin).hostname or ""
        return host == AZURE_REPOS[0] or host.endswith(AZURE_REPOS[1])


def parse_address(text: str) -> Address:
    """Understand RECONCILER_REPO_URL: https://…, ssh://…, user@host:path or a path.

    Plain HTTP is accepted for this machine alone. Raises Permanent, without repeating what could
    be a secret.
    """
    if not text:
        raise Permanent("RECONCILER_REPO_URL is not set: name the repository that holds your specs")
    if not text.isprintable() or text.startswith("-") or "::" in text.partition("/")[0]:
        raise _refused("is not the URL of a repository")
    if "://" in text:
        return _from_url(text)
    if (found := _SCP.fullmatch(text)) and "/" not in text.partition(":")[0]:
        user, host, path = found.groups()
        if host.startswith("-") or path.startswith("-"):
            raise _refused("is not the URL of a repository")
        return Address(f"{user + '@' if user else ''}{host}:{path}", "ssh")
    return Address(str(Path(text).absolute()), "file")


def _from_url(text: str) -> Address:
    try:
        parts = urlsplit(text)
        host, port = parts.hostname or "", parts.port
    except ValueError:
        raise _refused("is not a URL") from None
    if parts.query or parts.fragment or " " in text:
        raise _refused("holds more than the address of a repository: remove what follows ? or #")
    if parts.scheme == "file" and not parts.netloc:
        return Address(unquote(parts.path), "file")
    if not host or not re.fullmatch(r"[\w.:-]+", host) or host.startswith("-"):
        raise _refused("names no host")
    if parts.scheme == "ssh" and parts.password is None:
        return Address(text, "ssh")
    if parts.scheme not in ("https", "http", "ssh"):
        raise _refused("has to begin with https:// or ssh://, or be user@host:path or a path")
    if "@" in parts.netloc and not _organization(host, parts.netloc, parts.path):
        raise _refused(
            "holds a user name or a token, which others could read: take it out of the URL (and "
            "revoke a token that was there) and set GITHUB_TOKEN instead"
        )
    if parts.scheme == "http" and not _loopback(host):
        raise _refused("begins with http://, which anybody on the way can read: use https://")
    netloc = f"[{host}]" if ":" in host else host
    origin = f"{parts.scheme}://{netloc}{f':{port}' if port else ''}"
    return Address(origin + parts.path, "https" if parts.scheme == "https" else "http", origin)


def _organization(host: str, netloc: str, path: str) -> bool:
    """Azure Repos writes ``https://contoso@dev.azure.com/contoso/…``: a name, no credential."""
    user = netloc.rpartition("@")[0]
    return host == AZURE_REPOS[0] and user == path.strip("/").partition("/")[0]


def _loopback(host: str) -> bool:
    try:
        return host == "localhost" or ip_address(host).is_loopback
    except ValueError:
        return False


def _refused(why: str) -> Permanent:
    return Permanent(f"RECONCILER_REPO_URL {why}")


def full_ref(name: str) -> str:
    """``refs/heads/main`` for ``main``; a name that begins with ``refs/`` stays as it is.

    Raises Permanent for what git would not take as a name, or could take as something else.
    """
    if not name or len(name) > 255 or not name.isprintable() or _BAD_IN_REF.search(name):
        raise Permanent(f"{name[:80]!a} cannot be the name of a branch")
    return name if name.startswith("refs/") else f"refs/heads/{name}"


def commit_id(text: str) -> str:
    """A whole commit id, in lower case. Raises Permanent."""
    if not re.fullmatch(r"[0-9a-fA-F]{40}", text):
        raise Permanent(
            f"{text[:80]!a} is not a commit: 40 hexadecimal digits are needed "
            "(repositories with SHA-256 ids are not supported)"
        )
    return text.lower()


def folder_parts(path: str) -> tuple[str, ...]:
    """The names on the way to the specs folder; none for the whole repository (``.``)."""
    parts = tuple(part for part in path.split("/") if part not in ("", "."))
    if path.startswith("/") or ".." in parts or "\\" in path or not path.isprintable():
        raise Permanent(
            f"RECONCILER_SPECS_PATH is {path[:80]!a}: it has to be a folder inside the "
            "repository, such as specs"
        )
    return parts
