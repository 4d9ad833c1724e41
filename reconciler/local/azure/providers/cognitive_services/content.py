"""Content filters and blocklists: accounts/raiPolicies, accounts/raiBlocklists and their items.

Shapes from public recordings of Azure/azure-powershell (TestRai, 2024-10-01); filter names from
https://learn.microsoft.com/azure/ai-foundry/openai/concepts/content-filter
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from reconciler.local.azure.model import (
    JSON,
    Answer,
    ArmError,
    AsyncStyle,
    Context,
    Reply,
    Resource,
    ResourceType,
    Route,
)
from reconciler.local.azure.providers.cognitive_services.ready import (
    ACCOUNT,
    account_ready,
    invalid,
    not_found,
)
from reconciler.local.azure.providers.cognitive_services.versions import API_VERSIONS

POLICY = f"{ACCOUNT}/raiPolicies"
BLOCKLIST = f"{ACCOUNT}/raiBlocklists"
ITEM = f"{BLOCKLIST}/raiBlocklistItems"
LEVELS = ("Hate", "Sexual", "Violence", "Selfharm")
SINGLE = {
    "Jailbreak": "Prompt",
    "IndirectAttack": "Prompt",
    "ProtectedMaterialText": "Completion",
    "ProtectedMaterialCode": "Completion",
    "Profanity": "",
}
BLOCKLIST_NAME = re.compile(r"^[a-zA-Z0-9_-]{2,64}$")
STATUS_URL = (
    "/subscriptions/{subscription}/providers/Microsoft.CognitiveServices/locations/{location}"
    "/operationResults/{operation}?api-version={api_version}"
)
REMOVE = AsyncStyle(
    status_url=STATUS_URL, location_url=STATUS_URL + "&operationResultResponseType=Location"
)
DELETE = Answer(updated=202, body="none", wait=REMOVE, duration_s=5.0)


def _leveled(threshold: str) -> list[JSON]:
    return [
        {
            "name": name,
            "severityThreshold": threshold,
            "blocking": True,
            "enabled": True,
            "source": source,
        }
        for name in LEVELS
        for source in ("Prompt", "Completion")
    ]


def _single(name: str, source: str, blocking: bool) -> JSON:
    return {"name": name, "blocking": blocking, "enabled": True, "source": source}


def _system(*more: JSON) -> JSON:
    filters = [*_leveled("Medium"), *more]
    return {"type": "SystemManaged", "mode": "Blocking", "contentFilters": filters}


SHIELDS = (
    _single("Jailbreak", "Prompt", True),
    _single("Protected Material Text", "Completion", True),
    _single("Protected Material Code", "Completion", False),
)
SYSTEM_POLICIES: Mapping[str, JSON] = {
    "Microsoft.Default": _system(),
    "Microsoft.DefaultV2": _system(*SHIELDS),
    "Microsoft.Audio": _system(),
    "Microsoft.Nil": {"type": "SystemManaged", "mode": "Blocking", "contentFilters": []},
    "Microsoft.Streaming": _system(),
    "Microsoft.Reasoning": _system(*SHIELDS),
}


def _is_system(name: str) -> bool:
    return name.lower() in {known.lower() for known in SYSTEM_POLICIES}


def _validate_policy(ctx: Context, body: JSON) -> None:
    if _is_system(ctx.name):  # that they cannot be changed is documented, the words are not
        raise invalid(f"The system managed policy '{ctx.name}' cannot be changed.")
    properties = body.get("properties") or {}
    base = properties.get("basePolicyName")
    before = ctx.existing.properties.get("basePolicyName") if ctx.existing else None
    if before and base and before != base:  # azurerm replaces; the refusal is unverified
        raise invalid(f"The base policy '{before}' of '{ctx.name}' cannot be changed.")
    for entry in properties.get("contentFilters") or ():
        _validate_filter(entry)
    for entry in properties.get("customBlocklists") or ():
        name = str(entry.get("blocklistName"))
        if ctx.cloud.find(f"{ctx.id.ancestor(1)}/raiBlocklists/{name}") is None:
            raise invalid(f"The blocklist '{name}' does not exist.")


def _validate_filter(entry: JSON) -> None:
    """Names must be known, and only the four harm categories have levels."""
    name = str(entry.get("name", "")).replace(" ", "")
    leveled = name.lower() in {level.lower() for level in LEVELS}
    if not leveled and name.lower() not in {known.lower() for known in SINGLE}:
        raise invalid(f"The content filter '{entry.get('name')}' is not supported.")
    if not leveled and entry.get("severityThreshold"):
        raise invalid(f"The content filter '{entry.get('name')}' has no severity threshold.")


def _complete_policy(_: Context, body: JSON) -> JSON:
    properties = {k: v for k, v in (body.get("properties") or {}).items() if v is not None}
    properties.pop("type", None)
    if not properties.get("customBlocklists"):
        properties.pop("customBlocklists", None)
    tags = {"tags": body["tags"]} if body.get("tags") is not None else {}
    return {**tags, "properties": properties}


def _unused_policy(ctx: Context, policy: Resource) -> None:
    if _is_system(policy.name):
        raise invalid(f"The system managed policy '{policy.name}' cannot be deleted.")
    for deployment in ctx.cloud.children(ctx.id.ancestor(1), "deployments"):
        used = str(deployment.properties.get("raiPolicyName", ""))
        if used.lower() == policy.name.lower():  # status and code are unverified
            raise ArmError(
                409,
                "RaiPolicyInUse",
                f"The policy '{policy.name}' is used by the deployment '{deployment.name}'.",
            )


POLICIES = ResourceType(
    name=POLICY,
    api_versions=API_VERSIONS,
    put=Answer(created=201, duration_s=1.0),
    delete=DELETE,
    lock=ACCOUNT,
    ready=account_ready,
    validate=_validate_policy,
    complete=_complete_policy,
    before_delete=_unused_policy,
    missing=not_found,
    has_state=False,
    has_etag=True,
    tracked=False,
)


def _validate_blocklist(ctx: Context, _: JSON) -> None:
    if not BLOCKLIST_NAME.match(ctx.name):
        raise invalid(f"The blocklist name '{ctx.name}' is invalid.")


def _complete_blocklist(ctx: Context, body: JSON) -> JSON:
    properties = {k: v for k, v in (body.get("properties") or {}).items() if v is not None}
    if ctx.type is BLOCKLISTS:
        properties.setdefault("acsVersion", 0)
    tags = {"tags": body["tags"]} if body.get("tags") is not None else {}
    return {**tags, "properties": properties}


def _unused_blocklist(ctx: Context, blocklist: Resource) -> None:
    for policy in ctx.cloud.children(ctx.id.ancestor(1), "raiPolicies"):
        for entry in policy.properties.get("customBlocklists") or ():
            if str(entry.get("blocklistName", "")).lower() == blocklist.name.lower():
                raise ArmError(  # status and code are unverified
                    409,
                    "RaiBlocklistInUse",
                    f"The blocklist '{blocklist.name}' is used by the policy '{policy.name}'.",
                )


def _add_items(ctx: Context, blocklist: Resource, body: Any) -> Reply:
    for entry in body if isinstance(body, list) else ():
        item_id = f"{blocklist.id}/raiBlocklistItems/{entry['name']}"
        etag = f'"{ctx.cloud.guid()}"'
        ctx.cloud.insert(item_id, {"properties": entry.get("properties") or {}, "etag": etag})
    return Reply(200, blocklist.body)


def _delete_items(ctx: Context, blocklist: Resource, body: Any) -> Reply:
    for name in body if isinstance(body, list) else ():
        ctx.cloud.remove(f"{blocklist.id}/raiBlocklistItems/{name}")
    return Reply(204)


BLOCKLISTS = ResourceType(
    name=BLOCKLIST,
    api_versions=API_VERSIONS,
    put=Answer(created=201, duration_s=1.0),
    delete=DELETE,
    lock=ACCOUNT,
    ready=account_ready,
    validate=_validate_blocklist,
    complete=_complete_blocklist,
    before_delete=_unused_blocklist,
    missing=not_found,
    actions={"addRaiBlocklistItems": _add_items, "deleteRaiBlocklistItems": _delete_items},
    has_state=False,
    has_etag=True,
    tracked=False,
)
ITEMS = ResourceType(
    name=ITEM,
    api_versions=API_VERSIONS,
    put=Answer(created=201, duration_s=0.5),
    delete=DELETE,
    lock=ACCOUNT,
    ready=account_ready,
    complete=_complete_blocklist,
    missing=not_found,
    has_state=False,
    has_etag=True,
    has_system_data=False,
    tracked=False,
    next_link_at_end="",
)


def _filter_body(scope: str, name: str) -> JSON:
    spaced = re.sub(r"(?<=[a-z])(?=[A-Z])", " ", name)
    properties: JSON = {"name": spaced, "isMultiLevelFilter": name in LEVELS}
    if SINGLE.get(name):
        properties["source"] = SINGLE[name]
    kind = "Microsoft.CognitiveServices/locations/raiContentFilters"
    return {"id": f"{scope}/{name}", "type": kind, "name": name, "properties": properties}


def _list_filters(ctx: Context, captured: Mapping[str, str], _: Any) -> Reply:
    scope = (
        f"/subscriptions/{captured['subscription']}/providers/Microsoft.CognitiveServices"
        f"/locations/{captured['location']}/raiContentFilters"
    )
    return Reply(200, {"value": [_filter_body(scope, name) for name in (*LEVELS, *SINGLE)]})


ROUTES = (
    Route(
        method="GET",
        path="/subscriptions/{subscription}/providers/Microsoft.CognitiveServices"
        "/locations/{location}/raiContentFilters",
        handler=_list_filters,
    ),
)
