"""From changes to requests, in an order that works.

What is needed is made first and deleted last. Within an account or an endpoint one request goes
at a time (``lock``). Where deployments draw on one quota, what shrinks goes before what grows.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from graphlib import CycleError, TopologicalSorter

from reconciler.core.arm import ancestor_of, names_of, parents_of, subscription_of
from reconciler.core.kinds import KINDS
from reconciler.core.live import Live
from reconciler.core.model import (
    ABSENT,
    NOTHING,
    Change,
    Json,
    Key,
    Observed,
    Owned,
    Properties,
    Resource,
    Step,
    Verb,
    digest_of,
    shown,
)


@dataclass(frozen=True)
class Intent:
    """A change together with what it was found from."""

    change: Change
    resource: Resource | None = None
    """None for a delete."""
    observed: Observed | None = None
    owned: Owned | None = None
    soft_deleted: bool = False
    beside: str = ""
    """ARM id of the old one, where a replace puts the new one beside it."""


@dataclass
class Graph:
    """Steps under construction, and who waits for whom."""

    steps: dict[str, Step] = field(default_factory=dict)
    after: dict[str, set[str]] = field(default_factory=lambda: defaultdict(set))
    begin: dict[Key, str] = field(default_factory=dict)
    """The first request that says what a resource should be."""
    ready: dict[Key, str] = field(default_factory=dict)
    """The step after which others may refer to it; none when it is there and keeps its place."""
    last: dict[Key, str] = field(default_factory=dict)
    """The step after which it is as declared."""
    gone: dict[str, str] = field(default_factory=dict)
    """The step after which the resource with a (lower-cased) ARM id is gone."""

    def add(self, step: Step, after: Iterable[str] = ()) -> str:
        self.steps[step.id] = step
        self.after[step.id].update(after)
        return step.id

    def reaches(self, start: str, goal: str) -> bool:
        """Whether ``start`` already waits, directly or not, for ``goal``."""
        seen, todo = {start}, [start]
        while todo:
            for before in self.after[todo.pop()] - seen:
                if before == goal:
                    return True
                seen.add(before)
                todo.append(before)
        return False

    def prefer(self, step: str, after: str) -> None:
        """Wait for ``after`` unless that would make a circle."""
        if step != after and not self.reaches(after, step):
            self.after[step].add(after)


def steps_of(intents: Sequence[Intent], live: Live) -> tuple[Step, ...]:
    """Every request of a plan, each knowing what it waits for; in a workable order."""
    graph = Graph()
    for intent in intents:
        _own_steps(intent, graph)
    _wait_for_needs(intents, graph)
    _settle_last(intents, graph)
    _wait_for_deletes(intents, graph)
    _shrink_before_grow(intents, graph)
    _make_before_break(intents, graph)
    order = TopologicalSorter({name: sorted(graph.after[name]) for name in sorted(graph.steps)})
    try:
        names = list(order.static_order())
    except CycleError as error:
        raise AssertionError(f"steps wait for each other: {error.args[1]}") from error
    return tuple(replace(graph.steps[name], after=frozenset(graph.after[name])) for name in names)


def _own_steps(intent: Intent, graph: Graph) -> None:
    """The steps of one change, one after the other."""
    change, resource = intent.change, intent.resource
    previous: list[str] = []
    if _leaves(intent) and not intent.beside:
        previous = [_delete_step(intent, graph)]
    if resource is None:
        return
    kind = KINDS[change.key.kind]
    choice = resource.lifecycle.soft_deleted
    if choice == "purge" and kind.soft_delete and (intent.soft_deleted or previous):
        previous = [graph.add(_step(intent, "purge", "purge"), previous)]
    if choice == "restore" and intent.soft_deleted and kind.soft_delete:
        restore = _step(intent, "restore", "put", _restoring(resource), compare=frozenset())
        previous = [graph.add(restore, previous)]
    for name, body, compare in _puts(intent):
        seen = _seen(intent, compare)
        if previous and seen == "":
            seen = None
        step = graph.add(_step(intent, name, "put", body, compare, seen), previous)
        graph.begin.setdefault(change.key, step)
        if name != "settle":
            graph.ready[change.key] = step
        graph.last[change.key] = step
        previous = [step]
    if intent.beside:
        _delete_step(intent, graph, previous)


def _delete_step(intent: Intent, graph: Graph, after: Iterable[str] = ()) -> str:
    """One key may stand for several that go: a rollout, or a role, that was cut short."""
    arm_id = _leaving_id(intent)
    step = replace(_step(intent, "delete", "delete"), arm_id=arm_id)
    if step.id in graph.steps:
        step = replace(step, id=f"{step.id}@{names_of(arm_id)[-1]}")
    graph.gone[arm_id.lower()] = step.id
    return graph.add(step, after)


def _puts(intent: Intent) -> Iterator[tuple[str, Properties, frozenset[str] | None]]:
    """One PUT, or two where fields that name children have to wait for these."""
    assert intent.resource is not None
    properties = intent.resource.properties
    deferred = KINDS[intent.change.key.kind].deferred
    name = "create" if intent.change.action != "update" else "update"
    late = deferred & _top_fields(intent.change)
    if intent.change.action == "replace":
        late = deferred & properties.keys()
    if not late:
        yield name, properties, None
        return
    early = {key: value for key, value in properties.items() if key not in deferred}
    changed = _top_fields(intent.change) - deferred
    if name == "create" or changed:
        yield name, early, frozenset(early) | changed
    yield "settle", properties, frozenset(deferred)


def _top_fields(change: Change) -> frozenset[str]:
    return frozenset(str(one.path[0]) for one in change.fields)


def _seen(intent: Intent, compare: frozenset[str] | None) -> str | None:
    """What this step expects to find: as planned, or nothing."""
    if intent.change.action == "update":
        return seen_digest(intent.change, compare)
    return "" if compare is None or intent.change.action == "create" else None


def seen_digest(change: Change, compare: frozenset[str] | None) -> str:
    """A digest of the fields that differ, as they were: it changes when somebody else acts."""
    fields = [
        [one.name, shown(one.before)]
        for one in change.fields
        if compare is None or one.path[0] in compare
    ]
    return digest_of(fields, 16)


def _restoring(resource: Resource) -> Properties:
    soft = KINDS[resource.key.kind].soft_delete
    assert soft is not None
    location = {"location": resource.properties.get("location")}
    return {**(resource.properties if soft.whole else location), **soft.restore}


def _step(
    intent: Intent,
    name: str,
    verb: Verb,
    body: Properties = NOTHING,
    compare: frozenset[str] | None = None,
    seen: str | None = None,
) -> Step:
    key = intent.change.key
    kind = KINDS[key.kind]
    source = intent.resource or intent.owned
    assert source is not None
    lock = ancestor_of(intent.change.arm_id, kind.lock) if kind.lock else ""
    return Step(
        id=f"{name}:{key}",
        verb=verb,
        key=key,
        arm_id=intent.change.arm_id,
        api_version=source.api_version,
        body=body,
        lock=lock,
        seen=seen,
        compare=compare,
    )


def _wait_for_needs(intents: Sequence[Intent], graph: Graph) -> None:
    """What a resource refers to, and what it lives in, comes first."""
    by_id = {i.change.arm_id.lower(): i.change.key for i in intents if i.resource}
    for intent in intents:
        if intent.resource is None:
            continue
        mine = graph.begin[intent.change.key]
        needs = intent.resource.needs
        graph.after[mine].update(graph.ready[need] for need in needs if need in graph.ready)
        for parent in parents_of(intent.change.arm_id.lower()):
            key = by_id.get(parent)
            if key in graph.ready and key not in needs:
                graph.prefer(mine, graph.ready[key])


def _wait_for_deletes(intents: Sequence[Intent], graph: Graph) -> None:
    """What goes away goes after everything that lives in it, refers to it or referred to it."""
    leaving: dict[Key, list[str]] = defaultdict(list)
    for intent in intents:
        if _leaves(intent):
            leaving[intent.change.key].append(graph.gone[_leaving_id(intent).lower()])
    if not leaving:
        return
    for intent in intents:
        if intent.change.action == "create":
            continue
        mine = _leaving_step(intent, graph)
        for one in parents_of(_leaving_id(intent).lower()):
            if one in graph.gone:
                graph.prefer(graph.gone[one], mine)
        for key in sorted(_held(intent) & leaving.keys()):
            for step in leaving[key]:
                graph.prefer(step, mine)


def _held(intent: Intent) -> frozenset[Key]:
    """What a live resource refers to, as far as is known."""
    if intent.owned:
        return intent.owned.needs
    return intent.resource.needs if intent.resource else frozenset()


def _leaves(intent: Intent) -> bool:
    return intent.change.action in ("replace", "delete")


def _leaving_id(intent: Intent) -> str:
    return intent.beside or intent.change.arm_id


def _leaving_step(intent: Intent, graph: Graph) -> str:
    """The step after which a resource no longer holds on to what it used to refer to."""
    if _leaves(intent):
        return graph.gone[_leaving_id(intent).lower()]
    return graph.last[intent.change.key]


def _settle_last(intents: Sequence[Intent], graph: Graph) -> None:
    """Fields that name children wait until these exist; children leave after that."""
    settling = {
        intent.change.arm_id.lower(): f"settle:{intent.change.key}"
        for intent in intents
        if f"settle:{intent.change.key}" in graph.steps
    }
    if not settling:
        return
    for intent in intents:
        for parent in parents_of(intent.change.arm_id.lower()):
            if parent not in settling:
                continue
            # A parent that goes itself goes after its children, whatever it says of them.
            if (intent.resource is None or intent.beside) and parent not in graph.gone:
                graph.after[_leaving_step(intent, graph)].add(settling[parent])
            if intent.resource:
                graph.after[settling[parent]].add(graph.last[intent.change.key])


def _shrink_before_grow(intents: Sequence[Intent], graph: Graph) -> None:
    """Free quota before it is asked for, where both come from one pool."""
    shrinking: dict[Pool, list[str]] = defaultdict(list)
    growing: dict[Pool, list[str]] = defaultdict(list)
    for intent in intents:
        if KINDS[intent.change.key.kind].quota is None:
            continue
        (old, before), (new, after) = _held_quota(intent), _wanted_quota(intent)
        key = intent.change.key
        if old == new and after < before:
            shrinking[old].append(graph.last[key])
        if old and old != new:
            shrinking[old].append(_leaving_step(intent, graph))
        if new and (old != new or after > before):
            growing[new].append(graph.begin[key])
    for pool, steps in growing.items():
        for step in steps:
            for other in shrinking.get(pool, ()):
                graph.prefer(step, other)


def _make_before_break(intents: Sequence[Intent], graph: Graph) -> None:
    """Where one key stands for a resource that comes and, elsewhere, for one that goes."""
    for intent in intents:
        key = intent.change.key
        if intent.change.action == "delete" and key in graph.last:
            graph.prefer(_leaving_step(intent, graph), graph.last[key])


type Pool = tuple[str, ...]


def _held_quota(intent: Intent) -> tuple[Pool, float]:
    """The quota a deployment draws on now, and how much of it."""
    live = intent.observed.properties if intent.observed else None
    return _quota(intent, live)


def _wanted_quota(intent: Intent) -> tuple[Pool, float]:
    """The quota it will draw on. An update that leaves the amount alone takes what it has."""
    quota = KINDS[intent.change.key.kind].quota
    assert quota is not None
    changes = {one.name for one in intent.change.fields}
    if intent.change.action == "update" and quota.amount not in changes:
        return _held_quota(intent)
    return _quota(intent, intent.resource.properties if intent.resource else None)


def _quota(intent: Intent, properties: Properties | None) -> tuple[Pool, float]:
    """Regions count by subscription: waiting for a deployment of another region is harmless."""
    quota = KINDS[intent.change.key.kind].quota
    if quota is None or properties is None:
        return (), 0
    values = (str(at(properties, path)).lower() for path in quota.pool)
    pool = (subscription_of(intent.change.arm_id).lower(), *values)
    amount = at(properties, quota.amount)
    return pool, _amount(1 if amount is ABSENT else amount)


def _amount(value: Json) -> float:
    return float(value) if isinstance(value, int | float) else 0.0


def at(value: Json, path: str) -> Json:
    """The value at a dotted path; ABSENT when there is none."""
    for name in path.split("."):
        if not isinstance(value, Mapping) or name not in value:
            return ABSENT
        value = value[name]
    return value
