"""A bare HTTP client for the emulated Azure, so that tests say what goes over the wire."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from types import TracebackType
from typing import Any, Self

import aiohttp

from reconciler.local.azure import EmulatedAzure, Exchange
from tests.contracts import check_exchange

VERSION = "2026-03-01"
GROUP_VERSION = "2025-04-01"


@dataclass(frozen=True)
class Answer:
    """Status, headers (lower-cased) and the decoded body of an answer."""

    status: int
    headers: Mapping[str, str]
    body: Any
    text: str = ""

    @property
    def code(self) -> str:
        """The error code of a refusal."""
        return str(self.body["error"]["code"])


@dataclass
class Client:
    """An emulated Azure and a session with a token, opened and closed together."""

    azure: EmulatedAzure
    token: str | None = None
    exchanges: list[Exchange] = field(default_factory=list)
    _session: aiohttp.ClientSession | None = None

    async def __aenter__(self) -> Self:
        self.azure.options.on_exchange = self.exchanges.append
        await self.azure.__aenter__()
        self.token = self.azure.token()
        self._session = aiohttp.ClientSession()
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        assert self._session is not None
        await self._session.close()
        await self.azure.__aexit__(kind, error, trace)

    async def send(
        self,
        method: str,
        path: str,
        body: Any = None,
        *,
        version: str | None = VERSION,
        headers: Mapping[str, str] | None = None,
        query: str = "",
    ) -> Answer:
        """Send a request; `path` is an ARM path, or a whole URL that is used verbatim."""
        assert self._session is not None
        url = path
        if path.startswith("/"):
            parts = [f"api-version={version}" if version else "", query]
            url = f"{self.azure.url}{path}?{'&'.join(p for p in parts if p)}".rstrip("?")
        sent = {"Authorization": f"Bearer {self.token}"} if self.token else {}
        async with self._session.request(
            method, url, json=body, headers={**sent, **(headers or {})}
        ) as answer:
            text = await answer.text()
            found = {name.lower(): value for name, value in answer.headers.items()}
            is_json = text and "json" in found.get("content-type", "")
            return Answer(answer.status, found, json.loads(text) if is_json else None, text)

    # Where things are

    @property
    def subscription(self) -> str:
        return f"/subscriptions/{self.azure.options.subscriptions[0]}"

    @property
    def group(self) -> str:
        return f"{self.subscription}/resourceGroups/rg-test"

    @property
    def account(self) -> str:
        return f"{self.group}/providers/Microsoft.CognitiveServices/accounts/contoso-ai"

    @property
    def cognitive(self) -> str:
        return f"{self.subscription}/providers/Microsoft.CognitiveServices"

    # Making things

    async def a_group(self, location: str = "eastus2") -> Answer:
        return await self.send("PUT", self.group, {"location": location}, version=GROUP_VERSION)

    async def an_account(self, **properties: Any) -> Answer:
        """A group, and in it an AIServices account that is ready."""
        await self.a_group()
        answer = await self.send("PUT", self.account, account_body(**properties))
        assert answer.status == 201, answer.text
        await self.send("GET", answer.headers["azure-asyncoperation"])
        return answer

    async def a_deployment(self, name: str = "chat", **more: Any) -> Answer:
        return await self.send("PUT", f"{self.account}/deployments/{name}", deployment_body(**more))

    def problems(self) -> list[str]:
        """What Microsoft's types have against the bodies so far."""
        return [problem for exchange in self.exchanges for problem in check_exchange(exchange)]


def account_body(**properties: Any) -> dict[str, Any]:
    return {
        "location": "eastus2",
        "kind": "AIServices",
        "sku": {"name": "S0"},
        "identity": {"type": "SystemAssigned"},
        "properties": {
            "customSubDomainName": "contoso-ai",
            "allowProjectManagement": True,
            **properties,
        },
    }


def deployment_body(
    model: str = "gpt-4.1",
    version: str = "2025-04-14",
    sku: str = "GlobalStandard",
    capacity: int = 10,
    **properties: Any,
) -> dict[str, Any]:
    wanted = {"format": "OpenAI", "name": model, "version": version}
    return {
        "sku": {"name": sku, "capacity": capacity},
        "properties": {"model": wanted, **properties},
    }


def project_body(**properties: Any) -> dict[str, Any]:
    return {
        "location": "eastus2",
        "identity": {"type": "SystemAssigned"},
        "properties": properties,
    }
