"""Vaults: DNS, soft delete, recovery, what cannot change; secrets on both planes."""

from __future__ import annotations

import aiohttp
import pytest

from reconciler.local.clock import ManualClock

VAULT = "Microsoft.KeyVault/vaults/contoso-kv"
TENANT = "22222222-2222-2222-2222-222222222222"
POLICY = {"tenantId": TENANT, "objectId": "1C793267-D6CA-4DB5-94C5-F2D0E1F0F0F0"}
PERMISSIONS = {"secrets": ["get"]}


def vault(**properties):
    return {
        "location": "eastus2",
        "properties": {
            "tenantId": TENANT,
            "sku": {"family": "A", "name": "standard"},
            "accessPolicies": [POLICY | {"permissions": PERMISSIONS}],
            **properties,
        },
    }


def deleted(arm, name="contoso-kv"):
    subscription = arm.id("").partition("/resourceGroups")[0]
    return f"{subscription}/providers/Microsoft.KeyVault/locations/eastus2/deletedVaults/{name}"


async def test_a_new_vault_registers_its_name_first_and_its_uri_gains_a_slash(emulated):
    clock = ManualClock()
    arm = await emulated(clock=clock, time_scale=1.0)
    answer = await arm.put(VAULT, vault())
    assert answer.status == 200
    assert answer.properties["provisioningState"] == "RegisteringDns"
    assert not answer.properties["vaultUri"].endswith("/")
    assert "location" not in answer.headers
    assert "azure-asyncoperation" not in answer.headers
    assert (await arm.get(VAULT)).properties["vaultUri"].endswith("/")
    clock.advance(30)
    assert (await arm.get(VAULT)).properties["provisioningState"] == "Succeeded"


async def test_soft_delete_cannot_be_refused_and_guids_come_back_in_lower_case(arm):
    got = await arm.made(VAULT, vault(enableSoftDelete=False, createMode="default"))
    assert got.properties["enableSoftDelete"] is True
    assert got.properties["accessPolicies"][0]["objectId"] == POLICY["objectId"].lower()
    assert "createMode" not in got.properties


async def test_a_deleted_vault_blocks_its_name_until_it_is_purged(arm):
    await arm.made(VAULT, vault(softDeleteRetentionInDays=7))
    assert (await arm.delete(VAULT)).status == 200
    assert (await arm.get(deleted(arm))).properties["vaultId"] == arm.id(VAULT)
    refused = await arm.put(VAULT, vault())
    assert (refused.status, refused.code) == (409, "ConflictError")
    purge = await arm.post(deleted(arm) + "/purge")
    assert (purge.status, purge.body) == (202, None)
    assert "/operationResults/" in purge.headers["location"]
    assert (await arm.waited(purge)).body["status"] == "Succeeded"
    assert (await arm.get(deleted(arm))).code == "DeletedVaultNotFound"
    assert (await arm.put(VAULT, vault())).status == 200


async def test_a_recovered_vault_has_its_old_policies_and_its_secrets(arm):
    await arm.made(VAULT, vault())
    await arm.put(f"{VAULT}/secrets/key", {"properties": {"value": "s3cret"}})
    await arm.delete(VAULT)
    body = vault(createMode="recover", accessPolicies=[])
    recovered = await arm.put(VAULT, body)
    assert recovered.properties["provisioningState"] == "Succeeded"
    assert len(recovered.properties["accessPolicies"]) == 1
    assert (await arm.get(f"{VAULT}/secrets/key")).status == 200


async def test_deleting_the_group_soft_deletes_the_vault_in_it(arm):
    await arm.made(VAULT, vault())
    await arm.waited(await arm.delete(arm.id("").partition("/providers")[0]))
    assert (await arm.get(deleted(arm))).status == 200


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ({"softDeleteRetentionInDays": 7}, {"softDeleteRetentionInDays": 90}),
        ({"enablePurgeProtection": True}, {"enablePurgeProtection": False}),
    ],
)
async def test_retention_and_purge_protection_cannot_be_taken_back(arm, before, after):
    await arm.made(VAULT, vault(**before))
    refused = await arm.put(VAULT, vault(**after))
    assert (refused.status, refused.code) == (400, "BadRequest")


async def test_a_protected_vault_cannot_be_purged(arm):
    await arm.made(VAULT, vault(enablePurgeProtection=True))
    await arm.delete(VAULT)
    assert (await arm.post(deleted(arm) + "/purge")).status == 405


async def test_a_secret_written_through_arm_is_a_new_version_each_time_and_never_shown(arm):
    await arm.made(VAULT, vault())
    first = await arm.put(f"{VAULT}/secrets/key", {"properties": {"value": "one"}})
    second = await arm.put(f"{VAULT}/secrets/key", {"properties": {"value": "two"}})
    assert (first.status, second.status) == (201, 200)
    assert first.properties["secretUriWithVersion"] != second.properties["secretUriWithVersion"]
    assert "value" not in first.properties
    assert "two" not in str((await arm.get(f"{VAULT}/secrets/key")).body)
    assert (await arm.delete(f"{VAULT}/secrets/key")).status == 405


async def test_the_data_plane_reads_what_arm_wrote_with_a_token_for_key_vault_only(arm):
    await arm.made(VAULT, vault())
    written = await arm.put(f"{VAULT}/secrets/key", {"properties": {"value": "one"}})
    url = written.properties["secretUri"] + "?api-version=7.5"
    token = arm.azure.token(audience="https://vault.azure.net")
    async with aiohttp.ClientSession() as session:
        async with session.get(url) as refused:
            assert refused.status == 401
            assert "https://vault.azure.net" in refused.headers["WWW-Authenticate"]
        headers = {"Authorization": f"Bearer {token}"}
        async with session.get(url, headers=headers) as got:
            assert (await got.json())["value"] == "one"
        async with session.put(url, headers=headers, json={"value": "two"}) as put:
            assert put.status == 200
        async with session.get(written.properties["secretUriWithVersion"], headers=headers) as old:
            assert (await old.json())["value"] == "one"
        async with session.get(url, headers=headers) as new:
            assert (await new.json())["value"] == "two"
        async with session.delete(url, headers=headers) as gone:
            assert gone.status == 200
    assert (await arm.get(f"{VAULT}/secrets/key")).status == 404
