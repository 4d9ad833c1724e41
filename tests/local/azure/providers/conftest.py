"""A bare client for the emulated Azure: what it sends and gets is what the tests assert."""

from __future__ import annotations

import json
import os
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from typing import Any

import aiohttp
import pytest_asyncio

from reconciler.local.azure.server import SUBSCRIPTION, EmulatedAzure
from reconciler.local.azure.traffic import Exchange
from tests.contracts import check_exchange

VERSIONS = {
    "microsoft.machinelearningservices": "2025-06-01",
    "microsoft.keyvault": "2025-05-01",
    "microsoft.storage": "2025-08-01",
    "microsoft.managedidentity": "2024-11-30",
    "microsoft.authorization": "2022-04-01",
    "microsoft.operationalinsights": "2023-09-01",
    "microsoft.containerregistry": "2025-11-01",
    "microsoft.network": "2025-01-01",
    "components": "2020-02-02",
    "autoscalesettings": "2022-10-01",
    "resourcegroups": "2025-04-01",
}
GROUP = f"/subscriptions/{SUBSCRIPTION}/resourceGroups/rg"


@dataclass(frozen=True)
class Got:
    """An answer."""

    status: int
    headers: dict[str, str]
    body: Any

    @property
    def properties(self) -> dict[str, Any]:
        return self.body["properties"]

    @property
    def code(self) -> str:
        return self.body["error"]["code"]


@dataclass
class Arm:
    """Sends requests with a valid token; `path` may be relative to the group `rg`."""

    azure: EmulatedAzure
    exchanges: list[Exchange]
    session: aiohttp.ClientSession
    client_id: str = ""

    def id(self, path: str) -> str:
        return path if path.startswith("/") else f"{GROUP}/providers/{path}"

    async def call(
        self, method: str, path: str, body: Any = None, query: str = "", version: str = ""
    ) -> Got:
        arm_id = self.id(path)
        about = arm_id.lower().rpartition("/providers/")[2]
        version = version or next(v for k, v in VERSIONS.items() if k in about)
        return await self.raw(
            method, f"{self.azure.url}{arm_id}?api-version={version}{query}", body
        )

    async def raw(self, method: str, url: str, body: Any = None) -> Got:
        headers = {"Authorization": f"Bearer {self.azure.token()}"}
        async with self.session.request(method, url, json=body, headers=headers) as answer:
            text = await answer.text()
            found = {k.lower(): v for k, v in answer.headers.items()}
            return Got(answer.status, found, json.loads(text) if text else None)

    async def get(self, path: str, query: str = "", version: str = "") -> Got:
        return await self.call("GET", path, None, query, version)

    async def put(self, path: str, body: Any, query: str = "", version: str = "") -> Got:
        return await self.call("PUT", path, body, query, version)

    async def patch(self, path: str, body: Any) -> Got:
        return await self.call("PATCH", path, body)

    async def post(self, path: str, body: Any = None) -> Got:
        return await self.call("POST", path, body)

    async def delete(self, path: str, query: str = "") -> Got:
        return await self.call("DELETE", path, None, query)

    async def made(self, path: str, body: Any) -> Got:
        """PUT, wait for what it started, and read the resource."""
        answer = await self.put(path, body)
        assert answer.status < 300, answer.body
        await self.waited(answer)
        return await self.get(path)

    async def waited(self, answer: Got) -> Got:
        """Poll the operation an answer announced until it ends; the last poll's answer."""
        url = answer.headers.get("azure-asyncoperation")
        if url is None and answer.status == 202:
            url = answer.headers.get("location")
        if url is None:
            return answer
        for _ in range(100):
            poll = await self.raw("GET", url)
            if poll.status != 202 and (poll.body or {}).get("status", "Succeeded") in (
                "Succeeded",
                "Failed",
            ):
                return poll
        raise AssertionError(f"{url} never ends")


@pytest_asyncio.fixture
async def emulated() -> AsyncIterator[Callable[..., Any]]:
    """Opens emulators with options of the test's choice and closes them."""
    opened: list[Arm] = []
    session = aiohttp.ClientSession()

    async def open_one(**options: Any) -> Arm:
        exchanges: list[Exchange] = []
        azure = EmulatedAzure(rate_limits=False, on_exchange=exchanges.append, **options)
        await azure.__aenter__()
        arm = Arm(azure, exchanges, session)
        opened.append(arm)
        await arm.put(GROUP, {"location": "eastus2"})
        return arm

    yield open_one
    await session.close()
    for arm in opened:
        await arm.azure.__aexit__(None, None, None)
    if "RECONCILER_CONTRACTS" in os.environ:  # test_contracts.py is skipped, and says so, if not
        found = [problem for arm in opened for e in arm.exchanges for problem in check_exchange(e)]
        assert not found, "\n".join(found)


@pytest_asyncio.fixture
async def arm(emulated: Callable[..., Any]) -> Arm:
    return await emulated()
