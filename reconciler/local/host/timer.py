"""Timers: each one alone, on its schedule, with what was missed made up for once.

https://github.com/Azure/azure-webjobs-sdk-extensions (Extensions/Timers/Listener/TimerListener.cs):
a status with the last and the next time is kept; when the host starts after a time was missed, the
function runs at once with ``IsPastDue``; without a status it waits for the next time, unless it
runs on start-up. A timer never runs beside itself, and what it raises is logged.
"""

import asyncio
import json
import logging
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from reconciler.local.host.schedule import Schedule, parse
from reconciler.local.host.worker import Failed, Function, Worker

log = logging.getLogger(__name__)
LONGEST_S = 3600.0
"""A longer pause is slept in pieces, so that a clock that was set is noticed."""


def utc_now() -> datetime:
    return datetime.now(UTC)


@dataclass(frozen=True)
class Status:
    """What is kept of a timer."""

    last: datetime | None
    next: datetime

    def told(self) -> dict[str, str]:
        last = self.last.isoformat() if self.last else "0001-01-01T00:00:00"
        return {"Last": last, "Next": self.next.isoformat(), "LastUpdated": last}


class Monitor:
    """Keeps the status of each timer in a file of its own."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def read(self, name: str) -> Status | None:
        with suppress(OSError, ValueError, KeyError):
            kept = json.loads(self._file(name).read_text())
            last = datetime.fromisoformat(kept["last"]) if kept["last"] else None
            return Status(last, datetime.fromisoformat(kept["next"]))
        return None

    def write(self, name: str, status: Status) -> None:
        self.folder.mkdir(parents=True, exist_ok=True)
        last = status.last.isoformat() if status.last else None
        new = self._file(name).with_suffix(".new")
        new.write_text(json.dumps({"last": last, "next": status.next.isoformat()}))
        new.replace(self._file(name))

    def _file(self, name: str) -> Path:
        return self.folder / f"{name}.json"


class Timer:
    """One timer function."""

    def __init__(
        self,
        function: Function,
        worker: Worker,
        monitor: Monitor,
        now: Callable[[], datetime] = utc_now,
    ) -> None:
        """Raises ValueError for a schedule that is none."""
        self.function = function
        self.worker = worker
        self.now = now
        trigger = function.trigger
        self.schedule: Schedule = parse(str(trigger["schedule"]))
        self.monitor = None if trigger.get("useMonitor") is False else monitor
        self.on_start = bool(trigger.get("runOnStartup"))

    async def run(self) -> None:
        """Until cancelled."""
        kept = self.monitor.read(self.function.name) if self.monitor else None
        past_due = kept is not None and kept.next <= self.now()
        status = kept or Status(None, self.schedule.next_after(self.now()))
        if past_due or self.on_start:
            status = await self.fire(status, past_due)
        while True:
            await self._until(status.next)
            status = await self.fire(status, past_due=False)

    async def fire(self, status: Status, past_due: bool) -> Status:
        """Run the function once; the status it leaves."""
        begun = self.now()
        try:
            await self.worker.timer(self.function.name, past_due, status.told())
        except Failed as error:
            log.error("%s failed: %s", self.function.name, error)
        # A time that came while the function ran has passed; the next one counts.
        after = Status(begun, self.schedule.next_after(max(begun, self.now())))
        if self.monitor:
            self.monitor.write(self.function.name, after)
        return after

    async def _until(self, moment: datetime) -> None:
        while (left := (moment - self.now()).total_seconds()) > 0:
            await asyncio.sleep(min(left, LONGEST_S))
