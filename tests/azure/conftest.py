"""Fixtures: a scripted server, a clock that never waits, a provider between them."""

from collections.abc import AsyncIterator

import pytest

from reconciler.azure.client import Client
from reconciler.azure.provider import ArmProvider
from reconciler.azure.settings import AzureSettings
from tests.azure.scripted import JumpClock, Script, StaticCredential, serving


@pytest.fixture
async def script() -> AsyncIterator[Script]:
    one = Script()
    async with serving(one.handle) as url:
        one.url = url
        yield one


@pytest.fixture
def clock() -> JumpClock:
    return JumpClock()


@pytest.fixture
def credential() -> StaticCredential:
    return StaticCredential()


@pytest.fixture
async def client(
    script: Script, clock: JumpClock, credential: StaticCredential
) -> AsyncIterator[Client]:
    settings = AzureSettings(endpoint=script.url, secrets={"API_KEY": "canary-setting-1234"})
    one = Client(settings, credential, clock)  # type: ignore[arg-type]  # enough of a credential
    yield one
    await one.close()


@pytest.fixture
def provider(client: Client) -> ArmProvider:
    return ArmProvider(client)
