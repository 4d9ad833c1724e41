"""Microsoft.KeyVault: vaults, the soft-deleted ones, and secrets written through ARM.

Source: https://learn.microsoft.com/rest/api/keyvault/keyvault/vaults and the traffic recorded by
github.com/Azure/azure-cli (2023) and github.com/Azure/azure-service-operator (2023 to 2025).
Marked "(threads)" below: a wording that is known from public issue threads only.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from reconciler.local.azure.model import (
    JSON,
    Answer,
    ArmError,
    AsyncStyle,
    Context,
    Operation,
    Provider,
    Reply,
    Resource,
    ResourceType,
    Route,
)
from reconciler.local.azure.providers import key_vault_secrets as secrets

VAULT = "Microsoft.KeyVault/vaults"
_DAY_S = 86400
_DAYS = 90  # of soft delete, unless the vault says otherwise
_SOFT_DELETED = "key_vault.deleted"
_PROVIDER = "/subscriptions/{subscription}/providers/Microsoft.KeyVault"
_WRITE_ONLY = ("createMode", "vaultUri", "provisioningState", "hsmPoolResourceId")

# Of 23 recorded PUTs, 9 answered while DNS was still being registered.
_REGISTERING = AsyncStyle()


def _purge_status(operation: Operation) -> JSON:
    body = {"createdDateTime": _spaced(operation.started)}
    if operation.ended is None:
        return body | {"status": "NotStarted"}
    return body | {"lastActionDateTime": _spaced(operation.ended), "status": operation.status}


def _spaced(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%d %H:%M:%SZ")


_PURGE = AsyncStyle(
    location_url=_PROVIDER + "/locations/{location}/operationResults/{operation}"
    "?api-version={api_version}",
    retry_after_s=5,
    status_body=_purge_status,
    location_running_body="operation",
    location_done_body="operation",
)


# PUT


def _recovers(body: JSON) -> bool:
    return str((body.get("properties") or {}).get("createMode", "")).lower() == "recover"


def _registers_at_once(ctx: Context, body: JSON) -> bool:
    return _recovers(body) or not ctx.setting("key_vault.registering_dns", True)


def _validate(ctx: Context, body: JSON) -> None:
    sent = body.get("properties") or {}
    if ctx.existing is not None:
        _refuse_changes(ctx.existing, sent)
        return
    deleted = _deleted(ctx).get(ctx.name.lower())
    if _recovers(body):
        if deleted is None:
            raise _no_such_deleted(ctx.name)  # which error a pointless recover gets is unverified
        return
    if deleted is not None:
        raise ArmError(  # (threads)
            409,
            "ConflictError",
            "A vault with the same name already exists in deleted state. You need to either "
            "recover or purge existing key vault. Follow this link for more information on soft "
            "delete: https://go.microsoft.com/fwlink/?linkid=2149745",
        )
    if any(v.name.lower() == ctx.name.lower() for v in ctx.cloud.of_type(VAULT)):
        raise ArmError(  # (threads)
            409,
            "VaultAlreadyExists",
            f"The vault name '{ctx.name}' is already in use. Vault names are globally unique so "
            "it is possible that the name is already taken.",
        )
    _require_policies(ctx, sent)


def _require_policies(ctx: Context, sent: JSON) -> None:
    """Unverified, so it can be switched off."""
    if sent.get("enableRbacAuthorization") or sent.get("accessPolicies") is not None:
        return
    if ctx.setting("key_vault.require_access_policies", True):
        raise _bad_request("The parameter accessPolicies is not specified.")


def _refuse_changes(existing: Resource, sent: JSON) -> None:
    days = sent.get("softDeleteRetentionInDays")
    if days is not None and days != existing.properties.get("softDeleteRetentionInDays", _DAYS):
        raise _bad_request(
            'The property "softDeleteRetentionInDays" has been set already and it can\'t be '
            "modified."
        )
    if existing.properties.get("enablePurgeProtection") and (
        sent.get("enablePurgeProtection") is False
    ):
        raise _bad_request(
            'The property "enablePurgeProtection" cannot be set to false. Enabling the purge '
            "protection for a vault is an irreversible action."
        )


def _bad_request(message: str) -> ArmError:
    return ArmError(400, "BadRequest", message)


def _complete(ctx: Context, body: JSON) -> JSON:
    if ctx.existing is None and _recovers(body):
        # The vault comes back as it was: its old access policies win over the body's.
        kept: JSON = _deleted(ctx).pop(ctx.name.lower())["body"]
        return kept
    before = ctx.existing.properties if ctx.existing else {}
    sent = {k: v for k, v in (body.get("properties") or {}).items() if v is not None}
    for name in _WRITE_ONLY:
        sent.pop(name, None)
    days = before.get("softDeleteRetentionInDays", _DAYS)
    return {
        "location": body.get("location", ""),
        "tags": body.get("tags") or {},
        "properties": {
            "enabledForDeployment": False,
            "publicNetworkAccess": "Enabled",
            "softDeleteRetentionInDays": days,
            **{k: before[k] for k in ("enablePurgeProtection",) if before.get(k)},
            **sent,
            "enableSoftDelete": True,  # false is accepted and ignored
            "accessPolicies": [_policy(p) for p in sent.get("accessPolicies") or ()],
            "vaultUri": ctx.data_url("keyvault", ctx.name),
        },
    }


def _policy(policy: JSON) -> JSON:
    """GUIDs come back in lower case."""
    ids = ("tenantId", "objectId", "applicationId")
    return {k: str(v).lower() if k in ids else v for k, v in policy.items() if v is not None}


def _settled(ctx: Context, vault: Resource, verb: str) -> None:
    if verb == "create":
        secrets.restore(ctx.cloud, vault.name)


def _present(ctx: Context, body: JSON) -> JSON:
    """The first answer has no slash behind `vaultUri`; every later one has."""
    properties = body["properties"]
    if ctx.method != "PUT" or properties.get("provisioningState") != "RegisteringDns":
        return body
    return {**body, "properties": {**properties, "vaultUri": properties["vaultUri"].rstrip("/")}}


# Soft delete


def _deleted(ctx: Context) -> dict[str, Any]:
    return ctx.cloud.state(_SOFT_DELETED)


def _keep(ctx: Context, vault: Resource) -> None:
    """A deleted vault keeps its name until it is purged or recovered."""
    now = ctx.cloud.now()
    days = vault.properties.get("softDeleteRetentionInDays", _DAYS)
    _deleted(ctx)[vault.name.lower()] = {
        "id": vault.id,
        "body": vault.body,
        "deleted": now,
        "purged": now + days * _DAY_S,
    }


def _view(entry: JSON) -> JSON:
    vault = entry["body"]
    subscription = entry["id"].split("/")[2]
    protection = vault["properties"].get("enablePurgeProtection")
    return {
        "id": _PROVIDER.format(subscription=subscription)
        + f"/locations/{vault['location']}/deletedVaults/{vault['name']}",
        "name": vault["name"],
        "type": "Microsoft.KeyVault/deletedVaults",
        "properties": {
            "vaultId": entry["id"],
            "location": vault["location"],
            "tags": vault.get("tags") or {},
            "deletionDate": _whole_seconds(entry["deleted"]),
            "scheduledPurgeDate": _whole_seconds(entry["purged"]),
            **({"purgeProtectionEnabled": True} if protection else {}),
        },
    }


def _whole_seconds(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _find_deleted(ctx: Context, captured: Mapping[str, str]) -> JSON:
    entry = _deleted(ctx).get(captured["name"].lower())
    if entry is None or entry["id"].split("/")[2].lower() != captured["subscription"].lower():
        raise _no_such_deleted(captured["name"])
    found: JSON = entry
    return found


def _no_such_deleted(name: str) -> ArmError:
    return ArmError(
        404,
        "DeletedVaultNotFound",
        f"The specified deleted vault '{name}' does not exist. Ensure that the vault was indeed "
        "deleted and that it is in recoverable state. If soft delete was not enabled then the "
        "vault is permanently deleted. Follow this link for more information: "
        "https://go.microsoft.com/fwlink/?linkid=2149745",
    )


def _list_deleted(ctx: Context, captured: Mapping[str, str], _: object) -> Reply:
    start = f"/subscriptions/{captured['subscription']}/".lower()
    entries = [e for e in _deleted(ctx).values() if e["id"].lower().startswith(start)]
    return Reply(200, {"value": [_view(e) for e in entries]})


def _get_deleted(ctx: Context, captured: Mapping[str, str], _: object) -> Reply:
    return Reply(200, _view(_find_deleted(ctx, captured)))


def _purge(ctx: Context, captured: Mapping[str, str], _: object) -> Reply:
    entry = _find_deleted(ctx, captured)
    if entry["body"]["properties"].get("enablePurgeProtection"):
        raise ArmError(  # unverified: status, code and words
            405,
            "MethodNotAllowed",
            'Operation "purge" is not allowed because purge protection is enabled for this vault. '
            "Key Vault service will automatically purge it after the retention period has passed.",
        )
    _deleted(ctx).pop(captured["name"].lower())
    secrets.forget(ctx.cloud, captured["name"])
    location = entry["body"]["location"]
    return Reply(202, None, ctx.start(_PURGE, 5.0, verb="delete", location=location))


PROVIDER = Provider(
    namespace="Microsoft.KeyVault",
    types=(
        ResourceType(
            name=VAULT,
            api_versions=secrets.API_VERSIONS,
            put=Answer(
                created=200,
                updated=200,
                wait=_REGISTERING,
                wait_on_update=False,
                at_once=_registers_at_once,
                creating="RegisteringDns",
                duration_s=20,
            ),
            patch=Answer(),
            delete=Answer(body="none", absent=204),
            validate=_validate,
            complete=_complete,
            settled=_settled,
            deleted=_keep,
            present=_present,
            page_size=100,
            page_parameter="$skiptoken",
        ),
        secrets.TYPE,
    ),
    routes=(
        Route(method="GET", path=_PROVIDER + "/deletedVaults", handler=_list_deleted),
        Route(
            method="GET",
            path=_PROVIDER + "/locations/{location}/deletedVaults/{name}",
            handler=_get_deleted,
        ),
        Route(
            method="POST",
            path=_PROVIDER + "/locations/{location}/deletedVaults/{name}/purge",
            handler=_purge,
        ),
    ),
    data=(secrets.DATA,),
)
