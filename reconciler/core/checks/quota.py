"""Is there room for the plan's deployments, at every step.

Quota is counted by subscription, region, SKU and model; which pool a deployment draws on is said
by the catalogue (``usageName``), and what is left of it by ARM's list of usages. That there is
quota does not promise that Azure has the machines.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from reconciler.core.checks.accounts import Accounts, Place
from reconciler.core.checks.catalogue import Catalogue, Sku
from reconciler.core.checks.models import member
from reconciler.core.live import Live
from reconciler.core.model import Check, Plan, Properties, Resource, Step


@dataclass
class Pool:
    """One quota while a plan runs."""

    limit: float
    used: float
    in_use: float
    """Before the plan began."""

    @property
    def free(self) -> float:
        return max(0.0, self.limit - self.used)


@dataclass(frozen=True)
class Usages:
    """The quotas of a region, by lower-cased name."""

    pools: Mapping[str, Pool] = field(default_factory=dict)

    @classmethod
    def read(cls, items: Iterable[Mapping[str, Any]]) -> "Usages":
        """What Azure listed; an item of another shape is left out."""
        pools = {}
        for item in items:
            name, limit, used = item.get("name"), item.get("limit"), item.get("currentValue")
            if not isinstance(name, Mapping) or not isinstance(limit, int | float):
                continue
            now = float(used) if isinstance(used, int | float) else 0.0
            pools[str(name.get("value")).lower()] = Pool(float(limit), now, now)
        return cls(pools)


@dataclass(frozen=True)
class Share:
    """What a deployment takes from a pool."""

    pool: Pool
    amount: float
    sku: Sku
    model: str
    place: Place


def check_quota(
    plan: Plan,
    live: Live,
    accounts: Accounts,
    catalogues: Mapping[str, Catalogue],
    usages: Mapping[str, Usages],
) -> Iterator[Check]:
    """An error for every deployment for which there is no room left when its turn comes."""
    ledger = _Ledger(live, accounts, catalogues, usages)
    resources = {one.key: one for one in plan.resources}
    for step in plan.steps:
        if step.key.kind != "ModelDeployment":
            continue
        if step.verb == "delete":
            ledger.release(step.arm_id)
        elif step.verb == "put" and step.key in resources:
            yield from ledger.take(step, resources[step.key])


class _Ledger:
    """Who holds how much of what, as the steps go by."""

    def __init__(
        self,
        live: Live,
        accounts: Accounts,
        catalogues: Mapping[str, Catalogue],
        usages: Mapping[str, Usages],
    ) -> None:
        self.accounts = accounts
        self.catalogues = catalogues
        self.usages = usages
        self.live = live
        self.held: dict[str, Share | None] = {}

    def release(self, arm_id: str) -> None:
        share = self.holding(arm_id)
        if share:
            share.pool.used -= share.amount
        self.held[arm_id.lower()] = None

    def holding(self, arm_id: str) -> Share | None:
        """What a deployment holds now: at first, what Azure says of it."""
        key = arm_id.lower()
        if key not in self.held:
            found = self.live.by_id.get(key)
            self.held[key] = self.share(arm_id, found[1].properties) if found else None
        return self.held[key]

    def sku_of(self, arm_id: str, properties: Properties) -> tuple[Place, Sku] | None:
        """Where a deployment with these properties is, and as what; None when not offered."""
        place = self.accounts.place_of(arm_id)
        if place is None or place.models_url not in self.catalogues:
            return None
        model, sku = member(properties, "model"), member(properties, "sku")
        offer = self.catalogues[place.models_url].find(self.accounts.kind_of(arm_id), model)
        offered = offer.skus.get(str(sku.get("name")).lower()) if offer else None
        return (place, offered) if offered else None

    def share(self, arm_id: str, properties: Properties) -> Share | None:
        """What a deployment with these properties takes; None when its pool is not known."""
        found = self.sku_of(arm_id, properties)
        amount = member(properties, "sku").get("capacity", 1)
        if found is None or not isinstance(amount, int | float):
            return None
        place, sku = found
        pool = self.usages[place.usages_url].pools.get(sku.usage_name.lower())
        model = str(member(properties, "model").get("name"))
        return Share(pool, float(amount), sku, model, place) if pool else None

    def take(self, step: Step, resource: Resource) -> Iterator[Check]:
        """Move a deployment from what it holds to what it wants; an error when it cannot."""
        before = self.holding(step.arm_id)
        after = self.share(step.arm_id, resource.properties)
        if after is None:
            yield from self.unknown(step.arm_id, resource)
        if after is None or (before and ("sku", "capacity") in resource.lifecycle.ignore):
            return
        own = before.amount if before and before.pool is after.pool else 0.0
        more = after.amount - own
        if more > 0 and more > after.pool.free:
            yield _too_much(resource, after, own)
            return
        after.pool.used += more
        self.held[step.arm_id.lower()] = after

    def unknown(self, arm_id: str, resource: Resource) -> Iterator[Check]:
        """A region's quotas were read, and the one a deployment draws on is not among them."""
        found = self.sku_of(arm_id, resource.properties)
        if found and self.usages[found[0].usages_url].pools:
            message = f"Azure lists no quota {found[1].usage_name} in {found[0].shown}: not checked"
            yield Check("note", "quota.unchecked", message, resource.source, resource.key)


def _too_much(resource: Resource, share: Share, own: float) -> Check:
    pool = share.pool
    provisioned = "provisioned" in share.sku.name.lower()
    unit = _unit(share.sku.name)
    needs = f"needs {_n(share.amount - own)}{' more' if own else ''}{unit}"
    taken = f", {_n(pool.used - pool.in_use)} taken by this plan" if pool.used > pool.in_use else ""
    ways = [] if own + pool.free < 1 else [f"capacity ≤ {_n(own + pool.free)}"]
    ways.append("another region, or ask for quota")
    message = (
        f"{share.sku.name} {share.model} in {share.place.shown} {needs}, {_n(pool.free)} are free "
        f"(limit {_n(pool.limit)}, in use {_n(pool.in_use)}{taken}). Ways out: {', '.join(ways)}"
    )
    rule = "quota.ptu" if provisioned else "quota.tokens"
    return Check("error", rule, message, resource.source, resource.key)


def _unit(sku: str) -> str:
    if "provisioned" in sku.lower():
        return " provisioned throughput units"
    return " (thousand tokens a minute)" if sku.lower().endswith("standard") else ""


def _n(value: float) -> str:
    return f"{value:g}" if value != int(value) else str(int(value))
