"""The gateway: what Azure Resource Manager checks before and after a provider is asked."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import unquote

from reconciler.local.azure import errors, ids
from reconciler.local.azure.faults import Fault
from reconciler.local.azure.identity import Caller, Identities
from reconciler.local.azure.model import ArmError, Context, Reply, ResourceId, ResourceType
from reconciler.local.azure.providers.registrations import is_registered
from reconciler.local.azure.registry import Registry, RouteMatch, canonical
from reconciler.local.azure.store import Store
from reconciler.local.azure.throttle import Throttle
from reconciler.local.azure.traffic import Request
from reconciler.local.azure.verbs import Verbs

VERSION = re.compile(r"^\d{4}-\d{2}-\d{2}(-[a-z]+)?$", re.IGNORECASE)
NO_TYPE = ResourceId("", "", "", "", "", (), ())


@dataclass
class Arm:
    """Answers management requests."""

    registry: Registry
    store: Store
    verbs: Verbs
    identities: Identities
    throttle: Throttle
    subscriptions: frozenset[str]

    async def handle(self, request: Request, faults: list[Fault]) -> tuple[Reply, Caller | None]:
        """The answer, and who asked (None when that is not known)."""
        caller: Caller | None = None
        remaining: dict[str, str] = {}
        try:
            self.verbs.operations.settle()
            now = self.store.now()
            caller = self.identities.arm_caller(request.headers.get("authorization"), now)
            subscription = _subscription(request.path)
            remaining = self.throttle.admit(subscription, caller.object_id, request.method, now)
            self._require_subscription(subscription)
            reply = await self._dispatch(request, caller, faults)
        except ArmError as error:
            headers = {"x-ms-failure-cause": error.cause, **error.headers}
            reply = Reply(error.status, error.body, headers)
        return Reply(reply.status, reply.body, {**remaining, **reply.headers}), caller

    async def _dispatch(self, request: Request, caller: Caller, faults: list[Fault]) -> Reply:
        if request.method == "GET":
            operation = self.verbs.operations.find(request.path)
            if operation is not None:
                return self.verbs.operations.poll(operation, request.path, request.raw_query)
        version = request.query.get("api-version", "")
        if not version:
            raise errors.missing_version()
        if match := self.registry.route(request.method, request.path):
            return self._route(request, match, version, caller, faults)
        arm_id = ids.parse(request.path)
        if arm_id is None:
            raise errors.gateway(404, "NotFound", "The requested path does not exist.")
        kind = self.registry.types.get(arm_id.type_name.lower())
        if kind is None:
            return self._act(request, arm_id, version, caller, faults)
        self._require_version(kind, version)
        ctx = self._context(request, arm_id, kind, version, caller, faults)
        self._require_registered(ctx)
        self.identities.authorize(caller, request.method, ctx.id, "")
        return await self._verb(request, ctx, kind)

    async def _verb(self, request: Request, ctx: Context, kind: ResourceType) -> Reply:
        method = request.method
        if ctx.id.is_collection:
            if method != "GET":
                raise errors.bad_method(method)
            return self.verbs.list(ctx, kind)
        if method == "GET":
            return self.verbs.get(ctx, kind)
        if method == "HEAD":
            return self.verbs.head(ctx, kind)
        if method == "DELETE":
            return await self.verbs.delete(ctx, kind)
        body = _decoded(request)
        if method == "PUT":
            return await self.verbs.put(ctx, kind, body)
        if method == "PATCH":
            return await self.verbs.patch(ctx, kind, body)
        raise errors.bad_method(method)

    def _act(
        self,
        request: Request,
        arm_id: ResourceId,
        version: str,
        caller: Caller,
        faults: list[Fault],
    ) -> Reply:
        """A POST action or a GET view below a resource; 404 when there is no such thing."""
        action = arm_id.types[-1]
        owner = ids.parse(request.path.rpartition("/")[0])
        kind = self.registry.types.get(owner.type_name.lower()) if owner else None
        if owner is None or kind is None or not arm_id.is_collection or owner.is_collection:
            if arm_id.namespace.lower() in self.registry.namespaces:
                raise errors.unknown_type(arm_id, version)
            raise errors.unknown_namespace(arm_id.namespace)
        table = {"POST": kind.actions, "GET": kind.views}.get(request.method, {})
        if action.lower() not in {name.lower() for name in table}:
            raise errors.unknown_type(arm_id, version)
        self._require_version(kind, version)
        ctx = self._context(request, owner, kind, version, caller, faults)
        self.identities.authorize(caller, request.method, ctx.id, action)
        self.verbs.get(ctx, kind)
        found = self.store.find(ctx.id.text)
        assert found is not None
        ctx.existing = found
        return self.verbs.act(ctx, found, action, _decoded(request))

    def _route(
        self,
        request: Request,
        match: RouteMatch,
        version: str,
        caller: Caller,
        faults: list[Fault],
    ) -> Reply:
        supported = match.route.api_versions or self.registry.versions(match.provider.namespace)
        _check_version(version, supported)
        words = [s for s in request.path.strip("/").split("/") if s]
        about = ids.parse("/" + "/".join(words)) or NO_TYPE
        ctx = self._context(request, about, None, version, caller, faults)
        self.identities.authorize(caller, request.method, about, "")
        return match.route.handler(ctx, match.captured, _decoded(request))

    def _context(
        self,
        request: Request,
        arm_id: ResourceId,
        kind: ResourceType | None,
        version: str,
        caller: Caller,
        faults: list[Fault],
    ) -> Context:
        if kind is not None:
            parent = self._parent_id(request.path, arm_id) if kind.parent_type else None
            arm_id = canonical(arm_id, kind, parent)
        ctx = Context(
            self.store,
            arm_id,
            kind,
            request.method,
            version,
            request.query,
            caller.client_id,
            caller.object_id,
            spoilers=tuple(fault.spoil for fault in faults),
        )
        ctx.start = self.verbs.starter(ctx)
        return ctx

    def _parent_id(self, path: str, arm_id: ResourceId) -> str | None:
        text = arm_id.text.rsplit("/", 1 if arm_id.is_collection else 2)[0]
        found = self.store.find(text)
        return found.id if found else None

    def _require_subscription(self, subscription: str) -> None:
        if subscription and subscription.lower() not in self.subscriptions:
            raise errors.subscription_not_found(subscription)

    def _require_version(self, kind: ResourceType, version: str) -> None:
        if kind.api_versions:
            if version.lower() not in kind.api_versions:
                raise errors.unknown_version(kind.name, version, "", kind.api_versions)
        else:
            _check_version(version, ())

    def _require_registered(self, ctx: Context) -> None:
        if ctx.id.subscription and not is_registered(ctx, ctx.id.subscription, ctx.id.namespace):
            raise errors.unregistered(ctx.id.namespace)


def _check_version(version: str, supported: tuple[str, ...]) -> None:
    if not VERSION.match(version) or (supported and version.lower() not in supported):
        raise errors.invalid_version(version, supported)


def _subscription(path: str) -> str:
    words = path.strip("/").split("/", 2)
    return words[1] if len(words) > 1 and words[0].lower() == "subscriptions" else ""


def _decoded(request: Request) -> Any:
    """The body as JSON; None when there is none."""
    if not request.content:
        return None
    try:
        return json.loads(request.content)
    except ValueError as error:
        raise errors.bad_content(str(error)) from None


def query_of(raw: str) -> Mapping[str, str]:
    """The query's parameters; of a repeated one the last. `api-version` in any case."""
    found: dict[str, str] = {}
    for pair in raw.split("&") if raw else ():
        name, _, value = pair.partition("=")
        name = unquote(name.replace("+", " "))
        name = "api-version" if name.lower() == "api-version" else name
        found[name] = unquote(value.replace("+", " "))
    return found
