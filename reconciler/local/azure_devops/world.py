"""Everything the emulated Azure DevOps holds: users, tokens, repositories, work items, a clock."""

from __future__ import annotations

import hashlib
import uuid
from datetime import UTC, datetime
from pathlib import Path

from reconciler.local.azure_devops.model import LEVELS, Refusal, Repository, User, WorkItem
from reconciler.local.clock import Clock
from reconciler.local.github.git import Git, Person

ORGANIZATION = "contoso"
PROJECT = "platform"
MAINTAINER = "maintainer@contoso.com"
MACHINE = "reconciler@contoso.com"


class World:
    """The state. A maintainer and a machine user exist from the start; `url` is where it is."""

    def __init__(self, root: Path, clock: Clock, seed: int, url: str) -> None:
        self.root, self.clock = root, clock
        self.url = f"{url}/{ORGANIZATION}"
        self._seed, self._last_id = seed, 100
        self.users: dict[str, User] = {}
        self.repositories: dict[str, Repository] = {}
        self.tokens: dict[str, User] = {}
        self.bearers: dict[str, User] = {}
        self.work_items: dict[int, WorkItem] = {}
        self.board = self.hooks_shown = True
        self.markdown = True
        for name in (MAINTAINER, MACHINE):
            self.add_user(name)

    def new_id(self) -> int:
        self._last_id += 1
        return self._last_id

    def now(self) -> float:
        return self.clock.now()

    def secret(self, *words: object, length: int = 52) -> str:
        """A value that nobody guesses and that repeats with the seed."""
        text = "/".join(str(word) for word in (self._seed, *words))
        return hashlib.sha256(text.encode()).hexdigest()[:length]

    def guid(self, *words: object) -> str:
        return str(uuid.UUID(self.secret("guid", *words, length=32)))

    def person(self, user: User) -> Person:
        """A user as the author of a commit, now."""
        return Person(user.title, user.name, stamp(self.now()))

    # Users and tokens

    def add_user(self, name: str, title: str = "") -> User:
        """A new user, or the one who has this name."""
        found = self.users.get(name.lower())
        if found is None:
            found = User(self.guid("user", name.lower()), name, title or name.partition("@")[0])
            self.users[name.lower()] = found
        return found

    def user_of(self, number: str) -> User | None:
        return next((one for one in self.users.values() if one.id == number.lower()), None)

    def token_of(self, name: str) -> str:
        """A personal access token; always the same for one seed."""
        user = self.add_user(name)
        token = self.secret("token", user.name)
        self.tokens[token] = user
        return token

    def bearer_of(self, name: str) -> str:
        """A token as Entra would give one."""
        user = self.add_user(name)
        token = f"eyJ{self.secret('bearer', user.name, length=40)}"
        self.bearers[token] = user
        return token

    # Repositories

    async def add_repository(
        self, name: str, project: str = PROJECT, parent: Repository | None = None
    ) -> Repository:
        """An empty repository; ValueError when the name is taken."""
        full = f"{project}/{name}".lower()
        if full in self.repositories:
            raise ValueError(f"there is a repository {full}")
        number = self.guid("repository", full)
        made = Repository(
            number, project, self.guid("project", project.lower()), name,
            self.root / f"{number}.git", parent,
        )  # fmt: skip
        await Git(made.folder).create(made.default_branch)
        for one in (MAINTAINER, MACHINE):
            made.access[self.add_user(one).id] = (LEVELS["contribute"], 0)
        self.repositories[full] = made
        return made

    def repository(self, name: str, project: str = "") -> Repository:
        """By name and project, or by id. 404 when there is none."""
        for one in self.repositories.values():
            same = name.lower() in (one.id, one.name.lower())
            if same and project.lower() in ("", one.project.lower(), one.project_id):
                return one
        raise not_found(name)


def not_found(name: str) -> Refusal:
    why = f"TF401019: The Git repository with name or identifier {name} does not exist or you do"
    return Refusal(404, f"{why} not have permissions for it.", "GitRepositoryNotFoundException")


def stamp(at: float) -> str:
    """A time as Azure DevOps writes it."""
    return datetime.fromtimestamp(at, UTC).strftime("%Y-%m-%dT%H:%M:%S.%f0Z")
