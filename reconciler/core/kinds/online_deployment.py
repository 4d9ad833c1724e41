"""Deployments of an online endpoint.

What can be set at creation only: Azure/azure-rest-api-specs, MachineLearningServices 2024-04-01,
mfe.json; defaults: recorded traffic of Azure/azure-powershell; roll out under another name rather
than change a model in place: https://learn.microsoft.com/azure/machine-learning/how-to-safely-rollout-online-endpoints.
"""

from reconciler.core.kinds.autoscale import AUTOSCALE_PART
from reconciler.core.kinds.endpoint_fields import ENVELOPE, deployment_fields, probe
from reconciler.core.kinds.kind import Kind, Place
from reconciler.core.kinds.shared import ENDPOINT_LOCK, MACHINE_LEARNING
from reconciler.core.schema import (
    Field,
    Names,
    arm_id,
    array,
    boolean,
    default,
    described,
    duration,
    immutable,
    integer,
    mapping,
    number,
    obj,
    required,
    text,
    variant,
)


def _resources() -> Field:
    return obj(cpu=text(), memory=text(), gpu=text())


SCALE = variant(
    "scaleType",
    {
        "Default": {},
        "TargetUtilization": {
            "minInstances": integer(lowest=0),
            "maxInstances": integer(lowest=0),
            "pollingInterval": duration(),
            "targetUtilizationPercentage": integer(lowest=0, highest=100),
        },
    },
    scaleType=described(
        "Default for managed deployments; those scale with an Autoscale.",
        required(default("Default", text("Default", "TargetUtilization"))),
    ),
)

CASES = {
    "Managed": {},
    "Kubernetes": {
        "containerResourceRequirements": obj(
            containerResourceRequests=_resources(), containerResourceLimits=_resources()
        )
    },
}

COLLECTOR = obj(
    collections=required(
        mapping(
            obj(
                dataCollectionMode=text("Enabled", "Disabled"),
                samplingRate=number(),
                clientId=text(),
                dataId=arm_id(),
            ),
            shared=False,
        )
    ),
    requestLogging=obj(captureHeaders=array(text(same="caseless"), key=("",))),
    rollingRate=text("Year", "Month", "Day", "Hour", "Minute"),
)

ONLINE_DEPLOYMENT = Kind(
    name="OnlineDeployment",
    title="Online deployment",
    doc="A model, an image and machines behind an online endpoint.",
    places=(
        Place(
            field="endpoint",
            parent="OnlineEndpoint",
            arm_type="Microsoft.MachineLearningServices/workspaces/onlineEndpoints/deployments",
            api_version=MACHINE_LEARNING,
        ),
    ),
    names=Names(
        pattern=r"^[a-zA-Z]([-a-zA-Z0-9]*[a-zA-Z0-9])?$",
        shortest=3,
        longest=32,
        hint="3 to 32 letters, digits or '-', starting with a letter and not ending in '-'",
    ),
    fields={
        **ENVELOPE,
        "sku": described(
            "capacity is the number of instances; the name is always Default.",
            obj(
                name=text("Default"),
                capacity=default(1, integer(lowest=0)),
                tier=text("Free", "Basic", "Standard", "Premium", closed=True),
                size=text(),
                family=text(),
            ),
        ),
        **deployment_fields(),
        "endpointComputeType": described(
            "A new one is Managed.", immutable(text(*CASES, closed=True))
        ),
        "model": described(
            "A model version: its name here, its ARM id, or azureml://registries/….",
            immutable(arm_id("MLModel")),
        ),
        "modelMountPath": immutable(text()),
        "instanceType": described("A VM size, Standard_DS3_v2.", immutable(text(same="caseless"))),
        "requestSettings": obj(
            requestTimeout=default("PT5S", duration()),
            maxConcurrentRequestsPerInstance=default(1, integer(lowest=1)),
            maxQueueWait=default("PT0S", duration()),
        ),
        "livenessProbe": probe(),
        "readinessProbe": probe(),
        "startupProbe": probe(),
        "scaleSettings": SCALE,
        "egressPublicNetworkAccess": immutable(default("Enabled", text("Enabled", "Disabled"))),
        "appInsightsEnabled": default(False, boolean()),
        "dataCollector": COLLECTOR,
    },
    by="endpointComputeType",
    cases=CASES,
    lock=ENDPOINT_LOCK,
    side_by_side=True,
    initial={"sku": {"name": "Default"}, "endpointComputeType": "Managed"},
    parts=(AUTOSCALE_PART,),
    typical_s=420,
)
