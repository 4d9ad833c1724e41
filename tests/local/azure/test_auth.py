"""Signing in, tokens, and what a reader may not do."""

from __future__ import annotations

import uuid
from collections.abc import AsyncIterator
from typing import Any

import aiohttp
import pytest
import pytest_asyncio

from reconciler.local.azure import EmulatedAzure, ManualClock
from tests.local.azure.client import Client, account_body

READER = "33333333-3333-3333-3333-333333333333"


@pytest_asyncio.fixture
async def client() -> AsyncIterator[Client]:
    async with Client(EmulatedAzure(readers=frozenset({READER}))) as opened:
        yield opened


async def test_without_a_token_there_is_a_challenge(client: Client) -> None:
    client.token = None
    answer = await client.send("GET", client.account)
    assert (answer.status, answer.code) == (401, "AuthenticationFailed")
    assert answer.headers["www-authenticate"].startswith("Bearer authorization_uri=")


@pytest.mark.parametrize("token", ["garbage", "a.b.c", ""])
async def test_a_token_that_is_none_of_ours_is_refused(client: Client, token: str) -> None:
    client.token = token or client.azure.token()[:-2]
    answer = await client.send("GET", client.account)
    assert (answer.status, answer.code) == (401, "InvalidAuthenticationToken")


async def test_a_token_expires() -> None:
    clock = ManualClock()
    async with Client(EmulatedAzure(clock=clock)) as client:
        client.token = client.azure.token(lifetime_s=600)
        assert (await client.a_group()).status == 201
        clock.advance(601)
        assert (await client.a_group()).code == "InvalidAuthenticationToken"


async def test_a_token_for_another_audience_does_not_manage_resources(client: Client) -> None:
    client.token = client.azure.token(audience="https://vault.azure.net")
    answer = await client.send("GET", client.account)
    assert (answer.status, answer.code) == (401, "InvalidAuthenticationTokenAudience")


async def test_a_reader_reads_and_cannot_write(client: Client) -> None:
    await client.an_account()
    client.token = client.azure.token(READER)
    assert (await client.send("GET", client.account)).status == 200
    refused = await client.send("PUT", client.account, account_body())
    assert (refused.status, refused.code) == (403, "AuthorizationFailed")
    message = refused.body["error"]["message"]
    assert message.startswith(f"The client '{READER}' with object id '")
    assert "perform action 'Microsoft.CognitiveServices/accounts/write'" in message
    assert message.endswith("please refresh your credentials.")
    keys = await client.send("POST", f"{client.account}/listKeys")
    assert "Microsoft.CognitiveServices/accounts/listKeys/action" in keys.body["error"]["message"]
    deleted = await client.send("DELETE", client.account)
    assert "Microsoft.CognitiveServices/accounts/delete" in deleted.body["error"]["message"]


async def test_the_app_service_endpoint_gives_tokens_to_those_who_know_the_header(
    client: Client,
) -> None:
    env = client.azure.environment()
    url = f"{env['IDENTITY_ENDPOINT']}?resource=https://management.azure.com&api-version=2019-08-01"
    assert (await client.send("GET", url)).status == 401
    headers = {"X-IDENTITY-HEADER": env["IDENTITY_HEADER"]}
    found = await client.send("GET", f"{url}&client_id={READER}", headers=headers)
    assert found.body["expires_on"].isdigit()
    client.token = found.body["access_token"]
    assert (await client.send("GET", client.subscription, version="2022-12-01")).status == 200
    assert client.azure.requests.entries[-1].principal == READER


async def test_the_instance_metadata_endpoint_wants_its_header(client: Client) -> None:
    url = (
        f"{client.azure.url}/metadata/identity/oauth2/token"
        "?resource=https://management.azure.com/&api-version=2018-02-01"
    )
    assert (await client.send("GET", url)).status == 400
    found = await client.send("GET", url, headers={"Metadata": "true"})
    assert found.body["token_type"] == "Bearer"


async def test_a_service_principal_signs_in_with_its_own_secret_only() -> None:
    async with Client(EmulatedAzure(clients={"app": "right"})) as client:
        url = f"{client.azure.url}/{client.azure.options.tenant}/oauth2/v2.0/token"
        for secret, status in (("right", 200), ("wrong", 401)):
            form = {
                "grant_type": "client_credentials",
                "client_id": "app",
                "client_secret": secret,
                "scope": "https://management.azure.com/.default",
            }
            assert client._session is not None
            async with client._session.post(url, data=form) as answer:
                assert answer.status == status


async def test_the_cloud_and_its_login_are_discovered_on_the_emulator_itself(
    client: Client,
) -> None:
    base, tenant = client.azure.url, client.azure.options.tenant
    cloud = await client.send("GET", f"{base}/metadata/endpoints?api-version=2022-09-01")
    assert cloud.body["resourceManager"] == base
    assert cloud.body["authentication"]["loginEndpoint"] == base
    clouds = await client.send("GET", f"{base}/metadata/endpoints?api-version=2019-05-01")
    assert clouds.body == [{**cloud.body, "name": "EmulatedAzure"}]
    config = await client.send("GET", f"{base}/{tenant}/v2.0/.well-known/openid-configuration")
    assert config.body["token_endpoint"] == f"{base}/{tenant}/oauth2/v2.0/token"
    instance = await client.send("GET", f"{base}/common/discovery/instance?api-version=1.1")
    assert instance.body["tenant_discovery_endpoint"].startswith(base)


async def test_permissions_say_what_a_caller_may_do_and_writes_agree() -> None:
    options: dict[str, Any] = {"readers": {"r"}, "contributors": {"c"}}
    group = "/subscriptions/00000000-0000-0000-0000-000000000001/resourceGroups/rg"
    listing = f"{group}/providers/Microsoft.Authorization/permissions?api-version=2022-04-01"
    identity = f"{group}/providers/Microsoft.ManagedIdentity/userAssignedIdentities/a"
    role = f"{group}/providers/Microsoft.Authorization/roleAssignments/{uuid.uuid4()}"
    expected = {"r": (["*/read"], 403, 403), "c": (["*"], 201, 403), "o": (["*"], 201, 201)}
    async with EmulatedAzure(rate_limits=False, **options) as azure:
        azure.backdoor.put(group, {"location": "eastus2"})
        for name, (actions, write, grant) in expected.items():
            async with aiohttp.ClientSession(
                azure.url, headers={"Authorization": f"Bearer {azure.token(name)}"}
            ) as session:
                async with session.get(listing) as answer:
                    assert (await answer.json())["value"][0]["actions"] == actions
                put = {"location": "eastus2"}
                url = f"{identity}{name}?api-version=2024-11-30"
                async with session.put(url, json=put) as answer:
                    assert answer.status == write
                body = {"properties": {"principalId": str(uuid.uuid4()), "roleDefinitionId": "/r"}}
                async with session.put(f"{role}?api-version=2022-04-01", json=body) as answer:
                    assert answer.status == grant
