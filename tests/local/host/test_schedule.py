"""When timers are due."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reconciler.local.host.schedule import parse

START = datetime(2026, 11, 20, 12, 3, 4, 500_000, tzinfo=UTC)  # a Friday


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("0 */5 * * * *", "2026-11-20T12:05:00"),
        ("*/5 * * * *", "2026-11-20T12:05:00"),
        ("* * * * * *", "2026-11-20T12:03:05"),
        ("*/2 * * * * *", "2026-11-20T12:03:06"),
        ("30 3 12 * * *", "2026-11-20T12:03:30"),
        ("4 3 12 * * *", "2026-11-21T12:03:04"),
        ("0 0 9-17 * * Mon-Fri", "2026-11-20T13:00:00"),
        ("0 30 9 * Jan Mon", "2027-01-04T09:30:00"),
        ("0 0 0 29 2 *", "2028-02-29T00:00:00"),
        ("0 0 0 1,15 * *", "2026-12-01T00:00:00"),
        ("0 0 0 * * 0", "2026-11-22T00:00:00"),
        ("0 0 0 * * 7", "2026-11-22T00:00:00"),
        ("0 0 0 13 * Fri", "2027-08-13T00:00:00"),
        ("5/20 * * * * *", "2026-11-20T12:03:05"),
        ("00:05:00", "2026-11-20T12:08:04.500000"),
        ("1.00:00:00", "2026-11-21T12:03:04.500000"),
    ],
)
def test_the_next_time_is_the_first_one_that_fits(text: str, expected: str) -> None:
    found = parse(text).next_after(START)
    assert found == datetime.fromisoformat(expected).replace(tzinfo=UTC)


@pytest.mark.parametrize(
    "text",
    ["", "* * *", "60 * * * * *", "* * 24 * * *", "*/0 * * * * *", "a * * * * *", "00:00:00"],
)
def test_what_is_no_schedule_is_refused(text: str) -> None:
    with pytest.raises(ValueError):  # noqa: PT011 - each says what is wrong in its own words
        parse(text)


def test_a_schedule_that_is_never_due_says_so() -> None:
    with pytest.raises(ValueError, match="never due"):
        parse("0 0 0 30 2 *").next_after(START)


@given(
    st.integers(0, 59), st.integers(0, 59), st.integers(0, 23), st.datetimes(
        datetime(2020, 1, 1), datetime(2030, 1, 1)  # noqa: DTZ001 - hypothesis wants naive ones
    )
)  # fmt: skip
def test_a_time_of_day_comes_once_in_every_day(
    second: int, minute: int, hour: int, start: datetime
) -> None:
    schedule = parse(f"{second} {minute} {hour} * * *")
    first = schedule.next_after(start)
    assert timedelta(0) < first - start <= timedelta(days=1)
    assert schedule.next_after(first) - first == timedelta(days=1)
