"""Log Analytics workspaces.

https://learn.microsoft.com/azure/templates/microsoft.operationalinsights/workspaces.
"""

from reconciler.core.kinds.kind import Kind
from reconciler.core.kinds.shared import identity, in_resource_group
from reconciler.core.schema import (
    ANY,
    Names,
    arm_id,
    boolean,
    computed,
    integer,
    location,
    number,
    obj,
    required,
    tags,
    text,
)

LOG_ANALYTICS = Kind(
    name="LogAnalytics",
    title="Log Analytics workspace",
    doc="Where Application Insights and diagnostic settings store what they record.",
    places=in_resource_group("Microsoft.OperationalInsights/workspaces", "2023-09-01"),
    names=Names(
        pattern=r"^[A-Za-z0-9][A-Za-z0-9-]+[A-Za-z0-9]$",
        shortest=4,
        longest=63,
        hint="4 to 63 letters, digits or '-', with a letter or digit at both ends",
    ),
    fields={
        "location": location(),
        "identity": identity(),
        "tags": tags(),
        "sku": obj(
            name=required(
                text(
                    "PerGB2018",
                    "Free",
                    "Standard",
                    "Premium",
                    "PerNode",
                    "Standalone",
                    "CapacityReservation",
                    "LACluster",
                )
            ),
            capacityReservationLevel=integer(),
        ),
        "retentionInDays": integer(),
        "workspaceCapping": obj(dailyQuotaGb=number()),
        "publicNetworkAccessForIngestion": text("Enabled", "Disabled"),
        "publicNetworkAccessForQuery": text("Enabled", "Disabled"),
        "forceCmkForQuery": boolean(),
        "features": obj(
            ANY,
            enableDataExport=boolean(),
            immediatePurgeDataOn30Days=boolean(),
            enableLogAccessUsingOnlyResourcePermissions=computed(boolean()),
            clusterResourceId=arm_id(),
            disableLocalAuth=boolean(),
        ),
        "defaultDataCollectionRuleResourceId": arm_id(),
    },
    envelope=frozenset({"location", "identity", "tags"}),
    outputs={"properties.customerId": "its workspace id"},
    holds_data=True,
    typical_s=20,
)
