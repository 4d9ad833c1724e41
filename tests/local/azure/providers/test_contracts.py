"""Every body the providers' tests see is checked against Microsoft's types, if they are there."""

from __future__ import annotations

from tests.contracts import check_exchange, needs_contracts

STORAGE = "Microsoft.Storage/storageAccounts/contosodata"


@needs_contracts
async def test_the_check_at_the_end_of_each_test_sees_bodies_and_would_complain(arm):
    await arm.made(STORAGE, {"location": "eastus2", "kind": "StorageV2", "sku": {"name": "X_LRS"}})
    arm.azure.store.find(arm.id(STORAGE)).body["properties"]["notAProperty"] = 1
    arm.azure.store.find(arm.id(STORAGE)).changed()
    await arm.get(STORAGE)
    assert any("notAProperty" in problem for problem in check_exchange(arm.exchanges[-1]))
    arm.exchanges.pop()
