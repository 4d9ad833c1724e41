"""The spec's shape and ARM's, there and back."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reconciler.core.body import at, kind_of, member, observed, to_body
from reconciler.core.kinds import KINDS
from reconciler.core.kinds.kind import ENVELOPE, Kind, Place
from reconciler.core.model import ABSENT, Secret
from reconciler.core.schema import (
    anything,
    array,
    integer,
    mapping,
    obj,
    secret,
    tags,
    text,
    variant,
    write_only,
)

ID = "/subscriptions/s/resourceGroups/rg/providers/Contoso.X/things/one"


def kind(**more: Any) -> Kind:
    fields = {
        "location": text(),
        "tags": tags(),
        "sku": obj(name=text(), capacity=integer()),
        "size": integer(),
        "workspaceResourceId": text(),
        "rules": array(obj(value=text())),
        "labels": mapping(text()),
        "extra": anything(),
        "password": secret(),
        "hidden": write_only(text()),
        "open": obj(text(), known=text()),
        "auth": variant("type", {"Key": {"key": secret(), "hint": text()}}, type=text()),
    }
    place = Place(field="resourceGroup", parent="", arm_type="Contoso.X/things", api_version="1")
    return Kind(**{"name": "Thing", "title": "Thing", "places": (place,), "fields": fields, **more})


def test_fields_go_on_top_or_into_properties() -> None:
    wanted = {"location": "eastus", "size": 3, "password": Secret(setting="A")}
    assert to_body(kind(), wanted) == {
        "location": "eastus",
        "properties": {"size": 3, "password": Secret(setting="A")},
    }


def test_what_is_fixed_is_always_sent() -> None:
    assert to_body(kind(fixed={"kind": "Hub"}), {}) == {"kind": "Hub", "properties": {}}


def test_a_kind_without_inner_fields_sends_no_properties() -> None:
    flat = kind(fields={"location": text(), "tags": tags()})
    assert to_body(flat, {"location": "eastus"}) == {"location": "eastus"}


def test_a_verbatim_kind_is_sent_and_read_as_it_is() -> None:
    verbatim = kind(fields={"type": text(), "body": anything()}, verbatim="body")
    assert to_body(verbatim, {"type": "t", "body": {"a": 1}}) == {"a": 1}
    seen = observed(
        verbatim,
        {
            "id": ID,
            "name": "one",
            "type": "Contoso.X/things",
            "systemData": {},
            "etag": "1",
            "location": "eastus",
            "properties": {"provisioningState": "Accepted", "a": {"b": [None]}},
        },
        "2024-01-01",
    )
    body = {"location": "eastus", "properties": {"a": {"b": [None]}}}
    assert seen.properties == {"type": "Contoso.X/things@2024-01-01", "body": body}
    assert seen.state == "Accepted"


def test_only_what_the_fields_know_is_kept() -> None:
    seen = observed(
        kind(),
        {
            "id": ID,
            "name": "one",
            "etag": "1",
            "systemData": {"createdBy": "x"},
            "location": "eastus",
            "tags": None,
            "sku": {"name": "S0", "tier": "Standard"},
            "properties": {
                "provisioningState": "Updating",
                "size": 3,
                "WorkspaceResourceId": "/x",
                "rules": [{"value": "a", "added": 1}],
                "labels": {"a": "b", "c": None},
                "extra": {"any": {"thing": None}},
                "password": "***",
                "hidden": "x",
                "open": {"known": "a", "other": "b"},
                "auth": {"type": "key", "key": "k", "hint": "h", "noise": 1},
                "noise": list(range(1000)),
            },
        },
    )
    assert seen.properties == {
        "location": "eastus",
        "sku": {"name": "S0"},
        "size": 3,
        "workspaceResourceId": "/x",
        "rules": [{"value": "a"}],
        "labels": {"a": "b"},
        "extra": {"any": {"thing": None}},
        "open": {"known": "a", "other": "b"},
        "auth": {"type": "key", "hint": "h"},
    }
    assert (seen.arm_id, seen.kind, seen.state) == (ID, "Thing", "Updating")


def test_an_exact_name_wins_over_another_letter_case() -> None:
    seen = observed(kind(), {"properties": {"Size": 1, "size": 2}})
    assert seen.properties == {"size": 2}


@pytest.mark.parametrize(
    ("properties", "state"),
    [
        ({}, "InFlight"),
        ({"endpointState": "Creating"}, "Creating"),
        ({"endpointState": "Reinstating"}, "Reinstating"),
        ({"endpointState": "online"}, "Succeeded"),
        ({"endpointState": "CreationFailed"}, "Failed"),
        ({"endpointState": "Suspended"}, "Failed"),
        ({"endpointState": "Online", "provisioningState": "Updating"}, "Updating"),
        ({"endpointState": "Creating", "provisioningState": "Failed"}, "Failed"),
    ],
)
def test_health_decides_once_provisioning_succeeded(properties: Any, state: str) -> None:
    seen = observed(kind(healthy={"endpointState": "Online"}), {"properties": properties})
    assert seen.state == ("Unknown" if state == "InFlight" else state)


def test_outputs_hold_what_is_there_and_always_id_and_name() -> None:
    outputs = {"identity.principalId": "", "properties.endpoint": "", "properties.none": ""}
    body = {
        "id": ID,
        "name": "parent/one",
        "identity": {"PrincipalId": "p"},
        "properties": {"endpoint": "https://x", "none": None},
    }
    assert observed(kind(outputs=outputs), body).outputs == {
        "id": ID,
        "name": "one",
        "identity.principalId": "p",
        "properties.endpoint": "https://x",
    }


def test_kinds_of_one_type_are_told_apart_by_what_is_fixed() -> None:
    first, second = kind(fixed={"kind": "Default"}), kind(fixed={"kind": "Hub"})
    assert kind_of((first, second), {"kind": "hub"}) is second
    assert kind_of((first, second), {}) is first
    assert kind_of((first, second), {"kind": "FeatureStore"}) is None
    assert kind_of((kind(),), {"kind": "x"}) is not None


def test_members_are_found_in_any_letter_case() -> None:
    assert member({"Ab": 1}, "aB") == 1
    assert member([], "a") is ABSENT
    assert at({"A": {"b c": 2}}, "a.b c") == 2
    assert at({"a": 1}, "a.b") is ABSENT


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from([*kind().fields, "properties", "id", "Sku", "value"]), inner, max_size=5
        )
    ),
    max_leaves=25,
)


@given(st.sampled_from(sorted(KINDS)), st.dictionaries(st.text(max_size=8), json_values))
def test_no_answer_breaks_the_reading(name: str, body: dict[str, Any]) -> None:
    observed(KINDS[name], body)


@given(st.dictionaries(st.sampled_from(sorted(kind().fields)), st.integers()))
def test_what_is_sent_is_what_is_read_back(properties: dict[str, int]) -> None:
    hidden = {"password", "hidden"}
    seen = observed(kind(), to_body(kind(), properties))
    assert seen.properties == {n: v for n, v in properties.items() if n not in hidden}
    assert set(ENVELOPE) >= to_body(kind(), properties).keys() - {"properties"}
