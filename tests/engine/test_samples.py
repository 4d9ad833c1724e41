"""The samples under specs/, applied: every resource comes about, and the second plan is empty."""

import os
from pathlib import Path
from typing import Any

import pytest

from reconciler.local.azure import EmulatedAzure
from tests.contracts import check_exchange
from tests.engine.world import FastClock, Seconds, World, failures

ROOT = Path(__file__).parents[2]
FILES = {
    str(file.relative_to(ROOT)): file.read_text()
    for file in sorted((ROOT / "specs").rglob("*.yaml"))
}
CANARIES = {"HF_TOKEN": "canary-hugging-face", "WEATHER_KEY": "canary-weather"}


@pytest.mark.parametrize(("environment", "at_least"), [("dev", 45), ("prod", 50)])
async def test_the_samples_are_applied_and_planned_to_nothing(
    environment: str, at_least: int, tmp_path: Path
) -> None:
    clock, sent = FastClock(), []

    def watch(exchange: Any) -> None:
        if "RECONCILER_CONTRACTS" in os.environ:
            sent.extend(one for one in check_exchange(exchange) if ": request " in one)

    async with EmulatedAzure(clock=Seconds(clock), rate_limits=False, on_exchange=watch) as azure:
        world = World(azure, tmp_path, clock, FILES, secrets=CANARIES)
        async with world.app() as app:
            run = await app.apply(FILES, environment, "commit-1")
            assert run.state == "done", failures(run)
            plan = await app.plan(FILES, environment, "commit-1")
    asked = [one for one in azure.requests.entries if one.path.startswith("/_data/")]
    assert len(asked) >= 4, "smoke tests"
    assert plan.changes == ()
    assert plan.unchanged >= at_least
    assert sent == [], "bodies that Microsoft's types do not allow"
    assert not any(canary in repr((run, plan)) for canary in CANARIES.values())
