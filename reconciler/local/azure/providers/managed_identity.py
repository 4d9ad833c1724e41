"""Microsoft.ManagedIdentity: user-assigned identities and their federated credentials.

Source: https://learn.microsoft.com/rest/api/managedidentity/ and the traffic recorded by
github.com/Azure/azure-service-operator and github.com/Azure/azure-cli.
"""

from __future__ import annotations

from reconciler.local.azure.model import (
    JSON,
    Answer,
    ArmError,
    Context,
    Provider,
    Reply,
    Resource,
    ResourceType,
)

_VERSIONS = (
    "2018-11-30",
    "2022-01-31-preview",
    "2023-01-31",
    "2023-07-31-preview",
    "2024-11-30",
)
# Location here is a path without a host, and only says what was made.
_PUT = Answer(created=201, updated=200, created_headers={"Location": "{resource}"})


def _spell(ctx: Context) -> tuple[str, str, str]:
    """Ids always come back with "resourcegroups" in lower case."""
    at = ctx.id.text.lower().find("/resourcegroups/")
    text = ctx.id.text[:at] + "/resourcegroups/" + ctx.id.text[at + 16 :]
    return text, ctx.name, ctx.type.name if ctx.type else ""


def _complete_identity(ctx: Context, body: JSON) -> JSON:
    before = ctx.existing.properties if ctx.existing else {}
    known = {k: before.get(k) or ctx.cloud.guid() for k in ("principalId", "clientId")}
    sent = body.get("properties") or {}
    isolation = {k: sent[k] for k in ("isolationScope",) if sent.get(k) is not None}
    return {
        "location": body.get("location", ""),
        "tags": body.get("tags") or {},
        "properties": {"tenantId": ctx.cloud.tenant, **known, **isolation},
    }


def _complete_credential(ctx: Context, body: JSON) -> JSON:
    return {"properties": body.get("properties") or {}}


def _credential_missing(ctx: Context) -> ArmError:
    return ArmError(404, "NotFound", f"Resource '{_spell(ctx)[0]}' was not found.")


def _associated(ctx: Context, identity: Resource, _: object) -> Reply:
    """Which resources use the identity."""
    users = [
        {"id": r.id, "name": r.name, "type": r.type.name}
        for r in ctx.cloud.within(ctx.id.scope)
        if any(
            i.lower() == identity.id.lower()
            for i in (r.body.get("identity") or {}).get("userAssignedIdentities") or ()
        )
    ]
    return Reply(200, {"totalCount": len(users), "value": users})


PROVIDER = Provider(
    namespace="Microsoft.ManagedIdentity",
    types=(
        ResourceType(
            name="Microsoft.ManagedIdentity/userAssignedIdentities",
            api_versions=_VERSIONS,
            put=_PUT,
            patch=Answer(),
            delete=Answer(body="none", absent=204),
            complete=_complete_identity,
            spell=_spell,
            actions={"listAssociatedResources": _associated},
            has_state=False,
            has_system_data=False,
        ),
        ResourceType(
            name="Microsoft.ManagedIdentity/userAssignedIdentities/federatedIdentityCredentials",
            api_versions=_VERSIONS,
            put=_PUT,
            delete=Answer(body="none", absent=204),
            complete=_complete_credential,
            spell=_spell,
            missing=_credential_missing,
            lock="Microsoft.ManagedIdentity/userAssignedIdentities",
            has_state=False,
            has_system_data=False,
            tracked=False,
        ),
    ),
)
