"""Online endpoints: traffic, deployments, quota, keys, and what a scoring request gets."""

from __future__ import annotations

import aiohttp
import pytest

from reconciler.local.clock import ManualClock

WORKSPACE = "Microsoft.MachineLearningServices/workspaces/main"
ENDPOINT = f"{WORKSPACE}/onlineEndpoints/chat"
BLUE, GREEN = f"{ENDPOINT}/deployments/Blue", f"{ENDPOINT}/deployments/green"


async def with_workspace(emulated, **options):
    """An emulator with a workspace put in by hand: its making is tested elsewhere."""
    arm = await emulated(**options)
    properties = {"workspaceId": "11111111-1111-4111-8111-111111111111"}
    body = {"location": "eastus2", "kind": "Default", "properties": properties}
    arm.azure.store.insert(arm.id(WORKSPACE), body)
    return arm


@pytest.fixture
async def arm(emulated):
    return await with_workspace(emulated)


def endpoint(**properties):
    return {"location": "eastus2", "properties": {"authMode": "Key", **properties}}


def deployment(capacity=1, **properties):
    return {
        "location": "eastus2",
        "sku": {"name": "Default", "capacity": capacity},
        "properties": {
            "endpointComputeType": "Managed",
            "instanceType": "Standard_DS3_v2",
            "model": "azureml://registries/azureml/models/m/versions/1",
            **properties,
        },
    }


async def both(arm):
    await arm.waited(await arm.put(ENDPOINT, endpoint()))
    await arm.waited(await arm.put(BLUE, deployment()))
    await arm.waited(await arm.put(GREEN, deployment()))


async def test_an_endpoint_says_201_again_and_writes_into_the_users_map(arm):
    first = await arm.put(ENDPOINT, endpoint(properties={"mine": "kept"}))
    assert first.status == 201
    assert first.headers["x-ms-async-operation-timeout"] == "PT30M"
    assert first.headers["location"].startswith(f"{arm.azure.url}{arm.id(ENDPOINT)}")
    assert first.properties["scoringUri"] is None
    assert first.properties["properties"]["mine"] == "kept"
    uri = first.properties["properties"]["AzureAsyncOperationUri"]
    assert first.headers["azure-asyncoperation"].startswith(uri)
    assert set(first.body["systemData"]) == {"createdAt", "createdBy", "lastModifiedAt"}
    await arm.waited(first)
    assert (await arm.get(ENDPOINT)).properties["scoringUri"].endswith("/score")
    assert (await arm.put(ENDPOINT, endpoint())).status == 201


async def test_a_poll_says_updating_until_the_end_and_counts_no_percents(emulated):
    clock = ManualClock()
    arm = await with_workspace(emulated, clock=clock, time_scale=1.0)
    url = (await arm.put(ENDPOINT, endpoint())).headers["azure-asyncoperation"]
    poll = (await arm.raw("GET", url)).body
    assert (poll["status"], poll["percentComplete"]) == ("Updating", 0.0)
    assert poll["endTime"].startswith("0001-")
    clock.advance(60)
    assert (await arm.raw("GET", url)).body["status"] == "Succeeded"


async def test_traffic_adds_up_and_names_what_is_there_in_lower_case(arm):
    await both(arm)
    for wrong in ({"blue": 90}, {"blue": 90, "red": 10}):
        refused = await arm.put(ENDPOINT, endpoint(traffic=wrong))
        assert (refused.status, refused.code) == (400, "UserError")
    await arm.waited(await arm.put(ENDPOINT, endpoint(traffic={"Blue": 100, "green": 0})))
    assert (await arm.get(ENDPOINT)).properties["traffic"] == {"blue": 100}


async def test_a_deployment_with_traffic_stays(arm):
    await both(arm)
    await arm.waited(await arm.put(ENDPOINT, endpoint(traffic={"blue": 100})))
    assert (await arm.delete(BLUE)).status == 400
    gone = await arm.delete(GREEN)
    assert gone.status == 202
    assert "azure-asyncoperation" in gone.headers
    assert "mfeOperationResults" in gone.headers["location"]
    await arm.waited(gone)
    missing = await arm.get(GREEN)
    assert missing.body["error"]["details"][0]["code"] == "NoSuchDeployment"
    assert (await arm.delete(GREEN)).status == 204


async def test_a_deployment_gets_its_defaults(arm):
    await arm.waited(await arm.put(ENDPOINT, endpoint()))
    made = await arm.put(BLUE, deployment())
    assert made.properties["provisioningState"] == "Updating"
    assert made.body["sku"] == {"tier": "Standard", "capacity": 1, "name": "Default"}
    assert made.properties["requestSettings"]["requestTimeout"] == "PT5S"
    assert made.properties["livenessProbe"]["failureThreshold"] == 30
    assert made.properties["scaleSettings"] == {"scaleType": "Default"}


async def test_an_endpoint_takes_one_write_at_a_time(emulated):
    clock = ManualClock()
    arm = await with_workspace(emulated, clock=clock, time_scale=1.0)
    await arm.put(ENDPOINT, endpoint())
    refused = await arm.put(BLUE, deployment())
    assert (refused.status, refused.code) == (400, "UserError")
    assert "it is in Updating provisioning state" in refused.body["error"]["message"]
    assert (await arm.put(ENDPOINT, endpoint())).status == 409
    clock.advance(60)
    assert (await arm.put(BLUE, deployment())).status == 201
    assert (await arm.put(GREEN, deployment())).status == 400


async def test_more_cores_than_the_quota_are_refused(emulated):
    arm = await with_workspace(emulated, settings={"machine_learning.vcpu_limit": 10})
    await arm.waited(await arm.put(ENDPOINT, endpoint()))
    await arm.waited(await arm.put(BLUE, deployment(capacity=2)))
    refused = await arm.put(GREEN, deployment(capacity=1))
    assert refused.status == 400
    assert "Current usage/limit: 8/10. Additional needed: 4" in refused.body["error"]["message"]


async def test_a_patch_answers_null_behind_a_location_that_answers_202_meanwhile(emulated):
    clock = ManualClock()
    arm = await with_workspace(emulated, clock=clock, time_scale=1.0)
    await arm.put(ENDPOINT, endpoint())
    clock.advance(60)
    answer = await arm.patch(ENDPOINT, {"tags": {"a": "b"}})
    assert (answer.status, answer.body) == (202, None)
    assert "azure-asyncoperation" not in answer.headers
    running = await arm.raw("GET", answer.headers["location"])
    assert (running.status, running.body["status"]) == (202, "Updating")
    clock.advance(60)
    done = await arm.raw("GET", answer.headers["location"])
    assert (done.status, done.body["status"]) == (200, "Succeeded")
    got = await arm.get(ENDPOINT)
    assert (got.body["tags"], got.properties["authMode"]) == ({"a": "b"}, "Key")


async def test_scoring_follows_traffic_or_the_header_and_asks_for_a_key(arm):
    await both(arm)
    await arm.waited(await arm.put(ENDPOINT, endpoint(traffic={"blue": 100})))
    uri = (await arm.get(ENDPOINT)).properties["scoringUri"]
    key = (await arm.post(f"{ENDPOINT}/listKeys")).body["secondaryKey"]
    signed = {"Authorization": f"Bearer {key}"}
    chosen = signed | {"azureml-model-deployment": "green"}
    async with aiohttp.ClientSession() as session:
        for headers, name in ((signed, "Blue"), (chosen, "green"), ({}, None)):
            async with session.post(uri, json={"data": [[1, 2]]}, headers=headers) as answer:
                assert answer.status == (401 if name is None else 200)
                assert answer.headers.get("azureml-model-deployment") == name
    await arm.waited(await arm.post(f"{ENDPOINT}/regenerateKeys", {"keyType": "secondary"}))
    assert (await arm.post(f"{ENDPOINT}/listKeys")).body["secondaryKey"] != key


async def test_a_token_is_for_endpoints_that_use_tokens(arm):
    await arm.waited(await arm.put(ENDPOINT, endpoint()))
    assert (await arm.post(f"{ENDPOINT}/token")).status == 400
    other = f"{WORKSPACE}/onlineEndpoints/tokens"
    await arm.waited(await arm.put(other, endpoint(authMode="amlToken")))
    token = (await arm.post(f"{other}/token")).body
    assert (token["tokenType"], token["expiryTimeUtc"] > 0) == ("Bearer", True)
    assert (await arm.post(f"{other}/listKeys")).status == 400


async def test_what_is_not_there_is_a_404_of_the_front_end(arm):
    missing = await arm.get(ENDPOINT)
    assert missing.body["error"]["details"][0]["code"] == "NoSuchEndpoint"
    assert (await arm.delete(ENDPOINT)).status == 204
