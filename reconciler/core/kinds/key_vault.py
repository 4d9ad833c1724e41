"""Key Vaults.

https://learn.microsoft.com/azure/templates/microsoft.keyvault/vaults; what cannot be undone:
hashicorp/terraform-provider-azurerm, internal/services/keyvault; defaults and rewrites: recorded
traffic of Azure/azure-service-operator and Azure/azure-cli.
"""

from reconciler.core.kinds.kind import Kind, SoftDelete
from reconciler.core.kinds.shared import guid, in_resource_group, network_acls
from reconciler.core.model import Properties
from reconciler.core.schema import (
    Field,
    Names,
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

KEYS = (
    "all encrypt decrypt wrapKey unwrapKey sign verify get list create update import delete backup "
    "restore recover purge release rotate getrotationpolicy setrotationpolicy"
)
SECRETS = "all get list set delete backup restore recover purge"
CERTIFICATES = (
    "all get list delete create import update managecontacts getissuers listissuers setissuers "
    "deleteissuers manageissuers recover purge backup restore"
)
STORAGE = (
    "all get list delete set update regeneratekey recover purge backup restore setsas listsas "
    "getsas deletesas"
)


def _permissions(words: str) -> Field:
    return array(text(*words.split()), key=("",))


POLICY = obj(
    tenantId=required(guid()),
    objectId=required(text(same="caseless")),
    applicationId=guid(),
    permissions=required(
        obj(
            keys=_permissions(KEYS),
            secrets=_permissions(SECRETS),
            certificates=_permissions(CERTIFICATES),
            storage=_permissions(STORAGE),
        )
    ),
)


def prepare(properties: Properties, subscription: str) -> Properties:
    """The spec as it is. Raises ValueError for what a vault can no longer be."""
    if properties.get("enableSoftDelete") is False:
        raise ValueError("enableSoftDelete: every vault has soft delete now; leave it out")
    if properties.get("enablePurgeProtection") is False:
        raise ValueError(
            "enablePurgeProtection: false is refused by the service; say true or leave it out"
        )
    return properties


KEY_VAULT = Kind(
    name="KeyVault",
    title="Key Vault",
    doc="Secrets and keys; a deleted vault keeps its world-wide name until it is purged.",
    places=in_resource_group("Microsoft.KeyVault/vaults", "2025-05-01"),
    names=Names(
        pattern=r"^[a-zA-Z]([a-zA-Z0-9]|-(?!-))*[a-zA-Z0-9]$",
        shortest=3,
        longest=24,
        hint="3 to 24 letters, digits or single '-', starting with a letter",
    ),
    fields={
        "location": location(),
        "tags": tags(),
        "tenantId": described("The Entra tenant that it trusts.", required(immutable(guid()))),
        "sku": described(
            "A new one is standard.",
            obj(family=text("A"), name=required(text("standard", "premium", closed=True))),
        ),
        "enableRbacAuthorization": described(
            "True: access by role assignments; false: by accessPolicies.", boolean()
        ),
        # A workspace adds a policy of its own to its vault: those of others are left alone.
        "accessPolicies": array(POLICY, key=("objectId", "applicationId"), shared=True),
        "enableSoftDelete": default(True, boolean()),
        "softDeleteRetentionInDays": immutable(default(90, integer(lowest=7, highest=90))),
        "enablePurgeProtection": described("Cannot be undone.", immutable(boolean())),
        "enabledForDeployment": default(False, boolean()),
        "enabledForDiskEncryption": default(False, boolean()),
        "enabledForTemplateDeployment": default(False, boolean()),
        "publicNetworkAccess": default("Enabled", text("Enabled", "Disabled")),
        "networkAcls": network_acls(),
    },
    envelope=frozenset({"location", "tags"}),
    outputs={"properties.vaultUri": "base URL of its data plane"},
    holds_data=True,
    soft_delete=SoftDelete(
        restore={"createMode": "recover"},
        whole=True,
        list_url="/providers/Microsoft.KeyVault/deletedVaults",
        purge_url="/subscriptions/{subscription}/providers/Microsoft.KeyVault"
        "/locations/{location}/deletedVaults/{name}/purge",
        purge_verb="POST",
    ),
    prepare=prepare,
    initial={"sku": {"family": "A", "name": "standard"}},
    typical_s=25,
)
