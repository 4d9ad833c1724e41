"""The Function App on the real worker library: what it answers, and what comes of it."""

import asyncio
import json
import os
import subprocess
import sys
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio

from reconciler.http.schemas import ANSWERS, PROBLEM
from reconciler.local.azure import EmulatedAzure
from reconciler.local.sandbox import READER
from tests.engine.estates import ACCOUNT, GROUP, chat
from tests.engine.world import GROUP as GROUP_ID
from tests.hosted import Hosted, hosted

ROOT = Path(__file__).parents[1]
CHAT = f"{GROUP_ID}/providers/Microsoft.CognitiveServices/accounts/contoso/deployments/chat"


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def azure() -> AsyncIterator[EmulatedAzure]:
    async with EmulatedAzure(rate_limits=False, readers=frozenset({READER})) as one:
        yield one


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def app(
    azure: EmulatedAzure, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[Hosted]:
    """One app for the tests of this module: it is a process, and takes a second to start."""
    async with hosted(tmp_path_factory.mktemp("app"), azure) as one:
        one.declare(GROUP, ACCOUNT, chat(2))
        yield one


pytestmark = pytest.mark.asyncio(loop_scope="module")


async def test_anybody_may_ask_whether_it_is_alive_and_learns_nothing_else(app: Hosted) -> None:
    answer = await app.ask("GET", "health", key=None)
    assert [answer.status, set(answer.json)] == [200, {"status", "version"}]
    await app.told("health", "GET", "health")


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("POST", "reconcile"),
        ("GET", "runs"),
        ("GET", "runs/x"),
        ("POST", "runs/x/cancel"),
        ("GET", "environments"),
    ],
)
async def test_everything_else_needs_a_key(app: Hosted, method: str, path: str) -> None:
    for key in (None, "", "wrong"):
        answer = await app.ask(method, path, key=key)
        assert [answer.status, answer.text] == [401, ""]


async def test_a_request_is_accepted_followed_and_done(app: Hosted) -> None:
    asked = {"environment": "dev", "mode": "apply"}
    answer = await app.ask("POST", "reconcile", asked)
    assert answer.status == 202
    found = answer.json
    assert answer.headers["Location"] == found["status_url"] == f"{app.url}/api/runs/{found['run']}"
    run = await app.ended(found["run"])
    assert [run["state"], run["mode"], run["plan"]["summary"]["create"]] == ["done", "apply", 3]
    assert {step["state"] for step in run["steps"]} == {"done"}
    plan = await app.reconcile("plan")
    assert [plan["state"], plan["plan"]["changes"]] == ["done", []]
    listed = await app.told("runs", "GET", "runs?environment=dev&limit=1")
    assert [one["id"] for one in listed["runs"]] == [plan["id"]]
    known = await app.told("environments", "GET", "environments")
    assert known["environments"][0]["appliedCommit"] == known["commit"] == run["plan"]["commit"]


@pytest.mark.parametrize(
    ("body", "status", "says"),
    [
        (b"", 400, "not JSON"),
        (b"{", 400, "not JSON"),
        (b"[" * 60_000, 400, "not JSON"),
        (b"\xff\xfe", 400, "not JSON"),
        ([], 400, "JSON object"),
        ({}, 400, "mode"),
        ({"mode": "destroy", "environment": "dev"}, 400, "mode"),
        ({"mode": ["plan"], "environment": "dev"}, 400, "mode"),
        ({"mode": "plan"}, 400, "environment"),
        ({"mode": "plan", "environment": 7}, 400, "environment"),
        ({"mode": "plan", "environment": "../dev"}, 400, "environment"),
        ({"mode": "plan", "environment": "dev", "ref": "--upload-pack=x"}, 400, "ref"),
        ({"mode": "plan", "environment": "dev", "only": []}, 400, "only"),
        ({"mode": "plan", "environment": "dev", "only": ["no kind"]}, 400, "only"),
        ({"mode": "plan", "environment": "dev", "allow": "please"}, 400, "allow"),
        ({"mode": "plan", "environment": "dev", "force": True}, 400, "unknown field"),
        ({"mode": "plan", "environment": "moon"}, 404, "there are: dev"),
        ({"mode": "plan", "environment": "dev", "ref": "0" * 40}, 404, "0000"),
        ({"mode": "apply", "environment": "dev", "ref": "0" * 40}, 409, "only the head"),
        (b'{"environment": "' + b"x" * 70_000, 413, "64 KiB"),
    ],
)
async def test_a_bad_request_is_a_problem_and_queues_nothing(
    app: Hosted, body: Any, status: int, says: str
) -> None:
    before = await app.told("runs", "GET", "runs")
    found, _, detail = await app.problem("POST", "reconcile", body)
    assert [found, says in detail] == [status, True], detail
    assert await app.told("runs", "GET", "runs") == before


@pytest.mark.parametrize("query", ["limit=0", "limit=many", "limit=501", "environment=../x"])
async def test_a_bad_query_is_a_problem(app: Hosted, query: str) -> None:
    assert (await app.problem("GET", f"runs?{query}"))[0] == 400


async def test_a_run_that_never_was_is_not_found(app: Hosted) -> None:
    for method, path in (("GET", "runs/nothing"), ("POST", "runs/nothing/cancel")):
        assert (await app.problem(method, path))[:2] == (404, "unknown-run")


async def test_a_run_that_ended_cannot_be_cancelled(app: Hosted) -> None:
    run = await app.reconcile("plan")
    status, kind, detail = await app.problem("POST", f"runs/{run['id']}/cancel")
    assert [status, kind, "done already" in detail] == [409, "run-ended", True]


async def test_other_methods_and_addresses_are_not_found(app: Hosted) -> None:
    for method, path in (("GET", "reconcile"), ("DELETE", "runs/x"), ("GET", "nothing")):
        assert (await app.ask(method, path)).status == 404


async def test_the_identity_that_plans_cannot_write(app: Hosted, azure: EmulatedAzure) -> None:
    before = len(azure.requests.entries)
    app.declare(GROUP, ACCOUNT, chat(3))
    assert (await app.reconcile("plan"))["plan"]["changes"]
    plan = list(azure.requests.entries)[before:]
    assert {one.principal for one in plan} - {""} == {READER}, "but for signing in"
    assert "PUT" not in {one.method for one in plan}


async def test_an_app_without_a_repository_says_what_is_missing(
    azure: EmulatedAzure, tmp_path: Path
) -> None:
    async with hosted(tmp_path, azure, RECONCILER_REPO_URL="") as app:
        status, kind, detail = await app.problem("GET", "environments")
        assert [status, kind, "RECONCILER_REPO_URL" in detail] == [503, "unavailable", True]
        assert (await app.ask("GET", "health", key=None)).status == 200


async def test_damaged_state_is_refused_and_left_as_it_is(
    azure: EmulatedAzure, tmp_path: Path
) -> None:
    async with hosted(tmp_path, azure, RECONCILER_STATE=f"sqlite:{tmp_path}/other.db") as app:
        pass
    damaged = b"this is no database, but somebody may still want it" * 100
    (tmp_path / "state.db").write_bytes(damaged)
    with pytest.raises(AssertionError, match="put back a copy"):
        async with hosted(tmp_path, azure) as app:
            await app.problem("GET", "runs")
    assert (tmp_path / "state.db").read_bytes() == damaged


async def test_specs_that_cannot_be_used_are_told_with_their_places(
    azure: EmulatedAzure, tmp_path: Path
) -> None:
    async with hosted(tmp_path, azure) as app:
        app.declare(GROUP, environment="selfHeal: sometimes")
        answer = await app.ask("POST", "reconcile", {"environment": "dev", "mode": "plan"})
        assert [answer.status, answer.json["type"]] == [422, "urn:reconciler:invalid-specs"]
        assert answer.json["errors"][0]["source"].startswith("specs/environments/dev.yaml:")


async def test_an_apply_with_the_rights_of_a_reader_is_refused_with_a_sentence(
    azure: EmulatedAzure, tmp_path: Path
) -> None:
    async with hosted(tmp_path, azure, RECONCILER_APPLY_CLIENT_ID=READER) as app:
        app.declare(GROUP, ACCOUNT, chat(9), chat(1, "another"))
        run = await app.reconcile("apply")
        failed = [step["detail"] for step in run["steps"] if step["state"] == "failed"]
        assert run["state"] == "failed"
        assert all("does not have authorization" in one for one in failed), failed


async def test_the_timer_applies_what_is_pushed_and_heals_what_is_changed(tmp_path: Path) -> None:
    async with (
        EmulatedAzure(rate_limits=False, readers=frozenset({READER})) as azure,
        hosted(tmp_path, azure, schedule="* * * * * *") as app,
    ):
        app.declare(GROUP, ACCOUNT, chat(2))
        assert (await first_run(app, "sweep"))["state"] == "done"
        azure.backdoor.patch(CHAT, {"sku": {"capacity": 7}})
        assert (await first_run(app, "drift"))["state"] == "done"
        assert azure.backdoor.get(CHAT)["sku"]["capacity"] == 2


async def test_a_worker_that_is_killed_is_followed_by_one_that_finishes(tmp_path: Path) -> None:
    async with EmulatedAzure(rate_limits=False, time_scale=0.02) as azure:
        async with hosted(tmp_path, azure, RECONCILER_LEASE_S="2") as app:
            app.declare(GROUP, ACCOUNT, chat(2), chat(1, "more"))
            asked = {"environment": "dev", "mode": "apply"}
            name = (await app.told("reconcile", "POST", "reconcile", asked))["run"]
            async with asyncio.timeout(20):
                while not [one for one in azure.requests.entries if one.method == "PUT"]:
                    await asyncio.sleep(0.01)
            app.kill()
        async with hosted(tmp_path, azure) as app:
            assert (await app.ended(name))["state"] == "done"
            assert (await app.reconcile("plan"))["plan"]["changes"] == []


async def first_run(app: Hosted, by: str) -> Any:
    """The first run that somebody asked for, once it has ended."""
    async with asyncio.timeout(40):
        while True:
            listed = (await app.told("runs", "GET", "runs"))["runs"]
            if found := [one["id"] for one in listed if one["requestedBy"] == by]:
                return await app.ended(found[-1])
            await asyncio.sleep(0.05)


@pytest.mark.asyncio(loop_scope="function")
async def test_the_app_is_indexed_without_its_heavy_parts() -> None:
    code = (
        "import sys, json, function_app; print(json.dumps([m for m in sys.modules if m.startswith("
        "('azure.ai', 'aiohttp', 'reconciler.', 'git', 'azure.storage', 'azure.identity'))]))"
    )
    found = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, check=True)
    assert json.loads(found.stdout) == []


@pytest.mark.asyncio(loop_scope="function")
async def test_every_route_has_the_schema_of_its_answer() -> None:
    from jsonschema import Draft202012Validator

    from reconciler.http.routes import ROUTES

    assert set(ANSWERS) == {*ROUTES, "health"}
    for schema in (*ANSWERS.values(), PROBLEM):
        Draft202012Validator.check_schema(schema)


@pytest.mark.asyncio(loop_scope="function")
async def test_every_setting_is_in_the_readme() -> None:
    found = subprocess.run(
        ["git", "grep", "-ohE", "RECONCILER_[A-Z_]+[A-Z]", "--", "reconciler", "function_app.py"],
        cwd=ROOT, capture_output=True, text=True, check=True, env=dict(os.environ),
    )  # fmt: skip
    named = set(found.stdout.split()) - {"RECONCILER_SECRET", "RECONCILER_CONTRACTS"}
    readme = (ROOT / "README.md").read_text()
    assert sorted(name for name in named if f"`{name}`" not in readme) == []
