"""Serverless endpoints: models as a service, paid by token.

https://learn.microsoft.com/azure/ai-foundry/how-to/deploy-models-serverless; states:
https://learn.microsoft.com/azure/templates/microsoft.machinelearningservices/workspaces/serverlessendpoints.
"""

from reconciler.core.kinds.kind import Document, Kind, Part, Probe
from reconciler.core.kinds.shared import (
    BOTH,
    MACHINE_LEARNING_NEW,
    ML_AUDIENCE,
    identity,
    in_workspace,
    keys_part,
    sku,
)
from reconciler.core.schema import (
    Names,
    boolean,
    default,
    described,
    immutable,
    location,
    obj,
    required,
    tags,
    text,
)


def accepted_terms(document: Document) -> Document:
    """The marketplace subscription that ``marketplace: {acceptTerms: true}`` stands for.

    Raises ValueError when the terms are not accepted in so many words.
    """
    spec = document["spec"]
    if spec["marketplace"].get("acceptTerms") is not True:
        raise ValueError(
            "marketplace.acceptTerms must be true: creating the subscription accepts the "
            "publisher's terms; leave marketplace out for models that Azure sells itself"
        )
    settings = spec.get("modelSettings")
    model = settings.get("modelId") if isinstance(settings, dict) else None
    parents = {name: spec[name] for name in ("project", "workspace") if name in spec}
    name = document["metadata"]["name"]
    return {
        "apiVersion": document.get("apiVersion"),
        "kind": "MarketplaceSubscription",
        "metadata": {"name": spec["marketplace"].get("name", name)},
        "spec": {**parents, "modelId": model},
    }


URL = "{properties.inferenceEndpoint.uri}/v1/chat/completions"

SERVERLESS_ENDPOINT = Kind(
    name="ServerlessEndpoint",
    title="Serverless API endpoint",
    doc="A catalogue model behind an endpoint of its own, without machines to size.",
    places=in_workspace(
        "serverlessEndpoints", "Project", "Workspace", api_version=MACHINE_LEARNING_NEW
    ),
    names=Names(
        pattern=r"^[a-zA-Z][a-zA-Z0-9-]*$",
        longest=52,
        hint="1 to 52 letters, digits or '-', starting with a letter",
    ),
    fields={
        "location": location(),
        "sku": described("A new one gets Consumption.", sku("Consumption")),
        "kind": text(),
        "identity": identity(BOTH),
        "tags": tags(),
        "authMode": described(
            "A new one gets Key; AAD means Entra ID only.", text("Key", "AAD", "KeyAndAAD")
        ),
        "modelSettings": required(
            obj(
                modelId=described(
                    "azureml://registries/{registry}/models/{model}; the newest version is what "
                    "is deployed, whatever version is named.",
                    required(immutable(text(same="caseless", pattern=r"^azureml://"))),
                )
            )
        ),
        "contentSafety": obj(
            contentSafetyStatus=required(default("Enabled", text("Enabled", "Disabled")))
        ),
    },
    outputs={
        "properties.inferenceEndpoint.uri": "base URL of the model",
        "properties.endpointState": "Online when it serves",
        "properties.marketplaceSubscriptionId": "the subscription that pays for it",
    },
    endpoint="properties.inferenceEndpoint.uri",
    healthy={"endpointState": "Online"},
    initial={"sku": {"name": "Consumption"}, "authMode": "Key"},
    parts=(
        Part(
            field="marketplace",
            shape=described(
                "Accept a partner's terms, so that the endpoint can be created.",
                obj(acceptTerms=required(boolean()), name=text()),
            ),
            make=accepted_terms,
            first=True,
        ),
        keys_part("ServerlessEndpoint", "primaryKey", "project", "workspace"),
    ),
    # Which audience such an endpoint takes with Entra ID is unverified.
    probe=Probe(
        url=URL,
        keys=("listKeys", "primaryKey"),
        modes={"AAD": Probe(url=URL, audience=ML_AUDIENCE)},
    ),
    typical_s=90,
)
