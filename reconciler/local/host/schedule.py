"""When a timer is due: NCRONTAB expressions with seconds, and constant intervals.

https://learn.microsoft.com/azure/azure-functions/functions-bindings-timer#ncrontab-expressions
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final, Protocol

MONTHS: Final = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
DAYS: Final = ("sun", "mon", "tue", "wed", "thu", "fri", "sat")
MONTH_NAMES: Final = {name: place + 1 for place, name in enumerate(MONTHS)}
DAY_NAMES: Final = {name: place for place, name in enumerate(DAYS)}
PART: Final = re.compile(r"(?:(\*)|(\w+)(?:-(\w+))?)(?:/(\d+))?")
INTERVAL: Final = re.compile(r"(?:(\d+)\.)?(\d{1,2}):(\d{2}):(\d{2})")
FAR_DAYS: Final = 366 * 8
"""Further than the 29th of February is away at most."""


class Schedule(Protocol):
    def next_after(self, moment: datetime) -> datetime: ...


@dataclass(frozen=True)
class Every:
    """A constant interval, as Elastic Premium and Dedicated plans allow it (``00:05:00``)."""

    interval: timedelta

    def next_after(self, moment: datetime) -> datetime:
        return moment + self.interval


@dataclass(frozen=True)
class Cron:
    """All six fields have to fit: the day of the month as well as the day of the week."""

    seconds: frozenset[int]
    minutes: frozenset[int]
    hours: frozenset[int]
    days: frozenset[int]
    months: frozenset[int]
    weekdays: frozenset[int]

    def next_after(self, moment: datetime) -> datetime:
        """The first time that fits after this moment. Raises ValueError when there is none."""
        start = moment.replace(microsecond=0) + timedelta(seconds=1)
        midnight = start.replace(hour=0, minute=0, second=0)
        for ahead in range(FAR_DAYS):
            day = midnight + timedelta(days=ahead)
            if self._fits(day):
                first = start if ahead == 0 else day
                if (found := self._in_day(first)) is not None:
                    return found
        raise ValueError("this schedule is never due")

    def _fits(self, day: datetime) -> bool:
        weekday = day.isoweekday() % 7
        return day.day in self.days and day.month in self.months and weekday in self.weekdays

    def _in_day(self, first: datetime) -> datetime | None:
        for hour in sorted(one for one in self.hours if one >= first.hour):
            later_hour = hour > first.hour
            for minute in sorted(self.minutes):
                if not later_hour and minute < first.minute:
                    continue
                from_second = 0 if later_hour or minute > first.minute else first.second
                if second := [one for one in self.seconds if one >= from_second]:
                    return first.replace(hour=hour, minute=minute, second=min(second))
        return None


def parse(text: str) -> Schedule:
    """Six fields (second minute hour day month weekday), five without seconds, or an interval.

    Raises ValueError with a sentence.
    """
    if found := INTERVAL.fullmatch(text):
        days, hours, minutes, seconds = (int(one or 0) for one in found.groups())
        interval = timedelta(days=days, hours=hours, minutes=minutes, seconds=seconds)
        if not interval:
            raise ValueError(f'"{text}" is no interval')
        return Every(interval)
    fields = text.split()
    if len(fields) == 5:
        fields = ["0", *fields]
    if len(fields) != 6:
        raise ValueError(f'"{text}" is no schedule: six fields or hh:mm:ss are needed')
    second, minute, hour, day, month, weekday = fields
    return Cron(
        _values(second, 0, 59),
        _values(minute, 0, 59),
        _values(hour, 0, 23),
        _values(day, 1, 31),
        _values(month, 1, 12, MONTH_NAMES),
        frozenset(one % 7 for one in _values(weekday, 0, 7, DAY_NAMES)),
    )


def _values(
    text: str, lowest: int, highest: int, names: Mapping[str, int] | None = None
) -> frozenset[int]:
    found: set[int] = set()
    for part in text.split(","):
        match = PART.fullmatch(part)
        if match is None:
            raise ValueError(f'"{text}" is no field of a schedule')
        everything, first, last, step = match.groups()
        start = lowest if everything else _number(first, names)
        end = highest if everything or (step and not last) else _number(last or first, names)
        if not lowest <= start <= end <= highest or step == "0":
            raise ValueError(f'"{part}" is not within {lowest} and {highest}')
        found.update(range(start, end + 1, int(step or 1)))
    return frozenset(found)


def _number(text: str, names: Mapping[str, int] | None) -> int:
    if text.isdigit():
        return int(text)
    if names and (value := names.get(text[:3].lower())) is not None:
        return value
    raise ValueError(f'"{text}" is no number')
