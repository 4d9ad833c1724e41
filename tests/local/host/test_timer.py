"""Timers: what was missed is made up for once, and nothing runs beside itself."""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from reconciler.local.host.timer import Monitor, Status, Timer
from reconciler.local.host.worker import Failed, Function

START = datetime(2026, 11, 20, 12, 0, 0, tzinfo=UTC)


@dataclass
class Calls:
    """A worker that only notes what it is asked for."""

    past_due: list[bool] = field(default_factory=list)
    statuses: list[Mapping[str, str]] = field(default_factory=list)
    enough: asyncio.Event = field(default_factory=asyncio.Event)
    fails: bool = False

    async def timer(self, name: str, past_due: bool, status: Mapping[str, str]) -> None:
        self.past_due.append(past_due)
        self.statuses.append(status)
        self.enough.set()
        if self.fails:
            raise Failed("no")


def a_timer(calls: Calls, folder: Path, now: datetime = START, **trigger: Any) -> Timer:
    given = {"type": "timerTrigger", "name": "t", "schedule": "0 */5 * * * *", **trigger}
    worker: Any = calls
    return Timer(Function("sweep", "1", given), worker, Monitor(folder), lambda: now)


async def started(timer: Timer, calls: Calls, fires: bool) -> None:
    """Start a timer and see whether it fires at once."""
    task = asyncio.create_task(timer.run())
    for _ in range(5):
        await asyncio.sleep(0)
    assert calls.enough.is_set() is fires
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)


async def test_a_new_timer_waits_for_its_time(tmp_path: Path) -> None:
    calls = Calls()
    await started(a_timer(calls, tmp_path), calls, fires=False)


async def test_a_timer_may_run_when_the_host_starts(tmp_path: Path) -> None:
    calls = Calls()
    await started(a_timer(calls, tmp_path, runOnStartup=True), calls, fires=True)
    assert calls.past_due == [False]


async def test_a_time_that_was_missed_is_made_up_for_once(tmp_path: Path) -> None:
    Monitor(tmp_path).write("sweep", Status(START - timedelta(hours=2), START - timedelta(hours=1)))
    calls = Calls()
    await started(a_timer(calls, tmp_path), calls, fires=True)
    assert calls.past_due == [True]
    assert calls.statuses[0]["Last"] == "2026-11-20T10:00:00+00:00"
    again = Calls()
    await started(a_timer(again, tmp_path), again, fires=False)


async def test_a_timer_without_a_monitor_forgets(tmp_path: Path) -> None:
    Monitor(tmp_path).write("sweep", Status(None, START - timedelta(hours=1)))
    calls = Calls()
    await started(a_timer(calls, tmp_path, useMonitor=False), calls, fires=False)


async def test_a_status_that_cannot_be_read_counts_as_none(tmp_path: Path) -> None:
    (tmp_path / "sweep.json").write_text("{")
    calls = Calls()
    await started(a_timer(calls, tmp_path), calls, fires=False)


async def test_a_timer_whose_function_fails_goes_on(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    calls = Calls(fails=True)
    timer = a_timer(calls, tmp_path)
    after = await timer.fire(Status(None, START), past_due=False)
    assert after == Status(START, START + timedelta(minutes=5))
    assert "sweep failed: no" in caplog.text


async def test_it_fires_when_its_time_comes(tmp_path: Path) -> None:
    calls = Calls()
    trigger = {"type": "timerTrigger", "name": "t", "schedule": "* * * * * *"}
    worker: Any = calls
    timer = Timer(Function("sweep", "1", trigger), worker, Monitor(tmp_path))
    task = asyncio.create_task(timer.run())
    async with asyncio.timeout(5):
        await calls.enough.wait()
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    assert calls.past_due[0] is False
