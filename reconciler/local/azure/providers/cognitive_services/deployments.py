"""Microsoft.CognitiveServices/accounts/deployments: models that can be called.

Defaults as in public recordings of Azure/azure-service-operator (2025-06-01) and Azure/azure-cli;
https://learn.microsoft.com/azure/ai-foundry/openai/how-to/working-with-models
"""

from __future__ import annotations

import re
from collections import Counter
from typing import Any

from reconciler.local.azure import ids
from reconciler.local.azure.model import (
    JSON,
    Answer,
    ArmError,
    Cloud,
    Context,
    Reply,
    Resource,
    ResourceType,
)
from reconciler.local.azure.providers.cognitive_services.catalogue import (
    capabilities_of,
    is_retired,
    limit_of,
    models_in,
    rate_limits,
    usage_title,
)
from reconciler.local.azure.providers.cognitive_services.models import Model, Sku
from reconciler.local.azure.providers.cognitive_services.ready import (
    ACCOUNT,
    account_ready,
    invalid,
    not_found,
)
from reconciler.local.azure.providers.cognitive_services.versions import API_VERSIONS

DEPLOYMENT = f"{ACCOUNT}/deployments"
NAME = re.compile(r"^[\w.-]{2,64}$", re.ASCII)
AUTHORED = frozenset(
    [
        "model",
        "versionUpgradeOption",
        "raiPolicyName",
        "spilloverDeploymentName",
        "parentDeploymentName",
        "serviceTier",
        "deploymentState",
        "routing",
        "capacitySettings",
        "scaleSettings",
    ]
)
DEFAULT_POLICY = "Microsoft.DefaultV2"


def _account(ctx: Context) -> Resource:
    account = ctx.parent
    assert account is not None
    return account


def region_of(account: Resource) -> str:
    return ids.normal_location(str(account.body.get("location", "")))


def find_model(cloud: Cloud, region: str, kind: str, wanted: JSON) -> Model | None:
    """The catalogue's entry for a `model` block; without a version the default one."""
    version = wanted.get("version")
    found = [
        m
        for m in models_in(cloud, region)
        if m.name.lower() == str(wanted.get("name", "")).lower()
        and m.format.lower() == str(wanted.get("format", "")).lower()
        and kind in m.kinds
        and (not version or m.version == version)
    ]
    return next((m for m in found if m.default), found[-1] if found else None)


def _pick(ctx: Context, body: JSON) -> tuple[Model, Sku]:
    """The model and SKU that a body asks for, or the refusal. Codes and words: as users quote
    them in public trackers, unverified."""
    account = _account(ctx)
    wanted = (body.get("properties") or {}).get("model") or {}
    region = region_of(account)
    model = find_model(ctx.cloud, region, str(account.body.get("kind")), wanted)
    label = ", ".join(
        f"{k.capitalize()}: {wanted[k]}" for k in ("format", "name", "version") if wanted.get(k)
    )
    if model is None:
        raise ArmError(
            400,
            "DeploymentModelNotSupported",
            f"The model '{label}' of account deployment is not supported.",
        )
    if is_retired(ctx.cloud, model) and not _keeps_model(ctx, model):
        raise ArmError(
            400,
            "ServiceModelDeprecated",
            f"The model '{label}' of account deployment has been deprecated.",
        )
    sku = model.sku(str((body.get("sku") or {}).get("name", "")))
    if sku is None:
        raise invalid(
            f"The specified SKU '{(body.get('sku') or {}).get('name')}' for model "
            f"'{model.name} {model.version}' is not supported in this region '{region}'."
        )
    return model, sku


def _keeps_model(ctx: Context, model: Model) -> bool:
    before = (ctx.existing.properties.get("model") or {}) if ctx.existing else {}
    return bool(before.get("name") == model.name and before.get("version") == model.version)


def _validate(ctx: Context, body: JSON) -> None:
    if not NAME.match(ctx.name):  # the rule is unverified
        raise invalid(f"The deployment name '{ctx.name}' is invalid.")
    properties = body.get("properties") or {}
    if properties.get("scaleSettings") and ctx.api_version >= "2023-05-01":
        raise invalid("'scaleSettings' is no longer supported, use 'sku'.")
    model, sku = _pick(ctx, body)
    if ctx.existing is not None:
        _validate_change(ctx, ctx.existing, model, sku)
    capacity = _capacity(body)
    _validate_capacity(sku, capacity)
    policy = properties.get("raiPolicyName")
    if policy and ctx.cloud.find(f"{_account(ctx).id}/raiPolicies/{policy}") is None:
        raise invalid(f"The RAI policy '{policy}' does not exist.")
    _require_quota(ctx, sku, capacity)


def _validate_change(ctx: Context, present: Resource, model: Model, sku: Sku) -> None:
    """Model and SKU stay, as azurerm assumes; the setting allows what some SKUs can do."""
    before = present.properties.get("model") or {}
    same_model = (before.get("format"), before.get("name")) == (model.format, model.name)
    same_sku = str(present.body["sku"]["name"]).lower() == sku.name.lower()
    if not (same_model and same_sku) and not ctx.setting("deployment.allow_model_change", False):
        raise invalid(f"The model and the SKU of the deployment '{ctx.name}' cannot be changed.")


def _capacity(body: JSON) -> int:
    return int((body.get("sku") or {}).get("capacity") or 1)


def _validate_capacity(sku: Sku, capacity: int) -> None:
    low, step = sku.minimum or 1, sku.step or 1
    if capacity < low or capacity > sku.maximum or (capacity - low) % step:
        raise invalid(
            f"The capacity {capacity} of SKU '{sku.name}' is not supported: it must be between "
            f"{low} and {sku.maximum} in steps of {step}."
        )


# Quota


def usage_of(cloud: Cloud, deployment: Resource) -> tuple[str, str, str]:
    """Which quota a deployment uses: subscription, region and usage name (remembered)."""
    known = deployment.secret.get("usage")
    if known is None:
        account = cloud.find(deployment.id.rsplit("/", 2)[0])
        region = region_of(account) if account else ""
        kind = str(account.body.get("kind")) if account else ""
        model = find_model(cloud, region, kind, deployment.properties.get("model") or {})
        sku = model.sku(str(deployment.body["sku"]["name"])) if model else None
        known = [deployment.id.split("/")[2].lower(), region, sku.usage if sku else ""]
        deployment.secret["usage"] = known
    return known[0], known[1], known[2]


def used(cloud: Cloud, subscription: str, region: str, usage: str) -> int:
    """How much of a quota is taken."""
    return _totals(cloud)[subscription.lower(), region, usage]


def _totals(cloud: Cloud) -> Counter[tuple[str, str, str]]:
    """What is taken of every quota: counted once, then kept up to date by `_complete`."""
    memo = cloud.memo(DEPLOYMENT)
    if "totals" not in memo:
        totals: Counter[tuple[str, str, str]] = Counter()
        for deployment in cloud.of_type(DEPLOYMENT):
            totals[usage_of(cloud, deployment)] += _capacity(deployment.body)
        memo["totals"] = totals
    found: Counter[tuple[str, str, str]] = memo["totals"]
    return found


def taken(cloud: Cloud, subscription: str, region: str) -> Counter[str]:
    """By usage name, what is taken of the quotas of one region."""
    wanted = (subscription.lower(), region)
    return Counter({key[2]: n for key, n in _totals(cloud).items() if key[:2] == wanted})


def _account_for(ctx: Context, sku: Sku, capacity: int) -> None:
    totals = _totals(ctx.cloud)
    if ctx.existing is not None:
        totals[usage_of(ctx.cloud, ctx.existing)] -= _capacity(ctx.existing.body)
    totals[ctx.id.subscription.lower(), region_of(_account(ctx)), sku.usage] += capacity


def _require_quota(ctx: Context, sku: Sku, capacity: int) -> None:
    region = region_of(_account(ctx))
    limit = limit_of(ctx.cloud, region, sku.usage)
    now = used(ctx.cloud, ctx.id.subscription, region, sku.usage)
    before = _capacity(ctx.existing.body) if ctx.existing else 0
    new = capacity - before
    if new > 0 and now + new > limit:
        title = usage_title(sku.usage)
        raise ArmError(  # quoted in microsoft/PubSec-Info-Assistant issue 880
            400,
            "InsufficientQuota",
            f"This operation require {new} new capacity in quota {title}, which is bigger than "
            f"the current available capacity {max(0, limit - now)}. The current quota usage is "
            f"{now} and the quota limit is {limit} for quota {title}.",
        )


# Bodies


def _complete(ctx: Context, body: JSON) -> JSON:
    model, sku = _pick(ctx, body)
    capacity = _capacity(body)
    sent = body.get("properties") or {}
    properties = {k: v for k, v in sent.items() if k in AUTHORED and v is not None}
    wanted = {**properties["model"], "format": model.format, "name": model.name}
    properties["model"] = {**wanted, "version": model.version}
    properties.setdefault("versionUpgradeOption", "OnceNewDefaultVersionAvailable")
    policy = ctx.setting("deployment.default_policy", DEFAULT_POLICY)
    if policy and model.format == "OpenAI":
        properties.setdefault("raiPolicyName", policy)
    properties["currentCapacity"] = capacity
    properties["capabilities"] = capabilities_of(model)
    if rates := rate_limits(sku, capacity):
        properties["rateLimits"] = rates
    full: JSON = {"sku": {**body["sku"], "capacity": capacity}, "properties": properties}
    if body.get("tags") is not None:
        full["tags"] = body["tags"]
    _account_for(ctx, sku, capacity)
    return full


def _secret(ctx: Context, body: JSON) -> JSON:
    _, sku = _pick(ctx, body)
    return {"usage": [ctx.id.subscription.lower(), region_of(_account(ctx)), sku.usage]}


def _turn(state: str) -> Any:
    def act(_: Context, deployment: Resource, __: Any) -> Reply:
        deployment.properties["deploymentState"] = state
        deployment.changed()
        return Reply(200, deployment.body)

    return act


def _skus(ctx: Context, deployment: Resource, _: Any) -> Reply:
    account = _account(ctx)
    wanted = deployment.properties.get("model") or {}
    model = find_model(ctx.cloud, region_of(account), str(account.body.get("kind")), wanted)
    found = [
        {
            "resourceType": DEPLOYMENT,
            "sku": {"name": sku.name},
            "capacity": {
                "maximum": sku.maximum,
                "minimum": sku.minimum or 1,
                "scaleType": "Manual",
            },
        }
        for sku in (model.skus if model else ())
    ]
    return Reply(200, {"value": found})


DEPLOYMENTS = ResourceType(
    name=DEPLOYMENT,
    api_versions=API_VERSIONS,
    put=Answer(created=201, duration_s=2.0),
    patch=Answer(),
    delete=Answer(body="none", duration_s=2.0),
    lock=ACCOUNT,
    ready=account_ready,
    validate=_validate,
    complete=_complete,
    secret=_secret,
    missing=not_found,
    actions={"pause": _turn("Paused"), "resume": _turn("Running")},
    views={"skus": _skus},
    has_etag=True,
    tracked=False,
)
