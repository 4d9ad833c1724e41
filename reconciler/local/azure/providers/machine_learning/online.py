"""Online endpoints and their deployments.

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
from reconciler.local.azure.providers.machine_learning import computes
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
DEPLOYMENT = f"{ENDPOINT}/deployments"
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


# Deployments

_PROBE: JSON = {
    "failureThreshold": 30,
    "successThreshold": 1,
    "timeout": "PT2S",
    "period": "PT10S",
    "initialDelay": "PT10S",
}
_REQUESTS: JSON = {
    "maxQueueWait": "PT0S",
    "requestTimeout": "PT5S",
    "maxConcurrentRequestsPerInstance": 1,
}


def _endpoint_ready(ctx: Context) -> None:
    """One write at a time: quoted in github.com/Azure/azure-sdk-for-net issue 36961."""
    endpoint = ctx.parent
    if endpoint is None or ctx.method != "PUT":
        return
    busy = [endpoint, *ctx.cloud.children(endpoint.id, "deployments")]
    if any(not r.settled for r in busy):
        raise user_error(
            ctx,
            int(ctx.setting("machine_learning.endpoint_busy_status", 400)),
            f"Cannot create a deployment in endpoint {endpoint.name} because it is in Updating "
            "provisioning state.",
        )


def _validate_deployment(ctx: Context, body: JSON) -> None:
    sent = sent_properties(body)
    sku = body.get("sku") or {}
    if str(sku.get("name", "")).lower() != "default":
        raise user_error(ctx, 400, "The sku name of an online deployment must be Default.")
    before = ctx.existing.properties if ctx.existing else {}
    for name in ("endpointComputeType", "instanceType"):
        wanted = sent.get(name, before.get(name))
        if name in before and str(wanted).lower() != str(before[name]).lower():
            raise user_error(ctx, 400, f"The property {name} of a deployment cannot change.")
    _check_quota(ctx, body, sent)


def _check_quota(ctx: Context, body: JSON, sent: JSON) -> None:
    """Words: https://learn.microsoft.com/azure/machine-learning/how-to-troubleshoot-online-endpoints"""
    needed = computes.cores(str(sent.get("instanceType", "")))
    if needed is None:
        return
    quota, cpus = needed
    wanted = cpus * int((body.get("sku") or {}).get("capacity") or 1)
    place = str(body.get("location") or place_of(ctx)).replace(" ", "").lower()
    now = computes.used(ctx.cloud, ctx.id.subscription, place, but=ctx.id.text).get(quota, 0)
    most = computes.limit(ctx, quota)
    if now + wanted > most:
        raise user_error(
            ctx,
            400,
            f"Not enough quota available for {sent['instanceType']} in SubscriptionId "
            f"{ctx.id.subscription}. Current usage/limit: {now}/{most}. Additional needed: "
            f"{wanted} Please see troubleshooting guide, available here: "
            "https://aka.ms/oe-tsg#error-outofquota",
            inner="OutOfQuota",
        )


def _complete_deployment(ctx: Context, body: JSON) -> JSON:
    sent = sent_properties(body)
    before = ctx.existing.properties if ctx.existing else {}
    location = body.get("location") or place_of(ctx)
    sku = {"tier": "Standard", "capacity": 1, **(body.get("sku") or {}), "name": "Default"}
    return {
        "properties": {
            "description": None,
            "codeConfiguration": None,
            "environmentId": None,
            "environmentVariables": {},
            "scaleSettings": {"scaleType": "Default"},
            "modelMountPath": None,
            "appInsightsEnabled": False,
            "egressPublicNetworkAccess": "Enabled",
            "endpointComputeType": "Managed",
            **sent,
            "requestSettings": _REQUESTS | (sent.get("requestSettings") or {}),
            "livenessProbe": _PROBE | (sent.get("livenessProbe") or {}),
            "readinessProbe": _PROBE | (sent.get("readinessProbe") or {}),
            "properties": {
                **(before.get("properties") or {}),
                **(sent.get("properties") or {}),
                "AzureAsyncOperationUri": operation_uri(ctx, location),
            },
        },
        "tags": body.get("tags") or {},
        "location": location,
        "kind": "Managed",
        "sku": sku,
    }


def _refuse_with_traffic(ctx: Context, deployment: Resource) -> None:
    endpoint = ctx.parent
    assert endpoint is not None
    for name in ("traffic", "mirrorTraffic"):
        if (endpoint.properties.get(name) or {}).get(deployment.name.lower()):
            raise user_error(
                ctx,
                400,
                f"The deployment {deployment.name} still has {name}; set it to 0 before deleting.",
            )


def _deployment_missing(ctx: Context) -> ArmError:
    message = f"There is no deployment with name: {ctx.name} in {ctx.id.names[-2]}"
    return not_found(ctx, "NoSuchDeployment", message)


def _logs(ctx: Context, deployment: Resource, _: object) -> Reply:
    return Reply(200, {"content": f"{deployment.name} is {deployment.state}\n"})


def _skus(ctx: Context, deployment: Resource, _: object) -> Reply:
    capacity = {"minimum": 1, "maximum": 50, "default": 1, "scaleType": "Automatic"}
    sku = {"name": "Default", "tier": "Standard"}
    kind = deployment.type.name
    return Reply(200, {"value": [{"resourceType": kind, "sku": sku, "capacity": capacity}]})


DEPLOYMENT_TYPE = ResourceType(
    name=DEPLOYMENT,
    api_versions=API_VERSIONS,
    put=Answer(created=201, updated=201, wait=MFE_PUT, creating="Updating", duration_s=400),
    patch=Answer(updated=202, body="null", wait=MFE_PATCH, duration_s=400),
    delete=Answer(updated=202, body="null", wait=MFE_DELETE, duration_s=60, absent=204),
    lock=DEPLOYMENT,
    lock_error=busy,
    system_data=MFE_SYSTEM_DATA,
    ready=_endpoint_ready,
    validate=_validate_deployment,
    complete=_complete_deployment,
    before_delete=_refuse_with_traffic,
    missing=_deployment_missing,
    actions={"getLogs": _logs},
    views={"skus": _skus},
)
