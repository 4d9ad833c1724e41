"""Service hooks: sent one after another, and lost or doubled on request.

https://learn.microsoft.com/azure/devops/service-hooks/events
"""

from __future__ import annotations

import asyncio
import json
import random
from base64 import b64encode
from collections.abc import Sequence
from dataclasses import dataclass, field

import aiohttp

from reconciler.local.azure_devops import shapes
from reconciler.local.azure_devops.model import (
    JSON,
    Comment,
    Pull,
    Repository,
    Subscription,
    Thread,
)
from reconciler.local.azure_devops.model import User as Person
from reconciler.local.azure_devops.world import World, stamp

EVENTS = (
    "git.push",
    "git.pullrequest.created",
    "git.pullrequest.updated",
    "git.pullrequest.merged",
    "ms.vss-code.git-pullrequest-comment-event",
)
VERSIONS = {EVENTS[-1]: "2.0"}  # others: 1.0
TIMEOUT_S = 10


@dataclass(frozen=True)
class Delivery:
    """One that was tried; `status` is 0 when nobody answered, -1 when it was dropped."""

    event: str
    body: bytes
    status: int


@dataclass
class Hooks:
    """Sends events to the subscriptions; `drop` and `double` are chances from 0 to 1."""

    world: World
    seed: int = 0
    drop: float = 0.0
    double: float = 0.0
    subscriptions: list[Subscription] = field(default_factory=list)
    deliveries: list[Delivery] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._chance = random.Random(self.seed)  # noqa: S311 - it must repeat with the seed
        self._queue: asyncio.Queue[tuple[Subscription, str, bytes]] = asyncio.Queue()
        self._worker: asyncio.Task[None] | None = None
        self._session: aiohttp.ClientSession | None = None

    async def start(self) -> None:
        self._session = aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=TIMEOUT_S))
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

    def subscribe(
        self, url: str, *, secret: str = "", header: str = "X-Reconciler-Secret",
        login: tuple[str, str] | None = None, events: Sequence[str] = EVENTS,
    ) -> str:  # fmt: skip
        """Send events there from now on, with a header, basic authentication, or neither."""
        headers = {header: secret} if secret else {}
        if login:
            pair = ":".join(login).encode()
            headers["Authorization"] = f"Basic {b64encode(pair).decode()}"
        number = self.world.guid("subscription", len(self.subscriptions))
        self.subscriptions.append(Subscription(number, url, tuple(events), headers))
        return number

    # What happened

    def push(self, repo: Repository, ref: str, old: str, new: str, by: Person) -> None:
        found = shapes.repository(self.world, repo)
        update = {"name": ref, "oldObjectId": old, "newObjectId": new}
        who = shapes.identity(self.world, by)
        self.send(
            "git.push", {"refUpdates": [update], "repository": found, "pushedBy": who, "pushId": 1},
            f"{by.title} pushed updates to {repo.name}",
        )  # fmt: skip

    def pull(self, event: str, pull: Pull, what: str) -> None:
        self.send(f"git.pullrequest.{event}", shapes.pull(self.world, pull), what)

    def comment(self, pull: Pull, thread: Thread, comment: Comment, what: str) -> None:
        body = {
            "comment": shapes.comment(self.world, pull, thread, comment),
            "pullRequest": shapes.pull(self.world, pull),
        }
        self.send(EVENTS[-1], body, f"{comment.author.title} has {what} a pull request comment")

    def send(self, event: str, resource: JSON, text: str) -> None:
        """Queue an event for every subscription that wants it."""
        for one in self.subscriptions:
            if event in one.events and one.status == "enabled":
                body = {
                    "subscriptionId": one.id,
                    "notificationId": self.world.new_id(),
                    "id": self.world.guid("event", self.world.new_id()),
                    "eventType": event,
                    "publisherId": "tfs",
                    "message": {"text": text},
                    "detailedMessage": {"text": text},
                    "resource": resource,
                    "resourceVersion": VERSIONS.get(event, "1.0"),
                    "resourceContainers": {"account": {"baseUrl": f"{self.world.url}/"}},
                    "createdDate": stamp(self.world.now()),
                }
                self._queue.put_nowait((one, event, json.dumps(body).encode()))

    async def _work(self) -> None:
        while True:
            one, event, body = await self._queue.get()
            if self._chance.random() < self.drop:
                self.deliveries.append(Delivery(event, body, -1))
            else:
                for _ in range(2 if self._chance.random() < self.double else 1):
                    await self._deliver(one, event, body)
            self._queue.task_done()

    async def _deliver(self, one: Subscription, event: str, body: bytes) -> None:
        assert self._session is not None
        headers = {"Content-Type": "application/json; charset=utf-8", **one.headers}
        status = 0
        try:
            async with self._session.post(one.url, data=body, headers=headers, ssl=False) as answer:
                await answer.read()
                status = answer.status
        except (aiohttp.ClientError, TimeoutError, ValueError):
            pass
        self.deliveries.append(Delivery(event, body, status))
