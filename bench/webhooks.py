"""Webhooks: how quickly they are answered while what they ask for is done."""

import asyncio
import hashlib
import hmac
import json
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from bench.result import Result
from bench.service import A_SECOND, hosted, steadily, told
from bench.stage import Stage

if TYPE_CHECKING:
    from reconciler.local.sandbox import Sandbox

USUAL_BYTES = 25_000
"""Of a payload about a pull request: those that GitHub publishes have 22,000 to 26,000."""
PATIENCE_S = 60.0


def webhooks(stage: Stage, seconds: float = 10.0) -> Iterator[Result]:
    """Each one is signed, new, and about a pull request: the most that one can ask for."""
    name = f"webhook answers, {A_SECOND} a second on loopback"
    stage.say(name)
    with hosted(stage) as ours:
        took = asyncio.run(_answered(ours, _opened(ours), seconds))
    yield from told(name, took)


def _opened(ours: "Sandbox") -> int:
    """A pull request that was planned: what the app imports when it first needs it is another
    measurement."""
    from reconciler.local.repository import DEVELOPER, Repository, commit

    repository = Repository(ours.github, ours.api, ours.repository, ours.tokens)
    file = Path(ours.work) / "specs" / "estate.yaml"
    file.write_text(file.read_text(encoding="utf-8").replace("id-app", "id-more"), encoding="utf-8")
    commit(Path(ours.work), "Another identity", branch="more")
    asked = {"title": "Another identity", "head": "more", "base": "main"}
    number: int = repository.api_of(DEVELOPER, "/pulls", asked)["number"]
    begun = time.monotonic()
    while not repository.api_of(DEVELOPER, f"/issues/{number}/comments"):
        if time.monotonic() - begun > PATIENCE_S:
            raise SystemExit(f"pull request {number} was not planned: {Path(ours.log).read_text()}")
        time.sleep(0.1)
    return number


async def _answered(ours: "Sandbox", pull: int, seconds: float) -> list[float]:
    """How long each answer took."""
    import aiohttp

    async with aiohttp.ClientSession() as session:

        async def deliver(number: int) -> None:
            body = json.dumps(payload(ours.repository, pull, number)).encode()
            given = headers(body, ours.environment["GITHUB_WEBHOOK_SECRET"])
            url = f"{ours.app}/api/webhooks/github"
            async with session.post(url, data=body, headers=given) as answer:
                if answer.status != 202:
                    raise SystemExit(f"{answer.status}: {await answer.text()}")
                await answer.read()

        return await steadily(deliver, seconds)


def payload(repository: str, pull: int, number: int) -> Mapping[str, Any]:
    """As much of it as is read, as long as they are."""
    about = {"number": pull, "head": {"sha": f"{number:040x}"}, "base": {"ref": "main"}}
    found = {
        "action": "synchronize",
        "repository": {"full_name": repository},
        "pull_request": about,
    }
    return {**found, "more": "x" * (USUAL_BYTES - len(json.dumps(found)))}


def headers(body: bytes, secret: str) -> Mapping[str, str]:
    digest = hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()
    return {
        "Content-Type": "application/json",
        "X-GitHub-Event": "pull_request",
        "X-Hub-Signature-256": f"sha256={digest}",
    }
