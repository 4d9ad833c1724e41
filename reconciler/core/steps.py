"""From changes to requests, in an order that works.

What is needed is made first and deleted last. Within an account or an endpoint one request goes
at a time (``lock``). Where deployments draw on one quota, what shrinks goes before what grows.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from graphlib import CycleError, TopologicalSorter

from reconciler.core.arm import ancestor_of, parent_of, within
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
    first: dict[Key, str] = field(default_factory=dict)
    """The step after which a resource exists."""
    last: dict[Key, str] = field(default_factory=dict)
    """The step after which it is as declared."""

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
    for intent in intents:
        _wait_for_needs(intent, graph)
    _wait_for_deletes(intents, graph)
    _settle_last(intents, graph)
    _shrink_before_grow(intents, graph)
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
    if change.action in ("replace", "delete") and not intent.beside:
        previous = [graph.add(_step(intent, "delete", "delete"))]
    if resource is None:
        graph.first[change.key] = graph.last[change.key] = previous[-1]
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
        graph.first.setdefault(change.key, step)
        graph.last[change.key] = step
        previous = [step]
    if intent.beside:
        old = replace(_step(intent, "delete", "delete"), arm_id=intent.beside)
        graph.add(old, previous)


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
    if name == "create" or _top_fields(intent.change) - deferred or not intent.change.fields:
        yield name, early, frozenset(early)
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


def _wait_for_needs(intent: Intent, graph: Graph) -> None:
    """What a resource refers to comes first."""
    if intent.resource is None:
        return
    mine = graph.first[intent.change.key]
    for need in intent.resource.needs:
        if need in graph.first:
            graph.after[mine].add(graph.first[need])


def _wait_for_deletes(intents: Sequence[Intent], graph: Graph) -> None:
    """What goes away goes after everything that lives in it, refers to it or referred to it."""
    leaving = [i.change for i in intents if i.change.action in ("delete", "replace")]
    if not leaving:
        return
    keys = {change.key for change in leaving}
    by_id = {change.arm_id.lower(): change.key for change in leaving if change.arm_id}
    for intent in intents:
        before = intent.owned.needs & keys if intent.owned else frozenset()
        inside = {by_id[parent] for parent in _parents(intent.change.arm_id) if parent in by_id}
        mine = _leaving_step(intent, graph)
        for key in before | inside:
            graph.prefer(f"delete:{key}", mine)


def _leaving_step(intent: Intent, graph: Graph) -> str:
    """The step after which a resource no longer holds on to what it used to refer to."""
    gone = f"delete:{intent.change.key}"
    return gone if gone in graph.steps else graph.last[intent.change.key]


def _parents(arm_id: str) -> Iterator[str]:
    here = parent_of(arm_id.lower())
    while here.count("/") >= 4:
        yield here
        here = parent_of(here)


def _settle_last(intents: Sequence[Intent], graph: Graph) -> None:
    """Fields that name children wait until these exist; children leave after that."""
    settling = {
        intent.change.arm_id: f"settle:{intent.change.key}"
        for intent in intents
        if f"settle:{intent.change.key}" in graph.steps
    }
    for intent in intents:
        for parent, step in settling.items():
            if not within(intent.change.arm_id, parent):
                continue
            if intent.change.action == "delete" or intent.beside:
                graph.after[f"delete:{intent.change.key}"].add(step)
            if intent.change.action != "delete":
                graph.after[step].add(graph.last[intent.change.key])


def _shrink_before_grow(intents: Sequence[Intent], graph: Graph) -> None:
    """Free quota before it is asked for, where both come from one pool."""
    shrinking: dict[tuple[Json, ...], list[str]] = defaultdict(list)
    growing: dict[tuple[Json, ...], list[str]] = defaultdict(list)
    for intent in intents:
        before, after = _taken(intent)
        pool = _pool(intent)
        if pool and after < before:
            shrinking[pool].append(_leaving_step(intent, graph))
        elif pool and after > before:
            growing[pool].append(graph.first[intent.change.key])
    for pool, steps in growing.items():
        for step in steps:
            for other in shrinking.get(pool, ()):
                graph.prefer(step, other)


def _pool(intent: Intent) -> tuple[Json, ...]:
    """The quota a deployment draws on; () for kinds without one. Regions count by subscription:
    waiting for a deployment of another region is harmless, and rare."""
    quota = KINDS[intent.change.key.kind].quota
    if quota is None:
        return ()
    source = intent.resource.properties if intent.resource else _live(intent)
    return tuple(str(at(source, path)).lower() for path in quota.pool)


def _taken(intent: Intent) -> tuple[float, float]:
    """How much quota a deployment takes now and will take."""
    quota = KINDS[intent.change.key.kind].quota
    if quota is None:
        return 0, 0
    after = at(intent.resource.properties, quota.amount) if intent.resource else 0
    return _amount(at(_live(intent), quota.amount)), _amount(1 if after is ABSENT else after)


def _live(intent: Intent) -> Properties:
    return intent.observed.properties if intent.observed else NOTHING


def _amount(value: Json) -> float:
    return float(value) if isinstance(value, int | float) else 0.0


def at(value: Json, path: str) -> Json:
    """The value at a dotted path; ABSENT when there is none."""
    for name in path.split("."):
        if not isinstance(value, Mapping) or name not in value:
            return ABSENT
        value = value[name]
    return value
