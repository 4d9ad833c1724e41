"""Azure OpenAI and Foundry (AI services) accounts.

Immutable fields and defaults: https://learn.microsoft.com/azure/templates/microsoft.cognitiveservices/accounts
and hashicorp/terraform-provider-azurerm, internal/services/cognitive; soft delete:
https://learn.microsoft.com/azure/ai-services/recover-purge-resources.
"""

from reconciler.core.kinds.kind import Kind, Place, SoftDelete
from reconciler.core.kinds.shared import identity, network_acls
from reconciler.core.schema import (
    Names,
    anything,
    arm_id,
    array,
    boolean,
    default,
    immutable,
    location,
    obj,
    required,
    tags,
    text,
)

ACCOUNT = Kind(
    name="Account",
    title="AI account",
    doc="An Azure OpenAI, Foundry (AIServices) or other Azure AI services account.",
    places=(
        Place(
            field="resourceGroup",
            parent="ResourceGroup",
            arm_type="Microsoft.CognitiveServices/accounts",
            api_version="2026-03-01",
        ),
    ),
    names=Names(
        pattern=r"^[a-zA-Z0-9][a-zA-Z0-9_.-]*$",
        shortest=2,
        longest=64,
        hint="2 to 64 letters, digits, '_', '.' or '-', starting with a letter or digit",
    ),
    fields={
        "location": location(),
        # OpenAI and AIServices may be turned into each other in place; see canonical checks.
        "kind": required(text("OpenAI", "AIServices", "TextAnalytics", "ContentSafety")),
        "sku": required(obj(name=required(text("S0", "F0")))),
        "identity": identity(),
        "tags": tags(),
        "customSubDomainName": immutable(text(same="caseless")),
        "publicNetworkAccess": default("Enabled", text("Enabled", "Disabled")),
        "networkAcls": network_acls(),
        "disableLocalAuth": default(False, boolean()),
        "allowProjectManagement": default(False, boolean()),
        "restrictOutboundNetworkAccess": default(False, boolean()),
        "allowedFqdnList": array(text(same="caseless"), key=("",)),
        "userOwnedStorage": array(obj(resourceId=required(arm_id("StorageAccount")))),
        "apiProperties": anything(),
    },
    outputs={
        "identity.principalId": "object id of its system-assigned identity",
        "properties.endpoint": "base URL of its data plane",
    },
    holds_data=True,
    lock="Microsoft.CognitiveServices/accounts",
    soft_delete=SoftDelete(
        restore={"restore": True},
        whole=False,
        list_url="/providers/Microsoft.CognitiveServices/deletedAccounts",
        purge_url="/subscriptions/{subscription}/providers/Microsoft.CognitiveServices/locations"
        "/{location}/resourceGroups/{resourceGroup}/deletedAccounts/{name}",
    ),
    typical_s=20,
)
