"""Managed identities as every provider answers them: the caller says which, Azure fills the ids."""

from __future__ import annotations

from reconciler.local.azure.model import JSON, ArmError, Cloud, Context

IDENTITY_TYPE = "Microsoft.ManagedIdentity/userAssignedIdentities"


def assigned(ctx: Context, wanted: JSON | None, *, spaced: bool = False) -> JSON | None:
    """The `identity` block to store for the one that was sent.

    A system-assigned principal is kept as long as the resource has one. `spaced` tells the two
    spellings of "both" apart: Cognitive Services puts a space behind the comma, others do not.
    Raises ArmError (400 FailedIdentityOperation) for a user-assigned identity that is not there.
    """
    if not wanted or str(wanted.get("type", "None")).lower() == "none":
        return {"type": "None"} if wanted else None
    kinds = {part.strip().lower() for part in str(wanted["type"]).split(",")}
    answer: JSON = {"type": _spelling(kinds, spaced=spaced)}
    if "systemassigned" in kinds:
        before = (ctx.existing.body.get("identity") if ctx.existing else None) or {}
        answer["principalId"] = before.get("principalId") or ctx.cloud.guid()
        answer["tenantId"] = ctx.cloud.tenant
    if "userassigned" in kinds:
        named = wanted.get("userAssignedIdentities") or {}
        answer["userAssignedIdentities"] = {i: _user_assigned(ctx, i) for i in named}
    return answer


def principal_created(cloud: Cloud, principal_id: str) -> float | None:
    """When the principal was made here (seconds), None when it is not one of the emulator's."""
    wanted = principal_id.lower()
    for resource in cloud.of_type(IDENTITY_TYPE):
        if resource.properties.get("principalId", "").lower() == wanted:
            return resource.created
    for resource in cloud.within("/subscriptions"):
        if (resource.body.get("identity") or {}).get("principalId", "").lower() == wanted:
            return resource.created
    return None


def _spelling(kinds: set[str], *, spaced: bool) -> str:
    words = {"systemassigned": "SystemAssigned", "userassigned": "UserAssigned"}
    return (", " if spaced else ",").join(words[k] for k in words if k in kinds)


def _user_assigned(ctx: Context, identity_id: str) -> JSON:
    found = ctx.cloud.find(identity_id)
    if found is None or found.type.name != IDENTITY_TYPE:
        asked = identity_id.replace("/resourceGroups/", "/resourcegroups/")
        raise ArmError(
            400,
            "FailedIdentityOperation",
            f"Identity operation for resource '{ctx.id.text}' failed with error 'Failed to perform "
            f"resource identity operation. Status: 'BadRequest'. Response: "
            f'\'{{"error":{{"code":"BadRequest","message":"Resource \'{asked}\' '
            f"was not found.\"}}}}'.'.",
            cause="gateway",
        )
    return {k: found.properties[k] for k in ("principalId", "clientId")}
