"""User-assigned managed identities.

https://learn.microsoft.com/azure/templates/microsoft.managedidentity/userassignedidentities.
"""

from reconciler.core.kinds.kind import Kind
from reconciler.core.kinds.shared import in_resource_group
from reconciler.core.schema import Names, default, immutable, location, tags, text

MANAGED_IDENTITY = Kind(
    name="ManagedIdentity",
    title="Managed identity",
    doc="An identity for workloads, so that nobody has to keep a key.",
    places=in_resource_group("Microsoft.ManagedIdentity/userAssignedIdentities", "2024-11-30"),
    names=Names(
        pattern=r"^[a-zA-Z0-9][a-zA-Z0-9_-]*$",
        shortest=3,
        longest=128,
        hint="3 to 128 letters, digits, '_' or '-', starting with a letter or digit",
    ),
    fields={
        "location": location(),
        "isolationScope": immutable(default("None", text("None", "Regional"))),
        "tags": tags(),
    },
    outputs={
        "properties.principalId": "object id, for role assignments",
        "properties.clientId": "client id, for programs that use it",
        "properties.tenantId": "its Entra tenant",
    },
    typical_s=3,
)
