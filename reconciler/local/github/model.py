"""What the emulated GitHub is made of: plain values, and the refusal that every part may raise.

Times are seconds since 1970 on the emulator's clock.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

JSON = dict[str, Any]

# From the least to the most; https://docs.github.com/en/rest/collaborators/collaborators
LEVELS = ("none", "read", "triage", "write", "maintain", "admin")
DOCS = "https://docs.github.com/rest"


class Refusal(Exception):
    """An answer that is an error, in GitHub's shape.

    `errors` are the entries of a failed validation (resource, field, code, message), or sentences.
    """

    def __init__(
        self,
        status: int,
        message: str,
        *,
        errors: Sequence[JSON | str] = (),
        headers: Mapping[str, str] | None = None,
        docs: str = DOCS,
    ) -> None:
        super().__init__(f"{status} {message}")
        self.status, self.headers = status, dict(headers or {})
        self.body: JSON = {"message": message}
        if errors:
            self.body["errors"] = list(errors)
        self.body |= {"documentation_url": docs, "status": str(status)}


@dataclass(eq=False)
class User:
    """A person, a bot or an organization; `type` is what the API calls it."""

    id: int
    login: str
    type: str = "User"
    created: float = 0.0
    members: set[str] = field(default_factory=set)  # logins of an organization's owners

    @property
    def email(self) -> str:
        return f"{self.id}+{self.login}@users.noreply.github.com"


@dataclass(eq=False)
class App:
    """A GitHub App with one key pair and one installation."""

    id: int
    slug: str
    owner: User
    bot: User
    private_key: str  # PEM
    public_key: str  # PEM
    permissions: Mapping[str, str]
    events: Sequence[str]
    installation_id: int
    account: User  # whom it is installed for, with all repositories
    created: float = 0.0


@dataclass(frozen=True)
class Caller:
    """Who sent a request: a user, an App by its JWT, an installation of it, or nobody."""

    user: User | None = None
    app: App | None = None
    permissions: Mapping[str, str] | None = None  # of an installation token
    repositories: frozenset[int] | None = None  # that it is limited to
    scopes: str | None = None  # of a classic token: told, not held to

    @property
    def actor(self) -> User:
        """The user whose name stands on what is made. 401 for nobody."""
        if self.user is None:
            raise Refusal(401, "Requires authentication")
        return self.user

    @property
    def key(self) -> str:
        """Whose rate limit counts."""
        return self.user.login if self.user else f"app/{self.app.id}" if self.app else ""


@dataclass(eq=False)
class Reaction:
    id: int
    user: User
    content: str
    created: float


@dataclass(eq=False)
class Comment:
    id: int
    issue: Issue
    user: User
    body: str
    created: float
    updated: float
    app: App | None = None
    reactions: list[Reaction] = field(default_factory=list)


@dataclass(eq=False)
class Review:
    id: int
    user: User
    state: str  # APPROVED, CHANGES_REQUESTED, COMMENTED
    body: str
    commit: str
    created: float


@dataclass(eq=False)
class Pull:
    """What a pull request has beyond an issue. The `head_repo` of a fork is not the base's."""

    head_repo: Repository
    head_ref: str
    base_ref: str
    head_sha: str
    base_sha: str
    draft: bool = False
    mergeable: bool | None = None
    merge_commit: str | None = None  # of the trial merge, later of the real one
    computed: float = 0.0  # when `mergeable` is known
    merged: float | None = None
    merged_by: User | None = None
    reviews: list[Review] = field(default_factory=list)


@dataclass(eq=False)
class Issue:
    """An issue, or a pull request when `pull` is set."""

    id: int
    number: int
    repo: Repository
    title: str
    body: str | None
    user: User
    created: float
    updated: float
    state: str = "open"
    state_reason: str | None = None
    closed: float | None = None
    closed_by: User | None = None
    labels: list[str] = field(default_factory=list)
    app: App | None = None
    comments: list[Comment] = field(default_factory=list)
    reactions: list[Reaction] = field(default_factory=list)
    pull: Pull | None = None


@dataclass(eq=False)
class Status:
    id: int
    sha: str
    state: str
    context: str
    description: str | None
    target_url: str | None
    user: User
    created: float


@dataclass(eq=False)
class CheckSuite:
    id: int
    sha: str
    branch: str | None
    app: App
    created: float
    updated: float
    runs: list[CheckRun] = field(default_factory=list)


@dataclass(eq=False)
class CheckRun:
    id: int
    suite: CheckSuite
    name: str
    status: str
    started: float
    conclusion: str | None = None
    completed: float | None = None
    details_url: str | None = None
    external_id: str = ""
    title: str | None = None
    summary: str | None = None
    text: str | None = None
    annotations: list[JSON] = field(default_factory=list)


@dataclass(eq=False)
class Protection:
    """The rules of a protected branch that the emulator holds to."""

    contexts: tuple[str, ...] | None = None  # None: no status checks are asked for
    strict: bool = False
    enforce_admins: bool = False
    approvals: int | None = None  # None: no reviews are asked for


@dataclass(frozen=True)
class Ruleset:
    """Checks that have to pass before a merge; of an App's check runs alone when it is named."""

    contexts: tuple[str, ...]
    app_id: int | None = None


@dataclass(eq=False)
class Hook:
    id: int
    url: str
    secret: str
    events: tuple[str, ...]
    repo: Repository | None  # None: the App's own hook
    active: bool = True
    created: float = 0.0
    last: tuple[int | None, str] = (None, "unused")


@dataclass(eq=False)
class Delivery:
    """One attempt to deliver an event; a repeated attempt keeps the `guid`."""

    id: int
    guid: str
    hook: Hook
    event: str
    action: str | None
    payload: JSON
    repo: Repository | None
    redelivery: bool = False
    delivered: float = 0.0
    duration: float = 0.0
    status_code: int = 0
    status: str = "pending"
    headers: Mapping[str, str] = field(default_factory=dict)


@dataclass(eq=False)
class Repository:
    """A repository: bare on disk at `folder`, everything else here."""

    id: int
    owner: User
    name: str
    folder: Path
    created: float
    private: bool = False
    default_branch: str = "main"
    parent: Repository | None = None  # of a fork
    pushed: float = 0.0
    description: str | None = None
    access: dict[str, str] = field(default_factory=dict)  # login: level
    issues: dict[int, Issue] = field(default_factory=dict)
    statuses: list[Status] = field(default_factory=list)
    suites: list[CheckSuite] = field(default_factory=list)
    protections: dict[str, Protection] = field(default_factory=dict)
    rulesets: dict[str, Ruleset] = field(default_factory=dict)  # by branch
    hooks: list[Hook] = field(default_factory=list)

    @property
    def full_name(self) -> str:
        return f"{self.owner.login}/{self.name}"

    def level_of(self, user: User | None) -> str:
        """The permission that a user has here: one of `LEVELS`."""
        lowest = "none" if self.private else "read"
        if user is None:
            return lowest
        if user is self.owner or user.login in self.owner.members:
            return "admin"
        granted = self.access.get(user.login, "none")
        return max(granted, lowest, key=LEVELS.index)

    def pulls(self) -> list[tuple[Issue, Pull]]:
        """All pull requests, oldest first."""
        return [(issue, issue.pull) for issue in self.issues.values() if issue.pull]
