"""Model deployments on an Azure OpenAI or Foundry account.

What changes in place and what replaces: hashicorp/terraform-provider-azurerm,
internal/services/cognitive; upgrade options:
https://learn.microsoft.com/azure/ai-foundry/openai/how-to/working-with-models.
"""

from reconciler.core.kinds.kind import Kind, Probe, Quota
from reconciler.core.kinds.shared import ACCOUNT_LOCK, on_account
from reconciler.core.schema import (
    Field,
    Names,
    arm_id,
    array,
    computed,
    default,
    described,
    immutable,
    integer,
    name_of,
    obj,
    required,
    tags,
    text,
)


def _routed() -> Field:
    return obj(
        format=text(same="caseless"),
        name=text(same="caseless"),
        version=text(),
        publisher=text(same="caseless"),
        source=arm_id(),
        sourceAccount=arm_id("Account"),
    )


MODEL_DEPLOYMENT = Kind(
    name="ModelDeployment",
    title="Model deployment",
    doc="A model of the catalogue under a name that clients call.",
    places=on_account("deployments"),
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
                capacity=described(
                    "Thousands of tokens a minute, or provisioned throughput units (PTU).",
                    default(1, integer(lowest=0)),
                ),
                tier=text("Free", "Basic", "Standard", "Premium", "Enterprise"),
                size=text(),
                family=text(),
            )
        ),
        "model": required(
            obj(
                format=described(
                    "OpenAI, or the publisher of a Foundry model as the catalogue spells it.",
                    required(immutable(text(same="caseless"))),
                ),
                name=required(immutable(text(same="caseless"))),
                # The service upgrades by itself unless told NoAutoUpgrade.
                version=described("Quote it; it may look like a date.", computed(text())),
                publisher=text(same="caseless"),
                source=immutable(arm_id()),
                sourceAccount=immutable(arm_id("Account")),
            )
        ),
        "versionUpgradeOption": default(
            "OnceNewDefaultVersionAvailable",
            text("OnceNewDefaultVersionAvailable", "OnceCurrentVersionExpired", "NoAutoUpgrade"),
        ),
        # Filled in by the service: Microsoft.Default in documentation, DefaultV2 in recordings.
        "raiPolicyName": described(
            "A ContentFilter of the account, or Microsoft.DefaultV2.",
            default("Microsoft.DefaultV2", name_of("ContentFilter")),
        ),
        "spilloverDeploymentName": described(
            "The deployment that takes what a provisioned one cannot.", name_of("ModelDeployment")
        ),
        "parentDeploymentName": immutable(name_of("ModelDeployment")),
        "serviceTier": default("Default", text("Default", "Priority")),
        "deploymentState": default("Running", text("Running", "Paused")),
        "routing": described(
            "For model-router: what counts, and among which models.",
            obj(
                mode=text("cost", "balanced", "quality"),
                models=array(_routed(), key=("format", "name", "version")),
            ),
        ),
        "capacitySettings": obj(designatedCapacity=integer(lowest=0), priority=integer(lowest=0)),
        "tags": tags(),
    },
    outputs={"properties.model.version": "the version that is deployed"},
    lock=ACCOUNT_LOCK,
    probe=Probe(
        url="{parent.properties.endpoint}openai/deployments/{name}/chat/completions"
        "?api-version=2024-10-21",
        audience="https://cognitiveservices.azure.com/.default",
    ),
    quota=Quota(pool=("sku.name", "model.format", "model.name"), amount="sku.capacity"),
    typical_s=3,
)
