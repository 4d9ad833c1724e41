"""Compute clusters of a workspace (AmlCompute); other types go through AzureResource.

https://learn.microsoft.com/azure/templates/microsoft.machinelearningservices/workspaces/computes;
only scale settings and identity change in place: hashicorp/terraform-provider-azurerm,
internal/services/machinelearning; that the SKU is dropped: recorded traffic of
Azure/azure-sdk-for-python.
"""

from reconciler.core.kinds.kind import Kind
from reconciler.core.kinds.shared import BOTH, identity, in_workspace
from reconciler.core.schema import (
    Names,
    anything,
    arm_id,
    boolean,
    default,
    described,
    duration,
    immutable,
    integer,
    location,
    obj,
    required,
    secret,
    tags,
    text,
    write_only,
)

CLUSTER = obj(
    vmSize=described("A VM size, STANDARD_DS3_V2.", required(immutable(text(same="caseless")))),
    vmPriority=immutable(default("Dedicated", text("Dedicated", "LowPriority"))),
    scaleSettings=obj(
        minNodeCount=default(0, integer(lowest=0)),
        maxNodeCount=required(integer(lowest=0)),
        nodeIdleTimeBeforeScaleDown=duration(),
    ),
    osType=immutable(default("Linux", text("Linux", "Windows"))),
    subnet=immutable(obj(id=required(arm_id()))),
    isolatedNetwork=immutable(boolean()),
    enableNodePublicIp=immutable(default(True, boolean())),
    remoteLoginPortPublicAccess=immutable(text("Enabled", "Disabled", "NotSpecified")),
    virtualMachineImage=immutable(obj(id=required(text()))),
    # None of it is returned.
    userAccountCredentials=immutable(
        obj(
            adminUserName=required(write_only(text())),
            adminUserSshPublicKey=secret(),
            adminUserPassword=secret(),
        )
    ),
    propertyBag=anything(),
)

ML_COMPUTE = Kind(
    name="MLCompute",
    title="Compute cluster",
    doc="Machines that a workspace starts for jobs and batch endpoints, and stops when idle.",
    places=in_workspace("computes", "Workspace", "Project"),
    names=Names(
        pattern=r"^[a-zA-Z](?!.*-\d+$)[a-zA-Z0-9-]*$",
        shortest=3,
        longest=24,
        hint="3 to 24 letters, digits or '-', starting with a letter, not ending in '-' and digits",
    ),
    fields={
        "location": location(),
        "identity": identity(BOTH),
        "tags": tags(),
        "computeType": required(immutable(text("AmlCompute"))),
        "computeLocation": described("Where the nodes are.", immutable(text(same="location"))),
        "description": text(),
        "disableLocalAuth": immutable(default(False, boolean())),
        "resourceId": immutable(arm_id()),
    },
    by="computeType",
    cases={
        "AmlCompute": {
            "properties": described("Size, number of nodes, network.", required(CLUSTER))
        }
    },
    delete_query={"underlyingResourceAction": "Delete"},
    typical_s=20,
)
