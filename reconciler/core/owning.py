"""What the owned list should say of resources that need no request."""

from collections.abc import Container, Mapping, Sequence

from reconciler.core.live import Live, resolver
from reconciler.core.model import Owned, Plan, Properties, Resource
from reconciler.core.rollout import names_in_use, renamed


def owned_as(
    resource: Resource, arm_id: str, applied: Properties, secrets: Mapping[str, str]
) -> Owned:
    """The entry of the owned list for a resource that was applied (or adopted)."""
    return Owned(
        key=resource.key,
        arm_id=arm_id,
        api_version=resource.api_version,
        applied=applied,
        secrets=secrets,
        needs=resource.needs,
        deletion=resource.lifecycle.deletion,
        protect=resource.lifecycle.protect,
    )


def bookkeeping(
    plan: Plan,
    resources: Sequence[Resource],
    live: Live,
    owned: Mapping[str, Owned],
    shared: Container[str] = (),
) -> tuple[tuple[Owned, ...], tuple[str, ...]]:
    """Entries to write for unchanged resources (adopted, or declared differently than before but
    found as declared), and ARM ids to strike out because nothing declares them and nothing is there
    (or it is ``shared``: left to another environment)."""
    changing = {change.key for change in plan.changes if change.action != "delete"}
    resources = renamed(resources, names_in_use(resources, owned, live))
    resolve = resolver(live, resources, frozenset())
    settled, declared = [], set()
    for one in resources:
        observed = live.find(one, resolve)
        arm_id = observed.arm_id if observed else one.arm_id
        declared.add(arm_id.lower())
        if one.key in changing or observed is None:
            continue
        before = owned.get(arm_id.lower())
        now = owned_as(one, arm_id, one.properties, before.secrets if before else {})
        if now != before:
            settled.append(now)
    gone = tuple(
        one for one in owned if one not in declared and (one in shared or one not in live.by_id)
    )
    return tuple(settled), gone
