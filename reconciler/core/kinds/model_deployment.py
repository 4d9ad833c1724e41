"""Model deployments on an Azure OpenAI or Foundry account.

What changes in place and what replaces: hashicorp/terraform-provider-azurerm,
internal/services/cognitive; upgrade options:
https://learn.microsoft.com/azure/ai-foundry/openai/how-to/working-with-models.
"""

from reconciler.core.kinds.kind import Kind, Place, Probe, Quota
from reconciler.core.schema import (
    Names,
    arm_id,
    computed,
    default,
    immutable,
    integer,
    obj,
    required,
    tags,
    text,
)

MODEL_DEPLOYMENT = Kind(
    name="ModelDeployment",
    title="Model deployment",
    doc="A model of the catalogue under a name that clients call.",
    places=(
        Place(
            field="account",
            parent="Account",
            arm_type="Microsoft.CognitiveServices/accounts/deployments",
            api_version="2026-03-01",
        ),
    ),
    names=Names(
        pattern=r"^[a-zA-Z0-9][a-zA-Z0-9_.-]*$",
        shortest=2,
        longest=64,
        hint="2 to 64 letters, digits, '_', '.' or '-'",
    ),
    fields={
        "sku": required(
            obj(
                name=required(
                    immutable(
                        text(
                            "Standard",
                            "GlobalStandard",
                            "DataZoneStandard",
                            "ProvisionedManaged",
                            "GlobalProvisionedManaged",
                            "DataZoneProvisionedManaged",
                            "GlobalBatch",
                            "DataZoneBatch",
                        )
                    )
                ),
                capacity=default(1, integer(lowest=0)),
            )
        ),
        "model": required(
            obj(
                format=required(immutable(text(same="caseless"))),
                name=required(immutable(text(same="caseless"))),
                version=computed(text()),
                publisher=text(same="caseless"),
                source=immutable(arm_id()),
                sourceAccount=immutable(arm_id("Account")),
            )
        ),
        "versionUpgradeOption": default(
            "OnceNewDefaultVersionAvailable",
            text("OnceNewDefaultVersionAvailable", "OnceCurrentVersionExpired", "NoAutoUpgrade"),
        ),
        "raiPolicyName": text(same="caseless"),
        "tags": tags(),
    },
    outputs={"properties.model.version": "the version that is deployed"},
    lock="Microsoft.CognitiveServices/accounts",
    probe=Probe(
        url="{parent.properties.endpoint}openai/deployments/{name}/chat/completions"
        "?api-version=2024-10-21",
        audience="https://cognitiveservices.azure.com/.default",
    ),
    quota=Quota(pool=("sku.name", "model.format", "model.name"), amount="sku.capacity"),
    typical_s=3,
)
