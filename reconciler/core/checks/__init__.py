"""What can be known of a plan before it is applied: will Azure take it, and for how long.

accounts    where the account of a model deployment is, and of what kind
catalogue   the models a region offers, as Azure lists them
models      is the model there, with this SKU, and until when
quota       is there room, at every step of the plan
policy      what the environment asks of what is made there
subject     resources as a rule of a policy sees them
"""

from collections.abc import Iterator, Mapping, Sequence
from datetime import date
from typing import Any, Final

from reconciler.core.checks.accounts import Accounts, Place
from reconciler.core.checks.catalogue import Catalogue
from reconciler.core.checks.models import check_model
from reconciler.core.checks.policy import check_policy
from reconciler.core.checks.quota import Usages, check_quota
from reconciler.core.kinds import KINDS
from reconciler.core.live import Live
from reconciler.core.model import NOTHING, Change, Check, Plan, Properties, Resource

type Facts = Mapping[str, Sequence[Mapping[str, Any]]]
"""The items of each listing that could be read, by its URL."""

KEYLESS: Final[Mapping[str, tuple[str, str]]] = {
    "Account": ("disableLocalAuth", "true"),
    "OnlineEndpoint": ("authMode", "AADToken"),
    "ServerlessEndpoint": ("authMode", "AAD"),
}
"""The field, and its value, that leaves Entra ID as the only way in."""


def facts_wanted(plan: Plan, live: Live) -> list[tuple[str, str]]:
    """The listings (URL below the ARM endpoint, API version) that :func:`check_plan` wants.

    Only for the regions in which the plan makes or changes model deployments.
    """
    accounts = Accounts(plan, live)
    places = {accounts.place_of(change.arm_id) for change in _deployments(plan)}
    api_version = KINDS["Account"].places[0].api_version
    known = sorted({(p.models_url, p.usages_url) for p in places if p})
    return [(url, api_version) for pair in known for url in pair]


def check_plan(
    plan: Plan,
    live: Live,
    facts: Facts,
    today: date,
    policy: Properties = NOTHING,
    declared: Sequence[Resource] = (),
) -> list[Check]:
    """Everything to say about a plan, in no particular order. What could not be read is said too.

    ``policy`` is the environment's, and ``declared`` everything in it, where the plan is of
    everything. Raises nothing for facts that are missing, empty or of another shape than expected.
    """
    remarks = (*_model_checks(plan, live, facts, today), *_lint(plan))
    return [*remarks, *check_policy(plan, live, policy, declared)]


def _model_checks(plan: Plan, live: Live, facts: Facts, today: date) -> Iterator[Check]:
    accounts = Accounts(plan, live)
    places: dict[str, Place] = {}
    for change in _deployments(plan):
        place = accounts.place_of(change.arm_id)
        if place:
            places.setdefault(place.models_url, place)
        else:
            message = "it is not known where its account is: model and quota were not checked"
            yield Check("note", "check.unknown", message, change.source, change.key)
    catalogues = {url: Catalogue.read(facts.get(url, ())) for url in places}
    usages = {p.usages_url: Usages.read(facts.get(p.usages_url, ())) for p in places.values()}
    for place in places.values():
        yield from _unread(place, catalogues[place.models_url], usages[place.usages_url])
    resources = {one.key: one for one in plan.resources}
    for change in _deployments(plan):
        place, resource = accounts.place_of(change.arm_id), resources.get(change.key)
        if place and resource:
            account = accounts.kind_of(change.arm_id)
            found = live.by_id.get(change.arm_id.lower())
            observed = found[1] if found else None
            yield from check_model(change, resource, observed, account, place, catalogues, today)
    yield from check_quota(plan, live, accounts, catalogues, usages)


def _deployments(plan: Plan) -> Iterator[Change]:
    for change in plan.changes:
        if change.key.kind == "ModelDeployment" and change.action != "delete":
            yield change


def _unread(place: Place, catalogue: Catalogue, usages: Usages) -> Iterator[Check]:
    if not catalogue.offers:
        message = f"the model catalogue of {place.shown} could not be read: whether models and "
        message += "SKUs are offered there, and until when, was not checked"
        yield Check("note", "model.unchecked", message)
    if not usages.pools:
        message = f"the quota of {place.shown} could not be read, and was not checked"
        yield Check("note", "quota.unchecked", message)


def _lint(plan: Plan) -> Iterator[Check]:
    resources = {one.key: one for one in plan.resources}
    for change in plan.changes:
        resource = resources.get(change.key)
        if resource and change.action != "delete" and change.key.kind in KEYLESS:
            yield from _keys(resource)


def _keys(resource: Resource) -> Iterator[Check]:
    name, wanted = KEYLESS[resource.key.kind]
    if str(resource.properties.get(name)).lower() != wanted.lower():
        title = KINDS[resource.key.kind].title
        message = f'{title} "{resource.key.name}" can be used with keys, which anybody may copy: '
        message += f"{name}: {wanted} leaves Entra ID only"
        yield Check("note", "auth.keys", message, resource.source, resource.key)


__all__ = ["check_plan", "facts_wanted"]
