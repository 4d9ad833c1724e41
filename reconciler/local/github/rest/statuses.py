"""Commit statuses."""

from reconciler.local.github import shapes
from reconciler.local.github.git import Git
from reconciler.local.github.model import Refusal, Status
from reconciler.local.github.rest.refs import commit_of
from reconciler.local.github.rules import latest_statuses
from reconciler.local.github.wire import Context, Reply, invalid, route

STATES = ("error", "failure", "pending", "success")
MOST = 1000  # per commit and context
LONGEST = 140
COMMIT = "/repos/{owner}/{repo}/commits/{ref}"


@route("POST", "/repos/{owner}/{repo}/statuses/{sha}", "statuses:write", level="write")
async def create_commit_status(ctx: Context) -> Reply:
    """The newest status of a context counts."""
    state, context = ctx.chosen("state", STATES), ctx.text("context", "default") or "default"
    description, world, sha = ctx.text("description"), ctx.site.world, ctx.params["sha"]
    if await Git(ctx.repo.folder).resolve(sha) is None:
        raise Refusal(422, f"No commit found for SHA: {sha}")
    if description is not None and len(description) > LONGEST:
        why = f"description is too long (maximum is {LONGEST} characters)"
        raise invalid("Status", "description", "custom", why)
    before = sum((one.sha, one.context) == (sha, context) for one in ctx.repo.statuses)
    if before >= MOST:
        why = "This SHA and context has reached the maximum number of statuses."
        raise invalid("Status", "base", "custom", why)
    made = Status(
        world.new_id(), sha, state, context, description, ctx.text("target_url"),
        ctx.caller.actor, world.now(),
    )  # fmt: skip
    ctx.repo.statuses.append(made)
    return Reply(201, shapes.status(world, ctx.repo, made))


@route("GET", COMMIT + "/statuses", "statuses:read")
async def list_commit_statuses_for_ref(ctx: Context) -> Reply:
    sha = await commit_of(ctx, ctx.params["ref"])
    found = [one for one in reversed(ctx.repo.statuses) if one.sha == sha]
    items, headers = ctx.page(found)
    return Reply(200, [shapes.status(ctx.site.world, ctx.repo, one) for one in items], headers)


@route("GET", COMMIT + "/status", "statuses:read")
async def get_combined_status_for_ref(ctx: Context) -> Reply:
    sha = await commit_of(ctx, ctx.params["ref"])
    latest, headers = ctx.page(latest_statuses(ctx.repo, sha))
    return Reply(200, shapes.combined(ctx.site.world, ctx.repo, sha, latest), headers)
