"""Computes, and the virtual CPU quota that they and managed deployments live from.

Source: https://learn.microsoft.com/rest/api/azureml/compute, https://learn.microsoft.com/rest/api/
azureml/usages and the recordings named in `common`.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

from reconciler.local.azure.model import (
    JSON,
    Answer,
    ArmError,
    Cloud,
    Context,
    Reply,
    Resource,
    ResourceType,
    Route,
)
from reconciler.local.azure.providers.identities import assigned
from reconciler.local.azure.providers.machine_learning.common import (
    API_VERSIONS,
    COMPUTE_WAIT,
    NAMESPACE,
    PROVIDER_PATH,
    WORKSPACE,
    offset_time,
    sent_properties,
)

COMPUTE = f"{WORKSPACE}/computes"
DEPLOYMENT = f"{WORKSPACE}/onlineEndpoints/deployments"
_NAME = re.compile(r"[A-Za-z][A-Za-z0-9-]{1,22}[A-Za-z0-9]")
_NODES = ("preparing", "running", "idle", "unusable", "leaving", "preempted")
# name: (family as usages spell it, virtual CPUs, memory in GB, GPUs), from
# https://learn.microsoft.com/azure/virtual-machines/sizes and the list of sizes for managed
# endpoints, https://learn.microsoft.com/azure/machine-learning/reference-managed-online-endpoints-vm-sku-list
VM_SIZES: dict[str, tuple[str, int, float, int]] = {
    "Standard_D2_v2": ("Standard Dv2 Family", 2, 7, 0),
    "Standard_D2as_v4": ("Standard DASv4 Family", 2, 8, 0),
    "Standard_D4as_v4": ("Standard DASv4 Family", 4, 16, 0),
    "Standard_DS1_v2": ("Standard DSv2 Family", 1, 3.5, 0),
    "Standard_DS2_v2": ("Standard DSv2 Family", 2, 7, 0),
    "Standard_DS3_v2": ("Standard DSv2 Family", 4, 14, 0),
    "Standard_DS4_v2": ("Standard DSv2 Family", 8, 28, 0),
    "Standard_DS5_v2": ("Standard DSv2 Family", 16, 56, 0),
    "Standard_E2s_v3": ("Standard ESv3 Family", 2, 16, 0),
    "Standard_E4s_v3": ("Standard ESv3 Family", 4, 32, 0),
    "Standard_F2s_v2": ("Standard FSv2 Family", 2, 4, 0),
    "Standard_F4s_v2": ("Standard FSv2 Family", 4, 8, 0),
    "Standard_F8s_v2": ("Standard FSv2 Family", 8, 16, 0),
    "Standard_NC4as_T4_v3": ("Standard NCASv3_T4 Family", 4, 28, 1),
    "Standard_NC24ads_A100_v4": ("Standard NCADSA100v4 Family", 24, 220, 1),
    "Standard_NC40ads_H100_v5": ("Standard NCADSH100v5 Family", 40, 320, 1),
    "Standard_ND96asr_v4": ("Standard NDASv4_A100 Family", 96, 900, 8),
}
_BY_LOWER = {name.lower(): facts for name, facts in VM_SIZES.items()}
_SUFFIX = " Cluster Dedicated vCPUs"


# Quota


def cores(vm_size: str) -> tuple[str, int] | None:
    """Quota name and virtual CPUs of a size, None for a size that is not in the table."""
    facts = _BY_LOWER.get(vm_size.lower())
    return (facts[0] + _SUFFIX, facts[1]) if facts else None


def limit(ctx: Context, quota: str) -> int:
    """A made-up limit, the same for every family unless the settings name another."""
    limits: Mapping[str, int] = ctx.setting("machine_learning.vcpu_limits", {})
    return limits.get(quota, int(ctx.setting("machine_learning.vcpu_limit", 100)))


def used(cloud: Cloud, subscription: str, place: str, *, but: str = "") -> dict[str, int]:
    """Virtual CPUs in use by quota, for online deployments and clusters' maximum sizes."""
    total: dict[str, int] = {}
    for kind in (DEPLOYMENT, COMPUTE):
        for resource in cloud.of_type(kind, subscription):
            if resource.id.lower() == but.lower() or _place(resource.body) != place:
                continue
            for quota, number in _needs(resource).items():
                total[quota] = total.get(quota, 0) + number
    return total


def _needs(resource: Resource) -> dict[str, int]:
    if resource.type.name == DEPLOYMENT:
        size, count = resource.properties.get("instanceType"), resource.body["sku"].get("capacity")
    else:
        inner = resource.properties.get("properties") or {}
        size, count = inner.get("vmSize"), (inner.get("scaleSettings") or {}).get("maxNodeCount")
    known = cores(str(size or ""))
    return {known[0]: known[1] * int(count or 1)} if known else {}


def _place(body: JSON) -> str:
    return str(body.get("location", "")).replace(" ", "").lower()


def _usages(ctx: Context, captured: Mapping[str, str], _: object) -> Reply:
    place = captured["location"].replace(" ", "").lower()
    now = used(ctx.cloud, captured["subscription"], place)
    quotas = sorted({facts[0] + _SUFFIX for facts in VM_SIZES.values()})
    return Reply(200, {"value": [_usage(ctx, captured, q, now.get(q, 0)) for q in quotas]})


def _usage(ctx: Context, captured: Mapping[str, str], quota: str, value: int) -> JSON:
    slug = quota.replace(" ", "_")
    return {
        "id": f"/subscriptions/{captured['subscription']}/usages/{slug}",
        "type": f"{NAMESPACE}/vmFamily/usages",
        "currentValue": value,
        "limit": limit(ctx, quota),
        "name": {"value": quota, "localizedValue": quota},
        "unit": "Count",
    }


def _vm_sizes(ctx: Context, captured: Mapping[str, str], _: object) -> Reply:
    sizes = [
        {
            "name": name,
            "family": family,
            "vCPUs": cpus,
            "gpus": gpus,
            "memoryGB": memory,
            "lowPriorityCapable": True,
            "premiumIO": "s" in name.partition("_")[2],
            "supportedComputeTypes": ["AmlCompute", "ComputeInstance"],
        }
        for name, (family, cpus, memory, gpus) in VM_SIZES.items()
    ]
    return Reply(200, {"value": sizes})


ROUTES = tuple(
    Route(method="GET", path=f"{PROVIDER_PATH}/locations/{{location}}/{name}", handler=handler)
    for name, handler in (("usages", _usages), ("vmSizes", _vm_sizes))
)


# Computes


def _validate(ctx: Context, body: JSON) -> None:
    if not _NAME.fullmatch(ctx.name):
        raise ArmError(400, "UserError", f"The compute name {ctx.name} is not valid.")
    if ctx.existing is not None and ctx.method == "PUT":
        before, after = (_size(p) for p in (ctx.existing.properties, sent_properties(body)))
        if after and before and after.lower() != before.lower():
            raise ArmError(400, "UserError", "The vmSize of a compute cannot be changed.")


def _size(properties: JSON) -> str:
    return str((properties.get("properties") or {}).get("vmSize", ""))


def _complete(ctx: Context, body: JSON) -> JSON:
    sent = sent_properties(body)
    before = ctx.existing.properties if ctx.existing else {}
    now = offset_time(ctx.cloud.now())
    attached = sent.get("computeType") not in ("AmlCompute", "ComputeInstance")
    kept = ctx.existing.body.get("tags") if ctx.existing else None
    answer: JSON = {"location": body.get("location", ""), "tags": body.get("tags") or kept}
    if identity := assigned(ctx, body.get("identity")):
        answer["identity"] = identity
    inner = dict(sent.get("properties") or {})
    return answer | {
        "properties": {
            **{k: before[k] for k in ("computeLocation",) if k in before},
            "description": None,
            "disableLocalAuth": False,
            "resourceId": None,
            "provisioningErrors": None,
            **({"provisioningWarnings": None} if attached else {}),
            **sent,
            "createdOn": before.get("createdOn", now),
            "modifiedOn": now,
            "isAttachedCompute": attached,
            "properties": _machine(inner) if attached else _cluster(inner),
        }
    }


def _cluster(inner: JSON) -> JSON:
    """A cluster before it has nodes; who may sign in shows later, without the password."""
    inner.pop("userAccountCredentials", None)
    idle = dict.fromkeys(("currentNodeCount", "targetNodeCount", "nodeStateCounts", "errors"))
    if inner.get("vmSize"):
        inner["vmSize"] = str(inner["vmSize"]).upper()
    return {
        "subnet": None,
        **idle,
        "allocationState": None,
        "virtualMachineImage": None,
        "isolatedNetwork": False,
        "vmPriority": "Dedicated",
        "osType": "Linux",
        "remoteLoginPortPublicAccess": "NotSpecified",
        "enableNodePublicIp": True,
        **inner,
    }


def _machine(inner: JSON) -> JSON:
    shown = ("notebookServerPort", "imageVersion", "applicationUris", "createdBy")
    return {
        **{k: v for k, v in inner.items() if k != "administratorAccount"},
        "administratorAccount": None,
        **dict.fromkeys(shown),
    }


def _secret(ctx: Context, body: JSON) -> JSON:
    inner = sent_properties(body).get("properties") or {}
    return {k: inner[k] for k in ("userAccountCredentials",) if inner.get(k)}


def _settled(ctx: Context, compute: Resource, verb: str) -> None:
    compute.properties["modifiedOn"] = offset_time(ctx.cloud.now())
    compute.properties.setdefault("computeLocation", compute.body.get("location", ""))
    if compute.properties.get("computeType") != "AmlCompute":
        return
    if compute.body.get("tags") is None:
        compute.body["tags"] = {}
    inner = compute.properties["properties"]
    if user := compute.secret.get("userAccountCredentials"):
        inner["userAccountCredentials"] = {**user, "adminUserPassword": None}
    inner |= {
        "propertyBag": {},
        "currentNodeCount": 0,
        "targetNodeCount": 0,
        "nodeStateCounts": {f"{state}NodeCount": 0 for state in _NODES},
        "allocationState": "Steady",
        "allocationStateTransitionTime": offset_time(ctx.cloud.now()),
    }


def _before_delete(ctx: Context, compute: Resource) -> None:
    """Clusters ask what becomes of their nodes; attached machines were deleted without saying."""
    wanted = ctx.query.get("underlyingResourceAction", "").lower()
    if wanted not in ("delete", "detach") and not compute.properties["isAttachedCompute"]:
        raise ArmError(
            400, "UserError", "The query parameter underlyingResourceAction is required."
        )


def _missing(ctx: Context) -> ArmError:
    """404 with nothing in it."""
    return ArmError(404, "NotFound", "no such compute", empty=True)


COMPUTE_TYPE = ResourceType(
    name=COMPUTE,
    api_versions=API_VERSIONS,
    put=Answer(created=201, updated=201, wait=COMPUTE_WAIT, updating="Creating", duration_s=22),
    patch=Answer(updated=202, body="none", wait=COMPUTE_WAIT, duration_s=10),
    delete=Answer(updated=202, body="none", wait=COMPUTE_WAIT, duration_s=10, absent=204),
    lock=COMPUTE,
    validate=_validate,
    complete=_complete,
    secret=_secret,
    settled=_settled,
    before_delete=_before_delete,
    missing=_missing,
    has_system_data=False,
)
