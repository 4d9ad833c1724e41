"""The door for webhooks, over a real store and queue, with nothing else behind it."""

import json
from collections import Counter
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from jsonschema import Draft202012Validator

from reconciler.app import SystemClock
from reconciler.http import Answer, Request, answer
from reconciler.http.schemas import ANSWERS, PROBLEM
from reconciler.ports import Forge
from reconciler.service import Service
from reconciler.state.sqlite import SqliteStore
from reconciler.state.sqlite_queue import SqliteQueue
from tests.desk import Branch

CANARY = "canary-in-a-body-5f1e9d"
HUGE = 30 << 20
LONG = 16
"""A header's value of so many characters is no ordinary word."""

type Delivery = tuple[Mapping[str, str], bytes]


@dataclass
class Door:
    """The route, with a service whose specs and Azure have nothing to do."""

    service: Service
    secrets: tuple[str, ...]

    async def send(self, delivery: Delivery, forge: str = "") -> Answer:
        """The answer, which is held to its schema and repeats nothing of what was sent."""
        given, body = delivery
        assert self.service.forge is not None or forge
        name = forge or getattr(self.service.forge, "name", "")
        url = "https://app.example/api/webhooks/x?code=key"
        request = Request(url, {}, {"forge": name}, body, given)
        found = await answer("webhook", lambda: self.service, request)
        if found.status != 204:
            schema = PROBLEM if found.status >= 400 else ANSWERS["webhook"]
            Draft202012Validator(schema).validate(found.body)
        said = f"{found.text} {found.headers}"
        sent = [one for one in given.values() if len(one) >= LONG]
        assert not any(one in said for one in (CANARY, *self.secrets, *sent))
        return found

    async def queued(self) -> list[dict[str, str]]:
        queue = self.service.queue
        assert isinstance(queue, SqliteQueue)
        return [json.loads(one.text) for one in await queue.take(10_000, 60)]


@asynccontextmanager
async def a_door(folder: Path, forge: Forge, secrets: tuple[str, ...]) -> AsyncIterator[Door]:
    """``secrets``: what must not be repeated."""

    def no_engine(identity: str) -> Any:
        raise AssertionError("a webhook asks nothing of Azure")

    store, queue = SqliteStore(folder / "state.db"), SqliteQueue(folder / "state.db")
    branch = Branch(broken=AssertionError("a webhook reads no specs"))
    yield Door(
        Service(store, queue, branch, SystemClock(), no_engine, lambda: "", forge=forge), secrets
    )
    queue.close()
    store.close()


def counted(record_property: Any, name: str, answered: Counter[int], queued: int) -> None:
    """To be shown at the end of the test run."""
    refused = answered[401] + answered[413]
    record_property(
        f"webhooks, {name.replace('_', ' ')}",
        f"{answered.total()} sent, {refused} refused, {answered[204]} passed over, "
        f"{answered[202]} accepted, {queued} queued",
    )
