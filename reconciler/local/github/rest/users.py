"""Users, and what is left of the rate limit."""

from reconciler.local.github import shapes
from reconciler.local.github.model import Refusal
from reconciler.local.github.wire import Context, Reply, not_found, route


@route("GET", "/user")
async def get_authenticated(ctx: Context) -> Reply:
    if ctx.caller.permissions is not None:
        raise Refusal(403, "Resource not accessible by integration")
    return Reply(200, shapes.full_user(ctx.site.world, ctx.caller.actor))


@route("GET", "/users/{username}")
async def get_by_username(ctx: Context) -> Reply:
    user = ctx.site.world.user(ctx.params["username"])
    if user is None:
        raise not_found()
    return Reply(200, shapes.full_user(ctx.site.world, user))
