"""Microsoft.Insights: Application Insights components and autoscale settings.

Source: https://learn.microsoft.com/rest/api/application-insights/components,
https://learn.microsoft.com/rest/api/monitor/autoscale-settings and the traffic recorded by
github.com/Azure/azure-service-operator and github.com/Azure/azure-cli.
"""

from __future__ import annotations

import re
from typing import Any

from reconciler.local.azure.model import JSON, Answer, Context, Provider, ResourceType

_COMPONENT_WORDS = (
    "Application_Type",
    "Flow_Type",
    "Request_Source",
    "HockeyAppId",
    "SamplingPercentage",
    "RetentionInDays",
    "DisableIpMasking",
    "ImmediatePurgeDataOn30Days",
    "WorkspaceResourceId",
    "IngestionMode",
    "publicNetworkAccessForIngestion",
    "publicNetworkAccessForQuery",
    "DisableLocalAuth",
    "ForceCustomerStorageForProfiler",
)
_CANONICAL = {word.lower(): word for word in _COMPONENT_WORDS}
_ZERO_MILLISECONDS = re.compile(r"(T\d\d:\d\d:\d\d)\.0+Z$")


def _spell(ctx: Context) -> tuple[str, str, str]:
    """Ids come back with the namespace in lower case; the two types differ in their own name."""
    answered_type = {
        "components": "microsoft.insights/components",
        "autoscalesettings": "Microsoft.Insights/autoscaleSettings",
    }[ctx.id.types[0].lower()]
    collection = ctx.id.types[0].lower()
    scope = ctx.id.text.partition("/providers/")[0]
    text = f"{scope}/providers/microsoft.insights/{collection}/{ctx.name}"
    return text, ctx.name, answered_type


# Components


def _complete_component(ctx: Context, body: JSON) -> JSON:
    """Properties may be sent in any case and come back as Application Insights spells them."""
    sent = {_CANONICAL.get(k.lower(), k): v for k, v in (body.get("properties") or {}).items()}
    answer = {k: body[k] for k in ("kind", "location") if k in body}
    return answer | {
        "tags": body.get("tags") or {},
        "properties": _component_properties(ctx, {k: v for k, v in sent.items() if v is not None}),
    }


def _component_properties(ctx: Context, sent: JSON) -> JSON:
    before = ctx.existing.properties if ctx.existing else {}
    key = before.get("InstrumentationKey") or ctx.cloud.guid()
    workspace = sent.get("WorkspaceResourceId") or before.get("WorkspaceResourceId")
    if workspace is None and ctx.setting("insights.managed_workspace", True):
        workspace = _managed_workspace(ctx)
    linked = {"WorkspaceResourceId": workspace} if workspace else {}
    return {
        "ApplicationId": ctx.name,
        "AppId": before.get("AppId") or ctx.cloud.guid(),
        "Application_Type": "web",
        "Flow_Type": None,
        "Request_Source": None,
        "InstrumentationKey": key,
        "ConnectionString": f"InstrumentationKey={key}",
        "Name": ctx.name,
        "CreationDate": before.get("CreationDate") or ctx.timestamp(),
        "TenantId": ctx.cloud.tenant,
        "SamplingPercentage": None,
        "RetentionInDays": 90,
        "IngestionMode": "LogAnalytics" if workspace else "ApplicationInsights",
        "publicNetworkAccessForIngestion": "Enabled",
        "publicNetworkAccessForQuery": "Enabled",
        "Ver": "v2",
        **linked,
        **{k: v for k, v in sent.items() if k != "WorkspaceResourceId"},
        **({"Retention": f"P{sent['RetentionInDays']}D"} if "RetentionInDays" in sent else {}),
    }


def _managed_workspace(ctx: Context) -> str:
    """Since 2025 a component made without a workspace gets one of its own, unasked."""
    group = f"ai_{ctx.name}_{ctx.cloud.guid()}_managed"
    return (
        f"/subscriptions/{ctx.id.subscription}/resourceGroups/{group}/providers"
        f"/Microsoft.OperationalInsights/workspaces/managed-{ctx.name}-ws"
    )


def _merge_tags(ctx: Context, body: JSON) -> JSON:
    """PATCH of a component knows only tags."""
    assert ctx.existing is not None
    return {**ctx.existing.body, "tags": body.get("tags") or {}}


# Autoscale settings


def _complete_autoscale(ctx: Context, body: JSON) -> JSON:
    sent = _same_instants(body.get("properties") or {})
    policy = {"scaleMode": "Disabled", "scaleLookAheadTime": None}
    return {
        "location": body.get("location", ""),
        "tags": body.get("tags") or {},
        "properties": {
            "profiles": [_profile(p) for p in sent.get("profiles") or ()],
            # Absent means off here, which surprises: every setting made without it was disabled.
            "enabled": bool(sent.get("enabled", False)),
            "name": sent.get("name") or ctx.name,
            "targetResourceUri": sent.get("targetResourceUri"),
            **{k: sent[k] for k in ("targetResourceLocation",) if sent.get(k)},
            "notifications": _notifications(sent.get("notifications")),
            "predictiveAutoscalePolicy": policy | (sent.get("predictiveAutoscalePolicy") or {}),
        },
    }


def _profile(profile: JSON) -> JSON:
    capacity = {k: str(v) for k, v in (profile.get("capacity") or {}).items()}
    return {**profile, "capacity": capacity, "rules": [_rule(r) for r in profile.get("rules", ())]}


def _rule(rule: JSON) -> JSON:
    trigger: JSON = {"metricNamespace": "", "dimensions": None, "dividePerInstance": False}
    trigger |= rule.get("metricTrigger") or {}
    if isinstance(trigger.get("threshold"), int):
        trigger["threshold"] = float(trigger["threshold"])
    action = dict(rule.get("scaleAction") or {})
    if action.get("value") is not None:
        action["value"] = str(action["value"])
    return {"metricTrigger": trigger, "scaleAction": action}


def _notifications(sent: list[JSON] | None) -> list[JSON] | None:
    return None if sent is None else [_notification(n) for n in sent]


def _notification(sent: JSON) -> JSON:
    quiet = {
        "sendToSubscriptionAdministrator": False,
        "sendToSubscriptionCoAdministrators": False,
    }
    email = {"email": quiet | sent["email"]} if sent.get("email") else {}
    return {**sent, "operation": "Scale", **email}


def _same_instants(value: Any) -> Any:
    """Times lose a fraction of zeros: 00:00:00.000Z comes back as 00:00:00Z."""
    if isinstance(value, dict):
        return {k: _same_instants(v) for k, v in value.items()}
    if isinstance(value, list):
        return [_same_instants(v) for v in value]
    return _ZERO_MILLISECONDS.sub(r"\1Z", value) if isinstance(value, str) else value


PROVIDER = Provider(
    namespace="Microsoft.Insights",
    types=(
        ResourceType(
            name="Microsoft.Insights/components",
            api_versions=("2015-05-01", "2020-02-02-preview", "2020-02-02"),
            put=Answer(created=200, updated=200),
            patch=Answer(),
            delete=Answer(body="none", absent=204),
            complete=_complete_component,
            merge=_merge_tags,
            spell=_spell,
            has_etag=True,
            has_system_data=False,
            next_link_at_end="null",
        ),
        ResourceType(
            name="Microsoft.Insights/autoscaleSettings",
            api_versions=("2015-04-01", "2021-05-01-preview", "2022-10-01"),
            put=Answer(created=201, updated=200),
            patch=Answer(),
            delete=Answer(body="none", absent=204),
            complete=_complete_autoscale,
            spell=_spell,
            has_state=False,
            has_system_data=False,
        ),
    ),
)
