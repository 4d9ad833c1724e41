"""Microsoft.Resources: subscriptions, resource groups, providers, and lists across types.

Resource groups as in
https://learn.microsoft.com/rest/api/resources/resource-groups and in public recordings of
Azure/azure-cli (test_resource_group) and Azure/azure-service-operator.
"""

from __future__ import annotations

import base64
import re
from collections.abc import Iterable, Mapping
from typing import Any

from reconciler.local.azure import errors
from reconciler.local.azure.model import (
    JSON,
    Answer,
    ArmError,
    AsyncStyle,
    Context,
    Provider,
    Reply,
    Resource,
    ResourceType,
    Route,
)

LOCATIONS = {
    "eastus": "East US",
    "eastus2": "East US 2",
    "westus": "West US",
    "westus2": "West US 2",
    "westus3": "West US 3",
    "southcentralus": "South Central US",
    "northcentralus": "North Central US",
    "centralus": "Central US",
    "canadaeast": "Canada East",
    "westeurope": "West Europe",
    "northeurope": "North Europe",
    "swedencentral": "Sweden Central",
    "francecentral": "France Central",
    "germanywestcentral": "Germany West Central",
    "switzerlandnorth": "Switzerland North",
    "uksouth": "UK South",
    "norwayeast": "Norway East",
    "polandcentral": "Poland Central",
    "spaincentral": "Spain Central",
    "italynorth": "Italy North",
    "japaneast": "Japan East",
    "koreacentral": "Korea Central",
    "australiaeast": "Australia East",
    "southeastasia": "Southeast Asia",
    "southindia": "South India",
    "brazilsouth": "Brazil South",
    "southafricanorth": "South Africa North",
    "uaenorth": "UAE North",
}
GROUP_NAME = re.compile(r"^[-\w._()]{1,90}(?<!\.)$")
LISTED = ("id", "name", "type", "kind", "sku", "location", "identity", "managedBy", "tags")
FILTER = re.compile(
    r"(?P<field>resourceType|name|resourceGroup|location|tagName|tagValue)\s+eq\s+'(?P<value>[^']*)'",
    re.IGNORECASE,
)


def _job(ctx: Context) -> str:
    """The opaque name of a deletion: base64 of what the job is, without padding."""
    job = f'{{"jobId":"RESOURCEGROUPDELETIONJOB-{ctx.id.group.upper()}-{ctx.cloud.hex(16)}"}}'
    return base64.urlsafe_b64encode(job.encode()).decode().rstrip("=")


GROUP_DELETE = AsyncStyle(
    location_url="/subscriptions/{subscription}/operationresults/{operation}"
    "?api-version={api_version}",
    operation_name=_job,
    retry_after_s=15,
    poll_retry_after_s=15,
)


def _validate_group(ctx: Context, body: JSON) -> None:
    if not GROUP_NAME.match(ctx.name):
        raise errors.gateway(
            400, "InvalidResourceGroupName", f"The resource group name '{ctx.name}' is not valid."
        )
    if not body.get("location"):
        raise errors.gateway(
            400, "LocationRequired", "The location property is required for this definition."
        )
    if str(body["location"]).replace(" ", "").lower() not in LOCATIONS:
        raise errors.gateway(
            400,
            "LocationNotAvailableForResourceGroup",
            f"The provided location '{body['location']}' is not available for resource group. "
            f"List of available regions is '{','.join(LOCATIONS)}'.",
        )


def _complete_group(_: Context, body: JSON) -> JSON:
    kept = {k: body[k] for k in ("location", "tags", "managedBy") if body.get(k) is not None}
    return {**kept, "properties": {}}


def _group_missing(ctx: Context) -> ArmError:
    return errors.group_not_found(ctx.name)


GROUPS = ResourceType(
    name="Microsoft.Resources/resourceGroups",
    api_versions=(),
    put=Answer(created=201),
    patch=Answer(),
    delete=Answer(updated=202, body="none", wait=GROUP_DELETE, duration_s=20, absent=None),
    validate=_validate_group,
    complete=_complete_group,
    missing=_group_missing,
    has_system_data=False,
    tracked=False,
)


def _subscription_body(ctx: Context, subscription: str) -> JSON:
    return {
        "id": f"/subscriptions/{subscription}",
        "authorizationSource": "RoleBased",
        "managedByTenants": [],
        "subscriptionId": subscription,
        "tenantId": ctx.cloud.tenant,
        "displayName": "Emulated subscription",
        "state": "Enabled",
        "subscriptionPolicies": {
            "locationPlacementId": "Public_2014-09-01",
            "quotaId": "PayAsYouGo_2014-09-01",
            "spendingLimit": "Off",
        },
    }


def _subscriptions(ctx: Context, _: Mapping[str, str], __: Any) -> Reply:
    known = ctx.setting("subscriptions", ())
    value = [_subscription_body(ctx, subscription) for subscription in known]
    return Reply(200, {"value": value, "count": {"type": "Total", "value": len(value)}})


def _subscription(ctx: Context, captured: Mapping[str, str], _: Any) -> Reply:
    return Reply(200, _subscription_body(ctx, captured["subscription"]))


def _tenants(ctx: Context, _: Mapping[str, str], __: Any) -> Reply:
    tenant = ctx.cloud.tenant
    entry = {"id": f"/tenants/{tenant}", "tenantId": tenant, "displayName": "Emulated tenant"}
    return Reply(200, {"value": [entry]})


def _locations(_: Context, captured: Mapping[str, str], __: Any) -> Reply:
    subscription = captured["subscription"]
    value = [
        {
            "id": f"/subscriptions/{subscription}/locations/{name}",
            "name": name,
            "type": "Region",
            "displayName": display,
            "regionalDisplayName": display,
            "metadata": {"regionType": "Physical", "regionCategory": "Recommended"},
        }
        for name, display in LOCATIONS.items()
    ]
    return Reply(200, {"value": value})


def _resources(ctx: Context, captured: Mapping[str, str], _: Any) -> Reply:
    """All tracked resources, as the generic list shows them: without properties."""
    scope = f"subscriptions/{captured['subscription']}/".lower()
    if group := captured.get("group"):
        if ctx.cloud.find(f"{scope}resourcegroups/{group}") is None:
            raise errors.group_not_found(group)
        scope += f"resourcegroups/{group}/".lower()
    wanted = FILTER.findall(ctx.query.get("$filter", ""))
    every: Iterable[Resource] = ctx.cloud.within(scope)
    found = [r for r in every if r.type.tracked and _fits(r, wanted)]
    value = [{k: r.body[k] for k in LISTED if r.body.get(k) is not None} for r in found]
    top = ctx.query.get("$top", "")
    return Reply(200, {"value": value[: int(top)] if top.isdigit() else value})


def _fits(resource: Resource, wanted: Iterable[tuple[str, str]]) -> bool:
    tags = resource.body.get("tags") or {}
    tag = ""
    for name, value in wanted:
        lowered = name.lower()
        if lowered == "tagname":
            tag = value
            if not any(t.lower() == value.lower() for t in tags):
                return False
        elif lowered == "tagvalue":
            if tags.get(tag) != value:
                return False
        elif value.lower() != _field(resource, lowered).lower():
            return False
    return True


def _field(resource: Resource, name: str) -> str:
    if name == "resourcetype":
        return resource.type.name
    if name == "resourcegroup":
        return resource.id.split("/")[4]
    return str(resource.body.get(name, ""))


PROVIDER = Provider(
    namespace="Microsoft.Resources",
    types=(GROUPS,),
    routes=(
        Route(method="GET", path="/subscriptions", handler=_subscriptions),
        Route(method="GET", path="/subscriptions/{subscription}", handler=_subscription),
        Route(method="GET", path="/subscriptions/{subscription}/locations", handler=_locations),
        Route(method="GET", path="/tenants", handler=_tenants),
        Route(method="GET", path="/subscriptions/{subscription}/resources", handler=_resources),
        Route(
            method="GET",
            path="/subscriptions/{subscription}/resourceGroups/{group}/resources",
            handler=_resources,
        ),
    ),
)
