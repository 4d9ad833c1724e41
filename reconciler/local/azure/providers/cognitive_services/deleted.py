"""Soft-deleted accounts: kept for 48 hours, listed, restored, purged.

https://learn.microsoft.com/azure/ai-services/recover-purge-resources and public recordings of
Azure/azure-cli (test_cognitiveservices_softdelete).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from reconciler.local.azure import errors, ids
from reconciler.local.azure.model import (
    JSON,
    ArmError,
    AsyncStyle,
    Cloud,
    Context,
    Reply,
    Resource,
    Route,
    timestamp,
)

ACCOUNT = "Microsoft.CognitiveServices/accounts"
DELETED = "Microsoft.CognitiveServices/deletedAccounts"
KEPT_S = 48 * 3600
STATUS_URL = (
    "/subscriptions/{subscription}/providers/Microsoft.CognitiveServices/locations/{location}"
    "/operationResults/{operation}?api-version=2017-04-18"
)
CHANGE = AsyncStyle(
    status_url=STATUS_URL, location_url=STATUS_URL + "&operationResultResponseType=Location"
)


def remember(ctx: Context, account: Resource) -> None:
    """The `deleted` hook of accounts."""
    now = ctx.cloud.now()
    deleted_accounts(ctx.cloud)[ids.key(account.id)] = {
        "id": account.id,
        "body": account.body,
        "secret": account.secret,
        "at": now,
        "until": now + KEPT_S,
    }


def deleted_accounts(cloud: Cloud) -> dict[str, Any]:
    """Those that can still be restored, by key."""
    found = cloud.state("deletedAccounts")
    for key in [k for k, entry in found.items() if entry["until"] <= cloud.now()]:
        del found[key]
    return found


def deleted_entry(ctx: Context) -> JSON | None:
    """The soft-deleted account with the id of this request."""
    found: JSON | None = deleted_accounts(ctx.cloud).get(ids.key(ctx.id.text))
    return found


def must_restore(ctx: Context) -> ArmError:
    """Quoted in Azure/azure-cli issue 18146."""
    return ArmError(
        409,
        "FlagMustBeSetForRestore",
        f"An existing resource with ID '{ctx.id.text}' has been soft-deleted. To restore the "
        "resource, you must specify 'restore' to be 'true' in the property. If you don't want "
        "to restore existing resource, please purge it first.",
    )


def restored(ctx: Context) -> JSON:
    """The account as it was; whether its children come back with it is unverified (not here)."""
    entry = deleted_accounts(ctx.cloud).pop(ids.key(ctx.id.text))
    body: JSON = entry["body"]
    return body


def _show_deleted(entry: JSON) -> JSON:
    words = str(entry["id"]).split("/")
    location = str(entry["body"]["location"])
    arm_id = (
        f"/subscriptions/{words[2]}/providers/Microsoft.CognitiveServices/locations/{location}"
        f"/resourceGroups/{words[4]}/deletedAccounts/{words[-1]}"
    )
    properties = {
        **entry["body"]["properties"],
        "deletionDate": timestamp(entry["at"]),
        "scheduledPurgeDate": timestamp(entry["until"]),
        "provisioningState": "Succeeded",
    }
    return {**entry["body"], "id": arm_id, "type": DELETED, "properties": properties}


def _list_deleted(ctx: Context, captured: Mapping[str, str], _: Any) -> Reply:
    prefix = f"subscriptions/{captured['subscription']}/".lower()
    found = deleted_accounts(ctx.cloud).items()
    return Reply(200, {"value": [_show_deleted(e) for k, e in found if k.startswith(prefix)]})


def _named_deleted(ctx: Context, captured: Mapping[str, str]) -> tuple[str, JSON]:
    subscription, group, name = (captured[k] for k in ("subscription", "group", "name"))
    key = ids.key(
        f"/subscriptions/{subscription}/resourceGroups/{group}/providers/{ACCOUNT}/{name}"
    )
    entry = deleted_accounts(ctx.cloud).get(key)
    place = ids.normal_location(captured["location"])
    if entry is None or ids.normal_location(entry["body"]["location"]) != place:
        raise errors.resource_not_found(ctx.id)
    return key, entry


def _get_deleted(ctx: Context, captured: Mapping[str, str], _: Any) -> Reply:
    return Reply(200, _show_deleted(_named_deleted(ctx, captured)[1]))


def _purge(ctx: Context, captured: Mapping[str, str], _: Any) -> Reply:
    key, entry = _named_deleted(ctx, captured)
    del deleted_accounts(ctx.cloud)[key]
    location = str(entry["body"]["location"])
    return Reply(202, None, ctx.start(CHANGE, 5.0, verb="delete", location=location))


SUBSCRIPTION = "/subscriptions/{subscription}/providers/Microsoft.CognitiveServices"
DELETED_ONE = SUBSCRIPTION + "/locations/{location}/resourceGroups/{group}/deletedAccounts/{name}"
ROUTES = (
    Route(method="GET", path=SUBSCRIPTION + "/deletedAccounts", handler=_list_deleted),
    Route(method="GET", path=DELETED_ONE, handler=_get_deleted),
    Route(method="DELETE", path=DELETED_ONE, handler=_purge),
)
