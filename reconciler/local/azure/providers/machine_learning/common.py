"""What the types of Microsoft.MachineLearningServices have in common: versions, waits, errors.

Three services answer behind one namespace, each with its own style: workspaces, computes, and the
"management front end" (mfe) for endpoints and assets. Source: traffic recorded by
github.com/Azure/azure-sdk-for-python (2022 to 2026), github.com/Azure/azure-powershell (2022) and
github.com/Azure/azure-service-operator (2024 and 2025).
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from reconciler.local.azure.model import (
    JSON,
    ArmError,
    AsyncStyle,
    Context,
    Operation,
    Resource,
)

NAMESPACE = "Microsoft.MachineLearningServices"
WORKSPACE = f"{NAMESPACE}/workspaces"
API_VERSIONS = (
    "2021-07-01",
    "2022-02-01-preview",
    "2022-05-01",
    "2022-10-01",
    "2022-10-01-preview",
    "2022-12-01-preview",
    "2023-02-01-preview",
    "2023-04-01",
    "2023-04-01-preview",
    "2023-06-01-preview",
    "2023-08-01-preview",
    "2023-10-01",
    "2024-01-01-preview",
    "2024-04-01",
    "2024-04-01-preview",
    "2024-07-01-preview",
    "2024-10-01",
    "2024-10-01-preview",
    "2025-01-01-preview",
    "2025-06-01",
    "2025-12-01",
    "2026-03-01",
    "2026-05-01",
)
PROVIDER_PATH = "/subscriptions/{subscription}/providers/" + NAMESPACE
_LOCATION = PROVIDER_PATH + "/locations/{location}"
_NEVER = "0001-01-01T00:00:00+00:00"
NO_GUID = "00000000-0000-0000-0000-000000000000"
MADE = {"Location": "{base_url}{resource}?api-version={api_version}{more}"}
# The management front end does not say what kind of principal wrote, nor who wrote last.
MFE_SYSTEM_DATA = ("createdAt", "createdBy", "lastModifiedAt")


# Where


def workspace(ctx: Context) -> Resource | None:
    """The workspace that a resource below it belongs to."""
    return ctx.cloud.find(ctx.id.ancestor(len(ctx.id.names) - 1))


def place_of(ctx: Context) -> str:
    home = workspace(ctx)
    return str(home.body.get("location", "")) if home else ""


# Waiting


def _short_status(operation: Operation) -> JSON:
    if operation.ended is None:
        return {"status": operation.status}
    if operation.error:
        return {"status": operation.status, "error": operation.error}
    return {"status": operation.status, "percentComplete": 100.0}


def _mfe_status(operation: Operation) -> JSON:
    """As in 2026: `percentComplete` stays at zero to the end."""
    ended = operation.ended
    body: JSON = {
        "id": operation.url,
        "name": operation.id,
        "startTime": offset_time(operation.started),
        "endTime": _NEVER if ended is None else offset_time(ended),
        "percentComplete": 0.0,
        "status": operation.status,
    }
    return body | ({"error": operation.error} if operation.error else {})


def _running(word: str) -> dict[str, str]:
    return dict.fromkeys(("create", "update", "delete", "action"), word)


def _workspace_operation(ctx: Context) -> str:
    return ctx.cloud.hex(43)


_WORKSPACE_STATUS = _LOCATION + "/workspaceOperationsStatus/{operation}?api-version={api_version}"
WORKSPACE_WAIT = AsyncStyle(
    status_url=_WORKSPACE_STATUS + "&type=async",
    location_url=_WORKSPACE_STATUS + "&type=location",
    operation_name=_workspace_operation,
    running_words=_running("InProgress"),
    status_body=_short_status,
)
COMPUTE_WAIT = AsyncStyle(
    status_url=_LOCATION + "/computeOperationsStatus/{operation}?api-version={api_version}"
    "&service=new",
    place=place_of,
    running_words=_running("InProgress"),
    status_body=_short_status,
)


def mfe_operation(ctx: Context) -> str:
    """`<kind>:<workspace id>:<guid>`; the one that `operation_uri` announced, if it did."""
    return str(ctx.memo.pop("operation", "") or _new_mfe_name(ctx))


def _new_mfe_name(ctx: Context) -> str:
    short = {
        "onlineendpoints": "oeidp",
        "onlineendpoints/deployments": "od",
        "batchendpoints": "be",
        "batchendpoints/deployments": "bd",
        "serverlessendpoints": "se",
        "marketplacesubscriptions": "ms",
    }
    kind = short.get("/".join(ctx.id.types[1:]).lower(), "op")
    home = workspace(ctx)
    owner = home.properties.get("workspaceId", NO_GUID) if home else NO_GUID
    return f"{kind}:{owner}:{ctx.cloud.guid()}"


def operation_uri(ctx: Context, location: str) -> str:
    """What the service writes into the user's map as AzureAsyncOperationUri, on every write."""
    name = ctx.memo["operation"] = _new_mfe_name(ctx)
    place = location.replace(" ", "")
    return (
        f"{ctx.cloud.base_url}/subscriptions/{ctx.id.subscription}/providers/{NAMESPACE}"
        f"/locations/{place}/mfeOperationsStatus/{name}?api-version={ctx.api_version}"
    )


_MFE_STATUS = _LOCATION + "/mfeOperationsStatus/{operation}?api-version={api_version}"
_MFE_RESULTS = _LOCATION + "/mfeOperationResults/{operation}?api-version={api_version}"
_MFE: dict[str, Any] = {
    "operation_name": mfe_operation,
    "headers": {"x-ms-async-operation-timeout": "PT30M"},
    "running_words": _running("Updating"),
    "status_body": _mfe_status,
    "location_again": False,
    "location_running_body": "operation",
    "location_done_body": "operation",
}
MFE_PUT = AsyncStyle(status_url=_MFE_STATUS, location_is_resource=True, **_MFE)
MFE_PATCH = AsyncStyle(location_url=_MFE_RESULTS, **_MFE)
MFE_DELETE = AsyncStyle(status_url=_MFE_STATUS, location_url=_MFE_RESULTS, **_MFE)


# Times, words, parents


def offset_time(seconds: float) -> str:
    """Times of this provider carry an offset instead of a Z."""
    at = datetime.fromtimestamp(seconds, UTC)
    return at.strftime("%Y-%m-%dT%H:%M:%S.") + f"{at.microsecond:06d}0+00:00"


def word(value: Any, *known: str) -> Any:
    """An enum value in the service's spelling, whatever case it was sent in."""
    return next((k for k in known if isinstance(value, str) and k.lower() == value.lower()), value)


def sent_properties(body: JSON) -> JSON:
    """`properties` without the members that say nothing."""
    return {k: v for k, v in (body.get("properties") or {}).items() if v is not None}


def envelope(body: JSON, *names: str) -> JSON:
    return {k: body[k] for k in names if body.get(k) is not None}


# Errors


def user_error(
    ctx: Context, status: int, message: str, *, inner: str = "", code: str = "UserError"
) -> ArmError:
    """A refusal of the management front end: the useful code hides in additionalInfo."""
    return ArmError(status, code, message, details=[], additionalInfo=additional_info(ctx, inner))


def additional_info(ctx: Context, inner: str = "") -> list[JSON]:
    place = place_of(ctx)
    correlation = {"operation": ctx.cloud.hex(32), "request": ctx.cloud.hex(16)}
    info: list[tuple[str, Any]] = [
        ("ComponentName", "managementfrontend"),
        ("Correlation", correlation),
        ("Environment", place),
        ("Location", place),
        ("Time", offset_time(ctx.cloud.now())),
    ]
    if inner:
        info.append(("InnerError", {"code": inner, "innerError": None}))
    return [{"type": kind, "info": {"value": value}} for kind, value in info]


def not_found(ctx: Context, code: str, message: str, *, outer: str = "NotFound") -> ArmError:
    """404 with the detail of what was not found."""
    detail = {"code": code, "message": message, "details": [], "additionalInfo": []}
    return ArmError(
        404,
        outer,
        "The specified resource was not found.",
        details=[detail],
        additionalInfo=additional_info(ctx),
    )
