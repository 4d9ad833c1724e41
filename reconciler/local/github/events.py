"""The payloads of webhooks, as the published schemas of GitHub's webhooks have them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from reconciler.local.github import shapes
from reconciler.local.github.git import NO_COMMIT, Commit, Git
from reconciler.local.github.hooks import Hooks
from reconciler.local.github.model import (
    JSON,
    CheckRun,
    CheckSuite,
    Comment,
    Delivery,
    Hook,
    Repository,
    User,
)
from reconciler.local.github.world import World

LISTED = 2048  # commits in the payload of a push


class Events:
    """Says what happened, to whoever has a hook."""

    def __init__(self, world: World, hooks: Hooks) -> None:
        self.world, self.hooks = world, hooks

    def _send(self, event: str, repo: Repository, sender: User, payload: JSON) -> None:
        self.hooks.send(event, {**payload, **self._about(repo, sender)}, repo)

    def _about(self, repo: Repository, sender: User) -> JSON:
        return {
            "repository": shapes.repository(self.world, repo),
            "sender": shapes.simple_user(self.world, sender),
        }

    def pull(self, action: str, repo: Repository, sender: User, pull: JSON, **more: Any) -> None:
        """A pull request was opened, closed, …; `more` is what changed."""
        payload = {"action": action, "number": pull["number"], "pull_request": pull, **more}
        self._send("pull_request", repo, sender, payload)

    def comment(self, action: str, found: Comment, sender: User, before: str | None = None) -> None:
        payload: JSON = {
            "action": action,
            "issue": shapes.issue(self.world, found.issue),
            "comment": shapes.comment(self.world, found),
        }
        if before is not None:
            payload["changes"] = {"body": {"from": before}}
        self._send("issue_comment", found.issue.repo, sender, payload)

    def check_run(self, action: str, repo: Repository, run: CheckRun, sender: User) -> None:
        shape = shapes.check_run(self.world, repo, run)
        suite = run.suite
        status, conclusion = shapes.suite_state(suite)
        shape["check_suite"] = {
            "id": suite.id,
            "node_id": f"suite-{suite.id}",
            "head_branch": suite.branch,
            "head_sha": suite.sha,
            "status": status,
            "conclusion": conclusion,
            "url": f"{self.world.api}/repos/{repo.full_name}/check-suites/{suite.id}",
            "before": None,
            "after": suite.sha,
            "pull_requests": shape["pull_requests"],
            "app": shape["app"],
            "created_at": shapes.stamp(suite.created),
            "updated_at": shapes.stamp(suite.updated),
        }
        self._send("check_run", repo, sender, {"action": action, "check_run": shape})

    async def check_suite(
        self, action: str, repo: Repository, suite: CheckSuite, sender: User
    ) -> None:
        head = await Git(repo.folder).commit(suite.sha)
        shape = shapes.check_suite(self.world, repo, suite, head)
        self._send("check_suite", repo, sender, {"action": action, "check_suite": shape})

    async def push(self, repo: Repository, ref: str, before: str, after: str, sender: User) -> None:
        """A ref moved, appeared (`before` is zeros) or went (`after` is)."""
        git = Git(repo.folder)
        commits = await _pushed(git, repo, before, after)
        head = await git.commit(after) if after != NO_COMMIT else None
        forced = NO_COMMIT not in (before, after) and not await git.contains(after, before)
        page = f"{self.world.url}/{repo.full_name}"
        listed = [await self._pushed_commit(git, page, commit) for commit in commits]
        payload: JSON = {
            "ref": ref,
            "before": before,
            "after": after,
            "created": before == NO_COMMIT,
            "deleted": after == NO_COMMIT,
            "forced": forced,
            "base_ref": None,
            "compare": f"{page}/compare/{before[:12]}...{after[:12]}",
            "commits": listed,
            "head_commit": await self._pushed_commit(git, page, head) if head else None,
            "pusher": {"name": sender.login, "email": sender.email},
        }
        about = self._about(repo, sender)
        owner = {"name": repo.owner.login, "email": None}
        about["repository"]["owner"] |= owner
        # In this payload, and here only, times of the repository are numbers.
        times = {"created_at": int(repo.created), "pushed_at": int(repo.pushed)}
        about["repository"] |= {**times, "stargazers": 0, "master_branch": repo.default_branch}
        self.hooks.send("push", {**payload, **about}, repo)

    async def _pushed_commit(self, git: Git, page: str, commit: Commit) -> JSON:
        parent = commit.parents[0] if commit.parents else None
        files = await git.names(parent, commit.sha)
        people = {
            role: {"name": who.name, "email": who.email, "date": who.date}
            for role, who in (("author", commit.author), ("committer", commit.committer))
        }
        return {
            "id": commit.sha,
            "tree_id": commit.tree,
            "distinct": True,
            "message": commit.message,
            "timestamp": commit.committer.date,
            "url": f"{page}/commit/{commit.sha}",
            **people,
            "added": [path for letter, path in files if letter == "A"],
            "removed": [path for letter, path in files if letter == "D"],
            "modified": [path for letter, path in files if letter not in "AD"],
        }

    def ping(self, hook: Hook, sender: User) -> Delivery:
        """Tell a hook that it is there."""
        world, repo = self.world, hook.repo
        payload: JSON = {"zen": "Keep it logically awesome.", "hook_id": hook.id}
        if repo is not None:
            payload |= {"hook": shapes.hook(world, hook), **self._about(repo, sender)}
        else:
            config = shapes.hook_config(hook)
            stamp = shapes.stamp(world.app.created)
            payload["hook"] = {
                "type": "App", "id": hook.id, "name": "web", "active": True,
                "app_id": world.app.id, "events": list(hook.events), "config": config,
                "created_at": stamp, "updated_at": stamp,
            }  # fmt: skip
        return self.hooks.send_to(hook, "ping", payload, repo)


async def _pushed(git: Git, repo: Repository, before: str, after: str) -> Sequence[Commit]:
    """The commits that a push brought, oldest first."""
    if after == NO_COMMIT:
        return []
    known = before
    if before == NO_COMMIT:
        main = await git.resolve(f"refs/heads/{repo.default_branch}")
        known = main if main and main != after else ""
    selection = [f"--max-count={LISTED}", after, *([f"^{known}"] if known else [])]
    return list(reversed(await git.log(*selection)))
