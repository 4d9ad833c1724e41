"""Answers as they are documented: https://learn.microsoft.com/rest/api/azure/devops/git"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from urllib.parse import quote

from reconciler.local.azure_devops.model import (
    JSON,
    Comment,
    Iteration,
    Policy,
    Pull,
    Repository,
    Status,
    Subscription,
    Thread,
    User,
    WorkItem,
)
from reconciler.local.azure_devops.world import PROJECT, World, stamp


def listing(items: Sequence[Any]) -> JSON:
    return {"value": list(items), "count": len(items)}


def identity(world: World, user: User) -> JSON:
    return {
        "displayName": user.title,
        "url": f"{world.url}/_apis/Identities/{user.id}",
        "id": user.id,
        "uniqueName": user.name,
        "imageUrl": f"{world.url}/_api/_common/identityImage?id={user.id}",
        "descriptor": f"aad.{user.id}",
    }


def security_identity(user: User) -> JSON:
    """https://learn.microsoft.com/rest/api/azure/devops/ims/identities/read-identities"""
    return {
        "id": user.id,
        "descriptor": user.descriptor,
        "subjectDescriptor": f"aad.{user.id}",
        "providerDisplayName": user.title,
        "isActive": user.active,
        "isContainer": False,
        "members": [],
        "memberOf": [],
        "properties": {
            "SchemaClassName": _property("User"),
            "Account": _property(user.name),
            "Mail": _property(user.name),
        },
        "resourceVersion": 2,
    }


def project(world: World, repo: Repository) -> JSON:
    url = f"{world.url}/_apis/projects/{repo.project_id}"
    return {"id": repo.project_id, "name": repo.project, "url": url, "state": "wellFormed"}


def repository(world: World, repo: Repository) -> JSON:
    names = f"{quote(repo.project)}/_git/{quote(repo.name)}"
    return {
        "id": repo.id,
        "name": repo.name,
        "url": api(world, repo),
        "project": project(world, repo),
        "defaultBranch": f"refs/heads/{repo.default_branch}",
        "remoteUrl": f"{world.url}/{names}",
        "webUrl": f"{world.url}/{names}",
    }


def api(world: World, repo: Repository) -> str:
    return f"{world.url}/{repo.project_id}/_apis/git/repositories/{repo.id}"


def pull(world: World, found: Pull) -> JSON:
    """A pull request; until the trial merge is done the commits are those of the last one."""
    known = world.now() >= found.computed or found.status != "active"
    place = f"{api(world, found.repo)}/pullRequests/{found.id}"
    body: JSON = {
        "repository": repository(world, found.repo),
        "pullRequestId": found.id,
        "codeReviewId": found.id,
        "status": found.status,
        "createdBy": identity(world, found.author),
        "creationDate": stamp(found.created),
        "title": found.title,
        "sourceRefName": found.source_ref,
        "targetRefName": found.target_ref,
        "mergeStatus": found.merge_status if known else "queued",
        "isDraft": found.draft,
        "mergeId": world.guid("merge", found.id, found.head, found.base),
        "lastMergeSourceCommit": _commit(world, found.repo, found.head),
        "lastMergeTargetCommit": _commit(world, found.repo, found.base),
        "reviewers": [
            {**identity(world, user), "vote": vote, "hasDeclined": False, "isFlagged": False}
            for user, vote in found.votes.values()
        ],
        "url": place,
        "supportsIterations": True,
    }
    if known and found.merge_commit:
        body["lastMergeCommit"] = _commit(world, found.repo, found.merge_commit)
    if found.closed is not None:
        body["closedDate"] = stamp(found.closed)
    if found.source is not found.repo:
        body["forkSource"] = {
            "name": found.source_ref,
            "repository": repository(world, found.source),
        }
    return body


def iteration(world: World, one: Iteration) -> JSON:
    return {
        "id": one.id,
        "description": "Changes",
        "author": identity(world, one.author),
        "createdDate": stamp(one.created),
        "updatedDate": stamp(one.created),
        "sourceRefCommit": {"commitId": one.source},
        "targetRefCommit": {"commitId": one.target},
        "commonRefCommit": {"commitId": one.common},
        "hasMoreCommits": False,
        "reason": "push" if one.id > 1 else "create",
    }


def thread(world: World, found: Pull, one: Thread) -> JSON:
    body: JSON = {
        "pullRequestThreadContext": None,
        "id": one.id,
        "publishedDate": stamp(one.published),
        "lastUpdatedDate": stamp(one.updated),
        "comments": [comment(world, found, one, each) for each in one.comments],
        "threadContext": None,
        "properties": {name: _property(value) for name, value in one.properties.items()},
        "identities": {key: identity(world, user) for key, user in one.identities.items()} or None,
        "isDeleted": one.deleted,
    }
    return body | ({"status": one.status} if one.status else {})


def comment(world: World, found: Pull, one: Thread, each: Comment) -> JSON:
    threads = f"{api(world, found.repo)}/pullRequests/{found.id}/threads/{one.id}"
    body: JSON = {
        "id": each.id,
        "parentCommentId": each.parent,
        "author": identity(world, each.author),
        "publishedDate": stamp(each.published),
        "lastUpdatedDate": stamp(each.updated),
        "lastContentUpdatedDate": stamp(each.updated),
        "commentType": each.kind,
        "usersLiked": [identity(world, user) for user in each.likes],
        "_links": {
            "self": {"href": f"{threads}/comments/{each.id}"},
            "repository": {"href": api(world, found.repo)},
            "threads": {"href": threads},
        },
    }
    return body | ({"isDeleted": True} if each.deleted else {"content": each.content})


def status(world: World, one: Status) -> JSON:
    body: JSON = {
        "id": one.id,
        "state": one.state,
        "description": one.description,
        "context": {"name": one.name, "genre": one.genre},
        "creationDate": stamp(one.created),
        "updatedDate": stamp(one.created),
        "createdBy": identity(world, one.author),
    }
    body |= {"targetUrl": one.url} if one.url else {}
    return body | ({"iterationId": one.iteration} if one.iteration else {})


def policy(one: Policy) -> JSON:
    return {
        "id": one.id,
        "isEnabled": True,
        "isBlocking": one.blocking,
        "isDeleted": False,
        "settings": {**one.settings, "scope": [{"refName": one.ref, "matchKind": "Exact"}]},
        "type": {"id": one.kind},
    }


def subscription(world: World, one: Subscription, event: str) -> JSON:
    """https://learn.microsoft.com/rest/api/azure/devops/hooks/subscriptions/list"""
    scheme = one.headers.get("Authorization", "").partition(" ")[0]
    secrets = {"basicAuthUsername": "*****"} if scheme == "Basic" else {}
    return {
        "id": one.id,
        "url": f"{world.url}/_apis/hooks/subscriptions/{one.id}",
        "publisherId": "tfs",
        "eventType": event,
        "resourceVersion": "2.0" if event.startswith("ms.vss-code") else "1.0",
        "consumerId": "webHooks",
        "consumerActionId": "httpRequest",
        "status": one.status,
        "publisherInputs": {"projectId": world.guid("project", PROJECT), "branch": "main"},
        "consumerInputs": {"url": one.url, **secrets},
    }


def work_item(world: World, one: WorkItem, names: Sequence[str] = ()) -> JSON:
    fields = {**one.fields, "System.Id": one.id, "System.WorkItemType": one.kind}
    shown = {name: fields[name] for name in names or fields if name in fields}
    url = f"{world.url}/_apis/wit/workItems/{one.id}"
    return {"id": one.id, "rev": one.revision, "fields": shown, "url": url}


def _commit(world: World, repo: Repository, sha: str) -> JSON:
    return {"commitId": sha, "url": f"{api(world, repo)}/commits/{sha}"}


def _property(value: str | int) -> JSON:
    kind = "System.Int32" if isinstance(value, int) else "System.String"
    return {"$type": kind, "$value": value}
