"""Accounts, deployments, projects, connections and content filters as Azure keeps them."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest
import pytest_asyncio

from reconciler.local.azure import EmulatedAzure, ManualClock
from tests.contracts import needs_contracts
from tests.local.azure.client import (
    Client,
    account_body,
    deployment_body,
    project_body,
)


@pytest_asyncio.fixture
async def client() -> AsyncIterator[Client]:
    async with Client(EmulatedAzure(rate_limits=False)) as opened:
        yield opened


def slow(**options: Any) -> tuple[Client, ManualClock]:
    """A client of an Azure whose operations take their time, on a clock that tests move."""
    clock = ManualClock()
    return Client(EmulatedAzure(clock=clock, time_scale=1.0, rate_limits=False, **options)), clock


async def test_a_new_account_answers_201_and_is_creating_until_its_operation_ends() -> None:
    client, clock = slow()
    async with client:
        await client.a_group()
        made = await client.send("PUT", client.account, account_body())
        assert made.status == 201
        assert made.body["properties"]["provisioningState"] == "Creating"
        assert "location" not in made.headers
        assert "retry-after" not in made.headers
        assert made.headers["etag"] == made.body["etag"]
        running = await client.send("GET", made.headers["azure-asyncoperation"])
        assert (running.status, running.body["status"]) == (200, "Creating")
        clock.advance(20)
        done = await client.send("GET", made.headers["azure-asyncoperation"])
        assert done.body["status"] == "Succeeded"
        assert "endTime" in done.body
        account = await client.send("GET", client.account)
        assert account.body["properties"]["provisioningState"] == "Succeeded"
        assert account.body["etag"] != made.body["etag"]


async def test_the_status_url_works_verbatim_only_and_has_its_own_api_version(
    client: Client,
) -> None:
    await client.a_group()
    made = await client.send("PUT", client.account, account_body())
    url = made.headers["azure-asyncoperation"]
    assert "api-version=2017-04-18&t=" in url
    assert (await client.send("GET", url)).status == 200
    assert (await client.send("GET", url[:-1])).status == 403
    assert (
        await client.send("GET", url.partition("?")[0] + "?api-version=2017-04-18")
    ).status == 403


async def test_an_account_gets_defaults_and_keeps_the_spelling_of_its_location(
    client: Client,
) -> None:
    await client.a_group()
    body = {**account_body(), "location": "EastUS2"}
    del body["properties"]["customSubDomainName"], body["properties"]["allowProjectManagement"]
    made = (await client.send("PUT", client.account, body)).body
    assert made["location"] == "EastUS2"
    assert made["sku"] == {"name": "S0"}
    assert made["properties"]["publicNetworkAccess"] == "Enabled"
    assert made["properties"]["allowProjectManagement"] is False
    assert made["properties"]["privateEndpointConnections"] == []
    assert made["identity"].keys() == {"type", "principalId", "tenantId"}
    assert (
        not {"networkAcls", "disableLocalAuth", "customSubDomainName"} & made["properties"].keys()
    )


async def test_ids_are_found_in_any_case_and_answered_as_they_were_created(client: Client) -> None:
    await client.an_account()
    found = await client.send(
        "GET", client.account.upper().replace("/SUBSCRIPTIONS", "/subscriptions")
    )
    assert found.status == 200
    assert found.body["id"] == client.account


async def test_an_update_of_an_account_is_accepted_and_one_of_tags_is_done_at_once(
    client: Client,
) -> None:
    await client.an_account()
    tagged = await client.send("PUT", client.account, {**account_body(), "tags": {"a": "b"}})
    assert (tagged.status, tagged.body["properties"]["provisioningState"]) == (200, "Succeeded")
    assert "azure-asyncoperation" not in tagged.headers
    changed = await client.send("PUT", client.account, account_body(disableLocalAuth=True))
    assert (changed.status, changed.body["properties"]["provisioningState"]) == (200, "Accepted")
    await client.send("GET", changed.headers["azure-asyncoperation"])
    patched = await client.send(
        "PATCH", client.account, {"properties": {"publicNetworkAccess": "Disabled"}}
    )
    assert (patched.status, patched.body["properties"]["provisioningState"]) == (202, "Accepted")
    assert (
        patched.headers["location"]
        .partition("&t=")[0]
        .endswith("&operationResultResponseType=Location")
    )
    assert (await client.send("GET", patched.headers["location"])).status == 200
    patched = await client.send("PATCH", client.account, {"tags": {"c": "d"}})
    assert (patched.status, patched.body["tags"]) == (200, {"c": "d"})


async def test_an_identity_of_type_none_is_removed(client: Client) -> None:
    await client.an_account()
    patched = await client.send("PATCH", client.account, {"identity": {"type": "None"}})
    assert "identity" not in patched.body


async def test_project_management_cannot_be_switched_off(client: Client) -> None:
    await client.an_account()
    changed = await client.send("PUT", client.account, account_body(allowProjectManagement=False))
    assert changed.body["properties"]["allowProjectManagement"] is True


async def test_a_location_cannot_change(client: Client) -> None:
    await client.an_account()
    moved = await client.send("PUT", client.account, {**account_body(), "location": "westus3"})
    assert (moved.status, moved.code) == (409, "InvalidResourceLocation")
    same = await client.send("PUT", client.account, {**account_body(), "location": "East US 2"})
    assert same.status == 200


async def test_a_subdomain_is_unique_and_cannot_change_once_set(client: Client) -> None:
    await client.an_account()
    other = client.account.replace("contoso-ai", "other-ai")
    taken = await client.send("PUT", other, account_body())
    assert (taken.status, taken.code) == (409, "CustomDomainInUse")
    renamed = await client.send("PUT", client.account, account_body(customSubDomainName="new-name"))
    assert renamed.status == 400
    free = await client.send(
        "POST",
        f"{client.cognitive}/checkDomainAvailability",
        {"subdomainName": "contoso-ai", "type": "Microsoft.CognitiveServices/accounts"},
    )
    assert free.body["isSubdomainAvailable"] is False


async def test_a_subdomain_given_later_changes_the_endpoint(client: Client) -> None:
    await client.an_account(customSubDomainName=None)
    before = (await client.send("GET", client.account)).body["properties"]["endpoint"]
    changes = {"properties": {"customSubDomainName": "late-name"}}
    after = (await client.send("PATCH", client.account, changes)).body["properties"]["endpoint"]
    assert before.endswith("/eastus2/")
    assert after.endswith("/late-name/")


async def test_openai_and_aiservices_can_be_exchanged_and_nothing_else(client: Client) -> None:
    await client.an_account()
    assert (
        await client.send("PUT", client.account, {**account_body(), "kind": "OpenAI"})
    ).status == 200
    other = await client.send("PUT", client.account, {**account_body(), "kind": "Face"})
    assert other.status in (400, 409)


async def test_keys_are_listed_regenerated_and_never_in_the_account(client: Client) -> None:
    await client.an_account()
    keys = (await client.send("POST", f"{client.account}/listKeys")).body
    assert keys["key1"] not in (await client.send("GET", client.account)).text
    new = await client.send("POST", f"{client.account}/regenerateKey", {"keyName": "Key1"})
    assert new.body["key1"] != keys["key1"]
    assert new.body["key2"] == keys["key2"]


async def test_a_deleted_account_blocks_its_name_until_it_is_restored_or_purged(
    client: Client,
) -> None:
    await client.an_account()
    keys = (await client.send("POST", f"{client.account}/listKeys")).body
    deleted = await client.send("DELETE", client.account)
    assert (deleted.status, deleted.text) == (200, "")
    assert (await client.send("GET", client.account)).code == "ResourceNotFound"
    listed = (await client.send("GET", f"{client.cognitive}/deletedAccounts")).body["value"]
    assert [entry["name"] for entry in listed] == ["contoso-ai"]
    again = await client.send("PUT", client.account, account_body())
    assert (again.status, again.code) == (409, "FlagMustBeSetForRestore")
    body = {"location": "eastus2", "properties": {"restore": True}}
    restored = await client.send("PUT", client.account, body)
    assert (restored.status, restored.body["kind"]) == (201, "AIServices")
    assert restored.body["properties"]["provisioningState"] == "Succeeded"
    assert "azure-asyncoperation" not in restored.headers
    assert (await client.send("POST", f"{client.account}/listKeys")).body == keys


async def test_purging_frees_the_name(client: Client) -> None:
    await client.an_account()
    await client.send("DELETE", client.account)
    gone = f"{client.cognitive}/locations/eastus2/resourceGroups/rg-test/deletedAccounts/contoso-ai"
    assert (await client.send("GET", gone)).body["properties"]["scheduledPurgeDate"]
    purged = await client.send("DELETE", gone)
    assert purged.status == 202
    assert {"azure-asyncoperation", "location"} <= purged.headers.keys()
    done = await client.send("GET", purged.headers["azure-asyncoperation"])
    assert done.body["status"] == "Succeeded"
    assert (await client.send("GET", gone)).status == 404
    assert (await client.send("PUT", client.account, account_body())).status == 201


async def test_a_deleted_account_is_forgotten_after_48_hours() -> None:
    client, clock = slow()
    async with client:
        await client.a_group()
        await client.send("PUT", client.account, account_body())
        clock.advance(60)
        deleting = asyncio.create_task(client.send("DELETE", client.account))
        await asyncio.wait([deleting], timeout=0.05)
        clock.advance(60)
        assert (await deleting).status == 200
        clock.advance(48 * 3600)
        client.token = client.azure.token()
        assert (await client.send("GET", f"{client.cognitive}/deletedAccounts")).body == {
            "value": []
        }


async def test_an_account_with_projects_cannot_be_deleted(client: Client) -> None:
    await client.an_account()
    await client.send("PUT", f"{client.account}/projects/one", project_body())
    refused = await client.send("DELETE", client.account)
    assert (refused.status, refused.code) == (409, "CannotDeleteResource")
    assert refused.headers["x-ms-failure-cause"] == "gateway"
    await client.send("DELETE", f"{client.account}/projects/one")
    assert (await client.send("DELETE", client.account)).status == 200


async def test_a_deployment_is_ready_at_once_with_the_service_s_defaults(client: Client) -> None:
    await client.an_account()
    made = await client.a_deployment(model="gpt-4o", version="2024-11-20", capacity=2)
    assert made.status == 201
    properties = made.body["properties"]
    assert properties["provisioningState"] == "Succeeded"
    assert properties["versionUpgradeOption"] == "OnceNewDefaultVersionAvailable"
    assert properties["raiPolicyName"] == "Microsoft.DefaultV2"
    assert properties["currentCapacity"] == 2
    assert properties["rateLimits"] == [
        {"key": "request", "renewalPeriod": 10, "count": 2},
        {"key": "token", "renewalPeriod": 60, "count": 2000},
    ]
    raised = await client.a_deployment(model="gpt-4o", version="2024-11-20", capacity=4)
    assert (raised.status, raised.body["properties"]["currentCapacity"]) == (200, 4)
    assert raised.body["etag"] != made.body["etag"]


async def test_a_deployment_that_is_not_there_is_the_provider_s_404(client: Client) -> None:
    await client.an_account()
    missing = await client.send("GET", f"{client.account}/deployments/none")
    assert (missing.status, missing.code) == (404, "NotFound")
    assert missing.headers["x-ms-failure-cause"] == "service"


async def test_quota_is_counted_per_subscription_region_and_usage_name(client: Client) -> None:
    await client.an_account()
    assert (await client.a_deployment("aa", capacity=900)).status == 201
    refused = await client.a_deployment("bb", capacity=240)
    assert (refused.status, refused.code) == (400, "InsufficientQuota")
    assert refused.body["error"]["message"] == (
        "This operation require 240 new capacity in quota Tokens Per Minute (thousands) - gpt4.1 "
        "- GlobalStandard, which is bigger than the current available capacity 100. The current "
        "quota usage is 900 and the quota limit is 1000 for quota Tokens Per Minute (thousands) "
        "- gpt4.1 - GlobalStandard."
    )
    assert (await client.a_deployment("bb", capacity=100)).status == 201
    assert (await client.a_deployment("aa", capacity=800)).status == 200
    usages = (await client.send("GET", f"{client.cognitive}/locations/eastus2/usages")).body[
        "value"
    ]
    found = {u["name"]["value"]: u["currentValue"] for u in usages}
    assert found["OpenAI.GlobalStandard.gpt4.1"] == 900
    assert found["AccountCount"] == 1
    await client.send("DELETE", f"{client.account}/deployments/aa")
    assert (await client.a_deployment("cc", capacity=900)).status == 201
    client.azure.backdoor.patch(f"{client.account}/deployments/cc", {"sku": {"capacity": 1}})
    assert (await client.a_deployment("dd", capacity=899)).status == 201


@pytest.mark.parametrize(
    ("body", "code"),
    [
        (deployment_body(model="gpt-99"), "DeploymentModelNotSupported"),
        (deployment_body(version="2020-01-01"), "DeploymentModelNotSupported"),
        (deployment_body(sku="Turbo"), "InvalidResourceProperties"),
        (deployment_body(raiPolicyName="nobody-made-it"), "InvalidResourceProperties"),
        (deployment_body(sku="GlobalProvisionedManaged", capacity=16), "InvalidResourceProperties"),
        (deployment_body(sku="GlobalProvisionedManaged", capacity=1015), "InsufficientQuota"),
    ],
)
async def test_what_the_catalogue_does_not_offer_is_refused(
    client: Client, body: dict[str, Any], code: str
) -> None:
    await client.an_account()
    refused = await client.send("PUT", f"{client.account}/deployments/chat", body)
    assert (refused.status, refused.code) == (400, code)


async def test_a_retired_model_is_listed_as_deprecated_and_cannot_be_deployed(
    client: Client,
) -> None:
    await client.an_account()
    listed = (await client.send("GET", f"{client.cognitive}/locations/eastus2/models")).body
    found = [m for m in listed["value"] if m["model"]["name"] == "Mistral-Large-2411"]
    assert found[0]["model"]["lifecycleStatus"] == "Deprecated"
    model = {"format": "Mistral AI", "name": "Mistral-Large-2411", "version": "2"}
    body = {"sku": {"name": "GlobalStandard", "capacity": 1}, "properties": {"model": model}}
    refused = await client.send("PUT", f"{client.account}/deployments/old", body)
    assert refused.code == "ServiceModelDeprecated"


async def test_without_a_version_the_default_one_is_deployed(client: Client) -> None:
    await client.an_account()
    body = deployment_body(model="gpt-4o")
    del body["properties"]["model"]["version"], body["sku"]["capacity"]
    made = await client.send("PUT", f"{client.account}/deployments/chat", body)
    assert made.body["properties"]["model"]["version"] == "2024-11-20"
    assert made.body["sku"]["capacity"] == 1


async def test_model_and_sku_of_a_deployment_stay_and_its_tags_can_be_patched(
    client: Client,
) -> None:
    await client.an_account()
    await client.a_deployment()
    assert (await client.a_deployment(model="gpt-4.1-mini")).status == 400
    assert (await client.a_deployment(sku="Standard")).status == 400
    patched = await client.send("PATCH", f"{client.account}/deployments/chat", {"tags": {"a": "b"}})
    assert (patched.status, patched.body["tags"]) == (200, {"a": "b"})
    assert patched.body["sku"]["capacity"] == 10


async def test_provisioned_units_come_from_a_pool_whose_size_is_a_setting() -> None:
    quota = {"eastus2": {"OpenAI.GlobalProvisionedManaged": 20}}
    async with Client(EmulatedAzure(settings={"quota": quota})) as client:
        await client.an_account()
        units = {"sku": "GlobalProvisionedManaged", "capacity": 15}
        assert (await client.a_deployment("first", **units)).status == 201
        other = await client.a_deployment(
            "second", model="gpt-5", version="2025-08-07", sku=units["sku"], capacity=15
        )
        assert other.code == "InsufficientQuota"


async def test_two_writes_to_one_account_at_once_conflict() -> None:
    client, clock = slow()
    async with client:
        await client.a_group()
        await client.send("PUT", client.account, account_body())
        clock.advance(60)
        first = asyncio.create_task(client.a_deployment("one"))
        while not clock.sleepers:
            await asyncio.sleep(0)
        second = await client.a_deployment("two")
        assert (second.status, second.code) == (409, "RequestConflict")
        assert client.account in second.body["error"]["message"]
        clock.advance(10)
        assert (await first).status == 201


async def test_children_are_refused_while_their_account_is_not_ready() -> None:
    client, clock = slow()
    async with client:
        await client.a_group()
        await client.send("PUT", client.account, account_body())
        early = await client.a_deployment()
        assert (early.status, early.code) == (400, "AccountProvisioningStateInvalid")
        clock.advance(60)
        making = asyncio.create_task(client.a_deployment())
        while not clock.sleepers:
            await asyncio.sleep(0)
        clock.advance(10)
        assert (await making).status == 201


async def test_children_need_their_account_and_accounts_their_group(client: Client) -> None:
    orphan = await client.send("PUT", client.account, account_body())
    assert (orphan.status, orphan.code) == (404, "ResourceGroupNotFound")
    await client.a_group()
    orphan = await client.a_deployment()
    assert (orphan.status, orphan.code) == (404, "ParentResourceNotFound")
    listed = await client.send("GET", f"{client.account}/deployments")
    assert listed.status == 404


async def test_a_project_is_named_after_its_account_and_the_first_is_the_default(
    client: Client,
) -> None:
    await client.an_account()
    first = await client.send(
        "PUT", f"{client.account}/projects/one", project_body(displayName="1")
    )
    second = await client.send("PUT", f"{client.account}/projects/two", project_body())
    assert (first.status, first.body["name"]) == (201, "contoso-ai/one")
    assert first.body["properties"]["isDefault"] is True
    assert second.body["properties"]["isDefault"] is False
    again = await client.send("PUT", f"{client.account}/projects/one", project_body(displayName=""))
    assert (again.status, again.body["properties"]["displayName"]) == (200, "1")
    await client.send("DELETE", f"{client.account}/projects/one")
    assert (await client.send("GET", f"{client.account}/projects/one")).code == "ResourceNotFound"


async def test_a_project_needs_an_account_that_manages_projects(client: Client) -> None:
    await client.an_account(allowProjectManagement=False)
    refused = await client.send("PUT", f"{client.account}/projects/one", project_body())
    assert refused.status == 400


async def test_a_connection_answers_200_and_never_shows_its_credentials(client: Client) -> None:
    await client.an_account()
    await client.send("PUT", f"{client.account}/projects/one", project_body())
    body = {
        "properties": {
            "authType": "ApiKey",
            "category": "CognitiveSearch",
            "target": "https://search.example",
            "credentials": {"key": "very-secret"},
        }
    }
    made = await client.send("PUT", f"{client.account}/connections/search", body)
    assert made.status == 200
    assert made.body["properties"]["credentials"] is None
    assert made.body["properties"]["isSharedToAll"] is True
    assert "tags" in made.body
    own = await client.send("PUT", f"{client.account}/projects/one/connections/own", body)
    assert own.body["properties"]["isSharedToAll"] is False
    listed = await client.send("GET", f"{client.account}/projects/one/connections")
    assert [c["name"] for c in listed.body["value"]] == ["own", "search"]
    assert "very-secret" not in made.text + own.text + listed.text


async def test_system_policies_are_listed_and_cannot_be_changed(client: Client) -> None:
    await client.an_account()
    listed = (await client.send("GET", f"{client.account}/raiPolicies")).body["value"]
    assert {"Microsoft.Default", "Microsoft.DefaultV2"} <= {p["name"] for p in listed}
    assert {p["properties"]["type"] for p in listed} == {"SystemManaged"}
    refused = await client.send(
        "PUT", f"{client.account}/raiPolicies/Microsoft.Default", {"properties": {}}
    )
    assert refused.status == 400


async def test_policies_blocklists_and_deployments_hold_each_other(client: Client) -> None:
    await client.an_account()
    policy, blocklist = (
        f"{client.account}/raiPolicies/strict",
        f"{client.account}/raiBlocklists/words",
    )
    filters = [{"name": "Hate", "source": "Prompt", "enabled": True, "blocking": True,
                "severityThreshold": "Low"}]  # fmt: skip
    uses = [{"blocklistName": "words", "source": "Prompt", "blocking": True}]
    base = {"basePolicyName": "Microsoft.DefaultV2", "mode": "Default", "contentFilters": filters}
    body = {"properties": {**base, "customBlocklists": uses}}
    assert (await client.send("PUT", policy, body)).status == 400
    assert (await client.send("PUT", blocklist, {"properties": {"description": "d"}})).status == 201
    item = await client.send(
        "PUT",
        f"{blocklist}/raiBlocklistItems/one",
        {"properties": {"pattern": "x", "isRegex": False}},
    )
    assert item.status == 201
    made = await client.send("PUT", policy, body)
    assert (made.status, "type" in made.body["properties"]) == (201, False)
    assert (await client.a_deployment(raiPolicyName="strict")).status == 201
    assert (await client.send("DELETE", policy)).status == 409
    assert (await client.send("DELETE", blocklist)).status == 409
    await client.send("DELETE", f"{client.account}/deployments/chat")
    deleted = await client.send("DELETE", policy)
    assert deleted.status == 202
    assert "api-version=2026-03-01" in deleted.headers["azure-asyncoperation"]
    await client.send("GET", deleted.headers["azure-asyncoperation"])
    assert (await client.send("GET", policy)).status == 404
    listed = await client.send("GET", f"{blocklist}/raiBlocklistItems")
    assert listed.body["nextLink"] == ""


async def test_blocklist_items_can_be_added_and_removed_in_bulk(client: Client) -> None:
    await client.an_account()
    blocklist = f"{client.account}/raiBlocklists/words"
    await client.send("PUT", blocklist, {"properties": {}})
    items = [{"name": n, "properties": {"pattern": n, "isRegex": False}} for n in ("a", "b")]
    assert (await client.send("POST", f"{blocklist}/addRaiBlocklistItems", items)).status == 200
    removed = await client.send("POST", f"{blocklist}/deleteRaiBlocklistItems", ["a"])
    assert removed.status == 204
    listed = (await client.send("GET", f"{blocklist}/raiBlocklistItems")).body["value"]
    assert [item["name"] for item in listed] == ["b"]


async def test_single_level_filters_have_no_threshold(client: Client) -> None:
    await client.an_account()
    filters = [{"name": "Jailbreak", "source": "Prompt", "enabled": True, "blocking": True,
                "severityThreshold": "Low"}]  # fmt: skip
    body = {"properties": {"contentFilters": filters}}
    assert (await client.send("PUT", f"{client.account}/raiPolicies/p", body)).status == 400


async def test_capacities_need_all_three_parameters(client: Client) -> None:
    path = f"{client.cognitive}/locations/eastus2/modelCapacities"
    assert (await client.send("GET", path)).status == 400
    query = "modelFormat=OpenAI&modelName=gpt-4.1&modelVersion=2025-04-14"
    found = (await client.send("GET", path, query=query)).body["value"]
    assert {"GlobalStandard", "GlobalProvisionedManaged"} <= {
        entry["properties"]["skuName"] for entry in found
    }


@needs_contracts
async def test_every_body_agrees_with_microsoft_s_types(client: Client) -> None:
    await client.an_account(networkAcls={"defaultAction": "Allow", "ipRules": []})
    await client.a_deployment()
    await client.send("PATCH", f"{client.account}/deployments/chat", {"tags": {"a": "b"}})
    await client.send("PUT", f"{client.account}/projects/one", project_body(displayName="One"))
    connection = {"authType": "AAD", "category": "AzureBlob", "target": "https://x.example"}
    for owner in (client.account, f"{client.account}/projects/one"):
        await client.send("PUT", f"{owner}/connections/store", {"properties": connection})
        await client.send("GET", f"{owner}/connections")
    await client.send("PUT", f"{client.account}/raiBlocklists/words", {"properties": {}})
    item = {"properties": {"pattern": "x", "isRegex": False}}
    await client.send("PUT", f"{client.account}/raiBlocklists/words/raiBlocklistItems/x", item)
    policy = {"basePolicyName": "Microsoft.DefaultV2", "contentFilters": []}
    await client.send("PUT", f"{client.account}/raiPolicies/strict", {"properties": policy})
    host = {"properties": {"capabilityHostKind": "Agents"}}
    await client.send("PUT", f"{client.account}/capabilityHosts/agents", host)
    for child in ("", "/deployments", "/projects", "/raiPolicies", "/raiBlocklists",
                  "/capabilityHosts"):  # fmt: skip
        await client.send("GET", f"{client.account}{child}")
    await client.send("POST", f"{client.account}/listKeys")
    await client.send("GET", f"{client.cognitive}/accounts")
    assert all(exchange.status < 300 for exchange in client.exchanges), client.exchanges
    assert client.problems() == [], "\n".join(client.problems())
