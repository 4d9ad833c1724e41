"""Microsoft.CognitiveServices/accounts, their keys and their soft delete.

https://learn.microsoft.com/azure/ai-services/recover-purge-resources, and public recordings of
Azure/azure-cli (cognitiveservices) and Azure/azure-service-operator.
"""

from __future__ import annotations

import re
from copy import deepcopy
from typing import Any

from reconciler.local.azure import errors, ids
from reconciler.local.azure.model import (
    JSON,
    Answer,
    ArmError,
    AsyncStyle,
    Cloud,
    Context,
    Reply,
    Resource,
    ResourceType,
)
from reconciler.local.azure.providers.cognitive_services.content import SYSTEM_POLICIES
from reconciler.local.azure.providers.cognitive_services.deleted import (
    ACCOUNT,
    CHANGE,
    STATUS_URL,
    deleted_accounts,
    deleted_entry,
    must_restore,
    remember,
    restored,
)
from reconciler.local.azure.providers.cognitive_services.versions import API_VERSIONS
from reconciler.local.azure.providers.identities import assigned

NAME = re.compile(r"^[a-zA-Z0-9][a-zA-Z0-9_.-]{1,63}$")
SUBDOMAIN = re.compile(r"^[a-zA-Z0-9]([a-zA-Z0-9-]{0,62}[a-zA-Z0-9])?$")
CREATE = AsyncStyle(status_url=STATUS_URL)
AUTHORED = frozenset(
    [
        "customSubDomainName",
        "publicNetworkAccess",
        "networkAcls",
        "disableLocalAuth",
        "allowedFqdnList",
        "restrictOutboundNetworkAccess",
        "encryption",
        "userOwnedStorage",
        "allowProjectManagement",
        "defaultProject",
        "networkInjections",
        "storedCompletionsDisabled",
        "apiProperties",
        "dynamicThrottlingEnabled",
        "migrationToken",
        "locations",
        "raiMonitorConfig",
        "amlWorkspace",
        "foundryAutoUpgrade",
    ]
)
WITH_POLICIES = ("OpenAI", "AIServices")


def _validate(ctx: Context, body: JSON) -> None:
    properties = body.get("properties") or {}
    gone = deleted_entry(ctx)
    restoring = bool(properties.get("restore"))
    if gone is not None and not restoring:
        raise must_restore(ctx)
    if restoring and ctx.existing is None:
        if gone is None:  # status and code are unverified
            raise ArmError(
                400,
                "CanNotRestoreANonExistingResource",
                f"An existing soft-deleted resource with ID '{ctx.id.text}' was not found.",
            )
        return
    if not NAME.match(ctx.name):  # the code is unverified
        raise ArmError(400, "AccountNameInvalid", f"The account name '{ctx.name}' is invalid.")
    for needed in ("location", "kind", "sku"):
        if not body.get(needed):  # for kind and sku the code is unverified
            code = "LocationRequired" if needed == "location" else "InvalidResourceProperties"
            raise ArmError(400, code, f"The {needed} property is required for this definition.")
    _validate_kind(ctx, str(body["kind"]))
    _validate_subdomain(ctx, properties.get("customSubDomainName"))


def _validate_kind(ctx: Context, kind: str) -> None:
    """The kind stays, except that OpenAI and AIServices may be exchanged.

    hashicorp/terraform-provider-azurerm issue 31063; the words are unverified.
    """
    before = str(ctx.existing.body["kind"]) if ctx.existing else kind
    if kind.lower() != before.lower() and not {kind, before} <= set(WITH_POLICIES):
        raise ArmError(
            400, "AccountKindIsImmutable", f"The kind '{before}' cannot be changed to '{kind}'."
        )


def _validate_subdomain(ctx: Context, wanted: str | None) -> None:
    before = ctx.existing.properties.get("customSubDomainName") if ctx.existing else None
    if not wanted or (before and wanted.lower() == before.lower()):
        return
    if before:  # that it is refused is documented by azurerm, code and words are unverified
        raise ArmError(
            400, "CustomDomainIsImmutable", f"The subdomain name '{before}' cannot be changed."
        )
    if not SUBDOMAIN.match(wanted):
        raise ArmError(400, "CustomDomainInvalid", f"The subdomain name '{wanted}' is invalid.")
    if subdomain_taken(ctx.cloud, wanted, ctx.id.text):
        raise ArmError(
            409,
            "CustomDomainInUse",
            f"Please pick a different name. The subdomain name '{wanted}' is not available as "
            "it's already used by a resource.",
        )


def subdomain_taken(cloud: Cloud, wanted: str, apart_from: str = "") -> bool:
    """Whether an account, or one that is soft-deleted, has that subdomain."""
    lowered, own = wanted.lower(), ids.key(apart_from)
    for account in cloud.of_type(ACCOUNT):
        name = account.properties.get("customSubDomainName")
        if name and name.lower() == lowered and ids.key(account.id) != own:
            return True
    return any(
        str(entry["body"]["properties"].get("customSubDomainName", "")).lower() == lowered
        for key, entry in deleted_accounts(cloud).items()
        if key != own
    )


def _complete(ctx: Context, body: JSON) -> JSON:
    """What is stored: what the author said, defaults, and what the service adds."""
    sent = body.get("properties") or {}
    if sent.get("restore") and ctx.existing is None:
        return restored(ctx)
    before = ctx.existing.properties if ctx.existing else {}
    properties = {k: v for k, v in sent.items() if k in AUTHORED and v is not None}
    if before.get("customSubDomainName"):
        properties["customSubDomainName"] = before["customSubDomainName"]
    properties.setdefault("publicNetworkAccess", "Enabled")
    managed = bool(properties.get("allowProjectManagement") or before.get("allowProjectManagement"))
    properties["allowProjectManagement"] = managed  # never goes back to false
    properties.setdefault("apiProperties", {})
    domain = properties.get("customSubDomainName")
    endpoint = ctx.data_url("cognitive", domain or ids.normal_location(body["location"]))
    full: JSON = {
        "location": body["location"],
        "sku": {"name": body["sku"]["name"]},
        "kind": body["kind"],
        "properties": {
            "endpoint": endpoint,
            "internalId": before.get("internalId") or ctx.cloud.hex(32),
            "dateCreated": before.get("dateCreated") or ctx.timestamp(),
            "callRateLimit": {"rules": _call_rates()},
            "isMigrated": False,
            "privateEndpointConnections": before.get("privateEndpointConnections", []),
            "capabilities": _capabilities(body["kind"]),
            "endpoints": _endpoints(body["kind"], endpoint),
            **properties,
        },
    }
    if body.get("tags") is not None:
        full["tags"] = body["tags"]
    identity = assigned(ctx, body.get("identity"), spaced=True)
    if identity and identity["type"] != "None":
        full["identity"] = identity
    return full


def _call_rates() -> list[JSON]:
    rule = {"path": "*", "method": "*"}
    return [{"key": "default", "renewalPeriod": 1, "count": 30, "matchPatterns": [rule]}]


def _capabilities(kind: str) -> list[JSON]:
    found: list[JSON] = [{"name": "VirtualNetworks"}, {"name": "CustomerManagedKey"}]
    if kind in WITH_POLICIES:
        found += [{"name": "MaxFineTuneCount", "value": "500"}, {"name": "RaiMonitor"}]
    return found


def _endpoints(kind: str, endpoint: str) -> JSON:
    names = {
        "OpenAI": ("OpenAI Language Model Instance API", "OpenAI Dall-E API", "Token Service API"),
        "AIServices": (
            "AI Foundry API",
            "OpenAI Language Model Instance API",
            "Azure AI Model Inference API",
            "Content Safety",
        ),
    }
    return dict.fromkeys(names.get(kind, (kind,)), endpoint)


def _secret(ctx: Context, _: JSON) -> JSON:
    """The keys: those it has, or had before it was deleted, or new ones."""
    before = ctx.existing.secret if ctx.existing else (deleted_entry(ctx) or {}).get("secret", {})
    return {name: before.get(name) or ctx.cloud.hex(32) for name in ("Key1", "Key2")}


def _only_marks(ctx: Context, body: JSON) -> bool:
    """Whether nothing but tags and sku changes (or a soft-deleted account comes back)."""
    if (body.get("properties") or {}).get("restore"):
        return True
    if ctx.existing is None or ctx.existing.state != "Succeeded":
        return False
    present = ctx.existing.body
    sent = {k: v for k, v in (body.get("properties") or {}).items() if v is not None}
    same = all(present["properties"].get(k) == v for k, v in sent.items())
    identity = body.get("identity")
    if identity is not None:
        same = same and identity.get("type") == (present.get("identity") or {}).get("type", "None")
    kind = body.get("kind", present["kind"])
    return bool(same and kind == present["kind"] and not _dropped(ctx, body))


def _dropped(ctx: Context, body: JSON) -> bool:
    """Whether a PUT leaves out something that the account has."""
    assert ctx.existing is not None
    if ctx.method != "PUT":
        return False
    had = ctx.existing.properties.keys() & {"networkAcls", "disableLocalAuth", "encryption"}
    return bool(had - (body.get("properties") or {}).keys())


def _settled(ctx: Context, account: Resource, verb: str) -> None:
    if verb != "create" or account.body["kind"] not in WITH_POLICIES:
        return
    for name, properties in SYSTEM_POLICIES.items():
        ctx.cloud.insert(f"{account.id}/raiPolicies/{name}", {"properties": deepcopy(properties)})


def _before_delete(ctx: Context, account: Resource) -> None:
    projects = list(ctx.cloud.children(account.id, "projects"))
    if projects:
        raise errors.gateway(
            409,
            "CannotDeleteResource",
            "Cannot delete resource while nested resources exist. Some existing nested resource "
            f"IDs include: '{projects[0].id}'. Please delete all nested resources before "
            "deleting this resource.",
        )


# Actions


def _keys(account: Resource) -> JSON:
    return {"key1": account.secret.get("Key1", ""), "key2": account.secret.get("Key2", "")}


def _list_keys(_: Context, account: Resource, __: Any) -> Reply:
    if account.properties.get("disableLocalAuth"):  # status and words are unverified
        raise ArmError(400, "BadRequest", "Failed to list key. disableLocalAuth is set to be true")
    return Reply(200, _keys(account))


def _regenerate(ctx: Context, account: Resource, body: Any) -> Reply:
    name = body.get("keyName") if isinstance(body, dict) else None
    if name not in ("Key1", "Key2"):
        raise ArmError(400, "InvalidKeyName", f"The key name '{name}' is not Key1 or Key2.")
    account.secret[name] = ctx.cloud.hex(32)
    return Reply(200, _keys(account))


def _skus(_: Context, account: Resource, __: Any) -> Reply:
    return Reply(200, {"value": [{"resourceType": ACCOUNT, "sku": account.body["sku"]}]})


ACCOUNTS = ResourceType(
    name=ACCOUNT,
    api_versions=API_VERSIONS,
    put=Answer(created=201, wait=CREATE, duration_s=10.0, updating="Accepted", at_once=_only_marks),
    patch=Answer(
        updated=202,
        wait=CHANGE,
        duration_s=5.0,
        updating="Accepted",
        at_once=_only_marks,
        at_once_status=200,
    ),
    delete=Answer(body="none", duration_s=3.0),
    lock=ACCOUNT,
    validate=_validate,
    complete=_complete,
    secret=_secret,
    settled=_settled,
    before_delete=_before_delete,
    deleted=remember,
    actions={"listKeys": _list_keys, "regenerateKey": _regenerate},
    views={"skus": _skus},
    has_etag=True,
)
