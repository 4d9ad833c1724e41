"""Git over HTTP, by git's own `http-backend`; whoever pushes moves pull requests."""

from __future__ import annotations

import re
from dataclasses import dataclass

from reconciler.local.azure_devops import auth
from reconciler.local.azure_devops.model import (
    GENERIC_CONTRIBUTE,
    GENERIC_READ,
    Refusal,
    Repository,
    User,
)
from reconciler.local.azure_devops.pulls import Site
from reconciler.local.azure_devops.wire import denied
from reconciler.local.azure_devops.world import not_found
from reconciler.local.github.git import NO_COMMIT, Git
from reconciler.local.github.smart_http import backend
from reconciler.local.github.wire import Reply, Request

# The project is left out for the repository that has its name.
PATH = re.compile(
    r"(?:/(?P<project>[^/]+))?/_git/(?P<repo>[^/]+)"
    r"/(?P<rest>info/refs|git-upload-pack|git-receive-pack)"
)
CHALLENGE = {"WWW-Authenticate": 'Basic realm="Azure DevOps"', "Content-Type": "text/plain"}


@dataclass
class SmartHttp:
    """The repositories for clients of Git."""

    site: Site

    def takes(self, path: str) -> bool:
        return PATH.fullmatch(path) is not None

    async def handle(self, request: Request) -> tuple[Reply, User | None]:
        """The answer of `git http-backend`, or 401, 403 or 404."""
        match = PATH.fullmatch(request.path)
        assert match is not None
        writes = "git-receive-pack" in (match["rest"], request.query.get("service", ""))
        caller = auth.caller_of(self.site.world, request.headers.get("authorization", ""))
        if caller is None:
            return Reply(401, b"", dict(CHALLENGE)), None
        try:
            project = match["project"] or match["repo"]
            repo = self.site.world.repository(match["repo"], project)
            if not repo.may(caller, GENERIC_READ):
                raise not_found(match["repo"])
            if writes and not repo.may(caller, GENERIC_CONTRIBUTE):
                raise denied("GenericContribute", repo)
        except Refusal as refusal:
            text = {"Content-Type": "text/plain"}
            return Reply(refusal.status, refusal.body["message"].encode(), text), caller
        if match["rest"] == "git-receive-pack":
            return await self._receive(request, repo, match["rest"], caller), caller
        return await backend(request, repo.folder, match["rest"]), caller

    async def _receive(self, request: Request, repo: Repository, rest: str, by: User) -> Reply:
        git = Git(repo.folder)
        async with self.site.lock:
            before = await git.refs("refs/")
            reply = await backend(request, repo.folder, rest)
            after = await git.refs("refs/")
            for ref in sorted(before.keys() | after.keys()):
                old, new = (refs.get(ref, NO_COMMIT) for refs in (before, after))
                if old != new:
                    await self.site.pushed(repo, ref, old, new, by)
        return reply
