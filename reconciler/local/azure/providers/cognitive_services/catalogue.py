"""What a region's catalogue says on a given day: models, limits, retirement.

Dates move along with the emulator's clock, so that what was about to retire when the data was
recorded still is; with the setting "catalogue.shift" false they are the recorded ones.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from functools import cache

from reconciler.local.azure.model import JSON, Cloud
from reconciler.local.azure.providers.cognitive_services.models import (
    ALL,
    BATCH_LIMIT,
    DATA_ZONE_REGIONS,
    GLOBAL_ONLY,
    LIMITS,
    MODELS,
    NEVER,
    OTHER_LIMIT,
    RECORDED_ON,
    REGIONS,
    Model,
    Sku,
    rated,
)


@cache
def offered(region: str) -> tuple[Model, ...]:
    """The models of a region, each with the SKUs that it has there."""
    if region not in REGIONS:
        return ()
    found = []
    for model in MODELS:
        skus = tuple(s for s in model.skus if _has(region, s.name))
        if skus:
            found.append(replace(model, skus=skus))
    return tuple(found)


def _has(region: str, sku: str) -> bool:
    if sku.startswith("DataZone"):
        return region in DATA_ZONE_REGIONS - GLOBAL_ONLY
    return sku.startswith("Global") or region not in GLOBAL_ONLY


def models_in(cloud: Cloud, region: str) -> tuple[Model, ...]:
    """What a region offers, with the models that the setting "catalogue.extra" adds.

    Extra models are `{format, name, version}` with optional `retires` and `status`.
    """
    extra = cloud.settings.get("catalogue.extra", ())
    return (*offered(region), *(_extra(entry) for entry in extra))


def _extra(entry: Mapping[str, str]) -> Model:
    prefix = "OpenAI" if entry["format"] == "OpenAI" else "AIServices"
    return Model(
        entry["format"],
        entry["name"],
        entry["version"],
        entry.get("retires", NEVER),
        tuple(rated(ALL, f"{prefix}.{entry['name']}", 10)),
        entry.get("status", "GenerallyAvailable"),
        False,
    )


def limit_of(cloud: Cloud, region: str, usage: str) -> int:
    """The quota; the setting "quota" may say otherwise: {region: {usage: limit}, "*": limit}."""
    own = cloud.settings.get("quota", {})
    for said in (own.get(region, {}).get(usage), own.get("*")):
        if said is not None:
            return int(said)
    return LIMITS.get(usage, BATCH_LIMIT if "Batch" in usage else OTHER_LIMIT)


def usage_title(usage: str) -> str:
    """What a quota is called for people."""
    _, _, rest = usage.partition(".")
    sku, _, model = rest.partition(".")
    if usage.endswith("ProvisionedManaged"):
        zone = rest.removesuffix("ProvisionedManaged").replace("DataZone", "Data Zone")
        return f"{zone} Provisioned Managed Throughput Unit".strip()
    if usage.endswith("AccountCount"):
        return "Maximum Resources per Region" if not rest else f"Maximum resources for {usage}"
    if model == "MaaS":
        return "Default Quota for Model-as-a-Service Models"
    if "Batch" in sku:
        return f"Enqueued tokens (thousands) - {model}"
    return f"Tokens Per Minute (thousands) - {model} - {sku}"


def today(cloud: Cloud) -> date:
    return datetime.fromtimestamp(cloud.now(), UTC).date()


def retirement(cloud: Cloud, model: Model) -> date:
    """When it retires on the emulator's calendar."""
    recorded = date.fromisoformat(model.retires)
    if model.retires == NEVER or not cloud.settings.get("catalogue.shift", True):
        return recorded
    return recorded + timedelta(days=(today(cloud) - RECORDED_ON).days)


def is_retired(cloud: Cloud, model: Model) -> bool:
    return model.status == "Deprecated" or retirement(cloud, model) <= today(cloud)


def capabilities_of(model: Model) -> JSON:
    return {**dict(model.extra), **dict.fromkeys(model.capabilities.split(), "true")}


def describe(cloud: Cloud, model: Model) -> JSON:
    """The `model` member of a list entry."""
    day = f"{retirement(cloud, model).isoformat()}T00:00:00Z"
    publisher = {"publisher": model.publisher} if model.publisher else {}
    retired = is_retired(cloud, model)
    return {
        **publisher,
        "format": model.format,
        "name": model.name,
        "version": model.version,
        "isDefaultVersion": model.default,
        "skus": [_describe_sku(sku, day) for sku in model.skus],
        "maxCapacity": 3,
        "capabilities": capabilities_of(model),
        "deprecation": {"inference": day},
        "lifecycleStatus": "Deprecated" if retired else model.status,
    }


def _describe_sku(sku: Sku, day: str) -> JSON:
    capacity = {
        "minimum": sku.minimum,
        "maximum": sku.maximum,
        "step": sku.step,
        "default": sku.default,
    }
    entry: JSON = {
        "name": sku.name,
        "usageName": sku.usage,
        "capacity": {k: v for k, v in capacity.items() if v is not None},
        "deprecationDate": day,
    }
    if rates := rate_limits(sku, 1):
        entry["rateLimits"] = rates
    return entry


def rate_limits(sku: Sku, capacity: int) -> list[JSON]:
    """The rates that a capacity buys."""
    found: list[JSON] = []
    if sku.requests:
        period, count = sku.request_period_s, sku.requests * capacity
        found.append({"key": "request", "renewalPeriod": period, "count": count})
    if sku.tokens:
        found.append({"key": "token", "renewalPeriod": 60, "count": sku.tokens * capacity})
    return found
