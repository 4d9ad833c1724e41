"""What a region offers and how much of it is used: models, usages, capacities.

https://learn.microsoft.com/rest/api/aiservices/accountmanagement (models, usages, model
capacities); shapes from public recordings of Azure/azure-dev.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from typing import Any

from reconciler.local.azure import ids
from reconciler.local.azure.model import JSON, ArmError, Context, Reply, Resource, Route
from reconciler.local.azure.providers.cognitive_services.accounts import subdomain_taken
from reconciler.local.azure.providers.cognitive_services.catalogue import (
    describe,
    limit_of,
    models_in,
    usage_title,
)
from reconciler.local.azure.providers.cognitive_services.deleted import ACCOUNT
from reconciler.local.azure.providers.cognitive_services.deployments import (
    region_of,
    taken,
    used,
)
from reconciler.local.azure.providers.cognitive_services.models import Model
from reconciler.local.azure.providers.resources import LOCATIONS

BASE = "/subscriptions/{subscription}/providers/Microsoft.CognitiveServices"
PHYSICAL = 1000  # provisioned units that a region has to give, unless "capacity" says


def _models(ctx: Context, captured: Mapping[str, str], _: Any) -> Reply:
    region = ids.normal_location(captured["location"])
    shown = LOCATIONS.get(region, captured["location"]).replace(" ", "")
    scope = BASE.format(**captured) + f"/locations/{shown}/models"
    value = [
        {
            "id": f"{scope}/{model.format}.{model.name}.{model.version}",
            "type": "Microsoft.CognitiveServices/locations/models",
            "name": f"{model.format}.{model.name}.{model.version}",
            "location": shown,
            "kind": kind,
            "skuName": "S0",
            "model": describe(ctx.cloud, model),
        }
        for model in models_in(ctx.cloud, region)
        for kind in model.kinds
    ]
    return Reply(200, {"value": value})


def account_models(ctx: Context, account: Resource, _: Any) -> Reply:
    """GET {account}/models: what can be deployed in this account."""
    kind = str(account.body.get("kind"))
    found = [m for m in models_in(ctx.cloud, region_of(account)) if kind in m.kinds]
    return Reply(200, {"value": [describe(ctx.cloud, model) for model in found]})


def _usages(ctx: Context, captured: Mapping[str, str], _: Any) -> Reply:
    region, subscription = ids.normal_location(captured["location"]), captured["subscription"]
    counts = _taken(ctx, subscription, region)
    names = {sku.usage: None for m in models_in(ctx.cloud, region) for sku in m.skus}
    every = [*names, "OpenAI.S0.AccountCount", "AIServices.S0.AccountCount", "AccountCount"]
    return Reply(200, {"value": [_usage(ctx, region, name, counts[name]) for name in every]})


def _taken(ctx: Context, subscription: str, region: str) -> Counter[str]:
    found = taken(ctx.cloud, subscription, region)
    for account in ctx.cloud.of_type(ACCOUNT, subscription):
        if region_of(account) == region:
            found["AccountCount"] += 1
            found[f"{account.body.get('kind')}.S0.AccountCount"] += 1
    return found


def _usage(ctx: Context, region: str, name: str, current: int) -> JSON:
    return {
        "name": {"value": name, "localizedValue": usage_title(name)},
        "currentValue": current,
        "limit": limit_of(ctx.cloud, region, name),
        "unit": "Count",
    }


def account_usages(_: Context, __: Resource, ___: Any) -> Reply:
    """GET {account}/usages: nothing for accounts of the kinds that have quotas by region."""
    return Reply(200, {"value": []})


def _capacities(ctx: Context, captured: Mapping[str, str], _: Any) -> Reply:
    wanted = {k: ctx.query.get(k) for k in ("modelFormat", "modelName", "modelVersion")}
    if not all(wanted.values()):
        raise ArmError(
            400, "InvalidRequest", "modelFormat, modelName and modelVersion are required."
        )
    one = captured.get("location")
    regions = [ids.normal_location(one)] if one else sorted(LOCATIONS)
    scope = BASE.format(**captured)
    value: list[JSON] = []
    for region in regions:
        for model in models_in(ctx.cloud, region):
            if (model.format, model.name, model.version) == tuple(wanted.values()):
                value += _capacity_entries(ctx, scope, region, model)
    return Reply(200, {"value": value})


def _capacity_entries(ctx: Context, scope: str, region: str, model: Model) -> list[JSON]:
    kind = "Microsoft.CognitiveServices/locations/modelCapacities"
    found = []
    for sku in model.skus:
        name = f"{model.format}.{model.name}.{model.version}.{sku.name}"
        properties = {
            "model": {"format": model.format, "name": model.name, "version": model.version},
            "skuName": sku.name,
            "availableCapacity": _available(ctx, region, sku.name, sku.usage),
            "availableFinetuneCapacity": 0,
        }
        entry_id = f"{scope}/locations/{region}/modelCapacities/{name}"
        found.append(
            {"id": entry_id, "name": name, "type": kind, "location": region,
             "properties": properties}
        )  # fmt: skip
    return found


def _available(ctx: Context, region: str, sku: str, usage: str) -> int:
    """What could still be deployed: quota, or for provisioned units the region's stock."""
    left = limit_of(ctx.cloud, region, usage)
    if "Provisioned" in sku:
        stock = ctx.setting("capacity", {}).get(region, {}).get(sku, PHYSICAL)
        return int(stock)
    return max(0, left - used(ctx.cloud, ctx.id.subscription, region, usage))


def _domain(ctx: Context, _: Mapping[str, str], body: Any) -> Reply:
    if not isinstance(body, dict) or not body.get("subdomainName"):
        raise ArmError(400, "InvalidRequest", "subdomainName is required.")
    wanted = str(body["subdomainName"])
    taken = subdomain_taken(ctx.cloud, wanted)
    reason = f"The subdomain name '{wanted}' is already used by a resource." if taken else None
    return Reply(
        200,
        {
            "isSubdomainAvailable": not taken,
            "reason": reason,
            "subdomainName": wanted,
            "type": body.get("type", ACCOUNT),
            "kind": body.get("kind"),
        },
    )


ROUTES = (
    Route(method="GET", path=BASE + "/locations/{location}/models", handler=_models),
    Route(method="GET", path=BASE + "/locations/{location}/usages", handler=_usages),
    Route(method="GET", path=BASE + "/locations/{location}/modelCapacities", handler=_capacities),
    Route(method="GET", path=BASE + "/modelCapacities", handler=_capacities),
    Route(method="POST", path=BASE + "/checkDomainAvailability", handler=_domain),
)
