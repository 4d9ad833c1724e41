"""Resource groups: https://learn.microsoft.com/azure/templates/microsoft.resources/resourcegroups."""

from reconciler.core.kinds.kind import Kind, Place
from reconciler.core.schema import Names, arm_id, immutable, location, tags

RESOURCE_GROUP = Kind(
    name="ResourceGroup",
    title="Resource group",
    doc="A group of resources; deleting one deletes everything inside, so it is never implied.",
    places=(
        Place(
            field="",
            parent="",
            arm_type="Microsoft.Resources/resourceGroups",
            api_version="2025-04-01",
        ),
    ),
    names=Names(
        pattern=r"^[-\w._()]*[-\w_()]$",
        longest=90,
        hint="1 to 90 letters, digits, '-', '_', '.', '(' or ')', not ending in '.'",
    ),
    fields={
        "location": location(),
        "managedBy": immutable(arm_id()),
        "tags": tags(),
    },
    envelope=frozenset({"location", "managedBy", "tags"}),
    holds_data=True,
    # The subscription's list would name every group of every team.
    listed=False,
    report_unmanaged=False,
    typical_s=1,
)
