"""What host.json says, and what the app's own says."""

import json
from pathlib import Path

import pytest

from reconciler.local.host.options import HostOptions, QueueOptions, seconds
from reconciler.local.host.worker import NotHosted, resolve
from reconciler.settings import Settings

ROOT = Path(__file__).parents[3]


def read(folder: Path, content: object) -> HostOptions:
    (folder / "host.json").write_text(json.dumps(content))
    return HostOptions.read(folder)


def test_what_is_not_said_is_as_the_functions_host_has_it(tmp_path: Path) -> None:
    options = read(tmp_path, {"version": "2.0"})
    assert options == HostOptions(QueueOptions(16, 8, 5, 0.0, 60.0), "api", 1800.0)


def test_what_is_said_is_heeded(tmp_path: Path) -> None:
    queues = {"batchSize": 4, "visibilityTimeout": "00:00:30", "maxPollingInterval": "00:00:02"}
    options = read(
        tmp_path,
        {"functionTimeout": "-1", "extensions": {"queues": queues, "http": {"routePrefix": ""}}},
    )
    assert options == HostOptions(QueueOptions(4, 2, 5, 30.0, 2.0), "", None)


@pytest.mark.parametrize("text", ["", "{", '{"extensions": {"queues": {"batchSize": 64}}}'])
def test_a_host_json_that_cannot_be_meant_is_refused(tmp_path: Path, text: str) -> None:
    if text:
        (tmp_path / "host.json").write_text(text)
    with pytest.raises(NotHosted, match=r"host\.json"):
        HostOptions.read(tmp_path)


def test_durations_are_read_as_dotnet_writes_them() -> None:
    assert [seconds(text) for text in ("00:00:30", "1.02:03:04", "10:00:00")] == [30, 93784, 36000]


def test_a_setting_in_a_trigger_is_resolved(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WHEN", "0 0 * * * *")
    assert [resolve("%WHEN%"), resolve("plain"), resolve(7)] == ["0 0 * * * *", "plain", 7]
    with pytest.raises(NotHosted, match="set NOT_SET_HERE"):
        resolve("%NOT_SET_HERE%")


def test_a_turn_ends_well_before_the_host_would_end_it() -> None:
    options = HostOptions.read(ROOT)
    assert options.timeout_s is not None
    assert Settings.budget_s * 2 <= options.timeout_s
