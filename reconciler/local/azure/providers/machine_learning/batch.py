"""Batch endpoints and their deployments.

Source: https://learn.microsoft.com/rest/api/azureml/batch-endpoints and the recordings named in
`common`; the words of refusals are unverified.
"""

from __future__ import annotations

from typing import Any

from reconciler.local.azure.model import (
    JSON,
    Answer,
    ArmError,
    Context,
    Resource,
    ResourceType,
)
from reconciler.local.azure.providers.identities import assigned
from reconciler.local.azure.providers.machine_learning.common import (
    API_VERSIONS,
    MFE_DELETE,
    MFE_PATCH,
    MFE_PUT,
    MFE_SYSTEM_DATA,
    NO_GUID,
    WORKSPACE,
    not_found,
    operation_uri,
    place_of,
    sent_properties,
    user_error,
    word,
)
from reconciler.local.azure.providers.machine_learning.online import (
    busy,
    list_keys,
    missing,
)

ENDPOINT = f"{WORKSPACE}/batchEndpoints"
DEPLOYMENT = f"{ENDPOINT}/deployments"


def _validate(ctx: Context, body: JSON) -> None:
    name = (sent_properties(body).get("defaults") or {}).get("deploymentName")
    if name and ctx.cloud.find(f"{ctx.id.text}/deployments/{name}") is None:
        raise user_error(ctx, 400, f"The default deployment {name} does not exist.")


def _complete(ctx: Context, body: JSON) -> JSON:
    sent = sent_properties(body)
    before = ctx.existing.properties if ctx.existing else {}
    location = body.get("location") or place_of(ctx)
    unasked = {"type": "None", "principalId": NO_GUID, "tenantId": NO_GUID}
    asked = body.get("identity") or {}
    return {
        "properties": {
            "description": None,
            "scoringUri": None,
            "swaggerUri": None,
            **sent,
            **{k: before[k] for k in ("scoringUri",) if k in before},
            "authMode": word(sent.get("authMode"), "AADToken", "Key", "AMLToken"),
            "defaults": {"deploymentName": None, **(sent.get("defaults") or {})},
            "properties": {
                **(before.get("properties") or {}),
                **(sent.get("properties") or {}),
                "BatchEndpointCreationApiVersion": ctx.api_version,
                "azureml.onlineendpointid": _twin(ctx),
                "AzureAsyncOperationUri": operation_uri(ctx, location),
            },
        },
        "tags": body.get("tags") or {},
        "location": location,
        "identity": unasked if asked.get("type", "None") == "None" else assigned(ctx, asked),
    }


def _twin(ctx: Context) -> str:
    """A batch endpoint is known inside by the id of an online one."""
    return ctx.id.text.lower().replace("/batchendpoints/", "/onlineendpoints/")


def _settled(ctx: Context, endpoint: Resource, verb: str) -> None:
    place = str(endpoint.body.get("location", "")).replace(" ", "").lower()
    endpoint.properties["scoringUri"] = ctx.data_url("batch", place, endpoint.name) + "jobs"


ENDPOINT_TYPE = ResourceType(
    name=ENDPOINT,
    api_versions=API_VERSIONS,
    put=Answer(created=201, updated=201, wait=MFE_PUT, duration_s=10),
    patch=Answer(updated=202, body="null", wait=MFE_PATCH, duration_s=10),
    delete=Answer(updated=202, body="null", wait=MFE_DELETE, duration_s=10, absent=204),
    lock=ENDPOINT,
    lock_error=busy,
    system_data=MFE_SYSTEM_DATA,
    validate=_validate,
    complete=_complete,
    settled=_settled,
    missing=missing,
    actions={"listkeys": list_keys},
)


# Deployments

_DEFAULTS: JSON = {
    "description": None,
    "properties": {},
    "environmentVariables": {},
    "errorThreshold": -1,
    "miniBatchSize": 10,
    "maxConcurrencyPerInstance": 1,
    "loggingLevel": "Info",
    "outputAction": "AppendRow",
    "outputFileName": "predictions.csv",
}


def _check_compute(ctx: Context, body: JSON) -> None:
    compute = sent_properties(body).get("compute")
    checked = ctx.setting("machine_learning.check_dependencies", True)
    if compute and checked and ctx.cloud.find(str(compute)) is None:
        raise user_error(ctx, 400, f"The compute {compute} does not exist.")


def _complete_deployment(ctx: Context, body: JSON) -> JSON:
    sent = sent_properties(body)
    properties = _DEFAULTS | sent
    properties["loggingLevel"] = word(properties["loggingLevel"], "Info", "Warning", "Debug")
    properties["outputAction"] = word(properties["outputAction"], "SummaryOnly", "AppendRow")
    retries = {"maxRetries": 3, "timeout": "PT30S"}
    properties["retrySettings"] = retries | (sent.get("retrySettings") or {})
    properties["resources"] = _resources(sent.get("resources") or {})
    return {
        "properties": properties,
        "tags": body.get("tags") or {},
        "location": body.get("location") or place_of(ctx),
    }


def _resources(sent: JSON) -> JSON:
    """An empty map comes back as null."""
    base: dict[str, Any] = {"instanceCount": 1, "instanceType": None}
    return base | sent | {"properties": sent.get("properties") or None}


def _refuse_default(ctx: Context, deployment: Resource) -> None:
    endpoint = ctx.parent
    assert endpoint is not None
    default = (endpoint.properties.get("defaults") or {}).get("deploymentName") or ""
    if default.lower() == deployment.name.lower():
        raise user_error(
            ctx, 400, f"The deployment {deployment.name} is the endpoint's default deployment."
        )


def _deployment_missing(ctx: Context) -> ArmError:
    message = f"There is no deployment with name: {ctx.name} in {ctx.id.names[-2]}"
    return not_found(ctx, "NoSuchDeployment", message)


DEPLOYMENT_TYPE = ResourceType(
    name=DEPLOYMENT,
    api_versions=API_VERSIONS,
    put=Answer(created=201, updated=201, wait=MFE_PUT, creating="Updating", duration_s=10),
    patch=Answer(updated=202, body="null", wait=MFE_PATCH, duration_s=10),
    delete=Answer(updated=202, body="null", wait=MFE_DELETE, duration_s=10, absent=204),
    lock=ENDPOINT,
    lock_error=busy,
    system_data=MFE_SYSTEM_DATA,
    validate=_check_compute,
    complete=_complete_deployment,
    before_delete=_refuse_default,
    missing=_deployment_missing,
)
