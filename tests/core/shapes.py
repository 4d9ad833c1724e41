"""Generated shapes with values that fit them."""

from collections.abc import Mapping
from typing import Any

from hypothesis import strategies as st

from reconciler.core.model import Json
from reconciler.core.schema import (
    ANY,
    Field,
    Object,
    Shape,
    array,
    boolean,
    computed,
    default,
    immutable,
    integer,
    mapping,
    obj,
    text,
    variant,
)

type Sample = tuple[Shape, Mapping[str, Any]]

NAMES = st.sampled_from(["a", "b", "c", "d", "e", "f"])
WORDS = st.sampled_from(["x", "y", "zone", "Standard", "PT1M", "eastus2", ""])
ORDINARY = st.one_of(WORDS, st.integers(-3, 3), st.booleans(), st.none())
ANYTHING = st.recursive(
    ORDINARY,
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(NAMES, inner, max_size=2),
    max_leaves=5,
)


def fields(depth: int = 2) -> st.SearchStrategy[Field]:
    leaves = [
        st.just(text()),
        st.just(text("Standard", "Basic")),
        st.just(default("x", text())),
        st.just(immutable(text())),
        st.just(computed(text())),
        st.just(integer()),
        st.just(boolean()),
        st.just(ANY),
        st.just(array(text(same="caseless"), key=("",))),
        st.just(array(text(same="caseless"), key=("",), shared=True)),
        st.just(array(text())),
        st.just(mapping(text())),
        st.just(mapping(text(), caseless=True, shared=False)),
        st.just(mapping(integer(), caseless=True, zero=0, shared=False)),
    ]
    if depth == 0:
        return st.one_of(leaves)
    inner = st.dictionaries(NAMES, fields(depth - 1), max_size=3)
    keyed = inner.map(lambda named: obj(**{**named, "id": text(same="caseless")}))
    return st.one_of(
        *leaves,
        inner.map(lambda named: obj(**named)),
        keyed.map(lambda item: array(item, key=("id",))),
        keyed.map(lambda item: array(item, key=("id",), shared=True)),
        inner.map(lambda named: array(obj(**named))),
        inner.map(lambda named: mapping(obj(**named))),
        inner.map(lambda named: variant("z", {"x": named, "y": {}}, z=text())),
    )


def shapes() -> st.SearchStrategy[Shape]:
    return st.dictionaries(NAMES, fields(), max_size=4).map(lambda named: Object(fields=named))


def value_of(shape: Shape) -> st.SearchStrategy[Json]:
    """A value of a shape, as Azure could return it and as a spec could say it."""
    name = type(shape).__name__
    return VALUES[name](shape)


def _object(named: Mapping[str, Field]) -> st.SearchStrategy[dict[str, Any]]:
    return st.fixed_dictionaries(
        {}, optional={name: value_of(one.shape) for name, one in named.items()}
    )


def _variant(shape: Any) -> st.SearchStrategy[Json]:
    chosen = st.sampled_from(sorted(shape.cases))
    return chosen.flatmap(
        lambda case: _object(shape.cases[case]).map(lambda rest: {**rest, shape.by: case})
    )


def _array(shape: Any) -> st.SearchStrategy[Json]:
    items = st.lists(value_of(shape.item.shape), max_size=3)
    if not shape.key:
        return items
    if shape.key == ("",):
        return st.lists(st.sampled_from(["x", "y", "z"]), max_size=3, unique=True)
    named = st.lists(st.sampled_from(["x", "y", "z"]), max_size=3, unique=True)
    return named.flatmap(
        lambda ids: st.tuples(*[value_of(shape.item.shape) for _ in ids]).map(
            lambda values: [{**v, "id": i} for v, i in zip(values, ids, strict=True)]
        )
    )


def _scalar(shape: Any) -> st.SearchStrategy[Json]:
    kinds: dict[str, st.SearchStrategy[Json]] = {
        "string": WORDS,
        "integer": st.integers(-3, 3),
        "boolean": st.booleans(),
    }
    return kinds[shape.type]


VALUES: dict[str, Any] = {
    "Scalar": _scalar,
    "Object": lambda shape: _object(shape.fields),
    "Variant": _variant,
    "Array": _array,
    "Map": lambda shape: st.dictionaries(NAMES, value_of(shape.value.shape), max_size=3),
    "Anything": lambda shape: ANYTHING,
}


@st.composite
def samples(draw: st.DrawFn) -> Sample:
    """A shape and one value of it."""
    shape = draw(shapes())
    return shape, draw(value_of(shape))


@st.composite
def encounters(draw: st.DrawFn) -> tuple[Shape, Any, Any, Any]:
    """A shape, what a spec wants, what Azure has, and what was applied before."""
    shape = draw(shapes())
    return shape, *(draw(value_of(shape)) for _ in range(3))
