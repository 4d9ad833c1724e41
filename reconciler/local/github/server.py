"""The emulated GitHub as a server on loopback: sockets, TLS, misbehaviour, the log."""

from __future__ import annotations

import asyncio
import json
import socket
import tempfile
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Any, Self
from urllib.parse import parse_qsl, unquote

from aiohttp import web

from reconciler.local.clock import Clock, SystemClock
from reconciler.local.github.api import PREFIX as API
from reconciler.local.github.api import Api, encoded
from reconciler.local.github.backdoor import PREFIX as BACKDOOR
from reconciler.local.github.backdoor import Backdoor
from reconciler.local.github.events import Events
from reconciler.local.github.faults import Fault, Faults
from reconciler.local.github.hooks import Hooks, Mischief
from reconciler.local.github.limits import Limits
from reconciler.local.github.model import Caller
from reconciler.local.github.pages import Pages
from reconciler.local.github.pulls import Pulls
from reconciler.local.github.site import Site
from reconciler.local.github.smart_http import SmartHttp
from reconciler.local.github.traffic import Exchange, Logged
from reconciler.local.github.wire import Reply, Request
from reconciler.local.github.world import MACHINE, MAINTAINER, World
from reconciler.local.tls import Certificates, make_certificates
from reconciler.local.traffic import Log


@dataclass(kw_only=True)
class Options:
    """How the emulator behaves; every member is an argument of `EmulatedGitHub`."""

    port: int = 0
    host: str = "127.0.0.1"
    tls: bool = False
    seed: int = 0
    latency_ms: float = 0.0
    faults: Iterable[Fault | Mapping[str, Any]] = ()
    mischief: Mischief = field(default_factory=Mischief)  # of webhooks
    rate_limits: bool = True
    webhook_url: str = ""
    mergeable_delay_s: float = 0.0  # how long `mergeable` is null after a change
    on_exchange: Callable[[Exchange], None] | None = None
    clock: Clock = field(default_factory=SystemClock)


class EmulatedGitHub:
    """An asynchronous context manager that serves GitHub on loopback while it is open.

    Once open: `url` is where people and git find it, `api` the base of the REST API,
    `environment()` what a client needs, `backdoor` what tests need, `hooks` the webhooks,
    `world` the state. Everything, the repositories too, goes when it is closed.
    """

    site: Site
    backdoor: Backdoor
    _folder: tempfile.TemporaryDirectory[str]
    _api: Api
    _git: SmartHttp
    _pages: Pages

    def __init__(self, **options: Any) -> None:
        self.options = Options(**options)
        self.faults = Faults(self.options.faults, self.options.seed)
        self.limits = Limits(enabled=self.options.rate_limits)
        self.requests = Log[Logged]()
        self._certificates: Certificates | None = None
        self._runner: web.ServerRunner | None = None
        self.url = ""

    # Life

    async def __aenter__(self) -> Self:
        """Listen. OSError when the port is taken."""
        self._folder = tempfile.TemporaryDirectory(prefix="emulated-github-")
        folder = Path(self._folder.name)
        if self.options.tls:
            self._certificates = make_certificates(folder)
        listening = socket.create_server((self.options.host, self.options.port))
        scheme, host = ("https", "localhost") if self.options.tls else ("http", "127.0.0.1")
        self.url = f"{scheme}://{host}:{listening.getsockname()[1]}"
        await self._build(folder)
        self._runner = web.ServerRunner(
            web.Server(self._serve, access_log=None), shutdown_timeout=1
        )
        await self._runner.setup()
        context = self._certificates.server if self._certificates else None
        await web.SockSite(self._runner, listening, ssl_context=context).start()
        return self

    async def _build(self, folder: Path) -> None:
        given = self.options
        # Making the App's key takes a moment of the processor.
        world = await asyncio.to_thread(World, folder, given.clock, given.seed, self.url)
        hooks = Hooks(world, given.webhook_url, world.secret("webhook"), given.seed)
        hooks.mischief = given.mischief
        events = Events(world, hooks)
        self.site = Site(world, hooks, events, Pulls(world, events, given.mergeable_delay_s))
        self.backdoor = Backdoor(self.site, self.faults, self.limits, self.requests)
        self._api, self._git = Api(self.site, self.limits), SmartHttp(self.site)
        self._pages = Pages(self.site, self._api)
        await hooks.start()

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self.site.hooks.stop()
        if self._runner is not None:
            await self._runner.cleanup()
        self._folder.cleanup()

    # For clients and tests

    @property
    def world(self) -> World:
        return self.site.world

    @property
    def hooks(self) -> Hooks:
        return self.site.hooks

    @property
    def api(self) -> str:
        return self.world.api

    def environment(self) -> dict[str, str]:
        """Environment variables with which a client finds this GitHub and is let in."""
        found = {
            "GITHUB_API_URL": self.api,
            "GITHUB_SERVER_URL": self.url,
            "GITHUB_TOKEN": self.world.token_of(MACHINE),
            "GITHUB_APP_ID": str(self.world.app.id),
            "GITHUB_PRIVATE_KEY": self.world.app.private_key,
            "GITHUB_WEBHOOK_SECRET": self.hooks.app_hook.secret,
        }
        if self._certificates is not None:
            authority = str(self._certificates.authority)
            found |= {"SSL_CERT_FILE": authority, "GIT_SSL_CAINFO": authority}
        return found

    # Serving

    async def _serve(self, raw: web.BaseRequest) -> web.StreamResponse:
        request = await _read(raw)
        if request.path.startswith(BACKDOOR):
            return _response(await self.backdoor.handle(request))
        faults = self.faults.striking(request.method, request.path)
        seconds = self.options.latency_ms / 1000 + sum(fault.latency_s for fault in faults)
        if seconds > 0:
            await self.options.clock.sleep(seconds)
        if any(fault.drop == "before" for fault in faults):
            return self._dropped(raw, request)
        spoiled = next((r for fault in faults if (r := fault.reply()) is not None), None)
        reply, caller = (spoiled, Caller()) if spoiled else await self._answer(request)
        if any(fault.drop == "after" for fault in faults):
            return self._dropped(raw, request)
        self._log(request, reply.status, caller)
        return _response(reply)

    async def _answer(self, request: Request) -> tuple[Reply, Caller]:
        if request.path.startswith(f"{API}/"):
            path = request.path.removeprefix(API)
            below = Request(request.method, path, request.query, request.headers, request.content)
            reply, caller = await self._api.handle(below)
            if self.options.on_exchange is not None:
                self.options.on_exchange(_exchange(below, reply))
            return reply, caller
        if self._git.takes(request.path):
            return await self._git.handle(request)
        return await self._pages.handle(request), Caller()

    def _dropped(self, raw: web.BaseRequest, request: Request) -> web.StreamResponse:
        self._log(request, 0, Caller())
        if raw.transport is not None:
            raw.transport.abort()
        return web.Response()

    def _log(self, request: Request, status: int, caller: Caller) -> None:
        line = Logged(request.method, request.path, status, caller.key, self.options.clock.now())
        self.requests.add(line)


async def _read(raw: web.BaseRequest) -> Request:
    content = await raw.content.read() if raw.can_read_body else b""
    headers = {name.lower(): value for name, value in raw.headers.items()}
    path, _, query = raw.raw_path.partition("?")
    return Request(raw.method, unquote(path), dict(parse_qsl(query)), headers, content)


def _response(reply: Reply) -> web.Response:
    headers = dict(reply.headers)
    if reply.body is None:
        return web.Response(status=reply.status, headers=headers)
    headers.setdefault("Content-Type", "application/json; charset=utf-8")
    return web.Response(status=reply.status, body=encoded(reply.body), headers=headers)


def _exchange(request: Request, reply: Reply) -> Exchange:
    try:
        sent = json.loads(request.content) if request.content else None
    except ValueError:
        sent = request.content
    got = reply.body
    return Exchange(request.method, request.path, sent, reply.status, got, reply.headers)


def ready_line(github: EmulatedGitHub) -> str:
    """The one line of JSON that tells where the emulator is and how to use it."""
    world = github.world
    content = {
        "url": github.url,
        "api": github.api,
        "owner": world.owner.login,
        "tokens": {login: world.token_of(login) for login in (MAINTAINER, MACHINE)},
        "installation": world.app.installation_id,
        "environment": github.environment(),
    }
    return json.dumps(content)


async def serve_until(github: EmulatedGitHub, stop: asyncio.Event) -> None:
    """Serve, say where on standard output, and go on until `stop` is set."""
    async with github:
        print(ready_line(github), flush=True)  # noqa: T201 - this line is the interface
        await stop.wait()
