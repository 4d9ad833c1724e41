"""Replacing side by side: the new one under another name, tested, given the traffic, then the old
one removed.

A deployment declared as ``blue`` may live in Azure as ``blue-7c1e``. Which name is in use follows
from the owned list, and the name of a new one from what cannot change in place, so that a second
attempt arrives at the same name.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from reconciler.core.arm import names_of, parent_of
from reconciler.core.kinds import KINDS
from reconciler.core.live import Live
from reconciler.core.model import Json, Key, Owned, Properties, Resource, digest_of
from reconciler.core.schema import Scalar, Shape, field_of

LONGEST = 32
"""Letters in the name of an online deployment; azure-ai-ml checks the same."""


@dataclass(frozen=True)
class Names:
    """Under which ARM id each declared resource lives, where that is not the declared one."""

    ids: Mapping[Key, str]

    def __or__(self, more: Mapping[Key, str]) -> "Names":
        return Names({**self.ids, **more})


def names_in_use(resources: Iterable[Resource], owned: Mapping[str, Owned], live: Live) -> Names:
    """The names that earlier rollouts gave, of what does not live under its declared one."""
    candidates: dict[Key, list[str]] = {}
    for arm_id, one in owned.items():
        if KINDS[one.key.kind].side_by_side and arm_id in live.by_id:
            candidates.setdefault(one.key, []).append(live.by_id[arm_id][1].arm_id)
    ids = {}
    for resource in resources:
        here = parent_of(resource.arm_id).lower()
        found = [i for i in candidates.get(resource.key, []) if parent_of(i).lower() == here]
        if found and found != [resource.arm_id]:
            wanted = next_id(resource).lower()
            ids[resource.key] = max(found, key=lambda i: (i.lower() == wanted, len(i)))
    return Names(ids)


def next_id(resource: Resource, taken: frozenset[str] = frozenset()) -> str:
    """The ARM id for a new one beside the old: the same for the same immutable values."""
    head, _, base = resource.arm_id.rpartition("/")
    values = fixed_values(KINDS[resource.key.kind].shape, resource.properties)
    for length in range(4, 17):
        suffix = digest_of(values, length)
        name = f"{base[: LONGEST - 1 - length]}-{suffix}"
        if f"{head}/{name}".lower() not in taken:
            return f"{head}/{name}"
    raise AssertionError("sixteen digits of a digest are taken")


def fixed_values(shape: Shape, want: Properties) -> dict[str, Json]:
    """The declared values that cannot change in place."""
    found: dict[str, Json] = {}
    for name, value in want.items():
        one = field_of(shape, name, want)
        if one is None:
            continue
        if one.immutable:
            found[name] = value
        elif isinstance(value, Mapping) and not isinstance(one.shape, Scalar):
            inner = fixed_values(one.shape, value)
            if inner:
                found[name] = inner
    return found


def renamed(resources: Iterable[Resource], names: Names) -> tuple[Resource, ...]:
    """The resources under the names in use: their own ids, ids that refer to them, and the fields
    of their parents that name them."""
    listed = tuple(resources)
    if not names.ids:
        return listed
    ids = {one.arm_id.lower(): names.ids[one.key] for one in listed if one.key in names.ids}
    children: dict[str, dict[str, str]] = {}
    for old, new in ids.items():
        children.setdefault(parent_of(old), {})[names_of(old)[-1]] = names_of(new)[-1]
    return tuple(_renamed(one, ids, children.get(one.arm_id.lower(), {})) for one in listed)


def _renamed(one: Resource, ids: Mapping[str, str], children: Mapping[str, str]) -> Resource:
    properties: dict[str, Any] = dict(_with_ids(one.properties, ids))
    for name in KINDS[one.key.kind].deferred & properties.keys():
        if children and isinstance(properties[name], Mapping):
            properties[name] = {
                children.get(child.lower(), child): value
                for child, value in properties[name].items()
            }
    return replace(one, arm_id=ids.get(one.arm_id.lower(), one.arm_id), properties=properties)


def _with_ids(value: Json, ids: Mapping[str, str]) -> Any:
    if isinstance(value, str):
        return ids.get(value.lower(), value) if value.startswith("/") else value
    if isinstance(value, Mapping):
        return {name: _with_ids(item, ids) for name, item in value.items()}
    if isinstance(value, list | tuple):
        return [_with_ids(item, ids) for item in value]
    return value


def moves_traffic(resource: Resource, resources: Iterable[Resource]) -> bool:
    """Whether a parent declares the field that names this child, so that it can be moved."""
    parent = parent_of(resource.arm_id).lower()
    name = names_of(resource.arm_id)[-1].lower()
    for one in resources:
        if one.arm_id.lower() == parent:
            maps = (one.properties.get(field) for field in KINDS[one.key.kind].deferred)
            return any(isinstance(m, Mapping) and name in {n.lower() for n in m} for m in maps)
    return False
