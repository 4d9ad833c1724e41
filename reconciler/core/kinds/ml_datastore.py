"""Datastores of a workspace.

https://learn.microsoft.com/azure/templates/microsoft.machinelearningservices/workspaces/datastores;
all but credentials can be set at creation only: Azure/azure-rest-api-specs,
MachineLearningServices 2024-04-01, mfe.json.
"""

from collections.abc import Mapping
from typing import Any

from reconciler.core.kinds.kind import Kind
from reconciler.core.kinds.shared import guid, in_workspace, string_map
from reconciler.core.schema import (
    Field,
    Names,
    default,
    described,
    immutable,
    obj,
    required,
    secret,
    tags,
    text,
    variant,
    write_only,
)

SYSTEM = frozenset(
    {
        "workspaceblobstore",
        "workspacefilestore",
        "workspaceworkingdirectory",
        "workspaceartifactstore",
    }
)


def made_by_service(body: Mapping[str, Any]) -> bool:
    """The datastores that every workspace is born with."""
    return str(body.get("name", "")).lower() in SYSTEM


def _fixed() -> Field:
    return immutable(text())


def _needed() -> Field:
    return required(_fixed())


def _secrets(kind: str, **values: Field) -> Field:
    said = required(write_only(text(kind)))
    return required(obj(secretsType=said, **values))


def _principal() -> dict[str, Field]:
    return {
        "clientId": required(guid()),
        "tenantId": required(guid()),
        "authorityUrl": text(),
        "resourceUrl": text(),
    }


CREDENTIALS = variant(
    "credentialsType",
    {
        "None": {},
        "AccountKey": {"secrets": _secrets("AccountKey", key=secret())},
        "Sas": {"secrets": _secrets("Sas", sasToken=secret())},
        "ServicePrincipal": {
            **_principal(),
            "secrets": _secrets("ServicePrincipal", clientSecret=secret()),
        },
        "Certificate": {
            **_principal(),
            "thumbprint": required(text(same="caseless")),
            "secrets": _secrets("Certificate", certificate=secret()),
        },
    },
    credentialsType=required(text("None", "AccountKey", "Sas", "ServicePrincipal", "Certificate")),
)

ACCESS = {
    "serviceDataAccessAuthIdentity": immutable(
        default(
            "None",
            text("None", "WorkspaceSystemAssignedIdentity", "WorkspaceUserAssignedIdentity"),
        )
    )
}
IN_AZURE = {**ACCESS, "subscriptionId": _fixed(), "resourceGroup": _fixed()}
ADDRESS = {"endpoint": _fixed(), "protocol": immutable(text(same="caseless"))}

CASES: Mapping[str, Mapping[str, Field]] = {
    "AzureBlob": {
        "accountName": _fixed(),
        "containerName": _fixed(),
        **ADDRESS,
        **IN_AZURE,
    },
    "AzureFile": {
        "accountName": _needed(),
        "fileShareName": _needed(),
        **ADDRESS,
        **IN_AZURE,
    },
    "AzureDataLakeGen1": {"storeName": _needed(), **IN_AZURE},
    "AzureDataLakeGen2": {
        "accountName": _needed(),
        "filesystem": _needed(),
        **ADDRESS,
        **IN_AZURE,
    },
    "OneLake": {
        "oneLakeWorkspaceName": _needed(),
        "artifact": required(
            immutable(
                variant(
                    "artifactType",
                    {"LakeHouse": {}},
                    artifactType=required(text("LakeHouse")),
                    artifactName=required(text()),
                )
            )
        ),
        "endpoint": _fixed(),
        **ACCESS,
    },
}

ML_DATASTORE = Kind(
    name="MLDatastore",
    title="Datastore",
    doc="Storage that a workspace reaches under a name.",
    places=in_workspace("datastores", "Workspace", "Hub", "Project"),
    names=Names(
        pattern=r"^[a-zA-Z0-9][a-zA-Z0-9\-_]*$",
        longest=255,
        hint="1 to 255 letters, digits, '_' or '-', starting with a letter or digit",
    ),
    fields={
        "datastoreType": required(immutable(text(*CASES))),
        "credentials": described(
            "credentialsType None together with an identity keeps keys out.",
            required(CREDENTIALS),
        ),
        "description": text(),
        "properties": string_map(),
        # Tags of assets and datastores stand inside properties.
        "tags": tags(),
    },
    by="datastoreType",
    cases=CASES,
    envelope=frozenset(),
    foreign=made_by_service,
    typical_s=3,
)
