"""JSON Schemas of the documents, for editors that complete and check while one types.

They accept what the parser accepts in one document by itself; what concerns several documents
(names, references, twins) only the parser knows. https://json-schema.org/draft/2020-12
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from functools import singledispatch
from typing import Any, Final

from reconciler.core.desired.document import API_VERSION, DOCUMENT
from reconciler.core.desired.environment import ENVIRONMENT
from reconciler.core.desired.meaning import SECRET_FORMS
from reconciler.core.kinds import KINDS, Kind
from reconciler.core.model import ABSENT
from reconciler.core.schema import (
    Anything,
    Array,
    Field,
    Map,
    Names,
    Object,
    Scalar,
    Shape,
    Variant,
)

type Schema = dict[str, Any]

DIALECT: Final = "https://json-schema.org/draft/2020-12/schema"
_VALUE: Final[Schema] = {"$ref": "#/$defs/value"}
_REF: Final[Schema] = {"$ref": "#/$defs/ref"}
_SECRET: Final[Schema] = {"$ref": "#/$defs/secret"}


def json_schema(kind: Kind) -> Schema:
    """The schema of documents of one kind."""
    return {
        "$schema": DIALECT,
        "title": kind.title,
        "description": kind.doc,
        **_document(kind),
        "$defs": _shared(),
    }


def json_schema_all(kinds: Mapping[str, Kind] = KINDS) -> Schema:
    """One schema for every document, Environment included: its kind decides."""
    documents = {name: _document(kind) for name, kind in kinds.items()}
    documents["Environment"] = _environment()
    return {
        "$schema": DIALECT,
        "title": "Specs of an Azure AI estate",
        "type": "object",
        "required": ["apiVersion", "kind", "metadata", "spec"],
        "properties": {
            "apiVersion": {"const": API_VERSION},
            "kind": {
                "enum": sorted(documents),
                "description": "What it is; `reconciler kinds` shows the ARM type of each.",
            },
        },
        "allOf": [
            {
                "if": {"properties": {"kind": {"const": name}}, "required": ["kind"]},
                "then": {"$ref": f"#/$defs/{name}"},
            }
            for name in documents
        ],
        "$defs": {**_shared(), **documents},
    }


def _document(kind: Kind) -> Schema:
    envelope = {
        name: _field(field, resources=False)
        for name, field in DOCUMENT.items()
        if name != "verify" or kind.probe is not None
    }
    envelope["apiVersion"] = {"const": API_VERSION}
    envelope["kind"] = {"const": kind.name, "description": kind.doc}
    envelope["metadata"]["properties"]["name"] = _name(kind.names)
    envelope["spec"] = _spec(kind)
    return _closed(envelope, ("apiVersion", "kind", "metadata", "spec"))


def _environment() -> Schema:
    spec = _field(Field(shape=Object(fields=ENVIRONMENT)), resources=False, values=False)
    metadata = _closed({"name": {"type": "string"}}, ("name",))
    properties = {
        "apiVersion": {"const": API_VERSION},
        "kind": {"const": "Environment"},
        "metadata": metadata,
        "spec": spec,
    }
    return _closed(properties, tuple(properties))


def _spec(kind: Kind) -> Schema:
    beside = {place.field: _place(place.parent) for place in kind.places if place.field}
    beside |= {part.field: _field(part.shape) for part in kind.parts}
    fields = {name: field for name, field in kind.fields.items() if name not in beside}
    if "location" in fields:
        # What names no region goes to its parent's or the environment's.
        fields["location"] = replace(fields["location"], required=False)
    shape: Shape = Object(fields=fields)
    if kind.by:
        shape = Variant(by=kind.by, common=fields, cases=kind.cases)
    schema = _shape(shape, _of_field(False), beside)
    return {**schema, **_parents(kind)}


def _parents(kind: Kind) -> Schema:
    """Which of the fields that name a parent must be there."""
    fields = [place.field for place in kind.places]
    optional = kind.verbatim or any(
        not place.field or place.parent == "ResourceGroup" for place in kind.places
    )
    if optional and len(fields) == 1:
        return {}
    choices: list[Schema] = [{"required": [field]} for field in fields if field]
    if optional:
        choices.append({"not": {"anyOf": list(choices)}})
    return {"oneOf": choices}


def _place(parent: str) -> Schema:
    words = f"Name of its {parent}, or an ARM id." if parent else "Kind/name, or an ARM id."
    return {"type": "string", "description": words}


def _name(names: Names) -> Schema:
    rule: Schema = {"type": "string", "minLength": names.shortest, "maxLength": names.longest}
    if names.pattern:
        rule["pattern"] = names.pattern
    return {"anyOf": [rule, _VALUE], "description": f"Its name in Azure. {names.hint}".strip()}


def _closed(properties: Mapping[str, Schema], required: Iterable[str]) -> Schema:
    schema: Schema = {
        "type": "object",
        "properties": dict(properties),
        "additionalProperties": False,
    }
    needed = list(required)
    return {**schema, "required": needed} if needed else schema


type _Below = Callable[[Field], Schema]


def _of_field(hidden: bool, *, resources: bool = True, values: bool = True) -> _Below:
    """How the fields inside a shape are described."""
    return lambda field: _field(field, hidden, resources=resources, values=values)


def _field(
    field: Field, hidden: bool = False, *, resources: bool = True, values: bool = True
) -> Schema:
    """``resources``: it may refer to other resources; ``values``: it may hold ``${name}``."""
    hidden = hidden or field.secret or field.write_only
    below = _of_field(hidden, resources=resources, values=values)
    choices = [] if field.secret else [_shape(field.shape, below)]
    if resources and hidden:
        choices.append(_SECRET)
    if resources and isinstance(field.shape, Scalar):
        choices.append(_REF)
    if values and isinstance(field.shape, Scalar) and not field.secret:
        choices.append(_VALUE)
    schema: Schema = dict(choices[0]) if len(choices) == 1 else {"anyOf": choices}
    if isinstance(field.shape, Anything):
        schema = {}
    if field.doc:
        schema["description"] = field.doc
    if field.default is not ABSENT:
        schema["default"] = field.default
    return schema


@singledispatch
def _shape(shape: Any, below: _Below, beside: Mapping[str, Schema] | None = None) -> Schema:
    """The schema of a shape; ``beside`` are further properties of an object."""
    assert isinstance(shape, Anything)
    return {}


@_shape.register
def _(shape: Scalar, below: _Below, beside: Mapping[str, Schema] | None = None) -> Schema:
    schema: Schema = {"type": shape.type}
    limits = {
        "pattern": shape.pattern or None,
        "minLength": shape.shortest,
        "maxLength": shape.longest,
        "minimum": shape.lowest,
        "maximum": shape.highest,
    }
    schema |= {name: limit for name, limit in limits.items() if limit is not None}
    if not shape.values:
        return schema
    known: Schema = {"enum": list(shape.values)}
    if not shape.closed:
        return {"anyOf": [known, schema]}
    if shape.same == "exact":
        return known
    return {"anyOf": [known, {"type": "string", "pattern": _any_case(shape.values)}]}


def _any_case(values: Iterable[str]) -> str:
    """A pattern for these words in whatever letter case."""
    return f"^({'|'.join(''.join(_letter(one) for one in value) for value in values)})$"


def _letter(one: str) -> str:
    if one.isalpha():
        return f"[{one.upper()}{one.lower()}]"
    return one if one.isdigit() or one in " ,_" else f"\\{one}"


@_shape.register
def _(shape: Object, below: _Below, beside: Mapping[str, Schema] | None = None) -> Schema:
    schema = _of_fields(shape.fields, below, beside)
    if shape.more is not None:
        schema["additionalProperties"] = below(shape.more)
    return schema


def _of_fields(
    fields: Mapping[str, Field], below: _Below, beside: Mapping[str, Schema] | None
) -> Schema:
    properties = {name: below(field) for name, field in fields.items()}
    required = (name for name, field in fields.items() if field.required)
    return _closed({**(beside or {}), **properties}, required)


@_shape.register
def _(shape: Variant, below: _Below, beside: Mapping[str, Schema] | None = None) -> Schema:
    """One strict object for each case; a case that is not known here may hold anything."""
    choice = shape.common.get(shape.by)
    loose = _of_fields(shape.common, below, beside)
    strict = [
        {
            "if": {"properties": {shape.by: {"const": name}}, "required": [shape.by]},
            "then": _of_fields({**shape.common, **case}, below, beside),
        }
        for name, case in shape.cases.items()
    ]
    strict.append({"if": {"not": {"required": [shape.by]}}, "then": dict(loose)})
    schema: Schema = {"type": "object", "properties": loose["properties"], "allOf": strict}
    return {**schema, "required": [shape.by]} if choice and choice.required else schema


@_shape.register
def _(shape: Map, below: _Below, beside: Mapping[str, Schema] | None = None) -> Schema:
    return {"type": "object", "additionalProperties": below(shape.value)}


@_shape.register
def _(shape: Array, below: _Below, beside: Mapping[str, Schema] | None = None) -> Schema:
    return {"type": "array", "items": below(shape.item)}


def _shared() -> dict[str, Schema]:
    """What may stand in place of a value."""
    forms = [
        _field(Field(shape=Object(fields=fields)), resources=False)
        for fields in SECRET_FORMS.values()
    ]
    text: Schema = {"type": "string"}
    return {
        "value": {**text, "pattern": r"\$\{[^{}]+\}", "description": "${name}: a value."},
        "ref": {
            **_closed({"ref": text, "path": text}, ("ref", "path")),
            "description": "A value of another resource: {ref: Kind/name, path: its output}.",
        },
        "secret": {
            **_closed({"secret": {"anyOf": forms}}, ("secret",)),
            "description": "A secret by name: {secret: {keyVault: my-vault, name: my-secret}}.",
        },
    }
