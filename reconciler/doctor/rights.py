"""Who may do what, from Azure's own words: pure.

https://learn.microsoft.com/azure/role-based-access-control/role-definitions
"""

import base64
import json
import re
from collections.abc import Iterable, Mapping, Sequence
from functools import lru_cache
from typing import Any, Final

from reconciler.core.arm import resource_group_of, subscription_of, type_of
from reconciler.core.kinds import KINDS
from reconciler.core.model import Resource

ROLES: Final = "Microsoft.Authorization/roleAssignments"
GROUPS: Final = "Microsoft.Resources/subscriptions/resourceGroups"
"""Actions on groups are spelled so, though the type is ``Microsoft.Resources/resourceGroups``."""

type Permission = Mapping[str, Any]
"""What one role grants: ``actions`` without ``notActions``."""


def allowed(permissions: Iterable[Permission], action: str) -> bool:
    """Whether any role grants an action. What one role leaves out, another may still grant."""
    return any(
        _named(one.get("actions"), action) and not _named(one.get("notActions"), action)
        for one in permissions
    )


def _named(patterns: Any, action: str) -> bool:
    listed = patterns if isinstance(patterns, list) else []
    return any(_pattern(str(one)).fullmatch(action) for one in listed)


@lru_cache(maxsize=512)
def _pattern(text: str) -> re.Pattern[str]:
    """``*`` stands for anything, also across slashes; letter case never counts."""
    return re.compile(".*".join(re.escape(part) for part in text.split("*")), re.IGNORECASE)


def arm_type_of(resource: Resource) -> str:
    """The ARM type of a resource, as actions are named after it."""
    kind = KINDS[resource.key.kind]
    found = type_of(resource.arm_id) if resource.arm_id else kind.arm_type
    return GROUPS if found.lower() == "microsoft.resources/resourcegroups" else found


def by_group(resources: Sequence[Resource], home: str) -> dict[str, set[str]]:
    """The ARM types that are declared in each resource group, by the group's id; what has no id
    yet is counted to ``home``."""
    found: dict[str, set[str]] = {}
    for one in resources:
        group = resource_group_of(one.arm_id)
        place = f"/subscriptions/{subscription_of(one.arm_id)}/resourceGroups/{group}"
        found.setdefault(place if group else home, set()).add(arm_type_of(one))
    return found


def claims(token: str) -> Mapping[str, str]:
    """``oid``, ``appid`` and ``tid`` of an access token, unverified; what cannot be read is left
    out.

    https://learn.microsoft.com/entra/identity-platform/access-token-claims-reference
    """
    body = token.split(".")[1] if token.count(".") == 2 else ""
    try:
        found = json.loads(base64.urlsafe_b64decode(body + "=" * (-len(body) % 4)))
    except ValueError:
        return {}
    if not isinstance(found, dict):
        return {}
    told = {"oid": found.get("oid"), "appid": found.get("appid") or found.get("azp")}
    told["tid"] = found.get("tid")
    return {name: str(value)[:64] for name, value in told.items() if value}
