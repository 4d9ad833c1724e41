"""AI hubs: workspaces that lend storage, keys, network and connections to projects."""

from reconciler.core.kinds.kind import Kind
from reconciler.core.kinds.shared import MACHINE_LEARNING, in_resource_group
from reconciler.core.kinds.workspace_fields import (
    COMMON,
    DEPENDENCIES,
    ENCRYPTION,
    NAMES,
    NETWORK,
    OUTPUTS,
    WORKSPACE_TYPE,
)
from reconciler.core.schema import arm_id, array, computed, obj

HUB = Kind(
    name="Hub",
    title="AI hub",
    doc="What several AI projects share: storage, Key Vault, network and connections.",
    places=in_resource_group(WORKSPACE_TYPE, MACHINE_LEARNING),
    names=NAMES,
    fields={
        **COMMON,
        **DEPENDENCIES,
        **NETWORK,
        **ENCRYPTION,
        "workspaceHubConfig": obj(
            additionalWorkspaceStorageAccounts=array(arm_id("StorageAccount"), key=("",)),
            defaultWorkspaceResourceGroup=arm_id("ResourceGroup"),
        ),
        "associatedWorkspaces": computed(array(arm_id("Project"), key=("",))),
    },
    fixed={"kind": "Hub"},
    outputs=OUTPUTS,
    holds_data=True,
    lock=WORKSPACE_TYPE,
    typical_s=45,
)
