"""The models a region offers, read from ARM's list of models.

Shapes: azure-mgmt-cognitiveservices (API 2025-09-01), and traffic recorded by Azure/azure-dev
(cli/azd/test/functional/testdata/recordings, Test_CLI_ProvisionValidationQuota). Words of
``lifecycleStatus`` are an open list: Preview, GenerallyAvailable, Stable, Deprecating, Deprecated,
Legacy are known.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from typing import Any


@dataclass(frozen=True)
class Sku:
    """One way to deploy a model."""

    name: str
    usage_name: str
    """The quota it draws on."""
    minimum: int | None = None
    maximum: int | None = None
    step: int | None = None
    allowed: tuple[int, ...] = ()
    retires: date | None = None


@dataclass(frozen=True)
class Offer:
    """One version of a model, for one kind of account."""

    account_kind: str
    format: str
    name: str
    version: str
    default: bool = False
    status: str = ""
    retires: date | None = None
    replacement: str = ""
    """What the service moves deployments to, as far as it is announced."""
    skus: Mapping[str, Sku] = field(default_factory=dict)
    """By lower-cased name."""

    def retirement(self, sku: str) -> date | None:
        """The earlier of the model's and the SKU's date."""
        one = self.skus.get(sku.lower())
        dates = [d for d in (self.retires, one.retires if one else None) if d]
        return min(dates, default=None)


@dataclass(frozen=True)
class Catalogue:
    """Everything a region offers."""

    offers: tuple[Offer, ...] = ()

    @classmethod
    def read(cls, items: Iterable[Mapping[str, Any]]) -> "Catalogue":
        """What Azure listed; an item of another shape is left out."""
        found: dict[tuple[str, ...], Offer] = {}
        for item in items:
            offer = _offer(item)
            if offer is None:
                continue
            key = (offer.account_kind, offer.format, offer.name, offer.version)
            known = found.get(key)
            # The same version is listed once for each SKU of accounts.
            skus = {**offer.skus, **(known.skus if known else {})}
            found[key] = replace(offer, skus=skus)
        return cls(tuple(found.values()))

    def versions(self, account_kind: str, format_: str, name: str) -> list[Offer]:
        """The offers of one model, oldest name first; ``account_kind`` "" for any."""
        same = (format_.lower(), name.lower())
        found = [
            one
            for one in self.offers
            if (one.format.lower(), one.name.lower()) == same
            and account_kind.lower() in ("", one.account_kind.lower())
        ]
        return sorted(found, key=lambda one: one.version)

    def find(self, account_kind: str, model: Mapping[str, Any]) -> Offer | None:
        """The offer that a deployment's ``model`` means; without a version the default one."""
        format_, name = str(model.get("format")), str(model.get("name"))
        offers = self.versions(account_kind, format_, name)
        version = model.get("version")
        if version:
            return next((one for one in offers if one.version == str(version)), None)
        return next((one for one in offers if one.default), offers[-1] if offers else None)


def _offer(item: Mapping[str, Any]) -> Offer | None:
    model = item.get("model")
    if not isinstance(model, Mapping) or not model.get("name"):
        return None
    skus = [_sku(one) for one in _listed(model, "skus") if isinstance(one, Mapping)]
    return Offer(
        account_kind=str(item.get("kind") or ""),
        format=str(model.get("format") or ""),
        name=str(model["name"]),
        version=str(model.get("version") or ""),
        default=model.get("isDefaultVersion") is True,
        status=str(model.get("lifecycleStatus") or ""),
        retires=day(_member(model, "deprecation").get("inference")),
        replacement=_replacement(model),
        skus=_by_name(skus),
    )


def _by_name(skus: Iterable[Sku]) -> dict[str, Sku]:
    """A SKU may be listed twice, for the model and for models fine-tuned from it: these have a
    quota of their own, whose name ends in ``-finetune``."""
    found: dict[str, Sku] = {}
    for one in sorted(skus, key=lambda one: one.usage_name.lower().endswith("-finetune")):
        found.setdefault(one.name.lower(), one)
    return found


def _sku(item: Mapping[str, Any]) -> Sku:
    capacity = _member(item, "capacity")
    allowed = _listed(capacity, "allowedValues")
    return Sku(
        name=str(item.get("name") or ""),
        usage_name=str(item.get("usageName") or ""),
        minimum=_whole(capacity.get("minimum")),
        maximum=_whole(capacity.get("maximum")),
        step=_whole(capacity.get("step")),
        allowed=tuple(one for one in map(_whole, allowed) if one is not None),
        retires=day(item.get("deprecationDate")),
    )


def _replacement(model: Mapping[str, Any]) -> str:
    config = _member(model, "replacementConfig")
    name = config.get("targetModelName") or ""
    return f"{name} {config.get('targetModelVersion') or ''}".strip()


def _member(value: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    inner = value.get(name)
    return inner if isinstance(inner, Mapping) else {}


def _listed(value: Mapping[str, Any], name: str) -> Sequence[Any]:
    inner = value.get(name)
    return inner if isinstance(inner, list | tuple) else ()


def _whole(value: Any) -> int | None:
    return int(value) if isinstance(value, int | float) else None


def day(value: Any) -> date | None:
    """The day of an ISO timestamp; None for anything else."""
    try:
        return datetime.fromisoformat(value).date()
    except (TypeError, ValueError):
        return None
