"""Webhooks of repositories and of the App, what was delivered, and delivering it again."""

from reconciler.local.github import shapes
from reconciler.local.github.model import JSON, Delivery, Hook
from reconciler.local.github.wire import Context, Reply, invalid, invalid_request, not_found, route

ROOT = "/repos/{owner}/{repo}/hooks"
ONE = ROOT + "/{hook_id}"
READ, WRITE = "repository_hooks:read", "repository_hooks:write"


def _hook(ctx: Context) -> Hook:
    number = ctx.number("hook_id")
    for hook in ctx.repo.hooks:
        if hook.id == number:
            return hook
    raise not_found()


def _config(ctx: Context, hook: Hook, config: JSON) -> None:
    url = config.get("url", hook.url)
    if not isinstance(url, str) or not url.startswith(("http://", "https://")):
        raise invalid("Hook", "url", "custom", "url is missing a scheme")
    hook.url, hook.secret = url, config.get("secret", hook.secret) or ""


@route("GET", ROOT, READ, level="admin")
async def list_webhooks(ctx: Context) -> Reply:
    items, headers = ctx.page(ctx.repo.hooks)
    return Reply(200, [shapes.hook(ctx.site.world, hook) for hook in items], headers)


@route("POST", ROOT, WRITE, level="admin")
async def create_webhook(ctx: Context) -> Reply:
    """A new hook is pinged."""
    config, world = ctx.body.get("config"), ctx.site.world
    if not isinstance(config, dict):
        raise invalid_request('"config" wasn\'t supplied.')
    events = tuple(ctx.body.get("events") or ("push",))
    hook = Hook(world.new_id(), "", "", events, ctx.repo, created=world.now())
    _config(ctx, hook, config)
    hook.active = bool(ctx.body.get("active", True))
    ctx.repo.hooks.append(hook)
    ctx.site.events.ping(hook, ctx.caller.actor)
    return Reply(201, shapes.hook(world, hook))


@route("GET", ONE, READ, level="admin")
async def get_webhook(ctx: Context) -> Reply:
    return Reply(200, shapes.hook(ctx.site.world, _hook(ctx)))


@route("PATCH", ONE, WRITE, level="admin")
async def update_webhook(ctx: Context) -> Reply:
    hook = _hook(ctx)
    _config(ctx, hook, ctx.body.get("config") or {})
    hook.events = tuple(ctx.body.get("events") or hook.events)
    hook.active = bool(ctx.body.get("active", hook.active))
    return Reply(200, shapes.hook(ctx.site.world, hook))


@route("DELETE", ONE, WRITE, level="admin")
async def delete_webhook(ctx: Context) -> Reply:
    ctx.repo.hooks.remove(_hook(ctx))
    return Reply(204)


@route("POST", ONE + "/pings", READ, level="admin")
async def ping_webhook(ctx: Context) -> Reply:
    ctx.site.events.ping(_hook(ctx), ctx.caller.actor)
    return Reply(204)


@route("GET", ONE + "/deliveries", READ, level="admin")
async def list_webhook_deliveries(ctx: Context) -> Reply:
    return _deliveries(ctx, _hook(ctx))


@route("POST", ONE + "/deliveries/{delivery_id}/attempts", WRITE, level="admin")
async def redeliver_webhook_delivery(ctx: Context) -> Reply:
    ctx.site.hooks.again(_delivery(ctx, _hook(ctx)))
    return Reply(202, {})


@route("GET", "/app/hook/config", app=True)
async def get_app_hook_config(ctx: Context) -> Reply:
    return Reply(200, shapes.hook_config(ctx.site.hooks.app_hook))


@route("PATCH", "/app/hook/config", app=True)
async def update_app_hook_config(ctx: Context) -> Reply:
    _config(ctx, ctx.site.hooks.app_hook, ctx.body)
    return Reply(200, shapes.hook_config(ctx.site.hooks.app_hook))


@route("GET", "/app/hook/deliveries", app=True)
async def list_app_deliveries(ctx: Context) -> Reply:
    return _deliveries(ctx, ctx.site.hooks.app_hook)


@route("GET", "/app/hook/deliveries/{delivery_id}", app=True)
async def get_app_delivery(ctx: Context) -> Reply:
    found = _delivery(ctx, ctx.site.hooks.app_hook)
    return Reply(200, shapes.delivery(ctx.site.world, found))


@route("POST", "/app/hook/deliveries/{delivery_id}/attempts", app=True)
async def redeliver_app_delivery(ctx: Context) -> Reply:
    ctx.site.hooks.again(_delivery(ctx, ctx.site.hooks.app_hook))
    return Reply(202, {})


def _deliveries(ctx: Context, hook: Hook) -> Reply:
    """Newest first."""
    found = [one for one in reversed(ctx.site.hooks.deliveries.values()) if one.hook is hook]
    items, headers = ctx.page(found)
    return Reply(200, [shapes.delivery_item(ctx.site.world, one) for one in items], headers)


def _delivery(ctx: Context, hook: Hook) -> Delivery:
    found = ctx.site.hooks.deliveries.get(ctx.number("delivery_id"))
    if found is None or found.hook is not hook:
        raise not_found()
    return found
