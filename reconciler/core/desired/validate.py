"""A written value against the shape of its field: every misfit is told, names become ids.

One walk does both, and gives back the very objects it was given wherever nothing had to change.
"""

from collections.abc import Callable, Iterable, Mapping
from typing import Any, Final, Protocol

from reconciler.core.desired.nearest import did_you_mean, mistyped, nearest
from reconciler.core.desired.problems import Origin, Problems
from reconciler.core.desired.written import (
    TYPES,
    is_ref,
    is_secret,
    matches,
    named_type,
)
from reconciler.core.model import Json, Path, Ref, Secret, dotted
from reconciler.core.schema import (
    Anything,
    Array,
    Field,
    Map,
    Object,
    Scalar,
    Shape,
    Variant,
    case_of,
)


class Names(Protocol):
    """Turns names of resources into what is sent; tells problems itself."""

    def reference(self, text: str, field: Field, path: Path) -> Json: ...

    def sibling(self, text: str, field: Field, path: Path) -> str: ...

    def name(self, text: str, kinds: tuple[str, ...], path: Path) -> str: ...

    def secret(self, written: Mapping[str, Json], path: Path) -> Secret: ...

    def ref(self, written: Mapping[str, Json], path: Path) -> Ref | str: ...


class Validator:
    """Checks the values of one document. ``names`` None: nothing in it refers to resources."""

    def __init__(self, problems: Problems, origin: Origin, names: Names | None = None) -> None:
        self._problems = problems
        self._origin = origin
        self._names = names

    def value(self, value: Json, field: Field, path: Path, hidden: bool = False) -> Json:
        """The value with names resolved; misfits are told.

        ``hidden``: inside a field that Azure never returns, where secrets may be.
        """
        hidden = hidden or field.secret or field.write_only
        if type(value) is dict and self._names is not None:
            if is_secret(value, hidden):
                return self._secret(value, path, hidden)
            if is_ref(value, field.shape):
                return self._names.ref(value, path)
        if field.secret:
            return self._plain_secret(value, path)
        if value is None and not isinstance(field.shape, Anything):
            self._add(path, "is empty: give it a value or remove the line")
            return value
        return _CHECKS[type(field.shape)](self, value, field, path, hidden)

    def fields(
        self,
        value: dict[str, Json],
        fields: Mapping[str, Field],
        path: Path,
        also: Iterable[str] = (),
    ) -> dict[str, Json]:
        """A mapping with named fields; unknown ones are told, ``also`` may have been meant."""
        return self._named(value, fields, None, path, False, also)

    def shaped(
        self, value: dict[str, Json], shape: Object | Variant, path: Path, also: Iterable[str]
    ) -> dict[str, Json]:
        """As ``fields``, for a shape that may depend on the value of a field."""
        if isinstance(shape, Variant):
            return self._cases(value, shape, path, also=also)
        return self._named(value, shape.fields, shape.more, path, False, also)

    def _add(self, path: Path, message: str) -> None:
        self._problems.add(self._origin, path, f"{dotted(path)} {message}")

    def _secret(self, value: Mapping[str, Json], path: Path, hidden: bool) -> Json:
        assert self._names is not None
        if not hidden:
            self._add(path, "is no secret to Azure, which would show it: a secret cannot be here")
            return value
        return self._names.secret(value["secret"], path)

    def _plain_secret(self, value: Json, path: Path) -> Json:
        # What was written may be the secret itself, so that it is never repeated.
        self._add(
            path,
            "holds a secret, which must not be written here: "
            "name it, as {secret: {keyVault: my-vault, name: my-secret}}",
        )
        return value

    def _scalar(self, value: Json, field: Field, path: Path, hidden: bool) -> Json:
        shape = field.shape
        assert isinstance(shape, Scalar)
        kind = type(value)
        if kind is str and shape.type == "string":
            if not (shape.values and value in shape.values):
                self._text(value, shape, path)
            if self._names is not None and (field.refers or shape.same == "arm_id"):
                return self._names.reference(value, field, path)
            if self._names is not None and field.names:
                return self._names.sibling(value, field, path)
            return value
        if kind not in _ACCEPTED[shape.type]:
            self._wrong_type(value, shape.type, path)
        elif kind is not bool:
            self._bounds(value, shape, path)
        return value

    def _wrong_type(self, value: Json, wanted: str, path: Path) -> None:
        written = named_type(value)
        hint = ""
        if wanted == "string" and isinstance(value, int | float):
            hint = ": put it in quotes"
        self._add(path, f"must be {TYPES[wanted]}, not {written}{hint}")

    def _text(self, value: str, shape: Scalar, path: Path) -> None:
        if shape.values:
            self._enum(value, shape, path)
        if shape.pattern and not matches(shape.pattern, value):
            self._add(path, f"does not have the form {shape.pattern}")
        size = len(value)
        if shape.shortest is not None and size < shape.shortest:
            self._add(path, f"must have at least {shape.shortest} characters, not {size}")
        if shape.longest is not None and size > shape.longest:
            self._add(path, f"must have at most {shape.longest} characters, not {size}")

    def _enum(self, value: str, shape: Scalar, path: Path) -> None:
        caseless = shape.same != "exact"
        if caseless and value.lower() in (one.lower() for one in shape.values):
            return
        if shape.closed:
            known = ", ".join(shape.values)
            hint = did_you_mean(value, shape.values) or f": it is one of {known}"
            self._add(path, f'cannot be "{value[:60]}"{hint}')
        elif meant := mistyped(value, shape.values):
            self._add(path, f'is "{value}", did you mean "{meant}"?')

    def _bounds(self, value: float, shape: Scalar, path: Path) -> None:
        if shape.lowest is not None and value < shape.lowest:
            self._add(path, f"must be at least {shape.lowest:g}, not {value}")
        if shape.highest is not None and value > shape.highest:
            self._add(path, f"must be at most {shape.highest:g}, not {value}")

    def _object(self, value: Json, field: Field, path: Path, hidden: bool) -> Json:
        shape = field.shape
        assert isinstance(shape, Object)
        if type(value) is not dict:
            self._add(path, f"must be a mapping, not {named_type(value)}")
            return value
        return self._named(value, shape.fields, shape.more, path, hidden)

    def _variant(self, value: Json, field: Field, path: Path, hidden: bool) -> Json:
        shape = field.shape
        assert isinstance(shape, Variant)
        if type(value) is not dict:
            self._add(path, f"must be a mapping, not {named_type(value)}")
            return value
        return self._cases(value, shape, path, hidden)

    def _cases(
        self,
        value: dict[str, Json],
        shape: Variant,
        path: Path,
        hidden: bool = False,
        also: Iterable[str] = (),
    ) -> dict[str, Json]:
        case = case_of(shape, value)
        known = bool(case) or not isinstance(value.get(shape.by), str)
        # A case that nobody here has heard of may have any fields: Azure adds cases over time.
        more = None if known or _has_case(shape, value[shape.by]) else _ANY
        return self._named(value, {**shape.common, **case}, more, path, hidden, also)

    def _named(
        self,
        value: dict[str, Json],
        fields: Mapping[str, Field],
        more: Field | None,
        path: Path,
        hidden: bool,
        also: Iterable[str] = (),
    ) -> dict[str, Json]:
        changed: dict[str, Json] | None = None
        for name, item in value.items():
            field = fields.get(name, more)
            if field is None:
                self._unknown(name, (*fields, *also), path)
                continue
            new = self.value(item, field, (*path, name), hidden)
            if new is not item:
                changed = dict(value) if changed is None else changed
                changed[name] = new
        for name in needed(fields):
            if name not in value:
                self._problems.lacks(self._origin, path, f"{dotted((*path, name))} is missing")
        return value if changed is None else changed

    def _unknown(self, name: str, fields: Iterable[str], path: Path) -> None:
        meant = nearest(name, fields)
        hint = f", did you mean {dotted((*path, meant))}?" if meant else ""
        message = f"{dotted((*path, name[:80]))} is not a known field{hint}"
        self._problems.add(self._origin, (*path, name), message, "key")

    def _map(self, value: Json, field: Field, path: Path, hidden: bool) -> Json:
        shape = field.shape
        assert isinstance(shape, Map)
        if type(value) is not dict:
            self._add(path, f"must be a mapping, not {named_type(value)}")
            return value
        if shape.refers and self._names is not None:
            named = {self._names.name(name, shape.refers, (*path, name)): name for name in value}
            value = (
                value if named.keys() == value.keys() else {k: value[v] for k, v in named.items()}
            )
        if shape.caseless:
            self._clashes(value, path)
        return self._each(value, value.items(), shape.value, path, hidden)

    def _clashes(self, value: Mapping[str, Json], path: Path) -> None:
        seen: dict[str, str] = {}
        for name in value:
            other = seen.setdefault(name.lower(), name)
            if other is not name:
                message = f"{dotted((*path, name))} differs from {other} in letter case only"
                self._problems.add(self._origin, (*path, name), message, "key")

    def _array(self, value: Json, field: Field, path: Path, hidden: bool) -> Json:
        shape = field.shape
        assert isinstance(shape, Array)
        if type(value) is not list:
            self._add(path, f"must be a list, not {named_type(value)}")
            return value
        if shape.key:
            self._twice(value, shape.key, path)
        return self._each(value, enumerate(value), shape.item, path, hidden)

    def _twice(self, items: list[Json], key: tuple[str, ...], path: Path) -> None:
        seen: dict[tuple[str, ...], int] = {}
        for place, item in enumerate(items):
            if key != ("",) and not isinstance(item, dict):
                continue
            values = [item if part == "" else item.get(part) for part in key]
            identity = tuple(f"{type(one).__name__} {one}".lower() for one in values)
            first = seen.setdefault(identity, place)
            if first != place:
                self._add((*path, place), f"is the same as {dotted((*path, first))}")

    def _each(
        self, value: Any, items: Iterable[tuple[Any, Json]], field: Field, path: Path, hidden: bool
    ) -> Json:
        changed: Any = None
        for place, item in items:
            new = self.value(item, field, (*path, place), hidden)
            if new is not item:
                changed = value.copy() if changed is None else changed
                changed[place] = new
        return value if changed is None else changed

    def _anything(self, value: Json, field: Field, path: Path, hidden: bool) -> Json:
        if type(value) is dict:
            return self._each(value, value.items(), field, path, hidden)
        if type(value) is list:
            return self._each(value, enumerate(value), field, path, hidden)
        return value


_ACCEPTED: Final[Mapping[str, tuple[type, ...]]] = {
    "string": (),  # a string is dealt with before
    "integer": (int,),
    "number": (int, float),
    "boolean": (bool,),
}
type _Check = Callable[[Validator, Json, Field, Path, bool], Json]
_CHECKS: Final[Mapping[type[Shape], _Check]] = {
    Scalar: Validator._scalar,
    Object: Validator._object,
    Variant: Validator._variant,
    Map: Validator._map,
    Array: Validator._array,
    Anything: Validator._anything,
}
_ANY: Final = Field(shape=Anything())


def needed(fields: Mapping[str, Field]) -> tuple[str, ...]:
    """The required ones."""
    return tuple(name for name, field in fields.items() if field.required)


def _has_case(shape: Variant, chosen: str) -> bool:
    return chosen.lower() in (name.lower() for name in shape.cases)
