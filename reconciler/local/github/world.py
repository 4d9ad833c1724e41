"""Everything the emulated GitHub holds: users, tokens, the App, repositories, and its clock."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from reconciler.local.clock import Clock
from reconciler.local.github.git import Git, Person
from reconciler.local.github.model import App, Caller, CheckRun, CheckSuite, Repository, User

OWNER = "contoso"
MAINTAINER = "maintainer"
MACHINE = "reconciler"
APP_SLUG = "azure-ai-reconciler"
PERMISSIONS = {
    "administration": "read",
    "checks": "write",
    "contents": "write",
    "issues": "write",
    "metadata": "read",
    "pull_requests": "write",
    "statuses": "write",
}
EVENTS = ("check_run", "check_suite", "issue_comment", "pull_request", "push")


@dataclass(frozen=True)
class Token:
    """What a token opens, and until when (None: for ever)."""

    caller: Caller
    expires: float | None = None


class World:
    """The state. An organization, its maintainer, a machine user and the App exist from the start.

    `url` is where people and git find it, `api` the base of the REST API.
    """

    def __init__(self, root: Path, clock: Clock, seed: int, url: str) -> None:
        self.root, self.clock, self.url = root, clock, url
        self.api = f"{url}/api/v3"
        self._seed, self._last_id = seed, 1000
        self.users: dict[str, User] = {}
        self.repositories: dict[str, Repository] = {}
        self.tokens: dict[str, Token] = {}
        self.owner = self.add_user(OWNER, "Organization")
        for login in (MAINTAINER, MACHINE):
            self.add_user(login)
        self.owner.members.add(MAINTAINER)
        self.app = self._new_app()

    # Names, ids and time

    def new_id(self) -> int:
        self._last_id += 1
        return self._last_id

    def now(self) -> float:
        return self.clock.now()

    def secret(self, *words: object, length: int = 36) -> str:
        """A value that nobody guesses and that repeats with the seed."""
        text = "/".join(str(word) for word in (self._seed, *words))
        return hashlib.sha256(text.encode()).hexdigest()[:length]

    def person(self, user: User) -> Person:
        """A user as the author of a commit, now."""
        return Person(user.login, user.email, stamp(self.now()))

    # Users and tokens

    def add_user(self, login: str, kind: str = "User") -> User:
        """A new user, or the one who has this name."""
        found = self.users.get(login.lower())
        if found is None:
            found = User(self.new_id(), login, kind, self.now())
            self.users[login.lower()] = found
        return found

    def user(self, login: str) -> User | None:
        return self.users.get(login.lower())

    def user_of(self, email: str) -> User | None:
        """Whose address this is, as far as it is one that GitHub made."""
        local, _, host = email.partition("@")
        login = local.partition("+")[2]
        return self.user(login) if host == "users.noreply.github.com" else None

    def token_of(self, login: str) -> str:
        """A classic token of a user, who is made if there is none; always the same for one seed."""
        user = self.add_user(login)
        token = f"ghp_{self.secret('token', user.login)}"
        self.tokens.setdefault(token, Token(Caller(user, scopes="repo")))
        return token

    def installation_token(
        self, permissions: Mapping[str, str], repositories: frozenset[int] | None
    ) -> tuple[str, float]:
        """A new token of the App's installation and when it expires: after one hour."""
        token = f"ghs_{self.secret('installation', self.new_id())}"
        expires = self.now() + 3600
        caller = Caller(self.app.bot, self.app, permissions, repositories)
        self.tokens[token] = Token(caller, expires)
        return token, expires

    def _new_app(self) -> App:
        key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
        private = key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.TraditionalOpenSSL,
            serialization.NoEncryption(),
        )
        public = key.public_key().public_bytes(
            serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
        )
        bot = self.add_user(f"{APP_SLUG}[bot]", "Bot")
        return App(
            self.new_id(), APP_SLUG, self.owner, bot, private.decode(), public.decode(),
            PERMISSIONS, EVENTS, self.new_id(), self.owner, self.now(),
        )  # fmt: skip

    # Repositories

    async def add_repository(
        self, name: str, *, owner: User, private: bool = False, parent: Repository | None = None
    ) -> Repository:
        """An empty repository; ValueError when the name is taken."""
        full = f"{owner.login}/{name}"
        if full.lower() in self.repositories:
            raise ValueError(f"there is a repository {full}")
        number = self.new_id()
        folder = self.root / f"{number}.git"
        made = Repository(number, owner, name, folder, self.now(), private, parent=parent)
        await Git(folder).create(made.default_branch)
        if owner is self.owner:
            made.access[MACHINE] = "write"
        self.repositories[full.lower()] = made
        return made

    def repository(self, owner: str, name: str) -> Repository | None:
        return self.repositories.get(f"{owner}/{name}".lower())

    def installed(self, repo: Repository) -> bool:
        """Whether the App sees a repository: all of the account that it is installed for."""
        return repo.owner is self.app.account

    def suites(self) -> list[CheckSuite]:
        return [suite for repo in self.repositories.values() for suite in repo.suites]

    def check_runs(self, repo: Repository, sha: str) -> list[CheckRun]:
        """Of a commit, newest first."""
        found = [run for suite in repo.suites if suite.sha == sha for run in suite.runs]
        return sorted(found, key=lambda run: -run.id)


def stamp(at: float) -> str:
    """A time as GitHub writes it."""
    return datetime.fromtimestamp(at, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def maybe(at: float | None) -> str | None:
    return None if at is None else stamp(at)


def node_id(kind: str, number: int | str) -> str:
    """The global id that GraphQL would know."""
    return base64.b64encode(f"{kind}:{number}".encode()).decode()
