"""The model as JSON: whatever is written is read back equal."""

import json
from dataclasses import Field, fields
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reconciler.core.model import (
    ABSENT,
    UNKNOWN,
    Key,
    Outcome,
    Owned,
    Plan,
    Ref,
    Run,
    RunHeader,
    Secret,
    Status,
)
from reconciler.core.preview import Preview, Previewed
from reconciler.state.codec import decode, encode
from tests.state.builders import DONE, a_plan, a_preview, a_run, an_owned

leaves = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False)
    | st.text()
    | st.sampled_from([ABSENT, UNKNOWN])
    | st.builds(Secret, name=st.text(), vault=st.text(), version=st.text())
    | st.builds(Ref, st.just(Key("Account", ("a", "b"))), st.text())
)
names = st.text().filter(lambda name: not name.startswith("$"))
values = st.recursive(
    leaves, lambda inner: st.lists(inner) | st.dictionaries(names, inner), max_leaves=10
)


@pytest.mark.parametrize(
    "value", [a_plan(), an_owned(), DONE, Plan("prod", ""), a_preview(), Preview(7, "9d1e0c2")]
)
def test_what_is_written_is_read_back_equal(value: Any) -> None:
    assert decode(type(value), encode(value)) == value


@given(st.dictionaries(names, values))
def test_any_properties_are_read_back_equal(properties: dict[str, Any]) -> None:
    owned = Owned(Key("Account", ("a",)), "/a", "2025-06-01", properties)
    assert decode(Owned, encode(owned)) == owned


def test_the_example_of_a_preview_has_something_in_every_field() -> None:
    shortest = Preview(0, "")
    assert [one.name for one in fields(Preview) if _same(one, a_preview(), shortest)] == []
    full = a_preview().environments[1]
    assert [one.name for one in fields(full) if _same(one, full, Previewed("", "failed"))] == []


def _same(field: "Field[Any]", one: Any, other: Any) -> bool:
    return bool(getattr(one, field.name) == getattr(other, field.name))


@given(st.builds(Preview, pull=st.integers(), head=st.text(), detail=st.text()))
def test_any_preview_is_read_back_equal(preview: Preview) -> None:
    assert decode(Preview, encode(preview)) == preview


def test_what_was_saved_before_there_were_pull_requests_still_reads() -> None:
    run = decode(Run, '{"id":"r1","plan":{"environment":"prod","commit":"3f2c1ab"}}')
    assert (run.pulls, run.pull) == ((), 0)
    header = json.loads(encode(a_run().header))
    assert "pull" not in header
    assert decode(RunHeader, json.dumps(header)) == a_run().header
    assert decode(Outcome, '{"state":"done"}').endpoint == ""
    status = decode(Status, '{"environment":"prod","failures":2}')
    assert status == Status("prod", failures=2)


def test_fields_that_a_later_version_added_are_passed_over() -> None:
    assert decode(Outcome, '{"state":"done","colour":"green"}') == Outcome("done")


def test_a_secret_is_written_by_name() -> None:
    assert '{"$secret":{"name":"token","vault":"/v"}}' in encode({"a": Secret("token", "/v")})
