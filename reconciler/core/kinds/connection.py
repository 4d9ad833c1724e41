"""Connections of accounts, Foundry projects, hubs, projects and workspaces.

https://learn.microsoft.com/azure/templates/microsoft.machinelearningservices/workspaces/connections
and its twin below microsoft.cognitiveservices/accounts; keys that the service adds to metadata and
what replaces: hashicorp/terraform-provider-azurerm, internal/services/cognitive.
"""

from collections.abc import Mapping

from reconciler.core.kinds.categories import CATEGORIES
from reconciler.core.kinds.kind import Kind, Place
from reconciler.core.kinds.shared import (
    COGNITIVE_SERVICES,
    MACHINE_LEARNING_NEW,
    guid,
    in_workspace,
    on_account,
    string_map,
)
from reconciler.core.schema import (
    Field,
    Names,
    array,
    boolean,
    computed,
    described,
    immutable,
    mapping,
    obj,
    required,
    secret,
    text,
    write_only,
)

FOUNDRY = Place(
    field="foundryProject",
    parent="FoundryProject",
    arm_type="Microsoft.CognitiveServices/accounts/projects/connections",
    api_version=COGNITIVE_SERVICES,
)


def _hidden() -> Field:
    """Not a secret, but part of the credentials, which are never returned."""
    return write_only(text())


def _with(**credentials: Field) -> Mapping[str, Field]:
    return {"credentials": required(obj(**credentials))}


CASES: Mapping[str, Mapping[str, Field]] = {
    "None": {},
    "AAD": {},
    "ApiKey": _with(key=required(secret())),
    "AccountKey": _with(key=required(secret())),
    "CustomKeys": _with(keys=required(mapping(secret(), shared=False))),
    "AccessKey": _with(accessKeyId=_hidden(), secretAccessKey=required(secret())),
    "PAT": _with(pat=required(secret())),
    "SAS": _with(sas=required(secret())),
    "UsernamePassword": _with(username=_hidden(), password=secret(), securityToken=secret()),
    "ManagedIdentity": _with(clientId=_hidden(), resourceId=_hidden()),
    "ServicePrincipal": _with(clientId=_hidden(), clientSecret=secret(), tenantId=_hidden()),
    "OAuth2": _with(
        authUrl=_hidden(),
        clientId=write_only(guid()),
        clientSecret=secret(),
        developerToken=secret(),
        password=secret(),
        refreshToken=secret(),
        tenantId=_hidden(),
        username=_hidden(),
    ),
}

CONNECTION = Kind(
    name="Connection",
    title="Connection",
    doc="How a project or account reaches another service: address, kind of access, credentials.",
    places=(
        *on_account("connections"),
        FOUNDRY,
        *in_workspace(
            "connections", "Hub", "Project", "Workspace", api_version=MACHINE_LEARNING_NEW
        ),
    ),
    names=Names(
        pattern=r"^[a-zA-Z0-9][a-zA-Z0-9_-]*$",
        shortest=3,
        longest=33,
        hint="3 to 33 letters, digits, '_' or '-', starting with a letter or digit",
    ),
    fields={
        "category": described("What is connected.", required(immutable(text(*CATEGORIES)))),
        "authType": required(immutable(text(*CASES))),
        "target": text(),
        "metadata": described(
            "Names and values by category; the service adds names of its own.", string_map()
        ),
        # True on an account, false on a project when nothing is sent.
        "isSharedToAll": computed(boolean()),
        "sharedUserList": array(text(), key=("",)),
        "useWorkspaceManagedIdentity": computed(boolean()),
        # Answered as null whatever was sent.
        "expiryTime": write_only(text()),
        "peRequirement": computed(text("Required", "NotRequired", "NotApplicable")),
        "peStatus": computed(text("Inactive", "Active", "NotApplicable")),
        "error": computed(text()),
    },
    by="authType",
    cases=CASES,
    envelope=frozenset(),
    lock="Microsoft.CognitiveServices/accounts",
    typical_s=3,
)
