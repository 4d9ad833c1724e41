"""Container registries and private endpoints, as far as a plan of an estate needs them."""

from __future__ import annotations

REGISTRY = "Microsoft.ContainerRegistry/registries/contosoimages"
STORAGE = "Microsoft.Storage/storageAccounts/contosodata"
ENDPOINT = "Microsoft.Network/privateEndpoints/pe"


async def test_a_registry_gets_its_server_name_and_keeps_it_to_itself(arm):
    body = {"location": "eastus2", "sku": {"name": "Premium"}}
    answer = await arm.put(REGISTRY, body)
    assert answer.status == 201
    await arm.waited(answer)
    got = await arm.get(REGISTRY)
    assert got.properties["loginServer"] == "contosoimages.azurecr.io"
    assert got.body["sku"] == {"name": "Premium", "tier": "Premium"}
    group = arm.id("").partition("/providers")[0] + "2"
    await arm.put(group, {"location": "eastus2"})
    assert (await arm.put(f"{group}/providers/{REGISTRY}", body)).code == "AlreadyInUse"


def private_endpoint(arm):
    target = {"privateLinkServiceId": arm.id(STORAGE), "groupIds": ["blob"]}
    subnet = {"id": arm.id("Microsoft.Network/virtualNetworks/v/subnets/s")}
    connections = [{"name": "c", "properties": target}]
    properties = {"subnet": subnet, "privateLinkServiceConnections": connections}
    return {"location": "eastus2", "properties": properties}


async def test_a_private_endpoint_is_approved_and_has_zone_groups(arm):
    storage = {"location": "eastus2", "kind": "StorageV2", "sku": {"name": "Standard_LRS"}}
    await arm.waited(await arm.put(STORAGE, storage))
    await arm.waited(await arm.put(ENDPOINT, private_endpoint(arm)))
    connection = (await arm.get(ENDPOINT)).properties["privateLinkServiceConnections"][0]
    state = connection["properties"]["privateLinkServiceConnectionState"]
    assert state["status"] == "Approved"
    zone = {"privateDnsZoneId": arm.id("Microsoft.Network/privateDnsZones/z")}
    group = {"properties": {"privateDnsZoneConfigs": [{"name": "z", "properties": zone}]}}
    await arm.waited(await arm.put(f"{ENDPOINT}/privateDnsZoneGroups/default", group))
    await arm.waited(await arm.delete(ENDPOINT))
    assert (await arm.get(ENDPOINT)).status == 404
