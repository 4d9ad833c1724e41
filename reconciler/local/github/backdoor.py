"""What people do on GitHub's pages, and what a test or a demo needs to set up.

In process through the methods; over HTTP as `POST /_emulator/NAME` with the arguments as JSON.
"""

from __future__ import annotations

import inspect
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from reconciler.local.github.faults import Faults
from reconciler.local.github.git import NO_COMMIT, Git
from reconciler.local.github.hooks import Mischief
from reconciler.local.github.limits import Limits
from reconciler.local.github.model import (
    JSON,
    LEVELS,
    Issue,
    Protection,
    Pull,
    Refusal,
    Repository,
    Ruleset,
)
from reconciler.local.github.site import Site
from reconciler.local.github.traffic import Logged
from reconciler.local.github.wire import Reply, Request
from reconciler.local.github.world import MAINTAINER
from reconciler.local.traffic import Log

PREFIX = "/_emulator/"
Files = Mapping[str, str | None]


@dataclass
class Backdoor:
    """Direct access, without authentication or limits. ValueError for what does not exist."""

    site: Site
    faults: Faults
    limits: Limits
    log: Log[Logged]

    async def create_repository(
        self, name: str, files: Files | None = None, *, owner: str | None = None,
        private: bool = False, users: Mapping[str, str] | None = None,
    ) -> str:  # fmt: skip
        """A repository with a first commit on main; the full name. `users` are levels by login."""
        world = self.site.world
        account = world.add_user(owner) if owner else world.owner
        async with self.site.lock:
            repo = await world.add_repository(name, owner=account, private=private)
        for login, level in (users or {}).items():
            self.allow(repo.full_name, login, level)
        await self.commit(repo.full_name, files or {"README.md": f"# {name}\n"}, "First commit")
        return repo.full_name

    def allow(self, repo: str, login: str, level: str) -> str:
        """Give somebody a permission level; their token."""
        if level not in LEVELS:
            raise ValueError(f"a level is one of {', '.join(LEVELS)}")
        self._repo(repo).access[self.site.world.add_user(login).login] = level
        return self.token(login)

    def token(self, login: str) -> str:
        """A token of a user, who is made if there is none."""
        return self.site.world.token_of(login)

    async def commit(
        self, repo: str, files: Files, message: str = "Change", *, branch: str = "main",
        author: str = MAINTAINER, force_from: str | None = None,
    ) -> str:  # fmt: skip
        """Push a commit that changes these files (null removes); its sha.

        A new branch starts at the default branch; `force_from` throws away what came after it.
        """
        found, user = self._repo(repo), self.site.world.add_user(author)
        git, ref = Git(found.folder), f"refs/heads/{branch}"
        async with self.site.lock:
            tip = await git.resolve(ref)
            start = force_from or tip or await git.resolve(f"refs/heads/{found.default_branch}")
            tree = await git.write_tree(start, files)
            parents = [start] if start else []
            sha = await git.write_commit(tree, parents, message, self.site.world.person(user))
            await git.update_ref(ref, sha)
            await self.site.pulls.pushed(found, ref, tip or NO_COMMIT, sha, user)
        return sha

    async def fork(self, repo: str, login: str) -> str:
        """A copy of somebody's own; its full name."""
        source, user = self._repo(repo), self.site.world.add_user(login)
        async with self.site.lock:
            made = await self.site.world.add_repository(source.name, owner=user, parent=source)
            refs = "+refs/heads/*:refs/heads/*"
            await Git(made.folder).run("fetch", "-q", str(source.folder), refs)
        return made.full_name

    async def open_pull(
        self, repo: str, head: str, title: str, *, body: str | None = None, base: str = "main",
        author: str = MAINTAINER, draft: bool = False,
    ) -> int:  # fmt: skip
        """Open a pull request from a branch, or "login:branch" of a fork; its number."""
        user = self.site.world.add_user(author)
        async with self.site.lock:
            issue, _ = await self.site.pulls.open(
                self._repo(repo), head, base, title, body, user, draft=draft
            )
        return issue.number

    async def merge(
        self, repo: str, number: int, by: str = MAINTAINER, method: str = "merge"
    ) -> str:
        """Press the button; the new head of the base."""
        issue, pull = self._pull(repo, number)
        user = self.site.world.add_user(by)
        async with self.site.lock:
            return await self.site.pulls.merge(issue, pull, user, method=method)

    async def set_draft(self, repo: str, number: int, *, draft: bool, by: str = MAINTAINER) -> None:
        """Make it a draft, or ready for review."""
        issue, pull = self._pull(repo, number)
        async with self.site.lock:
            user = self.site.world.add_user(by)
            await self.site.pulls.set_draft(issue, pull, user, draft=draft)

    def protect(
        self, repo: str, contexts: list[str], *, branch: str = "main", approvals: int | None = None,
        enforce_admins: bool = True,
    ) -> None:  # fmt: skip
        """Ask for checks, and approvals, before anything is merged into a branch."""
        rules = Protection(tuple(contexts), False, enforce_admins, approvals)
        self._repo(repo).protections[branch] = rules

    def ruleset(
        self, repo: str, contexts: list[str], *, branch: str = "main", app: bool = False
    ) -> None:
        """Ask for checks, of the App alone or from any source; nobody passes a ruleset by."""
        rules = Ruleset(tuple(contexts), self.site.world.app.id if app else None)
        self._repo(repo).rulesets[branch] = rules

    def webhook(self, url: str, secret: str | None = None) -> None:
        """Where the App's events go."""
        hook = self.site.hooks.app_hook
        hook.url, hook.secret = url, hook.secret if secret is None else secret

    def deliver(self, **mischief: float) -> None:
        """How badly webhooks are delivered from now on: the members of `Mischief`."""
        self.site.hooks.mischief = Mischief.of(mischief)

    def add_faults(self, rules: list[dict[str, Any]]) -> None:
        self.faults.add(rules)

    def clear_faults(self) -> None:
        self.faults.clear()
        self.site.hooks.mischief = Mischief()

    def requests(self) -> JSON:
        """The log: counts, and the newest."""
        newest = [asdict(entry) for entry in list(self.log.entries)[-1000:]]
        return {**self.log.summary(), "limited": self.limits.refused, "requests": newest}

    async def handle(self, request: Request) -> Reply:
        """Answer a request over HTTP with what the method gives back, under "result"."""
        method = ACTIONS.get(request.path.removeprefix(PREFIX))
        if request.method != "POST" or method is None:
            return Reply(404, {"error": f"one of: {', '.join(sorted(ACTIONS))}"})
        try:
            result = method(self, **request.body)
            if inspect.isawaitable(result):
                result = await result
        except Refusal as refusal:
            return Reply(refusal.status, refusal.body)
        except (ValueError, TypeError) as error:
            return Reply(400, {"error": str(error)})
        return Reply(200, {"result": result})

    def _repo(self, name: str) -> Repository:
        found = self.site.world.repositories.get(name.lower())
        if found is None:
            raise ValueError(f"there is no repository {name}")
        return found

    def _pull(self, repo: str, number: int) -> tuple[Issue, Pull]:
        issue = self._repo(repo).issues.get(number)
        if issue is None or issue.pull is None:
            raise ValueError(f"there is no pull request {number} in {repo}")
        return issue, issue.pull


ACTIONS: Mapping[str, Any] = {
    name: method
    for name, method in vars(Backdoor).items()
    if inspect.isfunction(method) and not name.startswith("_") and name != "handle"
}
