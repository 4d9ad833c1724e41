"""Microsoft's own libraries against the emulated Azure over TLS, unmodified."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest
import pytest_asyncio
from azure.identity import ClientSecretCredential, ManagedIdentityCredential
from azure.mgmt.cognitiveservices import CognitiveServicesManagementClient
from azure.mgmt.cognitiveservices.models import (
    Account,
    AccountProperties,
    Deployment,
    DeploymentModel,
    DeploymentProperties,
    Identity,
    Sku,
)

from reconciler.local.azure import EmulatedAzure
from reconciler.local.azure.server import CLIENT_SECRET
from tests.local.azure.client import GROUP_VERSION, Client


@pytest_asyncio.fixture
async def azure(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[EmulatedAzure]:
    async with EmulatedAzure(tls=True) as opened:
        for name, value in opened.environment().items():
            monkeypatch.setenv(name, value)
        opened.backdoor.put(
            f"/subscriptions/{opened.options.subscriptions[0]}/resourceGroups/rg",
            {"location": "eastus2"},
        )
        yield opened


def manage(azure: EmulatedAzure) -> list[str]:
    """Create, list, delete and purge, as a program of the SDK's users would."""
    credential = ClientSecretCredential(
        azure.options.tenant, "some-app", CLIENT_SECRET,
        authority=azure.url, disable_instance_discovery=True,
    )  # fmt: skip
    with credential, CognitiveServicesManagementClient(
        credential, azure.options.subscriptions[0], base_url=azure.url,
        credential_scopes=["https://management.azure.com/.default"], polling_interval=0,
    ) as client:  # fmt: skip
        account = client.accounts.begin_create(
            "rg", "sdk-account",
            Account(
                location="eastus2", kind="AIServices", sku=Sku(name="S0"),
                identity=Identity(type="SystemAssigned"),
                properties=AccountProperties(custom_sub_domain_name="sdk-account"),
            ),
        ).result()  # fmt: skip
        assert account.properties is not None
        assert account.properties.provisioning_state == "Succeeded"
        model = DeploymentModel(format="OpenAI", name="gpt-4.1", version="2025-04-14")
        client.deployments.begin_create_or_update(
            "rg", "sdk-account", "chat",
            Deployment(
                sku=Sku(name="GlobalStandard", capacity=1),
                properties=DeploymentProperties(model=model),
            ),
        ).result()  # fmt: skip
        names = [str(d.name) for d in client.deployments.list("rg", "sdk-account")]
        names += [str(a.name) for a in client.accounts.list()]
        client.deployments.begin_delete("rg", "sdk-account", "chat").result()
        client.accounts.begin_delete("rg", "sdk-account").result()
        names += [f"deleted {a.name}" for a in client.deleted_accounts.list()]
        client.deleted_accounts.begin_purge("eastus2", "rg", "sdk-account").result()
        names += [f"deleted {a.name}" for a in client.deleted_accounts.list()]
        return names


async def test_the_management_library_creates_lists_deletes_and_purges(
    azure: EmulatedAzure,
) -> None:
    names = await asyncio.to_thread(manage, azure)
    assert names == ["chat", "sdk-account", "deleted sdk-account"]


async def test_a_managed_identity_gets_its_token_from_the_emulated_app_service(
    azure: EmulatedAzure,
) -> None:
    def fetch() -> str:
        with ManagedIdentityCredential(client_id="my-identity") as credential:
            return credential.get_token("https://management.azure.com/.default").token

    caller = azure.identities.caller(await asyncio.to_thread(fetch), azure.store.now())
    assert caller is not None
    assert (caller.client_id, caller.audience) == ("my-identity", "https://management.azure.com")


async def test_plain_http_serves_the_same() -> None:
    async with Client(EmulatedAzure()) as client:
        assert (await client.a_group()).status == 201
        assert (await client.send("GET", client.group, version=GROUP_VERSION)).status == 200
