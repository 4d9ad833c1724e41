"""What kind of value an author wrote: a type, a secret by name, a ref."""

import re
from collections.abc import Mapping
from functools import cache
from typing import Final

from reconciler.core.model import Json
from reconciler.core.schema import Anything, Scalar, Shape

TYPES: Final[Mapping[str, str]] = {
    "string": "a string",
    "integer": "a whole number",
    "number": "a number",
    "boolean": "true or false",
}


_SECRET_FORMS: Final = frozenset({"keyVault", "setting", "keysOf"})


def is_secret(value: Mapping[str, Json], hidden: bool) -> bool:
    """``{secret: {…}}``: in a field that can hold one, or unmistakable."""
    written = value.get("secret")
    if len(value) != 1 or type(written) is not dict:
        return False
    return hidden or not _SECRET_FORMS.isdisjoint(written)


def is_ref(value: Mapping[str, Json], shape: Shape) -> bool:
    """``{ref: Kind/name, path: …}``, where one value is wanted."""
    if "ref" not in value or not value.keys() <= {"ref", "path"}:
        return False
    return isinstance(shape, Scalar) or (isinstance(shape, Anything) and len(value) == 2)


def named_type(value: Json) -> str:
    """What an author calls a value of this type."""
    if value is None:
        return "nothing"
    words = {str: "a string", bool: "true or false", dict: "a mapping", list: "a list"}
    return words.get(type(value), "a number")


@cache
def _pattern(pattern: str) -> re.Pattern[str]:
    # "$" would let a line end pass, and a line end in a name is never meant.
    return re.compile(pattern[:-1] + r"\Z" if pattern.endswith("$") else pattern)


def matches(pattern: str, text: str) -> bool:
    return _pattern(pattern).search(text) is not None
