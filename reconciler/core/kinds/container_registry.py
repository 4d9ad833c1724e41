"""Container registries.

https://learn.microsoft.com/azure/templates/microsoft.containerregistry/registries. Defaults are not
listed: none was seen in recorded traffic, and a field that a spec does not name is not compared.
"""

from reconciler.core.kinds.kind import Kind
from reconciler.core.kinds.shared import BOTH, identity, in_resource_group
from reconciler.core.schema import (
    Field,
    Names,
    array,
    boolean,
    default,
    immutable,
    integer,
    location,
    obj,
    required,
    tags,
    text,
)


def _status() -> Field:
    return text("enabled", "disabled")


CONTAINER_REGISTRY = Kind(
    name="ContainerRegistry",
    title="Container registry",
    doc="Images of your own, for environments and endpoints.",
    places=in_resource_group("Microsoft.ContainerRegistry/registries", "2025-11-01"),
    names=Names(
        pattern=r"^[a-zA-Z0-9]+$", shortest=5, longest=50, hint="5 to 50 letters or digits"
    ),
    fields={
        "location": location(),
        "sku": required(obj(name=required(text("Basic", "Standard", "Premium", "Classic")))),
        "identity": identity(BOTH),
        "tags": tags(),
        "adminUserEnabled": default(False, boolean()),
        "anonymousPullEnabled": default(False, boolean()),
        "dataEndpointEnabled": default(False, boolean()),
        "publicNetworkAccess": text("Enabled", "Disabled"),
        "networkRuleBypassOptions": text("AzureServices", "None"),
        "networkRuleBypassAllowedForTasks": boolean(),
        "networkRuleSet": obj(
            defaultAction=required(text("Allow", "Deny")),
            ipRules=array(
                obj(value=required(text()), action=default("Allow", text("Allow"))),
                key=("value",),
            ),
        ),
        "policies": obj(
            quarantinePolicy=obj(status=_status()),
            trustPolicy=obj(type=text("Notary"), status=_status()),
            retentionPolicy=obj(days=integer(), status=_status()),
            exportPolicy=obj(status=_status()),
            azureADAuthenticationAsArmPolicy=obj(status=_status()),
        ),
        "encryption": immutable(
            obj(status=_status(), keyVaultProperties=obj(keyIdentifier=text(), identity=text()))
        ),
        "zoneRedundancy": immutable(text("Enabled", "Disabled")),
        "roleAssignmentMode": text("AbacRepositoryPermissions", "LegacyRegistryPermissions"),
    },
    outputs={
        "identity.principalId": "object id of its system-assigned identity",
        "properties.loginServer": "host name of its images",
    },
    holds_data=True,
    typical_s=15,
)
