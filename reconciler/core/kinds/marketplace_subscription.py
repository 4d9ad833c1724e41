"""Marketplace subscriptions: the offer of a partner's model, accepted for one project.

https://learn.microsoft.com/azure/ai-foundry/how-to/deploy-models-serverless.
"""

from reconciler.core.kinds.kind import Kind
from reconciler.core.kinds.shared import in_workspace
from reconciler.core.schema import Names, described, immutable, required, text

SUBSCRIPTION_NAMES = Names(
    pattern=r"^[a-zA-Z0-9][a-zA-Z0-9_-]*$",
    longest=255,
    hint="letters, digits, '_' or '-', starting with a letter or digit",
)

MARKETPLACE_SUBSCRIPTION = Kind(
    name="MarketplaceSubscription",
    title="Marketplace subscription",
    doc="Accepts the terms of a partner's model offer; its serverless endpoints depend on it.",
    places=in_workspace("marketplaceSubscriptions", "Project", "Workspace"),
    names=SUBSCRIPTION_NAMES,
    fields={
        "modelId": described(
            "azureml://registries/{registry}/models/{model}, without a version.",
            required(
                immutable(text(same="caseless", pattern=r"^azureml://registries/[^/]+/models/"))
            ),
        ),
    },
    outputs={
        "properties.marketplaceSubscriptionStatus": "Subscribed, Suspended or Unsubscribed",
        "properties.marketplacePlan.publisherId": "publisher of the accepted offer",
        "properties.marketplacePlan.offerId": "the accepted offer",
        "properties.marketplacePlan.planId": "the accepted plan",
    },
    typical_s=30,
)
