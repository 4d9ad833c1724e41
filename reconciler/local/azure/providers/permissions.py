"""What the caller may do: ``Microsoft.Authorization/permissions`` of a resource group.

https://learn.microsoft.com/rest/api/authorization/permissions/list-for-resource-group; what the
two roles are made of: https://learn.microsoft.com/azure/role-based-access-control/built-in-roles.
Callers are Owners here unless the emulator was told otherwise. Unverified: that a group which is
not there answers as its other listings do.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from reconciler.local.azure import errors
from reconciler.local.azure.model import JSON, Context, Provider, Reply, Route

OWNER: JSON = {"actions": ["*"], "notActions": [], "dataActions": [], "notDataActions": []}
READER: JSON = {**OWNER, "actions": ["*/read"]}
CONTRIBUTOR: JSON = {
    **OWNER,
    "notActions": [
        "Microsoft.Authorization/*/Delete",
        "Microsoft.Authorization/*/Write",
        "Microsoft.Authorization/elevateAccess/Action",
        "Microsoft.Blueprint/blueprintAssignments/write",
        "Microsoft.Blueprint/blueprintAssignments/delete",
        "Microsoft.Compute/galleries/share/action",
    ],
}


def _list(ctx: Context, captured: Mapping[str, str], _: Any) -> Reply:
    subscription, group = captured["subscription"], captured["group"]
    if ctx.cloud.find(f"/subscriptions/{subscription}/resourcegroups/{group}") is None:
        raise errors.group_not_found(group)
    roles = {"reader": READER, "contributor": CONTRIBUTOR}
    role = ctx.cloud.settings["roles"].get(ctx.client_id, "")
    return Reply(200, {"value": [roles.get(role, OWNER)]})


PROVIDER = Provider(
    namespace="Microsoft.Authorization.Permissions",
    types=(),
    routes=(
        Route(
            method="GET",
            path="/subscriptions/{subscription}/resourcegroups/{group}/providers/"
            "Microsoft.Authorization/permissions",
            handler=_list,
            api_versions=("2015-07-01", "2022-04-01"),
        ),
    ),
)
