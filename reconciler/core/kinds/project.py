"""Hub-based AI projects.

A project inherits vault, storage, registry, insights, network and encryption from its hub; a
request that names them is refused, so they are not fields here:
hashicorp/terraform-provider-azurerm, internal/services/machinelearning.
"""

from reconciler.core.kinds.kind import Kind
from reconciler.core.kinds.shared import MACHINE_LEARNING, in_resource_group
from reconciler.core.kinds.workspace_fields import COMMON, NAMES, OUTPUTS, WORKSPACE_TYPE
from reconciler.core.schema import arm_id, described, immutable, required

PROJECT = Kind(
    name="Project",
    title="AI project (hub-based)",
    doc="A team's workplace in a hub: endpoints, connections and data of its own.",
    places=in_resource_group(WORKSPACE_TYPE, MACHINE_LEARNING),
    names=NAMES,
    fields={
        **COMMON,
        "hubResourceId": described("Its hub.", required(immutable(arm_id("Hub")))),
    },
    fixed={"kind": "Project"},
    outputs=OUTPUTS,
    holds_data=True,
    lock=WORKSPACE_TYPE,
    typical_s=30,
)
