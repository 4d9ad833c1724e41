"""Storage accounts answer as recorded."""

from __future__ import annotations

from reconciler.local.clock import ManualClock

ACCOUNT = "Microsoft.Storage/storageAccounts/contosodata"
BODY = {"location": "eastus2", "kind": "StorageV2", "sku": {"name": "Standard_LRS"}}


async def test_a_new_account_answers_202_without_a_body_and_the_poll_ends_with_the_account(arm):
    answer = await arm.put(ACCOUNT, BODY)
    assert (answer.status, answer.body) == (202, None)
    assert "/asyncoperations/" in answer.headers["location"]
    assert "azure-asyncoperation" not in answer.headers
    assert "retry-after" in answer.headers
    last = await arm.waited(answer)
    assert last.status == 200
    assert last.body["name"] == "contosodata"
    assert last.properties["minimumTlsVersion"] == "TLS1_2"


async def test_a_second_put_answers_200_with_the_account(arm):
    await arm.made(ACCOUNT, BODY)
    again = await arm.put(ACCOUNT, BODY | {"tags": {"team": "a"}})
    assert again.status == 200
    assert again.body["tags"] == {"team": "a"}
    assert again.body["sku"] == {"name": "Standard_LRS", "tier": "Standard"}


async def test_keys_are_refused_while_the_account_is_provisioned(emulated):
    clock = ManualClock()
    arm = await emulated(clock=clock, time_scale=1.0)
    await arm.put(ACCOUNT, BODY)
    refused = await arm.post(f"{ACCOUNT}/listKeys")
    assert (refused.status, refused.code) == (409, "StorageAccountIsNotProvisioned")
    assert (await arm.get(ACCOUNT)).properties["provisioningState"] == "Creating"
    clock.advance(20)
    keys = await arm.post(f"{ACCOUNT}/listKeys")
    assert [k["keyName"] for k in keys.body["keys"]] == ["key1", "key2"]


async def test_a_name_is_taken_in_every_group(arm):
    await arm.made(ACCOUNT, BODY)
    group = arm.id(ACCOUNT).partition("/providers/")[0] + "2"
    await arm.put(group, {"location": "eastus2"})
    refused = await arm.put(f"{group}/providers/{ACCOUNT}", BODY)
    assert (refused.status, refused.code) == (409, "StorageAccountAlreadyTaken")
    check = await arm.post(
        f"{arm.id('').partition('/resourceGroups')[0]}/providers/Microsoft.Storage"
        "/checkNameAvailability",
        {"name": "contosodata", "type": "Microsoft.Storage/storageAccounts"},
    )
    assert check.body["reason"] == "AlreadyExists"


async def test_a_bad_name_is_refused(arm):
    refused = await arm.put("Microsoft.Storage/storageAccounts/Not-valid", BODY)
    assert (refused.status, refused.code) == (400, "AccountNameInvalid")


async def test_an_identity_that_is_not_there_is_refused_by_the_gateway(arm):
    missing = arm.id("Microsoft.ManagedIdentity/userAssignedIdentities/none")
    identity = {"type": "UserAssigned", "userAssignedIdentities": {missing: {}}}
    refused = await arm.put(ACCOUNT, BODY | {"identity": identity})
    assert (refused.status, refused.code) == (400, "FailedIdentityOperation")
    assert refused.headers["x-ms-failure-cause"] == "gateway"
