"""What a spec says against what Azure has: only declared fields, three ways.

``want`` is the spec, ``have`` is Azure, ``applied`` is what the spec said when it was last
applied: a field that is in ``applied`` and no longer in ``want`` goes back to Azure's default.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from reconciler.core.model import (
    ABSENT,
    MAPPINGS,
    NOTHING,
    UNKNOWN,
    FieldChange,
    Json,
    Path,
    Properties,
    Ref,
    Secret,
    dotted,
)
from reconciler.core.same import blank, same
from reconciler.core.schema import (
    ANY,
    Array,
    Field,
    Map,
    Scalar,
    Shape,
    field_of,
)

SCALAR_OR_ARRAY: Final = (Scalar, Array)


def unresolved(ref: Ref) -> Json:
    return UNKNOWN


@dataclass(frozen=True, slots=True)
class Context:
    """What a comparison needs beyond the two sides."""

    resolve: Callable[[Ref], Json] = unresolved
    """The value a ref stands for, or UNKNOWN."""
    sent: Mapping[str, str] | None = field(default_factory=dict)
    """Digest of each secret as last sent, by dotted path; None: do not compare what Azure never
    returns (after a write it is as sent)."""
    current: Callable[[Secret], str | None] = lambda secret: None
    """Digest of a secret's version today; None when it cannot be seen."""
    ignore: tuple[Path, ...] = ()
    """Paths left to others."""
    managed: bool = False
    """An earlier apply is on record: what Azure never returns and was not in it is new."""


def diff_fields(
    shape: Shape,
    want: Properties,
    have: Properties,
    applied: Properties = NOTHING,
    context: Context | None = None,
) -> tuple[FieldChange, ...]:
    """Every declared field that differs, and every field no longer declared that must go back."""
    return tuple(_object(shape, want, have, applied, (), context or Context(), False))


def lookup(have: Json, name: str, *, caseless: bool = False) -> Json:
    """A member of a mapping; ABSENT when there is none (or no mapping)."""
    if not isinstance(have, MAPPINGS):
        return ABSENT
    if name in have or not caseless:
        return have.get(name, ABSENT)
    return next((v for key, v in have.items() if key.lower() == name.lower()), ABSENT)


def _object(
    shape: Shape,
    want: Properties,
    have: Json,
    applied: Json,
    path: Path,
    context: Context,
    fixed: bool,
) -> Iterator[FieldChange]:
    loose = isinstance(shape, Map) and shape.caseless
    for name, after in want.items():
        here = (*path, name)
        if here in context.ignore:
            continue
        one = field_of(shape, name, want) or ANY
        before = lookup(have, name, caseless=loose)
        last = lookup(applied, name, caseless=loose)
        if isinstance(shape, Map) and shape.zero is not ABSENT:
            after, before = (shape.zero if blank(v) else v for v in (after, before))
        if isinstance(shape, Map) and before is ABSENT and isinstance(after, Mapping):
            # In a map the name itself says something: ``userAssignedIdentities: {<id>: {}}``.
            yield _change(here, before, after, fixed)
        else:
            yield from _field(one, after, before, last, here, context, fixed)
    # Names that Azure never returns are known from the last apply alone.
    if isinstance(shape, Map) and not shape.shared and not shape.value.write_only:
        yield from _undeclared(shape, want, have, path, context)
    elif isinstance(applied, MAPPINGS):
        yield from _removed(shape, want, have, applied, path, context, fixed)


def _field(
    one: Field,
    want: Json,
    have: Json,
    applied: Json,
    path: Path,
    context: Context,
    fixed: bool,
) -> Iterator[FieldChange]:
    fixed = fixed or one.immutable
    if isinstance(want, Ref):
        want = context.resolve(want)
    if isinstance(want, Secret) or (one.write_only and not isinstance(want, MAPPINGS)):
        yield from _hidden(want, applied, path, context)
    elif want is None:
        yield from _reset(one, have, path, fixed)
    elif blank(want) and blank(have):
        return
    elif not isinstance(one.shape, SCALAR_OR_ARRAY) and isinstance(want, MAPPINGS):
        if isinstance(have, MAPPINGS) or blank(have):
            yield from _object(one.shape, want, have, applied, path, context, fixed)
        else:
            yield _change(path, have, want, fixed)
    elif isinstance(want, list | tuple):
        yield from _array(one.shape, want, have, applied, path, context, fixed)
    elif not _same_scalar(one, want, have):
        yield _change(path, have, want, fixed)


def _same_scalar(one: Field, want: Json, have: Json) -> bool:
    if blank(have):
        if one.default is ABSENT:
            return False
        have = one.default
    if isinstance(one.shape, Scalar):
        return same(one.shape.same, want, have)
    loose = isinstance(want, str) and want.startswith("/subscriptions/")
    return same("arm_id" if loose else "exact", want, have)


def _hidden(want: Json, applied: Json, path: Path, context: Context) -> Iterator[FieldChange]:
    """What Azure never returns: a secret by the digest of its version, the rest as last applied."""
    if context.sent is None:
        return
    if not isinstance(want, Secret):
        known = context.managed or applied is not ABSENT
        if known and not (want == applied or (blank(want) and blank(applied))):
            yield FieldChange(path, applied, want)
        return
    sent, current = context.sent.get(dotted(path)), context.current(want)
    if sent is None or (current is not None and current != sent) or not _same_source(want, applied):
        yield FieldChange(path, ABSENT if applied is ABSENT else applied, want)


def _same_source(want: Secret, applied: Json) -> bool:
    return isinstance(applied, Secret) and applied == want


def _reset(one: Field, have: Json, path: Path, fixed: bool) -> Iterator[FieldChange]:
    """``null`` in a spec, or a field no longer in it: back to the default."""
    if blank(have) or (one.default is not ABSENT and _same_scalar(one, one.default, have)):
        return
    yield _change(path, have, one.default, fixed)


def _removed(
    shape: Shape,
    want: Properties,
    have: Json,
    applied: Properties,
    path: Path,
    context: Context,
    fixed: bool,
) -> Iterator[FieldChange]:
    """Fields that were declared and are no longer. What cannot be unset in place stays."""
    loose = isinstance(shape, Map) and shape.caseless
    for name, last in applied.items():
        here = (*path, name)
        if here in context.ignore or lookup(want, name, caseless=loose) is not ABSENT:
            continue
        one = field_of(shape, name, applied) or ANY
        before = lookup(have, name, caseless=loose)
        if one.immutable or fixed or one.computed:
            continue
        if one.write_only:
            if context.sent is not None and not blank(last):
                yield FieldChange(here, last, one.default)
        elif isinstance(last, MAPPINGS) and (isinstance(before, MAPPINGS) or blank(before)):
            yield from _removed(one.shape, NOTHING, before, last, here, context, fixed)
        elif isinstance(one.shape, Array) and one.shape.shared:
            yield from _array(one.shape, [], before, last, here, context, fixed)
        else:
            yield from _reset(one, before, here, fixed)


def _undeclared(
    shape: Map, want: Properties, have: Json, path: Path, context: Context
) -> Iterator[FieldChange]:
    """A map that is all ours: names that the spec does not mention are differences."""
    if not isinstance(have, Mapping):
        return
    for name, before in have.items():
        here = (*path, name)
        gone = lookup(want, name, caseless=shape.caseless) is ABSENT
        if gone and here not in context.ignore and not _zero(shape, before):
            yield FieldChange(here, before, ABSENT)


def _zero(shape: Map, value: Json) -> bool:
    return value is None or (shape.zero is not ABSENT and value == shape.zero)


def _array(
    shape: Shape,
    want: Sequence[Any],
    have: Json,
    applied: Json,
    path: Path,
    context: Context,
    fixed: bool,
) -> Iterator[FieldChange]:
    if not (isinstance(have, list | tuple) or blank(have)):
        yield _change(path, have, want, fixed)
        return
    there = [] if blank(have) else list(have)
    if isinstance(shape, Array) and shape.key:
        yield from _set(shape, want, there, applied, path, context, fixed)
        return
    item = shape.item if isinstance(shape, Array) else ANY
    if len(want) != len(there):
        yield _change(path, have, list(want), fixed)
        return
    last = _items(applied)
    was = last if len(last) == len(want) else [ABSENT] * len(want)
    for place, (after, before, old) in enumerate(zip(want, there, was, strict=True)):
        yield from _field(item, after, before, old, (*path, place), context, fixed)


def _set(
    shape: Array,
    want: Sequence[Any],
    have: Sequence[Any],
    applied: Json,
    path: Path,
    context: Context,
    fixed: bool,
) -> Iterator[FieldChange]:
    """A list whose order means nothing: items are matched by their key."""
    there = {item_key(shape, item, context.resolve): item for item in have}
    here = {item_key(shape, item, context.resolve): item for item in want}
    last = {item_key(shape, item, context.resolve): item for item in _items(applied)}
    for key, after in here.items():
        before = there.get(key, ABSENT)
        place = (*path, label(key))
        if before is ABSENT:
            yield _change(place, ABSENT, after, fixed)
        else:
            yield from _field(
                shape.item, after, before, last.get(key, ABSENT), place, context, fixed
            )
    for key, before in there.items():
        ours = key in last if shape.shared else True
        if key not in here and ours:
            yield _change((*path, label(key)), before, ABSENT, fixed)


def _items(value: Json) -> Sequence[Any]:
    return value if isinstance(value, list | tuple) else ()


def item_key(
    shape: Array, item: Json, resolve: Callable[[Ref], Json] = unresolved
) -> tuple[str, ...]:
    """What tells one item of a keyed list from another, in lower case."""
    if shape.key == ("",) or not isinstance(item, Mapping):
        return (str(resolve(item) if isinstance(item, Ref) else item).lower(),)
    values = [item.get(name) for name in shape.key]
    return tuple(
        "" if v is None else str(resolve(v) if isinstance(v, Ref) else v).strip("/").lower()
        for v in values
    )


def label(key: tuple[str, ...]) -> str:
    """How a keyed item is called in a path: ids by their last segment."""
    ids = "subscriptions/"
    return "/".join(
        part.rpartition("/")[2] if part.startswith(ids) else part for part in key if part
    )


def _change(path: Path, before: Json, after: Json, fixed: bool) -> FieldChange:
    """A first value never replaces: Azure may still accept it, and refusing destroys nothing."""
    return FieldChange(path, before, after, replaces=fixed and not blank(before))
