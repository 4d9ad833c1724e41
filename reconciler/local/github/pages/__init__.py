"""Pages for people: issues and pull requests as they would see them."""

from __future__ import annotations

import re
from dataclasses import dataclass
from urllib.parse import quote

from reconciler.local.github.api import Api
from reconciler.local.github.git import Git
from reconciler.local.github.model import CheckRun, Issue, Pull, Repository
from reconciler.local.github.pages import conversation, forms
from reconciler.local.github.pages.acting import Acting
from reconciler.local.github.pages.layout import box, document, link
from reconciler.local.github.pages.source import BLOB, source
from reconciler.local.github.rules import latest_statuses
from reconciler.local.github.site import Site
from reconciler.local.github.wire import Reply, Request

REPOSITORY = re.compile(
    r"/(?P<owner>[^/]+)/(?P<name>[^/]+)"
    r"(?:/(?P<kind>\w+)(?:/(?P<number>\d+)|/new/(?P<branch>.+))?)?"
)
HTML = {
    "Content-Type": "text/html; charset=utf-8",
    "Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'; img-src 'self'; "
    "form-action 'self'; frame-ancestors 'none'",
}


@dataclass
class Pages:
    """Everybody who reaches the emulator may look, at private repositories too, and act as
    anybody."""

    site: Site
    api: Api

    async def handle(self, request: Request) -> Reply:
        """The page, or a page that says 404; of a form, what came of it."""
        if request.method == "POST":
            return await Acting(self.api).handle(request)
        async with self.site.lock:
            found = await self._page(request.path)
        if found is None:
            return Reply(404, document("Not found", "<h1>Not found</h1>"), dict(HTML))
        title, parts = found
        return Reply(200, document(title, *parts), dict(HTML))

    async def _page(self, path: str) -> tuple[str, list[str]] | None:
        if path in ("", "/"):
            return "Repositories", [self._repositories()]
        if blob := BLOB.fullmatch(path):
            return await self._source(blob)
        match = REPOSITORY.fullmatch(path.rstrip("/"))
        repo = self.site.world.repository(match["owner"], match["name"]) if match else None
        if match is None or repo is None:
            return None
        if match["branch"] is not None:
            return await self._new(repo, match["branch"]) if match["kind"] == "pull" else None
        if match["number"] is None:
            return await self._index(repo) if match["kind"] in (None, "pulls", "issues") else None
        number = int(match["number"])
        if match["kind"] == "runs":
            return self._run(repo, number)
        issue = repo.issues.get(number)
        if issue is None or match["kind"] not in ("pull", "issues"):
            return None
        return await self._issue(repo, issue)

    async def _source(self, match: re.Match[str]) -> tuple[str, list[str]] | None:
        repo = self.site.world.repository(match["owner"], match["name"])
        found = await source(repo, match["commit"], match["path"]) if repo else None
        if repo is None or found is None:
            return None
        return match["path"], [f"<p>{_crumbs(repo)}</p>", found]

    def _repositories(self) -> str:
        found = self.site.world.repositories.values()
        rows = [f'<div class="row">{_crumbs(repo)}</div>' for repo in found]
        return "<h1>Repositories</h1>" + box("All", *rows)

    async def _index(self, repo: Repository) -> tuple[str, list[str]]:
        issues = list(repo.issues.values())
        parts = [f"<h1>{_crumbs(repo)}</h1>"]
        taken = {pull.head_ref for issue, pull in repo.pulls() if pull.head_repo is repo}
        refs = await Git(repo.folder).refs()
        branches = {ref.removeprefix("refs/heads/") for ref in refs} - taken - {repo.default_branch}
        if branches:
            rows = (f'<div class="row">{_to_open(repo, one)}</div>' for one in sorted(branches))
            parts.append(box("Branches", *rows))
        for title, is_pull in (("Pull requests", True), ("Issues", False)):
            chosen = [issue for issue in issues if (issue.pull is not None) == is_pull]
            parts.append(box(title, conversation.index(chosen, _path(repo))))
        return repo.full_name, parts

    async def _new(self, repo: Repository, branch: str) -> tuple[str, list[str]] | None:
        git = Git(repo.folder)
        head, base = [
            await git.resolve(f"refs/heads/{one}") for one in (branch, repo.default_branch)
        ]
        fork = await git.merge_base(base, head) if base and head else None
        if head is None or fork is None:
            return None
        made = await git.log("--reverse", "--topo-order", f"{fork}..{head}")
        title = made[-1].message.splitlines()[0] if made else branch
        who = forms.people(self.site.world, repo)
        parts = [f"<h1>{_crumbs(repo)}</h1>", forms.opening(repo, branch, title, who)]
        parts += [conversation.commits(made), conversation.files(await git.diff(fork, head), [])]
        return f"Open a pull request · {branch}", parts

    async def _issue(self, repo: Repository, issue: Issue) -> tuple[str, list[str]]:
        where = _path(repo)
        opening = conversation.said(issue.user, issue.created, issue.body, where, issue.reactions)
        parts = [f"<p>{_crumbs(repo)}</p>", conversation.heading(issue), opening]
        parts += [conversation.comment(one, where) for one in issue.comments]
        if issue.pull is not None:
            parts += await self._pull(repo, issue, issue.pull)
        else:
            parts.append(self._form(issue))
        return f"{issue.title} · #{issue.number}", parts

    async def _pull(self, repo: Repository, issue: Issue, pull: Pull) -> list[str]:
        git, where = Git(repo.folder), _path(repo)
        fork = await self.site.pulls.fork_point(issue, pull)
        newest = {
            run.name: run for run in reversed(self.site.world.check_runs(repo, pull.head_sha))
        }
        runs, statuses = list(newest.values()), latest_statuses(repo, pull.head_sha)
        notes = [note for run in runs for note in run.annotations]
        state = self.site.pulls.state(issue, pull)
        parts = []
        if issue.state == "open" or runs or statuses:
            parts.append(conversation.checks(runs, statuses, state, where))
        parts.append(self._form(issue))
        made = await git.log("--reverse", "--topo-order", f"{fork}..{pull.head_sha}")
        changed = await git.diff(fork, pull.head_sha)
        return [*parts, conversation.commits(made), conversation.files(changed, notes)]

    def _form(self, issue: Issue) -> str:
        return forms.conversation(issue, forms.people(self.site.world, issue.repo))

    def _run(self, repo: Repository, number: int) -> tuple[str, list[str]] | None:
        runs: list[CheckRun] = [run for suite in repo.suites for run in suite.runs]
        found = next((run for run in runs if run.id == number), None)
        if found is None:
            return None
        return found.name, [f"<p>{_crumbs(repo)}</p>", conversation.run_page(found, _path(repo))]


def _path(repo: Repository) -> str:
    return f"/{repo.full_name}"


def _crumbs(repo: Repository) -> str:
    return link("/", repo.owner.login) + " / " + link(_path(repo), repo.name)


def _to_open(repo: Repository, branch: str) -> str:
    return link(f"{_path(repo)}/pull/new/{quote(branch)}", f"Open a pull request from {branch}")
