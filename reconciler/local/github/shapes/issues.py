"""Issues, comments, reactions, pull requests and reviews as the API shows them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable

from reconciler.local.github.model import (
    JSON,
    App,
    Comment,
    Issue,
    Pull,
    Reaction,
    Repository,
    Review,
    User,
)
from reconciler.local.github.shapes.commits import base, page
from reconciler.local.github.shapes.owners import integration, repository, simple_user
from reconciler.local.github.world import World, maybe, node_id, stamp

REACTIONS = ("+1", "-1", "laugh", "confused", "heart", "hooray", "rocket", "eyes")


def association(repo: Repository, user: User) -> str:
    """What an author is to a repository."""
    if user is repo.owner:
        return "OWNER"
    if user.login in repo.owner.members:
        return "MEMBER"
    return "COLLABORATOR" if user.login in repo.access else "NONE"


def _app(world: World, app: App | None) -> JSON | None:
    return integration(world, app) if app else None


def rollup(url: str, reactions: Iterable[Reaction]) -> JSON:
    counts = Counter(reaction.content for reaction in reactions)
    found = {name: counts[name] for name in REACTIONS}
    return {"url": f"{url}/reactions", "total_count": counts.total(), **found}


def reaction(world: World, found: Reaction) -> JSON:
    return {
        "id": found.id,
        "node_id": node_id("Reaction", found.id),
        "user": simple_user(world, found.user),
        "content": found.content,
        "created_at": stamp(found.created),
    }


def comment(world: World, found: Comment) -> JSON:
    repo = found.issue.repo
    url = f"{base(world, repo)}/issues/comments/{found.id}"
    kind = "pull" if found.issue.pull else "issues"
    return {
        "url": url,
        "html_url": f"{page(world, repo)}/{kind}/{found.issue.number}#issuecomment-{found.id}",
        "issue_url": f"{base(world, repo)}/issues/{found.issue.number}",
        "id": found.id,
        "node_id": node_id("IssueComment", found.id),
        "user": simple_user(world, found.user),
        "created_at": stamp(found.created),
        "updated_at": stamp(found.updated),
        "body": found.body,
        "author_association": association(repo, found.user),
        "reactions": rollup(url, found.reactions),
        "performed_via_github_app": _app(world, found.app),
    }


def label(world: World, repo: Repository, name: str) -> JSON:
    return {
        "id": sum(name.encode()),
        "node_id": node_id("Label", name),
        "url": f"{base(world, repo)}/labels/{name}",
        "name": name,
        "description": None,
        "color": "ededed",
        "default": False,
    }


def issue(world: World, found: Issue) -> JSON:
    repo = found.repo
    url = f"{base(world, repo)}/issues/{found.number}"
    kind = "pull" if found.pull else "issues"
    body: JSON = {
        "url": url,
        "repository_url": base(world, repo),
        "labels_url": f"{url}/labels{{/name}}",
        "comments_url": f"{url}/comments",
        "events_url": f"{url}/events",
        "timeline_url": f"{url}/timeline",
        "html_url": f"{page(world, repo)}/{kind}/{found.number}",
        "id": found.id,
        "node_id": node_id("Issue", found.id),
        "number": found.number,
        "title": found.title,
        "user": simple_user(world, found.user),
        "labels": [label(world, repo, name) for name in found.labels],
        "state": found.state,
        "state_reason": found.state_reason,
        "locked": False,
        "assignee": None,
        "assignees": [],
        "milestone": None,
        "active_lock_reason": None,
        "comments": len(found.comments),
        "created_at": stamp(found.created),
        "updated_at": stamp(found.updated),
        "closed_at": maybe(found.closed),
        "closed_by": simple_user(world, found.closed_by) if found.closed_by else None,
        "author_association": association(repo, found.user),
        "body": found.body,
        "reactions": rollup(url, found.reactions),
        "performed_via_github_app": _app(world, found.app),
    }
    if found.pull:
        links = pull_links(world, found)
        body["draft"] = found.pull.draft
        body["pull_request"] = {
            **{name: links[name] for name in ("url", "html_url", "diff_url", "patch_url")},
            "merged_at": maybe(found.pull.merged),
        }
    return body


def pull_links(world: World, found: Issue) -> dict[str, str]:
    url = f"{base(world, found.repo)}/pulls/{found.number}"
    html = f"{page(world, found.repo)}/pull/{found.number}"
    issue_url = f"{base(world, found.repo)}/issues/{found.number}"
    sha = found.pull.head_sha if found.pull else ""
    return {
        "url": url,
        "html_url": html,
        "diff_url": f"{html}.diff",
        "patch_url": f"{html}.patch",
        "issue_url": issue_url,
        "commits_url": f"{url}/commits",
        "review_comments_url": f"{url}/comments",
        "review_comment_url": f"{base(world, found.repo)}/pulls/comments{{/number}}",
        "comments_url": f"{issue_url}/comments",
        "statuses_url": f"{base(world, found.repo)}/statuses/{sha}",
    }


def _end(world: World, repo: Repository, ref: str, sha: str) -> JSON:
    return {
        "label": f"{repo.owner.login}:{ref}",
        "ref": ref,
        "sha": sha,
        "user": simple_user(world, repo.owner),
        "repo": repository(world, repo),
    }


def pull_simple(world: World, found: Issue, pull: Pull) -> JSON:
    """A pull request in a list."""
    links = pull_links(world, found)
    named = {
        "self": "url", "html": "html_url", "issue": "issue_url", "comments": "comments_url",
        "review_comments": "review_comments_url", "review_comment": "review_comment_url",
        "commits": "commits_url", "statuses": "statuses_url",
    }  # fmt: skip
    return {
        **links,
        "id": found.id,
        "node_id": node_id("PullRequest", found.id),
        "number": found.number,
        "state": found.state,
        "locked": False,
        "active_lock_reason": None,
        "title": found.title,
        "user": simple_user(world, found.user),
        "body": found.body,
        "labels": [label(world, found.repo, name) for name in found.labels],
        "milestone": None,
        "assignee": None,
        "assignees": [],
        "requested_reviewers": [],
        "requested_teams": [],
        "created_at": stamp(found.created),
        "updated_at": stamp(found.updated),
        "closed_at": maybe(found.closed),
        "merged_at": maybe(pull.merged),
        "merge_commit_sha": pull.merge_commit,
        "draft": pull.draft,
        "head": _end(world, pull.head_repo, pull.head_ref, pull.head_sha),
        "base": _end(world, found.repo, pull.base_ref, pull.base_sha),
        "_links": {name: {"href": links[key]} for name, key in named.items()},
        "author_association": association(found.repo, found.user),
        "auto_merge": None,
    }


def pull_full(
    world: World, found: Issue, pull: Pull, counts: tuple[int, int, int, int], state: str
) -> JSON:
    """One pull request; `counts` are commits, files, additions and deletions.

    `mergeable` is null as long as GitHub is still trying, which `state` "unknown" means.
    """
    commits, files, additions, deletions = counts
    known = state != "unknown"
    return {
        **pull_simple(world, found, pull),
        "merged": pull.merged is not None,
        "mergeable": pull.mergeable if known else None,
        "rebaseable": pull.mergeable if known else None,
        "mergeable_state": state,
        "merged_by": simple_user(world, pull.merged_by) if pull.merged_by else None,
        "comments": len(found.comments),
        "review_comments": 0,
        "maintainer_can_modify": False,
        "commits": commits,
        "additions": additions,
        "deletions": deletions,
        "changed_files": files,
    }


def review(world: World, found: Issue, given: Review) -> JSON:
    links = pull_links(world, found)
    html = f"{links['html_url']}#pullrequestreview-{given.id}"
    return {
        "id": given.id,
        "node_id": node_id("PullRequestReview", given.id),
        "user": simple_user(world, given.user),
        "body": given.body,
        "state": given.state,
        "html_url": html,
        "pull_request_url": links["url"],
        "_links": {"html": {"href": html}, "pull_request": {"href": links["url"]}},
        "submitted_at": stamp(given.created),
        "commit_id": given.commit,
        "author_association": association(found.repo, given.user),
    }
