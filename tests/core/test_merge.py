"""What is sent holds what the spec declares and, beside it, everything that others set."""

from typing import Any

from hypothesis import given

from reconciler.core.diff import Context, diff_fields, item_key, lookup
from reconciler.core.merge import merge
from reconciler.core.model import ABSENT, Json, Key, Ref, Secret
from reconciler.core.schema import (
    Array,
    Map,
    Scalar,
    Shape,
    array,
    field_of,
    integer,
    mapping,
    obj,
    text,
)
from tests.core.shapes import encounters

AFTER = Context(sent=None)


@given(encounters())
def test_merging_and_comparing_again_is_silent(encounter: tuple[Shape, Any, Any, Any]) -> None:
    shape, want, have, applied = encounter
    merged = merge(shape, want, have, applied)
    assert diff_fields(shape, want, merged, {}, AFTER) == ()


@given(encounters())
def test_nothing_undeclared_is_changed(encounter: tuple[Shape, Any, Any, Any]) -> None:
    shape, want, have, _ = encounter
    assert lost(shape, want, have, merge(shape, want, have)) == []


def lost(shape: Shape, want: Json, have: Json, merged: Json) -> list[str]:
    """Names of what others set, was not declared, and is not sent as it was."""
    found = []
    loose = isinstance(shape, Map) and shape.caseless
    for name, before in have.items():
        one = field_of(shape, name, {**have, **want})
        declared = lookup(want, name, caseless=loose)
        after = lookup(merged, name, caseless=loose)
        if one is None or before is None or (isinstance(shape, Map) and not shape.shared):
            continue  # unknown to the kind, not there, or all ours
        if declared is ABSENT:
            found += [] if after == before else [name]
        elif not isinstance(one.shape, Scalar):
            found += inside(one.shape, declared, before, after)
    return found


def inside(shape: Shape, declared: Json, before: Json, after: Json) -> list[str]:
    if isinstance(before, dict) and isinstance(declared, dict):
        return lost(shape, declared, before, after)
    if isinstance(shape, Array) and shape.key and shape.shared and isinstance(declared, list):
        sent = {item_key(shape, item) for item in after}
        return [str(item) for item in before if item_key(shape, item) not in sent]
    return []


def test_secrets_and_references_are_kept_for_the_edge_to_resolve() -> None:
    secret, ref = Secret("k", vault="/kv"), Ref(Key("Account", ("ai",)), "id")
    shape = obj(key=text(), url=text(), list=array(text())).shape
    want = {"key": secret, "url": ref, "list": [ref]}
    assert merge(shape, want, {"key": "x", "list": []}) == want


def test_a_new_resource_gets_what_is_later_left_to_others() -> None:
    shape = obj(sku=obj(capacity=integer())).shape
    want, ignore = {"sku": {"capacity": 3}}, [("sku", "capacity")]
    assert merge(shape, want, {}, ignore=ignore) == want
    assert merge(shape, want, {"sku": {"capacity": 9}}, ignore=ignore) == {"sku": {"capacity": 9}}
    assert merge(shape, want, {"sku": {}}, ignore=ignore) == {"sku": {}}


def test_what_the_kind_does_not_know_is_not_sent_back() -> None:
    assert merge(obj(name=text()).shape, {}, {"name": "x", "etag": "y"}) == {"name": "x"}


def test_a_map_left_to_others_is_sent_back_as_it_is() -> None:
    shape = obj(traffic=mapping(integer(), zero=0, shared=False)).shape
    have = {"traffic": {"blue": 90, "green": 10}}
    merged = merge(shape, {"traffic": {"blue": 100}}, have, ignore=[("traffic", "green")])
    assert merged == {"traffic": {"blue": 100, "green": 10}}


def test_null_sends_nothing_where_nothing_is() -> None:
    shape = obj(name=text()).shape
    assert merge(shape, {"name": None}, {"name": "x"}) == {}
    assert merge(shape, {"name": None}, {}) == {}


def test_a_place_in_a_list_keeps_its_null() -> None:
    shape = obj(list=array(text()), set=array(text(), key=("",))).shape
    want = {"list": [None, "a"], "set": [None]}
    assert merge(shape, want, {"list": [None, "b"]}) == want
    assert merge(shape, want, {"list": [None, "b"]}, ignore=[("set", "none")]) == want
