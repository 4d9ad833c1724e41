"""The models on offer, with their SKUs, quota names and retirement dates.

Facts as one subscription saw them in East US 2 in spring 2026 (public recordings of
Azure/azure-dev, Test_CLI_ProvisionValidationQuota), shortened. Dates move along with the
emulator's clock, so that what was about to retire when it was recorded still is; with the
setting "catalogue.shift" false they are the recorded ones. What other regions offer is
unverified: those that are listed here offer the same, without data zones outside of the US and
the EU, and `GLOBAL_ONLY` regions offer global SKUs only.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from functools import cache
from typing import NamedTuple

from reconciler.local.azure.model import JSON, Cloud

RECORDED_ON = date(2026, 5, 1)
NEVER = "2099-12-31"
DATA_ZONE_REGIONS = frozenset(
    "eastus eastus2 westus westus2 westus3 centralus northcentralus southcentralus "
    "swedencentral francecentral germanywestcentral westeurope northeurope polandcentral "
    "spaincentral italynorth".split()
)
OTHER_REGIONS = frozenset(
    "japaneast uksouth australiaeast canadaeast koreacentral southindia switzerlandnorth "
    "brazilsouth norwayeast southafricanorth southeastasia uaenorth".split()
)
GLOBAL_ONLY = frozenset("polandcentral spaincentral italynorth southeastasia uaenorth".split())
REGIONS = DATA_ZONE_REGIONS | OTHER_REGIONS


class Sku(NamedTuple):
    """One way to deploy a model. Capacities as the catalogue states them."""

    name: str
    usage: str
    maximum: int
    default: int | None = None
    minimum: int | None = None
    step: int | None = None
    request_period_s: int = 0
    requests: int = 0
    tokens: int = 0  # a minute and unit of capacity; 0: no token rate


@dataclass(frozen=True)
class Model:
    """One model version."""

    format: str
    name: str
    version: str
    retires: str
    skus: tuple[Sku, ...]
    status: str = "GenerallyAvailable"
    default: bool = True
    publisher: str = ""
    capabilities: str = "chatCompletion"  # of value "true", blank-separated
    extra: tuple[tuple[str, str], ...] = ()

    @property
    def kinds(self) -> tuple[str, ...]:
        """The kinds of account it can be deployed in."""
        return ("OpenAI", "AIServices") if self.format == "OpenAI" else ("AIServices",)

    @property
    def reasoning(self) -> bool:
        """Whether it thinks first, and so refuses `max_tokens`."""
        return self.name.startswith(("o1", "o3", "o4", "gpt-5")) and "chat" not in self.name

    def sku(self, name: str) -> Sku | None:
        return next((s for s in self.skus if s.name.lower() == name.lower()), None)


def _rated(names: str, usage: str, period: int = 60, requests: int = 1) -> list[Sku]:
    """SKUs billed by token, with rate limits."""
    prefix, _, suffix = usage.partition(".")
    return [
        Sku(n, f"{prefix}.{n}.{suffix}", 1_000_000, 10, None, None, period, requests, 1000)
        for n in names.split()
    ]


def _provisioned(regional: int = 50, prefix: str = "OpenAI") -> list[Sku]:
    """SKUs billed by provisioned unit, in pools that all models share."""
    found = [Sku("ProvisionedManaged", f"{prefix}.ProvisionedManaged", 30_000, None, regional,
                 regional)]  # fmt: skip
    return [*found, *_provisioned_global(prefix)]


def _provisioned_global(prefix: str = "OpenAI", minimum: int = 15, step: int = 5) -> list[Sku]:
    names = ("DataZoneProvisionedManaged", "GlobalProvisionedManaged")
    return [Sku(n, f"{prefix}.{n}", 30_000, None, minimum, step) for n in names]


def _batch(model: str) -> list[Sku]:
    names = ("GlobalBatch", "DataZoneBatch")
    return [Sku(n, f"OpenAI.{n}.{model}", 10_000_000, 10) for n in names]


def _partner(usage: str, default: int = 10, *, names: str = "GlobalStandard") -> tuple[Sku, ...]:
    return tuple(
        Sku(n, f"AIServices.{n}.{usage}", 1_000_000, default, None, None, 60, 1, 1000)
        for n in names.split()
    )


SHARED = (Sku("GlobalStandard", "AIServices.GlobalStandard.MaaS", 1, 1),)
ALL = "Standard GlobalStandard DataZoneStandard"
ZONES = "GlobalStandard DataZoneStandard"
CHAT = "chatCompletion responses agentsV2 assistants"
US = (("area", "US"),)


def _openai(name: str, version: str, retires: str, *skus: Sku, **more: object) -> Model:
    settings: dict[str, object] = {"capabilities": CHAT, "extra": US, **more}
    return Model("OpenAI", name, version, retires, skus, **settings)  # type: ignore[arg-type]


def _other(format_: str, name: str, version: str, skus: Iterable[Sku], **more: object) -> Model:
    settings: dict[str, object] = {"status": "Stable", "publisher": format_, **more}
    retires = str(settings.pop("retires", NEVER))
    return Model(format_, name, version, retires, tuple(skus), **settings)  # type: ignore[arg-type]


EMBEDDINGS = (("area", "US"), ("embeddingsMaxInputs", "2048"))
GPT_4O = (*_rated(ALL, "OpenAI.gpt-4o", 10), *_provisioned(), *_batch("gpt-4o"))
MODELS: tuple[Model, ...] = (
    _openai("gpt-4o", "2024-05-13", "2026-10-01", *GPT_4O, status="Deprecating", default=False),
    _openai("gpt-4o", "2024-08-06", "2026-10-01", *GPT_4O, status="Deprecating", default=False),
    _openai("gpt-4o", "2024-11-20", "2026-10-01", *GPT_4O,
            capabilities="chatCompletion assistants jsonSchemaResponse responses agentsV2"),
    _openai("gpt-4o-mini", "2024-07-18", "2026-10-01", *_rated(ALL, "OpenAI.gpt-4o-mini", 60, 10),
            *_provisioned(25), *_batch("gpt-4o-mini"),
            capabilities="chatCompletion jsonObjectResponse assistants responses agentsV2",
            extra=(*US, ("maxContextToken", "128000"), ("maxOutputToken", "16384"))),
    _openai("gpt-4.1", "2025-04-14", "2026-10-14", *_rated(ALL, "OpenAI.gpt4.1"),
            *_provisioned(25), *_batch("gpt-4.1")),
    _openai("gpt-4.1-mini", "2025-04-14", "2026-10-14", *_rated(ALL, "OpenAI.gpt4.1-mini"),
            *_provisioned(25), *_batch("gpt-4.1-mini")),
    _openai("gpt-4.1-nano", "2025-04-14", "2026-10-14", *_rated(ZONES, "OpenAI.gpt4.1-nano"),
            *_batch("gpt-4.1-nano")),
    _openai("gpt-5", "2025-08-07", "2027-02-06", *_rated(ZONES, "OpenAI.gpt-5", 60, 10),
            *_provisioned(), *_batch("gpt-5"), default=False),
    _openai("gpt-5-mini", "2025-08-07", "2027-02-06", *_rated(ZONES, "OpenAI.gpt-5-mini"),
            *_provisioned(25), default=False),
    _openai("gpt-5-nano", "2025-08-07", "2027-02-06", *_rated(ZONES, "OpenAI.gpt-5-nano")),
    _openai("gpt-5-chat", "2025-10-03", "2027-02-06", *_rated("GlobalStandard",
            "OpenAI.gpt-5-chat"), status="Preview"),
    _openai("gpt-5.1", "2025-11-13", "2027-05-15", *_rated(ALL, "OpenAI.gpt-5.1", 60, 10),
            *_provisioned_global(), *_batch("gpt-5.1")),
    _openai("gpt-5.4", "2026-03-05", "2027-03-05", *_rated(ZONES, "OpenAI.gpt-5.4", 60, 10),
            *_provisioned_global(), default=False),
    _openai("o3-mini", "2025-01-31", "2026-08-02", *_rated(ZONES, "OpenAI.o3-mini"),
            *_batch("o3-mini"), status="Deprecating"),
    _openai("o3", "2025-04-16", "2026-10-16", *_rated(ZONES, "OpenAI.o3"), *_batch("o3")),
    _openai("o4-mini", "2025-04-16", "2026-10-16", *_rated(ALL, "OpenAI.o4-mini"),
            *_provisioned(25), *_batch("o4-mini")),
    _openai("model-router", "2025-11-18", "2027-05-20", *_rated(ZONES, "OpenAI.ModelRouter"),
            capabilities="router chatCompletion agentsV2"),
    _openai("text-embedding-3-small", "1", "2027-04-15",
            *_rated(ALL, "OpenAI.text-embedding-3-small", 10, 6),
            capabilities="embeddings", extra=EMBEDDINGS),
    _openai("text-embedding-3-large", "1", "2027-04-15",
            *_rated(ALL, "OpenAI.text-embedding-3-large", 10, 6),
            capabilities="embeddings", extra=EMBEDDINGS),
    _openai("text-embedding-ada-002", "2", "2027-04-15",
            *_rated(ALL, "OpenAI.text-embedding-ada-002", 10, 6),
            capabilities="embeddings", extra=EMBEDDINGS),
    _openai("gpt-image-1", "2025-04-15", "2026-05-15", Sku("GlobalStandard",
            "OpenAI.GlobalStandard.gpt-image-1", 1000, 1, None, None, 60, 3), status="Preview",
            capabilities="inference imageGenerations imageEdits", extra=()),
    _openai("whisper", "001", "2026-06-18", Sku("Standard", "OpenAI.Standard.whisper", 9999, 3,
            None, None, 60, 1), capabilities="audio audioTranscriptions audioTranslations",
            extra=(("scaleType", "Standard"),)),
    _other("Mistral AI", "Mistral-Large-2411", "2", SHARED, retires="2026-01-30",
           status="Deprecated", default=False),
    _other("Mistral AI", "Mistral-Large-3", "1", _partner("Mistral-Large-3", names=ZONES)),
    _other("Meta", "Llama-3.3-70B-Instruct", "5", _partner("Llama-3.3-70B-Instruct"),
           default=False, capabilities="chatCompletion agentsV2"),
    _other("Meta", "Llama-3.3-70B-Instruct", "9", (*_partner("Llama-3.3-70B-Instruct"),
           *_provisioned_global("AIServices", 100, 100))),
    _other("Meta", "Llama-4-Maverick-17B-128E-Instruct-FP8", "1",
           _partner("Llama-4-Maverick-17B-128E-Instruct-FP8")),
    _other("DeepSeek", "DeepSeek-R1", "1", (*_partner("DeepSeek-R1", 5000),
           Sku("GlobalProvisionedManaged", "AIServices.GlobalProvisionedManaged", 3000, None,
               100, 100)), default=False),
    _other("DeepSeek", "DeepSeek-V3.2", "1", _partner("DeepSeek-V3.2")),
    _other("Microsoft", "Phi-4", "7", SHARED, default=False),
    _other("Cohere", "Cohere-embed-v3-english", "1", SHARED, default=False, capabilities=""),
    _other("xAI", "grok-3", "1", _partner("grok-3", names=ZONES), status="Preview",
           default=False, capabilities="chatCompletion agentsV2"),
    _other("OpenAI-OSS", "gpt-oss-120b", "1", _partner("gpt-oss-120b", 500, names=ZONES),
           publisher="OpenAI", default=False, capabilities="chatCompletion agentsV2"),
)  # fmt: skip

# Limits as recorded; other names have `OTHER_LIMIT`.
LIMITS: Mapping[str, int] = {
    "OpenAI.Standard.gpt-4o": 149,
    "OpenAI.GlobalStandard.gpt-4o": 450,
    "OpenAI.DataZoneStandard.gpt-4o": 300,
    "OpenAI.Standard.gpt-4o-mini": 450,
    "OpenAI.GlobalStandard.gpt-4o-mini": 2000,
    "OpenAI.Standard.gpt4.1": 1000,
    "OpenAI.GlobalStandard.gpt4.1": 1000,
    "OpenAI.DataZoneStandard.gpt4.1": 300,
    "OpenAI.Standard.gpt4.1-mini": 5000,
    "OpenAI.GlobalStandard.gpt4.1-mini": 5000,
    "OpenAI.DataZoneStandard.gpt4.1-mini": 2000,
    "OpenAI.GlobalStandard.gpt4.1-nano": 5000,
    "OpenAI.DataZoneStandard.gpt4.1-nano": 2000,
    "OpenAI.DataZoneStandard.gpt-5": 300,
    "OpenAI.DataZoneStandard.gpt-5-mini": 300,
    "OpenAI.GlobalStandard.gpt-5-nano": 5000,
    "OpenAI.DataZoneStandard.gpt-5-nano": 2000,
    "OpenAI.Standard.gpt-5.1": 301,
    "OpenAI.DataZoneStandard.gpt-5.1": 300,
    "OpenAI.DataZoneStandard.gpt-5.4": 300,
    "OpenAI.GlobalStandard.o3-mini": 500,
    "OpenAI.DataZoneStandard.o3-mini": 200,
    "OpenAI.DataZoneStandard.o3": 300,
    "OpenAI.DataZoneStandard.o4-mini": 300,
    "OpenAI.GlobalStandard.ModelRouter": 250,
    "OpenAI.DataZoneStandard.ModelRouter": 150,
    "OpenAI.Standard.text-embedding-3-small": 350,
    "OpenAI.Standard.text-embedding-3-large": 350,
    "OpenAI.Standard.text-embedding-ada-002": 350,
    "OpenAI.GlobalStandard.gpt-image-1": 3,
    "OpenAI.Standard.whisper": 3,
    "OpenAI.ProvisionedManaged": 0,
    "OpenAI.DataZoneProvisionedManaged": 0,
    "OpenAI.GlobalProvisionedManaged": 0,
    "AIServices.DataZoneProvisionedManaged": 0,
    "AIServices.GlobalProvisionedManaged": 0,
    "AIServices.GlobalStandard.MaaS": 600,
    "AIServices.GlobalStandard.Llama-3.3-70B-Instruct": 250,
    "AIServices.GlobalStandard.Llama-4-Maverick-17B-128E-Instruct-FP8": 250,
    "AIServices.GlobalStandard.gpt-oss-120b": 5000,
    "AIServices.DataZoneStandard.gpt-oss-120b": 5000,
    "AIServices.DataZoneStandard.grok-3": 300,
    "AccountCount": 200,
    "OpenAI.S0.AccountCount": 30,
    "AIServices.S0.AccountCount": 100,
}
OTHER_LIMIT = 1000
BATCH_LIMIT = 200_000


@cache
def offered(region: str) -> tuple[Model, ...]:
    """The models of a region, each with the SKUs that it has there."""
    if region not in REGIONS:
        return ()
    found = []
    for model in MODELS:
        skus = tuple(s for s in model.skus if _has(region, s.name))
        if skus:
            found.append(Model(**{**model.__dict__, "skus": skus}))
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
        tuple(_rated(ALL, f"{prefix}.{entry['name']}", 10)),
        entry.get("status", "GenerallyAvailable"),
        False,
    )


def limit_of(cloud: Cloud, region: str, usage: str) -> int:
    """The quota; the setting "quota" may say otherwise, by region and usage name."""
    own = cloud.settings.get("quota", {}).get(region, {}).get(usage)
    if own is not None:
        return int(own)
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
