"""Microsoft's published resource types, and how a kind of ours differs from them."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from reconciler.core.kinds.kind import Kind, Place
from reconciler.core.model import dotted, walk
from reconciler.core.schema import (
    Anything,
    Array,
    Field,
    Map,
    Object,
    Scalar,
    Shape,
    Variant,
)

REQUIRED, READ_ONLY = 1, 2
IN_URL = frozenset({"id", "name", "type", "apiVersion"})
LITERAL, UNION = "StringLiteralType", "UnionType"
JSON_TYPES = {
    "string": ("StringType", LITERAL, UNION),
    "integer": ("IntegerType",),
    "number": ("IntegerType",),
    "boolean": ("BooleanType",),
}


@dataclass(frozen=True)
class Types:
    """One types.json: a flat list whose entries point at each other."""

    entries: tuple[Mapping[str, Any], ...]

    def at(self, reference: Mapping[str, str]) -> Mapping[str, Any]:
        return self.entries[int(reference["$ref"].rsplit("/", 1)[1])]

    def find(self, name: str) -> Mapping[str, Any] | None:
        """The body of a resource type, ``Namespace/type@version`` in any letter case."""
        for one in self.entries:
            if one["$type"] == "ResourceType" and one["name"].lower() == name.lower():
                return self.at(one["body"])
        return None


@cache
def catalogue(root: Path, api_version: str) -> tuple[Types, ...]:
    """Every types.json of one API version."""
    files = sorted(root.glob(f"types/*/*/{api_version}/types.json"))
    return tuple(Types(tuple(json.loads(file.read_text()))) for file in files)


def differences(root: Path, kind: Kind, place: Place) -> list[str]:
    """What a kind says otherwise than Microsoft, one line each: ``path: what``."""
    name = f"{place.arm_type}@{place.api_version}"
    for types in catalogue(root, place.api_version):
        body = types.find(name)
        if body is not None:
            given = frozenset(kind.fixed) | {"location", "properties"} | filled_in(kind)
            return list(Comparison(types, given).object(arm_shape(kind), body, ""))
    return [f"{name}: no such type"]


def filled_in(kind: Kind) -> frozenset[str]:
    """Dotted paths of what is sent for an author who does not say it."""
    sent = kind.initial
    prefix = {name: "" if name in kind.envelope else "properties." for name in sent}
    return frozenset(f"{prefix[str(path[0])]}{dotted(path)}" for path, _ in walk(sent)) | frozenset(
        f"{prefix[name]}{name}" for name in sent
    )


def arm_shape(kind: Kind) -> Object:
    """A kind's fields where ARM has them: ``properties`` not flattened."""
    top = {n: f for n, f in kind.fields.items() if n in kind.envelope}
    inner = {n: f for n, f in kind.fields.items() if n not in kind.envelope}
    shape: Shape = (
        Variant(by=kind.by, common=inner, cases=kind.cases) if kind.by else Object(fields=inner)
    )
    return Object(fields={**top, "properties": Field(shape=shape)} if inner else top)


@dataclass(frozen=True)
class Comparison:
    """Walks a shape of ours and a type of theirs side by side."""

    types: Types
    given: frozenset[str]
    """Dotted paths that an author need not write, since the reconciler always sends them."""

    def field(self, ours: Field, theirs: Mapping[str, Any], path: str) -> Iterator[str]:
        shape, kind = ours.shape, theirs["$type"]
        if isinstance(shape, Anything) or kind == "AnyType":
            return
        if isinstance(shape, Scalar):
            yield from self.scalar(shape, theirs, path)
        elif isinstance(shape, Array):
            if kind == "ArrayType":
                yield from self.field(shape.item, self.types.at(theirs["itemType"]), f"{path}[]")
            else:
                yield f"{path}: a list here, {kind} there"
        elif isinstance(shape, Map):
            more = theirs.get("additionalProperties")
            if more is None:
                yield f"{path}: a map here, {kind} there"
            else:
                yield from self.field(shape.value, self.types.at(more), f"{path}{{}}")
        elif kind in ("ObjectType", "DiscriminatedObjectType"):
            yield from self.object(shape, theirs, path)
        else:
            yield f"{path}: an object here, {kind} there"

    def scalar(self, ours: Scalar, theirs: Mapping[str, Any], path: str) -> Iterator[str]:
        if theirs["$type"] not in JSON_TYPES[ours.type]:
            yield f"{path}: {ours.type} here, {theirs['$type']} there"
            return
        known, is_open = self.literals(theirs)
        if known and {v.replace(" ", "") for v in ours.values} != known:
            missing = sorted(known - set(ours.values))
            extra = sorted(set(ours.values) - known)
            yield f"{path}: values missing {missing}, unknown there {extra}"
        if known and ours.closed and is_open:
            yield f"{path}: closed here, open there"

    def literals(self, theirs: Mapping[str, Any]) -> tuple[set[str], bool]:
        """The values of an enum without blanks, and whether others are allowed."""
        if theirs["$type"] == LITERAL:
            return {theirs["value"]}, False
        if theirs["$type"] != UNION:
            return set(), True
        parts = [self.types.at(one) for one in theirs["elements"]]
        literal = {one["value"].replace(" ", "") for one in parts if one["$type"] == LITERAL}
        return literal, len(literal) < len(parts)

    def object(self, ours: Object | Variant, theirs: Mapping[str, Any], path: str) -> Iterator[str]:
        if theirs["$type"] == "ObjectType":
            if isinstance(ours, Variant):
                yield f"{path}: depends on {ours.by} here, on nothing there"
                return
            yield from self.members(ours, theirs, path)
        elif isinstance(ours, Variant):
            yield from self.variant(ours, theirs, path)
        else:
            yield from self.members(ours, self.flattened(theirs), path)

    def flattened(self, theirs: Mapping[str, Any]) -> Mapping[str, Any]:
        """A type with cases as one with the members of all cases."""
        members = dict(theirs["baseProperties"])
        for element in theirs["elements"].values():
            members.update(self.types.at(element).get("properties", {}))
        return {"$type": "ObjectType", "properties": members}

    def variant(self, ours: Variant, theirs: Mapping[str, Any], path: str) -> Iterator[str]:
        if ours.by != theirs["discriminator"]:
            yield f"{path}: depends on {ours.by} here, on {theirs['discriminator']} there"
        base = {"$type": "ObjectType", "properties": theirs["baseProperties"]}
        common = {name: one for name, one in ours.common.items() if name != ours.by}
        yield from self.members(Object(fields=common), base, path)
        for name in sorted(ours.cases.keys() | theirs["elements"].keys()):
            if name not in theirs["elements"]:
                yield f"{path}<{name}>: no such case there"
            elif name not in ours.cases:
                yield f"{path}<{name}>: case missing"
            else:
                element = dict(self.types.at(theirs["elements"][name]))
                members = {n: p for n, p in element["properties"].items() if n != ours.by}
                case = {**element, "properties": members}
                yield from self.members(Object(fields=ours.cases[name]), case, f"{path}<{name}>")

    def members(self, ours: Object, theirs: Mapping[str, Any], path: str) -> Iterator[str]:
        known = theirs.get("properties") or {}
        for name, one in ours.fields.items():
            here = f"{path}.{name}" if path else name
            if one.derived:
                continue
            there = known.get(name)
            if there is None:
                if theirs.get("additionalProperties") is None:
                    yield f"{here}: no such property there"
                continue
            if there["flags"] & READ_ONLY:
                yield f"{here}: read-only there"
            if there["flags"] & REQUIRED and not one.required and here not in self.given:
                yield f"{here}: required there"
            yield from self.field(one, self.types.at(there["type"]), here)
        for name in sorted(known.keys() - ours.fields.keys()):
            in_url = not path and name in IN_URL | self.given - {"location"}
            if not in_url and not known[name]["flags"] & READ_ONLY and ours.more is None:
                yield f"{path}.{name}: missing".lstrip(".")
