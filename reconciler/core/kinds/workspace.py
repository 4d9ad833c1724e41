"""Machine Learning workspaces.

Soft delete: https://learn.microsoft.com/azure/machine-learning/concept-soft-delete.
"""

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

WORKSPACE = Kind(
    name="Workspace",
    title="Machine Learning workspace",
    doc="A workspace of its own, without a hub; a deleted one keeps its name for 14 days.",
    places=in_resource_group(WORKSPACE_TYPE, MACHINE_LEARNING),
    names=NAMES,
    fields={**COMMON, **DEPENDENCIES, **NETWORK, **ENCRYPTION},
    fixed={"kind": "Default"},
    outputs=OUTPUTS,
    holds_data=True,
    lock=WORKSPACE_TYPE,
    typical_s=40,
)
