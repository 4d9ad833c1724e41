"""Webhooks: signed, sent one after another, and lost, doubled, late or out of order on request.

https://docs.github.com/en/webhooks/webhook-events-and-payloads
"""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import json
import random
import time
import uuid
from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any, Self

import aiohttp

from reconciler.local.github.model import JSON, Delivery, Hook, Repository
from reconciler.local.github.world import World

TIMEOUT_S = 10  # GitHub waits no longer, and does not try again by itself
KEPT = 10_000


@dataclass
class Mischief:
    """What goes wrong with deliveries: chances from 0 to 1, and a delay before each.

    `reorder` holds a delivery back until the next one, or until none is left.
    """

    drop: float = 0.0
    double: float = 0.0
    reorder: float = 0.0
    delay_s: float = 0.0

    @classmethod
    def of(cls, data: Mapping[str, Any]) -> Self:
        """From a file or a request. ValueError for a name that does not exist."""
        if unknown := set(data) - {f.name for f in fields(cls)}:
            raise ValueError(f"unknown about webhooks: {', '.join(sorted(unknown))}")
        return cls(**{name: float(value) for name, value in data.items()})


class Hooks:
    """Sends events to the App's URL and to the repositories' own hooks."""

    def __init__(self, world: World, url: str, secret: str, seed: int) -> None:
        self.world = world
        self.app_hook = Hook(world.new_id(), url, secret, tuple(world.app.events), None)
        self.mischief = Mischief()
        self.deliveries: dict[int, Delivery] = {}
        self._chance = random.Random(seed)  # noqa: S311 - it must repeat with the seed
        self._queue: asyncio.Queue[Delivery] = asyncio.Queue()
        self._held: list[Delivery] = []
        self._worker: asyncio.Task[None] | None = None
        self._session: aiohttp.ClientSession | None = None

    async def start(self) -> None:
        timeout = aiohttp.ClientTimeout(total=TIMEOUT_S)
        self._session = aiohttp.ClientSession(timeout=timeout)
        self._worker = asyncio.create_task(self._work())

    async def stop(self) -> None:
        if self._worker is not None:
            self._worker.cancel()
            await asyncio.gather(self._worker, return_exceptions=True)
        if self._session is not None:
            await self._session.close()

    async def settle(self) -> None:
        """Come back when all that was to be delivered was, or was dropped."""
        await self._queue.join()

    # Sending

    def send(self, event: str, payload: JSON, repo: Repository) -> None:
        """Queue an event for every hook that wants it."""
        wanted = [hook for hook in repo.hooks if hook.active and _wants(hook, event)]
        if self.app_hook.url and self.world.installed(repo) and _wants(self.app_hook, event):
            wanted.append(self.app_hook)
        for hook in wanted:
            self.send_to(hook, event, payload, repo)

    def send_to(self, hook: Hook, event: str, payload: JSON, repo: Repository | None) -> Delivery:
        """Queue an event for one hook."""
        if hook is self.app_hook:
            number = self.world.app.installation_id
            named = {"id": number, "node_id": f"installation-{number}"}
            payload = {**payload, "installation": named}
        guid = str(uuid.UUID(int=self._chance.getrandbits(128), version=4))
        return self._put(hook, guid, event, payload, repo)

    def again(self, old: Delivery) -> Delivery:
        """Redeliver: the same event with the same identifier."""
        return self._put(old.hook, old.guid, old.event, old.payload, old.repo, again=True)

    def _put(
        self, hook: Hook, guid: str, event: str, payload: JSON, repo: Repository | None,
        *, again: bool = False,
    ) -> Delivery:  # fmt: skip
        made = Delivery(
            self.world.new_id(), guid, hook, event, payload.get("action"), payload, repo, again
        )
        self.deliveries[made.id] = made
        while len(self.deliveries) > KEPT:
            del self.deliveries[next(iter(self.deliveries))]
        self._queue.put_nowait(made)
        return made

    async def _work(self) -> None:
        while True:
            delivery = await self._queue.get()
            await self._misbehave(delivery)
            if self._queue.empty():
                await self._release()

    async def _misbehave(self, delivery: Delivery) -> None:
        rules, chance = self.mischief, self._chance.random
        if rules.delay_s:
            await self.world.clock.sleep(rules.delay_s)
        if chance() < rules.drop:
            delivery.status = "dropped"
            self._queue.task_done()
        elif chance() < rules.reorder:
            self._held.append(delivery)
        else:
            for _ in range(2 if chance() < rules.double else 1):
                await self._deliver(delivery)
            self._queue.task_done()
            await self._release()

    async def _release(self) -> None:
        while self._held:
            await self._deliver(self._held.pop())
            self._queue.task_done()

    async def _deliver(self, delivery: Delivery) -> None:
        assert self._session is not None
        body = json.dumps(delivery.payload).encode()
        delivery.headers = self._headers(delivery, body)
        delivery.delivered, started = self.world.now(), time.perf_counter()
        try:
            async with self._session.post(
                delivery.hook.url, data=body, headers=delivery.headers, ssl=False
            ) as answer:
                await answer.read()
                delivery.status_code = answer.status
                delivery.status = "OK" if answer.ok else (answer.reason or "failed")
        except (aiohttp.ClientError, TimeoutError, ValueError):
            delivery.status_code, delivery.status = 0, "failed to connect to host"
        delivery.duration = round(time.perf_counter() - started, 3)
        delivery.hook.last = (delivery.status_code or None, delivery.status)

    def _headers(self, delivery: Delivery, body: bytes) -> dict[str, str]:
        hook = delivery.hook
        kind, target = "repository", delivery.repo.id if delivery.repo else 0
        if hook is self.app_hook:
            kind, target = "integration", self.world.app.id
        found = {
            "Accept": "*/*",
            "Content-Type": "application/json",
            "User-Agent": f"GitHub-Hookshot/{self.world.secret('hookshot', length=7)}",
            "X-GitHub-Delivery": delivery.guid,
            "X-GitHub-Event": delivery.event,
            "X-GitHub-Hook-ID": str(hook.id),
            "X-GitHub-Hook-Installation-Target-ID": str(target),
            "X-GitHub-Hook-Installation-Target-Type": kind,
        }
        return found | (signatures(hook.secret, body) if hook.secret else {})


def signatures(secret: str, body: bytes) -> dict[str, str]:
    """The headers that prove who sent a body."""
    key = secret.encode()
    return {
        "X-Hub-Signature": "sha1=" + hmac.new(key, body, hashlib.sha1).hexdigest(),
        "X-Hub-Signature-256": "sha256=" + hmac.new(key, body, hashlib.sha256).hexdigest(),
    }


def _wants(hook: Hook, event: str) -> bool:
    return event == "ping" or "*" in hook.events or event in hook.events
