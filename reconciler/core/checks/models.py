"""Is the model there, with this SKU, and until when.

Lifecycle and upgrade options: https://learn.microsoft.com/azure/ai-foundry/openai/concepts/model-retirements
and https://learn.microsoft.com/azure/ai-foundry/openai/how-to/working-with-models.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any, Final

from reconciler.core.checks.accounts import Place
from reconciler.core.checks.catalogue import Catalogue, Offer
from reconciler.core.desired.nearest import did_you_mean
from reconciler.core.model import Change, Check, Level, Observed, Properties, Resource

SOON_DAYS: Final = 120
"""A retirement within so many days is worth a warning."""
UPGRADES: Final = "OnceNewDefaultVersionAvailable"
"""What Azure puts where no versionUpgradeOption is sent (recorded by Azure/azure-cli)."""


@dataclass(frozen=True)
class Deployment:
    """A model deployment that a plan makes or changes, and what its region offers."""

    change: Change
    resource: Resource
    place: Place
    account_kind: str
    model: Mapping[str, Any]
    """As declared; the version is the live one where the spec leaves it open."""
    catalogues: Mapping[str, Catalogue]

    @property
    def catalogue(self) -> Catalogue:
        return self.catalogues[self.place.models_url]

    @property
    def sku(self) -> str:
        return str(member(self.resource.properties, "sku").get("name"))

    @property
    def called(self) -> str:
        return f"{self.model.get('name')} {self.model.get('version') or ''}".strip()

    @property
    def new(self) -> bool:
        """Whether Azure has to accept the model: not for an update that leaves it alone."""
        if self.change.action != "update":
            return True
        return any(one.path[0] == "model" for one in self.change.fields)

    def check(self, level: Level, rule: str, message: str) -> Check:
        return Check(level, rule, message, self.resource.source, self.resource.key)


def check_model(
    change: Change,
    resource: Resource,
    observed: Observed | None,
    account_kind: str,
    place: Place,
    catalogues: Mapping[str, Catalogue],
    today: date,
) -> Iterator[Check]:
    """Remarks about one deployment's model. Nothing where its catalogue is empty."""
    model = dict(member(resource.properties, "model"))
    if not model.get("version") and observed and change.action == "update":
        model["version"] = member(observed.properties, "model").get("version")
    one = Deployment(change, resource, place, account_kind, model, catalogues)
    if not one.catalogue.offers:
        return
    if _own_model(model):
        message = f"{one.called} is a model of your own, which no catalogue lists: not checked"
        yield one.check("note", "model.unchecked", message)
        return
    offer = one.catalogue.find(account_kind, model)
    if offer is None:
        if one.new:
            yield one.check("error", "model.unknown", _unknown(one))
        return
    yield from _offered_as(one, offer)
    yield from _lifetime(one, offer, today)
    yield from _upgrades(one, offer)


def member(properties: Properties, name: str) -> Mapping[str, Any]:
    """An object inside a resource; empty when there is none."""
    value = properties.get(name)
    return value if isinstance(value, Mapping) else {}


def _own_model(model: Mapping[str, Any]) -> bool:
    """Fine-tuned, or another account's: such models have names with ``.ft-`` in them."""
    return bool(model.get("source") or ".ft-" in str(model.get("name")))


def _unknown(one: Deployment) -> str:
    format_, name = str(one.model.get("format")), str(one.model.get("name"))
    versions = one.catalogue.versions(one.account_kind, format_, name)
    if versions:
        return _unknown_version(one, versions)
    elsewhere = one.catalogue.versions("", format_, name)
    if elsewhere:
        kinds = " or ".join(sorted({offer.account_kind for offer in elsewhere}))
        return (
            f"{name} is offered to accounts of kind {kinds} in {one.place.shown}, and this account "
            f"is of kind {one.account_kind}. Ways out: such an account, or another model"
        )
    offers = one.catalogue.offers
    formats = sorted({o.format for o in offers if o.name.lower() == name.lower()})
    if formats:
        return f'{name} is published as format "{formats[0]}", not "{format_}"'
    near = did_you_mean(name, sorted({o.name for o in offers if o.format == format_}))
    return (
        f"{format_} {name} is not in the catalogue of {one.place.shown}{near or '.'}"
        f" Ways out: another model{_other_regions(one)}"
    )


def _unknown_version(one: Deployment, versions: Iterable[Offer]) -> str:
    there = [offer.version + (" (default)" if offer.default else "") for offer in versions]
    near = did_you_mean(str(one.model.get("version")), [offer.version for offer in versions])
    return (
        f"{one.called} is not offered in {one.place.shown}{near or '.'} "
        f"Versions there: {', '.join(there)}{_other_regions(one)}"
    )


def _other_regions(one: Deployment) -> str:
    """Other regions of this plan that have the model; their catalogues were read anyway."""
    found = sorted(
        url.split("/")[-2]
        for url, catalogue in one.catalogues.items()
        if url != one.place.models_url and catalogue.find("", one.model)
    )
    return f", or another region ({', '.join(found)})" if found else ", or another region"


def _offered_as(one: Deployment, offer: Offer) -> Iterator[Check]:
    """Is the SKU offered, and does it come in this size."""
    sku = offer.skus.get(one.sku.lower())
    if sku is None:
        if one.new:
            listed = ", ".join(sorted(s.name for s in offer.skus.values())) or "none"
            message = f"{one.sku} is not offered for {one.called} in {one.place.shown}. "
            yield one.check("error", "model.sku", f"{message}SKUs there: {listed}")
        return
    resized = any(field.name == "sku.capacity" for field in one.change.fields)
    capacity = member(one.resource.properties, "sku").get("capacity", 1)
    if not isinstance(capacity, int) or not (one.new or resized):
        return
    wrong = ""
    if sku.allowed and capacity not in sku.allowed:
        wrong = f"comes in {', '.join(str(size) for size in sku.allowed)}"
    elif sku.minimum is not None and capacity < sku.minimum:
        wrong = f"starts at {sku.minimum}"
    elif sku.maximum is not None and capacity > sku.maximum:
        wrong = f"ends at {sku.maximum}"
    elif sku.step and (capacity - (sku.minimum or 0)) % sku.step:
        wrong = f"goes in steps of {sku.step}, from {sku.minimum or 0}"
    if wrong:
        message = f"{sku.name} {one.called} {wrong}, and capacity is {capacity}"
        yield one.check("error", "quota.capacity", message)


def _lifetime(one: Deployment, offer: Offer, today: date) -> Iterator[Check]:
    called = f"{offer.name} ({offer.version})"
    replaced = f". Its replacement is {offer.replacement}" if offer.replacement else ""
    retires = offer.retirement(one.sku)
    if offer.status.lower() == "deprecated" or (retires and retires <= today):
        when = f" on {retires}" if retires and retires <= today else ""
        message = f"{called} was retired in {one.place.shown}{when}{replaced}. Way out: "
        message += f"another version{_current(one, offer)}, or another model"
        yield one.check("error" if one.new else "warning", "model.retired", message)
    elif retires and (retires - today).days <= SOON_DAYS:
        message = f"{called} retires in {one.place.shown} on {retires}{replaced}"
        yield one.check("warning", "model.retires", message)
    elif offer.status.lower() == "deprecating" and one.change.action != "update":
        message = f"{called} is on its way out{replaced}: Azure accepts new deployments only from "
        message += "customers who have it already"
        yield one.check("warning", "model.retires", message)
    if offer.status.lower() == "preview" and one.new:
        message = f"{called} is a preview: it may be changed or retired at short notice"
        yield one.check("note", "model.preview", message)


def _current(one: Deployment, offer: Offer) -> str:
    for other in one.catalogue.versions(one.account_kind, offer.format, offer.name):
        if other.default and other.version != offer.version:
            return f" ({other.version} is the default)"
    return ""


def _upgrades(one: Deployment, offer: Offer) -> Iterator[Check]:
    """Automatic upgrades exist for Standard deployment types only."""
    if "provisioned" in one.sku.lower():
        return
    option = one.resource.properties.get("versionUpgradeOption")
    if option is None and one.change.action != "update":
        message = f"versionUpgradeOption is not written, so Azure takes {UPGRADES} and changes the "
        message += "model's version by itself: write what is meant (NoAutoUpgrade keeps it)"
        yield one.check("note", "upgrade.option", message)
    elif str(option).lower() == UPGRADES.lower() and "version" in _declared(one):
        message = f"version {offer.version} is temporary: with {option} Azure moves to a new "
        message += f"default version within two weeks{_current(one, offer)}"
        yield one.check("note", "model.upgrades", message)


def _declared(one: Deployment) -> Mapping[str, Any]:
    return member(one.resource.properties, "model")
