"""A done outcome says where what was made can be called, as a fresh read found it."""

import ssl
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.engine.estates import ACCOUNT, BASE, chat, endpoint
from tests.engine.world import World, a_world

BATCH = """
    apiVersion: aigitops/v1
    kind: BatchEndpoint
    metadata: {name: nightly}
    spec: {workspace: mlw, authMode: AADToken}
"""
SERVERLESS = """
    apiVersion: aigitops/v1
    kind: ServerlessEndpoint
    metadata: {name: llama}
    spec:
      workspace: mlw
      modelSettings:
        modelId: azureml://registries/azureml-meta/models/Llama-3.3-70B-Instruct
      marketplace: {acceptTerms: true}
"""


@pytest.fixture
async def over_tls(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[World]:
    async with a_world(tmp_path, tls=True) as one:
        # aiohttp reads the trusted certificates once, when it is imported: too early for this one.
        trusted = ssl.create_default_context(cafile=one.azure.environment()["SSL_CERT_FILE"])
        monkeypatch.setattr("aiohttp.connector._SSL_CONTEXT_VERIFIED", trusted)
        yield one


def endpoints(outcomes: dict[str, str]) -> dict[str, str]:
    return {name.rpartition("/")[2]: one for name, one in outcomes.items() if one}


async def test_what_can_be_called_says_where(over_tls: World) -> None:
    over_tls.declare(*BASE, ACCOUNT, chat(), endpoint(), BATCH, SERVERLESS)
    run = await over_tls.converge()
    base = f"{over_tls.azure.url}/_data/"
    assert base.startswith("https://")
    found = endpoints({name: one.endpoint for name, one in run.outcomes.items()})
    assert set(found) == {"contoso", "vllm", "nightly", "llama"}
    assert all(one.startswith(base) for one in found.values())
    ml = "Microsoft.MachineLearningServices/workspaces/mlw"
    live = over_tls.get(f"{ml}/onlineEndpoints/vllm")["properties"]["scoringUri"]
    assert found["vllm"] == live


async def test_what_was_saved_says_the_same(over_tls: World) -> None:
    over_tls.declare(*BASE[:1], ACCOUNT)
    run = await over_tls.converge()
    async with over_tls.app() as app:
        saved = await app.store.run(run.id)
    assert saved is not None
    assert saved.outcomes == run.outcomes
    assert saved.outcomes["create:Account/contoso"].endpoint


async def test_an_address_that_is_not_safe_to_show_is_left_out(world: World) -> None:
    world.declare(*BASE[:1], ACCOUNT)
    run = await world.converge()
    assert {one.endpoint for one in run.outcomes.values()} == {""}, "plain http"
