"""The whole resource as it should be: what the spec declares, laid over what others set.

A PUT replaces a resource, so what the spec does not mention has to be sent back as it is. Only
fields that the kind knows are carried over; a field that was declared and is no longer goes back
to its default.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from reconciler.core.diff import item_key, label, lookup
from reconciler.core.model import ABSENT, NOTHING, Json, Path, Properties
from reconciler.core.same import blank
from reconciler.core.schema import ANY, Array, Field, Map, Scalar, Shape, field_of


def merge(
    shape: Shape,
    want: Properties,
    have: Properties,
    applied: Properties = NOTHING,
    ignore: Sequence[Path] = (),
) -> dict[str, Any]:
    """``want`` over ``have``. Secret and Ref leaves of ``want`` are kept as they are.

    ``ignore``: paths left to others. What is there stays; only a resource that does not exist yet
    gets the spec's value.
    """
    return _Merge(frozenset(ignore) if have else frozenset()).objects(
        shape, want, have, applied, ()
    )


@dataclass(frozen=True, slots=True)
class _Merge:
    ignore: frozenset[Path]

    def objects(
        self, shape: Shape, want: Properties, have: Properties, applied: Json, path: Path
    ) -> dict[str, Any]:
        loose = isinstance(shape, Map) and shape.caseless
        beside = {**have, **want}
        result: dict[str, Any] = {}
        for name, before in have.items():
            if lookup(want, name, caseless=loose) is not ABSENT:
                continue
            one = field_of(shape, name, beside)
            last = lookup(applied, name, caseless=loose)
            kept = ABSENT if one is None else self.kept(shape, one, before, last, (*path, name))
            if kept is not ABSENT:
                result[name] = kept
        for name, after in want.items():
            one = field_of(shape, name, want) or ANY
            before = lookup(have, name, caseless=loose)
            last = lookup(applied, name, caseless=loose)
            sent = self.over(one, after, before, last, (*path, name))
            if sent is not ABSENT:
                result[name] = sent
        return result

    def kept(self, shape: Shape, one: Field, before: Json, last: Json, path: Path) -> Json:
        """What to send for a field the spec does not mention: what is there, or its default."""
        if path in self.ignore:
            return before
        if isinstance(shape, Map) and not shape.shared:
            return ABSENT
        if before is None or one.write_only:
            return ABSENT
        if last is ABSENT or one.immutable or one.computed:
            return before
        if isinstance(last, Mapping) and isinstance(before, Mapping):
            return self.objects(one.shape, NOTHING, before, last, path) or ABSENT
        if isinstance(one.shape, Array) and one.shape.shared:
            return self.over(one, [], before, last, path)
        return one.default

    def over(self, one: Field, after: Json, before: Json, last: Json, path: Path) -> Json:
        """What to send for a field the spec mentions; ABSENT for nothing."""
        if path in self.ignore:
            return before
        if after is None:
            return ABSENT if blank(before) else one.default
        if isinstance(after, Mapping) and not isinstance(one.shape, Scalar | Array):
            there = before if isinstance(before, Mapping) else NOTHING
            return self.objects(one.shape, after, there, last, path)
        if isinstance(after, list | tuple):
            return self.items(one.shape, after, before, last, path)
        return after

    def items(
        self, shape: Shape, after: Sequence[Any], before: Json, last: Json, path: Path
    ) -> list[Any]:
        """A list: each of our items over its live twin, then the items of others."""
        there, earlier = _listed(before), _listed(last)
        if not (isinstance(shape, Array) and shape.key):
            return self.in_order(shape, after, there, earlier, path)
        twins = {item_key(shape, item): item for item in there}
        old = {item_key(shape, item): item for item in earlier}
        result = []
        for item in after:
            key = item_key(shape, item)
            twin, was = twins.get(key, ABSENT), old.get(key, ABSENT)
            result.append(self.item(shape.item, item, twin, was, (*path, label(key))))
        if shape.shared:
            ours = {item_key(shape, item) for item in after} | old.keys()
            result += [item for key, item in twins.items() if key not in ours]
        return result

    def in_order(
        self,
        shape: Shape,
        after: Sequence[Any],
        before: Sequence[Any],
        last: Sequence[Any],
        path: Path,
    ) -> list[Any]:
        """A list whose order counts is compared place by place while its length is the same."""
        if len(after) != len(before):
            return list(after)
        item = shape.item if isinstance(shape, Array) else ANY
        was = last if len(last) == len(after) else [ABSENT] * len(after)
        return [
            self.item(item, new, old, one, (*path, place))
            for place, (new, old, one) in enumerate(zip(after, before, was, strict=True))
        ]

    def item(self, one: Field, after: Json, before: Json, last: Json, path: Path) -> Json:
        """A place in a list holds something, even where a field would not be sent."""
        sent = self.over(one, after, before, last, path)
        return after if sent is ABSENT else sent


def _listed(value: Json) -> Sequence[Any]:
    return value if isinstance(value, list | tuple) else ()
