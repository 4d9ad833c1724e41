"""Microsoft.Authorization: role assignments, and the built-in roles they name.

Source: https://learn.microsoft.com/rest/api/authorization/role-assignments,
https://learn.microsoft.com/azure/role-based-access-control/troubleshooting and the traffic
recorded by github.com/Azure/azure-service-operator and github.com/Azure/azure-cli. The codes
RoleAssignmentExists and RoleAssignmentUpdateNotPermitted are known from public threads only.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping

from reconciler.local.azure.model import (
    JSON,
    Answer,
    ArmError,
    Context,
    Provider,
    Reply,
    Resource,
    ResourceType,
    Route,
)
from reconciler.local.azure.providers.identities import principal_created

ASSIGNMENT = "Microsoft.Authorization/roleAssignments"
_VERSIONS = (
    "2015-07-01",
    "2018-01-01-preview",
    "2020-04-01-preview",
    "2020-08-01-preview",
    "2022-04-01",
    "2022-05-01-preview",
)
_GUID = re.compile(r"[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}", re.IGNORECASE)
_FILTER = re.compile(r"(principalId|roleName)\s+eq\s+'([^']*)'|assignedTo\('([^']*)'\)", re.I)
# https://learn.microsoft.com/azure/role-based-access-control/built-in-roles
BUILT_IN_ROLES = {
    "8e3af657-a8ff-443c-a75c-2fe8c4bcb635": "Owner",
    "b24988ac-6180-42a0-ab88-20f7382dd24c": "Contributor",
    "acdd72a7-3385-48ef-bd42-f606fba81ae7": "Reader",
    "f58310d9-a9f6-439a-9e8d-f62e7b41a168": "Role Based Access Control Administrator",
    "5e0bd9bd-7b93-4f28-af87-19fc36ad61bd": "Cognitive Services OpenAI User",
    "a001fd3d-188f-4b5d-821b-7da978bf7442": "Cognitive Services OpenAI Contributor",
    "a97b65f3-24c7-4388-baec-2e87135dc908": "Cognitive Services User",
    "25fbc0a9-bd7c-42a3-aa1a-3b75d497ee68": "Cognitive Services Contributor",
    "64702f94-c441-49e6-a78b-ef80e0188fee": "Azure AI Developer",
    "f6c7c914-8db3-469d-8ca1-694a8f32e121": "AzureML Data Scientist",
    "e503ece1-11d0-4e8e-8e2c-7a6c3bf38815": "AzureML Compute Operator",
    "1823dd4f-9b8c-4ab6-ab4e-7397a3684615": "AzureML Registry User",
    "4633458b-17de-408a-b874-0445c86b69e6": "Key Vault Secrets User",
    "b86a8fe4-44ce-4948-aee5-eccb2c155cd7": "Key Vault Secrets Officer",
}


def _validate(ctx: Context, body: JSON) -> None:
    sent = body.get("properties") or {}
    principal = str(sent.get("principalId", ""))
    if not _GUID.fullmatch(principal):
        raise ArmError(
            400,
            "InvalidPrincipalId",
            f"The Principal ID '{principal}' is not valid. Principal ID must be a GUID.",
        )
    if ctx.existing is not None and _triple(ctx.existing.properties) != _triple(sent, ctx.id.scope):
        raise ArmError(
            400,
            "RoleAssignmentUpdateNotPermitted",
            "Tenant ID, application ID, principal ID, and scope are not allowed to be updated.",
        )
    if ctx.existing is None and _assigned_already(ctx, _triple(sent, ctx.id.scope)):
        raise ArmError(409, "RoleAssignmentExists", "The role assignment already exists.")
    if not sent.get("principalType"):
        _check_directory(ctx, principal)


def _triple(properties: JSON, scope: str | None = None) -> tuple[str, str, str]:
    role = str(properties.get("roleDefinitionId", "")).rsplit("/", 1)[-1]
    where = properties.get("scope", "") if scope is None else scope
    return str(where).strip("/").lower(), role.lower(), str(properties["principalId"]).lower()


def _assigned_already(ctx: Context, triple: tuple[str, str, str]) -> bool:
    return any(_triple(a.properties) == triple for a in ctx.cloud.of_type(ASSIGNMENT))


def _check_directory(ctx: Context, principal: str) -> None:
    """A principal made here is unknown to the directory for as long as the setting says."""
    delay = float(ctx.setting("authorization.principal_replication_s", 0.0))
    made = principal_created(ctx.cloud, principal) if delay else None
    if made is not None and ctx.cloud.now() - made < delay:
        raise ArmError(
            400,
            "PrincipalNotFound",
            f"Principal {principal.replace('-', '')} does not exist in the directory "
            f"{ctx.cloud.tenant}. Check that you have the correct principal ID. If you are "
            "creating this principal and then immediately assigning a role, this error might be "
            "related to a replication delay. In this case, set the role assignment principalType "
            "property to a value, such as ServicePrincipal, User, or Group.  See "
            "https://aka.ms/docs-principaltype",
        )


def _complete(ctx: Context, body: JSON) -> JSON:
    sent = body.get("properties") or {}
    before = ctx.existing.properties if ctx.existing else {}
    now = ctx.timestamp()
    return {
        "properties": {
            "roleDefinitionId": sent.get("roleDefinitionId"),
            "principalId": sent.get("principalId"),
            "principalType": sent.get("principalType") or "ServicePrincipal",
            "scope": ctx.id.scope or "/",
            "condition": sent.get("condition"),
            "conditionVersion": sent.get("conditionVersion"),
            "createdOn": before.get("createdOn", now),
            "updatedOn": now,
            "createdBy": before.get("createdBy", ctx.principal_id),
            "updatedBy": ctx.principal_id,
            "delegatedManagedIdentityResourceId": sent.get("delegatedManagedIdentityResourceId"),
            "description": sent.get("description"),
        }
    }


def _present(ctx: Context, body: JSON) -> JSON:
    """The answer to the creating PUT does not say yet who created it."""
    if ctx.method != "PUT" or ctx.existing is not None:
        return body
    return {**body, "properties": {**body["properties"], "createdBy": None}}


def _select(ctx: Context, _: Iterable[Resource]) -> Iterable[Resource]:
    """At the scope, above it and, without `atScope()`, below it."""
    here = ctx.id.scope.strip("/").lower()
    wanted = _filters(ctx)
    at_scope = "atscope()" in ctx.query.get("$filter", "").lower()
    for assignment in ctx.cloud.of_type(ASSIGNMENT):
        scope = str(assignment.properties["scope"]).strip("/").lower()
        inside = (scope + "/").startswith(here + "/") or not here
        above = (here + "/").startswith(scope + "/") or not scope
        principal = wanted.get("principalid")
        if principal and assignment.properties["principalId"].lower() != principal:
            continue
        if above or (inside and not at_scope):
            yield assignment


def _filters(ctx: Context) -> dict[str, str]:
    found: dict[str, str] = {}
    for name, value, assignee in _FILTER.findall(ctx.query.get("$filter", "")):
        found[name.lower() or "principalid"] = (value or assignee).lower()
    return found


def _missing(ctx: Context) -> ArmError:
    return ArmError(
        404, "RoleAssignmentNotFound", f"The role assignment '{ctx.name}' is not found."
    )


def _definitions(ctx: Context, _: Iterable[Resource]) -> Iterable[Resource]:
    assert ctx.type is not None
    name = _filters(ctx).get("rolename")
    for guid, role in BUILT_IN_ROLES.items():
        if name is None or role.lower() == name:
            yield Resource(ctx.type, "", _definition(ctx.id.subscription, guid))


def _get_definition(ctx: Context, captured: Mapping[str, str], _: object) -> Reply:
    guid = captured["name"].lower()
    if guid not in BUILT_IN_ROLES:
        raise _definition_missing(ctx)
    return Reply(200, _definition(captured.get("subscription", ""), guid))


def _definition_missing(ctx: Context) -> ArmError:
    return ArmError(
        404,
        "RoleDefinitionDoesNotExist",
        f"The specified role definition with ID '{ctx.id.name}' does not exist.",
    )


def _definition(subscription: str, guid: str) -> JSON:
    """Name and GUID are Azure's; the permissions of a role are not emulated."""
    above = f"/subscriptions/{subscription}" if subscription else ""
    return {
        "properties": {
            "roleName": BUILT_IN_ROLES[guid],
            "type": "BuiltInRole",
            "description": "",
            "assignableScopes": ["/"],
            "permissions": [],
            "createdOn": "2015-02-02T21:55:09.8806423Z",
            "updatedOn": "2021-11-11T20:13:47.8628684Z",
            "createdBy": None,
            "updatedBy": None,
        },
        "id": f"{above}/providers/Microsoft.Authorization/roleDefinitions/{guid}",
        "type": "Microsoft.Authorization/roleDefinitions",
        "name": guid,
    }


PROVIDER = Provider(
    namespace="Microsoft.Authorization",
    types=(
        ResourceType(
            name=ASSIGNMENT,
            api_versions=_VERSIONS,
            put=Answer(created=201, updated=201),
            delete=Answer(body="resource", absent=204),
            validate=_validate,
            complete=_complete,
            present=_present,
            select=_select,
            missing=_missing,
            extension=True,
            has_state=False,
            has_system_data=False,
            tracked=False,
        ),
        ResourceType(
            name="Microsoft.Authorization/roleDefinitions",
            api_versions=_VERSIONS,
            put=None,
            delete=None,
            select=_definitions,
            missing=_definition_missing,
            extension=True,
            has_state=False,
            has_system_data=False,
            tracked=False,
        ),
    ),
    routes=tuple(
        Route(
            method="GET",
            path=above + "/providers/Microsoft.Authorization/roleDefinitions/{name}",
            handler=_get_definition,
        )
        for above in ("", "/subscriptions/{subscription}")
    ),
)
