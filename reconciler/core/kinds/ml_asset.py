"""Environments and models of a workspace: versions that never change.

https://learn.microsoft.com/azure/templates/microsoft.machinelearningservices/workspaces/environments/versions
and …/models/versions. Content can be set at creation only: Azure/azure-rest-api-specs,
MachineLearningServices 2024-04-01, mfe.json. A document is named as az ml refers to it:
name:version.
"""

from reconciler.core.kinds.kind import Kind
from reconciler.core.kinds.shared import in_workspace, string_map
from reconciler.core.schema import (
    Field,
    Names,
    boolean,
    default,
    described,
    immutable,
    integer,
    mapping,
    obj,
    required,
    tags,
    text,
    write_only,
)

NAMES = Names(
    pattern=r"^[a-zA-Z0-9][a-zA-Z0-9_.-]*:[a-zA-Z0-9][a-zA-Z0-9_.-]*$",
    longest=255,
    hint="name:version, each of letters, digits, '_', '.' or '-'",
)


def _common() -> dict[str, Field]:
    return {
        "description": text(),
        "tags": tags(),
        "properties": string_map(),
        "stage": text(),
        "isArchived": default(False, boolean()),
        # Set at creation, and answered as false whatever was sent.
        "isAnonymous": write_only(boolean()),
    }


def _route() -> Field:
    return obj(path=required(text()), port=required(integer(lowest=1, highest=65535)))


ML_ENVIRONMENT = Kind(
    name="MLEnvironment",
    title="Environment version",
    doc="The image that a deployment runs in: an image, a build context, or an image with conda.",
    places=in_workspace("environments/versions", "Workspace", "Project", "Hub"),
    names=NAMES,
    fields={
        "image": immutable(text()),
        "build": immutable(
            obj(contextUri=required(text()), dockerfilePath=default("Dockerfile", text()))
        ),
        "condaFile": described(
            "YAML text; the service stores it as JSON.", immutable(text(same="yaml"))
        ),
        "osType": immutable(default("Linux", text("Linux", "Windows"))),
        "inferenceConfig": immutable(
            obj(
                livenessRoute=_route(),
                readinessRoute=_route(),
                startupRoute=_route(),
                scoringRoute=_route(),
            )
        ),
        "autoRebuild": immutable(text("Disabled", "OnBaseImageUpdate")),
        **_common(),
    },
    envelope=frozenset(),
    listed=False,
    report_unmanaged=False,
    typical_s=5,
)

ML_MODEL = Kind(
    name="MLModel",
    title="Model version",
    doc="Model files under a name and a version, for deployments to mount.",
    places=in_workspace("models/versions", "Workspace", "Project", "Hub"),
    names=NAMES,
    fields={
        # The service copies the files and answers another path.
        "modelUri": write_only(text()),
        "modelType": immutable(text("custom_model", "mlflow_model", "triton_model")),
        "flavors": immutable(mapping(obj(data=mapping(text())))),
        "jobName": immutable(text()),
        **_common(),
    },
    envelope=frozenset(),
    holds_data=True,
    listed=False,
    report_unmanaged=False,
    typical_s=5,
)
