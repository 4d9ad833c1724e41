"""No secret leaves: a canary in every field that takes one, and then every place is searched."""

import json
import logging
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from reconciler.core.desired import parse
from reconciler.core.marks import marks
from reconciler.core.model import Plan, Run, Secret, walk
from reconciler.core.preview import Preview, Previewed
from reconciler.core.render import (
    Links,
    plain,
    plan_json,
    plan_markdown,
    plan_text,
    run_json,
    run_markdown,
    run_text,
)
from reconciler.core.render.drift_markdown import drift_markdown, healed_markdown
from reconciler.local.azure import Fault
from tests.desk import Desk, a_desk
from tests.proofs.secret_estate import (
    CANARIES,
    ESTATE,
    VALUES,
    fields_that_take_secrets,
)


def test_there_is_a_canary_in_every_field_that_takes_a_secret(tmp_path: Path) -> None:
    from tests.engine.world import World

    world = World(None, tmp_path, None)  # type: ignore[arg-type]
    world.declare(*ESTATE)
    given = {
        (resource.key.kind, str([part for part in path if isinstance(part, str)][-1]))
        for resource in parse(world.files, "dev").resources
        for path, value in walk(resource.properties)
        if isinstance(value, Secret)
    }
    assert given >= fields_that_take_secrets()


PREVIEW = Preview(7, "3f2c1ab", state="planned", environments=(Previewed("dev", "planned"),))


def shown(plan: Plan, run: Run) -> list[str]:
    """Everything that is told to anybody."""
    return [
        json.dumps(plan_json(plan)),
        plan_markdown(plan),
        plain(plan_text(plan)),
        json.dumps(run_json(run)),
        run_markdown(run),
        run_markdown(replace(run, state="refused", outcomes={})),
        healed_markdown(run, links=Links(), alerts=True, limit=60_000),
        drift_markdown(plan, links=Links(), alerts=True, limit=60_000, self_heal="report"),
        repr(marks(PREVIEW, {plan.environment: plan}, links=Links(), limit=60_000)),
        plain(run_text(run)),
        repr(plan),
        repr(run),
    ]


def sung(texts: list[str]) -> list[str]:
    """The canaries that are in there, in any spelling that JSON or a URL gives them."""
    whole = "\n".join(texts)
    return [canary for canary in CANARIES.values() if canary in whole]


def saved(folder: Path) -> list[str]:
    return [file.read_bytes().decode("latin-1") for file in sorted(folder.glob("state.db*"))]


def logged(caplog: pytest.LogCaptureFixture) -> list[str]:
    """What the reconciler and its libraries say; the emulated Azure is none of them."""
    found: list[str] = []
    for record in caplog.records:
        if not record.name.startswith("reconciler.local"):
            found += [record.getMessage(), str(record.exc_info), str(record.__dict__)]
    return found


async def told(desk: Desk, **more: Any) -> tuple[Run, list[str]]:
    """Plan and apply, and everything that was said about it."""
    name = await desk.ask("plan")
    await desk.work()
    plan = (await desk.run(name)).plan
    run = await desk.apply_anyhow()
    return run, [*shown(plan, run), repr(await desk.status())]


async def test_no_secret_is_logged_saved_or_shown(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    async with a_desk(tmp_path) as desk:
        desk.world.secrets.update(VALUES)  # type: ignore[attr-defined]
        desk.declare(*ESTATE)
        run, texts = await told(desk)
        assert run.state == "done", [o.detail for o in run.outcomes.values() if o.detail]
        arrived = [one.body for one in desk.world.azure.store]
        assert sung([json.dumps(arrived, default=str)]), "the canaries were never sent"
        assert await desk.converged()
        assert sung(texts) == []
        assert sung(saved(tmp_path)) == []
    assert len(caplog.records) > 100
    assert sung(logged(caplog)) == []


async def test_a_secret_that_azure_repeats_in_a_refusal_is_not_passed_on(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    async with a_desk(tmp_path) as desk:
        desk.world.secrets.update(VALUES)  # type: ignore[attr-defined]
        everything = " and ".join(VALUES.values())
        for status, path in ((400, "connections"), (409, "datastores"), (400, "computes")):
            rule = Fault(
                method="PUT", path=path, status=status, message=f"Not valid: {everything}."
            )
            desk.world.azure.faults.add([rule])
        desk.declare(*ESTATE)
        run, texts = await told(desk)
        assert run.state == "failed"
        assert any("Not valid" in outcome.detail for outcome in run.outcomes.values())
        assert sung(texts) == []
        assert sung(saved(tmp_path)) == []
    assert sung(logged(caplog)) == []
