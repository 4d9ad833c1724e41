"""Role assignments.

https://learn.microsoft.com/azure/role-based-access-control/role-assignments-rest; that
``principalType`` skips the directory check which fails for identities just created:
https://learn.microsoft.com/azure/role-based-access-control/troubleshooting.
"""

import re
from difflib import get_close_matches
from typing import Any

from reconciler.core.kinds.kind import Kind, Place
from reconciler.core.kinds.roles import ROLES, role_id
from reconciler.core.kinds.shared import GUID
from reconciler.core.model import Properties
from reconciler.core.schema import derived, described, immutable, text

DEFINITION = "/subscriptions/{subscription}/providers/Microsoft.Authorization/roleDefinitions/"


def prepare(properties: Properties, subscription: str) -> Properties:
    """``role`` and ``principal`` as ARM wants them: ids. Raises ValueError for an unknown role."""
    result = dict(properties)
    role, principal = result.pop("role", None), result.pop("principal", None)
    if role is not None:
        result["roleDefinitionId"] = _definition(role, subscription)
    if principal is not None:
        result["principalId"] = _principal(principal)
    for name, word in (("roleDefinitionId", "role"), ("principalId", "principal")):
        if name not in result:
            raise ValueError(f"a role assignment needs {word} (or {name})")
    return result


def _definition(role: Any, subscription: str) -> str:
    text = str(role).strip()
    if text.startswith("/"):
        return text
    guid = text if re.match(GUID, text) else role_id(text)
    if guid is None:
        near = get_close_matches(text, ROLES, 1)
        hint = f', did you mean "{near[0]}"?' if near else ""
        raise ValueError(
            f'role "{text}" is none of the built-in roles known here{hint}; '
            "any other role can be given by its id"
        )
    return DEFINITION.format(subscription=subscription) + guid


def _principal(principal: Any) -> Any:
    """``ManagedIdentity/app`` or ``Account/x`` is short for that resource's object id."""
    if not isinstance(principal, str) or "/" not in principal:
        return principal
    own = principal.startswith("ManagedIdentity/")
    path = "properties.principalId" if own else "identity.principalId"
    return {"ref": principal, "path": path}


ROLE_ASSIGNMENT = Kind(
    name="RoleAssignment",
    title="Role assignment",
    doc="Who may do what where. Its name follows from scope, role and principal.",
    places=(
        Place(
            field="scope",
            parent="",
            arm_type="Microsoft.Authorization/roleAssignments",
            api_version="2022-04-01",
        ),
    ),
    fields={
        "scope": derived(text(same="arm_id")),
        "role": described("A built-in role by name, or any role's GUID or ARM id.", text()),
        "roleDefinitionId": described(
            "What role becomes; may be written instead.", immutable(text(same="arm_id"))
        ),
        "principal": described(
            "ManagedIdentity/x, Account/x, another resource with an identity, {ref: …}, or an "
            "object id.",
            text(),
        ),
        "principalId": described(
            "What principal becomes; may be written instead.", immutable(text(same="caseless"))
        ),
        "principalType": described(
            "A new one is for a ServicePrincipal.",
            immutable(
                text(
                    "User",
                    "Group",
                    "ServicePrincipal",
                    "ForeignGroup",
                    "Device",
                    "AgentUser",
                    "AgentServicePrincipal",
                )
            ),
        ),
        "description": text(),
        "condition": text(),
        "conditionVersion": text(),
        "delegatedManagedIdentityResourceId": text(same="arm_id"),
    },
    envelope=frozenset(),
    identity=("scope", "roleDefinitionId", "principalId"),
    list_query={"$filter": "atScope()"},
    # Most assignments of a subscription are other people's.
    report_unmanaged=False,
    prepare=prepare,
    # Without it Azure looks the principal up, and an identity just created is not found.
    initial={"principalType": "ServicePrincipal"},
    typical_s=2,
)
