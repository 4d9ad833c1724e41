"""ARM ids of what is declared: how they are built, and what may stand in them.

https://learn.microsoft.com/azure/azure-resource-manager/management/resource-name-rules
"""

import re
from typing import Final

from reconciler.core import arm

_FORBIDDEN: Final = re.compile(r"[/\\?#%<>&\x00-\x1f\x7f]")
_SEGMENT: Final = r"[^/\\?#%<>&\s][^/\\?#%<>&\x00-\x1f\x7f]*"
_ARM_ID: Final = re.compile(
    rf"/subscriptions/{_SEGMENT}(/resourceGroups/{_SEGMENT})?"
    rf"(/providers/{_SEGMENT}(/{_SEGMENT}/{_SEGMENT})+)*"
    rf"|(/providers/{_SEGMENT}(/{_SEGMENT}/{_SEGMENT})+)+",
    re.IGNORECASE,
)


def is_arm_id(text: str) -> bool:
    """Whether a text has the form of a full ARM id."""
    if len(text) > 2048 or not {".", ".."}.isdisjoint(text.split("/")):
        return False
    return _ARM_ID.fullmatch(text) is not None


def group_id(subscription: str, group: str) -> str:
    return f"/subscriptions/{subscription}/resourceGroups/{group}"


def child_id(parent: str, parent_type: str, arm_type: str, name: str) -> str:
    """The id of ``name`` in a group, below a parent resource, or on a scope.

    A type two levels below its parent takes a name of two, ``name:version``. Raises ValueError
    when a name has not as many parts as its type asks for.
    """
    if not arm_type.lower().startswith(f"{parent_type}/".lower()):
        namespace, *types = arm_type.split("/")
        return f"{parent}/providers/{namespace}{_pairs(types, name)}"
    return parent + _pairs(arm_type[len(parent_type) + 1 :].split("/"), name)


def _pairs(types: list[str], name: str) -> str:
    names = [name] if len(types) == 1 else name.split(":")
    if len(names) != len(types):
        raise ValueError(f'"{name[:80]}" must be {len(types)} names with ":" between them')
    return "".join(f"/{one}/{part}" for one, part in zip(types, names, strict=True))


def front(parent: str, subscription: str, group: str) -> tuple[str, ...]:
    """What stands before a name in a key: parents' names, and the group's when it is another."""
    above = arm.subscription_of(parent), arm.resource_group_of(parent)
    inside = arm.names_of(parent) if "/providers/" in parent.lower() else ()
    if above[0].lower() != subscription.lower():
        return (*(one for one in above if one), *inside)
    if above[1].lower() != group.lower():
        return (*above[1:], *inside) if above[1] else inside
    return inside


def name_refusal(name: str) -> str:
    """Why a name cannot be part of any ARM id; "" when it can."""
    if name in ("", ".", ".."):
        return "that is no name"
    if name != name.strip():
        return "it has blanks at an end"
    found = _FORBIDDEN.search(name)
    return f"it holds the character {found.group()!r}" if found else ""
