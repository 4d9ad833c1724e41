"""Storage accounts.

https://learn.microsoft.com/azure/templates/microsoft.storage/storageaccounts; what cannot change:
hashicorp/terraform-provider-azurerm, internal/services/storage; defaults: recorded traffic of
Azure/azure-service-operator and Azure/azure-cli.
"""

from reconciler.core.kinds.kind import Kind
from reconciler.core.kinds.shared import BOTH, guid, identity, in_resource_group
from reconciler.core.schema import (
    Field,
    Names,
    arm_id,
    array,
    boolean,
    default,
    described,
    immutable,
    integer,
    location,
    obj,
    required,
    tags,
    text,
)

SKUS = (
    "Standard_LRS Standard_GRS Standard_RAGRS Standard_ZRS Standard_GZRS Standard_RAGZRS "
    "Premium_LRS Premium_ZRS StandardV2_LRS StandardV2_GRS StandardV2_ZRS StandardV2_GZRS "
    "PremiumV2_LRS PremiumV2_ZRS"
)
SERVICES = ("blob", "file", "table", "queue")


def _each(one: Field) -> Field:
    return obj(**dict.fromkeys(SERVICES, one))


def _rules(key: str, one: Field) -> Field:
    rule = {key: required(one), "action": default("Allow", text("Allow", closed=True))}
    return array(obj(**rule), key=(key,))


NETWORK_ACLS = obj(
    defaultAction=required(default("Allow", text("Allow", "Deny", closed=True))),
    # Words joined by commas are allowed here.
    bypass=default("AzureServices", text("None", "Logging", "Metrics", "AzureServices")),
    ipRules=_rules("value", text()),
    ipv6Rules=_rules("value", text(same="caseless")),
    virtualNetworkRules=_rules("id", arm_id()),
    resourceAccessRules=array(
        obj(tenantId=guid(), resourceId=arm_id()), key=("resourceId", "tenantId")
    ),
)

ENCRYPTION = obj(
    keySource=default("Microsoft.Storage", text("Microsoft.Storage", "Microsoft.Keyvault")),
    requireInfrastructureEncryption=immutable(default(False, boolean())),
    services=_each(
        obj(enabled=default(True, boolean()), keyType=immutable(text("Service", "Account")))
    ),
    keyvaultproperties=obj(keyname=text(), keyversion=text(), keyvaulturi=text()),
    identity=obj(userAssignedIdentity=arm_id("ManagedIdentity"), federatedIdentityClientId=guid()),
)

FILE_SHARES = obj(
    directoryServiceOptions=required(text("None", "AADDS", "AD", "AADKERB")),
    activeDirectoryProperties=obj(
        domainName=text(),
        netBiosDomainName=text(),
        forestName=text(),
        domainGuid=guid(),
        domainSid=text(),
        azureStorageSid=text(),
        samAccountName=text(),
        accountType=text("User", "Computer"),
    ),
    defaultSharePermission=text(
        "None",
        "StorageFileDataSmbShareReader",
        "StorageFileDataSmbShareContributor",
        "StorageFileDataSmbShareElevatedContributor",
    ),
    smbOAuthSettings=obj(isSmbOAuthEnabled=boolean()),
)

RARE = {
    "extendedLocation": immutable(obj(name=text(), type=text("EdgeZone"))),
    "zones": array(text(), key=("",)),
    "placement": obj(zonePlacementPolicy=text("Any", "None")),
    "allowedCopyScope": text("PrivateLink", "AAD", "All"),
    "sasPolicy": obj(
        sasExpirationPeriod=required(text()), expirationAction=required(text("Log", "Block"))
    ),
    "keyPolicy": obj(keyExpirationPeriodInDays=required(integer())),
    "customDomain": obj(name=required(text(same="caseless")), useSubDomainName=boolean()),
    "azureFilesIdentityBasedAuthentication": FILE_SHARES,
    "isSftpEnabled": boolean(),
    "isLocalUserEnabled": boolean(),
    "enableExtendedGroups": boolean(),
    "largeFileSharesState": text("Disabled", "Enabled"),
    "routingPreference": obj(
        routingChoice=text("MicrosoftRouting", "InternetRouting"),
        publishMicrosoftEndpoints=boolean(),
        publishInternetEndpoints=boolean(),
    ),
    "dualStackEndpointPreference": obj(publishIpv6Endpoint=boolean()),
    "isNfsV3Enabled": immutable(default(False, boolean())),
    "immutableStorageWithVersioning": immutable(
        obj(
            enabled=boolean(),
            immutabilityPolicy=obj(
                immutabilityPeriodSinceCreationInDays=integer(lowest=1, highest=146000),
                state=text("Unlocked", "Locked", "Disabled"),
                allowProtectedAppendWrites=boolean(),
            ),
        )
    ),
    "dnsEndpointType": immutable(default("Standard", text("Standard", "AzureDnsZone"))),
    "geoPriorityReplicationStatus": obj(isBlobEnabled=boolean()),
    "allowSharedKeyAccessForServices": _each(obj(enabled=boolean())),
    "dataCollaborationPolicyProperties": obj(
        allowStorageConnectors=boolean(),
        allowStorageDataShares=boolean(),
        allowCrossTenantDataSharing=boolean(),
    ),
}

STORAGE_ACCOUNT = Kind(
    name="StorageAccount",
    title="Storage account",
    doc="Blobs, files, queues and tables; hubs and workspaces keep their artifacts in one.",
    places=in_resource_group("Microsoft.Storage/storageAccounts", "2025-08-01"),
    names=Names(
        pattern=r"^[a-z0-9]+$", shortest=3, longest=24, hint="3 to 24 lower-case letters or digits"
    ),
    fields={
        "location": location(),
        "kind": required(
            text("StorageV2", "Storage", "BlobStorage", "FileStorage", "BlockBlobStorage")
        ),
        "sku": required(
            obj(
                name=described(
                    "Redundancy changes in place; Standard and Premium cannot be exchanged.",
                    required(text(*SKUS.split())),
                )
            )
        ),
        "identity": identity(BOTH),
        "tags": tags(),
        "minimumTlsVersion": default("TLS1_2", text("TLS1_0", "TLS1_1", "TLS1_2", "TLS1_3")),
        "supportsHttpsTrafficOnly": default(True, boolean()),
        "allowBlobPublicAccess": default(False, boolean()),
        "allowSharedKeyAccess": described(
            "False: Entra ID only, no account keys.", default(True, boolean())
        ),
        "defaultToOAuthAuthentication": default(False, boolean()),
        "allowCrossTenantReplication": default(False, boolean()),
        "publicNetworkAccess": text("Enabled", "Disabled", "SecuredByPerimeter"),
        "networkAcls": NETWORK_ACLS,
        "accessTier": default("Hot", text("Hot", "Cool", "Cold", "Premium", "Smart", closed=True)),
        "encryption": ENCRYPTION,
        "isHnsEnabled": immutable(default(False, boolean())),
        **RARE,
    },
    envelope=frozenset(
        {"location", "kind", "sku", "identity", "tags", "extendedLocation", "zones", "placement"}
    ),
    outputs={
        "identity.principalId": "object id of its system-assigned identity",
        "properties.primaryEndpoints.blob": "base URL of its blobs",
        "properties.primaryEndpoints.dfs": "base URL of its data lake",
    },
    holds_data=True,
    typical_s=25,
)
