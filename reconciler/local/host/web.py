"""HTTP triggers: routes, methods, keys.

https://learn.microsoft.com/azure/azure-functions/functions-bindings-http-webhook-trigger
https://learn.microsoft.com/azure/azure-functions/function-keys-how-to
A request that no function's route and method fits is answered with 404, one without the key that
the function's level asks for with 401, one whose function raised with 500; all without a body.
"""

import asyncio
import hmac
import logging
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Final

from aiohttp import web

from reconciler.local.host.wire import RpcHttp, TypedData
from reconciler.local.host.worker import Failed, Function, HttpAnswer, NotHosted, Worker

log = logging.getLogger(__name__)
MAX_BODY_BYTES: Final = 100 << 20
"""What the Functions host takes; a function says no to less."""
SEGMENT: Final = re.compile(r"\{(\*?)(\w+)(?::(\w+))?(\?)?\}")
CONSTRAINTS: Final = {"int": r"-?\d+", "alpha": "[A-Za-z]+", "guid": "[0-9A-Fa-f-]{36}"}


@dataclass(frozen=True)
class Keys:
    """``function`` opens functions, ``master`` opens everything."""

    function: str
    master: str

    def open(self, level: str, given: str) -> bool:
        """Whether a key is good enough for an authorization level."""
        if level == "anonymous":
            return True
        allowed = [self.master] if level == "admin" else [self.master, self.function]
        return any(hmac.compare_digest(one.encode(), given.encode()) for one in allowed)


@dataclass(frozen=True)
class Route:
    """One HTTP function: where it listens, and who may call it."""

    function: Function
    pattern: re.Pattern[str]
    methods: frozenset[str]
    level: str

    @classmethod
    def of(cls, function: Function, prefix: str) -> "Route":
        """Raises NotHosted for a constraint that is not known here."""
        trigger = function.trigger
        template = trigger.get("route") or function.name
        methods = frozenset(one.upper() for one in trigger.get("methods") or ())
        level = str(trigger.get("authLevel") or "function").lower()
        return cls(function, _pattern(f"{prefix}/{template}".strip("/")), methods, level)

    @property
    def literal(self) -> int:
        """Routes with more that is fixed are tried first."""
        return -self.pattern.groups


def _pattern(template: str) -> re.Pattern[str]:
    text = ""
    for part in template.split("/"):
        found = SEGMENT.fullmatch(part)
        if found is None:
            text += f"/{re.escape(part)}"
            continue
        rest, name, constraint, optional = found.groups()
        if constraint and constraint not in CONSTRAINTS:
            raise NotHosted(f'the route "{template}" has an unknown constraint "{constraint}"')
        value = ".*" if rest else CONSTRAINTS.get(constraint or "", "[^/]+")
        text += f"(?:/(?P<{name}>{value}))?" if optional or rest else f"/(?P<{name}>{value})"
    return re.compile(f"{text}/?", re.IGNORECASE)


class Web:
    """All HTTP functions of a project behind one address."""

    def __init__(
        self,
        functions: Iterable[Function],
        worker: Worker,
        keys: Keys,
        prefix: str = "api",
        timeout_s: float | None = None,
    ) -> None:
        self.routes = sorted((Route.of(one, prefix) for one in functions), key=lambda r: -r.literal)
        self.worker = worker
        self.keys = keys
        self.timeout_s = timeout_s

    def application(self) -> web.Application:
        application = web.Application(client_max_size=MAX_BODY_BYTES)
        application.router.add_route("*", "/{path:.*}", self.answer)
        return application

    async def answer(self, request: web.Request) -> web.StreamResponse:
        found = self._find(request.method, request.path)
        if found is None:
            return web.Response(status=404)
        route, values = found
        given = request.headers.get("x-functions-key") or request.query.get("code", "")
        if not self.keys.open(route.level, given):
            return web.Response(status=401)
        try:
            async with asyncio.timeout(self.timeout_s):
                answer = await self.worker.http(route.function.name, await _read(request, values))
        except (Failed, TimeoutError) as error:
            log.error("%s failed: %s", route.function.name, error)
            return web.Response(status=500)
        return _response(answer)

    def _find(self, method: str, path: str) -> tuple[Route, Mapping[str, str]] | None:
        for route in self.routes:
            fits = route.pattern.fullmatch(path)
            if fits and (not route.methods or method in route.methods):
                return route, {name: value or "" for name, value in fits.groupdict().items()}
        return None


async def _read(request: web.Request, values: Mapping[str, str]) -> RpcHttp:
    body = await request.read()
    return RpcHttp(
        method=request.method,
        url=str(request.url),
        headers={name.lower(): value for name, value in request.headers.items()},
        query=dict(request.query),
        params=dict(values),
        body=TypedData(bytes=body) if body else TypedData(),
    )


def _response(answer: HttpAnswer) -> web.Response:
    # The worker tells the type and the body; the length is aiohttp's to say.
    headers = {k: v for k, v in answer.headers.items() if k.lower() != "content-length"}
    return web.Response(status=answer.status, headers=headers, body=answer.body)
