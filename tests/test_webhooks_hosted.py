"""Webhooks through the Function App, on the real worker library."""

import asyncio
import json
from collections import Counter
from collections.abc import AsyncIterator, Mapping
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
from jsonschema import Draft202012Validator

from reconciler.http.schemas import ANSWERS, PROBLEM
from reconciler.local.azure import EmulatedAzure
from reconciler.local.github.server import EmulatedGitHub
from reconciler.local.sandbox import READER
from tests.door import CANARY, HUGE, counted
from tests.engine.estates import ACCOUNT, GROUP, chat
from tests.forge.conftest import SECRETS
from tests.forge.small import REPOSITORY
from tests.forge.test_webhook import abuses, headers, pull, push, sign
from tests.hosted import Answered, Hosted, hosted

pytestmark = pytest.mark.asyncio(loop_scope="module")


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def app(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Hosted]:
    """One app for the tests of this module, which knows an old and a new secret."""
    async with (
        EmulatedGitHub() as hub,
        EmulatedAzure(rate_limits=False, readers=frozenset({READER})) as azure,
        hosted(
            tmp_path_factory.mktemp("app"),
            azure,
            RECONCILER_FORGE="github",
            GITHUB_REPOSITORY=REPOSITORY,
            GITHUB_API_URL=hub.environment()["GITHUB_API_URL"],
            GITHUB_TOKEN=hub.environment()["GITHUB_TOKEN"],
            GITHUB_WEBHOOK_SECRET=SECRETS[0],
            GITHUB_WEBHOOK_SECRET_OLD=SECRETS[1],
        ) as one,
    ):
        await hub.backdoor.create_repository("estate", {"README.md": "x\n"})
        yield one


async def send(
    app: Hosted, given: Mapping[str, str], body: bytes, forge: str = "github"
) -> Answered:
    """What is answered, held to its schema; without a key."""
    url = f"{app.url}/api/webhooks/{forge}"
    async with app.session.post(url, data=BytesIO(body), headers=given) as answer:
        found = Answered(answer.status, answer.headers, await answer.text())
    if found.status == 204:
        assert found.text == ""
    else:
        problem = found.status >= 400
        kind = "application/problem+json" if problem else "application/json"
        assert found.headers["Content-Type"].startswith(kind)
        Draft202012Validator(PROBLEM if problem else ANSWERS["webhook"]).validate(found.json)
    assert CANARY not in f"{found.text} {found.headers}"
    return found


async def signed(app: Hosted, event: str, payload: Any, secret: str = SECRETS[0]) -> Answered:
    body = json.dumps(payload).encode()
    return await send(app, headers(event, sign(body, secret)), body)


async def test_a_webhook_needs_a_signature_and_no_key(app: Hosted) -> None:
    for secret, status in ((SECRETS[0], 202), (SECRETS[1], 202), ("guessed", 401)):
        answer = await signed(app, "ping", {"zen": "Practicality beats purity."}, secret)
        assert answer.status == status
    assert (await signed(app, "star", {"action": "created"})).status == 204
    assert (await app.ask("GET", "webhooks/github")).status == 404


async def test_another_forge_is_not_found(app: Hosted) -> None:
    body = json.dumps(push("refs/heads/main")).encode()
    for forge in ("azuredevops", "gitlab", CANARY):
        found = await send(app, headers("push", sign(body)), body, forge)
        assert (found.status, found.json["type"]) == (404, "urn:reconciler:unknown-forge")


async def test_abuse_is_refused_and_repeats_nothing(app: Hosted, record_property: Any) -> None:
    body = json.dumps({**push("refs/heads/main"), "canary": CANARY}).encode()
    answered: Counter[int] = Counter()
    before = await app.told("runs", "GET", "runs")
    for wrong, (given, sent) in abuses(body).items():
        # A client of HTTP sends no header like these, nor a length that is not that of the body.
        if wrong in ("with a line break", "30 MB announced"):
            continue
        answered[(await send(app, given, sent)).status] += 1
    answered[(await send(app, {"X-GitHub-Event": "push"}, body.ljust(HUGE))).status] += 1
    counted(record_property, "over the worker library", answered, 0)
    assert answered == {401: 20, 413: 2}
    assert await app.told("runs", "GET", "runs") == before
    log = (app.folder / "host.log").read_text()
    assert "a webhook was refused" in log
    assert not any(one in log for one in (CANARY, *SECRETS))


async def test_a_push_is_applied_once_however_often_it_is_told(app: Hosted) -> None:
    head = app.declare(GROUP, ACCOUNT, chat(2))
    answers = await asyncio.gather(
        *(signed(app, "push", push("refs/heads/main", head)) for _ in range(20))
    )
    assert {one.status for one in answers} == {202}
    async with asyncio.timeout(40):
        while not (runs := (await app.told("runs", "GET", "runs"))["runs"]):
            await asyncio.sleep(0.05)
    assert [one["requestedBy"] for one in runs] == ["push"]
    run = await app.ended(runs[0]["id"])
    assert (run["state"], run["plan"]["commit"]) == ("done", head)


async def test_a_forge_that_does_not_answer_holds_no_answer_up(tmp_path: Path) -> None:
    async with (
        EmulatedAzure(rate_limits=False, readers=frozenset({READER})) as azure,
        hosted(
            tmp_path,
            azure,
            RECONCILER_FORGE="github",
            GITHUB_REPOSITORY=REPOSITORY,
            GITHUB_API_URL="http://127.0.0.1:1",
            GITHUB_TOKEN="ghp_canary",
            GITHUB_WEBHOOK_SECRET=SECRETS[0],
        ) as app,
    ):
        for number in range(1, 20):
            assert (await signed(app, "pull_request", pull("opened", number=number))).status == 202
        assert (await signed(app, "ping", {}, SECRETS[1])).status == 401
