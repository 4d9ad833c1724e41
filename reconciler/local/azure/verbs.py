"""What GET, PUT, PATCH, DELETE and POST do to a resource, for every type the same way."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from copy import deepcopy
from dataclasses import replace
from typing import Any, Literal

from reconciler.local.azure import errors, ids
from reconciler.local.azure.bodies import as_object, encoded, merge
from reconciler.local.azure.locks import Locks
from reconciler.local.azure.model import (
    JSON,
    NULL,
    Answer,
    ArmError,
    AsyncStyle,
    Context,
    Operation,
    Reply,
    Resource,
    ResourceType,
    timestamp,
)
from reconciler.local.azure.operations import Operations
from reconciler.local.azure.pages import page
from reconciler.local.azure.store import Store
from reconciler.local.clock import Clock

SERVER_KEYS = ("id", "name", "type", "etag", "systemData")


class Verbs:
    """The verbs over one store."""

    def __init__(self, store: Store, types: Mapping[str, ResourceType], clock: Clock) -> None:
        self.store = store
        self.clock = clock
        self.operations = Operations(store, 0.0, self._ended)
        self._types = types
        self._locks = Locks()

    # Reading

    def get(self, ctx: Context, kind: ResourceType) -> Reply:
        found = self.store.find(ctx.id.text)
        if found is None:
            raise self._missing(ctx, kind)
        headers = {"ETag": found.body["etag"]} if "etag" in found.body and kind.has_etag else {}
        if kind.present is not None:
            return Reply(200, kind.present(ctx, deepcopy(found.body)), headers)
        return Reply(200, encoded(found), headers)

    def head(self, ctx: Context, kind: ResourceType) -> Reply:
        return Reply(204 if self.store.find(ctx.id.text) else 404)

    def list(self, ctx: Context, kind: ResourceType) -> Reply:
        """A collection: of a parent, of a group, or of a whole subscription."""
        found: Iterable[Resource]
        if ctx.id.group or kind.parent_type or kind.extension:
            self._require_surroundings(ctx, kind)
            found = self.store.collection(ctx.id.text)
        else:
            found = self.store.of_type(kind.name, ctx.id.subscription)
        if kind.select is not None:
            found = kind.select(ctx, found)
        shown, link = page(ctx, kind, [*found], self.store.base_url)
        if kind.present is not None:
            bodies = [kind.present(ctx, deepcopy(r.body)) for r in shown]
            texts = [json.dumps(body).encode() for body in bodies]
        else:
            texts = [encoded(resource) for resource in shown]
        return Reply(200, b'{"value":[' + b",".join(texts) + b"]" + link + b"}")

    # Writing

    async def put(self, ctx: Context, kind: ResourceType, body: Any) -> Reply:
        answer = kind.put
        if answer is None:
            raise errors.bad_method("PUT")
        wanted = as_object(body)
        self._require_surroundings(ctx, kind)
        if kind.ready is not None:
            kind.ready(ctx)
        with self._locks.held(ctx, kind) as lock:
            await self._take_time(answer)
            ctx.existing = self.store.find(ctx.id.text)
            _check_location(ctx, wanted)
            if kind.validate is not None:
                kind.validate(ctx, wanted)
            secret = kind.secret(ctx, wanted) if kind.secret else {}
            at_once = answer.at_once is not None and answer.at_once(ctx, wanted)
            full = deepcopy(wanted)
            full = kind.complete(ctx, full) if kind.complete else full
            return self._store(ctx, kind, answer, full, secret, lock, at_once)

    async def patch(self, ctx: Context, kind: ResourceType, body: Any) -> Reply:
        answer = kind.patch
        if answer is None:
            raise errors.bad_method("PATCH")
        changes = as_object(body)
        ctx.existing = self.store.find(ctx.id.text)
        if ctx.existing is None:
            raise self._missing(ctx, kind)
        with self._locks.held(ctx, kind) as lock:
            await self._take_time(answer)
            at_once = answer.at_once is not None and answer.at_once(ctx, changes)
            merged = kind.merge(ctx, changes) if kind.merge else merge(ctx.existing.body, changes)
            if kind.validate is not None:
                kind.validate(ctx, merged)
            full = kind.complete(ctx, deepcopy(merged)) if kind.complete else merged
            return self._store(ctx, kind, answer, full, {}, lock, at_once)

    async def delete(self, ctx: Context, kind: ResourceType) -> Reply:
        answer = kind.delete
        if answer is None:
            raise errors.bad_method("DELETE")
        self._require_surroundings(ctx, kind)
        ctx.existing = found = self.store.find(ctx.id.text)
        if found is None:
            if kind.purge is not None:
                kind.purge(ctx)
            if answer.absent is None:
                raise self._missing(ctx, kind)
            return Reply(answer.absent)
        with self._locks.held(ctx, kind) as lock:
            if kind.before_delete is not None:
                kind.before_delete(ctx, found)
            await self._take_time(answer)
            return self._delete(ctx, kind, answer, found, lock)

    def _delete(
        self, ctx: Context, kind: ResourceType, answer: Answer, found: Resource, lock: str
    ) -> Reply:
        if answer.wait is None:
            self._gone(ctx, found)
            shown = found.body if answer.body == "resource" else None
            return Reply(answer.updated, shown, answer.headers)
        if kind.has_state:
            found.properties["provisioningState"] = "Deleting"
            found.changed()
        headers = self._begin(ctx, answer.wait, answer.duration_s, "delete", found, lock)
        shown = NULL if answer.body == "null" else None
        return Reply(answer.updated, shown, {**answer.headers, **headers})

    def act(self, ctx: Context, found: Resource, name: str, body: Any) -> Reply:
        """POST …/{name}, or GET of a view."""
        kind = found.type
        table = kind.actions if ctx.method == "POST" else kind.views
        handler = {n.lower(): h for n, h in table.items()}[name.lower()]
        return handler(ctx, found, body)

    # The inside of writing

    def _store(
        self,
        ctx: Context,
        kind: ResourceType,
        answer: Answer,
        full: JSON,
        secret: JSON,
        lock: str,
        at_once: bool,
    ) -> Reply:
        existing = ctx.existing
        verb: Literal["create", "update"] = "update" if existing else "create"
        waits = answer.wait is not None and not at_once and (
            answer.wait_on_update or existing is None
        )  # fmt: skip
        state = (answer.updating if existing else answer.creating) if waits else "Succeeded"
        resource = self._keep(ctx, kind, full, secret, state)
        if waits and answer.wait is not None:
            headers = self._begin(ctx, answer.wait, answer.duration_s, verb, resource, lock)
        else:
            headers = {}
            if kind.settled is not None:
                kind.settled(ctx, resource, verb)
                resource.changed()
        if kind.has_etag:
            headers["ETag"] = resource.body["etag"]
        status = answer.updated if existing else answer.created
        if at_once and answer.at_once_status is not None:
            status = answer.at_once_status
        made = self._made_headers(ctx, answer, resource) if status == 201 else {}
        shown = self._shown(ctx, kind, answer, resource)
        return Reply(status, shown, {**made, **answer.headers, **headers})

    def _made_headers(self, ctx: Context, answer: Answer, resource: Resource) -> dict[str, str]:
        values = {
            "base_url": self.store.base_url,
            "resource": resource.body["id"],
            "api_version": ctx.api_version,
            "more": "".join(f"&{k}={v}" for k, v in ctx.query.items() if k != "api-version"),
        }
        return {k: v.format(**values) for k, v in answer.created_headers.items()}

    def _shown(self, ctx: Context, kind: ResourceType, answer: Answer, resource: Resource) -> Any:
        body = (answer.updated_body if ctx.existing else None) or answer.body
        if body == "none":
            return None
        if body == "null":
            return NULL
        return kind.present(ctx, deepcopy(resource.body)) if kind.present else encoded(resource)

    def _make_parent(self, ctx: Context, kind: ResourceType) -> None:
        """A container that comes into being with the first thing in it."""
        parent = self._types[str(kind.parent_type).lower()]
        parsed = ids.parse(ctx.id.ancestor(1))
        if parsed is None or self.store.find(parsed.text) is not None:
            return
        above = replace(ctx, id=parsed, type=parent, existing=None)
        full = parent.complete(above, {}) if parent.complete else {}
        self._keep(above, parent, full, {}, "Succeeded")

    def _keep(
        self, ctx: Context, kind: ResourceType, full: JSON, secret: JSON, state: str
    ) -> Resource:
        existing = ctx.existing
        arm_id, name, type_name = (
            kind.spell(ctx) if kind.spell else (ctx.id.text, ctx.id.name, kind.name)
        )
        if existing is not None:  # the spelling of the creator stays
            arm_id, name = existing.body["id"], existing.body["name"]
        rest = {k: v for k, v in full.items() if k not in SERVER_KEYS}
        body = {"id": arm_id, "name": name, "type": type_name, **rest}
        if kind.has_state:
            body["properties"] = {**(rest.get("properties") or {}), "provisioningState": state}
        if kind.has_etag:
            body["etag"] = self._etag()
        if kind.has_system_data:
            known = self._system_data(ctx)
            body["systemData"] = {k: known[k] for k in kind.system_data or known}
        if existing is None:
            if kind.implicit_parent:
                self._make_parent(ctx, kind)
            return self.store.put(Resource(kind, ctx.id.text, body, secret, self.store.now()))
        existing.body = body
        existing.secret = {**existing.secret, **secret}
        existing.changed()
        return existing

    def _etag(self) -> str:
        return f'"{self.store.guid()}"'

    def _system_data(self, ctx: Context) -> JSON:
        now = timestamp(self.store.now())
        who = {"createdBy": ctx.client_id, "createdByType": "Application", "createdAt": now}
        before = (ctx.existing.body.get("systemData") if ctx.existing else None) or {}
        who.update({k: v for k, v in before.items() if k.startswith("created")})
        return {
            **who,
            "lastModifiedBy": ctx.client_id,
            "lastModifiedByType": "Application",
            "lastModifiedAt": now,
        }

    async def _take_time(self, answer: Answer) -> None:
        """The request itself lasts, when there is no operation behind it."""
        seconds = 0.0 if answer.wait else answer.duration_s * self.operations.time_scale
        await self.clock.sleep(seconds)
        self.operations.settle()

    # Operations

    def _begin(
        self,
        ctx: Context,
        style: AsyncStyle,
        duration_s: float,
        verb: Literal["create", "update", "delete"],
        target: Resource,
        lock: str,
    ) -> dict[str, str]:
        operation, headers = self.operations.begin(
            ctx, style, duration_s, verb=verb, target=target, lock=lock
        )
        self._locks.hand_over(lock, operation.id)
        self._spoil(ctx, operation)
        return headers

    def starter(self, ctx: Context) -> Any:
        """What `ctx.start` is: begins an operation for an action or a route."""

        def start(style: AsyncStyle, duration_s: float, **more: Any) -> dict[str, str]:
            operation, headers = self.operations.begin(ctx, style, duration_s, **more)
            self._spoil(ctx, operation)
            return headers

        return start

    def _spoil(self, ctx: Context, operation: Operation) -> None:
        for spoiler in ctx.spoilers:
            if longer := spoiler(operation):
                self.operations.delay(operation, longer)

    def _ended(self, operation: Operation) -> None:
        self._locks.release(operation.lock, operation.id)
        found = self.store.find(operation.target) if operation.target else None
        if found is None:
            return
        if found.operation == operation.id:
            found.operation = ""
        ctx = self._own_context(found)
        if operation.verb == "delete" and operation.status == "Succeeded":
            self._gone(ctx, found)
            return
        if found.type.has_state and operation.verb != "action":
            found.properties["provisioningState"] = operation.status
        if found.type.has_etag:
            found.body["etag"] = self._etag()
        if found.type.settled is not None and operation.status == "Succeeded":
            found.type.settled(ctx, found, operation.verb)
        found.changed()

    def _gone(self, ctx: Context, found: Resource) -> None:
        below = self.store.within(found.id)
        self.store.remove(found.id)
        for resource in (*below, found):
            if resource.type.deleted is not None:
                own = ctx if resource is found else self._own_context(resource)
                resource.type.deleted(own, resource)

    def _own_context(self, resource: Resource) -> Context:
        """For what happens outside of a request."""
        parsed = ids.parse(resource.id)
        assert parsed is not None
        version = resource.type.api_versions[-1] if resource.type.api_versions else ""
        return Context(self.store, parsed, resource.type, "", version, {}, "", "", resource)

    # Surroundings

    def clear(self) -> None:
        """Forget operations and locks."""
        self._locks.clear()
        self.operations.clear()

    def restore(self, operation: Operation) -> None:
        """Take back a saved operation, with the lock it held."""
        self.operations.restore(operation)
        self._locks.hand_over(operation.lock, operation.id)

    def _require_surroundings(self, ctx: Context, kind: ResourceType) -> None:
        arm_id = ctx.id
        self._require_group(ctx)
        self._require_scope(ctx, kind)
        parent = kind.parent_type
        if parent is None or parent.lower() not in self._types:
            return
        levels = 2 if kind.implicit_parent else 1
        above = arm_id.text.rsplit("/", 2 * levels - (1 if arm_id.is_collection else 0))[0]
        if self.store.find(above) is None:
            raise errors.parent_not_found(arm_id, above, ctx.method)

    def _require_scope(self, ctx: Context, kind: ResourceType) -> None:
        """What an extension resource is about must be there, as far as the emulator knows it."""
        scope = (
            ids.parse(ctx.id.scope) if kind.extension and "/providers/" in ctx.id.scope else None
        )
        if scope is not None and self.store.find(ctx.id.scope) is None:
            raise errors.resource_not_found(scope)

    def _require_group(self, ctx: Context) -> None:
        group = ctx.id.group
        if not group:
            return
        found = self.store.find(f"/subscriptions/{ctx.id.subscription}/resourcegroups/{group}")
        if found is not None and found.state == "Deleting" and ctx.method in ("PUT", "PATCH"):
            raise errors.group_being_deleted(group)
        if found is None and ctx.id.types != ("resourceGroups",):
            raise errors.group_not_found(group)

    def _missing(self, ctx: Context, kind: ResourceType) -> ArmError:
        self._require_group(ctx)
        self._require_scope(ctx, kind)
        return kind.missing(ctx) if kind.missing else errors.resource_not_found(ctx.id)


def _check_location(ctx: Context, wanted: JSON) -> None:
    present = ctx.existing.body.get("location") if ctx.existing else None
    asked = wanted.get("location")
    if present and asked and ids.normal_location(present) != ids.normal_location(str(asked)):
        raise errors.wrong_location(ctx.id, present, asked)
