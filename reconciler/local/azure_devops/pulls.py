"""What happens to pull requests: opened, pushed to, tried out, voted on, completed, abandoned."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field

from reconciler.local.azure_devops import policies
from reconciler.local.azure_devops.hooks import Hooks
from reconciler.local.azure_devops.model import (
    Comment,
    Iteration,
    Pull,
    Refusal,
    Repository,
    Thread,
    User,
)
from reconciler.local.azure_devops.world import World
from reconciler.local.github.git import NO_COMMIT, Git

VOTES = (10, 5, 0, -5, -10)


@dataclass
class Site:
    """The parts, put together. Whoever changes anything holds `lock`.

    `delay_s` is how long after a change it is not known yet whether a pull request merges.
    """

    world: World
    hooks: Hooks
    delay_s: float = 0.0
    lock: asyncio.Lock = field(default_factory=asyncio.Lock)

    async def open(
        self, repo: Repository, source: Repository, source_ref: str, target_ref: str, title: str,
        author: User, *, draft: bool = False,
    ) -> Pull:  # fmt: skip
        """A new pull request. 400 or 409 as Azure Repos refuses."""
        git = Git(repo.folder)
        head = await Git(source.folder).resolve(source_ref)
        base = await git.resolve(target_ref)
        if head is None or base is None:
            raise Refusal(400, "TF401398: The pull request cannot be activated because a branch no "
                          "longer exists.", "GitPullRequestNotEditableException")  # fmt: skip
        for one in repo.pulls.values():
            same = (one.source, one.source_ref, one.target_ref) == (source, source_ref, target_ref)
            if same and one.status == "active":
                raise Refusal(409, "TF401179: An active pull request for the source and target "
                              "branch already exists.")  # fmt: skip
        pull = Pull(
            self.world.new_id(), repo, source, source_ref, target_ref, title, author,
            self.world.now(), draft,
        )  # fmt: skip
        repo.pulls[pull.id] = pull
        await self._follow(pull, head, base, author)
        self.hooks.pull("created", pull, f"{author.title} created a new pull request")
        return pull

    async def pushed(self, repo: Repository, ref: str, old: str, new: str, by: User) -> None:
        """A ref moved: tell, and bring what depends on it up to date."""
        if old == new or not ref.startswith(("refs/heads/", "refs/tags/")):
            return
        self.hooks.push(repo, ref, old, new, by)
        for target in self.world.repositories.values():
            for pull in target.pulls.values():
                if pull.status != "active" or new == NO_COMMIT:
                    continue
                if (pull.source, pull.source_ref) == (repo, ref):
                    await self._follow(pull, new, pull.base, by)
                    policies.pushed(pull)
                    self.hooks.pull("updated", pull, f"{by.title} updated the source branch")
                elif (pull.repo, pull.target_ref) == (repo, ref):
                    await self._try(pull, pull.head, new)

    async def _follow(self, pull: Pull, head: str, base: str, by: User) -> None:
        git = Git(pull.repo.folder)
        if pull.source is not pull.repo:
            await git.fetch(pull.source.folder, head)
        common = await git.merge_base(base, head) or base
        number = len(pull.iterations) + 1
        pull.iterations.append(Iteration(number, by, head, base, common, self.world.now()))
        await self._try(pull, head, base)

    async def _try(self, pull: Pull, head: str, base: str) -> None:
        """Merge it on trial: `refs/pull/N/merge` is what came of it, unless it conflicts."""
        git = Git(pull.repo.folder)
        pull.head, pull.base = head, base
        pull.computed = self.world.now() + self.delay_s
        tree = await git.merged_tree(base, head)
        pull.merge_status = "conflicts" if tree is None else "succeeded"
        if tree is not None:
            pull.merge_commit = await self._commit(git, tree, (base, head), pull, pull.author)
            await git.update_ref(f"refs/pull/{pull.id}/merge", pull.merge_commit)
        self.hooks.pull("merged", pull, "a merge was tried")

    async def _commit(
        self, git: Git, tree: str, parents: tuple[str, ...], pull: Pull, by: User
    ) -> str:
        message = f"Merged PR {pull.id}: {pull.title}"
        return await git.write_commit(tree, parents, message, self.world.person(by))

    async def complete(self, pull: Pull, by: User, strategy: str = "noFastForward") -> str:
        """Merge, and answer with the new head of the target. 409 as Azure Repos refuses."""
        if pull.status != "active" or pull.draft or pull.merge_status != "succeeded":
            raise Refusal(409, "TF401192: The pull request cannot be completed now.",
                          "GitPullRequestUpdateRejectedException")  # fmt: skip
        if not policies.allow(pull):
            raise Refusal(403, "TF402455: Pushes to this branch are not permitted: a policy is "
                          "not fulfilled.")  # fmt: skip
        git = Git(pull.repo.folder)
        tree = await git.merged_tree(pull.base, pull.head)
        assert tree is not None
        parents = (pull.base,) if strategy == "squash" else (pull.base, pull.head)
        made, old = await self._commit(git, tree, parents, pull, by), pull.base
        await git.update_ref(pull.target_ref, made, old)
        pull.status, pull.closed, pull.merge_commit = "completed", self.world.now(), made
        await self.pushed(pull.repo, pull.target_ref, old, made, by)
        self.hooks.pull("merged", pull, f"{by.title} completed the pull request")
        self.hooks.pull("updated", pull, f"{by.title} completed the pull request")
        return made

    def abandon(self, pull: Pull, by: User) -> None:
        pull.status, pull.closed = "abandoned", self.world.now()
        self.hooks.pull("updated", pull, f"{by.title} abandoned the pull request")

    def vote(self, pull: Pull, user: User, vote: int) -> None:
        """A reviewer's vote, and the thread that tells of it."""
        if vote not in VOTES:
            raise Refusal(400, "TF401197: The vote is not valid.", "ArgumentException")
        pull.votes[user.id] = (user, vote)
        thread = self.thread(pull, user, f"{user.title} voted {vote}", kind="system", status=None)
        thread.properties = {
            "CodeReviewThreadType": "VoteUpdate",
            "CodeReviewVotedByIdentity": "1",
            "CodeReviewVoteResult": str(vote),
        }
        thread.identities = {"1": user}
        self.hooks.pull("updated", pull, f"{user.title} voted")

    def thread(
        self, pull: Pull, author: User, content: str, *, kind: str = "text",
        status: str | None = "active",
    ) -> Thread:  # fmt: skip
        """A new thread with a first comment."""
        now = self.world.now()
        first = Comment(1, author, content, now, now, kind)
        made = Thread(self.world.new_id(), now, now, status, [first])
        pull.threads.append(made)
        if kind == "text":
            self.hooks.comment(pull, made, first, "commented on")
        return made

    def reply(self, pull: Pull, thread: Thread, author: User, content: str, parent: int) -> Comment:
        """One more comment in a thread."""
        now = self.world.now()
        made = Comment(len(thread.comments) + 1, author, content, now, now, parent=parent)
        thread.comments.append(made)
        thread.updated = now
        self.hooks.comment(pull, thread, made, "commented on")
        return made
