"""Each declared resource against its live twin: what is made, changed or replaced,
and the rules that a replace has to pass."""

from collections.abc import Callable, Mapping

from reconciler.core.arm import parents_of
from reconciler.core.diff import diff_fields
from reconciler.core.findings import Findings, Wanted
from reconciler.core.kinds import KINDS
from reconciler.core.live import Live, context_of, resolver
from reconciler.core.model import (
    ABSENT,
    NOTHING,
    Change,
    Check,
    FieldChange,
    Json,
    Key,
    Observed,
    Owned,
    Ref,
    Resource,
    Secret,
    walk,
)
from reconciler.core.steps import Intent


def compare(
    wanted: Wanted,
    live: Live,
    owned: Mapping[str, Owned],
    gone: frozenset[Key],
    rewritten: frozenset[Ref | Secret],
) -> Findings:
    """Compare every resource. ``gone``: replaced ones, whose children and outputs go with them;
    ``rewritten``: values that the plan itself changes."""
    found = Findings()
    resolve = resolver(live, wanted.resources, gone, rewritten)
    as_it_is = resolver(live, wanted.resources, frozenset())
    lost = {one.arm_id.lower() for one in wanted.resources if one.key in gone and one.arm_id}
    for resource in wanted.resources:
        observed = live.find(resource, resolve)
        before = observed or (live.find(resource, as_it_is) if gone else None)
        own = owned.get((before.arm_id if before else resource.arm_id).lower())
        if before is None:
            _create(resource, live, found)
        elif lost and not lost.isdisjoint(parents_of(before.arm_id.lower())):
            _replaced_along(resource, before, own, "what it lives in is replaced", found)
        elif observed is None:
            _replaced_along(resource, before, own, "what it refers to is replaced", found)
        else:
            _change(resource, observed, own, live, resolve, found)
    return found


def _create(resource: Resource, live: Live, found: Findings) -> None:
    fields = tuple(FieldChange(path, ABSENT, value) for path, value in walk(resource.properties))
    reason = ""
    soft = resource.arm_id.lower() in live.soft_deleted
    if soft:
        reason = _soft_deleted(resource, found)
    change = Change("create", resource.key, resource.arm_id, fields, reason, resource.source)
    found.intents.append(Intent(change, resource, soft_deleted=soft))


def _soft_deleted(resource: Resource, found: Findings) -> str:
    choice = resource.lifecycle.soft_deleted
    if choice is None:
        title = KINDS[resource.key.kind].title
        found.checks.append(
            Check(
                "error",
                "name.softDeleted",
                f'{title} "{resource.key.name}" was deleted a while ago and Azure still keeps it '
                "under this name. Ways out: lifecycle.softDeleted: restore (bring it back as it "
                "was), lifecycle.softDeleted: purge (remove it for good), or another name",
                resource.source,
                resource.key,
            )
        )
        return "the name is held by a soft-deleted resource"
    return "restored from soft delete" if choice == "restore" else "the soft-deleted one is purged"


def _replaced_along(
    resource: Resource, observed: Observed, own: Owned | None, reason: str, found: Findings
) -> None:
    change = Change("replace", resource.key, observed.arm_id, reason=reason, source=resource.source)
    _guard(resource, found)
    found.intents.append(Intent(change, resource, observed, own))


def _change(
    resource: Resource,
    observed: Observed,
    own: Owned | None,
    live: Live,
    resolve: Callable[[Ref], Json],
    found: Findings,
) -> None:
    kind = KINDS[resource.key.kind]
    fields = diff_fields(
        kind.shape,
        resource.properties,
        observed.properties,
        own.applied if own else NOTHING,
        context_of(resource, own, live, resolve),
    )
    reason = ""
    if observed.state in ("Failed", "Canceled"):
        reason = f"its last operation ended as {observed.state}"
    elif own and own.untested and resource.verify and not fields:
        reason = "its smoke test has not passed since it was applied"
    elif not observed.settled and not fields:
        found.checks.append(
            Check(
                "note", "azure.busy", f"Azure is still at it ({observed.state})", "", resource.key
            )
        )
    if not fields and not reason:
        found.unchanged += 1
        if own is None:
            found.adopted.append(resource.key)
        return
    replaces = [one for one in fields if one.replaces]
    if replaces:
        names = ", ".join(one.name for one in replaces)
        reason = f"{names} cannot change in place"
        _guard(resource, found)
    change = Change(
        "replace" if replaces else "update",
        resource.key,
        observed.arm_id,
        fields,
        reason,
        resource.source,
    )
    found.intents.append(Intent(change, resource, observed, own))


def _guard(resource: Resource, found: Findings) -> None:
    """Rules that a replace has to pass."""
    if resource.lifecycle.protect:
        found.checks.append(
            Check(
                "error",
                "lifecycle.protect",
                f"{resource.key} is protected and would be replaced: undo the change, or take "
                "lifecycle.protect away first",
                resource.source,
                resource.key,
            )
        )
    kind = KINDS[resource.key.kind]
    if not kind.deletable:
        found.checks.append(
            Check(
                "error",
                "replace.impossible",
                f"{resource.key} would have to be replaced, and Azure Resource Manager cannot "
                "delete it: undo the change, or use another name",
                resource.source,
                resource.key,
            )
        )
    if kind.holds_data and resource.lifecycle.deletion != "delete":
        found.checks.append(
            Check(
                "error",
                "delete.holdsData",
                f"replacing {resource.key} deletes what it holds: undo the change, or say "
                "lifecycle.deletion: delete",
                resource.source,
                resource.key,
            )
        )
    if kind.soft_delete and resource.lifecycle.soft_deleted != "purge":
        found.checks.append(
            Check(
                "error",
                "name.softDeleted",
                f"replacing {resource.key} deletes it first, and Azure keeps the name of a deleted "
                f"{kind.title}: say lifecycle.softDeleted: purge, or use another name",
                resource.source,
                resource.key,
            )
        )
