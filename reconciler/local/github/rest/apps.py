"""The App, its installation, and the tokens that open it."""

from typing import Any

from reconciler.local.github import shapes
from reconciler.local.github.model import JSON, Refusal
from reconciler.local.github.wire import Context, Reply, not_found, route
from reconciler.local.github.world import stamp

ORDER = ("", "read", "write", "admin")


@route("GET", "/app", app=True)
async def get_app(ctx: Context) -> Reply:
    world = ctx.site.world
    return Reply(200, {**shapes.integration(world, world.app), "installations_count": 1})


@route("GET", "/app/installations", app=True)
async def list_installations(ctx: Context) -> Reply:
    world = ctx.site.world
    items, headers = ctx.page([world.app])
    return Reply(200, [shapes.installation(world, app) for app in items], headers)


@route("GET", "/app/installations/{installation_id}", app=True)
async def get_installation(ctx: Context) -> Reply:
    return Reply(200, _installation(ctx))


@route("GET", "/repos/{owner}/{repo}/installation", app=True)
async def get_repo_installation(ctx: Context) -> Reply:
    if not ctx.site.world.installed(ctx.repo):
        raise not_found()
    return Reply(200, shapes.installation(ctx.site.world, ctx.site.world.app))


@route("GET", "/users/{username}/installation", app=True)
async def get_user_installation(ctx: Context) -> Reply:
    return _account_installation(ctx, ctx.params["username"])


@route("GET", "/orgs/{org}/installation", app=True)
async def get_org_installation(ctx: Context) -> Reply:
    return _account_installation(ctx, ctx.params["org"])


@route("POST", "/app/installations/{installation_id}/access_tokens", app=True)
async def create_installation_access_token(ctx: Context) -> Reply:
    """A token for an hour, limited to repositories and permissions when asked."""
    _installation(ctx)
    permissions = _permissions(ctx)
    repositories = _repositories(ctx)
    token, expires = ctx.site.world.installation_token(permissions, repositories)
    selection = "all" if repositories is None else "selected"
    body: JSON = {"token": token, "expires_at": stamp(expires), "permissions": permissions}
    body["repository_selection"] = selection
    if repositories is not None:
        world = ctx.site.world
        chosen = [repo for repo in world.repositories.values() if repo.id in repositories]
        body["repositories"] = [shapes.repository(world, repo) for repo in chosen]
    return Reply(201, body)


@route("GET", "/installation/repositories")
async def list_repos_accessible_to_installation(ctx: Context) -> Reply:
    if ctx.caller.permissions is None:
        raise Refusal(403, "You must authenticate with an installation access token.")
    world, limited = ctx.site.world, ctx.caller.repositories
    seen = [
        repo
        for repo in world.repositories.values()
        if world.installed(repo) and (limited is None or repo.id in limited)
    ]
    items, headers = ctx.page(seen)
    body = {
        "total_count": len(seen),
        "repository_selection": "all" if limited is None else "selected",
        "repositories": [shapes.repository(world, repo) for repo in items],
    }
    return Reply(200, body, headers)


def _installation(ctx: Context) -> JSON:
    app = ctx.site.world.app
    if ctx.number("installation_id") != app.installation_id:
        raise not_found()
    return shapes.installation(ctx.site.world, app)


def _account_installation(ctx: Context, login: str) -> Reply:
    world = ctx.site.world
    if world.user(login) is not world.app.account:
        raise not_found()
    return Reply(200, shapes.installation(world, world.app))


def _permissions(ctx: Context) -> dict[str, str]:
    """What was asked for: no more than the App has."""
    given = ctx.site.world.app.permissions
    asked: dict[str, Any] = ctx.body.get("permissions") or dict(given)
    for name, access in asked.items():
        if access not in ORDER or ORDER.index(access) > ORDER.index(given.get(name, "")):
            raise Refusal(422, "The permissions requested are not granted to this installation.")
    return dict(asked)


def _repositories(ctx: Context) -> frozenset[int] | None:
    ids, names = ctx.body.get("repository_ids"), ctx.body.get("repositories")
    if ids is None and names is None:
        return None
    world = ctx.site.world
    mine = [repo for repo in world.repositories.values() if world.installed(repo)]
    chosen = [repo for repo in mine if repo.id in (ids or ()) or repo.name in (names or ())]
    if len(chosen) != len(ids or ()) + len(names or ()):
        raise Refusal(422, "There is at least one repository that does not exist or is not "
                      "accessible to the parent installation.")  # fmt: skip
    return frozenset(repo.id for repo in chosen)
