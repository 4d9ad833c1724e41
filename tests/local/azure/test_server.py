"""The gateway: versions, groups, lists, errors, operations of groups, the log, the backdoor."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio

from reconciler.local import azure
from reconciler.local.azure import EmulatedAzure, ManualClock
from reconciler.local.azure.settings import SETTINGS
from tests.contracts import needs_contracts
from tests.local.azure.client import GROUP_VERSION, Client, account_body


@pytest_asyncio.fixture
async def client() -> AsyncIterator[Client]:
    async with Client(EmulatedAzure(rate_limits=False)) as opened:
        yield opened


async def test_every_request_needs_an_api_version_that_the_type_knows(client: Client) -> None:
    await client.a_group()
    missing = await client.send("GET", client.group, version=None)
    assert (missing.status, missing.code) == (400, "MissingApiVersionParameter")
    odd = await client.send("GET", client.group, version="latest")
    assert (odd.status, odd.code) == (400, "InvalidApiVersionParameter")
    unknown = await client.send("GET", client.account, version="2001-01-01")
    assert (unknown.status, unknown.code) == (400, "NoRegisteredProviderFound")
    assert "2026-03-01" in unknown.body["error"]["message"]


@pytest.mark.parametrize("version", ["2023-05-01", "2025-09-01", "2026-05-01"])
async def test_older_and_newer_versions_of_a_type_are_served(client: Client, version: str) -> None:
    await client.an_account()
    assert (await client.send("GET", client.account, version=version)).status == 200


async def test_types_and_namespaces_that_do_not_exist_are_404(client: Client) -> None:
    await client.a_group()
    kind = await client.send("GET", f"{client.group}/providers/Microsoft.CognitiveServices/none/x")
    assert (kind.status, kind.code) == (404, "InvalidResourceType")
    space = await client.send("GET", f"{client.group}/providers/Microsoft.Nothing/none/x")
    assert (space.status, space.code) == (404, "InvalidResourceNamespace")


async def test_a_subscription_that_is_not_there_is_404(client: Client) -> None:
    answer = await client.send("GET", "/subscriptions/nobody/resourcegroups", version=GROUP_VERSION)
    assert (answer.status, answer.code) == (404, "SubscriptionNotFound")


async def test_a_group_is_made_changed_asked_for_and_listed(client: Client) -> None:
    version = GROUP_VERSION
    made = await client.a_group()
    assert (made.status, made.body["properties"]) == (201, {"provisioningState": "Succeeded"})
    assert (await client.a_group()).status == 200
    patched = await client.send("PATCH", client.group, {"tags": {"a": "b"}}, version=version)
    assert (patched.status, patched.body["tags"]) == (200, {"a": "b"})
    assert (await client.send("HEAD", client.group, version=version)).status == 204
    assert (await client.send("HEAD", f"{client.group}-2", version=version)).status == 404
    listed = await client.send("GET", f"{client.subscription}/resourcegroups", version=version)
    assert [g["name"] for g in listed.body["value"]] == ["rg-test"]


async def test_a_group_needs_a_location_that_exists_and_keeps_it(client: Client) -> None:
    missing = await client.send("PUT", client.group, {}, version=GROUP_VERSION)
    assert missing.code == "LocationRequired"
    assert (await client.a_group("atlantis")).code == "LocationNotAvailableForResourceGroup"
    await client.a_group()
    assert (await client.a_group("westus3")).code == "InvalidResourceLocation"


async def test_deleting_a_group_takes_time_and_takes_everything_with_it() -> None:
    clock = ManualClock()
    azure = EmulatedAzure(clock=clock, time_scale=1.0, rate_limits=False)
    async with Client(azure) as client:
        await client.a_group()
        await client.send("PUT", client.account, account_body())
        clock.advance(60)
        deleted = await client.send("DELETE", client.group, version=GROUP_VERSION)
        assert (deleted.status, deleted.text) == (202, "")
        assert deleted.headers["retry-after"] == "15"
        group = await client.send("GET", client.group, version=GROUP_VERSION)
        assert group.body["properties"]["provisioningState"] == "Deleting"
        for path in (client.group, client.account):
            late = await client.send("PUT", path, account_body(), version="2025-09-01")
            assert (late.status, late.code) == (409, "ResourceGroupBeingDeleted")
        poll = await client.send("GET", deleted.headers["location"])
        assert (poll.status, poll.text, poll.headers["retry-after"]) == (202, "", "15")
        assert poll.headers["location"] == deleted.headers["location"]
        clock.advance(60)
        poll = await client.send("GET", deleted.headers["location"])
        assert (poll.status, poll.text) == (200, "")
        assert (await client.send("GET", client.account)).code == "ResourceGroupNotFound"
        gone = await client.send("GET", f"{client.cognitive}/deletedAccounts")
        assert [entry["name"] for entry in gone.body["value"]] == ["contoso-ai"]


async def test_deleting_a_group_that_is_not_there_is_404(client: Client) -> None:
    answer = await client.send("DELETE", client.group, version=GROUP_VERSION)
    assert (answer.status, answer.code) == (404, "ResourceGroupNotFound")
    assert answer.headers["x-ms-failure-cause"] == "gateway"


async def test_resources_are_listed_across_types_without_their_properties(client: Client) -> None:
    await client.an_account()
    await client.a_deployment()
    for scope in (client.subscription, client.group):
        listed = await client.send("GET", f"{scope}/resources", version="2021-04-01")
        (entry,) = listed.body["value"]
        assert (entry["type"], "properties" in entry) == (
            "Microsoft.CognitiveServices/accounts",
            False,
        )
    query = "$filter=resourceType%20eq%20'Microsoft.KeyVault/vaults'"
    none = await client.send(
        "GET", f"{client.subscription}/resources", version="2021-04-01", query=query
    )
    assert none.body == {"value": []}


async def test_accounts_are_listed_by_group_and_by_subscription(client: Client) -> None:
    await client.an_account()
    path = "/providers/Microsoft.CognitiveServices/accounts"
    for scope in (client.group, client.subscription):
        listed = await client.send("GET", scope + path)
        assert [a["name"] for a in listed.body["value"]] == ["contoso-ai"]
        assert "nextLink" not in listed.body


async def test_subscriptions_tenants_and_locations_are_listed(client: Client) -> None:
    version = "2022-12-01"
    found = await client.send("GET", "/subscriptions", version=version)
    assert found.body["value"][0]["id"] == client.subscription
    one = await client.send("GET", client.subscription, version=version)
    assert one.body["state"] == "Enabled"
    tenants = await client.send("GET", "/tenants", version=version)
    assert tenants.body["value"][0]["tenantId"] == client.azure.options.tenant
    places = await client.send("GET", f"{client.subscription}/locations", version=version)
    assert "eastus2" in {place["name"] for place in places.body["value"]}


async def test_an_unregistered_namespace_is_refused_until_it_is_registered() -> None:
    azure = EmulatedAzure(settings={"unregistered": ("Microsoft.CognitiveServices",)})
    async with Client(azure) as client:
        await client.a_group()
        refused = await client.send("PUT", client.account, account_body())
        assert (refused.status, refused.code) == (409, "MissingSubscriptionRegistration")
        version = "2021-04-01"
        state = await client.send("GET", client.cognitive, version=version)
        assert state.body["registrationState"] == "NotRegistered"
        await client.send("POST", f"{client.cognitive}/register", version=version)
        state = await client.send("GET", client.cognitive, version=version)
        assert state.body["registrationState"] == "Registered"
        assert (await client.send("PUT", client.account, account_body())).status == 201


async def test_a_body_that_is_not_an_object_is_refused(client: Client) -> None:
    await client.a_group()
    answer = await client.send("PUT", client.account, ["not", "an", "object"])
    assert (answer.status, answer.code) == (400, "InvalidRequestContent")


async def test_the_callers_ids_come_back(client: Client) -> None:
    ids = {"x-ms-client-request-id": "mine", "x-ms-correlation-request-id": "ours"}
    answer = await client.send("GET", client.subscription, version="2022-12-01", headers=ids)
    assert ids.items() <= dict(answer.headers).items()
    assert answer.headers["x-ms-request-id"]


async def test_the_log_counts_requests_by_method_and_status(client: Client) -> None:
    await client.a_group()
    await client.send("GET", client.account)
    log = client.azure.requests
    assert (log.count("PUT"), log.count("GET", 404), len(log)) == (1, 1, 2)
    assert log.entries[0].path == client.group
    summary = await client.send("GET", f"{client.azure.url}/_emulator/requests")
    assert summary.body["methods"] == {"PUT": 1, "GET": 1}


async def test_the_backdoor_changes_things_as_the_portal_would(client: Client) -> None:
    await client.an_account()
    await client.a_deployment(capacity=10)
    door = f"{client.azure.url}/_emulator/resources"
    path = f"{client.account}/deployments/chat"
    await client.send("PATCH", door + path, {"sku": {"name": "GlobalStandard", "capacity": 77}})
    assert (await client.send("GET", path)).body["sku"]["capacity"] == 77
    body = {"location": "eastus2", "kind": "OpenAI", "sku": {"name": "S0"}}
    await client.send("PUT", f"{door}{client.account}-2", body)
    assert (await client.send("GET", f"{client.account}-2")).body["kind"] == "OpenAI"
    await client.send("DELETE", door + path)
    assert (await client.send("GET", path)).status == 404
    assert (await client.send("GET", f"{client.azure.url}/_emulator/state")).body["resources"]
    await client.send("POST", f"{client.azure.url}/_emulator/reset")
    assert len(client.azure.store) == 0


async def test_the_backdoor_says_no_to_what_it_does_not_know(client: Client) -> None:
    base = f"{client.azure.url}/_emulator"
    assert (await client.send("PUT", f"{base}/resources/what/is/this", {})).status == 400
    assert (await client.send("POST", f"{base}/faults", {"colour": "red"})).status == 400
    assert (await client.send("GET", f"{base}/nothing")).status == 404


async def test_the_same_seed_gives_the_same_ids() -> None:
    found = []
    for _ in range(2):
        async with Client(EmulatedAzure(seed=7)) as client:
            await client.an_account()
            account = await client.send("GET", client.account)
            found.append(account.body["properties"]["internalId"])
    assert found[0] == found[1]


def test_every_setting_that_is_read_is_described_and_unknown_ones_are_errors() -> None:
    source = "".join(p.read_text() for p in Path(azure.__file__).parent.rglob("*.py"))
    read = set(
        re.findall(r"""\.setting\(\s*"([^"]+)\"|cloud\.settings\.get\(\s*"([^"]+)\"""", source)
    )
    names = {first or second for first, second in read} - {"subscriptions"}
    assert names == set(SETTINGS)
    with pytest.raises(ValueError, match="qouta"):
        EmulatedAzure(settings={"qouta": {}})


@needs_contracts
async def test_groups_agree_with_microsoft_s_types(client: Client) -> None:
    await client.a_group()
    await client.send("GET", client.group, version=GROUP_VERSION)
    await client.send("GET", f"{client.subscription}/resourceGroups", version=GROUP_VERSION)
    assert client.problems() == []
