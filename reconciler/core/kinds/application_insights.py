"""Application Insights components.

https://learn.microsoft.com/azure/templates/microsoft.insights/components; defaults: recorded
traffic of Azure/azure-service-operator.
"""

from reconciler.core.kinds.kind import Kind
from reconciler.core.kinds.shared import in_resource_group
from reconciler.core.schema import (
    Names,
    arm_id,
    boolean,
    computed,
    default,
    described,
    immutable,
    integer,
    location,
    number,
    tags,
    text,
)

APPLICATION_INSIGHTS = Kind(
    name="ApplicationInsights",
    title="Application Insights",
    doc="Where calls, latencies and failures of hubs and endpoints are recorded.",
    places=in_resource_group("Microsoft.Insights/components", "2020-02-02"),
    names=Names(
        pattern=r"^[^%&\\?/#]*[^%&\\?/#.\s]$",
        longest=260,
        hint="1 to 260 characters, none of % & \\ ? / #, not ending in a dot or blank",
    ),
    fields={
        "location": location(),
        "tags": tags(),
        "kind": described("A new one is web.", text()),
        "Application_Type": described("A new one is web.", immutable(text("web", "other"))),
        "WorkspaceResourceId": described("Where it stores.", arm_id("LogAnalytics")),
        "Flow_Type": text("Bluefield"),
        "Request_Source": text("rest"),
        "HockeyAppId": text(),
        "SamplingPercentage": number(lowest=0, highest=100),
        "RetentionInDays": default(90, integer()),
        "DisableIpMasking": default(False, boolean()),
        "ImmediatePurgeDataOn30Days": default(False, boolean()),
        "publicNetworkAccessForIngestion": default("Enabled", text("Enabled", "Disabled")),
        "publicNetworkAccessForQuery": default("Enabled", text("Enabled", "Disabled")),
        # The service attaches a workspace of its own, and this changes without being asked.
        "IngestionMode": computed(
            text("ApplicationInsights", "ApplicationInsightsWithDiagnosticSettings", "LogAnalytics")
        ),
        "DisableLocalAuth": default(False, boolean()),
        "ForceCustomerStorageForProfiler": default(False, boolean()),
    },
    envelope=frozenset({"location", "tags", "kind"}),
    outputs={
        "properties.AppId": "its application id",
        "properties.ConnectionString": "what clients send to",
    },
    holds_data=True,
    initial={"kind": "web", "Application_Type": "web"},
    typical_s=8,
)
