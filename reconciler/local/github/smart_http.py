"""Git over HTTP, by git's own `http-backend`; whoever pushes moves pull requests."""

from __future__ import annotations

import asyncio
import re
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

from reconciler.local.github import auth
from reconciler.local.github.git import NO_COMMIT, Git, environment
from reconciler.local.github.model import LEVELS, Caller, Refusal, Repository
from reconciler.local.github.site import Site
from reconciler.local.github.wire import Reply, Request

PATH = re.compile(
    r"/(?P<owner>[^/]+)/(?P<repo>[^/]+?)(?:\.git)?"
    r"/(?P<rest>info/refs|git-upload-pack|git-receive-pack)"
)
FLUSH = b"0000"
CHALLENGE = {"WWW-Authenticate": 'Basic realm="GitHub"', "Content-Type": "text/plain"}


@dataclass
class SmartHttp:
    """The repositories for clients of Git."""

    site: Site

    def takes(self, path: str) -> bool:
        """Whether this is for Git."""
        return PATH.fullmatch(path) is not None

    async def handle(self, request: Request) -> tuple[Reply, Caller]:
        """The answer of `git http-backend`, or 401, 403 or 404."""
        match = PATH.fullmatch(request.path)
        assert match is not None
        writes = "git-receive-pack" in (match["rest"], request.query.get("service", ""))
        caller = Caller()
        try:
            caller = auth.caller_of(self.site.world, request.headers.get("authorization", ""))
            repo = self._repository(match["owner"], match["repo"], caller, writes=writes)
        except Refusal as refusal:
            headers = CHALLENGE if refusal.status == 401 else {"Content-Type": "text/plain"}
            return Reply(refusal.status, refusal.body["message"].encode(), dict(headers)), caller
        if match["rest"] == "git-receive-pack":
            return await self._receive(request, repo, match["rest"], caller), caller
        return await backend(request, repo.folder, match["rest"]), caller

    def _repository(self, owner: str, name: str, caller: Caller, *, writes: bool) -> Repository:
        repo = self.site.world.repository(owner, name)
        anonymous = caller.user is None
        level = auth.level_of(self.site.world, caller, repo) if repo else "none"
        if level == "none" or (writes and anonymous):
            status, why = (401, "Repository not found.") if anonymous else (404, "Not found.")
            raise Refusal(status, why)
        if writes and LEVELS.index(level) < LEVELS.index("write"):
            raise Refusal(403, f"Permission to {owner}/{name}.git denied to {caller.key}.")
        assert repo is not None
        return repo

    async def _receive(self, request: Request, repo: Repository, rest: str, by: Caller) -> Reply:
        git, made = Git(repo.folder), list[str]()
        async with self.site.lock:
            before = await git.refs("refs/")
            reply = await backend(request, repo.folder, rest)
            after = await git.refs("refs/")
            for ref in sorted(before.keys() | after.keys()):
                old, new = (refs.get(ref, NO_COMMIT) for refs in (before, after))
                if old != new:
                    await self.site.pulls.pushed(repo, ref, old, new, by.actor)
                if old == NO_COMMIT and ref.startswith("refs/heads/"):
                    made.append(ref.removeprefix("refs/heads/"))
        for branch in made:
            if branch != repo.default_branch:
                reply.body = told(reply.body, _invitation(self.site.world.url, repo, branch))
        return reply


def _invitation(url: str, repo: Repository, branch: str) -> str:
    """What GitHub says to whoever pushed a new branch. The wording is not documented."""
    page = f"{url}/{repo.full_name}/pull/new/{quote(branch)}"
    return f"\nCreate a pull request for '{branch}' on GitHub by visiting:\n     {page}\n\n"


def told(content: bytes, text: str) -> bytes:
    """An answer to a push with a text for the person, where the client takes one: in the second
    side band. https://git-scm.com/docs/gitprotocol-common, https://git-scm.com/docs/gitprotocol-pack
    """
    if content[4:5] not in (b"\1", b"\2") or not content.endswith(FLUSH):
        return content
    line = b"\2" + text.encode()
    return content.removesuffix(FLUSH) + b"%04x" % (len(line) + 4) + line + FLUSH


async def backend(request: Request, folder: Path, rest: str) -> Reply:
    """The answer of `git http-backend` about the repository in a folder."""
    env = environment(
        {
            "GIT_PROJECT_ROOT": str(folder),
            "GIT_HTTP_EXPORT_ALL": "1",
            "PATH_INFO": f"/{rest}",
            "QUERY_STRING": "&".join(f"{k}={v}" for k, v in request.query.items()),
            "REQUEST_METHOD": request.method,
            "CONTENT_TYPE": request.headers.get("content-type", ""),
            "CONTENT_LENGTH": str(len(request.content)),
            "GIT_PROTOCOL": request.headers.get("git-protocol", ""),
        }
    )
    process = await asyncio.create_subprocess_exec(
        *("git", "http-backend"),
        env=env,
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.DEVNULL,
    )
    output, _ = await process.communicate(request.content)
    head, _, content = output.partition(b"\r\n\r\n")
    pairs = [line.partition(": ") for line in head.decode().splitlines()]
    headers = {name: value for name, _, value in pairs}
    return Reply(int(headers.pop("Status", "200").split()[0]), content, headers)
