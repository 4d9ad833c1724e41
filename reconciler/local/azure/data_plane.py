"""Everything below /_data/: who is asking, and which provider answers."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import unquote

from reconciler.local.azure.identity import Identities
from reconciler.local.azure.model import ArmError, Cloud, DataRequest, DataRoute, Provider, Reply
from reconciler.local.azure.traffic import Request

PREFIX = "/_data/"


@dataclass
class DataPlane:
    """Hands data-plane requests to the provider whose prefix they carry."""

    cloud: Cloud
    identities: Identities
    routes: Mapping[str, DataRoute]

    def handle(self, request: Request) -> Reply:
        prefix, _, rest = request.path.removeprefix(PREFIX).partition("/")
        route = self.routes.get(prefix)
        if route is None:
            return Reply(404, {"error": {"code": "404", "message": "Resource not found"}})
        try:
            return route.handler(self.cloud, self._read(request, rest))
        except ArmError as error:
            return Reply(error.status, error.body, error.headers)

    def _read(self, request: Request, rest: str) -> DataRequest:
        scheme, _, value = request.headers.get("authorization", "").partition(" ")
        bearer = value if scheme.lower() == "bearer" else scheme
        caller = self.identities.caller(bearer, self.cloud.now()) if bearer else None
        return DataRequest(
            method=request.method,
            segments=tuple(unquote(s) for s in rest.strip("/").split("/")),
            query=request.query,
            headers=request.headers,
            body=_decoded(request.content),
            audience=caller.audience if caller else "",
            client_id=caller.client_id if caller else "",
            bearer=bearer,
        )


def data_routes(providers: tuple[Provider, ...]) -> dict[str, DataRoute]:
    """The data planes of all providers, by prefix."""
    return {route.prefix: route for provider in providers for route in provider.data}


def _decoded(content: bytes) -> object:
    if not content:
        return None
    try:
        return json.loads(content)
    except ValueError as error:
        raise ArmError(400, "BadRequest", f"The body is not JSON: {error}") from None
