"""Workspaces and what lives in them: assets, connections, computes, batch, serverless."""

from __future__ import annotations

import aiohttp
import pytest

from reconciler.local.clock import ManualClock

ML = "Microsoft.MachineLearningServices/workspaces"
STORAGE = "Microsoft.Storage/storageAccounts/contosodata"
VAULT = "Microsoft.KeyVault/vaults/contoso-kv"
TENANT = "22222222-2222-2222-2222-222222222222"
WORKSPACE = f"{ML}/main"


@pytest.fixture
async def home(arm):
    """A workspace of kind Default with its storage account and vault."""
    await dependencies(arm)
    await arm.waited(await arm.put(WORKSPACE, workspace(arm)))
    return arm


async def dependencies(arm):
    storage = {"location": "eastus2", "kind": "StorageV2", "sku": {"name": "Standard_LRS"}}
    await arm.waited(await arm.put(STORAGE, storage))
    properties = {"tenantId": TENANT, "sku": {"family": "A", "name": "standard"}}
    vault = {"location": "eastus2", "properties": properties | {"accessPolicies": []}}
    await arm.put(VAULT, vault)


def workspace(arm, kind="Default", **properties):
    return {
        "location": "eastus2",
        "kind": kind,
        "identity": {"type": "SystemAssigned"},
        "sku": {"name": "Standard_S1", "tier": "Standard"},
        "properties": {"storageAccount": arm.id(STORAGE), "keyVault": arm.id(VAULT), **properties},
    }


def project(arm, hub):
    return {
        "location": "eastus2",
        "kind": "Project",
        "identity": {"type": "SystemAssigned"},
        "properties": {"hubResourceId": arm.id(hub)},
    }


async def test_a_workspace_is_made_behind_two_headers_and_comes_back_changed(arm):
    await dependencies(arm)
    answer = await arm.put(WORKSPACE, workspace(arm))
    assert (answer.status, answer.body) == (202, None)
    assert "type=async" in answer.headers["azure-asyncoperation"]
    assert "type=location" in answer.headers["location"]
    assert "retry-after" not in answer.headers
    poll = await arm.waited(answer)
    assert poll.body == {"status": "Succeeded", "percentComplete": 100.0}
    got = await arm.get(WORKSPACE)
    assert got.body["sku"] == {"name": "Basic", "tier": "Basic"}
    assert "/Microsoft.Keyvault/vaults/" in got.properties["keyVault"]
    assert got.properties["publicNetworkAccess"] == "Enabled"
    stores = await arm.get(f"{WORKSPACE}/datastores")
    assert stores.body["value"][0]["name"] == "workspaceblobstore"
    policies = (await arm.get(VAULT)).properties["accessPolicies"]
    assert [p["objectId"] for p in policies] == [got.body["identity"]["principalId"]]


async def test_a_second_put_while_the_first_one_runs_is_a_conflict(emulated):
    arm = await emulated(clock=ManualClock(), time_scale=1.0)
    body = workspace(arm)
    body["properties"].pop("keyVault")
    body["properties"]["storageAccount"] = arm.id("Microsoft.Network/x/y")
    assert (await arm.put(WORKSPACE, body)).status == 202
    assert (await arm.put(WORKSPACE, body)).code == "RequestConflict"


async def test_a_deleted_workspace_blocks_its_name_unless_it_was_purged(home):
    await home.waited(await home.delete(WORKSPACE))
    assert (await home.get(WORKSPACE)).status == 404
    assert (await home.put(WORKSPACE, workspace(home))).status == 409
    assert (await home.delete(WORKSPACE, "&forceToPurge=true")).status == 204
    assert (await home.put(WORKSPACE, workspace(home))).status == 202
    other = f"{ML}/other"
    await home.waited(await home.put(other, workspace(home)))
    await home.waited(await home.delete(other, "&forceToPurge=true"))
    assert (await home.put(other, workspace(home))).status == 202


async def test_a_project_inherits_from_its_hub_and_holds_it(home):
    hub, child = f"{ML}/hub", f"{ML}/project"
    await home.waited(await home.put(hub, workspace(home, "Hub")))
    refused = await home.put(child, project(home, hub) | workspace(home, "Project"))
    assert refused.status == 400
    await home.waited(await home.put(child, project(home, hub)))
    got = await home.get(child)
    assert got.properties["storageAccount"] == home.id(STORAGE)
    assert (await home.get(hub)).properties["associatedWorkspaces"] == [home.id(child)]
    assert (await home.delete(hub)).status == 409
    await home.waited(await home.delete(child))
    assert (await home.delete(hub)).status == 202


async def test_a_workspace_needs_dependencies_that_exist(arm):
    refused = await arm.put(WORKSPACE, workspace(arm))
    assert refused.status == 400
    assert arm.id(STORAGE) in str(refused.body)


async def test_a_connection_answers_200_when_new_and_hides_its_secret(home):
    path = f"{WORKSPACE}/connections/search"
    properties = {
        "category": "CognitiveSearch",
        "target": "https://x.search.windows.net",
        "authType": "ApiKey",
        "credentials": {"key": "s3cret"},
    }
    made = await home.put(path, {"properties": properties})
    assert made.status == 200
    assert made.properties["credentials"] is None
    assert made.properties["isSharedToAll"] is False
    assert "s3cret" not in str((await home.get(f"{WORKSPACE}/connections")).body)
    secrets = await home.post(f"{path}/listsecrets")
    assert secrets.properties["credentials"] == {"key": "s3cret"}
    assert (await home.delete(path)).status == 200
    gone = await home.get(path)
    assert gone.body["componentName"] == "account-rp"
    assert gone.body["error"]["innerError"]["code"] == "NotFoundError"


async def test_an_environment_is_created_every_time_and_its_conda_file_becomes_json(home):
    path = f"{WORKSPACE}/environments/env/versions/1"
    body = {"properties": {"image": "mcr/x", "condaFile": "name: a\ndependencies:\n- python\n"}}
    first, second = await home.put(path, body), await home.put(path, body)
    assert (first.status, second.status) == (201, 201)
    assert first.headers["location"].startswith(home.azure.url)
    expected = '{\n  "name": "a",\n  "dependencies": [\n    "python"\n  ]\n}'
    assert first.properties["condaFile"] == expected
    assert (await home.put(path, {"properties": {"image": "mcr/y"}})).status == 400
    container = await home.get(f"{WORKSPACE}/environments/env")
    assert container.properties["nextVersion"] == "2"


async def test_archived_versions_leave_the_list_and_the_newest_comes_first(home):
    for version in ("1", "2", "3"):
        await home.put(f"{WORKSPACE}/models/m/versions/{version}", model("azureml://a/b"))
    await home.put(f"{WORKSPACE}/models/m/versions/2", model("azureml://a/b", isArchived=True))
    listed = await home.get(f"{WORKSPACE}/models/m/versions")
    assert [v["name"] for v in listed.body["value"]] == ["3", "1"]
    everything = await home.get(f"{WORKSPACE}/models/m/versions", "&listViewType=All")
    assert len(everything.body["value"]) == 3
    missing = await home.get(f"{WORKSPACE}/models/none")
    assert missing.body["error"]["details"][0]["code"] == "ModelNotFound"


def model(uri, **more):
    return {"properties": {"modelUri": uri, "modelType": "custom_model", **more}}


async def test_long_lists_of_versions_are_linked_by_skip_token(home):
    for version in range(31):
        await home.put(f"{WORKSPACE}/models/m/versions/{version}", model("azureml://a/b"))
    first = await home.get(f"{WORKSPACE}/models/m/versions")
    assert "$skipToken" in first.body["nextLink"]
    second = await home.raw("GET", first.body["nextLink"])
    assert len(first.body["value"]) + len(second.body["value"]) == 31
    assert "nextLink" not in second.body


async def test_a_cluster_shows_its_size_in_capitals_and_leaves_only_when_told_how(home):
    path = f"{WORKSPACE}/computes/cluster"
    inner = {"vmSize": "Standard_DS3_v2", "scaleSettings": {"maxNodeCount": 2}}
    properties = {"computeType": "AmlCompute", "properties": inner}
    answer = await home.put(path, {"location": "eastus2", "properties": properties})
    assert answer.status == 201
    assert "service=new" in answer.headers["azure-asyncoperation"]
    await home.waited(answer)
    got = await home.get(path)
    assert got.properties["properties"]["vmSize"] == "STANDARD_DS3_V2"
    assert got.properties["properties"]["allocationState"] == "Steady"
    usages = await home.get(
        home.id("").partition("/resourceGroups")[0]
        + "/providers/Microsoft.MachineLearningServices/locations/eastus2/usages"
    )
    assert sum(u["currentValue"] for u in usages.body["value"]) == 8
    assert (await home.delete(path)).status == 400
    await home.waited(await home.delete(path, "&underlyingResourceAction=Delete"))
    gone = await home.get(path)
    assert (gone.status, gone.body) == (404, None)


async def test_a_batch_endpoint_takes_a_default_only_once_it_exists(home):
    inner = {"vmSize": "Standard_DS3_v2", "scaleSettings": {"maxNodeCount": 2}}
    compute = {"computeType": "AmlCompute", "properties": inner}
    cluster = f"{WORKSPACE}/computes/cluster"
    await home.waited(await home.put(cluster, {"location": "eastus2", "properties": compute}))
    endpoint = f"{WORKSPACE}/batchEndpoints/be"
    body = {"location": "eastus2", "properties": {"authMode": "AADToken"}}
    await home.waited(await home.put(endpoint, body))
    named = {"location": "eastus2", "properties": {"authMode": "aadToken"}}
    named["properties"]["defaults"] = {"deploymentName": "d1"}
    assert (await home.put(endpoint, named)).status == 400
    deployment = {"location": "eastus2", "properties": {"compute": home.id(cluster)}}
    made = await home.put(f"{endpoint}/deployments/d1", deployment)
    assert made.properties["loggingLevel"] == "Info"
    await home.waited(made)
    await home.waited(await home.put(endpoint, named))
    assert (await home.get(endpoint)).properties["authMode"] == "AADToken"
    assert (await home.delete(f"{endpoint}/deployments/d1")).status == 400


COHERE = "azureml://registries/azureml-cohere/models/Cohere-command-r-08-2024"
DEEPSEEK = "azureml://registries/azureml-deepseek/models/DeepSeek-R1"


def serverless(model_id):
    settings = {"authMode": "Key", "modelSettings": {"modelId": model_id}}
    return {"location": "eastus2", "sku": {"name": "Consumption"}, "properties": settings}


async def test_a_partners_model_needs_a_subscription_and_suffers_when_it_goes(home):
    endpoint = f"{WORKSPACE}/serverlessEndpoints/cohere"
    refused = await home.put(endpoint, serverless(COHERE))
    inner = refused.body["error"]["additionalInfo"][-1]["info"]["value"]
    assert (refused.code, inner["code"]) == ("UserError", "ServerlessOfferNotFound")
    subscription = f"{WORKSPACE}/marketplaceSubscriptions/cohere"
    await home.waited(await home.put(subscription, {"properties": {"modelId": COHERE}}))
    assert (await home.get(subscription)).properties["marketplacePlan"]["publisherId"] == "cohere"
    await home.waited(await home.put(endpoint, serverless(COHERE)))
    assert (await home.get(endpoint)).properties["endpointState"] == "Online"
    await home.waited(await home.delete(subscription))
    assert (await home.get(endpoint)).properties["endpointState"] == "Suspended"


async def test_a_serverless_endpoint_chats_with_whoever_has_a_key(home):
    endpoint = f"{WORKSPACE}/serverlessEndpoints/deepseek"
    await home.waited(await home.put(endpoint, serverless(DEEPSEEK)))
    uri = (await home.get(endpoint)).properties["inferenceEndpoint"]["uri"]
    key = (await home.post(f"{endpoint}/listKeys")).body["primaryKey"]
    async with aiohttp.ClientSession() as session:
        for bearer, status in ((f"Bearer {key}", 200), (key, 200), ("Bearer wrong", 401)):
            headers = {"Authorization": bearer}
            url = f"{uri}/v1/chat/completions"
            async with session.post(url, json={"messages": []}, headers=headers) as answer:
                assert answer.status == status
                body = await answer.json()
    assert "error" in body


async def test_outbound_rules_need_a_managed_network(home):
    rule = {"properties": {"type": "FQDN", "destination": "models.example.com"}}
    assert (await home.put(f"{WORKSPACE}/outboundRules/pypi", rule)).status == 400
    network = {"isolationMode": "AllowOnlyApprovedOutbound"}
    await home.waited(await home.put(WORKSPACE, workspace(home, managedNetwork=network)))
    await home.waited(await home.put(f"{WORKSPACE}/outboundRules/pypi", rule))
    assert (await home.get(f"{WORKSPACE}/outboundRules/pypi")).properties[
        "category"
    ] == "UserDefined"
