"""What people do on the pages of Azure DevOps, and what a test needs to set up.

In process through the methods; over HTTP as `POST /_emulator/NAME` with the arguments as JSON.
Repositories are named `project/name`.
"""

from __future__ import annotations

import inspect
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from reconciler.local.azure_devops import policies
from reconciler.local.azure_devops.faults import Faults
from reconciler.local.azure_devops.model import JSON, LEVELS, Policy, Pull, Refusal, Repository
from reconciler.local.azure_devops.pulls import Site
from reconciler.local.azure_devops.world import MAINTAINER, PROJECT
from reconciler.local.github.git import NO_COMMIT, Git
from reconciler.local.github.traffic import Logged
from reconciler.local.github.wire import Reply, Request
from reconciler.local.traffic import Log

PREFIX = "/_emulator/"
Files = Mapping[str, str | None]


@dataclass
class Backdoor:
    """Direct access, without authentication or limits. ValueError for what does not exist."""

    site: Site
    faults: Faults
    log: Log[Logged]

    async def create_repository(
        self, name: str, files: Files | None = None, *, project: str = PROJECT,
        users: Mapping[str, str] | None = None,
    ) -> str:  # fmt: skip
        """A repository with a first commit on main; the full name. `users` are levels by name."""
        async with self.site.lock:
            repo = await self.site.world.add_repository(name, project)
        for user, level in (users or {}).items():
            self.allow(repo.full_name, user, level)
        await self.commit(repo.full_name, files or {"README.md": f"# {name}\n"}, "First commit")
        return repo.full_name

    def allow(self, repo: str, user: str, level: str, *, denied: int = 0, title: str = "") -> str:
        """Give somebody rights, and deny bits of them; a personal access token."""
        if level not in LEVELS:
            raise ValueError(f"a level is one of {', '.join(LEVELS)}")
        found = self.site.world.add_user(user, title)
        self._repo(repo).access[found.id] = (LEVELS[level], denied)
        return self.token(user)

    def contributor(self, repo: str, user: str) -> str:
        """Put somebody into the group that may contribute; a personal access token."""
        self._repo(repo).contributors.add(self.site.world.add_user(user).id)
        return self.token(user)

    def token(self, user: str) -> str:
        """A personal access token of a user, who is made if there is none."""
        return self.site.world.token_of(user)

    def bearer(self, user: str) -> str:
        """A token as Entra would give one."""
        return self.site.world.bearer_of(user)

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
            await self.site.pushed(found, ref, tip or NO_COMMIT, sha, user)
        return sha

    async def fork(self, repo: str, name: str) -> str:
        """A copy in the same project; its full name."""
        source = self._repo(repo)
        async with self.site.lock:
            made = await self.site.world.add_repository(name, source.project, source)
            await Git(made.folder).run(
                "fetch", "-q", str(source.folder), "+refs/heads/*:refs/heads/*"
            )
        return made.full_name

    async def open_pull(
        self, repo: str, branch: str, title: str, *, base: str = "main", fork: str = "",
        author: str = MAINTAINER, draft: bool = False,
    ) -> int:  # fmt: skip
        """Open a pull request from a branch of the repository or of a fork; its number."""
        found, source = self._repo(repo), self._repo(fork or repo)
        async with self.site.lock:
            user = self.site.world.add_user(author)
            refs = f"refs/heads/{branch}", f"refs/heads/{base}"
            return (await self.site.open(found, source, *refs, title, user, draft=draft)).id

    async def complete(
        self, repo: str, number: int, by: str = MAINTAINER, strategy: str = "noFastForward"
    ) -> str:
        """Press the button; the new head of the target."""
        async with self.site.lock:
            user = self.site.world.add_user(by)
            return await self.site.complete(self._pull(repo, number), user, strategy)

    def abandon(self, repo: str, number: int, by: str = MAINTAINER) -> None:
        self.site.abandon(self._pull(repo, number), self.site.world.add_user(by))

    def set_draft(self, repo: str, number: int, *, draft: bool) -> None:
        self._pull(repo, number).draft = draft

    def vote(self, repo: str, number: int, by: str, vote: int) -> None:
        """10 and 5 approve, 0 takes it back, -5 waits for the author, -10 rejects."""
        self.site.vote(self._pull(repo, number), self.site.world.add_user(by), vote)

    def comment(
        self, repo: str, number: int, text: str, by: str = MAINTAINER, thread: int = 0
    ) -> tuple[int, int]:
        """Comment in a new thread, or in one that is there; the numbers of both."""
        pull, user = self._pull(repo, number), self.site.world.add_user(by)
        if not thread:
            return self.site.thread(pull, user, text).id, 1
        found = next(one for one in pull.threads if one.id == thread)
        return thread, self.site.reply(pull, found, user, text, 1).id

    def protect(
        self, repo: str, *, branch: str = "main", approvals: int = 0, reset: bool = False,
        status: str = "",
    ) -> None:  # fmt: skip
        """Ask for approvals, which a push may take away, and for a status `genre/name`."""
        found, ref = self._repo(repo), f"refs/heads/{branch}"
        new_id = self.site.world.new_id
        if approvals:
            rules = {"minimumApproverCount": approvals, "resetOnSourcePush": reset}
            found.policies.append(Policy(new_id(), policies.REVIEWERS, ref, rules))
        if status:
            genre, _, name = status.partition("/")
            words = {"statusGenre": genre, "statusName": name}
            found.policies.append(Policy(new_id(), policies.STATUS, ref, words))

    def board(self, *, allowed: bool = True, markdown: bool = True) -> None:
        """Whether work items may be written, and whether their text can be Markdown."""
        self.site.world.board, self.site.world.markdown = allowed, markdown

    def show_hooks(self, *, allowed: bool) -> None:
        """Whether the service hooks of the project may be read."""
        self.site.world.hooks_shown = allowed

    def subscribe(
        self, url: str, secret: str = "", header: str = "X-Reconciler-Secret", user: str = "",
        password: str = "",
    ) -> str:  # fmt: skip
        """Send service hooks there."""
        login = (user, password) if user else None
        return self.site.hooks.subscribe(url, secret=secret, header=header, login=login)

    def deliver(self, *, drop: float = 0.0, double: float = 0.0) -> None:
        """How badly service hooks are delivered from now on: chances from 0 to 1."""
        self.site.hooks.drop, self.site.hooks.double = drop, double

    def add_faults(self, rules: list[dict[str, Any]]) -> None:
        self.faults.add(rules)

    def clear_faults(self) -> None:
        self.faults.clear()
        self.deliver()

    def requests(self) -> JSON:
        """The log: counts, and the newest."""
        newest = [asdict(entry) for entry in list(self.log.entries)[-1000:]]
        return {**self.log.summary(), "requests": newest}

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

    def _pull(self, repo: str, number: int) -> Pull:
        found = self._repo(repo).pulls.get(number)
        if found is None:
            raise ValueError(f"there is no pull request {number} in {repo}")
        return found


ACTIONS: Mapping[str, Any] = {
    name: method
    for name, method in vars(Backdoor).items()
    if inspect.isfunction(method) and not name.startswith("_") and name != "handle"
}
