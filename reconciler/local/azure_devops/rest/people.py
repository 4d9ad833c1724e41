"""Identities, rights, who is asking, and what tells of events."""

from reconciler.local.azure_devops import shapes
from reconciler.local.azure_devops.model import JSON, Refusal, User
from reconciler.local.azure_devops.wire import Context, route
from reconciler.local.github.wire import Reply

GIT_REPOSITORIES = "2e9eb7ed-3c0a-47d4-87c1-0ffdd275fd87"


@route("GET", "/_apis/connectionData")
async def connection_data(ctx: Context) -> Reply:
    user = shapes.security_identity(ctx.caller)
    return Reply(200, {"authenticatedUser": user, "authorizedUser": user})


@route("GET", "/_apis/identities")
async def read_identities(ctx: Context) -> Reply:
    """By ids, or by a search that looks at display names too."""
    ids = [one.lower() for one in ctx.query("identityIds").split(",") if one]
    wanted = ctx.query("filterValue").lower()
    found = [ctx.world.user_of(one) for one in ids] or [
        one for one in ctx.world.users.values() if wanted and _fits(one, wanted)
    ]
    return Reply(200, shapes.listing([shapes.security_identity(one) for one in found if one]))


def _fits(user: User, wanted: str) -> bool:
    return user.name.lower().startswith(wanted) or user.title.lower().startswith(wanted)


@route("GET", "/_apis/hooks/subscriptions")
async def list_subscriptions(ctx: Context) -> Reply:
    """One for each event that goes somewhere."""
    if not ctx.world.hooks_shown:
        raise Refusal(403, "You need the 'View subscriptions' permission on this project.")
    found = [
        shapes.subscription(ctx.world, one, event)
        for one in ctx.site.hooks.subscriptions
        for event in one.events
    ]
    return Reply(200, shapes.listing(found))


@route("GET", "/_apis/accesscontrollists/{namespace}")
async def query_lists(ctx: Context) -> Reply:
    """The entry of each descriptor that was asked for, with what is inherited."""
    if ctx.params["namespace"].lower() != GIT_REPOSITORIES:
        raise Refusal(404, "The security namespace does not exist.")
    parts = ctx.query("token").split("/")
    if len(parts) != 3 or parts[0] != "repoV2":
        return Reply(200, shapes.listing([]))
    repo = ctx.world.repository(parts[2], parts[1])
    entries: dict[str, JSON] = {}
    for descriptor in ctx.query("descriptors").split(","):
        user = next((u for u in ctx.world.users.values() if u.descriptor == descriptor), None)
        if user is not None:
            own, (allowed, denied) = repo.access.get(user.id, (0, 0)), repo.rights(user)
            extended = {"effectiveAllow": allowed, "effectiveDeny": denied}
            entries[descriptor] = {
                "descriptor": descriptor,
                "allow": own[0],
                "deny": own[1],
                **(
                    {"extendedInfo": extended} if ctx.query("includeExtendedInfo") == "true" else {}
                ),
            }
    found = {"inheritPermissions": True, "token": ctx.query("token"), "acesDictionary": entries}
    return Reply(200, shapes.listing([found]))
