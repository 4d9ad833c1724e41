"""What a rule of a policy looks at: resources, as they will be, and what the plan does to them."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Final

from reconciler.core.arm import parents_of, type_of
from reconciler.core.body import kind_of
from reconciler.core.desired.policy import PLACE
from reconciler.core.kinds import KINDS, Kind
from reconciler.core.live import Live
from reconciler.core.model import (
    ABSENT,
    MAPPINGS,
    NOTHING,
    UNKNOWN,
    Change,
    Json,
    Path,
    Plan,
    Properties,
    Ref,
    Resource,
    Secret,
)
from reconciler.core.same import blank
from reconciler.core.schema import ANY, Array, Field, Object, field_of

type Names = tuple[str, ...]
"""A field's path as rules write it: ``("sku", "name")``."""

LOCATION: Final = ("location",)


@dataclass(frozen=True)
class View:
    """A resource as one kind sees it."""

    kind: Kind
    properties: Properties
    there: Properties
    """What holds where the spec is silent: as it is now, or as it is made."""
    foreign: bool = False
    """An AzureResource, seen as the kind that its ARM type has here."""

    def path_of(self, written: Path) -> Names:
        """A path of the resource as rules about this kind write it."""
        names = tuple(one for one in written if isinstance(one, str))
        if not self.foreign:
            return names
        return names[2:] if [one.lower() for one in names[1:2]] == ["properties"] else names[1:]

    def values(self, path: Names) -> list[tuple[Field, Json]]:
        """Every value that will stand at a path, with its field; none where the kind has no such
        field. Leaves may be ABSENT, UNKNOWN, Secret or Ref."""
        return list(found_at(Field(shape=self.kind.shape), self.properties, path))

    def values_there(self, path: Names) -> list[tuple[Field, Json]]:
        return list(found_at(Field(shape=self.kind.shape), self.there, path))


@dataclass(frozen=True)
class Subject:
    """A resource, and what the plan does to it."""

    resource: Resource
    views: tuple[View, ...]
    change: Change | None = None

    @property
    def made(self) -> bool:
        return self.change is not None and self.change.action != "update"

    def brings(self, view: View, path: Names) -> bool:
        """Whether what stands at ``path`` (none: the resource itself) comes about by the plan."""
        return self.made or self.touches(view, path)

    def touches(self, view: View, path: Names) -> bool:
        """Whether the plan changes what stands at ``path``."""
        if self.change is None or not path:
            return False
        inside = (view.kind.verbatim, *path) if path == LOCATION and view.kind.verbatim else path
        return any(_overlap(inside, view.path_of(one.path)) for one in self.change.fields)

    def ignores(self, view: View, path: Names) -> bool:
        """Whether what stands at ``path`` is left to others; what is made is made as declared."""
        ignored = (view.path_of(one) for one in self.resource.lifecycle.ignore if not self.made)
        return any(one and path[: len(one)] == one for one in ignored)


class Estate:
    """Everything that a plan makes, changes or leaves as it is."""

    def __init__(self, plan: Plan, live: Live, declared: Iterable[Resource]) -> None:
        self.live = live
        self.by_key = {one.key: one for one in (*declared, *plan.resources)}
        self.by_id = {one.arm_id.lower(): one for one in self.by_key.values() if one.arm_id}
        self.subjects = tuple(self._subjects(plan, declared))

    def _subjects(self, plan: Plan, declared: Iterable[Resource]) -> Iterator[Subject]:
        changes = {one.key: one for one in plan.changes if one.action != "delete"}
        for key, change in changes.items():
            if key in self.by_key:
                stays = change.action == "update"
                there = self._there(change.arm_id) if stays else KINDS[key.kind].initial
                yield Subject(self.by_key[key], tuple(views_of(self.by_key[key], there)), change)
        for one in declared:
            if one.key not in changes:
                yield Subject(one, tuple(views_of(one, self._there(one.arm_id))))

    def _there(self, arm_id: str) -> Properties:
        found = self.live.by_id.get(arm_id.lower()) if arm_id else None
        return found[1].properties if found else NOTHING

    def values(self, subject: Subject, view: View, path: Names) -> list[tuple[Field, Json]]:
        """As they will be: as declared, or what Azure has where that is left alone."""
        if path == LOCATION and "location" not in view.kind.fields:
            return self._place(subject, view)
        declared = view.values(path)
        written = any(value is not ABSENT for _, value in declared)
        changed = subject.touches(view, path) and not subject.made
        if changed or (written and not subject.ignores(view, path)):
            return declared
        return view.values_there(path) if view.there else declared

    def _place(self, subject: Subject, view: View) -> list[tuple[Field, Json]]:
        """Where a resource is that has no region of its own: where what it lives in is. Nothing
        where it lives in nothing; a group's region says nothing of what is in the group."""
        if view.kind.verbatim:
            own = view.values((view.kind.verbatim, "location"))
            if any(value is not ABSENT for _, value in own):
                return [(PLACE, value) for _, value in own]
        above = [one for one in parents_of(subject.resource.arm_id.lower()) if _is_resource(one)]
        found = (self._location(one) for one in above)
        known = next((one for one in found if one is not ABSENT), UNKNOWN)
        return [(PLACE, known)] if above else []

    def _location(self, arm_id: str) -> Json:
        declared = self.by_id.get(arm_id)
        for properties in (declared.properties if declared else NOTHING, self._there(arm_id)):
            for holder in (properties, properties.get("body")):
                for value in members(holder, "location"):
                    if not blank(value):
                        return value
        return ABSENT


def views_of(resource: Resource, there: Properties) -> Iterator[View]:
    """As its own kind; an AzureResource also as the kind that its type has here, so that the escape
    hatch is no way around a rule."""
    own = KINDS[resource.key.kind]
    yield View(own, resource.properties, there)
    body = resource.properties.get(own.verbatim) if own.verbatim else None
    if not isinstance(body, MAPPINGS):
        return
    arm_type = type_of(resource.arm_id).lower()
    same_type = tuple(
        kind
        for kind in KINDS.values()
        if any(place.arm_type.lower() == arm_type for place in kind.places if place.arm_type)
    )
    meant = kind_of(same_type, body) if same_type else None
    for kind in (meant,) if meant else same_type:
        now = _flattened(kind, there.get(own.verbatim))
        yield View(kind, _flattened(kind, body), now, foreign=True)


def _flattened(kind: Kind, body: Json) -> Properties:
    """An ARM body in the spec's shape, every spelling of a name kept: ARM takes any letter case."""
    envelope = {name.lower() for name in kind.envelope}
    listed = body.items() if isinstance(body, MAPPINGS) else ()
    top = {name: value for name, value in listed if name.lower() in envelope}
    for inner in members(body, "properties"):
        if isinstance(inner, MAPPINGS):
            top |= {name: value for name, value in inner.items() if name.lower() not in envelope}
    return top


def members(value: Json, name: str) -> list[Json]:
    """The members of a mapping with this name, in whatever letter case."""
    if not isinstance(value, MAPPINGS):
        return []
    lowered = name.lower()
    return [item for key, item in value.items() if str(key).lower() == lowered]


def found_at(field: Field, value: Json, path: Names) -> Iterator[tuple[Field, Json]]:
    """The values at a path, each with its field; a list stands for each of its items."""
    if isinstance(value, Secret | Ref) or value is UNKNOWN:
        yield field, value
        return
    if isinstance(value, list | tuple) and value:
        item = field.shape.item if isinstance(field.shape, Array) else ANY
        for one in value:
            yield from found_at(item, one, path)
        return
    if not path:
        yield field, ABSENT if blank(value) else value
        return
    shape = field.shape
    while isinstance(shape, Array):
        shape = shape.item.shape
    held = members(value, path[0])
    inner = field_of(shape, path[0], value)
    if inner is None:
        if not held or isinstance(shape, Object):
            return
        inner = ANY  # a case that nobody here has heard of may have any fields
    for one in held or [ABSENT]:
        yield from found_at(inner, one, path[1:])


def _is_resource(arm_id: str) -> bool:
    return "/providers/" in arm_id


def _overlap(one: Names, other: Names) -> bool:
    return all(a.lower() == b.lower() for a, b in zip(one, other, strict=False))
