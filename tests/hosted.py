"""The Function App in a process of its own, with a repository and an emulated Azure around it."""

import asyncio
import json
import os
import sys
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import aiohttp
from jsonschema import Draft202012Validator

from reconciler.http.schemas import ANSWERS, PROBLEM
from reconciler.local.azure import EmulatedAzure
from reconciler.local.repository import commit, git
from reconciler.local.sandbox import READER, WRITER
from tests.engine.world import World

NEVER = "0 0 0 29 2 Mon"
"""A schedule that does not come while a test runs."""
ENDED = ("done", "failed", "stale", "refused", "superseded", "cancelled")
KEY = "the-key-of-the-functions"


@dataclass
class Answered:
    status: int
    headers: Mapping[str, str]
    text: str

    @property
    def json(self) -> Any:
        return json.loads(self.text)


@dataclass
class Hosted:
    """A running app; every answer that it gives is held to its schema."""

    url: str
    folder: Path
    azure: EmulatedAzure
    session: aiohttp.ClientSession
    process: asyncio.subprocess.Process

    async def ask(
        self, method: str, path: str, body: Any = None, key: str | None = KEY
    ) -> Answered:
        headers = {} if key is None else {"x-functions-key": key}
        data = body if isinstance(body, bytes | None) else json.dumps(body).encode()
        url = f"{self.url}/api/{path}"
        async with self.session.request(method, url, data=data, headers=headers) as answer:
            return Answered(answer.status, answer.headers, await answer.text())

    async def told(self, route: str, method: str, path: str, body: Any = None) -> Any:
        """The JSON of an answer that has to be good."""
        answer = await self.ask(method, path, body)
        assert answer.status < 300, answer.text
        assert answer.headers["Content-Type"].startswith("application/json")
        Draft202012Validator(ANSWERS[route]).validate(answer.json)
        return answer.json

    async def problem(self, method: str, path: str, body: Any = None) -> tuple[int, str, str]:
        """Status, kind and sentence of an answer that has to be a problem."""
        answer = await self.ask(method, path, body)
        assert answer.headers["Content-Type"].startswith("application/problem+json"), answer
        Draft202012Validator(PROBLEM).validate(answer.json)
        found = answer.json
        assert found["status"] == answer.status
        if answer.status == 503:
            assert int(answer.headers["Retry-After"]) > 0
        return answer.status, found["type"].removeprefix("urn:reconciler:"), found["detail"]

    async def reconcile(self, mode: str, **more: Any) -> Any:
        """Ask for a run of ``dev`` and follow it to its end."""
        asked = {"environment": "dev", "mode": mode, **more}
        name = (await self.told("reconcile", "POST", "reconcile", asked))["run"]
        return await self.ended(name)

    async def ended(self, name: str) -> Any:
        async with asyncio.timeout(60):
            while (run := await self.told("run", "GET", f"runs/{name}"))["state"] not in ENDED:
                await asyncio.sleep(0.05)
        return run

    def declare(self, *documents: str, environment: str = "") -> str:
        """Commit these specs and push them."""
        world = World(self.azure, self.folder, None)  # type: ignore[arg-type]
        world.declare(*documents, environment=environment)
        for path, text in world.files.items():
            file = self.folder / "work" / path
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(text)
        return commit(self.folder / "work", "More specs")

    def kill(self) -> None:
        self.process.kill()


@asynccontextmanager
async def hosted(
    folder: Path, azure: EmulatedAzure, schedule: str = NEVER, **environment: str
) -> AsyncIterator[Hosted]:
    """Start the app in a process of its own; ``environment`` is for it alone."""
    if not (folder / "specs.git").exists():
        bare = str(folder / "specs.git")
        git(folder, "init", "--quiet", "--bare", "--initial-branch=main", bare)
        git(folder, "clone", "--quiet", bare, "work")
    given = {
        **{name: value for name, value in os.environ.items() if "RECONCILER_" not in name},
        **azure.environment(),
        "RECONCILER_STATE": f"sqlite:{folder / 'state.db'}",
        "RECONCILER_REPO_URL": str(folder / "specs.git"),
        "RECONCILER_GIT_CACHE": str(folder / "git"),
        "RECONCILER_SCHEDULE": schedule,
        "RECONCILER_PLAN_CLIENT_ID": READER,
        "RECONCILER_APPLY_CLIENT_ID": WRITER,
        "RECONCILER_POLL_S": "0.05",
        "RECONCILER_RATE_LIMITS": "off",
        "LOCAL_HOST_KEY": KEY,
        **environment,
    }
    command = ("-m", "reconciler", "host", "--host-state", str(folder / "host"), "--hidden-s", "3")
    with (folder / "host.log").open("a") as log:
        process = await asyncio.create_subprocess_exec(
            sys.executable, *command, stdout=asyncio.subprocess.PIPE, stderr=log, env=given
        )
    try:
        assert process.stdout is not None
        line = await process.stdout.readline()
        assert line, (folder / "host.log").read_text()
        async with aiohttp.ClientSession() as session:
            yield Hosted(json.loads(line)["url"], folder, azure, session, process)
    finally:
        with suppress(ProcessLookupError):
            process.terminate()
        async with asyncio.timeout(20):
            await process.communicate()
