"""Online endpoints: traffic, keys and tokens.

Source: https://learn.microsoft.com/rest/api/azureml/online-endpoints,
https://learn.microsoft.com/azure/machine-learning/how-to-safely-rollout-online-endpoints and the
recordings named in `common`. No recording changes traffic or runs out of quota: what the rules
are is documented, how a refusal is worded is unverified.
"""

from __future__ import annotations

from typing import Any

from reconciler.local.azure.model import (
    JSON,
    Answer,
    ArmError,
    Context,
    Reply,
    Resource,
    ResourceType,
)
from reconciler.local.azure.providers.identities import assigned
from reconciler.local.azure.providers.machine_learning.common import (
    API_VERSIONS,
    MFE_DELETE,
    MFE_PATCH,
    MFE_PUT,
    MFE_SYSTEM_DATA,
    WORKSPACE,
    not_found,
    operation_uri,
    place_of,
    sent_properties,
    user_error,
    word,
    workspace,
)

ENDPOINT = f"{WORKSPACE}/onlineEndpoints"
_TOKEN_LIFE_S, _REFRESH_S = 43_200, 13_200


# Endpoints


def _validate(ctx: Context, body: JSON) -> None:
    if ctx.method != "PUT":
        return
    traffic = _traffic(sent_properties(body).get("traffic"))
    known = {d.name.lower() for d in ctx.cloud.children(ctx.id.text, "deployments")}
    if unknown := sorted(set(traffic) - known):
        raise user_error(
            ctx, 400, f"Traffic names deployments that do not exist: {', '.join(unknown)}."
        )
    if sum(traffic.values()) not in (0, 100):
        raise user_error(ctx, 400, "The traffic of an endpoint must add up to 0 or to 100.")


def _traffic(sent: Any) -> dict[str, int]:
    """Names in lower case, without the deployments that get nothing."""
    return {str(k).lower(): int(v) for k, v in (sent or {}).items() if v}


def _complete(ctx: Context, body: JSON) -> JSON:
    sent = sent_properties(body)
    before = ctx.existing.properties if ctx.existing else {}
    location = body.get("location") or place_of(ctx)
    sent.pop("keys", None)  # accepted at creation, never shown
    answer: JSON = {
        "properties": {
            "description": None,
            "compute": None,
            "mirrorTraffic": {},
            "publicNetworkAccess": "Enabled",
            "scoringUri": None,
            "swaggerUri": None,
            **sent,
            **{k: before[k] for k in ("scoringUri", "swaggerUri") if k in before},
            "authMode": word(sent.get("authMode"), "Key", "AMLToken", "AADToken"),
            "traffic": _traffic(sent.get("traffic")),
            "properties": _owned_map(ctx, sent, before, location),
        },
        "tags": body.get("tags") or {},
        "location": location,
        "kind": body.get("kind") or "Managed",
    }
    if identity := assigned(ctx, body.get("identity") or {"type": "SystemAssigned"}):
        answer["identity"] = identity
    return answer


def _owned_map(ctx: Context, sent: JSON, before: JSON, location: str) -> JSON:
    """The user's map, in which the service keeps two entries and never loses any."""
    return {
        **(before.get("properties") or {}),
        **(sent.get("properties") or {}),
        "azureml.onlineendpointid": ctx.id.text.lower(),
        "AzureAsyncOperationUri": operation_uri(ctx, location),
    }


def _settled(ctx: Context, endpoint: Resource, verb: str) -> None:
    place = str(endpoint.body.get("location", "")).replace(" ", "").lower()
    base = ctx.data_url("online", place, endpoint.name)
    endpoint.properties["scoringUri"] = base + "score"
    endpoint.properties["swaggerUri"] = base + "swagger.json"


def missing(ctx: Context) -> ArmError:
    home = workspace(ctx)
    where = home.name if home else ctx.id.names[0]
    message = f"There is no endpoint with name: {ctx.name} in {where}"
    return not_found(ctx, "NoSuchEndpoint", message)


def busy(ctx: Context, holder: str) -> ArmError:
    name = holder.rsplit("/", 1)[1]
    return user_error(
        ctx, 409, f"Another operation is in progress on {name}. Please try again later."
    )


# Their keys


def keys(ctx_hex: Any, endpoint: Resource) -> dict[str, str]:
    """The two keys of an endpoint, made when they are first needed."""
    for name in ("primaryKey", "secondaryKey"):
        endpoint.secret.setdefault(name, ctx_hex(32))
    return {name: endpoint.secret[name] for name in ("primaryKey", "secondaryKey")}


def list_keys(ctx: Context, endpoint: Resource, _: object) -> Reply:
    if endpoint.properties.get("authMode", "Key") not in ("Key", "KeyAndAAD"):
        raise user_error(ctx, 400, f"The endpoint {endpoint.name} does not use keys.")
    return Reply(200, keys(ctx.cloud.hex, endpoint))


def regenerate_keys(ctx: Context, endpoint: Resource, body: Any) -> Reply:
    wanted = word((body or {}).get("keyType"), "Primary", "Secondary")
    if wanted not in ("Primary", "Secondary"):
        raise user_error(ctx, 400, "keyType must be Primary or Secondary.")
    keys(ctx.cloud.hex, endpoint)
    name = f"{wanted.lower()}Key"
    endpoint.secret[name] = (body or {}).get("keyValue") or ctx.cloud.hex(32)
    return Reply(202, None, ctx.start(MFE_PATCH, 5.0, location=place_of(ctx)))


def _token(ctx: Context, endpoint: Resource, _: object) -> Reply:
    if endpoint.properties.get("authMode") not in ("AMLToken", "AADToken"):
        raise user_error(ctx, 400, f"The endpoint {endpoint.name} does not use tokens.")
    now = int(ctx.cloud.now())
    token = endpoint.secret.setdefault("accessToken", ctx.cloud.hex(64))
    endpoint.secret["tokenExpiry"] = now + _TOKEN_LIFE_S
    return Reply(
        200,
        {
            "accessToken": token,
            "tokenType": "Bearer",
            "expiryTimeUtc": now + _TOKEN_LIFE_S,
            "refreshAfterTimeUtc": now + _REFRESH_S,
        },
    )


ENDPOINT_TYPE = ResourceType(
    name=ENDPOINT,
    api_versions=API_VERSIONS,
    put=Answer(created=201, updated=201, wait=MFE_PUT, duration_s=55),
    patch=Answer(updated=202, body="null", wait=MFE_PATCH, duration_s=20),
    delete=Answer(updated=202, body="null", wait=MFE_DELETE, duration_s=10, absent=204),
    lock=ENDPOINT,
    lock_error=busy,
    system_data=MFE_SYSTEM_DATA,
    validate=_validate,
    complete=_complete,
    settled=_settled,
    missing=missing,
    actions={"listKeys": list_keys, "regenerateKeys": regenerate_keys, "token": _token},
)
