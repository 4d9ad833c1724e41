"""What happens to pull requests: opened, pushed to, tried out, merged, closed."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from reconciler.local.github import shapes
from reconciler.local.github.events import Events
from reconciler.local.github.git import NO_COMMIT, Commit, Git, Person
from reconciler.local.github.model import (
    JSON,
    CheckSuite,
    Issue,
    Pull,
    Refusal,
    Repository,
    User,
)
from reconciler.local.github.rules import mergeable_state, missing
from reconciler.local.github.wire import invalid
from reconciler.local.github.world import World, stamp


@dataclass
class Pulls:
    """Keeps pull requests, their refs and their trial merges in step with the branches.

    `delay_s` is how long after a change GitHub does not know yet whether it can be merged.
    """

    world: World
    events: Events
    delay_s: float = 0.0

    # Opening

    async def open(
        self, repo: Repository, head: str, base: str, title: str, body: str | None, user: User,
        *, draft: bool = False,
    ) -> tuple[Issue, Pull]:  # fmt: skip
        """A new pull request; `head` is a branch or "owner:branch". 422 as GitHub refuses."""
        source, branch = self._source(repo, head)
        git = Git(repo.folder)
        head_sha = await Git(source.folder).resolve(f"refs/heads/{branch}")
        base_sha = await git.resolve(f"refs/heads/{base}")
        if head_sha is None or base_sha is None:
            raise invalid("PullRequest", "head" if head_sha is None else "base", "invalid")
        self._refuse_a_second(repo, source, branch, base)
        if source is not repo:
            await git.fetch(source.folder, head_sha)
        if await git.contains(base_sha, head_sha):
            why = f"No commits between {base} and {head}"
            raise invalid("PullRequest", "head", "custom", why)
        pull = Pull(source, branch, base, head_sha, base_sha, draft)
        issue = self.new_issue(repo, title, body, user, pull)
        await self.refresh(issue, pull)
        await self.tell("opened", issue, pull, user)
        return issue, pull

    def _source(self, repo: Repository, head: str) -> tuple[Repository, str]:
        login, colon, branch = head.partition(":")
        if not colon or login.lower() == repo.owner.login.lower():
            return repo, branch if colon else head
        forks = [r for r in self.world.repositories.values() if r.parent is repo]
        found = [fork for fork in forks if fork.owner.login.lower() == login.lower()]
        if not found:
            raise invalid("PullRequest", "head", "invalid")
        return found[0], branch

    def _refuse_a_second(self, repo: Repository, source: Repository, ref: str, base: str) -> None:
        for issue, pull in repo.pulls():
            same = (pull.head_repo, pull.head_ref, pull.base_ref) == (source, ref, base)
            if same and issue.state == "open":
                name = f"{source.owner.login}:{ref}"
                why = f"A pull request already exists for {name}."
                raise invalid("PullRequest", "head", "custom", why)

    def new_issue(
        self, repo: Repository, title: str, body: str | None, user: User, pull: Pull | None = None
    ) -> Issue:
        """The next number of a repository: issues and pull requests count together."""
        number, now = max(repo.issues, default=0) + 1, self.world.now()
        issue = Issue(self.world.new_id(), number, repo, title, body, user, now, now, pull=pull)
        repo.issues[number] = issue
        return issue

    # Following the branches

    async def pushed(
        self, repo: Repository, ref: str, before: str, after: str, sender: User
    ) -> None:
        """A ref moved: tell, and bring what depends on it up to date."""
        if before == after or not ref.startswith(("refs/heads/", "refs/tags/")):
            return
        repo.pushed = self.world.now()
        await self.events.push(repo, ref, before, after, sender)
        if not ref.startswith("refs/heads/"):
            return
        branch = ref.removeprefix("refs/heads/")
        if after != NO_COMMIT and self.world.installed(repo):
            await self.events.check_suite(
                "requested", repo, self.suite(repo, after, branch), sender
            )
        for target in [r for r in self.world.repositories.values() if r in (repo, repo.parent)]:
            for issue, pull in target.pulls():
                if issue.state == "open":
                    await self._follow(issue, pull, (repo, branch), after, sender)

    async def _follow(
        self, issue: Issue, pull: Pull, moved: tuple[Repository, str], after: str, sender: User
    ) -> None:
        is_head = moved == (pull.head_repo, pull.head_ref)
        if not is_head and moved != (issue.repo, pull.base_ref):
            return
        git = Git(issue.repo.folder)
        if after == NO_COMMIT:
            await self.close(issue, pull, sender)
        elif is_head:
            before, pull.head_sha = pull.head_sha, after
            if pull.head_repo is not issue.repo:
                await git.fetch(pull.head_repo.folder, after)
            issue.updated = self.world.now()
            await self.refresh(issue, pull)
            await self.tell("synchronize", issue, pull, sender, before=before, after=after)
        elif await git.contains(after, pull.head_sha):
            await self._merged(issue, pull, after, sender)
        else:
            pull.base_sha = after
            await self.refresh(issue, pull)

    async def refresh(self, issue: Issue, pull: Pull) -> None:
        """Bring `refs/pull/N/head` up to date, and `refs/pull/N/merge` unless it conflicts."""
        git, refs = Git(issue.repo.folder), f"refs/pull/{issue.number}"
        await git.update_ref(f"{refs}/head", pull.head_sha)
        tree = await git.merged_tree(pull.base_sha, pull.head_sha)
        pull.mergeable, pull.computed = tree is not None, self.world.now() + self.delay_s
        if tree is None:
            # What the ref and merge_commit_sha are during a conflict is not documented: the ref
            # stays, the attribute is null.
            pull.merge_commit = None
            return
        message = f"Merge {pull.head_sha} into {pull.base_sha}"
        parents = (pull.base_sha, pull.head_sha)
        author = self.world.person(issue.user)
        pull.merge_commit = await git.write_commit(tree, parents, message, author, self._web())
        await git.update_ref(f"{refs}/merge", pull.merge_commit)

    def suite(self, repo: Repository, sha: str, branch: str | None) -> CheckSuite:
        """The App's check suite of a commit, made when there is none."""
        for found in repo.suites:
            if found.sha == sha:
                return found
        now = self.world.now()
        made = CheckSuite(self.world.new_id(), sha, branch, self.world.app, now, now)
        repo.suites.append(made)
        return made

    # Ending

    async def close(self, issue: Issue, pull: Pull | None, by: User) -> None:
        """Close without merging."""
        now = self.world.now()
        issue.state, issue.closed, issue.closed_by, issue.updated = "closed", now, by, now
        if pull is not None:
            await self.tell("closed", issue, pull, by)

    async def reopen(self, issue: Issue, pull: Pull, by: User) -> None:
        """Open again; 422 when it was merged or its branch is gone."""
        head = await Git(pull.head_repo.folder).resolve(f"refs/heads/{pull.head_ref}")
        if pull.merged is not None or head is None:
            raise invalid("PullRequest", "state", "invalid", "state cannot be changed.")
        base = await Git(issue.repo.folder).resolve(f"refs/heads/{pull.base_ref}")
        if pull.head_repo is not issue.repo:
            await Git(issue.repo.folder).fetch(pull.head_repo.folder, head)
        pull.head_sha, pull.base_sha = head, base or pull.base_sha
        issue.state, issue.closed, issue.closed_by = "open", None, None
        issue.updated = self.world.now()
        await self.refresh(issue, pull)
        await self.tell("reopened", issue, pull, by)

    async def edit(self, issue: Issue, pull: Pull, by: User, title: str, body: str | None) -> None:
        """Change the words of a pull request."""
        changes = {
            name: {"from": old or ""}
            for name, old, new in (("title", issue.title, title), ("body", issue.body, body))
            if old != new
        }
        issue.title, issue.body, issue.updated = title, body, self.world.now()
        if changes:
            await self.tell("edited", issue, pull, by, changes=changes)

    async def set_draft(self, issue: Issue, pull: Pull, by: User, *, draft: bool) -> None:
        """Draft or ready for review: in GitHub's GraphQL API and its pages only, not in REST."""
        if pull.draft != draft:
            pull.draft, issue.updated = draft, self.world.now()
            action = "converted_to_draft" if draft else "ready_for_review"
            await self.tell(action, issue, pull, by)

    async def merge(
        self, issue: Issue, pull: Pull, by: User, *, method: str = "merge",
        title: str | None = None, message: str | None = None, sha: str | None = None,
    ) -> str:  # fmt: skip
        """Merge, and answer with the new head of the base. 405 or 409 as GitHub refuses."""
        self._refuse_merge(issue, pull, by, sha)
        git = Git(issue.repo.folder)
        body = issue.title if message is None else message
        if method == "merge":
            subject = title or f"Merge pull request #{issue.number} from {_label(pull)}"
            made = await self._merge(git, pull, by, f"{subject}\n\n{body}")
        elif method == "squash":
            subject = title or f"{issue.title} (#{issue.number})"
            made = await self._squash(git, pull, issue.user, f"{subject}\n\n{message or ''}")
        else:
            made = await self._rebase(git, pull, by)
        before = pull.base_sha
        await git.update_ref(f"refs/heads/{pull.base_ref}", made, before)
        await self._merged(issue, pull, made, by)
        await self.pushed(issue.repo, f"refs/heads/{pull.base_ref}", before, made, by)
        return made

    def _refuse_merge(self, issue: Issue, pull: Pull, by: User, sha: str | None) -> None:
        if sha is not None and sha != pull.head_sha:
            raise Refusal(409, "Head branch was modified. Review and try the merge again.")
        if issue.state != "open" or not pull.mergeable:
            raise Refusal(405, "Pull Request is not mergeable")
        if pull.draft:
            raise Refusal(405, "Pull Request is still a draft")
        if why := missing(self.world, issue, pull, by):
            raise Refusal(405, why)

    async def _merge(self, git: Git, pull: Pull, by: User, message: str) -> str:
        tree = await self._tree(git, pull.base_sha, pull.head_sha)
        parents = (pull.base_sha, pull.head_sha)
        return await git.write_commit(tree, parents, message, self.world.person(by), self._web())

    async def _squash(self, git: Git, pull: Pull, author: User, message: str) -> str:
        tree = await self._tree(git, pull.base_sha, pull.head_sha)
        who = self.world.person(author)
        return await git.write_commit(tree, (pull.base_sha,), message, who, self._web())

    async def _rebase(self, git: Git, pull: Pull, by: User) -> str:
        tip = pull.base_sha
        selection = (
            "--reverse",
            "--topo-order",
            "--no-merges",
            f"{pull.base_sha}..{pull.head_sha}",
        )
        for commit in await git.log(*selection):
            tip = await self._replay(git, commit, tip, by)
        return tip

    async def _replay(self, git: Git, commit: Commit, onto: str, by: User) -> str:
        # A commit with the tip's tree and the replayed commit's parent makes that parent the
        # merge base: `merge-tree --merge-base` is newer than Debian's git.
        parent = (await git.commit(onto)).tree
        who = self.world.person(by)
        ours = await git.write_commit(parent, commit.parents[:1], "onto", who)
        tree = await self._tree(git, ours, commit.sha)
        return await git.write_commit(tree, (onto,), commit.message, commit.author, who)

    async def _tree(self, git: Git, ours: str, theirs: str) -> str:
        tree = await git.merged_tree(ours, theirs)
        if tree is None:
            raise Refusal(405, "This branch can't be rebased due to conflicts")
        return tree

    async def _merged(self, issue: Issue, pull: Pull, commit: str, by: User) -> None:
        now = self.world.now()
        pull.merged, pull.merged_by, pull.merge_commit = now, by, commit
        issue.state, issue.closed, issue.closed_by, issue.updated = "closed", now, by, now
        # Whether the trial merge stays after the real one is not documented.
        await Git(issue.repo.folder).delete_ref(f"refs/pull/{issue.number}/merge")
        await self.tell("closed", issue, pull, by)

    # Showing

    def state(self, issue: Issue, pull: Pull) -> str:
        """What GitHub calls `mergeable_state`."""
        if issue.state != "open" or self.world.now() < pull.computed:
            return "unknown"
        return mergeable_state(self.world, issue, pull)

    async def shape(self, issue: Issue, pull: Pull) -> JSON:
        """The pull request as the API answers it."""
        git = Git(issue.repo.folder)
        base = await self.fork_point(issue, pull)
        files = await git.diff(base, pull.head_sha)
        commits = await git.count(f"{base}..{pull.head_sha}")
        sums = [sum(getattr(f, name) for f in files) for name in ("additions", "deletions")]
        counts = (commits, len(files), sums[0], sums[1])
        return shapes.pull_full(self.world, issue, pull, counts, self.state(issue, pull))

    async def fork_point(self, issue: Issue, pull: Pull) -> str:
        """Where the head left the base, as it was before a merge."""
        git = Git(issue.repo.folder)
        return await git.merge_base(pull.base_sha, pull.head_sha) or pull.base_sha

    async def tell(self, action: str, issue: Issue, pull: Pull, by: User, **more: Any) -> None:
        self.events.pull(action, issue.repo, by, await self.shape(issue, pull), **more)

    def _web(self) -> Person:
        return Person("GitHub", "noreply@github.com", stamp(self.world.now()))


def _label(pull: Pull) -> str:
    return f"{pull.head_repo.owner.login}/{pull.head_ref}"
