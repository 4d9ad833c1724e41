"""Where the kinds differ from Microsoft's types on purpose, and why.

By kind, by path in the ARM body; what stands below an excused path is excused with it.
"""

LIFECYCLE = "written by lifecycle.softDeleted, never by a field"
WRITTEN_BY_SERVICE = "the service writes it, though the type does not say so"
INHERITED = "inherited from the hub; a request that names it is refused"
OTHER_KIND = "belongs to another kind of workspace"
NOT_A_KIND = "feature stores are no kind here; AzureResource can say it"
KEYS = "the field of this name keeps a key in a Key Vault; Azure takes this one at creation only"
REFERENCE = "only the id of an existing resource is a reference; the rest describes that resource"
OTHER_COMPUTE = "other types of compute go through AzureResource"
SHORT = "easy to write; becomes the id that Azure wants before it is sent"

EXEMPT: dict[str, dict[str, str]] = {
    "Account": {
        "properties.networkAcls.virtualNetworkRules[].state": WRITTEN_BY_SERVICE,
        "properties.restore": LIFECYCLE,
    },
    "ModelDeployment": {
        "properties.currentCapacity": WRITTEN_BY_SERVICE,
        "properties.scaleSettings": "an error since 2023-05-01: sku says it",
    },
    "Workspace": {
        "properties.associatedWorkspaces": OTHER_KIND,
        "properties.featureStoreSettings": NOT_A_KIND,
        "properties.hubResourceId": OTHER_KIND,
        "properties.workspaceHubConfig": OTHER_KIND,
    },
    "Hub": {
        "properties.featureStoreSettings": NOT_A_KIND,
        "properties.hubResourceId": OTHER_KIND,
    },
    "Project": {
        "properties.applicationInsights": INHERITED,
        "properties.associatedWorkspaces": OTHER_KIND,
        "properties.containerRegistry": INHERITED,
        "properties.enableServiceSideCMKEncryption": INHERITED,
        "properties.encryption": INHERITED,
        "properties.featureStoreSettings": NOT_A_KIND,
        "properties.keyVault": INHERITED,
        "properties.managedNetwork": INHERITED,
        "properties.provisionNetworkNow": INHERITED,
        "properties.serviceManagedResourcesSettings": INHERITED,
        "properties.sharedPrivateLinkResources": INHERITED,
        "properties.storageAccount": INHERITED,
        "properties.workspaceHubConfig": OTHER_KIND,
    },
    "OnlineEndpoint": {"properties.keys": KEYS},
    "BatchEndpoint": {"properties.keys": KEYS},
    "MLDatastore": {
        f"properties.credentials<{case}>.secrets.secretsType": "each case has its own secrets"
        for case in ("AccountKey", "Certificate", "Sas", "ServicePrincipal")
    },
    "MLCompute": {
        **{
            f"properties<{case}>": OTHER_COMPUTE
            for case in (
                "AKS",
                "ComputeInstance",
                "DataFactory",
                "DataLakeAnalytics",
                "Databricks",
                "HDInsight",
                "Kubernetes",
                "SynapseSpark",
                "VirtualMachine",
            )
        },
        "sku": "the service drops it",
    },
    "ApplicationInsights": {"etag": WRITTEN_BY_SERVICE},
    "LogAnalytics": {"etag": WRITTEN_BY_SERVICE},
    "KeyVault": {
        "properties.createMode": LIFECYCLE,
        "properties.provisioningState": WRITTEN_BY_SERVICE,
        "properties.vaultUri": WRITTEN_BY_SERVICE,
    },
    "RoleAssignment": {
        "properties.role": SHORT,
        "properties.roleDefinitionId": "required once role has become it",
        "properties.principal": SHORT,
        "properties.principalId": "required once principal has become it",
    },
    "PrivateEndpoint": {
        "properties.subnet": REFERENCE,
        "properties.privateLinkServiceConnections[].id": REFERENCE,
        "properties.manualPrivateLinkServiceConnections[].id": REFERENCE,
        "properties.applicationSecurityGroups[]": REFERENCE,
    },
}
