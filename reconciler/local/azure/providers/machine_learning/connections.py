"""Connections of a workspace, and its managed network's outbound rules.

Connections answer 200 even when they are new, never show credentials, and have an error shape of
their own. Source: the recordings named in `common`; outbound rules are unrecorded and follow
https://learn.microsoft.com/rest/api/azureml/managed-network-settings/rule.
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
    WORKSPACE,
    WORKSPACE_WAIT,
    offset_time,
    place_of,
    sent_properties,
    workspace,
)

_DEFAULTS: JSON = {
    "group": "Azure",
    "useWorkspaceManagedIdentity": False,
    "isSharedToAll": False,
    "sharedUserList": [],
    "peRequirement": "NotRequired",
    "peStatus": "NotApplicable",
    "error": None,
    "metadata": {},
}
_HIDDEN = ("credentials", "value", "valueFormat")


def _complete(ctx: Context, body: JSON) -> JSON:
    sent = {k: v for k, v in sent_properties(body).items() if k not in _HIDDEN}
    shown = {} if sent.get("authType") in ("None", "AAD") else {"credentials": None}
    owner = {"createdByWorkspaceArmId": ctx.id.ancestor(1)}
    properties = {"authType": "None", **shown, **_DEFAULTS, **owner, **sent, "expiryTime": None}
    return {"tags": None, "location": None, "properties": properties}


def _secret(ctx: Context, body: JSON) -> JSON:
    sent = body.get("properties") or {}
    return {k: sent[k] for k in _HIDDEN if sent.get(k) is not None}


def _select(ctx: Context, found: Iterable[Resource]) -> Iterable[Resource]:
    asked = {k: ctx.query[k].lower() for k in ("category", "target") if ctx.query.get(k)}
    return [c for c in found if all(str(c.properties.get(k)).lower() == asked[k] for k in asked)]


def _missing(ctx: Context) -> ArmError:
    place = place_of(ctx)
    message = f"Connection {ctx.name} can't be found in this workspace"
    nothing = ("severity", "messageFormat", "messageParameters", "referenceCode", "detailsUri")
    error: JSON = {
        "code": "UserError",
        "message": message,
        **dict.fromkeys((*nothing, "target", "debugInfo", "additionalInfo")),
        "details": [],
        "innerError": {"code": "NotFoundError", "innerError": None},
    }
    body = {
        "error": error,
        "correlation": {"operation": ctx.cloud.hex(32), "request": ctx.cloud.hex(16)},
        "environment": place,
        "location": place,
        "time": offset_time(ctx.cloud.now()),
        "componentName": "account-rp",
    }
    return ArmError(404, "UserError", message, body=body)


def _list_secrets(ctx: Context, connection: Resource, _: object) -> Reply:
    shown = {**connection.body, "properties": {**connection.properties, **connection.secret}}
    return Reply(200, shown)


CONNECTION = ResourceType(
    name=f"{WORKSPACE}/connections",
    api_versions=API_VERSIONS,
    put=Answer(created=200, updated=200),
    patch=Answer(),
    delete=Answer(body="none", absent=204),
    complete=_complete,
    secret=_secret,
    select=_select,
    missing=_missing,
    actions={"listsecrets": _list_secrets},
    has_state=False,
    tracked=False,
)


# Outbound rules


def _check_rule(ctx: Context, body: JSON) -> None:
    home = workspace(ctx)
    network = home.properties.get("managedNetwork") or {} if home else {}
    if network.get("isolationMode", "Disabled") == "Disabled":
        raise ArmError(  # the code is unverified
            400, "BadRequest", "The workspace has no managed network: its isolation is Disabled."
        )


def _complete_rule(ctx: Context, body: JSON) -> JSON:
    return {
        "properties": {"category": "UserDefined", "status": "Inactive", **sent_properties(body)}
    }


OUTBOUND_RULE = ResourceType(
    name=f"{WORKSPACE}/outboundRules",
    api_versions=API_VERSIONS,
    put=Answer(created=202, updated=202, body="none", wait=WORKSPACE_WAIT, duration_s=20),
    delete=Answer(updated=202, body="none", wait=WORKSPACE_WAIT, duration_s=20, absent=204),
    lock=WORKSPACE,
    validate=_check_rule,
    complete=_complete_rule,
    has_state=False,
    has_system_data=False,
    tracked=False,
)
