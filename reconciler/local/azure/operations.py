"""Long-running operations: begun, polled by signed URLs, ended when the clock says so.

What a poll answers follows the style of the type, and the general rules are those of
https://github.com/Azure/azure-resource-manager-rpc/blob/master/v1.0/async-api-reference.md
"""

from __future__ import annotations

import base64
import heapq
import re
from collections.abc import Callable
from datetime import UTC, datetime
from itertools import count
from typing import Literal
from urllib.parse import urlsplit

from reconciler.local.azure import ids
from reconciler.local.azure.model import (
    JSON,
    ArmError,
    AsyncStyle,
    Context,
    Operation,
    Reply,
    Resource,
)
from reconciler.local.azure.store import Store

Verb = Literal["create", "update", "delete", "action"]
RUNNING = {"create": "Creating", "update": "Updating", "delete": "Deleting", "action": "InProgress"}
TICKS_AT_EPOCH = 621_355_968_000_000_000  # .NET ticks at 1970, in which `t` counts


class Operations:
    """All operations. `ended` is called once for each, when its time has come."""

    def __init__(self, store: Store, time_scale: float, ended: Callable[[Operation], None]) -> None:
        self.time_scale = time_scale
        self._store = store
        self._ended = ended
        self._by_id: dict[str, Operation] = {}
        self._by_path: dict[str, Operation] = {}
        self._due: list[tuple[float, int, Operation]] = []
        self._order = count()

    def begin(
        self,
        ctx: Context,
        style: AsyncStyle,
        duration_s: float,
        *,
        verb: Verb = "action",
        target: Resource | None = None,
        location: str = "",
        lock: str = "",
    ) -> tuple[Operation, dict[str, str]]:
        """Start one; returns it and the headers that announce it."""
        now = self._store.now()
        name = style.operation_name(ctx) if style.operation_name else self._store.guid()
        own = str((target.body.get("location") if target else "") or "")
        place = (style.place(ctx) if style.place else location or own) or self._place_of(ctx)
        values = _template_values(ctx, name, place, target)
        status_url, location_url = (
            self._signed(template.format(**values)) if template else ""
            for template in (style.status_url, style.location_url)
        )
        if style.location_is_resource and target is not None:
            location_url = f"{target.id}?api-version={ctx.api_version}"
        status, place_split = urlsplit(status_url), urlsplit(location_url)
        word = style.running_words.get(verb, RUNNING[verb])
        operation = Operation(
            id=name,
            verb=verb,
            style=style,
            target=ids.key(target.id) if target else "",
            lock=lock,
            status=word,
            started=now,
            due=now + duration_s * self.time_scale,
            path=ids.key(status.path),
            location_path="" if style.location_is_resource else ids.key(place_split.path),
            query=status.query,
            location_query=place_split.query,
            url=status.path or place_split.path,
            location_url=self._store.base_url + location_url,
        )
        if target is not None:
            target.operation = name
        self._add(operation)
        return operation, self._headers(style, status_url, location_url)

    def settle(self) -> None:
        """End what is due."""
        now = self._store.now()
        while self._due and self._due[0][0] <= now:
            _, _, operation = heapq.heappop(self._due)
            operation.ended = operation.due
            operation.status = "Failed" if operation.fail_with else operation.final_state
            operation.error = operation.fail_with
            self._ended(operation)

    def delay(self, operation: Operation, seconds: float) -> None:
        """Make a running operation take longer, in seconds of the emulator's clock."""
        self._due = [entry for entry in self._due if entry[2] is not operation]
        heapq.heapify(self._due)
        operation.due += seconds
        heapq.heappush(self._due, (operation.due, next(self._order), operation))

    def running(self) -> list[Operation]:
        return [operation for _, _, operation in sorted(self._due, key=lambda e: e[:2])]

    def find(self, path: str) -> Operation | None:
        """The operation that is polled at this path, whatever the query says."""
        return self._by_path.get(ids.key(path))

    def poll(self, operation: Operation, path: str, raw_query: str) -> Reply:
        """Answer a poll; refused when the signed part of the URL is not what was handed out."""
        key = ids.key(path)
        is_status = key == operation.path and (
            raw_query == operation.query or operation.location_path != key
        )
        wanted = operation.query if is_status else operation.location_query
        if raw_query != wanted:
            raise _bad_signature()
        if is_status:
            return Reply(200, status_body(operation), self._poll_headers(operation))
        return self._poll_location(operation)

    def _poll_location(self, operation: Operation) -> Reply:
        style = operation.style
        body: object = status_body(operation)
        if operation.running:
            headers = dict(self._poll_headers(operation))
            if style.location_again:
                headers["Location"] = operation.location_url
            shown = body if style.location_running_body == "operation" else None
            return Reply(style.location_running, shown, headers)
        if operation.error:
            return Reply(200, body)
        if style.location_done_body == "resource":
            found = self._store.find(operation.target)
            body = found.body if found else None
        elif style.location_done_body == "none":
            body = None
        return Reply(style.location_done, body)

    def _poll_headers(self, operation: Operation) -> dict[str, str]:
        wait = operation.style.poll_retry_after_s
        return {"Retry-After": self._seconds(wait)} if wait and operation.running else {}

    def _headers(self, style: AsyncStyle, status_url: str, location_url: str) -> dict[str, str]:
        headers = dict(style.headers)
        base = self._store.base_url
        if status_url:
            headers["Azure-AsyncOperation"] = base + status_url
        if location_url:
            headers["Location"] = base + location_url
        if style.retry_after_s is not None:
            headers["Retry-After"] = self._seconds(style.retry_after_s)
        return headers

    def _seconds(self, wait: float) -> str:
        """A Retry-After, scaled like the operation it is about."""
        return str(max(0, round(wait * self.time_scale)))

    def _signed(self, url: str) -> str:
        separator = "&" if "?" in url else "?"
        ticks = TICKS_AT_EPOCH + int(self._store.now() * 10_000_000)
        text = base64.urlsafe_b64encode(self._store.random.randbytes(48)).decode()
        certificate, signature, digest = text[:24], text[24:48], text[48:]
        return f"{url}{separator}t={ticks}&c={certificate}&s={signature}&h={digest}"

    def _place_of(self, ctx: Context) -> str:
        """The region in the URL: the resource's, or that of the nearest parent that has one."""
        arm_id = ctx.id.text
        for levels in range(len(ctx.id.names)):
            found = self._store.find(ctx.id.ancestor(levels) if levels else arm_id)
            if found is not None and found.body.get("location"):
                return str(found.body["location"])
        return "global"

    def _add(self, operation: Operation) -> None:
        self._by_id[operation.id] = operation
        for path in (operation.path, operation.location_path):
            if path:
                self._by_path[path] = operation
        heapq.heappush(self._due, (operation.due, next(self._order), operation))

    def restore(self, operation: Operation) -> None:
        """Take back an operation that was saved."""
        if operation.running:
            self._add(operation)

    def clear(self) -> None:
        self._by_id.clear()
        self._by_path.clear()
        self._due.clear()


def status_body(operation: Operation) -> JSON:
    """What a status URL answers: the style's own body, or the standard one."""
    if operation.style.status_body is not None:
        return operation.style.status_body(operation)
    body: JSON = {
        "id": operation.url,
        "name": operation.id,
        "status": operation.status,
        "startTime": seconds_text(operation.started),
    }
    if operation.ended is not None:
        body["endTime"] = seconds_text(operation.ended)
    if operation.error:
        body["error"] = operation.error
    return body


def seconds_text(at: float) -> str:
    return datetime.fromtimestamp(at, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _template_values(
    ctx: Context, operation: str, location: str, target: Resource | None
) -> dict[str, str]:
    return {
        "subscription": ctx.id.subscription,
        "group": ctx.id.group,
        "namespace": ctx.type.namespace if ctx.type else ctx.id.namespace,
        "location": re.sub(r"\s", "", location),
        "operation": operation,
        "api_version": ctx.api_version,
        "resource": target.id if target else ctx.id.text,
    }


def _bad_signature() -> ArmError:
    # That a changed status URL is refused follows from its being signed; the status and the
    # words are unverified.
    return ArmError(403, "Forbidden", "The signature of the operation URL is not valid.")
