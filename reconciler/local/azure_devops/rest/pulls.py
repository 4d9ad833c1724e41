"""Pull requests, their iterations, statuses, reviewers and policies."""

from datetime import UTC, datetime

from reconciler.local.azure_devops import policies, shapes
from reconciler.local.azure_devops.model import Pull, Refusal, Status
from reconciler.local.azure_devops.wire import GIT, PULL, Context, route
from reconciler.local.github.git import Git
from reconciler.local.github.wire import Reply

STATES = ("notSet", "pending", "succeeded", "failed", "error", "notApplicable")
MOST_CHANGES = 2000


@route("GET", GIT + "/pullrequests")
async def list_pulls(ctx: Context) -> Reply:
    """Newest first."""
    state, ref = (
        ctx.query("searchCriteria.status", "active"),
        ctx.query("searchCriteria.targetRefName"),
    )
    since = ctx.query("searchCriteria.minTime")
    closed = ctx.query("searchCriteria.queryTimeRangeType") == "closed"
    oldest = datetime.fromisoformat(since).astimezone(UTC).timestamp() if since else 0.0
    found = [
        one
        for one in ctx.repo.pulls.values()
        if state in ("all", one.status)
        and ref in ("", one.target_ref)
        and ((one.closed if closed else one.created) or 0.0) >= oldest
    ]
    found.sort(key=lambda one: -one.id)
    return Reply(200, shapes.listing([shapes.pull(ctx.world, one) for one in ctx.page(found)]))


@route("POST", GIT + "/pullrequests")
async def create_pull(ctx: Context) -> Reply:
    body, user = ctx.object, ctx.contributes()
    made = await ctx.site.open(
        ctx.repo, ctx.repo, body["sourceRefName"], body["targetRefName"], body.get("title", ""),
        user, draft=bool(body.get("isDraft")),
    )  # fmt: skip
    return Reply(201, shapes.pull(ctx.world, made))


@route("GET", PULL)
async def get_pull(ctx: Context) -> Reply:
    return Reply(200, shapes.pull(ctx.world, ctx.pull))


@route("PATCH", PULL)
async def update_pull(ctx: Context) -> Reply:
    pull, body, user = ctx.pull, ctx.object, ctx.contributes()
    pull.title = body.get("title", pull.title)
    if body.get("status") == "completed":
        options = body.get("completionOptions") or {}
        await ctx.site.complete(pull, user, options.get("mergeStrategy", "noFastForward"))
    elif body.get("status") == "abandoned":
        ctx.site.abandon(pull, user)
    return Reply(200, shapes.pull(ctx.world, pull))


@route("GET", PULL + "/iterations")
async def list_iterations(ctx: Context) -> Reply:
    found = [shapes.iteration(ctx.world, one) for one in ctx.pull.iterations]
    return Reply(200, shapes.listing(found))


@route("GET", PULL + "/iterations/{iteration}/changes")
async def list_changes(ctx: Context) -> Reply:
    """What differs from the commit that both branches have, a page at a time."""
    pull, text = ctx.pull, ctx.params["iteration"]
    if not text.isdecimal() or not 0 < int(text) <= len(pull.iterations):
        raise Refusal(404, "The requested iteration was not found.")
    one = pull.iterations[int(text) - 1]
    files = await Git(pull.repo.folder).diff(one.common, one.source)
    skip, top = ctx.number("$skip", 0), min(ctx.number("$top", 100), MOST_CHANGES)
    kinds = {"added": "add", "removed": "delete", "renamed": "rename", "modified": "edit"}
    entries = [
        {
            "changeTrackingId": at,
            "changeId": at,
            "item": {"objectId": file.sha, "path": f"/{file.path}"},
            "changeType": kinds.get(file.status, "edit"),
            **({"originalPath": f"/{file.previous}"} if file.previous else {}),
        }
        for at, file in enumerate(files, 1)
    ]
    body: dict[str, object] = {"changeEntries": entries[skip : skip + top]}
    if len(entries) > skip + top:
        body |= {"nextSkip": skip + top, "nextTop": top}
    return Reply(200, body)


@route("GET", PULL + "/statuses")
async def list_statuses(ctx: Context) -> Reply:
    found = [shapes.status(ctx.world, one) for one in ctx.pull.statuses]
    return Reply(200, shapes.listing(found))


@route("POST", PULL + "/statuses")
async def create_status(ctx: Context) -> Reply:
    pull, body, user = ctx.pull, ctx.object, ctx.contributes()
    context, iteration = body.get("context") or {}, body.get("iterationId")
    if not context.get("name") or body.get("state") not in STATES:
        raise Refusal(400, "A status needs a context with a name, and a state.")
    if iteration is not None and not 0 < int(iteration) <= len(pull.iterations):
        raise Refusal(404, "The requested iteration was not found.")
    made = Status(
        len(pull.statuses) + 1, iteration, body["state"], body.get("description", ""),
        context["name"], context.get("genre", ""), body.get("targetUrl"), user, ctx.world.now(),
    )  # fmt: skip
    pull.statuses.append(made)
    return Reply(200, shapes.status(ctx.world, made))


@route("PUT", PULL + "/reviewers/{reviewer}")
async def vote(ctx: Context) -> Reply:
    """Everybody votes for himself alone."""
    if ctx.params["reviewer"].lower() != ctx.caller.id:
        raise Refusal(403, "TF401186: You cannot record a vote for somebody else.")
    ctx.site.vote(ctx.pull, ctx.caller, int(ctx.object.get("vote", 0)))
    return Reply(200, shapes.identity(ctx.world, ctx.caller))


@route("POST", GIT + "/pullrequestquery")
async def query_pulls(ctx: Context) -> Reply:
    """Pull requests by the commits that their merges made."""
    results = []
    for one in ctx.object.get("queries") or []:
        if one.get("type") not in ("lastMergeCommit", "commit"):
            raise Refusal(400, "The type of the query is not supported.")
        found: dict[str, list[object]] = {}
        for pull in ctx.repo.pulls.values():
            if pull.merge_commit in one["items"] and one["type"] == "lastMergeCommit":
                shape = shapes.pull(ctx.world, pull)
                found.setdefault(str(pull.merge_commit), []).append(shape)
        results.append(found)
    return Reply(200, {"queries": ctx.object["queries"], "results": results})


@route("GET", "/{project}/_apis/policy/evaluations")
async def list_evaluations(ctx: Context) -> Reply:
    number = ctx.query("artifactId").rpartition("/")[2]
    pull = next(
        (
            one
            for repo in ctx.world.repositories.values()
            for one in repo.pulls.values()
            if str(one.id) == number
        ),
        None,
    )
    found = _evaluations(pull) if pull else []
    return Reply(200, shapes.listing(ctx.page(found)))


def _evaluations(pull: Pull) -> list[object]:
    return [
        {"configuration": shapes.policy(one), "status": policies.evaluation(pull, one)}
        for one in policies.of(pull)
    ]


@route("GET", "/{project}/_apis/git/policy/configurations")
async def list_policies(ctx: Context) -> Reply:
    repo = ctx.world.repository(ctx.query("repositoryId"), ctx.params["project"])
    kind, ref = ctx.query("policyType"), ctx.query("refName")
    found = [
        shapes.policy(one)
        for one in repo.policies
        if kind in ("", one.kind) and ref in ("", one.ref)
    ]
    return Reply(200, shapes.listing(found))
