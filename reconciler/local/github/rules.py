"""Branch protection: what a merge still waits for.

https://docs.github.com/en/repositories/configuring-branches-and-merges-in-your-repository
The wording of refusals is unverified.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from reconciler.local.github.model import Issue, Protection, Pull, Repository, Status, User
from reconciler.local.github.world import World

PASSING = frozenset({"success", "neutral", "skipped"})


def latest_statuses(repo: Repository, sha: str) -> list[Status]:
    """The newest status of each context of a commit, newest first."""
    newest = {found.context: found for found in repo.statuses if found.sha == sha}
    return sorted(newest.values(), key=lambda found: -found.id)


def results(world: World, repo: Repository, sha: str) -> dict[str, str]:
    """What each context and check of a commit says now: a state, a conclusion, or pending."""
    found = {status.context: status.state for status in latest_statuses(repo, sha)}
    return found | _check_runs(world, repo, sha)


def _check_runs(world: World, repo: Repository, sha: str) -> dict[str, str]:
    """Those of the App alone: there is no other."""
    return {run.name: run.conclusion or "pending" for run in reversed(world.check_runs(repo, sha))}


def _lacking(names: Iterable[str], found: Mapping[str, str]) -> str:
    for name in names:
        if found.get(name) not in PASSING:
            said = "failing" if found.get(name, "pending") != "pending" else "expected"
            return f'Required status check "{name}" is {said}.'
    return ""


def missing(world: World, issue: Issue, pull: Pull, by: User | None = None) -> str:
    """The sentence that refuses a merge, "" when nothing is in its way."""
    rules = issue.repo.protections.get(pull.base_ref)
    if rules is not None and _may_bypass(rules, issue.repo, by):
        rules = None
    found = results(world, issue.repo, pull.head_sha)
    if said := _lacking((rules and rules.contexts) or (), found):
        return said
    if asked := issue.repo.rulesets.get(pull.base_ref):
        checked = _check_runs(world, issue.repo, pull.head_sha) if asked.app_id else found
        if said := _lacking(asked.contexts, checked):
            return said
    if rules is not None and _approvals(issue.repo, pull) < (rules.approvals or 0):
        return (
            f"At least {rules.approvals} approving review is required by reviewers with write "
            "access."
        )
    return ""


def _may_bypass(rules: Protection, repo: Repository, by: User | None) -> bool:
    return by is not None and not rules.enforce_admins and repo.level_of(by) == "admin"


def _approvals(repo: Repository, pull: Pull) -> int:
    newest = {review.user: review.state for review in pull.reviews if review.state != "COMMENTED"}
    able = ("write", "maintain", "admin")
    return sum(s == "APPROVED" and repo.level_of(u) in able for u, s in newest.items())


def mergeable_state(world: World, issue: Issue, pull: Pull) -> str:
    """One of dirty, draft, blocked, unstable, clean."""
    if not pull.mergeable:
        return "dirty"
    if pull.draft:
        return "draft"
    if missing(world, issue, pull):
        return "blocked"
    found = results(world, issue.repo, pull.head_sha).values()
    return "clean" if all(state in PASSING for state in found) else "unstable"
