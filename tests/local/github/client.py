"""A bare HTTP client for the emulated GitHub, and a receiver of its webhooks."""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import json
import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from types import TracebackType
from typing import Any, Self

import aiohttp
import jwt
from aiohttp import web
from yarl import URL

from reconciler.local.github import EmulatedGitHub, Exchange
from reconciler.local.github.world import MAINTAINER
from tests.local.github import openapi

REPO = "contoso/estate"
SPEC = "kind: Account\nmetadata:\n  name: one\n"


@dataclass(frozen=True)
class Answer:
    status: int
    headers: Mapping[str, str]
    body: Any


@dataclass
class Receiver:
    """Takes webhooks at `url`, checks each signature, keeps all."""

    secret: str = ""
    got: list[tuple[str, str, dict[str, Any]]] = field(default_factory=list)  # guid, event, payload
    status: int = 202
    url: str = ""

    async def handle(self, request: web.BaseRequest) -> web.StreamResponse:
        body = await request.content.read()
        wanted = "sha256=" + hmac.new(self.secret.encode(), body, hashlib.sha256).hexdigest()
        assert hmac.compare_digest(request.headers["X-Hub-Signature-256"], wanted)
        guid, event = (request.headers[f"X-GitHub-{name}"] for name in ("Delivery", "Event"))
        self.got.append((guid, event, json.loads(body)))
        return web.Response(status=self.status)

    def said(self) -> list[str]:
        """Events with their actions, in the order in which they came."""
        return [f"{event}.{body['action']}" if "action" in body else event
                for _, event, body in self.got]  # fmt: skip


@dataclass
class Client:
    """An emulated GitHub with one repository, a session, and a receiver of webhooks."""

    github: EmulatedGitHub
    receiver: Receiver = field(default_factory=Receiver)
    exchanges: list[Exchange] = field(default_factory=list)
    _session: aiohttp.ClientSession | None = None
    _runner: web.ServerRunner | None = None

    async def __aenter__(self) -> Self:
        self.github.options.on_exchange = self.exchanges.append
        await self.github.__aenter__()
        self._session = aiohttp.ClientSession()
        self.receiver.secret = self.github.hooks.app_hook.secret
        self._runner = web.ServerRunner(web.Server(self.receiver.handle), shutdown_timeout=0.1)
        await self._runner.setup()
        await web.TCPSite(self._runner, "127.0.0.1", 0).start()
        self.receiver.url = f"http://127.0.0.1:{self._runner.addresses[0][1]}/hooks"
        files = {"README.md": "# Estate\n", "specs/account.yaml": SPEC}
        await self.github.backdoor.create_repository("estate", files)
        self.github.backdoor.webhook(self.receiver.url)
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        assert self._session is not None
        assert self._runner is not None
        await self._session.close()
        await self.github.__aexit__(kind, error, trace)
        await self._runner.cleanup()
        if kind is None and openapi.FILE.exists():
            for exchange in self.exchanges:
                openapi.check(exchange)
            for _, event, payload in self.receiver.got:
                openapi.check_payload(event, payload)

    async def send(
        self, method: str, path: str, body: Any = None, *, token: str | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> Answer:  # fmt: skip
        """A request below the API's base, or below the repository's for "./…".

        As the maintainer unless told; "" for nobody.
        """
        assert self._session is not None
        path = path.replace("./", f"/repos/{REPO}/", 1) if path.startswith("./") else path
        token = self.token() if token is None else token
        given = {"Authorization": f"Bearer {token}"} if token else {}
        async with self._session.request(
            method, f"{self.github.api}{path}", json=body, headers={**given, **(headers or {})}
        ) as answer:
            content = await answer.read()
            is_json = answer.content_type == "application/json" and content
            found = json.loads(content) if is_json else content
            lower = {name.lower(): value for name, value in answer.headers.items()}
            return Answer(answer.status, lower, found)

    async def text(self, path: str) -> tuple[int, str]:
        """A page for people."""
        assert self._session is not None
        async with self._session.get(URL(f"{self.github.url}{path}", encoded=True)) as answer:
            return answer.status, await answer.text()

    async def fill(self, path: str, origin: str | None = None, **form: str) -> tuple[int, str]:
        """Send a page's form as a browser does: the status and page that it leads to."""
        assert self._session is not None
        headers = {} if origin is None else {"Origin": origin}
        url = URL(f"{self.github.url}{path}", encoded=True)
        async with self._session.post(url, data=form, headers=headers) as answer:
            return answer.status, await answer.text()

    # Identities

    def token(self, login: str = MAINTAINER) -> str:
        return self.github.backdoor.token(login)

    def jwt(self, *, issued: float = -60, expires: float = 540, **claims: Any) -> str:
        now, app = self.github.world.now(), self.github.world.app
        content = {"iat": int(now + issued), "exp": int(now + expires), "iss": str(app.id)}
        return jwt.encode({**content, **claims}, app.private_key, "RS256")

    async def app_token(self, **asked: Any) -> str:
        number = self.github.world.app.installation_id
        path = f"/app/installations/{number}/access_tokens"
        made = await self.send("POST", path, asked or None, token=self.jwt())
        assert made.status == 201, made.body
        return str(made.body["token"])

    # Pull requests

    async def a_pull(self, branch: str = "change", **files: str) -> int:
        """One from a new branch that changes these files, or the spec."""
        changes = {name.replace("__", "/") + ".yaml": text for name, text in files.items()}
        door = self.github.backdoor
        await door.commit(REPO, changes or {"specs/two.yaml": SPEC}, "A change", branch=branch)
        return await door.open_pull(REPO, branch, f"Change on {branch}", body="Why it is needed")

    async def heard(self) -> list[str]:
        """What the receiver was told until now."""
        await self.github.hooks.settle()
        return self.receiver.said()


async def git(*arguments: str, cwd: Any = None, check: bool = True) -> str:
    """The real git, isolated from whoever runs the tests."""
    env = {
        "PATH": os.environ["PATH"], "GIT_CONFIG_GLOBAL": os.devnull, "GIT_CONFIG_NOSYSTEM": "1",
        "GIT_TERMINAL_PROMPT": "0", "HOME": os.devnull,
        **{f"GIT_{who}_{what}": value for who in ("AUTHOR", "COMMITTER")
           for what, value in (("NAME", "Somebody"), ("EMAIL", "somebody@example.com"))},
    }  # fmt: skip
    process = await asyncio.create_subprocess_exec(
        "git", *arguments, cwd=cwd, env=env,
        stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT,
    )  # fmt: skip
    out, _ = await process.communicate()
    if check:
        assert process.returncode == 0, out.decode()
    return out.decode().strip()
