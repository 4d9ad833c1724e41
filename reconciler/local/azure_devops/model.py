"""What the emulated Azure DevOps is made of: plain values, and the refusal of every part.

Times are seconds since 1970 on the emulator's clock.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

JSON = dict[str, Any]

# Bits of the namespace "Git Repositories":
# https://learn.microsoft.com/azure/devops/organizations/security/namespace-reference
GENERIC_READ, GENERIC_CONTRIBUTE, CREATE_BRANCH, PULL_REQUEST_CONTRIBUTE = 2, 4, 16, 16_384
LEVELS: Mapping[str, int] = {
    "none": 0,
    "read": GENERIC_READ,
    "comment": GENERIC_READ | PULL_REQUEST_CONTRIBUTE,
    "contribute": GENERIC_READ | GENERIC_CONTRIBUTE | CREATE_BRANCH | PULL_REQUEST_CONTRIBUTE,
}


class Refusal(Exception):
    """An answer that is an error, in the shape of Azure DevOps."""

    def __init__(self, status: int, message: str, key: str = "VssServiceException") -> None:
        super().__init__(f"{status} {message}")
        self.status = status
        self.body: JSON = {
            "$id": "1",
            "innerException": None,
            "message": message,
            "typeName": f"Microsoft.VisualStudio.Services.Common.{key}",
            "typeKey": key,
            "errorCode": 0,
            "eventId": 3000,
        }


@dataclass(eq=False)
class User:
    """A person or a service; `name` is the account, which is unique, `title` what is shown."""

    id: str
    name: str
    title: str
    active: bool = True

    @property
    def descriptor(self) -> str:
        return f"Microsoft.IdentityModel.Claims.ClaimsIdentity;contoso\\{self.name}"


@dataclass(eq=False)
class Comment:
    id: int
    author: User
    content: str
    published: float
    updated: float
    kind: str = "text"
    parent: int = 0
    deleted: bool = False
    likes: list[User] = field(default_factory=list)


@dataclass(eq=False)
class Thread:
    id: int
    published: float
    updated: float
    status: str | None
    comments: list[Comment]
    properties: Mapping[str, str | int] = field(default_factory=dict)
    identities: Mapping[str, User] = field(default_factory=dict)

    @property
    def deleted(self) -> bool:
        return all(one.deleted for one in self.comments)


@dataclass(eq=False)
class Iteration:
    """What a push to the source branch made."""

    id: int
    author: User
    source: str
    target: str
    common: str
    created: float


@dataclass(eq=False)
class Status:
    id: int
    iteration: int | None
    state: str
    description: str
    name: str
    genre: str
    url: str | None
    author: User
    created: float


@dataclass(eq=False)
class Pull:
    """A pull request; the `source` of a fork is not the repository."""

    id: int
    repo: Repository
    source: Repository
    source_ref: str
    target_ref: str
    title: str
    author: User
    created: float
    draft: bool = False
    status: str = "active"
    closed: float | None = None
    head: str = ""
    base: str = ""
    merge_status: str = "queued"
    merge_commit: str | None = None
    computed: float = 0.0  # when `merge_status` is known
    votes: dict[str, tuple[User, int]] = field(default_factory=dict)
    iterations: list[Iteration] = field(default_factory=list)
    threads: list[Thread] = field(default_factory=list)
    statuses: list[Status] = field(default_factory=list)


@dataclass(eq=False)
class Policy:
    """A rule of a branch; `kind` is the id of its type."""

    id: int
    kind: str
    ref: str
    settings: Mapping[str, Any]
    blocking: bool = True


@dataclass(eq=False)
class WorkItem:
    id: int
    kind: str
    author: User
    fields: dict[str, Any]
    revision: int = 1


@dataclass(frozen=True)
class Subscription:
    """Where a service hook goes, and how it says who sends it."""

    id: str
    url: str
    events: tuple[str, ...]
    headers: Mapping[str, str]
    status: str = "enabled"


@dataclass(eq=False)
class Repository:
    """A repository: bare on disk at `folder`, everything else here."""

    id: str
    project: str
    project_id: str
    name: str
    folder: Path
    parent: Repository | None = None
    default_branch: str = "main"
    access: dict[str, tuple[int, int]] = field(default_factory=dict)  # allowed and denied, by id
    contributors: set[str] = field(default_factory=set)  # ids of a group's members
    pulls: dict[int, Pull] = field(default_factory=dict)
    policies: list[Policy] = field(default_factory=list)

    @property
    def full_name(self) -> str:
        return f"{self.project}/{self.name}"

    def rights(self, user: User) -> tuple[int, int]:
        """What somebody is allowed and denied here, by himself and by the group."""
        allowed, denied = self.access.get(user.id, (0, 0))
        if user.id in self.contributors:
            allowed |= LEVELS["contribute"]
        return allowed, denied

    def may(self, user: User, bit: int) -> bool:
        """Whether somebody has a right; who is denied has it not."""
        allowed, denied = self.rights(user)
        return bool(allowed & bit) and not denied & bit
