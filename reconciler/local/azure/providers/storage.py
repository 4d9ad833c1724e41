"""Microsoft.Storage: storage accounts.

Source: https://learn.microsoft.com/rest/api/storagerp/storage-accounts and the traffic recorded
by github.com/Azure/azure-service-operator (2024 and 2025).
"""

from __future__ import annotations

import base64
import re
from collections.abc import Mapping
from typing import Any

from reconciler.local.azure.model import (
    JSON,
    Answer,
    ArmError,
    AsyncStyle,
    Cloud,
    Context,
    Provider,
    Reply,
    Resource,
    ResourceType,
    Route,
)
from reconciler.local.azure.providers.identities import assigned

ACCOUNT = "Microsoft.Storage/storageAccounts"
_NAME = re.compile(r"[a-z0-9]{3,24}")
_SERVICES = {"blobstorage": ("dfs", "blob", "table")}
_ALL_SERVICES = ("dfs", "web", "blob", "queue", "table", "file")
# Which of these a PUT may not change is known from hashicorp/terraform-provider-azurerm (they
# force a new resource there); the error Azure answers is unverified.
_IMMUTABLE = ("isHnsEnabled", "dnsEndpointType")

# https://learn.microsoft.com/azure/reliability/cross-region-replication-azure, not all of it
_PAIRS = {
    "eastus": "westus",
    "eastus2": "centralus",
    "northcentralus": "southcentralus",
    "westus2": "westcentralus",
    "northeurope": "westeurope",
    "uksouth": "ukwest",
    "francecentral": "francesouth",
    "germanywestcentral": "germanynorth",
    "switzerlandnorth": "switzerlandwest",
    "swedencentral": "swedensouth",
    "japaneast": "japanwest",
    "australiaeast": "australiasoutheast",
    "canadacentral": "canadaeast",
}

_WAIT = AsyncStyle(
    location_url="/subscriptions/{subscription}/providers/Microsoft.Storage/locations/{location}"
    "/asyncoperations/{operation}?monitor=true&api-version={api_version}",
    retry_after_s=17,
    poll_retry_after_s=17,
    location_done_body="resource",
)


def _validate(ctx: Context, body: JSON) -> None:
    if not _NAME.fullmatch(ctx.name):
        raise ArmError(
            400,
            "AccountNameInvalid",
            f"{ctx.name} is not a valid storage account name. Storage account name must be between "
            "3 and 24 characters in length and use numbers and lower-case letters only.",
        )
    sent = body.get("properties") or {}
    if ctx.existing is None:
        if _taken(ctx.cloud, ctx.name):
            raise ArmError(409, "StorageAccountAlreadyTaken", _taken_message(ctx.name))
    else:
        _refuse_changes(ctx.existing, sent)
    days = (sent.get("keyPolicy") or {}).get("keyExpirationPeriodInDays")
    if days is not None and days < 0:
        raise _invalid("keyPolicy.keyExpirationPeriodInDays")


def _refuse_changes(existing: Resource, sent: JSON) -> None:
    for name in _IMMUTABLE:
        if sent.get(name) is not None and sent[name] != existing.properties.get(name, sent[name]):
            raise _invalid(name)


def _invalid(name: str) -> ArmError:
    return ArmError(
        400,
        "InvalidValuesForRequestParameters",
        f"Values for request parameters are invalid: {name}.",
    )


def _taken(cloud: Cloud, name: str) -> bool:
    return any(account.name.lower() == name.lower() for account in cloud.of_type(ACCOUNT))


def _taken_message(name: str) -> str:
    return f"The storage account named {name} is already taken."


def _complete(ctx: Context, body: JSON) -> JSON:
    before = ctx.existing.properties if ctx.existing else {}
    sku = body.get("sku") or {"name": "Standard_LRS"}
    kind = body.get("kind") or "StorageV2"
    answer: JSON = {
        "sku": {"name": sku["name"], "tier": sku["name"].partition("_")[0]},
        "kind": kind,
        "location": body.get("location", ""),
        "tags": body.get("tags") or {},
        "properties": before | _properties(ctx, body, before, kind, sku["name"]),
    }
    if identity := assigned(ctx, body.get("identity")):
        answer["identity"] = identity
    return answer


def _properties(ctx: Context, body: JSON, before: JSON, kind: str, sku: str) -> JSON:
    sent = {k: v for k, v in (body.get("properties") or {}).items() if v is not None}
    created = before.get("creationTime") or ctx.timestamp()
    location = body.get("location", "")
    return {
        "keyCreationTime": before.get("keyCreationTime") or {"key1": created, "key2": created},
        "allowCrossTenantReplication": False,
        "allowCrossTenantDelegationSas": False,
        "privateEndpointConnections": [],
        "minimumTlsVersion": "TLS1_2",
        "allowBlobPublicAccess": False,
        "supportsHttpsTrafficOnly": True,
        "accessTier": "Hot",
        **sent,
        "networkAcls": _network_acls(sent.get("networkAcls") or {}),
        "encryption": _encryption(sent.get("encryption") or {}, created),
        "creationTime": created,
        **_places(ctx.name, kind, sku, location),
    }


def _network_acls(sent: JSON) -> JSON:
    return {
        "ipv6Rules": [],
        "bypass": "AzureServices",
        "virtualNetworkRules": [],
        "ipRules": [],
        "defaultAction": "Allow",
    } | {k: v for k, v in sent.items() if v is not None}


def _encryption(sent: JSON, created: str) -> JSON:
    """Empty services are filled in; blob and file are always encrypted."""
    asked = sent.get("services") or {}
    default = {"keyType": "Account", "enabled": True, "lastEnabledTime": created}
    names = ("file", "blob", *(n for n in asked if n not in ("file", "blob")))
    services = {n: default | (asked.get(n) or {}) for n in names}
    return {"keySource": "Microsoft.Storage"} | sent | {"services": services}


def _places(name: str, kind: str, sku: str, location: str) -> JSON:
    services = _SERVICES.get(kind.lower(), _ALL_SERVICES)
    places: JSON = {
        "primaryEndpoints": _endpoints(name, services),
        "primaryLocation": location,
        "statusOfPrimary": "available",
    }
    if sku.upper().startswith("STANDARD_RAG"):
        readable = tuple(s for s in services if s != "file")
        places["secondaryEndpoints"] = _endpoints(f"{name}-secondary", readable)
        places["secondaryLocation"] = _pair(location)
        places["statusOfSecondary"] = "available"
    return places


def _pair(location: str) -> str:
    place = location.replace(" ", "").lower()
    both = _PAIRS | {other: one for one, other in _PAIRS.items()}
    return both.get(place, place)


def _endpoints(name: str, services: tuple[str, ...]) -> JSON:
    zone = {"web": "z1."}  # real accounts are spread over numbered zones
    return {s: f"https://{name}.{zone.get(s, '')}{s}.core.windows.net/" for s in services}


def _list_keys(ctx: Context, account: Resource, _: object) -> Reply:
    if not account.settled:
        raise ArmError(
            409,
            "StorageAccountIsNotProvisioned",
            "The storage account provisioning state must be 'Succeeded' before executing "
            "the operation.",
        )
    return Reply(200, {"keys": [_key(ctx, account, name) for name in ("key1", "key2")]})


def _regenerate_key(ctx: Context, account: Resource, body: Any) -> Reply:
    name = str((body or {}).get("keyName", ""))
    if name not in ("key1", "key2"):
        raise _invalid("keyName")
    account.secret.pop(name, None)
    account.properties.setdefault("keyCreationTime", {})[name] = ctx.timestamp()
    account.changed()
    return _list_keys(ctx, account, None)


def _key(ctx: Context, account: Resource, name: str) -> JSON:
    if name not in account.secret:
        account.secret[name] = base64.b64encode(bytes.fromhex(ctx.cloud.hex(128))).decode()
    return {
        "creationTime": (account.properties.get("keyCreationTime") or {}).get(name),
        "keyName": name,
        "value": account.secret[name],
        "permissions": "FULL",
    }


def _check_name(ctx: Context, _: Mapping[str, str], body: Any) -> Reply:
    name = str((body or {}).get("name", ""))
    if not _NAME.fullmatch(name):
        message = (
            f"{name} is not a valid storage account name. Storage account name must be between "
            "3 and 24 characters in length and use numbers and lower-case letters only."
        )
        refusal = {"nameAvailable": False, "reason": "AccountNameInvalid", "message": message}
        return Reply(200, refusal)
    if _taken(ctx.cloud, name):
        message = _taken_message(name)
        refusal = {"nameAvailable": False, "reason": "AlreadyExists", "message": message}
        return Reply(200, refusal)
    return Reply(200, {"nameAvailable": True})


PROVIDER = Provider(
    namespace="Microsoft.Storage",
    types=(
        ResourceType(
            name=ACCOUNT,
            api_versions=(
                "2019-04-01",
                "2019-06-01",
                "2021-04-01",
                "2022-09-01",
                "2023-01-01",
                "2023-05-01",
                "2024-01-01",
                "2025-01-01",
                "2025-06-01",
                "2025-08-01",
            ),
            put=Answer(
                created=202,
                updated=200,
                body="none",
                updated_body="resource",
                wait=_WAIT,
                wait_on_update=False,
                duration_s=20,
            ),
            patch=Answer(),
            delete=Answer(body="none", absent=204),
            validate=_validate,
            complete=_complete,
            actions={"listKeys": _list_keys, "regenerateKey": _regenerate_key},
            has_system_data=False,
        ),
    ),
    routes=(
        Route(
            method="POST",
            path="/subscriptions/{subscription}/providers/Microsoft.Storage/checkNameAvailability",
            handler=_check_name,
        ),
    ),
)
