"""What a GitHub App or a token may do, and what it has to: pure.

https://docs.github.com/en/rest/authentication/permissions-required-for-github-apps
https://docs.github.com/en/apps/oauth-apps/building-oauth-apps/scopes-for-oauth-apps
"""

from collections.abc import Mapping
from typing import Final

NEEDED: Final[Mapping[str, str]] = {
    "checks": "write",
    "contents": "read",
    "issues": "write",
    "metadata": "read",
    "pull_requests": "write",
}
"""Check runs; the specs; issues about drift; the permissions of people; comments and reactions."""
HARMLESS: Final[Mapping[str, str]] = {"statuses": "write"}
"""Not needed beside check runs, and changes nothing but marks."""
LEVELS: Final = ("", "read", "write", "admin")


def lacking(given: Mapping[str, str]) -> list[str]:
    """``name: level`` of every permission that is needed and not there."""
    return [
        f"{name}: {level}"
        for name, level in NEEDED.items()
        if _rank(given.get(name, "")) < _rank(level)
    ]


def surplus(given: Mapping[str, str]) -> list[str]:
    """``name: level`` of every permission to change more than has to be changed."""
    enough = {**NEEDED, **HARMLESS}
    return sorted(
        f"{name}: {level}"
        for name, level in given.items()
        if _rank(level) > max(_rank(enough.get(name, "")), _rank("read"))
    )


def scopes_lacking(told: str | None, *, private: bool) -> list[str]:
    """The scope that a classic token has to have and has not; none for a token of another kind,
    whose rights GitHub does not tell."""
    if told is None:
        return []
    scopes = {word.strip() for word in told.split(",")}
    enough = {"repo"} if private else {"repo", "public_repo"}
    return [] if scopes & enough else ["repo" if private else "public_repo"]


def _rank(level: str) -> int:
    return LEVELS.index(level) if level in LEVELS else len(LEVELS)
