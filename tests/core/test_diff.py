"""Every YAML document below tests/cases/diff is a case: what a spec says, what Azure has, and
what differs. ``kind`` names the shape; ``applied`` is what was last applied, where something was;
``changes`` are ``path: [before, after]``, null for what is not there; ``merged`` is what is sent.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given

from reconciler.core.diff import Context, diff_fields, label, lookup
from reconciler.core.kinds import KINDS
from reconciler.core.merge import merge
from reconciler.core.model import ABSENT, UNKNOWN, Key, Properties, Ref, Secret, shown
from reconciler.core.schema import (
    ANY,
    Shape,
    array,
    default,
    integer,
    mapping,
    obj,
    secret,
    text,
    write_only,
)
from tests.core.shapes import Sample, samples

CASES = Path(__file__).parent.parent / "cases" / "diff"


def cases() -> list[Any]:
    return [
        pytest.param(case, id=f"{path.stem}: {case['reason']}")
        for path in sorted(CASES.glob("*.yaml"))
        for case in yaml.safe_load_all(path.read_text("utf-8"))
    ]


def context_of(case: Mapping[str, Any]) -> Context:
    paths = tuple(tuple(path.split(".")) for path in case.get("ignore", ()))
    return Context(ignore=paths, managed="applied" in case)


@pytest.mark.parametrize("case", cases())
def test_a_spec_differs_from_azure_in_what_the_case_says(case: dict[str, Any]) -> None:
    shape, applied = KINDS[case["kind"]].shape, case.get("applied", {})
    changes = diff_fields(shape, case["want"], case["have"], applied, context_of(case))
    assert {c.name: [shown(c.before), shown(c.after)] for c in changes} == case["changes"]
    assert sorted(c.name for c in changes if c.replaces) == sorted(case.get("replaces", []))


@pytest.mark.parametrize("case", cases())
def test_what_is_sent_leaves_nothing_to_do(case: dict[str, Any]) -> None:
    shape, applied = KINDS[case["kind"]].shape, case.get("applied", {})
    context = context_of(case)
    merged = merge(shape, case["want"], case["have"], applied, context.ignore)
    if "merged" in case:
        assert merged == case["merged"]
    after = Context(sent=None, ignore=context.ignore)
    assert diff_fields(shape, case["want"], merged, applied, after) == ()


@given(samples())
def test_a_thing_does_not_differ_from_itself(sample: Sample) -> None:
    shape, value = sample
    assert diff_fields(shape, value, value) == ()
    assert diff_fields(shape, value, value, value) == ()


SHAPE: Shape = obj(
    name=text(),
    key=secret(),
    expires=write_only(text()),
    said=write_only(obj(plain=text())),
    credentials=obj(key=secret()),
    tier=default("Basic", text("Basic", "Premium")),
    items=array(obj(id=text(), size=default(1, integer())), key=("id",)),
    rows=array(obj(a=text(), b=text())),
    ids=mapping(obj(), caseless=True, shared=False),
).shape
KEY = Secret("k", vault="/subscriptions/s/vaults/kv")


def changes(
    want: Properties, have: Properties, applied: Properties | None = None, **context: Any
) -> dict[str, tuple[Any, Any]]:
    known = Context(managed=applied is not None, **context)
    found = diff_fields(SHAPE, want, have, applied or {}, known)
    return {c.name: (c.before, c.after) for c in found}


def test_a_secret_that_was_never_sent_differs() -> None:
    assert changes({"key": KEY}, {}) == {"key": (ABSENT, KEY)}


def test_a_secret_differs_when_its_version_is_another_one() -> None:
    want = {"key": KEY}
    sent = {"key": "one"}
    assert changes(want, {}, want, sent=sent, current={KEY: "one"}.get) == {}
    assert changes(want, {}, want, sent=sent, current={KEY: "two"}.get) == {"key": (KEY, KEY)}


def test_a_secret_whose_version_cannot_be_seen_counts_as_sent() -> None:
    assert changes({"key": KEY}, {}, {"key": KEY}, sent={"key": "one"}) == {}


def test_a_secret_differs_when_the_spec_names_another_one() -> None:
    other = Secret("other", vault=KEY.vault)
    assert changes({"key": other}, {}, {"key": KEY}, sent={"key": "one"}) == {"key": (KEY, other)}


def test_right_after_a_write_what_azure_never_returns_counts_as_sent() -> None:
    assert changes({"key": KEY, "expires": "x"}, {}, {"expires": "y"}, sent=None) == {}


def test_a_write_only_field_is_compared_with_what_was_applied() -> None:
    assert changes({"expires": "b"}, {}, {"expires": "a"}) == {"expires": ("a", "b")}
    assert changes({"expires": "a"}, {}, {"expires": "a"}) == {}


def test_a_write_only_field_that_is_new_in_a_spec_is_sent() -> None:
    assert changes({"expires": "a"}, {}, {"name": "x"}) == {"expires": (ABSENT, "a")}


def test_a_write_only_field_of_a_resource_found_in_azure_is_left_as_it_is() -> None:
    assert changes({"expires": "a"}, {}) == {}


def test_a_write_only_field_that_left_the_spec_is_taken_back_once() -> None:
    assert changes({}, {}, {"expires": "a"}) == {"expires": ("a", ABSENT)}
    assert changes({}, {}, {"credentials": {"key": KEY}}) == {"credentials.key": (KEY, ABSENT)}
    assert changes({}, {}, {"expires": "a"}, sent=None) == {}


def test_an_object_that_azure_never_returns_is_compared_leaf_by_leaf() -> None:
    assert changes({"said": {"plain": "a"}}, {"said": {"plain": "a"}}) == {}


def test_a_value_of_another_resource_is_compared_once_it_is_known() -> None:
    ref = Ref(Key("Account", ("ai",)), "properties.endpoint")
    have = {"name": "https://ai"}
    assert changes({"name": ref}, have) == {"name": ("https://ai", UNKNOWN)}
    assert changes({"name": ref}, have, resolve=lambda _: "https://ai") == {}


def test_a_name_in_a_map_counts_even_when_its_value_is_empty() -> None:
    assert changes({"ids": {"/a": {}}}, {}) == {"ids./a": (ABSENT, {})}
    assert changes({"ids": {"/a": {}}}, {"ids": {"/A": {}}}) == {}
    assert changes({"ids": {"/a": {}}}, {"ids": {"/a": {}, "/b": {}}}) == {"ids./b": ({}, ABSENT)}


def test_a_field_removed_from_an_item_goes_back_to_its_default() -> None:
    have = {"items": [{"id": "a", "size": 5}], "rows": [{"a": "1", "b": "2"}]}
    want = {"items": [{"id": "a"}], "rows": [{"a": "1"}]}
    assert changes(want, have, have) == {"items.a.size": (5, 1), "rows[0].b": ("2", ABSENT)}
    merged = merge(SHAPE, want, have, have)
    assert merged == {"items": [{"id": "a", "size": 1}], "rows": [{"a": "1"}]}


def test_a_value_where_azure_has_another_type_differs_as_a_whole() -> None:
    assert changes({"items": [{"id": "a"}]}, {"items": "x"}) == {"items": ("x", [{"id": "a"}])}
    assert changes({"credentials": {"key": KEY}}, {"credentials": "x"}) == {
        "credentials": ("x", {"key": KEY})
    }


def test_anything_is_compared_as_far_as_the_spec_goes() -> None:
    shape = obj(body=ANY).shape
    want = {"body": {"a": {"id": "/subscriptions/S/x"}, "list": [1, {"b": True}]}}
    have = {"body": {"a": {"id": "/subscriptions/s/X", "z": 1}, "list": [1.0, {"b": True, "c": 1}]}}
    assert diff_fields(shape, want, have) == ()
    assert merge(shape, want, have) == {
        "body": {"a": {"id": "/subscriptions/S/x", "z": 1}, "list": [1, {"b": True, "c": 1}]}
    }


def test_keyed_items_are_called_by_the_last_part_of_their_key() -> None:
    assert label(("subscriptions/s/vnets/v", "")) == "v"
    assert label(("hate", "prompt")) == "hate/prompt"


def test_looking_up_finds_names_in_any_letter_case_only_when_asked() -> None:
    assert lookup({"A": 1}, "a") is ABSENT
    assert lookup({"A": 1}, "a", caseless=True) == 1
    assert lookup({"A": 1}, "b", caseless=True) is ABSENT
    assert lookup(None, "a") is ABSENT
