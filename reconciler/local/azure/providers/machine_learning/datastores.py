"""Datastores: the four that every workspace has, and those that are registered.

Source: https://learn.microsoft.com/rest/api/azureml/datastores and the recordings named
in `common`.
"""

from __future__ import annotations

from collections.abc import Iterable

from reconciler.local.azure.model import (
    JSON,
    Answer,
    ArmError,
    Context,
    Reply,
    Resource,
    ResourceType,
)
from reconciler.local.azure.providers.machine_learning.common import (
    API_VERSIONS,
    MADE,
    WORKSPACE,
    sent_properties,
    user_error,
)

_FILES = {"datastoreType": "AzureFile", "serviceDataAccessAuthIdentity": "None"}
_BLOBS = {"datastoreType": "AzureBlob", "serviceDataAccessAuthIdentity": "None"}
_SECRET_NAMES = {
    "AccountKey": "key",
    "Sas": "sasToken",
    "ServicePrincipal": "clientSecret",
    "Certificate": "certificate",
}


def add_system_ones(ctx: Context, workspace: Resource) -> None:
    """The datastores that a new workspace comes with."""
    account = str(workspace.properties.get("storageAccount", "")).rsplit("/", 1)[-1]
    owner = workspace.properties["workspaceId"]
    for name, facts in _system_ones(owner).items():
        properties = {
            "description": None,
            "tags": None,
            "properties": None,
            "isDefault": False,
            "credentials": {"credentialsType": "AccountKey"},
            "accountName": account,
            "endpoint": "core.windows.net",
            "protocol": "https",
            **facts,
        }
        secret = {"secretsType": "AccountKey", "key": ctx.cloud.hex(64)}
        ctx.cloud.insert(f"{workspace.id}/datastores/{name}", {"properties": properties}, secret)


def _system_ones(owner: str) -> dict[str, JSON]:
    """As recorded, the oldest first."""
    return {
        "workspacefilestore": {**_FILES, "fileShareName": f"azureml-filestore-{owner}"},
        "workspaceartifactstore": {**_BLOBS, "containerName": "azureml"},
        "workspaceworkingdirectory": {**_FILES, "fileShareName": f"code-{owner}"},
        "workspaceblobstore": {
            **_BLOBS,
            "isDefault": True,
            "containerName": f"azureml-blobstore-{owner}",
            "serviceDataAccessAuthIdentity": "WorkspaceSystemAssignedIdentity",
        },
    }


def _complete(ctx: Context, body: JSON) -> JSON:
    sent = sent_properties(body)
    credentials = dict(sent.get("credentials") or {"credentialsType": "None"})
    credentials.pop("secrets", None)
    return {
        "properties": {
            "description": None,
            "tags": {},
            "properties": None,
            "isDefault": False,
            "endpoint": "core.windows.net",
            "protocol": "https",
            "serviceDataAccessAuthIdentity": "None",
            **sent,
            "credentials": credentials,
        }
    }


def _secret(ctx: Context, body: JSON) -> JSON:
    credentials = (body.get("properties") or {}).get("credentials") or {}
    return dict(credentials.get("secrets") or {})


def _select(ctx: Context, found: Iterable[Resource]) -> Iterable[Resource]:
    """The newest first; `isDefault` and `names` narrow the list."""
    newest = list(found)[::-1]
    if ctx.query.get("isDefault"):
        wanted = ctx.query["isDefault"].lower() == "true"
        newest = [d for d in newest if d.properties.get("isDefault") is wanted]
    names = [n.strip().lower() for n in ctx.query.get("names", "").split(",") if n.strip()]
    return [d for d in newest if not names or d.name.lower() in names]


def _missing(ctx: Context) -> ArmError:
    message = f"Could not find datastore: {ctx.name}."
    return user_error(ctx, 404, message, inner="NotFoundError")


def _list_secrets(ctx: Context, datastore: Resource, _: object) -> Reply:
    kind = datastore.properties["credentials"]["credentialsType"]
    if kind == "None":  # the error for a datastore without secrets is unverified
        raise user_error(ctx, 400, f"Datastore {datastore.name} has no secrets.")
    shown = {"secretsType": kind, **datastore.secret}
    shown.setdefault(_SECRET_NAMES.get(kind, "key"), "")
    return Reply(200, shown)


DATASTORE = ResourceType(
    name=f"{WORKSPACE}/datastores",
    api_versions=API_VERSIONS,
    put=Answer(created=201, updated=200, created_headers=MADE),
    delete=Answer(body="none", absent=204),
    complete=_complete,
    secret=_secret,
    select=_select,
    missing=_missing,
    actions={"listSecrets": _list_secrets},
    has_state=False,
    tracked=False,
)
