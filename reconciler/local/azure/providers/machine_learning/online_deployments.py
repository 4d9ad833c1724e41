"""Deployments of online endpoints: defaults, quota, and the traffic that holds them.

Source: https://learn.microsoft.com/rest/api/azureml/online-deployments and the recordings named in
`common`; how a refusal is worded is unverified.
"""

from __future__ import annotations

from reconciler.local.azure.model import (
    JSON,
    Answer,
    ArmError,
    Context,
    Reply,
    Resource,
    ResourceType,
)
from reconciler.local.azure.providers.machine_learning import computes
from reconciler.local.azure.providers.machine_learning.common import (
    API_VERSIONS,
    MFE_DELETE,
    MFE_PATCH,
    MFE_PUT,
    MFE_SYSTEM_DATA,
    not_found,
    operation_uri,
    place_of,
    sent_properties,
    user_error,
)
from reconciler.local.azure.providers.machine_learning.online import ENDPOINT, busy

DEPLOYMENT = f"{ENDPOINT}/deployments"
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
