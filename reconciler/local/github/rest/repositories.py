"""Repositories, and who may do what in them."""

from reconciler.local.github import shapes
from reconciler.local.github.auth import level_of
from reconciler.local.github.model import Refusal
from reconciler.local.github.wire import Context, Reply, not_found, route

# `permission` has four words for six levels; `role_name` has them all.
LEGACY = {"triage": "read", "maintain": "write"}


@route("GET", "/repos/{owner}/{repo}")
async def get_repo(ctx: Context) -> Reply:
    level = level_of(ctx.site.world, ctx.caller, ctx.repo)
    return Reply(200, shapes.full_repository(ctx.site.world, ctx.repo, level))


@route("GET", "/repos/{owner}/{repo}/collaborators/{username}/permission")
async def get_collaborator_permission_level(ctx: Context) -> Reply:
    """Answers for any user that exists: with "read" in a public repository, else "none"."""
    world = ctx.site.world
    user = world.user(ctx.params["username"])
    if ctx.caller.user is None:
        raise Refusal(401, "Requires authentication")
    if user is None:
        raise Refusal(404, f"{ctx.params['username']} is not a user")
    role = ctx.repo.level_of(user)
    level = LEGACY.get(role, role)
    shape = {**shapes.simple_user(world, user), "permissions": shapes.permissions(role)}
    body = {"permission": level, "role_name": role, "user": {**shape, "role_name": role}}
    return Reply(200, body)


@route("GET", "/repos/{owner}/{repo}/collaborators/{username}", level="write")
async def check_collaborator(ctx: Context) -> Reply:
    user = ctx.site.world.user(ctx.params["username"])
    known = user is not None and (
        user.login in ctx.repo.access or ctx.repo.level_of(user) == "admin"
    )
    if not known:
        raise not_found()
    return Reply(204)
