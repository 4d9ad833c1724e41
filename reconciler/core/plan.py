"""From what is wanted, what is there and what is owned to a plan: changes, steps and remarks."""

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence, Set
from dataclasses import dataclass, field, replace
from fnmatch import fnmatchcase

from reconciler.core.arm import names_of, parents_of, resource_group_of
from reconciler.core.diff import diff_fields
from reconciler.core.kinds import KINDS
from reconciler.core.live import Live, context_of, resolver
from reconciler.core.model import (
    ABSENT,
    DANGEROUS,
    NOTHING,
    Change,
    Check,
    FieldChange,
    Json,
    Key,
    Observed,
    Owned,
    Plan,
    Ref,
    Resource,
    Secret,
    walk,
)
from reconciler.core.rollout import moves_traffic, names_in_use, next_id, renamed
from reconciler.core.steps import Intent, steps_of


@dataclass(frozen=True)
class Wanted:
    """What one environment asks for."""

    environment: str
    commit: str
    resources: tuple[Resource, ...]
    prune: bool = False
    resource_group: str = ""
    """The environment's own; names inside it are shown without it."""
    only: tuple[str, ...] = ()
    """Patterns over ``Kind/name``; what fits none, and is needed by none that does, is left as it
    is. None: everything."""
    shared: Mapping[str, str] = NOTHING
    """Lower-cased ARM ids of owned resources that another environment owns too, and its name."""


@dataclass
class Findings:
    """What comparing produced, before it is ordered."""

    intents: list[Intent] = field(default_factory=list)
    checks: list[Check] = field(default_factory=list)
    adopted: list[Key] = field(default_factory=list)
    unchanged: int = 0


def make_plan(wanted: Wanted, live: Live, owned: Mapping[str, Owned]) -> Plan:
    """Everything that applying would do, in order. Pure: the same input gives the same plan."""
    wanted, found = _settle_names(wanted, live, owned)
    _delete(wanted, live, owned, found)
    intents = sorted(_chosen(wanted, found), key=lambda intent: str(intent.change.key))
    return Plan(
        environment=wanted.environment,
        commit=wanted.commit,
        changes=tuple(intent.change for intent in intents),
        steps=steps_of(intents, live),
        checks=tuple(sorted(found.checks, key=_order)),
        unchanged=found.unchanged,
        unmanaged=_unmanaged(wanted, live, owned),
        adopted=tuple(sorted(found.adopted)),
        resources=_involved(wanted, intents),
        reads=live.reads,
    )


def _chosen(wanted: Wanted, found: Findings) -> list[Intent]:
    """The intents that ``only`` asks for, with what they need or take along. A plan that leaves
    some out says so, because the names it leaves out stay as they are."""
    if not wanted.only:
        return found.intents
    by_key: dict[Key, list[Intent]] = defaultdict(list)
    inside: dict[str, set[Key]] = defaultdict(set)
    for intent in found.intents:
        by_key[intent.change.key].append(intent)
        for parent in parents_of(intent.change.arm_id.lower()):
            inside[parent].add(intent.change.key)
    todo = [key for key in by_key if any(fnmatchcase(str(key), one) for one in wanted.only)]
    chosen = set(todo)
    while todo:
        missing = {key for one in by_key[todo.pop()] for key in _along(one, inside)}
        todo += missing & by_key.keys() - chosen
        chosen |= missing
    intents = [intent for intent in found.intents if intent.change.key in chosen]
    left = len(found.intents) - len(intents)
    if left:
        message = f"limited to {', '.join(wanted.only)}: {left} more resources differ"
        found.checks.append(Check("note", "plan.limited", message))
    return intents


def _along(intent: Intent, inside: Mapping[str, Set[Key]]) -> Set[Key]:
    """What cannot be left out with an intent: what it needs, and what is inside of something that
    goes away or that names what is inside."""
    needs = intent.resource.needs if intent.resource else frozenset()
    moves = KINDS[intent.change.key.kind].deferred and intent.change.action != "delete"
    if moves or intent.change.action in DANGEROUS:
        return needs | inside.get(intent.change.arm_id.lower(), frozenset())
    return needs


def _settle_names(
    wanted: Wanted, live: Live, owned: Mapping[str, Owned]
) -> tuple[Wanted, Findings]:
    """Compare until it is clear what is replaced: a replaced parent takes its children along, and
    one that is replaced side by side gets another name, which its parent has to know."""
    declared = {one.key: one for one in wanted.resources}
    names = names_in_use(wanted.resources, owned, live)
    gone: frozenset[Key] = frozenset()
    rewritten: frozenset[Ref | Secret] = frozenset()
    beside: dict[Key, Intent] = {}
    while True:
        here = replace(wanted, resources=renamed(wanted.resources, names))
        found = _compare(here, live, owned, gone, rewritten)
        replaced = {i.change.key: i for i in found.intents if i.change.action == "replace"}
        moving = {
            key: intent
            for key, intent in replaced.items()
            if intent.change.fields and KINDS[key.kind].side_by_side
            if intent.resource and moves_traffic(intent.resource, here.resources)
        }
        if moving.keys() - beside.keys():
            beside |= moving
            taken = frozenset(live.by_id)
            names = names | {key: next_id(declared[key], taken) for key in moving}
        elif replaced.keys() - gone:
            gone = gone | replaced.keys()
        elif more := _rewritten(found.intents, wanted.resources) - rewritten:
            rewritten = rewritten | more
            secrets = (one for one in rewritten if isinstance(one, Secret))
            live = replace(live, digests={**live.digests, **dict.fromkeys(secrets, "")})
        else:
            found.intents = [_side_by_side(i, beside.get(i.change.key)) for i in found.intents]
            return here, found


def _rewritten(intents: Iterable[Intent], resources: Iterable[Resource]) -> frozenset[Ref | Secret]:
    """Values that the plan itself changes, as when a secret gets a new version: who uses them has
    to be sent the new ones in the same run."""
    written = {i.change.key: i.change.arm_id for i in intents if KINDS[i.change.key.kind].fleeting}
    if not written:
        return frozenset()
    ids = {arm_id.lower() for arm_id in written.values()}
    leaves = (value for one in resources for _, value in walk(one.properties))
    return frozenset(
        one
        for one in leaves
        if (isinstance(one, Ref) and one.key in written and one.path in _fleeting(one.key))
        or (isinstance(one, Secret) and not one.version and _secret_id(one) in ids)
    )


def _fleeting(key: Key) -> frozenset[str]:
    return KINDS[key.kind].fleeting


def _secret_id(secret: Secret) -> str:
    return f"{secret.vault}/secrets/{secret.name}".lower()


def _side_by_side(intent: Intent, old: Intent | None) -> Intent:
    """The creation of a new one beside an old one, as the one replace that it is."""
    if old is None or intent.change.action != "create":
        return intent
    before, after = (names_of(i.change.arm_id)[-1] for i in (old, intent))
    reason = f"{old.change.reason}: {after} is made beside {before}, tested, given the traffic, "
    reason += f"then {before} is removed"
    change = replace(intent.change, action="replace", fields=old.change.fields, reason=reason)
    return replace(
        intent,
        change=change,
        observed=old.observed,
        owned=old.owned,
        beside=old.change.arm_id,
    )


def _involved(wanted: Wanted, intents: list[Intent]) -> tuple[Resource, ...]:
    """The resources that change, and those whose values these refer to."""
    keys = {intent.change.key for intent in intents}
    for intent in intents:
        if intent.resource:
            leaves = walk(intent.resource.properties)
            keys |= {value.key for _, value in leaves if isinstance(value, Ref)}
    return tuple(sorted((r for r in wanted.resources if r.key in keys), key=lambda r: r.key))


LEVELS = {"error": 0, "warning": 1, "note": 2}


def _order(check: Check) -> tuple[int, str, str, str]:
    return LEVELS[check.level], check.rule, check.source, check.message


def _compare(
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


def _delete(wanted: Wanted, live: Live, owned: Mapping[str, Owned], found: Findings) -> None:
    """Owned minus wanted, as far as it may go."""
    kept = {i.change.arm_id.lower() for i in found.intents if i.change.arm_id}
    kept |= {i.beside.lower() for i in found.intents if i.beside}
    keys = frozenset(one.key for one in wanted.resources)
    kept |= _wanted_ids(wanted, live)
    doomed = {
        one.arm_id.lower(): one
        for arm_id, one in owned.items()
        if arm_id not in kept
        and arm_id in live.by_id
        and (_left_over(one, keys) or _may_go(wanted, one, found))
    }
    leaving = doomed.keys() | {
        i.change.arm_id.lower() for i in found.intents if i.change.action == "replace"
    }
    inside = _inside(live, leaving)
    for intent in found.intents:
        if intent.change.action == "replace" and not intent.beside:
            _guard_children(intent.change.key, inside[intent.change.arm_id.lower()], found)
    for arm_id, one in sorted(doomed.items()):
        _guard_children(one.key, inside[arm_id], found)
        observed = live.by_id[arm_id][1]
        change = Change("delete", one.key, observed.arm_id, reason="no spec declares it any more")
        found.intents.append(Intent(change, None, observed, one))


def _left_over(one: Owned, declared: frozenset[Key]) -> bool:
    """The old one of a rollout that was cut short: its successor lives under another name."""
    return one.key in declared and KINDS[one.key.kind].side_by_side and not one.protect


def _wanted_ids(wanted: Wanted, live: Live) -> set[str]:
    resolve = resolver(live, wanted.resources, frozenset())
    ids = set()
    for one in wanted.resources:
        observed = None if one.arm_id else live.find(one, resolve)
        ids.add((observed.arm_id if observed else one.arm_id).lower())
    return ids


def _may_go(wanted: Wanted, one: Owned, found: Findings) -> bool:
    """Whether an owned resource that no spec declares is deleted; if not, people are told why."""
    kind = KINDS[one.key.kind]
    why = ""
    if one.arm_id.lower() in wanted.shared:
        why = f"environment {wanted.shared[one.arm_id.lower()]} looks after it too"
    elif not wanted.prune:
        why = "this environment does not prune"
    elif not kind.deletable:
        why = "Azure Resource Manager cannot delete it"
    elif one.deletion == "retain":
        why = "lifecycle.deletion is retain"
    elif kind.holds_data and one.deletion != "delete":
        why = "it holds data, and lifecycle.deletion: delete was not said"
    if why:
        message = f"{one.key} is declared no more and stays: {why}"
        found.checks.append(Check("note", "delete.retained", message, "", one.key))
    elif one.protect:
        message = f"{one.key} is protected and no spec declares it any more: declare it again, "
        message += "or apply once with lifecycle.protect: false before taking it out"
        found.checks.append(Check("error", "lifecycle.protect", message, "", one.key))
    return not (why or one.protect)


def _inside(live: Live, leaving: Set[str]) -> Mapping[str, list[str]]:
    """By what goes (lower-cased ids): what lives in it and would not go by itself."""
    found: dict[str, list[str]] = defaultdict(list)
    if not leaving:
        return found
    others = {arm_id.lower(): arm_id for arm_id in live.others}
    others |= {arm_id: observed.arm_id for arm_id, (_, observed) in live.by_id.items()}
    for arm_id, spelled in others.items():
        if arm_id in leaving:
            continue
        for parent in parents_of(arm_id):
            if parent in leaving:
                found[parent].append(spelled)
    return found


def _guard_children(key: Key, others: Sequence[str], found: Findings) -> None:
    """Deleting a parent takes its children along: none may belong to somebody else."""
    if others:
        names = ", ".join(sorted("/".join(names_of(arm_id)) for arm_id in others)[:5])
        names += f" and {len(others) - 5} more" if len(others) > 5 else ""
        message = f"{key} would be deleted, and with it what lives in it and is not to go: "
        message += f"{names}. Remove that first, or declare {key} as it was"
        found.checks.append(Check("error", "delete.notEmpty", message, "", key))


def _unmanaged(wanted: Wanted, live: Live, owned: Mapping[str, Owned]) -> tuple[Key, ...]:
    declared = _wanted_ids(wanted, live)
    return tuple(
        sorted(
            key_of(observed, kind, wanted.resource_group)
            for arm_id, (kind, observed) in live.by_id.items()
            if KINDS[kind].report_unmanaged and arm_id not in declared and arm_id not in owned
        )
    )


def key_of(observed: Observed, kind: str, resource_group: str) -> Key:
    """How a live resource is called: as a spec would."""
    group = resource_group_of(observed.arm_id)
    names = names_of(observed.arm_id)
    inside = (
        group.lower() == resource_group.lower() or not group or KINDS[kind].places[0].field == ""
    )
    return Key(kind, names if inside else (group, *names))


def with_checks(plan: Plan, checks: Iterable[Check]) -> Plan:
    """A plan with further remarks, in order."""
    return replace(plan, checks=tuple(sorted({*plan.checks, *checks}, key=_order)))
