"""What a user of azure-ai-ml does; run by test_azure_ai_ml.py in a process of its own."""

import os
from typing import Any

import requests
from azure.ai.ml import MLClient
from azure.ai.ml.entities import ManagedOnlineEndpoint
from azure.identity import ManagedIdentityCredential

ARM = os.environ["RECONCILER_ARM_ENDPOINT"]
SUBSCRIPTION = os.environ["AZURE_SUBSCRIPTION_ID"]
GROUP = f"/subscriptions/{SUBSCRIPTION}/resourceGroups/rg-ml"
PROVIDERS = f"{GROUP}/providers"
STORAGE = f"{PROVIDERS}/Microsoft.Storage/storageAccounts/stml"
VAULT = f"{PROVIDERS}/Microsoft.KeyVault/vaults/kv-ml"
INSIGHTS = f"{PROVIDERS}/Microsoft.Insights/components/appi-ml"


def main() -> None:
    credential = ManagedIdentityCredential()
    headers = {"Authorization": f"Bearer {credential.get_token(f'{ARM}/.default').token}"}

    def put(path: str, api_version: str, **body: Any) -> None:
        url = f"{ARM}{path}?api-version={api_version}"
        body = {"location": "eastus2", **body}
        requests.put(url, json=body, headers=headers, timeout=30).raise_for_status()

    vault = {"tenantId": os.environ["AZURE_TENANT_ID"], "sku": {"family": "A", "name": "standard"}}
    put(GROUP, "2025-04-01")
    put(STORAGE, "2025-08-01", kind="StorageV2", sku={"name": "Standard_LRS"})
    put(VAULT, "2025-05-01", properties={**vault, "enableRbacAuthorization": True})
    put(INSIGHTS, "2020-02-02", kind="web", properties={"Application_Type": "web"})
    needs = {"storageAccount": STORAGE, "keyVault": VAULT, "applicationInsights": INSIGHTS}
    workspace = f"{PROVIDERS}/Microsoft.MachineLearningServices/workspaces/mlw"
    put(workspace, "2025-06-01", identity={"type": "SystemAssigned"}, properties=needs)
    client = MLClient(credential, SUBSCRIPTION, "rg-ml", "mlw")
    assert client.workspaces.get("mlw").location == "eastus2"
    endpoint = ManagedOnlineEndpoint(name="made-by-sdk", auth_mode="key")
    made = client.online_endpoints.begin_create_or_update(endpoint).result()
    assert made.scoring_uri.startswith(ARM)
    assert [one.name for one in client.online_endpoints.list()] == ["made-by-sdk"]
    assert client.online_endpoints.get_keys("made-by-sdk").primary_key
    client.online_endpoints.begin_delete("made-by-sdk").result()
    assert list(client.online_endpoints.list()) == []


if __name__ == "__main__":
    main()
