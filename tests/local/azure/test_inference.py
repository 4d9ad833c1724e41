"""The data plane: what a smoke test may ask of a deployed model."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import pytest
import pytest_asyncio

from reconciler.local.azure import EmulatedAzure, ManualClock
from tests.local.azure.client import Answer, Client

PING = {"messages": [{"role": "user", "content": "ping"}]}


@pytest_asyncio.fixture
async def client() -> AsyncIterator[Client]:
    async with Client(EmulatedAzure(rate_limits=False)) as opened:
        await opened.an_account()
        await opened.a_deployment("chat")
        await opened.a_deployment("thinker", model="o4-mini", version="2025-04-16")
        await opened.a_deployment("vectors", model="text-embedding-3-small", version="1")
        yield opened


async def ask(client: Client, path: str, body: dict[str, Any], key: str | None = None) -> Answer:
    account = (await client.send("GET", client.account)).body
    token = client.token
    client.token = client.azure.token(audience="https://cognitiveservices.azure.com")
    headers = {"api-key": key} if key else {}
    if key:
        client.token = None
    url = account["properties"]["endpoint"] + path
    answer = await client.send("POST", url, body, headers=headers)
    client.token = token
    return answer


@pytest.mark.parametrize(
    ("path", "model"),
    [
        ("openai/deployments/chat/chat/completions?api-version=2024-10-21", None),
        ("openai/v1/chat/completions", "chat"),
        ("models/chat/completions?api-version=2024-05-01-preview", "chat"),
    ],
)
async def test_a_deployment_answers_in_each_of_the_three_forms(
    client: Client, path: str, model: str | None
) -> None:
    answer = await ask(client, path, {**PING, "model": model, "max_tokens": 5})
    assert answer.status == 200
    assert answer.body["choices"][0]["message"]["role"] == "assistant"
    assert answer.body["usage"]["total_tokens"] > 0


async def test_an_embedding_is_a_list_of_numbers(client: Client) -> None:
    answer = await ask(client, "openai/deployments/vectors/embeddings", {"input": "ping"})
    assert all(isinstance(x, float) for x in answer.body["data"][0]["embedding"])


async def test_reasoning_models_refuse_max_tokens(client: Client) -> None:
    path = "openai/deployments/thinker/chat/completions"
    refused = await ask(client, path, {**PING, "max_tokens": 5})
    assert refused.status == 400
    assert "Use 'max_completion_tokens' instead" in refused.body["error"]["message"]
    assert (await ask(client, path, {**PING, "max_completion_tokens": 16})).status == 200


async def test_a_deployment_that_is_not_there_is_not_found(client: Client) -> None:
    answer = await ask(client, "openai/deployments/none/chat/completions", PING)
    assert (answer.status, answer.code) == (404, "DeploymentNotFound")


async def test_keys_work_unless_they_are_switched_off(client: Client) -> None:
    path = "openai/deployments/chat/chat/completions"
    key = (await client.send("POST", f"{client.account}/listKeys")).body["key1"]
    assert (await ask(client, path, PING, key)).status == 200
    assert (await ask(client, path, PING, "wrong")).status == 401
    await client.send("PATCH", client.account, {"properties": {"disableLocalAuth": True}})
    assert (await ask(client, path, PING, key)).code == "AuthenticationTypeDisabled"
    assert (await ask(client, path, PING)).status == 200


async def test_a_management_token_does_not_open_the_data_plane(client: Client) -> None:
    account = (await client.send("GET", client.account)).body
    url = account["properties"]["endpoint"] + "openai/deployments/chat/chat/completions"
    assert (await client.send("POST", url, PING)).status == 401


async def test_a_new_deployment_may_take_a_while_to_answer() -> None:
    clock = ManualClock()
    azure = EmulatedAzure(clock=clock, settings={"deployment.warm_up_s": 60})
    async with Client(azure) as client:
        await client.an_account()
        await client.a_deployment()
        path = "openai/deployments/chat/chat/completions"
        assert (await ask(client, path, PING)).code == "DeploymentNotFound"
        clock.advance(60)
        assert (await ask(client, path, PING)).status == 200
