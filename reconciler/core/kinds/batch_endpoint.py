"""Batch endpoints and their deployments.

https://learn.microsoft.com/azure/templates/microsoft.machinelearningservices/workspaces/batchendpoints;
order of defaults: Azure/azureml-examples, cli/deploy-rest.sh; defaults of a deployment: recorded
traffic of Azure/azure-sdk-for-python.
"""

from reconciler.core.kinds.endpoint_fields import (
    ENDPOINT_NAMES,
    ENVELOPE,
    deployment_fields,
    endpoint_fields,
)
from reconciler.core.kinds.kind import Kind, Place
from reconciler.core.kinds.shared import MACHINE_LEARNING, in_workspace
from reconciler.core.schema import (
    anything,
    arm_id,
    default,
    described,
    duration,
    immutable,
    integer,
    mapping,
    obj,
    required,
    tags,
    text,
    variant,
)

BATCH_LOCK = "Microsoft.MachineLearningServices/workspaces/batchEndpoints"

BATCH_ENDPOINT = Kind(
    name="BatchEndpoint",
    title="Batch endpoint",
    doc="A stable address that starts jobs over files.",
    places=in_workspace("batchEndpoints", "Workspace", "Project"),
    names=ENDPOINT_NAMES,
    fields={
        **endpoint_fields(),
        "defaults": described(
            "The deployment that runs when a caller names none; sent once it exists.",
            obj(deploymentName=text(same="caseless")),
        ),
    },
    outputs={"properties.scoringUri": "where jobs are started"},
    endpoint="properties.scoringUri",
    lock=BATCH_LOCK,
    deferred=frozenset({"defaults"}),
    typical_s=20,
)

MODEL = variant(
    "referenceType",
    {
        "Id": {"assetId": required(arm_id("MLModel"))},
        "DataPath": {"datastoreId": arm_id("MLDatastore"), "path": text()},
        "OutputPath": {"jobId": arm_id(), "path": text()},
    },
    referenceType=required(text("Id", "DataPath", "OutputPath")),
)

PIPELINE = variant(
    "deploymentConfigurationType",
    {
        "PipelineComponent": {
            "componentId": obj(
                referenceType=required(text("Id", "DataPath", "OutputPath")),
                assetId=required(arm_id()),
            ),
            "description": text(),
            "settings": mapping(text()),
            "tags": tags(),
        }
    },
    deploymentConfigurationType=required(text("PipelineComponent")),
)

BATCH_DEPLOYMENT = Kind(
    name="BatchDeployment",
    title="Batch deployment",
    doc="A model, a cluster and settings behind a batch endpoint.",
    places=(
        Place(
            field="endpoint",
            parent="BatchEndpoint",
            arm_type="Microsoft.MachineLearningServices/workspaces/batchEndpoints/deployments",
            api_version=MACHINE_LEARNING,
        ),
    ),
    names=ENDPOINT_NAMES,
    fields={
        **ENVELOPE,
        **deployment_fields(),
        "compute": arm_id("MLCompute"),
        "model": MODEL,
        "deploymentConfiguration": immutable(PIPELINE),
        "resources": immutable(
            obj(
                instanceCount=default(1, integer(lowest=1)),
                instanceType=text(same="caseless"),
                properties=mapping(anything()),
            )
        ),
        "errorThreshold": default(-1, integer(lowest=-1)),
        "loggingLevel": default("Info", text("Info", "Warning", "Debug")),
        "maxConcurrencyPerInstance": default(1, integer(lowest=1)),
        "miniBatchSize": default(10, integer(lowest=1)),
        "outputAction": default("AppendRow", text("AppendRow", "SummaryOnly")),
        "outputFileName": default("predictions.csv", text()),
        "retrySettings": obj(
            maxRetries=default(3, integer(lowest=0)), timeout=default("PT30S", duration())
        ),
    },
    lock=BATCH_LOCK,
    typical_s=30,
)
