"""A server on loopback that answers as it is told, and a clock that never waits."""

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from aiohttp import web
from azure.core.credentials import AccessToken

from reconciler.core.kinds import KINDS
from reconciler.core.model import Target

SUBSCRIPTION = "/subscriptions/00000000-0000-0000-0000-000000000000"
GROUP = f"{SUBSCRIPTION}/resourceGroups/rg"
ACCOUNT_ID = f"{GROUP}/providers/Microsoft.CognitiveServices/accounts/contoso"
DEPLOYMENT_ID = f"{ACCOUNT_ID}/deployments/chat"
START = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)
TOKEN = "canary-token-7f3a9c"  # must never appear anywhere but in a request

DROP = object()
"""A scripted answer: the request is read and the connection closed without a word."""


def target(kind: str = "ModelDeployment", arm_id: str = DEPLOYMENT_ID) -> Target:
    return Target(kind, arm_id, KINDS[kind].places[0].api_version)


class JumpClock:
    """Time passes only while somebody sleeps, and then at once."""

    def __init__(self) -> None:
        self.elapsed = 0.0
        self.slept: list[float] = []

    def now(self) -> datetime:
        return START + timedelta(seconds=self.elapsed)

    def monotonic(self) -> float:
        return self.elapsed

    async def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.elapsed += seconds
        await asyncio.sleep(0)


@dataclass
class Seen:
    method: str
    raw_path: str
    headers: Mapping[str, str]
    body: Any


type Reply = tuple[int, Mapping[str, str], Any] | Callable[[Seen], Any] | object


@dataclass
class Script:
    """What the server answers, in order; the last answer is repeated."""

    replies: list[Any] = field(default_factory=list)
    seen: list[Seen] = field(default_factory=list)
    url: str = ""

    def answer(self, status: int, body: Any = None, **headers: str) -> None:
        self.replies.append((status, {k.replace("_", "-"): v for k, v in headers.items()}, body))

    def lines(self) -> list[str]:
        return [f"{one.method} {one.raw_path.partition('?')[0]}" for one in self.seen]

    async def handle(self, request: web.BaseRequest) -> web.StreamResponse:
        text = await request.text()
        body = json.loads(text) if text else None
        seen = Seen(request.method, request.raw_path, dict(request.headers), body)
        self.seen.append(seen)
        reply = self.replies[0] if len(self.replies) == 1 else self.replies.pop(0)
        if callable(reply):
            reply = reply(seen)
        if reply is DROP:
            assert request.transport is not None
            request.transport.close()
            return web.Response()
        status, headers, content = reply
        if isinstance(content, str):
            return web.Response(status=status, headers=headers, text=content)
        if content is None:
            return web.Response(status=status, headers=headers)
        return web.json_response(content, status=status, headers=headers)


class StaticCredential:
    """A token that costs nothing; counts how often it was asked for."""

    def __init__(self) -> None:
        self.asked: list[tuple[str, ...]] = []
        self.claims: list[str | None] = []

    async def get_token(self, *scopes: str, **options: Any) -> AccessToken:
        self.asked.append(scopes)
        self.claims.append(options.get("claims"))
        return AccessToken(TOKEN, 4_000_000_000)

    async def close(self) -> None: ...


@asynccontextmanager
async def serving(
    handler: Callable[[web.BaseRequest], Awaitable[web.StreamResponse]],
) -> AsyncIterator[str]:
    runner = web.ServerRunner(web.Server(handler, access_log=None), shutdown_timeout=0.1)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    try:
        yield f"http://127.0.0.1:{runner.addresses[0][1]}"
    finally:
        await runner.cleanup()
