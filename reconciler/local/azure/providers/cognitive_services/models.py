"""The models on offer, with their SKUs, quota names, limits and retirement dates, as data.

Facts as one subscription saw them in East US 2 in spring 2026 (public recordings of
Azure/azure-dev, Test_CLI_ProvisionValidationQuota), shortened. What other regions offer is
unverified: those that are listed here offer the same, without data zones outside of the US and
the EU, and `GLOBAL_ONLY` regions offer global SKUs only.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from typing import NamedTuple

RECORDED_ON = date(2026, 5, 1)
NEVER = "2099-12-31"
DATA_ZONE_REGIONS = frozenset(
    [
        "eastus",
        "eastus2",
        "westus",
        "westus2",
        "westus3",
        "centralus",
        "northcentralus",
        "southcentralus",
        "swedencentral",
        "francecentral",
        "germanywestcentral",
        "westeurope",
        "northeurope",
        "polandcentral",
        "spaincentral",
        "italynorth",
    ]
)
OTHER_REGIONS = frozenset(
    [
        "japaneast",
        "uksouth",
        "australiaeast",
        "canadaeast",
        "koreacentral",
        "southindia",
        "switzerlandnorth",
        "brazilsouth",
        "norwayeast",
        "southafricanorth",
        "southeastasia",
        "uaenorth",
    ]
)
GLOBAL_ONLY = frozenset(
    ["polandcentral", "spaincentral", "italynorth", "southeastasia", "uaenorth"]
)
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


def rated(names: str, usage: str, period: int = 60, requests: int = 1) -> list[Sku]:
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
GPT_4O = (*rated(ALL, "OpenAI.gpt-4o", 10), *_provisioned(), *_batch("gpt-4o"))
MODELS: tuple[Model, ...] = (
    _openai("gpt-4o", "2024-05-13", "2026-10-01", *GPT_4O, status="Deprecating", default=False),
    _openai("gpt-4o", "2024-08-06", "2026-10-01", *GPT_4O, status="Deprecating", default=False),
    _openai("gpt-4o", "2024-11-20", "2026-10-01", *GPT_4O,
            capabilities="chatCompletion assistants jsonSchemaResponse responses agentsV2"),
    _openai("gpt-4o-mini", "2024-07-18", "2026-10-01", *rated(ALL, "OpenAI.gpt-4o-mini", 60, 10),
            *_provisioned(25), *_batch("gpt-4o-mini"),
            capabilities="chatCompletion jsonObjectResponse assistants responses agentsV2",
            extra=(*US, ("maxContextToken", "128000"), ("maxOutputToken", "16384"))),
    _openai("gpt-4.1", "2025-04-14", "2026-10-14", *rated(ALL, "OpenAI.gpt4.1"),
            *_provisioned(25), *_batch("gpt-4.1")),
    _openai("gpt-4.1-mini", "2025-04-14", "2026-10-14", *rated(ALL, "OpenAI.gpt4.1-mini"),
            *_provisioned(25), *_batch("gpt-4.1-mini")),
    _openai("gpt-4.1-nano", "2025-04-14", "2026-10-14", *rated(ZONES, "OpenAI.gpt4.1-nano"),
            *_batch("gpt-4.1-nano")),
    _openai("gpt-5", "2025-08-07", "2027-02-06", *rated(ZONES, "OpenAI.gpt-5", 60, 10),
            *_provisioned(), *_batch("gpt-5"), default=False),
    _openai("gpt-5-mini", "2025-08-07", "2027-02-06", *rated(ZONES, "OpenAI.gpt-5-mini"),
            *_provisioned(25), default=False),
    _openai("gpt-5-nano", "2025-08-07", "2027-02-06", *rated(ZONES, "OpenAI.gpt-5-nano")),
    _openai("gpt-5-chat", "2025-10-03", "2027-02-06", *rated("GlobalStandard",
            "OpenAI.gpt-5-chat"), status="Preview"),
    _openai("gpt-5.1", "2025-11-13", "2027-05-15", *rated(ALL, "OpenAI.gpt-5.1", 60, 10),
            *_provisioned_global(), *_batch("gpt-5.1")),
    _openai("gpt-5.4", "2026-03-05", "2027-03-05", *rated(ZONES, "OpenAI.gpt-5.4", 60, 10),
            *_provisioned_global(), default=False),
    _openai("o3-mini", "2025-01-31", "2026-08-02", *rated(ZONES, "OpenAI.o3-mini"),
            *_batch("o3-mini"), status="Deprecating"),
    _openai("o3", "2025-04-16", "2026-10-16", *rated(ZONES, "OpenAI.o3"), *_batch("o3")),
    _openai("o4-mini", "2025-04-16", "2026-10-16", *rated(ALL, "OpenAI.o4-mini"),
            *_provisioned(25), *_batch("o4-mini")),
    _openai("model-router", "2025-11-18", "2027-05-20", *rated(ZONES, "OpenAI.ModelRouter"),
            capabilities="router chatCompletion agentsV2"),
    _openai("text-embedding-3-small", "1", "2027-04-15",
            *rated(ALL, "OpenAI.text-embedding-3-small", 10, 6),
            capabilities="embeddings", extra=EMBEDDINGS),
    _openai("text-embedding-3-large", "1", "2027-04-15",
            *rated(ALL, "OpenAI.text-embedding-3-large", 10, 6),
            capabilities="embeddings", extra=EMBEDDINGS),
    _openai("text-embedding-ada-002", "2", "2027-04-15",
            *rated(ALL, "OpenAI.text-embedding-ada-002", 10, 6),
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

# Limits as recorded, but for provisioned throughput, which that subscription had none of; other
# names have `OTHER_LIMIT`.
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
    "OpenAI.ProvisionedManaged": 300,
    "OpenAI.DataZoneProvisionedManaged": 300,
    "OpenAI.GlobalProvisionedManaged": 300,
    "AIServices.DataZoneProvisionedManaged": 300,
    "AIServices.GlobalProvisionedManaged": 300,
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
