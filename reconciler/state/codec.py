"""The words of ``core.model`` as JSON text and back: what is read equals what was written.

Fields that hold their default are left out, so that a model which gains a field still reads what
was saved before. Inside specs and Azure's answers markers, secrets and refs take their written
form (``model.written``); a secret's value is never here.
"""

import json
from collections.abc import Callable, Hashable, Mapping
from dataclasses import MISSING, Field, fields, is_dataclass
from functools import cache
from types import UnionType
from typing import Any, Literal, TypeAliasType, Union, cast, get_args, get_origin, get_type_hints

from reconciler.core.model import Marker, Ref, Secret, read_written, written

type _Decode = Callable[[Any], Any]


def encode(value: object) -> str:
    """A value of the model as one line of JSON."""
    return json.dumps(value, default=_plain, separators=(",", ":"))


def decode[T](cls: type[T], text: str) -> T:
    """Undo :func:`encode`. Raises ValueError, KeyError or TypeError when it is something else."""
    # Most documents hold no marker, secret or ref: those are spared the walk that finds them.
    values = read_written if '"$' in text else _as_is
    return cast(T, _decoder(cast(Hashable, cls), values)(json.loads(text)))


def _as_is(value: Any) -> Any:
    return value


def _plain(value: Any) -> Any:
    if isinstance(value, Marker | Secret | Ref):
        return written(value)
    if isinstance(value, frozenset):
        return sorted(value)
    if is_dataclass(value):
        content = ((one, getattr(value, one.name)) for one in fields(value))
        return {one.name: item for one, item in content if not _is_default(one, item)}
    return written(value)


def _is_default(field: "Field[Any]", value: Any) -> bool:
    if field.default_factory is not MISSING:
        return bool(value == field.default_factory())
    return field.default is not MISSING and bool(value == field.default)


@cache
def _decoder(kind: Any, values: _Decode) -> _Decode:
    """How to read one type: dataclasses by their fields, ``Any`` through ``values``."""
    if isinstance(kind, TypeAliasType):
        return _decoder(kind.__value__, values)
    origin, args = get_origin(kind), get_args(kind)
    if origin is tuple:
        return _each(tuple, _decoder(args[0], values))
    if origin is frozenset:
        return _each(frozenset, _decoder(args[0], values))
    if origin is Mapping:
        return _mapping(_decoder(args[1], values))
    if origin in (UnionType, Union):
        return _optional([_decoder(one, values) for one in args if one is not type(None)])
    if is_dataclass(kind):
        return _class(kind, values)
    return values if kind is Any else _scalar(kind)


def _scalar(kind: Any) -> _Decode:
    assert kind in (str, int, float, bool) or get_origin(kind) is Literal, kind
    return _as_is


def _each(collect: Callable[[Any], Any], item: _Decode) -> _Decode:
    if item is _as_is:
        return collect
    return lambda value: collect(item(one) for one in value)


def _mapping(item: _Decode) -> _Decode:
    if item is _as_is or item is read_written:
        return item
    return lambda value: {name: item(one) for name, one in value.items()}


def _optional(choices: list[_Decode]) -> _Decode:
    """``X | None``, or a union of scalars."""
    decode_one = next((one for one in choices if one is not _as_is), _as_is)
    if decode_one is _as_is:
        return _as_is
    return lambda value: None if value is None else decode_one(value)


def _class(kind: Any, values: _Decode) -> _Decode:
    hints = get_type_hints(kind)
    readers = {one.name: _decoder(hints[one.name], values) for one in fields(kind)}

    def read(value: dict[str, Any]) -> Any:
        known = ((name, item) for name, item in value.items() if name in readers)
        return kind(**{name: readers[name](item) for name, item in known})

    return read
