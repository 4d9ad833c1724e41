"""From what is wanted, what is there and what is owned to a plan: changes, steps and remarks."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Set
from dataclasses import replace
from fnmatch import fnmatchcase

from reconciler.core.arm import names_of, parents_of, resource_group_of
from reconciler.core.compare import compare
from reconciler.core.findings import Findings, Wanted
from reconciler.core.kinds import KINDS
from reconciler.core.leaving import delete, wanted_ids
from reconciler.core.live import Live
from reconciler.core.model import (
    DANGEROUS,
    Check,
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


def make_plan(wanted: Wanted, live: Live, owned: Mapping[str, Owned]) -> Plan:
    """Everything that applying would do, in order. Pure: the same input gives the same plan."""
    wanted, found = _settle_names(wanted, live, owned)
    delete(wanted, live, owned, found)
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
        found = compare(here, live, owned, gone, rewritten)
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


def _unmanaged(wanted: Wanted, live: Live, owned: Mapping[str, Owned]) -> tuple[Key, ...]:
    declared = wanted_ids(wanted, live)
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
