"""Words that are saved can be read back, and digests name what they stand for."""

import json
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reconciler.core.model import (
    ABSENT,
    UNKNOWN,
    Change,
    Check,
    FieldChange,
    Json,
    Key,
    Observed,
    Outcome,
    Plan,
    Ref,
    Run,
    Secret,
    change_json,
    digest_of,
    dotted,
    read_written,
    shown,
    walk,
    written,
)

CHAT = Key("ModelDeployment", ("ai", "chat"))
NAMES = st.text(alphabet="abc$ref", min_size=1, max_size=5)
LEAVES: st.SearchStrategy[Json] = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    NAMES,
    st.sampled_from([ABSENT, UNKNOWN]),
    st.builds(Secret, name=NAMES, vault=NAMES, setting=NAMES, keys_of=NAMES, version=NAMES),
    st.builds(Ref, st.just(CHAT), NAMES),
)
VALUES = st.recursive(
    LEAVES, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(NAMES, inner, max_size=3)
)


@given(VALUES.filter(lambda v: "'$'" not in repr(v) and "'$secret'" not in repr(v)))
def test_whatever_is_written_is_read_back(value: Json) -> None:
    assert read_written(json.loads(json.dumps(value, default=written))) == value


def test_a_body_with_a_dollar_ref_of_its_own_is_read_back() -> None:
    body = {"schema": {"$ref": "#/definitions/x"}, "other": {"$secret": 1, "x": 2}}
    assert read_written(body) == body


def test_what_has_no_json_form_is_refused() -> None:
    with pytest.raises(TypeError, match="set has no JSON form"):
        written(set())


def test_a_key_is_read_from_its_text() -> None:
    assert str(CHAT) == "ModelDeployment/ai/chat"
    assert Key.parse(str(CHAT)) == CHAT


def test_a_digest_does_not_depend_on_the_order_of_names() -> None:
    assert digest_of({"a": 1, "b": 2}) == digest_of({"b": 2, "a": 1})
    assert digest_of({"a": 1}) != digest_of({"a": 2})
    assert len(digest_of(1, 12)) == 12


def test_a_plan_is_named_by_its_changes_alone() -> None:
    change = Change("update", CHAT, "/chat", (FieldChange(("sku", "capacity"), 1, 2),))
    one = Plan("dev", "abc", (change,), reads=3)
    assert one.digest == Plan("dev", "def", (change,), checks=(Check("note", "r", "m"),)).digest
    assert one.digest != Plan("dev", "abc").digest
    assert one.summary == {
        "create": 0, "update": 1, "replace": 0, "delete": 0, "unchanged": 0, "unmanaged": 0
    }  # fmt: skip
    assert not one.blocked
    assert change_json(change)["fields"] == [{"path": "sku.capacity", "before": 1, "after": 2}]


def test_values_are_shown_in_words_and_secrets_by_name() -> None:
    assert shown(Secret("k", vault="/v/kv")) == "(secret kv/k)"
    assert shown(Secret(setting="TOKEN")) == "(secret setting TOKEN)"
    assert shown(Secret("key1", keys_of="/a/ai")) == "(secret ai/key1)"
    assert shown({"a": [ABSENT, UNKNOWN], "b": Ref(CHAT, "id")}) == {
        "a": [None, "(known after apply)"],
        "b": "(known after apply: ModelDeployment/ai/chat id)",
    }
    assert repr(UNKNOWN) == "UNKNOWN"


def test_paths_are_dotted_with_places_in_brackets() -> None:
    assert dotted(("a", 0, "b")) == "a[0].b"
    leaves = dict(walk({"a": [{"b": 1}], "c": ABSENT, "d": {}}))
    assert leaves == {("a", 0, "b"): 1, ("c",): ABSENT}


@pytest.mark.parametrize(
    ("state", "settled"), [("Succeeded", True), ("Disabled", True), ("Creating", False)]
)
def test_a_resource_is_settled_when_azure_is_done_with_it(state: str, settled: bool) -> None:
    assert Observed("/x", {}, state=state).settled is settled


def test_a_run_is_open_until_it_has_ended() -> None:
    run = Run("r", Plan("dev", "c"))
    assert run.open
    assert run.header.open
    assert not replace(run, state="done").open
    assert run.header.id == "r"


def test_recording_an_outcome_leaves_the_earlier_run_as_it_was() -> None:
    before = Run("r", Plan("dev", "c"))
    after = before.record("s", Outcome("done"))
    assert before.outcomes == {}
    assert after.outcomes["s"].ended
    assert not Outcome("waiting").ended
