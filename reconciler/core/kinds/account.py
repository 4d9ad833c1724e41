"""Azure OpenAI and Foundry (AI services) accounts.

Immutable fields and defaults: https://learn.microsoft.com/azure/templates/microsoft.cognitiveservices/accounts
and hashicorp/terraform-provider-azurerm, internal/services/cognitive; soft delete:
https://learn.microsoft.com/azure/ai-services/recover-purge-resources. What the service adds:
recorded traffic of Azure/azure-service-operator and Azure/azure-cli.
"""

from reconciler.core.kinds.kind import Kind, SoftDelete
from reconciler.core.kinds.shared import (
    ACCOUNT_LOCK,
    BOTH,
    COGNITIVE_SERVICES,
    TIERS,
    guid,
    identity,
    in_resource_group,
    keys_part,
    network_acls,
    sku,
)
from reconciler.core.schema import (
    ANY,
    Names,
    arm_id,
    array,
    boolean,
    computed,
    default,
    described,
    immutable,
    integer,
    location,
    obj,
    required,
    secret,
    tags,
    text,
)

KINDS_OF_ACCOUNT = (
    "OpenAI",
    "AIServices",
    "CognitiveServices",
    "ComputerVision",
    "ContentSafety",
    "ContentModerator",
    "CustomVision.Prediction",
    "CustomVision.Training",
    "Face",
    "FormRecognizer",
    "ImmersiveReader",
    "SpeechServices",
    "TextAnalytics",
    "TextTranslation",
)

ENCRYPTION = obj(
    # Sending the service's own key source is how customer-managed keys are given up.
    keySource=default(
        "Microsoft.CognitiveServices", text("Microsoft.CognitiveServices", "Microsoft.KeyVault")
    ),
    keyVaultProperties=obj(
        keyName=text(), keyVersion=text(), keyVaultUri=text(), identityClientId=guid()
    ),
)

API_PROPERTIES = obj(
    ANY,
    qnaRuntimeEndpoint=text(),
    qnaAzureSearchEndpointKey=secret(),
    qnaAzureSearchEndpointId=arm_id(),
    statisticsEnabled=boolean(),
    eventHubConnectionString=secret(),
    storageAccountConnectionString=secret(),
    aadClientId=text(longest=500),
    aadTenantId=text(longest=500),
    superUser=text(longest=500),
    websiteName=text(longest=500),
)


ACCOUNT = Kind(
    name="Account",
    title="AI account",
    doc="An Azure OpenAI, Foundry (AIServices) or other Azure AI services account.",
    places=in_resource_group("Microsoft.CognitiveServices/accounts", COGNITIVE_SERVICES),
    names=Names(
        pattern=r"^[a-zA-Z0-9][a-zA-Z0-9_.-]*$",
        shortest=2,
        longest=64,
        hint="2 to 64 letters, digits, '_', '.' or '-', starting with a letter or digit",
    ),
    fields={
        "location": location(),
        # Not immutable: OpenAI and AIServices may be turned into each other in place.
        "kind": required(text(*KINDS_OF_ACCOUNT)),
        "sku": required(sku("S0", "F0", tiers=(*TIERS, "Enterprise"))),
        "identity": identity(BOTH),
        "tags": tags(),
        "customSubDomainName": described(
            "Host name of its endpoint, unique world-wide; Entra ID, projects, private endpoints "
            "and network rules need it. Cannot be changed once set.",
            immutable(text(same="caseless")),
        ),
        "publicNetworkAccess": default("Enabled", text("Enabled", "Disabled")),
        "networkAcls": network_acls(),
        "disableLocalAuth": described("True: Entra ID only, no keys.", default(False, boolean())),
        "allowProjectManagement": described(
            "Allow Foundry projects; the service does not honour a change back to false.",
            default(False, boolean()),
        ),
        "defaultProject": text(),
        "associatedProjects": computed(array(text(), key=("",))),
        "restrictOutboundNetworkAccess": default(False, boolean()),
        "allowedFqdnList": array(text(same="caseless"), key=("",)),
        "networkInjections": array(
            obj(
                scenario=text("none", "agent"),
                subnetArmId=arm_id(),
                useMicrosoftManagedNetwork=default(False, boolean()),
            )
        ),
        "encryption": described(
            "Customer-managed keys; a Foundry account takes them only after it was created.",
            ENCRYPTION,
        ),
        "userOwnedStorage": array(
            obj(resourceId=required(arm_id("StorageAccount")), identityClientId=guid()),
            key=("resourceId",),
        ),
        "amlWorkspace": obj(resourceId=arm_id("Workspace"), identityClientId=guid()),
        "dynamicThrottlingEnabled": default(False, boolean()),
        "storedCompletionsDisabled": default(False, boolean()),
        "raiMonitorConfig": obj(
            adxStorageResourceId=arm_id("StorageAccount"), identityClientId=guid()
        ),
        "locations": obj(
            routingMethod=text("Priority", "Weighted", "Performance"),
            regions=array(
                obj(name=text(same="location"), value=integer(), customsubdomain=text()),
                key=("name",),
            ),
        ),
        "migrationToken": text(),
        "apiProperties": API_PROPERTIES,
    },
    outputs={
        "identity.principalId": "object id of its system-assigned identity",
        "properties.endpoint": "base URL of its data plane",
    },
    endpoint="properties.endpoint",
    holds_data=True,
    lock=ACCOUNT_LOCK,
    soft_delete=SoftDelete(
        restore={"restore": True},
        whole=False,
        list_url="/providers/Microsoft.CognitiveServices/deletedAccounts",
        purge_url="/subscriptions/{subscription}/providers/Microsoft.CognitiveServices"
        "/locations/{location}/resourceGroups/{resourceGroup}/deletedAccounts/{name}",
    ),
    parts=(keys_part("Account", "key1"),),
    typical_s=20,
)
