"""Serverless endpoints, and the marketplace subscriptions that partners' models need first.

No traffic of these types is recorded: the flow follows
https://learn.microsoft.com/azure/ai-foundry/how-to/deploy-models-serverless, the shapes the
published types, and the refusal github.com/pulumi/pulumi-azure-native issue 3687. Durations and
the style of the operations are unverified.
"""

from __future__ import annotations

import re

from reconciler.local.azure.model import (
    JSON,
    Answer,
    ArmError,
    Context,
    Resource,
    ResourceType,
)
from reconciler.local.azure.providers.identities import assigned
from reconciler.local.azure.providers.machine_learning.common import (
    API_VERSIONS,
    MFE_DELETE,
    MFE_PATCH,
    MFE_PUT,
    WORKSPACE,
    place_of,
    sent_properties,
    user_error,
    word,
    workspace,
)
from reconciler.local.azure.providers.machine_learning.online import (
    busy,
    list_keys,
    missing,
    regenerate_keys,
)

SUBSCRIPTION = f"{WORKSPACE}/marketplaceSubscriptions"
ENDPOINT = f"{WORKSPACE}/serverlessEndpoints"
# Models of these registries are sold by Azure itself, those of PARTNERS through the marketplace.
# Beyond DeepSeek and Cohere, which the article names, the split is unverified.
SOLD_BY_AZURE = frozenset({"azureml", "azureml-deepseek", "azureml-xai"})
PARTNERS = frozenset(
    {
        "azureml-ai21",
        "azureml-bria",
        "azureml-cohere",
        "azureml-core42",
        "azureml-gretel",
        "azureml-meta",
        "azureml-mistral",
        "azureml-nixtla",
        "azureml-nttdata",
        "azureml-stabilityai",
    }
)
_MODEL = re.compile(r"azureml://registries/([^/]+)/models/([^/]+)(?:/versions/[^/]+)?/?$", re.I)


def _model(ctx: Context, model_id: str) -> tuple[str, str]:
    """Registry and name; refuses what is nobody's offer."""
    match = _MODEL.match(model_id)
    registry = match[1].lower() if match else ""
    if match is None or registry not in SOLD_BY_AZURE | PARTNERS:
        raise _no_offer(ctx, model_id)
    return registry, match[2]


def _no_offer(ctx: Context, model_id: str) -> ArmError:
    message = f"No serverless offer was found for the model {model_id}."
    return user_error(ctx, 400, message, inner="ServerlessOfferNotFound")


def _same_model(one: str, other: str) -> bool:
    """The version says nothing: the newest is always served."""
    return [p.lower() for p in _parts(one)] == [p.lower() for p in _parts(other)]


def _parts(model_id: str) -> list[str]:
    match = _MODEL.match(model_id)
    return [match[1], match[2]] if match else [model_id]


# Marketplace subscriptions


def _validate_subscription(ctx: Context, body: JSON) -> None:
    registry, _ = _model(ctx, str(sent_properties(body).get("modelId", "")))
    if registry in SOLD_BY_AZURE:
        raise _no_offer(ctx, str(sent_properties(body)["modelId"]))


def _complete_subscription(ctx: Context, body: JSON) -> JSON:
    model_id = sent_properties(body)["modelId"]
    registry, name = _model(ctx, model_id)
    publisher = registry.removeprefix("azureml-")
    plan = {
        "publisherId": publisher,
        "offerId": f"{publisher}-{name.lower()}-offer",
        "planId": f"{name.lower()}-plan",
    }
    return {
        "properties": {
            "modelId": model_id,
            "marketplacePlan": plan,
            "marketplaceSubscriptionStatus": "Subscribed",
        }
    }


def _unsubscribed(ctx: Context, subscription: Resource) -> None:
    """Endpoints of a model whose subscription goes stop being healthy."""
    owner = subscription.id.rsplit("/", 2)[0]
    for endpoint in ctx.cloud.children(owner, "serverlessEndpoints"):
        if endpoint.properties.get("marketplaceSubscriptionId") == subscription.id:
            endpoint.properties["endpointState"] = "Suspended"
            endpoint.changed()


SUBSCRIPTION_TYPE = ResourceType(
    name=SUBSCRIPTION,
    api_versions=API_VERSIONS,
    put=Answer(created=201, updated=200, wait=MFE_PUT, duration_s=20),
    delete=Answer(updated=202, body="null", wait=MFE_DELETE, duration_s=10, absent=204),
    validate=_validate_subscription,
    complete=_complete_subscription,
    deleted=_unsubscribed,
    tracked=False,
)


# Endpoints


def _validate(ctx: Context, body: JSON) -> None:
    model_id = _model_id(body)
    registry, _ = _model(ctx, model_id)
    if ctx.existing is not None and not _same_model(model_id, _model_id(ctx.existing.body)):
        raise user_error(ctx, 400, "The model of a serverless endpoint cannot be changed.")
    if registry in PARTNERS and _subscription(ctx, model_id) is None:
        raise _no_offer(ctx, model_id)


def _model_id(body: JSON) -> str:
    settings = (body.get("properties") or {}).get("modelSettings") or {}
    return str(settings.get("modelId", ""))


def _subscription(ctx: Context, model_id: str) -> Resource | None:
    home = workspace(ctx)
    held = ctx.cloud.children(home.id, "marketplaceSubscriptions") if home else ()
    return next(
        (s for s in held if s.settled and _same_model(s.properties["modelId"], model_id)), None
    )


def _complete(ctx: Context, body: JSON) -> JSON:
    sent = sent_properties(body)
    before = ctx.existing.properties if ctx.existing else {}
    bought = _subscription(ctx, _model_id(body))
    properties: JSON = {
        "contentSafety": {"contentSafetyStatus": "Enabled"},
        **sent,
        "authMode": word(sent.get("authMode") or "Key", "Key", "AAD", "KeyAndAAD"),
        "endpointState": before.get("endpointState", "Creating"),
        **{k: before[k] for k in ("inferenceEndpoint",) if k in before},
        **({"marketplaceSubscriptionId": bought.id} if bought else {}),
    }
    answer: JSON = {
        "location": body.get("location") or place_of(ctx),
        "tags": body.get("tags") or {},
        "sku": body.get("sku") or {"name": "Consumption"},
        "properties": properties,
    }
    if body.get("kind"):
        answer["kind"] = body["kind"]
    if identity := assigned(ctx, body.get("identity")):
        answer["identity"] = identity
    return answer


def _settled(ctx: Context, endpoint: Resource, verb: str) -> None:
    place = str(endpoint.body.get("location", "")).replace(" ", "").lower()
    uri = ctx.data_url("serverless", place, endpoint.name).rstrip("/")
    endpoint.properties["inferenceEndpoint"] = {"uri": uri, "headers": {}}
    endpoint.properties["endpointState"] = "Online"


ENDPOINT_TYPE = ResourceType(
    name=ENDPOINT,
    api_versions=API_VERSIONS,
    put=Answer(created=201, updated=200, wait=MFE_PUT, duration_s=30),
    patch=Answer(updated=202, body="null", wait=MFE_PATCH, duration_s=10),
    delete=Answer(updated=202, body="null", wait=MFE_DELETE, duration_s=10, absent=204),
    lock=ENDPOINT,
    lock_error=busy,
    validate=_validate,
    complete=_complete,
    settled=_settled,
    missing=missing,
    actions={"listKeys": list_keys, "regenerateKeys": regenerate_keys},
)
