"""Fields of Machine Learning workspaces, hubs and projects: three kinds over one ARM type.

Immutable fields: https://learn.microsoft.com/azure/templates/microsoft.machinelearningservices/workspaces
and hashicorp/terraform-provider-azurerm, internal/services/machinelearning; what PATCH may change:
Azure/azure-rest-api-specs, MachineLearningServices 2024-04-01, workspaceRP.json.
"""

from collections.abc import Mapping

from reconciler.core.kinds.outbound_rule import rule
from reconciler.core.kinds.shared import BOTH, identity
from reconciler.core.schema import (
    Field,
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
    mapping,
    obj,
    required,
    tags,
    text,
    write_only,
)

WORKSPACE_TYPE = "Microsoft.MachineLearningServices/workspaces"

NAMES = Names(
    pattern=r"^[a-zA-Z0-9][a-zA-Z0-9_-]*$",
    shortest=3,
    longest=33,
    hint="3 to 33 letters, digits, '_' or '-', starting with a letter or digit",
)

OUTPUTS = {
    "identity.principalId": "object id of its system-assigned identity",
    "properties.workspaceId": "GUID of the workspace",
    "properties.discoveryUrl": "where clients find its regional services",
    "properties.mlFlowTrackingUri": "MLflow tracking URI",
}

COMMON: Mapping[str, Field] = {
    "location": location(),
    "identity": required(identity(BOTH)),
    # Whatever is sent, the service answers Basic: Azure/azure-sdk-for-python recordings.
    "sku": obj(
        name=required(write_only(text())),
        tier=write_only(text("Free", "Basic", "Standard", "Premium", closed=True)),
        size=write_only(text()),
        family=write_only(text()),
        capacity=write_only(integer()),
    ),
    "tags": tags(),
    "friendlyName": text(),
    "description": text(),
    "publicNetworkAccess": default("Enabled", text("Enabled", "Disabled")),
    # Azure answers true or nothing to false, by version.
    "allowPublicAccessWhenBehindVnet": write_only(boolean()),
    "hbiWorkspace": immutable(default(False, boolean())),
    "imageBuildCompute": text(),
    "primaryUserAssignedIdentity": arm_id("ManagedIdentity"),
    "systemDatastoresAuthMode": described(
        "How its own datastores are reached: Identity keeps storage keys out of it.",
        default("AccessKey", text("AccessKey", "Identity", "UserDelegationSAS")),
    ),
    "serverlessComputeSettings": obj(
        serverlessComputeCustomSubnet=arm_id(),
        serverlessComputeNoPublicIP=default(False, boolean()),
    ),
    "v1LegacyMode": default(False, boolean()),
    "enableDataIsolation": default(False, boolean()),
    "discoveryUrl": computed(text()),
}

DEPENDENCIES: Mapping[str, Field] = {
    "keyVault": immutable(arm_id("KeyVault")),
    "storageAccount": immutable(arm_id("StorageAccount")),
    "applicationInsights": arm_id("ApplicationInsights"),
    # The service sets it when the first image is built.
    "containerRegistry": computed(arm_id("ContainerRegistry")),
}

NETWORK: Mapping[str, Field] = {
    "managedNetwork": obj(
        isolationMode=default(
            "Disabled", text("Disabled", "AllowInternetOutbound", "AllowOnlyApprovedOutbound")
        ),
        # Required and Dependency rules appear beside ours and belong to the service.
        outboundRules=mapping(rule()),
        firewallSku=text("Standard", "Basic"),
        managedNetworkKind=text("V1", "V2"),
        firewallPublicIpAddress=computed(text()),
        status=computed(
            obj(status=computed(text("Inactive", "Active")), sparkReady=computed(boolean()))
        ),
    ),
    "provisionNetworkNow": immutable(boolean()),
    "sharedPrivateLinkResources": array(
        obj(
            name=text(),
            properties=obj(
                privateLinkResourceId=arm_id(),
                groupId=text(),
                requestMessage=text(),
                status=computed(text("Pending", "Approved", "Rejected", "Disconnected", "Timeout")),
            ),
        ),
        key=("name",),
    ),
}

ENCRYPTION: Mapping[str, Field] = {
    "encryption": immutable(
        obj(
            status=required(text("Enabled", "Disabled")),
            identity=obj(userAssignedIdentity=arm_id("ManagedIdentity")),
            keyVaultProperties=required(
                obj(
                    keyVaultArmId=required(arm_id("KeyVault")),
                    keyIdentifier=required(text()),
                    identityClientId=text(),
                )
            ),
        )
    ),
    "enableServiceSideCMKEncryption": immutable(default(False, boolean())),
    "serviceManagedResourcesSettings": obj(cosmosDb=obj(collectionsThroughput=integer())),
}
