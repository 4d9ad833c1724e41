"""Workspaces: of kind Default, Hub, Project and FeatureStore.

Source: https://learn.microsoft.com/rest/api/azureml/workspaces and the recordings named in
`common`. No recording writes a hub or a project: what is said about those two follows
https://learn.microsoft.com/azure/ai-foundry/concepts/ai-resources and the notes of
hashicorp/terraform-provider-azurerm, and their error codes are unverified.
"""

from __future__ import annotations

import re
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
from reconciler.local.azure.providers.machine_learning import datastores
from reconciler.local.azure.providers.machine_learning.common import (
    API_VERSIONS,
    WORKSPACE,
    WORKSPACE_WAIT,
    sent_properties,
    word,
)

_DAY_S = 86400
_SOFT_DELETED = "machine_learning.deleted"
_KINDS = ("Default", "Hub", "Project", "FeatureStore")
# A project has these from its hub; a request that names them for a project is refused.
_INHERITED = ("storageAccount", "keyVault", "applicationInsights", "containerRegistry")
_DEPENDENCIES = ("storageAccount", "keyVault", "applicationInsights", "containerRegistry")
_IMMUTABLE = ("storageAccount", "keyVault", "hubResourceId", "hbiWorkspace")
_DEFAULTS: JSON = {
    "friendlyName": "",
    "description": "",
    "applicationInsights": None,
    "hbiWorkspace": False,
    "imageBuildCompute": None,
    "allowRoleAssignmentOnRG": True,
    "v1LegacyMode": False,
    "softDeleteEnabled": False,
    "storageHnsEnabled": False,
    "linkedModelInventoryArmId": None,
    "privateLinkCount": 0,
    "publicNetworkAccess": "Enabled",
    "ipAllowlist": [],
    "serverlessComputeSettings": None,
    "EnableSoftwareBillOfMaterials": False,
    "sasGetterUri": "",
    "enableDataIsolation": False,
    "systemDatastoresAuthMode": "accesskey",
    "enableServiceSideCMKEncryption": False,
}
_NETWORK: JSON = {
    "isolationMode": "Disabled",
    "changeableIsolationModes": ["AllowInternetOutbound", "AllowOnlyApprovedOutbound"],
    "enableNetworkMonitor": False,
    "enableFirewallLog": False,
}
# Accepted and then answered otherwise, or not at all.
_DROPPED = ("allowPublicAccessWhenBehindVnet", "provisioningState", "provisionNetworkNow")


def _kind(body: JSON) -> str:
    return str(word(body.get("kind") or "Default", *_KINDS))


# What is refused


def _validate(ctx: Context, body: JSON) -> None:
    sent = sent_properties(body)
    kind = _kind(body)
    if ctx.existing is None:
        _refuse_soft_deleted_name(ctx)
        _require_dependencies(ctx, kind, sent)
    elif ctx.method == "PUT":
        _refuse_changes(ctx.existing, kind, sent)
    if kind == "Project" and ctx.method == "PUT":
        _check_project(ctx, body, sent)


def _refuse_soft_deleted_name(ctx: Context) -> None:
    """https://learn.microsoft.com/azure/machine-learning/concept-soft-delete; words unverified."""
    entry = _deleted(ctx).get(ctx.id.text.lower())
    if entry is not None and entry["purged"] > ctx.cloud.now():
        raise ArmError(
            409,
            "Conflict",
            "Soft-deleted workspace exists. Please purge or recover it. https://aka.ms/wsoftdelete",
        )


def _require_dependencies(ctx: Context, kind: str, sent: JSON) -> None:
    """Dependencies that are named must be there (the code is unverified)."""
    if kind != "Project" and not sent.get("storageAccount"):
        raise _bad_request("Missing dependent resources in workspace json")
    if not ctx.setting("machine_learning.check_dependencies", True):
        return
    for name in _DEPENDENCIES:
        wanted = sent.get(name)
        if wanted and ctx.cloud.find(str(wanted)) is None and _is_emulated(ctx, str(wanted)):
            raise _bad_request(f"The dependent resource {wanted} ({name}) was not found.")


def _is_emulated(ctx: Context, arm_id: str) -> bool:
    """Other kinds of things, and other subscriptions' things, are taken on trust."""
    known = ("microsoft.storage/", "microsoft.keyvault/", "microsoft.insights/")
    start = f"/subscriptions/{ctx.id.subscription}/".lower()
    return arm_id.lower().startswith(start) and any(k in arm_id.lower() for k in known)


def _refuse_changes(existing: Resource, kind: str, sent: JSON) -> None:
    if kind != existing.body["kind"]:
        raise _bad_request(f"The kind of a workspace cannot change to {kind}.")
    for name in _IMMUTABLE:
        before, after = existing.properties.get(name), sent.get(name)
        if name in _INHERITED and kind == "Project":
            continue
        if after is not None and str(after).lower() != str(before).lower():
            raise _bad_request(f"The property {name} of a workspace cannot be changed.")


def _check_project(ctx: Context, body: JSON, sent: JSON) -> None:
    hub = ctx.cloud.find(str(sent.get("hubResourceId", "")))
    if hub is None or hub.body.get("kind") != "Hub":
        raise _bad_request("A workspace of kind Project needs the hubResourceId of a hub.")
    if str(body.get("location", "")).lower() != str(hub.body.get("location", "")).lower():
        raise _bad_request("A project must be in the location of its hub.")
    if refused := [name for name in _INHERITED if sent.get(name)]:
        raise _bad_request(f"A project has {', '.join(refused)} from its hub; do not set it.")


def _bad_request(message: str) -> ArmError:
    return ArmError(400, "ValidationError", message)


# What is stored


def _complete(ctx: Context, body: JSON) -> JSON:
    kind = _kind(body)
    answer: JSON = {
        "location": body.get("location", ""),
        "tags": body.get("tags") or {},
        "etag": None,
        "kind": kind,
        "sku": {"name": "Basic", "tier": "Basic"},  # whatever was asked for
        "properties": _properties(ctx, body, kind),
    }
    if identity := assigned(ctx, body.get("identity")):
        answer["identity"] = identity
    return answer


def _properties(ctx: Context, body: JSON, kind: str) -> JSON:
    before = ctx.existing.properties if ctx.existing else {}
    sent = {k: v for k, v in sent_properties(body).items() if k not in _DROPPED}
    hub = ctx.cloud.find(str(sent.get("hubResourceId", ""))) if kind == "Project" else None
    inherited = {k: hub.properties[k] for k in _INHERITED if k in hub.properties} if hub else {}
    properties = _DEFAULTS | _service_owned(ctx, body, before) | sent | inherited
    properties["managedNetwork"] = _NETWORK | (sent.get("managedNetwork") or {})
    for name in _DEPENDENCIES:
        if properties.get(name):
            properties[name] = _respelled(str(properties[name]))
    return properties


def _service_owned(ctx: Context, body: JSON, before: JSON) -> JSON:
    place = str(body.get("location", "")).replace(" ", "").lower()
    workspace_id = before.get("workspaceId") or ctx.cloud.guid()
    short = re.sub("[^a-zA-Z0-9]", "", ctx.name)[:15]
    return {
        "tenantId": ctx.cloud.tenant,
        "workspaceId": workspace_id,
        "creationTime": before.get("creationTime") or ctx.timestamp(),
        "discoveryUrl": f"https://{place}.api.azureml.ms/discovery",
        "mlFlowTrackingUri": f"azureml://{place}.api.azureml.ms/mlflow/v1.0{ctx.id.text}",
        "sdkTelemetryAppInsightsKey": before.get("sdkTelemetryAppInsightsKey") or ctx.cloud.guid(),
        "notebookInfo": before.get("notebookInfo")
        or {
            "resourceId": ctx.cloud.hex(32),
            "fqdn": f"ml-{short}-{place}-{workspace_id}.{place}.notebooks.azure.net",
            "isPrivateLinkEnabled": False,
            "notebookPreparationError": None,
        },
    }


def _respelled(arm_id: str) -> str:
    """The service has its own spelling for two namespaces."""
    arm_id = re.sub(r"/microsoft\.keyvault/", "/Microsoft.Keyvault/", arm_id, flags=re.IGNORECASE)
    return re.sub(r"/microsoft\.insights/", "/Microsoft.insights/", arm_id, flags=re.IGNORECASE)


def _settled(ctx: Context, workspace: Resource, verb: str) -> None:
    if verb == "create":
        datastores.add_system_ones(ctx, workspace)
        _let_into_vault(ctx, workspace)
    _associate(ctx, workspace)


def _let_into_vault(ctx: Context, workspace: Resource) -> None:
    """The service adds an access policy for the workspace to a vault that works with policies."""
    vault = ctx.cloud.find(str(workspace.properties.get("keyVault")))
    principal = (workspace.body.get("identity") or {}).get("principalId")
    if vault is None or principal is None or vault.properties.get("enableRbacAuthorization"):
        return
    everything = {"keys": ["all"], "secrets": ["all"], "certificates": ["all"], "storage": []}
    policy = {"tenantId": ctx.cloud.tenant, "objectId": principal, "permissions": everything}
    vault.properties.setdefault("accessPolicies", []).append(policy)
    vault.changed()


def _associate(ctx: Context, workspace: Resource) -> None:
    """A hub lists its projects."""
    hub = ctx.cloud.find(str(workspace.properties.get("hubResourceId", "")))
    if hub is not None:
        hub.properties["associatedWorkspaces"] = [p.id for p in projects(ctx, hub)]
        hub.changed()


def projects(ctx: Context, hub: Resource) -> list[Resource]:
    """The workspaces of kind Project that belong to a hub."""
    wanted = hub.id.lower()
    return [
        w
        for w in ctx.cloud.of_type(WORKSPACE)
        if str(w.properties.get("hubResourceId", "")).lower() == wanted
    ]


# DELETE


def _before_delete(ctx: Context, workspace: Resource) -> None:
    if workspace.body.get("kind") == "Hub" and projects(ctx, workspace):
        # That a hub with projects stays is unverified, and so are status, code and words.
        raise ArmError(409, "Conflict", "The hub still has projects; delete them first.")
    if ctx.query.get("forceToPurge", "").lower() == "true":
        ctx.cloud.state("machine_learning.purging")[workspace.id.lower()] = True


def _after_delete(ctx: Context, workspace: Resource) -> None:
    """Soft delete blocks the name for some days, unless the request purged."""
    purged = ctx.cloud.state("machine_learning.purging").pop(workspace.id.lower(), False)
    days = float(ctx.setting("machine_learning.soft_delete_days", 14))
    if not purged and days > 0:
        now = ctx.cloud.now()
        _deleted(ctx)[workspace.id.lower()] = {"deleted": now, "purged": now + days * _DAY_S}
    _associate(ctx, workspace)


def _purge(ctx: Context) -> None:
    """A second DELETE ends the soft delete, if it asks to (unverified)."""
    if ctx.query.get("forceToPurge", "").lower() == "true":
        _deleted(ctx).pop(ctx.id.text.lower(), None)


def _deleted(ctx: Context) -> dict[str, Any]:
    return ctx.cloud.state(_SOFT_DELETED)


# Actions


def _list_keys(ctx: Context, workspace: Resource, _: object) -> Reply:
    keys = workspace.secret
    for name in ("userStorageKey", "primaryAccessKey", "secondaryAccessKey"):
        keys.setdefault(name, ctx.cloud.hex(64))
    notebook = {k: keys[k] for k in ("primaryAccessKey", "secondaryAccessKey")}
    return Reply(
        200,
        {
            "userStorageKey": keys["userStorageKey"],
            "userStorageArmId": workspace.properties.get("storageAccount"),
            "appInsightsInstrumentationKey": None,
            "containerRegistryCredentials": None,
            "notebookAccessKeys": notebook,
        },
    )


TYPE = ResourceType(
    name=WORKSPACE,
    api_versions=API_VERSIONS,
    put=Answer(created=202, updated=202, body="none", wait=WORKSPACE_WAIT, duration_s=40),
    patch=Answer(updated=202, body="none", wait=WORKSPACE_WAIT, duration_s=10),
    delete=Answer(updated=202, body="none", wait=WORKSPACE_WAIT, duration_s=30, absent=204),
    lock=WORKSPACE,
    validate=_validate,
    complete=_complete,
    settled=_settled,
    before_delete=_before_delete,
    deleted=_after_delete,
    purge=_purge,
    actions={"listKeys": _list_keys},
)
