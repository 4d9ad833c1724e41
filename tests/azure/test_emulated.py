"""The adapter against the emulated Azure: whole lives of resources, conflicts, limits, faults."""

import asyncio
import os
import sys
from collections.abc import AsyncIterator, Mapping
from datetime import UTC, datetime
from typing import Any

import pytest

from reconciler.azure.client import Client
from reconciler.azure.provider import ArmProvider
from reconciler.azure.settings import AzureSettings
from reconciler.core.errors import Permanent, Transient
from reconciler.core.kinds import KINDS
from reconciler.core.model import Collection, Observed, Secret, Target, Verify
from reconciler.local.azure import EmulatedAzure, Fault, ManualClock
from reconciler.local.azure.server import SUBSCRIPTION
from tests.azure.scripted import JumpClock, StaticCredential

GROUP = f"/subscriptions/{SUBSCRIPTION}/resourceGroups/rg"
ACCOUNT = f"{GROUP}/providers/Microsoft.CognitiveServices/accounts/contoso"
CHAT = f"{ACCOUNT}/deployments/chat"
VAULT = f"{GROUP}/providers/Microsoft.KeyVault/vaults/contoso-kv"

FOUNDRY = {
    "location": "eastus2",
    "kind": "AIServices",
    "sku": {"name": "S0"},
    "identity": {"type": "SystemAssigned"},
    "customSubDomainName": "contoso",
}
MODEL = {
    "sku": {"name": "GlobalStandard", "capacity": 5},
    "model": {"format": "OpenAI", "name": "gpt-4.1", "version": "2025-04-14"},
}


class SharedClock:
    """The emulator's clock, moved on by whoever waits here."""

    def __init__(self, clock: ManualClock) -> None:
        self._clock = clock

    def now(self) -> datetime:
        return datetime.fromtimestamp(self._clock.now(), UTC)

    def monotonic(self) -> float:
        return self._clock.now()

    async def sleep(self, seconds: float) -> None:
        self._clock.advance(seconds)
        await asyncio.sleep(0)


class Cloud:
    """A provider, and a short way to carry a write through."""

    def __init__(self, azure: EmulatedAzure, provider: ArmProvider, clock: SharedClock) -> None:
        self.azure, self.provider, self._clock = azure, provider, clock

    async def put(self, kind: str, arm_id: str, properties: Mapping[str, Any]) -> Observed:
        target = to(kind, arm_id)
        operation = await self.provider.put(target, properties)
        while not operation.done:
            await self._clock.sleep(5)
            operation = await self.provider.poll(operation)
        found = await self.provider.read(target)
        assert found is not None
        return found

    async def remove(self, kind: str, arm_id: str, purge: str = "") -> None:
        target = to(kind, arm_id)
        pending = self.provider.purge(target, purge) if purge else self.provider.delete(target)
        operation = await pending
        while not operation.done:
            await self._clock.sleep(5)
            operation = await self.provider.poll(operation)
        assert await self.provider.read(target) is None


def to(kind: str, arm_id: str) -> Target:
    return Target(kind, arm_id, KINDS[kind].places[0].api_version)


async def ticking(clock: ManualClock) -> None:
    """Let time pass for what the emulated Azure does while a request waits."""
    while True:
        if clock.sleepers:
            clock.advance(0.5)
        await asyncio.sleep(0.001)


@pytest.fixture
async def cloud(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Cloud]:
    manual = ManualClock()
    clock = SharedClock(manual)
    async with EmulatedAzure(clock=manual, time_scale=1.0) as azure:
        for name, value in azure.environment().items():
            monkeypatch.setenv(name, value)
        from azure.identity.aio import ManagedIdentityCredential

        client = Client(AzureSettings(endpoint=azure.url), ManagedIdentityCredential(), clock)
        ticker = asyncio.create_task(ticking(manual))
        try:
            yield Cloud(azure, ArmProvider(client), clock)
        finally:
            ticker.cancel()
            await client.close()


async def test_a_resource_is_made_read_tested_deleted_and_purged(cloud: Cloud) -> None:
    await cloud.put("ResourceGroup", GROUP, {"location": "eastus2"})
    account = await cloud.put("Account", ACCOUNT, FOUNDRY)
    assert account.properties.items() >= FOUNDRY.items()
    assert account.outputs["identity.principalId"]
    deployment = await cloud.put("ModelDeployment", CHAT, MODEL)
    assert deployment.properties.items() >= MODEL.items()
    ping = {"messages": [{"role": "user", "content": "ping"}], "max_completion_tokens": 16}
    status, answer = await cloud.provider.verify(to("ModelDeployment", CHAT), Verify(ping))
    assert (status, answer["choices"][0]["message"]["content"]) == (200, "pong")
    listed = await cloud.provider.observe(
        Collection(f"{ACCOUNT}/deployments", "2026-03-01", ("ModelDeployment",))
    )
    assert listed == [deployment]
    await cloud.remove("ModelDeployment", CHAT)
    await cloud.remove("Account", ACCOUNT)
    with pytest.raises(Permanent, match="softDeleted: restore or purge"):
        await cloud.provider.put(to("Account", ACCOUNT), FOUNDRY)
    await cloud.remove("Account", ACCOUNT, purge="eastus2")
    await cloud.remove("Account", ACCOUNT, purge="eastus2")
    assert (await cloud.put("Account", ACCOUNT, FOUNDRY)).state == "Succeeded"


async def test_a_key_travels_from_an_account_through_a_vault_into_a_connection(
    cloud: Cloud,
) -> None:
    await cloud.put("ResourceGroup", GROUP, {"location": "eastus2"})
    await cloud.put("Account", ACCOUNT, FOUNDRY)
    vault = {
        "location": "eastus2",
        "tenantId": cloud.azure.options.tenant,
        "sku": {"family": "A", "name": "standard"},
        "enableRbacAuthorization": True,
    }
    await cloud.put("KeyVault", VAULT, vault)
    key = Secret(name="key1", keys_of=ACCOUNT)
    await cloud.put("Secret", f"{VAULT}/secrets/search-key", {"value": key})
    kept = Secret(name="search-key", vault=VAULT)
    assert (await cloud.provider.secret_versions([kept]))[kept]
    connection = await cloud.put(
        "Connection",
        f"{ACCOUNT}/connections/search",
        {
            "category": "CognitiveSearch",
            "target": "https://x.search.windows.net",
            "authType": "ApiKey",
            "credentials": {"key": kept},
        },
    )
    assert "credentials" not in connection.properties


async def test_writes_below_one_account_take_turns(cloud: Cloud) -> None:
    await cloud.put("ResourceGroup", GROUP, {"location": "eastus2"})
    await cloud.put("Account", ACCOUNT, FOUNDRY)
    names = [f"{ACCOUNT}/deployments/d{n}" for n in range(4)]
    await asyncio.gather(*(cloud.put("ModelDeployment", name, MODEL) for name in names))
    listed = await cloud.provider.query(f"{ACCOUNT}/deployments", "2026-03-01")
    assert len(listed) == 4
    assert cloud.azure.requests.count("PUT", 409) > 0


async def test_azure_never_has_to_refuse_for_too_many_requests(cloud: Cloud) -> None:
    await cloud.put("ResourceGroup", GROUP, {"location": "eastus2"})
    target = to("ResourceGroup", GROUP)
    found = await asyncio.gather(*(cloud.provider.read(target) for _ in range(600)))
    assert all(found)
    assert cloud.azure.throttle.refused == 0


async def test_a_put_whose_answer_is_lost_reaches_azure_once(cloud: Cloud) -> None:
    await cloud.put("ResourceGroup", GROUP, {"location": "eastus2"})
    before = cloud.azure.requests.count("PUT")
    cloud.azure.faults.add([Fault(method="PUT", drop="after", count=1)])
    with pytest.raises(Transient, match="may or may not have been done"):
        await cloud.provider.put(to("Account", ACCOUNT), FOUNDRY)
    assert cloud.azure.requests.count("PUT") == before + 1
    assert await cloud.provider.read(to("Account", ACCOUNT)) is not None


async def test_failed_slow_work_is_told_with_azures_reason(cloud: Cloud) -> None:
    await cloud.put("ResourceGroup", GROUP, {"location": "eastus2"})
    reason = {"code": "Boom", "message": "The region is on fire."}
    cloud.azure.faults.add([Fault(method="PUT", path="/accounts/", operation_error=reason)])
    with pytest.raises(Permanent, match=r"and then failed: The region is on fire \[Boom"):
        await cloud.put("Account", ACCOUNT, FOUNDRY)


LOOK = """
import asyncio, os
from reconciler.app import SystemClock
from reconciler.azure import AzureSettings, build_provider

async def look():
    provider = build_provider(
        AzureSettings(endpoint=os.environ["RECONCILER_ARM_ENDPOINT"]), SystemClock()
    )
    try:
        path = f"/subscriptions/{os.environ['AZURE_SUBSCRIPTION_ID']}/resourcegroups"
        print(await provider.query(path, "2021-04-01"))
    finally:
        await provider.close()

asyncio.run(look())
"""


async def test_tls_works_with_a_trusted_certificate() -> None:
    async with EmulatedAzure(tls=True) as azure:
        process = await asyncio.create_subprocess_exec(
            sys.executable,
            "-c",
            LOOK,
            env={**os.environ, **azure.environment()},
            stdout=asyncio.subprocess.PIPE,
        )
        output = (await process.communicate())[0].decode()
    assert output.strip() == "[]"


async def test_an_untrusted_certificate_is_refused_with_what_to_check() -> None:
    async with EmulatedAzure(tls=True) as azure:
        client = Client(AzureSettings(endpoint=azure.url), StaticCredential(), JumpClock())  # type: ignore[arg-type]  # enough of a credential
        try:
            with pytest.raises(Transient, match="SSL_CERT_FILE"):
                await ArmProvider(client).query("/subscriptions", "2022-12-01")
        finally:
            await client.close()
    assert len(azure.requests) == 0
