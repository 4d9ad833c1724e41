"""ARM ids: taking them apart, and the indexes' spelling of them."""

from __future__ import annotations

from functools import lru_cache
from urllib.parse import unquote

from reconciler.local.azure.model import ResourceId

RESOURCES = "Microsoft.Resources"


@lru_cache(maxsize=65536)
def parse(path: str) -> ResourceId | None:
    """The id of a resource or collection, or None when the path is not one.

    A resource group counts as `Microsoft.Resources/resourceGroups`.
    """
    segments = [unquote(s) for s in path.strip("/").split("/")]
    lower = [s.lower() for s in segments]
    subscription = segments[1] if lower[0] == "subscriptions" and len(segments) > 1 else ""
    in_group = len(lower) > 3 and lower[2] == "resourcegroups"
    group = segments[3] if in_group else ""
    if "providers" not in lower:
        return _group_id(path, segments, lower, subscription)
    at = len(lower) - 1 - lower[::-1].index("providers")
    if len(segments) < at + 3:
        return None
    namespace, rest = segments[at + 1], segments[at + 2 :]
    scope = "/" + "/".join(segments[:at]) if at else ""
    text = "/" + "/".join(segments)
    return ResourceId(
        text, scope, subscription, group, namespace, tuple(rest[0::2]), tuple(rest[1::2])
    )


def _group_id(
    path: str, segments: list[str], lower: list[str], subscription: str
) -> ResourceId | None:
    if len(segments) not in (3, 4) or lower[0] != "subscriptions" or lower[2] != "resourcegroups":
        return None
    group = segments[3] if len(segments) == 4 else ""
    names = (group,) if group else ()
    scope = f"/subscriptions/{subscription}"
    return ResourceId(
        "/" + "/".join(segments), scope, subscription, group, RESOURCES, ("resourceGroups",), names
    )


def key(arm_id: str) -> str:
    """The spelling under which an id is indexed."""
    return arm_id.strip("/").lower()


def above(lowered: str) -> tuple[str, str]:
    """For a key: its collection's path, and the key of what contains it."""
    collection, _, _ = lowered.rpartition("/")
    owner, _, _ = collection.rpartition("/")
    before, _, _ = owner.rpartition("/")
    if before.endswith("providers"):  # owner is only a namespace: go up to the scope
        owner = before.removesuffix("providers").rstrip("/")
    return collection, owner


def normal_location(location: str) -> str:
    """`East US 2` and `eastus2` are one place."""
    return location.replace(" ", "").lower()
