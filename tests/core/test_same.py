"""Two spellings of one value are the same; two values never are."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reconciler.core.model import ABSENT, UNKNOWN, Json
from reconciler.core.same import RULES, blank, same
from reconciler.core.schema import Sameness

SAME: list[tuple[Sameness, Json, Json, str]] = [
    ("exact", "a", "a", "equal values are"),
    ("exact", 1, 1.0, "numbers have one value, however they are written"),
    ("exact", True, "true", "some services answer booleans as words"),
    ("caseless", "aadToken", "AADToken", "enums come back in Azure's letter case"),
    ("location", "East US 2", "eastus2", "regions have a display name"),
    ("arm_id", "/subscriptions/S/x/", "/subscriptions/s/X", "ids have no letter case"),
    (
        "arm_id",
        "/subscriptions/s/providers/Microsoft.Authorization/roleDefinitions/R",
        "/providers/Microsoft.Authorization/roleDefinitions/r",
        "a role is the same in every subscription",
    ),
    ("instant", "2026-01-01T00:00:00.000Z", "2026-01-01T00:00:00Z", "milliseconds are dropped"),
    ("instant", "2026-01-01T00:00:00", "2026-01-01T01:00:00+01:00", "no zone means UTC"),
    ("duration", "PT60S", "PT1M", "durations have a length"),
    ("duration", "P1D", "PT24H", "days have hours"),
    ("number", "10", 10, "autoscale wants numbers as words"),
    ("yaml", "a: 1\nb: [x]", '{"b": ["x"], "a": 1}', "conda files come back as JSON"),
    ("identity", "SystemAssigned, UserAssigned", "UserAssigned,SystemAssigned", "in any order"),
]

DIFFERENT: list[tuple[Sameness, Json, Json, str]] = [
    ("exact", "a", "A", "letter case counts unless a field says otherwise"),
    ("exact", 1, True, "a number is no boolean"),
    ("exact", False, 0, "nor the other way round"),
    ("caseless", "a", 1, "a word is no number"),
    ("caseless", UNKNOWN, UNKNOWN.name, "what is not known yet equals nothing"),
    ("exact", ABSENT, None, "a marker equals nothing"),
    ("location", "eastus", "eastus2", "regions have numbers"),
    ("location", "eastus", 1, "a region is a word"),
    ("arm_id", "/a/b", 1, "an id is a word"),
    ("instant", "2026-01-01T00:00:00Z", "2026-01-01T00:00:01Z", "a second later"),
    ("instant", "soon", "2026-01-01", "no timestamp at all"),
    ("instant", "2026-01-01", 5, "a number is no timestamp"),
    ("duration", "PT1M", "PT1H", "a minute is no hour"),
    ("duration", "P", "PT", "neither says how long"),
    ("duration", "PT1M", 1, "a number is no minute"),
    ("number", "ten", 10, "a word is no number"),
    ("yaml", "2001-13-45", "2001-13-46", "what looks like a date and is none is text"),
    ("yaml", "a: [", "a: {", "what is no YAML is text"),
    ("yaml", "1", 2, "a number is no text"),
    ("identity", "SystemAssigned", "None", "another identity"),
    ("identity", "SystemAssigned", 1, "an identity type is a word"),
]


@pytest.mark.parametrize(("how", "want", "have", "reason"), SAME, ids=[s[3] for s in SAME])
def test_spellings_of_one_value_are_the_same(
    how: Sameness, want: Json, have: Json, reason: str
) -> None:
    assert same(how, want, have)
    assert same(how, have, want)


@pytest.mark.parametrize(("how", "want", "have", "why"), DIFFERENT, ids=[d[3] for d in DIFFERENT])
def test_two_values_differ(how: Sameness, want: Json, have: Json, why: str) -> None:
    assert not same(how, want, have)
    assert not same(how, have, want)


@pytest.mark.parametrize("value", [None, ABSENT, "", {}, [], ()])
def test_absent_null_and_empty_are_the_same_to_azure(value: Json) -> None:
    assert blank(value)


@pytest.mark.parametrize("value", [0, False, " ", UNKNOWN, [None]])
def test_zero_and_false_are_values(value: Json) -> None:
    assert not blank(value)


@given(st.sampled_from(sorted(RULES)), st.text(max_size=20) | st.integers() | st.booleans())
def test_any_value_is_the_same_as_itself(how: Sameness, value: Json) -> None:
    assert same(how, value, value)
    assert same(how, str(value), str(value))


@given(st.sampled_from(sorted(RULES)), st.text(max_size=20), st.text(max_size=20))
def test_comparing_never_fails_and_has_no_direction(how: Sameness, one: str, other: str) -> None:
    assert same(how, one, other) == same(how, other, one)
