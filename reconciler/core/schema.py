"""What the fields of a kind may hold, and when two spellings of a value are the same.

A shape is data. One description serves validation, references, comparison, immutability, the
body that is sent and the JSON Schema for editors, so that a kind is described once.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Literal

from reconciler.core.model import ABSENT, NOTHING, Json

type Sameness = Literal[
    "exact",
    "caseless",
    "location",
    "arm_id",
    "instant",
    "duration",
    "number",
    "yaml",
    "identity",
]
"""How two scalars are compared; ``reconciler.core.same`` has the meaning of each."""


@dataclass(frozen=True, kw_only=True)
class Scalar:
    """A string, number or boolean."""

    type: Literal["string", "integer", "number", "boolean"] = "string"
    values: tuple[str, ...] = ()
    """What Azure is known to accept."""
    closed: bool = False
    """Nothing outside ``values`` is accepted; otherwise ``values`` only feeds "did you mean"."""
    pattern: str = ""
    shortest: int | None = None
    longest: int | None = None
    lowest: float | None = None
    highest: float | None = None
    same: Sameness = "exact"


@dataclass(frozen=True, kw_only=True)
class Object:
    """Named fields, each with its own shape."""

    fields: Mapping[str, "Field"]
    more: "Field | None" = None
    """The shape of fields that are not named (None: an unknown field is an error)."""


@dataclass(frozen=True, kw_only=True)
class Variant:
    """An object whose further fields depend on the value of one of them."""

    by: str
    common: Mapping[str, "Field"]
    cases: Mapping[str, Mapping[str, "Field"]]


@dataclass(frozen=True, kw_only=True)
class Array:
    """A list: in order, or (with ``key``) a set whose items are known by these fields."""

    item: "Field"
    key: tuple[str, ...] = ()
    """For lists of scalars that are sets: ``("",)``."""
    shared: bool = False
    """Items that the spec does not name belong to others: not compared, and kept when writing."""


@dataclass(frozen=True, kw_only=True)
class Map:
    """Names chosen by the author, all with values of one shape. Names of others are left alone."""

    value: "Field"
    caseless: bool = False
    """Names that differ in letter case only are the same."""
    zero: Json = ABSENT
    """A value that means the same as not being there (traffic: 0)."""
    shared: bool = True
    """Names that the spec does not mention belong to others: not compared, kept when writing."""
    refers: tuple[str, ...] = ()
    """Kinds whose name may stand as a name here; what is sent is the ARM id."""


@dataclass(frozen=True)
class Anything:
    """Any JSON; compared as far as the spec goes."""


type Shape = Scalar | Object | Variant | Array | Map | Anything


@dataclass(frozen=True, kw_only=True)
class Field:
    """A shape in its place."""

    shape: Shape
    required: bool = False
    """A document without it is refused."""
    immutable: bool = False
    """Azure cannot change it in place: a difference plans a replace."""
    write_only: bool = False
    """Azure never returns it: compared with what was last sent."""
    secret: bool = False
    """Only ``{secret: …}`` may stand here. Implies ``write_only``."""
    computed: bool = False
    """Azure may fill it in or change it by itself: managed only where a spec mentions it, and sent
    back as it is otherwise, also when a spec mentions it no longer."""
    derived: bool = False
    """Azure knows it from where the resource lives (a scope): compared, never sent."""
    default: Json = ABSENT
    """What Azure puts when nothing is sent; the same as absent, and what a removed field goes
    back to."""
    refers: tuple[str, ...] = ()
    """Kinds whose name may stand here; what is sent is the ARM id."""
    names: tuple[str, ...] = ()
    """Kinds whose name stands here and is sent as it is. One that is declared below the same
    parent is needed first; any other name is the service's own (``Microsoft.DefaultV2``)."""
    doc: str = ""


def text(
    *values: str,
    closed: bool = False,
    pattern: str = "",
    shortest: int | None = None,
    longest: int | None = None,
    same: Sameness | None = None,
) -> Field:
    """A string; with ``values`` an enum, whose letter case Azure is free to change."""
    how: Sameness = same or ("caseless" if values else "exact")
    shape = Scalar(
        values=values, closed=closed, pattern=pattern, shortest=shortest, longest=longest, same=how
    )
    return Field(shape=shape)


def integer(lowest: float | None = None, highest: float | None = None) -> Field:
    return Field(shape=Scalar(type="integer", lowest=lowest, highest=highest, same="number"))


def number(lowest: float | None = None, highest: float | None = None) -> Field:
    return Field(shape=Scalar(type="number", lowest=lowest, highest=highest, same="number"))


def boolean() -> Field:
    return Field(shape=Scalar(type="boolean"))


def location() -> Field:
    """A region: ``East US 2`` and ``eastus2`` are the same."""
    return Field(shape=Scalar(same="location"), immutable=True)


def duration() -> Field:
    """An ISO 8601 duration: ``PT60S`` and ``PT1M`` are the same."""
    return Field(
        shape=Scalar(
            same="duration", pattern=r"^P(?=.)(\d+D)?(T(?=.)(\d+H)?(\d+M)?(\d+(\.\d+)?S)?)?$"
        )
    )


def arm_id(*kinds: str) -> Field:
    """A full ARM id, or the name of a resource of one of ``kinds``."""
    return Field(shape=Scalar(same="arm_id"), refers=kinds)


def name_of(*kinds: str) -> Field:
    """The bare name of a resource of one of ``kinds`` below the same parent."""
    return Field(shape=Scalar(same="caseless"), names=kinds)


def obj(more: Field | None = None, /, **fields: Field) -> Field:
    return Field(shape=Object(fields=fields, more=more))


def variant(by: str, cases: Mapping[str, Mapping[str, Field]], **common: Field) -> Field:
    return Field(shape=Variant(by=by, common=common, cases=cases))


def array(item: Field, key: tuple[str, ...] = (), *, shared: bool = False) -> Field:
    return Field(shape=Array(item=item, key=key, shared=shared))


def mapping(
    value: Field,
    *,
    caseless: bool = False,
    zero: Json = ABSENT,
    shared: bool = True,
    refers: tuple[str, ...] = (),
) -> Field:
    shape = Map(value=value, caseless=caseless, zero=zero, shared=shared, refers=refers)
    return Field(shape=shape)


def anything() -> Field:
    return Field(shape=Anything())


def tags() -> Field:
    """Tag names are case-insensitive; tags of others are left alone."""
    return mapping(text(longest=256), caseless=True)


def required(one: Field) -> Field:
    return replace(one, required=True)


def immutable(one: Field) -> Field:
    return replace(one, immutable=True)


def write_only(one: Field) -> Field:
    return replace(one, write_only=True)


def secret() -> Field:
    """A string that only ``{secret: …}`` may give."""
    return Field(shape=Scalar(), secret=True, write_only=True)


def computed(one: Field) -> Field:
    return replace(one, computed=True)


def derived(one: Field) -> Field:
    return replace(one, derived=True)


def default(value: Json, one: Field) -> Field:
    return replace(one, default=value)


def described(doc: str, one: Field) -> Field:
    return replace(one, doc=doc)


ANY: Field = anything()


def field_of(shape: Shape, name: str | int, beside: Json = NOTHING) -> Field | None:
    """The field called ``name`` inside a shape; None when the shape knows no such name.

    ``beside`` is the object it stands in: a variant needs it to know which case applies.
    """
    if isinstance(shape, Object):
        return shape.fields.get(str(name), shape.more)
    if isinstance(shape, Variant):
        found = shape.common.get(str(name))
        return found or case_of(shape, beside).get(str(name))
    if isinstance(shape, Array):
        return shape.item
    if isinstance(shape, Map):
        return shape.value
    return ANY if isinstance(shape, Anything) else None


def case_of(shape: Variant, beside: Json) -> Mapping[str, Field]:
    """The further fields of the case that ``beside`` chooses; none when it chooses no known one."""
    chosen = beside.get(shape.by) if isinstance(beside, Mapping) else None
    if not isinstance(chosen, str):
        return NOTHING
    exact = shape.cases.get(chosen)
    if exact is not None:
        return exact
    return next((f for name, f in shape.cases.items() if name.lower() == chosen.lower()), NOTHING)


@dataclass(frozen=True, kw_only=True)
class Names:
    """What Azure accepts as a name of a kind."""

    pattern: str = ""
    shortest: int = 1
    longest: int = 260
    hint: str = field(default="")
    """The rule in words, for the error."""
