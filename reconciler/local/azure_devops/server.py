"""The emulated Azure DevOps as a server on loopback: sockets, TLS, misbehaviour, the log."""

from __future__ import annotations

import asyncio
import json
import socket
import tempfile
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Any, Self
from urllib.parse import parse_qsl, unquote

from aiohttp import web

from reconciler.local.azure_devops import auth
from reconciler.local.azure_devops.backdoor import PREFIX as BACKDOOR
from reconciler.local.azure_devops.backdoor import Backdoor
from reconciler.local.azure_devops.faults import SIGN_IN, Fault, Faults
from reconciler.local.azure_devops.hooks import Hooks
from reconciler.local.azure_devops.model import Refusal, User
from reconciler.local.azure_devops.pulls import Site
from reconciler.local.azure_devops.rest import ROUTES
from reconciler.local.azure_devops.smart_http import SmartHttp
from reconciler.local.azure_devops.wire import Context
from reconciler.local.azure_devops.world import MACHINE, MAINTAINER, ORGANIZATION, PROJECT, World
from reconciler.local.clock import Clock, SystemClock
from reconciler.local.github.traffic import Logged
from reconciler.local.github.wire import Reply, Request
from reconciler.local.tls import Certificates, make_certificates
from reconciler.local.traffic import Log


@dataclass(kw_only=True)
class Options:
    """How the emulator behaves; every member is an argument of `EmulatedAzureDevOps`."""

    port: int = 0
    host: str = "127.0.0.1"
    tls: bool = False
    seed: int = 0
    latency_ms: float = 0.0
    faults: Iterable[Fault | Mapping[str, Any]] = ()
    webhook_url: str = ""
    merge_delay_s: float = 0.0  # how long after a change it is not known whether it merges
    clock: Clock = field(default_factory=SystemClock)


class EmulatedAzureDevOps:
    """An asynchronous context manager that serves one organization on loopback while it is open.

    Once open: `url` is the organization, `environment()` what a client needs, `backdoor` what tests
    need, `hooks` the service hooks, `world` the state. Everything goes when it is closed.
    """

    site: Site
    backdoor: Backdoor
    _folder: tempfile.TemporaryDirectory[str]
    _git: SmartHttp

    def __init__(self, **options: Any) -> None:
        self.options = Options(**options)
        self.faults = Faults(self.options.faults, self.options.seed)
        self.requests = Log[Logged]()
        self._certificates: Certificates | None = None
        self._runner: web.ServerRunner | None = None
        self.url = ""

    # Life

    async def __aenter__(self) -> Self:
        """Listen. OSError when the port is taken."""
        self._folder = tempfile.TemporaryDirectory(prefix="emulated-azure-devops-")
        folder = Path(self._folder.name)
        if self.options.tls:
            self._certificates = make_certificates(folder)
        listening = socket.create_server((self.options.host, self.options.port))
        scheme, host = ("https", "localhost") if self.options.tls else ("http", "127.0.0.1")
        base = f"{scheme}://{host}:{listening.getsockname()[1]}"
        world = World(folder, self.options.clock, self.options.seed, base)
        self.url = world.url
        hooks = Hooks(world, self.options.seed)
        if self.options.webhook_url:
            hooks.subscribe(self.options.webhook_url, secret=self.webhook_secret(world))
        self.site = Site(world, hooks, self.options.merge_delay_s)
        self.backdoor = Backdoor(self.site, self.faults, self.requests)
        self._git = SmartHttp(self.site)
        await hooks.start()
        self._runner = web.ServerRunner(
            web.Server(self._serve, access_log=None), shutdown_timeout=1
        )
        await self._runner.setup()
        context = self._certificates.server if self._certificates else None
        await web.SockSite(self._runner, listening, ssl_context=context).start()
        return self

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

    @staticmethod
    def webhook_secret(world: World) -> str:
        return world.secret("webhook", length=32)

    def environment(self) -> dict[str, str]:
        """Environment variables with which a client finds this organization and is let in."""
        found = {
            "AZURE_DEVOPS_ORG_URL": self.url,
            "AZURE_DEVOPS_PROJECT": PROJECT,
            "AZURE_DEVOPS_TOKEN": self.world.token_of(MACHINE),
            "AZURE_DEVOPS_WEBHOOK_SECRET": self.webhook_secret(self.world),
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
        reply, caller = (spoiled, None) if spoiled else await self._answer(request)
        if any(fault.drop == "after" for fault in faults):
            return self._dropped(raw, request)
        for fault in faults:
            reply.headers |= fault.headers()
        self._log(request, reply.status, caller)
        return _response(reply)

    async def _answer(self, request: Request) -> tuple[Reply, User | None]:
        prefix = f"/{ORGANIZATION}"
        if not request.path.lower().startswith(f"{prefix}/"):
            return Reply(404, Refusal(404, "The organization does not exist.").body), None
        path = request.path[len(prefix) :]
        below = Request(request.method, path, request.query, request.headers, request.content)
        if self._git.takes(path):
            return await self._git.handle(below)
        caller = auth.caller_of(self.world, request.headers.get("authorization", ""))
        if caller is None:
            return _unknown(request), None
        return await self._rest(below, caller), caller

    async def _rest(self, request: Request, caller: User) -> Reply:
        for one in ROUTES:
            match = one.pattern.fullmatch(request.path)
            if match and one.method == request.method:
                try:
                    if "api-version" not in request.query:
                        raise Refusal(400, "No api-version was supplied for the request.",
                                      "VssVersionNotSpecifiedException")  # fmt: skip
                    async with self.site.lock:
                        return await one.handler(
                            Context(self.site, request, caller, match.groupdict())
                        )
                except Refusal as refusal:
                    return Reply(refusal.status, refusal.body)
        return Reply(404, Refusal(404, "The controller for the path was not found.").body)

    def _dropped(self, raw: web.BaseRequest, request: Request) -> web.StreamResponse:
        self._log(request, 0, None)
        if raw.transport is not None:
            raw.transport.abort()
        return web.Response()

    def _log(self, request: Request, status: int, caller: User | None) -> None:
        name = caller.name if caller else ""
        now = self.options.clock.now()
        self.requests.add(Logged(request.method, request.path, status, name, now))


def _unknown(request: Request) -> Reply:
    """Whoever is not known is shown the way to a page for signing in, unless he asks not to be."""
    if request.headers.get("x-tfs-fedauthredirect", "").lower() == "suppress":
        return Reply(401, b"", {"WWW-Authenticate": 'Basic realm="Azure DevOps"'})
    return Reply(203, SIGN_IN, {"Content-Type": "text/html; charset=utf-8"})


async def _read(raw: web.BaseRequest) -> Request:
    content = await raw.content.read() if raw.can_read_body else b""
    headers = {name.lower(): value for name, value in raw.headers.items()}
    path, _, query = raw.raw_path.partition("?")
    return Request(raw.method, unquote(path), dict(parse_qsl(query)), headers, content)


def _response(reply: Reply) -> web.Response:
    headers = dict(reply.headers)
    if reply.body is None:
        return web.Response(status=reply.status, headers=headers)
    content = reply.body if isinstance(reply.body, bytes) else json.dumps(reply.body).encode()
    headers.setdefault("Content-Type", "application/json; charset=utf-8; api-version=7.1")
    return web.Response(status=reply.status, body=content, headers=headers)


def ready_line(devops: EmulatedAzureDevOps) -> str:
    """The one line of JSON that tells where the emulator is and how to use it."""
    world = devops.world
    content = {
        "url": devops.url,
        "project": PROJECT,
        "tokens": {name: world.token_of(name) for name in (MAINTAINER, MACHINE)},
        "environment": devops.environment(),
    }
    return json.dumps(content)


async def serve_until(devops: EmulatedAzureDevOps, stop: asyncio.Event) -> None:
    """Serve, say where on standard output, and go on until `stop` is set."""
    async with devops:
        print(ready_line(devops), flush=True)  # noqa: T201 - this line is the interface
        await stop.wait()
