"""Reactions to comments and issues."""

from reconciler.local.github import shapes
from reconciler.local.github.model import Reaction, Refusal
from reconciler.local.github.rest.comments import ONE as COMMENT
from reconciler.local.github.rest.comments import found_comment
from reconciler.local.github.rest.issues import ONE as ISSUE
from reconciler.local.github.rest.issues import READ, WRITE, found_issue
from reconciler.local.github.wire import Context, Reply, not_found, route


async def _list(ctx: Context, reactions: list[Reaction]) -> Reply:
    content = ctx.request.query.get("content", "")
    items, headers = ctx.page([one for one in reactions if content in ("", one.content)])
    return Reply(200, [shapes.reaction(ctx.site.world, one) for one in items], headers)


async def _create(ctx: Context, reactions: list[Reaction]) -> Reply:
    """201, or 200 with the one that this user gave before."""
    content = ctx.chosen("content", shapes.REACTIONS)
    world, actor = ctx.site.world, ctx.caller.actor
    for one in reactions:
        if (one.user, one.content) == (actor, content):
            return Reply(200, shapes.reaction(world, one))
    reactions.append(Reaction(world.new_id(), actor, content, world.now()))
    return Reply(201, shapes.reaction(world, reactions[-1]))


async def _delete(ctx: Context, reactions: list[Reaction]) -> Reply:
    number = ctx.number("reaction_id")
    found = next((one for one in reactions if one.id == number), None)
    if found is None:
        raise not_found()
    if found.user is not ctx.caller.actor:
        raise Refusal(403, "You can only delete your own reactions")
    reactions.remove(found)
    return Reply(204)


@route("GET", COMMENT + "/reactions", READ)
async def list_for_issue_comment(ctx: Context) -> Reply:
    return await _list(ctx, found_comment(ctx).reactions)


@route("POST", COMMENT + "/reactions", WRITE)
async def create_for_issue_comment(ctx: Context) -> Reply:
    return await _create(ctx, found_comment(ctx).reactions)


@route("DELETE", COMMENT + "/reactions/{reaction_id}", WRITE)
async def delete_for_issue_comment(ctx: Context) -> Reply:
    return await _delete(ctx, found_comment(ctx).reactions)


@route("GET", ISSUE + "/reactions", READ)
async def list_for_issue(ctx: Context) -> Reply:
    return await _list(ctx, found_issue(ctx).reactions)


@route("POST", ISSUE + "/reactions", WRITE)
async def create_for_issue(ctx: Context) -> Reply:
    return await _create(ctx, found_issue(ctx).reactions)


@route("DELETE", ISSUE + "/reactions/{reaction_id}", WRITE)
async def delete_for_issue(ctx: Context) -> Reply:
    return await _delete(ctx, found_issue(ctx).reactions)
