"""ARM ids as text: taking them apart, comparing them, finding parents.

The grammar is Azure Resource Manager's:
https://learn.microsoft.com/azure/azure-resource-manager/management/resource-name-rules.
"""

from collections.abc import Iterator
from functools import lru_cache


@lru_cache(maxsize=65536)
def type_of(arm_id: str) -> str:
    """The resource type of an id: ``Microsoft.X/a/b``, as spelled in the id."""
    _, marker, tail = arm_id.rpartition("/providers/")
    if not marker:
        depth = arm_id.count("/")
        return "Microsoft.Resources/" + ("resourceGroups" if depth > 2 else "subscriptions")
    namespace, *rest = tail.split("/")
    return "/".join([namespace, *rest[::2]])


def names_of(arm_id: str) -> tuple[str, ...]:
    """The names after the last provider of an id, parents first; a group by its own name."""
    _, marker, tail = arm_id.rpartition("/providers/")
    return tuple(tail.split("/")[2::2]) if marker else (arm_id.rpartition("/")[2],)


def resource_group_of(arm_id: str) -> str:
    """The resource group an id lies in; "" above one."""
    parts = arm_id.split("/")
    lowered = [part.lower() for part in parts[:4]]
    return parts[4] if len(parts) > 4 and lowered[3] == "resourcegroups" else ""


def subscription_of(arm_id: str) -> str:
    parts = arm_id.split("/")
    return parts[2] if len(parts) > 2 and parts[1].lower() == "subscriptions" else ""


def collection_of(arm_id: str) -> str:
    """The path of the listing that a resource appears in."""
    return arm_id.rpartition("/")[0]


def parent_of(arm_id: str) -> str:
    """The id of what a resource lives in: its parent resource, its group, or its scope."""
    above = collection_of(arm_id)
    head, marker, tail = above.rpartition("/providers/")
    if marker and tail.count("/") == 1:
        return head
    return above.rpartition("/")[0]


def parents_of(arm_id: str) -> Iterator[str]:
    """What a resource lives in, nearest first, up to its resource group."""
    here = parent_of(arm_id)
    while here.count("/") >= 4:
        yield here
        here = parent_of(here)


def ancestor_of(arm_id: str, arm_type: str) -> str:
    """The part of an id that names the ancestor (or itself) of a type, lower-cased; "" if none."""
    wanted = arm_type.lower()
    here = arm_id
    while here.count("/") > 2:
        if type_of(here).lower() == wanted:
            return here.lower()
        here = parent_of(here)
    return ""
