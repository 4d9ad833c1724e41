"""Statuses, check runs, check suites, protection and webhooks as the API shows them."""

from __future__ import annotations

from collections.abc import Sequence

from reconciler.local.github.git import Commit
from reconciler.local.github.model import (
    JSON,
    CheckRun,
    CheckSuite,
    Delivery,
    Hook,
    Protection,
    Repository,
    Status,
)
from reconciler.local.github.shapes.commits import base, page, simple_commit
from reconciler.local.github.shapes.owners import integration, minimal_repository, simple_user
from reconciler.local.github.world import World, maybe, node_id, stamp


def status(world: World, repo: Repository, found: Status) -> JSON:
    return {
        "url": f"{base(world, repo)}/statuses/{found.sha}",
        "avatar_url": f"{world.url}/avatars/{found.user.id}",
        "id": found.id,
        "node_id": node_id("StatusContext", found.id),
        "state": found.state,
        "description": found.description,
        "target_url": found.target_url,
        "context": found.context,
        "created_at": stamp(found.created),
        "updated_at": stamp(found.created),
        "creator": simple_user(world, found.user),
    }


def combined(world: World, repo: Repository, sha: str, latest: Sequence[Status]) -> JSON:
    """Failure if any failed, pending if any waits or there is none, else success."""
    states = {found.state for found in latest}
    state = "failure" if states & {"failure", "error"} else "success"
    if state == "success" and (not states or "pending" in states):
        state = "pending"
    return {
        "state": state,
        "statuses": [status(world, repo, found) for found in latest],
        "sha": sha,
        "total_count": len(latest),
        "repository": minimal_repository(world, repo),
        "commit_url": f"{base(world, repo)}/commits/{sha}",
        "url": f"{base(world, repo)}/commits/{sha}/status",
    }


def pulls_of(world: World, repo: Repository, sha: str) -> list[JSON]:
    """The open pull requests of this repository's own branches whose head a commit is."""
    found = []
    for issue, pull in repo.pulls():
        if pull.head_sha == sha and issue.state == "open" and pull.head_repo is repo:
            ends = (("head", pull.head_ref, sha), ("base", pull.base_ref, pull.base_sha))
            named = {"id": repo.id, "url": base(world, repo), "name": repo.name}
            found.append(
                {
                    "id": issue.id,
                    "number": issue.number,
                    "url": f"{base(world, repo)}/pulls/{issue.number}",
                    **{end: {"ref": ref, "sha": at, "repo": named} for end, ref, at in ends},
                }
            )
    return found


def check_run(world: World, repo: Repository, run: CheckRun) -> JSON:
    url = f"{base(world, repo)}/check-runs/{run.id}"
    sha = run.suite.sha
    return {
        "id": run.id,
        "node_id": node_id("CheckRun", run.id),
        "head_sha": sha,
        "name": run.name,
        "external_id": run.external_id,
        "url": url,
        "html_url": f"{page(world, repo)}/runs/{run.id}",
        "details_url": run.details_url or f"{page(world, repo)}/runs/{run.id}",
        "status": run.status,
        "conclusion": run.conclusion,
        "started_at": stamp(run.started),
        "completed_at": maybe(run.completed),
        "output": {
            "title": run.title,
            "summary": run.summary,
            "text": run.text,
            "annotations_count": len(run.annotations),
            "annotations_url": f"{url}/annotations",
        },
        "check_suite": {"id": run.suite.id},
        "app": integration(world, run.suite.app),
        "pull_requests": pulls_of(world, repo, sha),
    }


def annotation(world: World, repo: Repository, sha: str, given: JSON) -> JSON:
    optional = ("start_column", "end_column", "title", "raw_details")
    return {
        "path": given["path"],
        "blob_href": f"{base(world, repo)}/contents/{given['path']}?ref={sha}",
        "start_line": given["start_line"],
        "end_line": given["end_line"],
        "annotation_level": given["annotation_level"],
        "message": given["message"],
        **{name: given.get(name) for name in optional},
    }


def suite_state(suite: CheckSuite) -> tuple[str, str | None]:
    """Status and conclusion of a suite, from its newest runs."""
    latest = {run.name: run for run in suite.runs}.values()
    if not latest:
        return "queued", None
    if any(run.status != "completed" for run in latest):
        return "in_progress", None
    order = ("failure", "timed_out", "cancelled", "action_required", "success", "neutral")
    found = {run.conclusion for run in latest}
    return "completed", next((name for name in order if name in found), "neutral")


def check_suite(world: World, repo: Repository, suite: CheckSuite, head: Commit) -> JSON:
    url = f"{base(world, repo)}/check-suites/{suite.id}"
    state, conclusion = suite_state(suite)
    return {
        "id": suite.id,
        "node_id": node_id("CheckSuite", suite.id),
        "head_branch": suite.branch,
        "head_sha": suite.sha,
        "status": state,
        "conclusion": conclusion,
        "url": url,
        "before": head.parents[0] if head.parents else None,
        "after": suite.sha,
        "pull_requests": pulls_of(world, repo, suite.sha),
        "app": integration(world, suite.app),
        "created_at": stamp(suite.created),
        "updated_at": stamp(suite.updated),
        "latest_check_runs_count": len({run.name for run in suite.runs}),
        "check_runs_url": f"{url}/check-runs",
        "head_commit": simple_commit(head),
        "repository": minimal_repository(world, repo),
    }


def protection(world: World, repo: Repository, branch: str, rules: Protection) -> JSON:
    url = f"{base(world, repo)}/branches/{branch}/protection"
    off = {"enabled": False}
    body: JSON = {
        "url": url,
        "enforce_admins": {"url": f"{url}/enforce_admins", "enabled": rules.enforce_admins},
        "required_linear_history": off,
        "allow_force_pushes": off,
        "allow_deletions": off,
    }
    if rules.contexts is not None:
        checks = f"{url}/required_status_checks"
        body["required_status_checks"] = {
            "url": checks,
            "strict": rules.strict,
            "contexts": list(rules.contexts),
            "contexts_url": f"{checks}/contexts",
            "checks": [{"context": name, "app_id": None} for name in rules.contexts],
        }
    if rules.approvals is not None:
        body["required_pull_request_reviews"] = {
            "url": f"{url}/required_pull_request_reviews",
            "dismiss_stale_reviews": False,
            "require_code_owner_reviews": False,
            "required_approving_review_count": rules.approvals,
        }
    return body


def hook(world: World, found: Hook) -> JSON:
    """A repository's webhook; its secret is shown as stars."""
    assert found.repo is not None
    url = f"{base(world, found.repo)}/hooks/{found.id}"
    code, message = found.last
    return {
        "type": "Repository",
        "id": found.id,
        "name": "web",
        "active": found.active,
        "events": list(found.events),
        "config": hook_config(found),
        "created_at": stamp(found.created),
        "updated_at": stamp(found.created),
        "url": url,
        "test_url": f"{url}/test",
        "ping_url": f"{url}/pings",
        "deliveries_url": f"{url}/deliveries",
        "last_response": {"code": code, "status": message, "message": None},
    }


def hook_config(found: Hook) -> JSON:
    secret = {"secret": "********"} if found.secret else {}
    return {"url": found.url, "content_type": "json", "insecure_ssl": "0", **secret}


def delivery_item(world: World, found: Delivery) -> JSON:
    return {
        "id": found.id,
        "guid": found.guid,
        "delivered_at": stamp(found.delivered),
        "redelivery": found.redelivery,
        "duration": found.duration,
        "status": found.status,
        "status_code": found.status_code,
        "event": found.event,
        "action": found.action,
        "installation_id": world.app.installation_id if found.hook.repo is None else None,
        "repository_id": found.repo.id if found.repo else None,
    }


def delivery(world: World, found: Delivery) -> JSON:
    """With what was sent and answered."""
    return {
        **delivery_item(world, found),
        "url": found.hook.url,
        "request": {"headers": dict(found.headers), "payload": found.payload},
        "response": {"headers": {}, "payload": ""},
    }
