"""The whole resource as it should be: what the spec declares, laid over what others set.

A PUT replaces a resource, so what the spec does not mention has to be sent back as it is. Only
fields that the kind knows are carried over; a field that was declared and is no longer goes back
to its default.
"""

from collections.abc import Mapping
from typing import Any

from reconciler.core.diff import item_key, lookup
from reconciler.core.model import ABSENT, NOTHING, Json, Properties
from reconciler.core.same import blank
from reconciler.core.schema import ANY, Array, Field, Map, Scalar, Shape, field_of


def merge(
    shape: Shape, want: Properties, have: Properties, applied: Properties = NOTHING
) -> dict[str, Any]:
    """``want`` over ``have``. Secret and Ref leaves of ``want`` are kept as they are."""
    loose = isinstance(shape, Map) and shape.caseless
    result: dict[str, Any] = {}
    for name, before in have.items():
        if lookup(want, name, caseless=loose) is not ABSENT:
            continue
        one = field_of(shape, name, {**have, **want})
        kept = ABSENT if one is None else _kept(shape, one, name, before, applied)
        if kept is not ABSENT:
            result[name] = kept
    for name, after in want.items():
        if after is None:
            continue
        one = field_of(shape, name, want) or ANY
        before = lookup(have, name, caseless=loose)
        result[name] = _over(one, after, before, lookup(applied, name, caseless=loose))
    return result


def _kept(shape: Shape, one: Field, name: str, before: Json, applied: Json) -> Json:
    """What to send for a field the spec does not mention: what is there, or its default."""
    last = lookup(applied, name, caseless=isinstance(shape, Map) and shape.caseless)
    if isinstance(shape, Map) and not shape.shared:
        return ABSENT
    if before is None or one.write_only:
        return ABSENT
    if last is ABSENT or one.immutable or one.computed:
        return before
    if isinstance(last, Mapping) and isinstance(before, Mapping):
        rest = merge(one.shape, NOTHING, before, last)
        return rest if rest else ABSENT
    if isinstance(one.shape, Array) and one.shape.shared:
        return _over(one, [], before, last)
    return one.default


def _over(one: Field, after: Json, before: Json, applied: Json) -> Json:
    if isinstance(after, Mapping) and not isinstance(one.shape, Scalar | Array):
        there = before if isinstance(before, Mapping) else NOTHING
        return merge(one.shape, after, there, applied if isinstance(applied, Mapping) else NOTHING)
    if isinstance(after, list | tuple) and isinstance(one.shape, Array) and one.shape.key:
        return _items(one.shape, after, before, applied)
    return after


def _items(shape: Array, after: Json, before: Json, applied: Json) -> list[Any]:
    """A keyed list: each of our items over its live twin, then the items of others."""
    there = {} if blank(before) else {item_key(shape, item): item for item in before}
    ours = {item_key(shape, item) for item in after}
    last = set() if blank(applied) else {item_key(shape, item) for item in applied}
    result = [_over(shape.item, item, there.get(item_key(shape, item)), ABSENT) for item in after]
    if shape.shared:
        result += [item for key, item in there.items() if key not in ours and key not in last]
    return result
