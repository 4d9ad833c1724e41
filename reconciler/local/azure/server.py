"""The emulated Azure as a server on loopback: sockets, TLS, misbehaviour, the log."""

from __future__ import annotations

import asyncio
import hashlib
import json
import logging
import random
import tempfile
import uuid
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Any, Self
from urllib.parse import parse_qsl

from aiohttp import web

from reconciler.local.azure.arm import Arm, query_of
from reconciler.local.azure.backdoor import PREFIX as BACKDOOR
from reconciler.local.azure.backdoor import Backdoor
from reconciler.local.azure.data_plane import PREFIX as DATA
from reconciler.local.azure.data_plane import DataPlane, data_routes
from reconciler.local.azure.faults import Fault, Faults
from reconciler.local.azure.identity import DEFAULT_CLIENT, Caller, Identities
from reconciler.local.azure.login import APP_SERVICE_PATH, Login
from reconciler.local.azure.model import NULL, Reply
from reconciler.local.azure.providers import providers
from reconciler.local.azure.registry import Registry
from reconciler.local.azure.settings import checked
from reconciler.local.azure.state import StateFile
from reconciler.local.azure.store import Store
from reconciler.local.azure.throttle import Throttle
from reconciler.local.azure.traffic import Exchange, Logged, Request
from reconciler.local.azure.verbs import Verbs
from reconciler.local.clock import Clock, SystemClock
from reconciler.local.tls import Certificates, make_certificates
from reconciler.local.traffic import Log

SUBSCRIPTION = "00000000-0000-0000-0000-000000000001"
ANOTHER = "00000000-0000-0000-0000-000000000002"
TENANT = "22222222-2222-2222-2222-222222222222"
CLIENT_SECRET = "emulated-secret"  # noqa: S105 - opens the emulator and nothing else
LOG = logging.getLogger(__name__)


@dataclass(kw_only=True)
class Options:
    """How the emulator behaves; every member is an argument of `EmulatedAzure`."""

    port: int = 0
    host: str = "127.0.0.1"
    tls: bool = False
    seed: int = 0
    latency_ms: float = 0.0
    faults: Iterable[Fault | Mapping[str, Any]] = ()
    time_scale: float = 0.0  # of the durations of operations; 0 ends them at the next request
    rate_limits: bool = True
    state_file: Path | None = None
    on_exchange: Callable[[Exchange], None] | None = None
    clock: Clock = field(default_factory=SystemClock)
    subscriptions: tuple[str, ...] = (SUBSCRIPTION, ANOTHER)
    tenant: str = TENANT
    clients: Mapping[str, str] | None = None  # id: secret; None: any client is known
    readers: frozenset[str] = frozenset()
    contributors: frozenset[str] = frozenset()  # all but rights; everybody else is an Owner
    settings: Mapping[str, Any] = field(default_factory=dict)  # see settings.py


class EmulatedAzure:
    """An asynchronous context manager that serves Azure on loopback while it is open.

    `url` is the management endpoint; `environment()` is what a client needs to find it;
    `requests` is the log; `store`, `faults` and `throttle` may be used directly.
    """

    def __init__(self, **options: Any) -> None:
        self.options = Options(**options)
        given = self.options
        self.registry = Registry(providers())
        settings = {
            "subscriptions": given.subscriptions,
            "roles": {
                **dict.fromkeys(given.contributors, "contributor"),
                **dict.fromkeys(given.readers, "reader"),
            },
            **checked(given.settings),
        }
        self.store = Store(
            self.registry.types, given.clock, seed=given.seed, tenant=given.tenant,
            settings=settings,
        )  # fmt: skip
        self.verbs = Verbs(self.store, self.registry.types, given.clock)
        self.verbs.operations.time_scale = given.time_scale
        self.faults = Faults(given.faults, given.seed)
        self.throttle = Throttle(enabled=given.rate_limits)
        self.identities = self._identities()
        self.requests = Log[Logged]()
        self._header = hashlib.sha256(f"header {given.seed}".encode()).hexdigest()
        self._arm = Arm(
            self.registry, self.store, self.verbs, self.identities, self.throttle,
            frozenset(s.lower() for s in given.subscriptions),
        )  # fmt: skip
        self._login = Login(self.identities, given.clock, self._header)
        self._data = DataPlane(self.store, self.identities, data_routes(self.registry.providers))
        self.backdoor = Backdoor(self.store, self.verbs, self.faults, self.requests, self.throttle)
        self._state = StateFile(given.state_file, self.store, self.verbs)
        self._request_ids = random.Random(given.seed)  # noqa: S311 - identifies requests only
        self._folder: tempfile.TemporaryDirectory[str] | None = None
        self._certificates: Certificates | None = None
        self._runner: web.ServerRunner | None = None
        self.url = ""

    # Life

    async def __aenter__(self) -> Self:
        """Listen. OSError when the port is taken."""
        if self.options.tls:
            self._folder = tempfile.TemporaryDirectory(prefix="emulated-azure-")
            self._certificates = make_certificates(Path(self._folder.name))
        server = web.Server(self._serve, access_log=None)
        self._runner = web.ServerRunner(server, shutdown_timeout=1.0)
        await self._runner.setup()
        context = self._certificates.server if self._certificates else None
        site = web.TCPSite(self._runner, self.options.host, self.options.port, ssl_context=context)
        await site.start()
        self._named(self._runner.addresses[0][1])
        self._state.load()
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._runner is not None:
            await self._runner.cleanup()
        self._state.save()
        if self._folder is not None:
            self._folder.cleanup()

    def _named(self, port: int) -> None:
        scheme, host = ("https", "localhost") if self.options.tls else ("http", "127.0.0.1")
        self.url = self.store.base_url = self.identities.base_url = f"{scheme}://{host}:{port}"

    def _identities(self) -> Identities:
        key = hashlib.sha256(f"key {self.options.seed}".encode()).digest()
        given = self.options
        readers, contributors = frozenset(given.readers), frozenset(given.contributors)
        return Identities(given.tenant, key, given.clients, readers, contributors)

    # For clients and tests

    def environment(self) -> dict[str, str]:
        """Environment variables with which a client finds this Azure and signs in to it."""
        found = {
            "RECONCILER_ARM_ENDPOINT": self.url,
            "AZURE_SUBSCRIPTION_ID": self.options.subscriptions[0],
            "AZURE_TENANT_ID": self.options.tenant,
            "IDENTITY_ENDPOINT": f"{self.url}{APP_SERVICE_PATH}",
            "IDENTITY_HEADER": self._header,
        }
        if self._certificates is not None:  # clients refuse to send secrets without TLS
            found |= {
                "AZURE_AUTHORITY_HOST": self.url,
                "ARM_CLOUD_METADATA_URL": f"{self.url}/metadata/endpoints?api-version=2019-05-01",
                "REQUESTS_CA_BUNDLE": str(self._certificates.authority),
                "SSL_CERT_FILE": str(self._certificates.authority),
            }
        return found

    def token(
        self, client_id: str = DEFAULT_CLIENT, audience: str = "", lifetime_s: float = 86_400
    ) -> str:
        """A token as the login endpoints would issue it; for management unless told."""
        audience = audience or "https://management.azure.com"
        return self.identities.token(client_id, audience, self.store.now(), lifetime_s)

    # Serving

    async def _serve(self, raw: web.BaseRequest) -> web.StreamResponse:
        request = await _read(raw)
        if request.path.startswith(BACKDOOR):
            return _response(self.backdoor.handle(request))
        faults = self.faults.striking(request.method, request.path)
        await self._wait(faults)
        if any(fault.drop == "before" for fault in faults):
            return self._dropped(raw, request)
        spoiled = next((r for fault in faults if (r := fault.reply()) is not None), None)
        caller: Caller | None = None
        if spoiled is not None:
            reply = spoiled
        else:
            reply, caller = await self._answer(request, faults)
        if any(fault.drop == "after" for fault in faults):
            return self._dropped(raw, request)
        self._log(request, reply.status, caller)
        return _response(reply, self._identifiers(request))

    async def _answer(self, request: Request, faults: list[Fault]) -> tuple[Reply, Caller | None]:
        if request.path.startswith(DATA):
            return self._data.handle(request), None
        form = dict(parse_qsl(request.content.decode())) if _is_form(request) else {}
        reply = self._login.handle(
            request.method, request.path, request.query, request.headers, form
        )
        if reply is not None:
            return reply, None
        reply, caller = await self._arm.handle(request, faults)
        if request.method not in ("GET", "HEAD"):
            self._state.dirty()
        if self.options.on_exchange is not None:
            self.options.on_exchange(_exchange(request, reply))
        return reply, caller

    async def _wait(self, faults: list[Fault]) -> None:
        seconds = self.options.latency_ms / 1000 + sum(fault.latency_s for fault in faults)
        if seconds > 0:
            await self.options.clock.sleep(seconds)

    def _dropped(self, raw: web.BaseRequest, request: Request) -> web.StreamResponse:
        self._log(request, 0, None)
        if raw.transport is not None:
            raw.transport.abort()
        return web.Response()

    def _log(self, request: Request, status: int, caller: Caller | None) -> None:
        version = request.query.get("api-version", "")
        principal = caller.client_id if caller else ""
        at = self.store.now()
        self.requests.add(Logged(request.method, request.path, version, status, principal, at))

    def _identifiers(self, request: Request) -> dict[str, str]:
        own = str(uuid.UUID(int=self._request_ids.getrandbits(128), version=4))
        correlation = request.headers.get("x-ms-correlation-request-id", own)
        found = {"x-ms-request-id": own, "x-ms-correlation-request-id": correlation}
        if client := request.headers.get("x-ms-client-request-id"):
            found["x-ms-client-request-id"] = client
        return found


async def _read(raw: web.BaseRequest) -> Request:
    content = await raw.read() if raw.can_read_body else b""
    headers = {name.lower(): value for name, value in raw.headers.items()}
    path, _, query = raw.raw_path.partition("?")
    return Request(raw.method, raw.rel_url.path or path, query, query_of(query), headers, content)


def _is_form(request: Request) -> bool:
    kind = request.headers.get("content-type", "")
    return kind.startswith("application/x-www-form-urlencoded")


def _response(reply: Reply, more: Mapping[str, str] | None = None) -> web.Response:
    headers = {**(more or {}), **reply.headers}
    if reply.body is None:
        return web.Response(status=reply.status, headers=headers)
    headers.setdefault("Content-Type", "application/json; charset=utf-8")
    return web.Response(status=reply.status, body=_encoded(reply.body), headers=headers)


def _encoded(body: Any) -> bytes:
    if isinstance(body, bytes):
        return body
    return b"null" if body is NULL else json.dumps(body).encode()


def _exchange(request: Request, reply: Reply) -> Exchange:
    sent = json.loads(request.content) if request.content else None
    got = json.loads(_encoded(reply.body)) if reply.body is not None else None
    version = request.query.get("api-version", "")
    return Exchange(request.method, request.path, version, sent, reply.status, got, reply.headers)


def ready_line(azure: EmulatedAzure) -> str:
    """The one line of JSON that tells where the emulator is and how to use it."""
    tenant, subscription = azure.options.tenant, azure.options.subscriptions[0]
    content = {
        "arm": azure.url,
        "tenant": tenant,
        "subscription": subscription,
        "client": {"id": DEFAULT_CLIENT, "secret": CLIENT_SECRET},
        "environment": azure.environment(),
    }
    return json.dumps(content)


async def serve_until(azure: EmulatedAzure, stop: asyncio.Event) -> None:
    """Serve, say where on standard output, and go on until `stop` is set."""
    async with azure:
        print(ready_line(azure), flush=True)  # noqa: T201 - this line is the interface
        await stop.wait()
