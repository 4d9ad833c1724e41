"""What an operator may choose about the repository."""

import tempfile
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from reconciler.core.errors import Permanent


def _cache() -> Path:
    return Path(tempfile.gettempdir()) / "reconciler-git"


@dataclass(frozen=True, kw_only=True)
class GitSettings:
    """Where the specs are, and how long to wait for them."""

    url: str = field(repr=False)
    """``RECONCILER_REPO_URL``: HTTPS, SSH or a local path. Not shown: it may be mistaken."""
    branch: str = "main"
    """``RECONCILER_BRANCH``"""
    path: str = "specs"
    """``RECONCILER_SPECS_PATH``: the specs folder; ``.`` for the whole repository."""
    cache: Path = field(default_factory=_cache)
    """``RECONCILER_GIT_CACHE``: a folder of our own on a local disk, for clones that may be
    lost at any time."""
    timeout_s: float = 120.0
    """``RECONCILER_GIT_TIMEOUT_S``: how long one git command may take."""
    max_pack_bytes: int = 512 * 1024 * 1024
    """No fetch may write a larger file."""
    ssh_key: str = ""
    """``RECONCILER_SSH_KEY_FILE``: a private key without passphrase; "": the agent's keys."""
    known_hosts: str = ""
    """``RECONCILER_SSH_KNOWN_HOSTS``: a known_hosts file; "": that of the user."""

    @classmethod
    def from_env(cls, environment: Mapping[str, str]) -> "GitSettings":
        """Read the environment. Raises Permanent for a timeout that is not a number of seconds."""
        cache = environment.get("RECONCILER_GIT_CACHE")
        return cls(
            url=environment.get("RECONCILER_REPO_URL", ""),
            branch=environment.get("RECONCILER_BRANCH") or cls.branch,
            path=environment.get("RECONCILER_SPECS_PATH") or cls.path,
            cache=Path(cache).absolute() if cache else _cache(),
            timeout_s=_seconds(environment.get("RECONCILER_GIT_TIMEOUT_S", ""), cls.timeout_s),
            ssh_key=environment.get("RECONCILER_SSH_KEY_FILE", ""),
            known_hosts=environment.get("RECONCILER_SSH_KNOWN_HOSTS", ""),
        )


def _seconds(text: str, default: float) -> float:
    try:
        value = float(text) if text else default
    except ValueError:
        value = 0.0
    if not 0 < value <= 3600:
        raise Permanent(
            f"RECONCILER_GIT_TIMEOUT_S is {text[:40]!a}: it has to be a number of seconds "
            "between 0 and 3600"
        )
    return value
