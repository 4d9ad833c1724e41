"""The model as JSON: whatever is written is read back equal."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reconciler.core.model import ABSENT, UNKNOWN, Key, Outcome, Owned, Plan, Ref, Secret
from reconciler.state.codec import decode, encode
from tests.state.builders import DONE, a_plan, an_owned

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


@pytest.mark.parametrize("value", [a_plan(), an_owned(), DONE, Plan("prod", "")])
def test_what_is_written_is_read_back_equal(value: Any) -> None:
    assert decode(type(value), encode(value)) == value


@given(st.dictionaries(names, values))
def test_any_properties_are_read_back_equal(properties: dict[str, Any]) -> None:
    owned = Owned(Key("Account", ("a",)), "/a", "2025-06-01", properties)
    assert decode(Owned, encode(owned)) == owned


def test_fields_that_a_later_version_added_are_passed_over() -> None:
    assert decode(Outcome, '{"state":"done","colour":"green"}') == Outcome("done")


def test_a_secret_is_written_by_name() -> None:
    assert '{"$secret":{"name":"token","vault":"/v"}}' in encode({"a": Secret("token", "/v")})
