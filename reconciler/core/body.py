"""The spec's shape of a resource and Azure's: ``properties`` flattened in, and back.

A spec says ``{sku, model, raiPolicyName}`` where ARM says ``{sku, properties: {model, …}}``. The
way back keeps only what the kind's fields know, so that what Azure adds costs nothing, and drops
what Azure should not have shown (secrets).
"""

from collections.abc import Iterator, Mapping
from typing import Any, Final

from reconciler.core.kinds.kind import Kind
from reconciler.core.model import ABSENT, MAPPINGS, Json, Observed, Properties
from reconciler.core.schema import (
    Array,
    Field,
    Map,
    Object,
    Scalar,
    Shape,
    Variant,
    case_of,
)

SERVER_OWNED: Final = frozenset({"id", "name", "type", "etag", "systemdata"})
"""Top-level members of an ARM body that the service alone writes, in lower case.
https://github.com/Azure/azure-resource-manager-rpc/blob/master/v1.0/resource-api-reference.md"""


def to_body(kind: Kind, properties: Properties) -> dict[str, Any]:
    """What is sent for a resource. Secret and Ref leaves are left where they are."""
    if kind.verbatim:
        return dict(properties.get(kind.verbatim) or {})
    body: dict[str, Any] = {n: v for n, v in properties.items() if n in kind.envelope}
    inner = {n: v for n, v in properties.items() if n not in kind.envelope and _sent(kind, n)}
    if inner or not kind.fields.keys() <= kind.envelope:
        body["properties"] = inner
    return {**body, **kind.fixed}


def _sent(kind: Kind, name: str) -> bool:
    field = kind.fields.get(name)
    return field is None or not field.derived


def observed(kind: Kind, body: Mapping[str, Any], api_version: str = "") -> Observed:
    """What Azure answered for a resource, in the spec's shape.

    Names are matched exactly, else in any letter case: Insights components take
    ``workspaceResourceId`` and answer ``WorkspaceResourceId``. A verbatim kind also says its
    ``type``, with the API version that it was read with.
    """
    arm_id = str(body.get("id") or "")
    return Observed(
        arm_id=arm_id,
        properties=kind.canonical(_known(kind, body, api_version)),
        kind=kind.name,
        state=_state(kind, body),
        outputs=dict(_outputs(kind, body, arm_id)),
    )


def kind_of(kinds: tuple[Kind, ...], body: Mapping[str, Any]) -> Kind | None:
    """Which of the kinds that share an ARM type a body is; None when it is none of them.

    A body that does not say (older workspaces carry no ``kind``) is the first.
    """
    for kind in kinds:
        said = [(str(member(body, n, "")), str(v)) for n, v in kind.fixed.items()]
        if all(have.lower() == want.lower() for have, want in said):
            return kind
        if kind is kinds[0] and not any(have for have, _ in said):
            return kind
    return None


def member(value: Json, name: str, default: Json = ABSENT) -> Json:
    """A member of a JSON object by its name, exactly or else in any letter case."""
    if not isinstance(value, MAPPINGS):
        return default
    if name in value:
        return value[name]
    wanted = name.lower()
    return next((found for key, found in value.items() if key.lower() == wanted), default)


def at(value: Json, path: str) -> Json:
    """The value at a dotted path of an ARM body; ABSENT when there is none."""
    for name in path.split("."):
        value = member(value, name)
    return value


def _known(kind: Kind, body: Mapping[str, Any], api_version: str) -> dict[str, Any]:
    if kind.verbatim:
        arm_type = member(body, "type", "")
        return {"type": f"{arm_type}@{api_version}", kind.verbatim: _without_server_owned(body)}
    top = {n: f for n, f in kind.fields.items() if n in kind.envelope}
    inner = {n: f for n, f in kind.fields.items() if n not in kind.envelope}
    found = dict(_members(top, None, body))
    rest = member(body, "properties", {})
    found.update(_members(inner, None, rest))
    if isinstance(kind.shape, Variant):
        found.update(_members(case_of(kind.shape, found), None, rest))
    return found


def _without_server_owned(body: Mapping[str, Any]) -> dict[str, Any]:
    kept = {n: v for n, v in body.items() if n.lower() not in SERVER_OWNED}
    inner = kept.get("properties")
    if isinstance(inner, Mapping):
        kept["properties"] = {n: v for n, v in inner.items() if n.lower() != "provisioningstate"}
    return kept


def _members(
    fields: Mapping[str, Field], more: Field | None, value: Json
) -> Iterator[tuple[str, Json]]:
    """The members that the fields know, in the fields' spelling; ``null`` is not there."""
    if not isinstance(value, MAPPINGS):
        return
    lowered = {key.lower(): key for key in value if key not in fields}
    taken: set[str] = set()
    for name, one in fields.items():
        key = name if name in value else lowered.get(name.lower()) if lowered else None
        if key is None:
            continue
        taken.add(key)
        if value[key] is not None and not (one.write_only or one.secret):
            yield name, _kept(one.shape, value[key])
    if more is not None and not (more.write_only or more.secret):
        for key, item in value.items():
            if key not in taken and item is not None:
                yield key, _kept(more.shape, item)


def _kept(shape: Shape, value: Json) -> Json:
    if isinstance(shape, Scalar):
        return value
    if isinstance(shape, Array) and isinstance(value, list):
        return [_kept(shape.item.shape, item) for item in value]
    if isinstance(value, MAPPINGS):
        if isinstance(shape, Object):
            return dict(_members(shape.fields, shape.more, value))
        if isinstance(shape, Variant):
            common = dict(_members(shape.common, None, value))
            return {**common, **dict(_members(case_of(shape, common), None, value))}
        if isinstance(shape, Map):
            return dict(_members({}, shape.value, value))
    return value


def _state(kind: Kind, body: Mapping[str, Any]) -> str:
    """``provisioningState``, unless the kind asks for more: what it asks for decides then.

    A value on its way ("Creating", "Reinstating", unknown or not yet there) keeps a resource in
    flight; any other wrong value ("Suspended", "CreationFailed") is a failure.
    """
    inner = member(body, "properties", {})
    state = str(member(inner, "provisioningState", None) or "Succeeded")
    if state != "Succeeded":
        return state
    for path, wanted in kind.healthy.items():
        have = str(at(inner, path)) if at(inner, path) not in (ABSENT, None) else "Unknown"
        if have.lower() != wanted.lower():
            return have if have.endswith("ing") or have == "Unknown" else "Failed"
    return state


def _outputs(kind: Kind, body: Mapping[str, Any], arm_id: str) -> Iterator[tuple[str, Json]]:
    """The declared outputs that are there, and always the id and the name."""
    yield "id", arm_id
    yield "name", arm_id.rpartition("/")[2]
    for path in kind.outputs:
        value = at(body, path)
        if value is not ABSENT and value is not None:
            yield path, value
