"""Private endpoints: a resource inside a virtual network.

https://learn.microsoft.com/azure/templates/microsoft.network/privateendpoints; everything but tags
is fixed once created: hashicorp/terraform-provider-azurerm, internal/services/network.
"""

from reconciler.core.kinds.kind import Kind
from reconciler.core.kinds.shared import in_resource_group
from reconciler.core.schema import (
    Field,
    Names,
    arm_id,
    array,
    computed,
    described,
    immutable,
    location,
    obj,
    required,
    tags,
    text,
)

TARGETS = (
    "Account",
    "Hub",
    "Workspace",
    "KeyVault",
    "StorageAccount",
    "ContainerRegistry",
)


def _connections() -> Field:
    return array(
        obj(
            name=required(text()),
            properties=required(
                obj(
                    privateLinkServiceId=required(immutable(arm_id(*TARGETS))),
                    groupIds=described(
                        "account, amlworkspace, vault, blob, …",
                        immutable(array(text(same="caseless"), key=("",))),
                    ),
                    requestMessage=text(),
                    privateLinkServiceConnectionState=computed(
                        obj(status=text(), description=text(), actionsRequired=text())
                    ),
                )
            ),
        ),
        key=("name",),
    )


PRIVATE_ENDPOINT = Kind(
    name="PrivateEndpoint",
    title="Private endpoint",
    doc="An address for an account, hub, vault or storage account inside your network.",
    places=in_resource_group("Microsoft.Network/privateEndpoints", "2025-01-01"),
    names=Names(
        pattern=r"^[a-zA-Z0-9][a-zA-Z0-9_.-]*$",
        longest=80,
        hint="1 to 80 letters, digits, '_', '.' or '-', starting with a letter or digit",
    ),
    fields={
        "location": location(),
        "tags": tags(),
        "extendedLocation": immutable(obj(name=text(), type=text("EdgeZone"))),
        "subnet": required(immutable(obj(id=required(arm_id())))),
        "privateLinkServiceConnections": _connections(),
        "manualPrivateLinkServiceConnections": _connections(),
        "customNetworkInterfaceName": immutable(text()),
        "customDnsConfigs": computed(
            array(obj(fqdn=text(same="caseless"), ipAddresses=array(text(), key=("",))))
        ),
        "applicationSecurityGroups": array(obj(id=required(arm_id())), key=("id",)),
        "ipConfigurations": immutable(
            array(
                obj(
                    name=required(text()),
                    properties=obj(groupId=text(), memberName=text(), privateIPAddress=text()),
                ),
                key=("name",),
            )
        ),
    },
    envelope=frozenset({"location", "tags", "extendedLocation"}),
    # The operations on one network are serial at Azure; which network is only in the body.
    typical_s=40,
)
