"""Shapes and places that several kinds share."""

from collections.abc import Mapping
from typing import Any

from reconciler.core.kinds.kind import Document, Part, Place
from reconciler.core.schema import (
    Field,
    Scalar,
    arm_id,
    array,
    boolean,
    default,
    described,
    integer,
    mapping,
    obj,
    required,
    text,
)

COGNITIVE_SERVICES = "2026-03-01"
"""The version that hashicorp/terraform-provider-azurerm calls (internal/services/cognitive)."""
MACHINE_LEARNING = "2025-06-01"
"""As above, internal/services/machinelearning."""
MACHINE_LEARNING_NEW = "2025-12-01"
"""For what only it has: Entra authentication of serverless endpoints, newer connection fields."""

ACCOUNT_LOCK = "Microsoft.CognitiveServices/accounts"
"""Two writes at once below one account give 409 RequestConflict:
https://github.com/hashicorp/terraform-provider-azurerm/issues/22607."""
ENDPOINT_LOCK = "Microsoft.MachineLearningServices/workspaces/onlineEndpoints"
"""A deployment is refused while its endpoint is updating:
https://github.com/Azure/azure-sdk-for-net/issues/36961."""

ML_AUDIENCE = "https://ml.azure.com/.default"
"""Entra scope of the Machine Learning data plane:
https://learn.microsoft.com/azure/machine-learning/how-to-authenticate-online-endpoint."""

GUID = r"^[0-9a-fA-F]{8}-([0-9a-fA-F]{4}-){3}[0-9a-fA-F]{12}$"


def in_resource_group(arm_type: str, api_version: str) -> tuple[Place, ...]:
    place = Place(
        field="resourceGroup", parent="ResourceGroup", arm_type=arm_type, api_version=api_version
    )
    return (place,)


def on_account(child: str) -> tuple[Place, ...]:
    arm_type = f"Microsoft.CognitiveServices/accounts/{child}"
    place = Place(
        field="account", parent="Account", arm_type=arm_type, api_version=COGNITIVE_SERVICES
    )
    return (place,)


def in_workspace(child: str, *kinds: str, api_version: str = MACHINE_LEARNING) -> tuple[Place, ...]:
    """Below a workspace of one of ``kinds``; the field is called as the kind is."""
    arm_type = f"Microsoft.MachineLearningServices/workspaces/{child}"
    return tuple(
        Place(field=kind.lower(), parent=kind, arm_type=arm_type, api_version=api_version)
        for kind in kinds
    )


BOTH = "SystemAssigned, UserAssigned"


def identity(*also: str) -> Field:
    """A managed identity; services differ in the blank between two types."""
    types = ("None", "SystemAssigned", "UserAssigned", *also)
    # Saying "None" is how one is given up; services answer it as "None" or as no identity at all.
    kind = Field(shape=Scalar(values=types, same="identity"), required=True, default="None")
    ids = mapping(obj(), caseless=True, shared=False, refers=("ManagedIdentity",))
    return obj(
        type=kind,
        userAssignedIdentities=described("Names or ARM ids of the identities, each with {}.", ids),
    )


TIERS = ("Free", "Basic", "Standard", "Premium")


def sku(*names: str, tiers: tuple[str, ...] = TIERS) -> Field:
    """The common SKU of ARM: services fill in what is not sent."""
    return obj(
        name=required(text(*names)),
        tier=text(*tiers),
        size=text(),
        family=text(),
        capacity=integer(),
    )


def network_acls() -> Field:
    """Who may reach a resource from the network; a rule that is not declared is a difference."""
    return obj(
        defaultAction=text("Allow", "Deny"),
        bypass=text("None", "AzureServices"),
        ipRules=array(obj(value=required(text())), key=("value",)),
        virtualNetworkRules=array(
            obj(
                id=required(arm_id()),
                ignoreMissingVnetServiceEndpoint=default(False, boolean()),
            ),
            key=("id",),
        ),
    )


def string_map() -> Field:
    """Texts by name; the service writes names of its own into it and those are left alone."""
    return mapping(text())


def guid() -> Field:
    return text(pattern=GUID, same="caseless")


def secret_ref_key(key: str) -> Field:
    """What the ``keys`` part of a document holds."""
    return obj(
        keyVault=required(arm_id("KeyVault")),
        secretName=required(text(pattern=r"^[0-9a-zA-Z-]+$", longest=127)),
        key=described(f"Which key; {key} when left out.", text()),
    )


def keys_part(kind: str, key: str, *parents: str) -> Part:
    """``keys: {keyVault, secretName, key}``: a key of the resource, kept as a Key Vault secret."""

    def make(document: Document) -> Document:
        spec: Mapping[str, Any] = document["spec"]
        wanted = spec["keys"]
        parent = next((spec[name] for name in parents if name in spec), None)
        owner = "/".join((kind, *parent_name(parent), document["metadata"]["name"]))
        source = {"keysOf": owner, "name": wanted.get("key", key)}
        return {
            "apiVersion": document.get("apiVersion"),
            "kind": "Secret",
            "metadata": {"name": wanted["secretName"]},
            "spec": {"keyVault": wanted["keyVault"], "value": {"secret": source}},
        }

    shape = described("Store a key of it in a Key Vault, for its users.", secret_ref_key(key))
    return Part(field="keys", shape=shape, make=make)


def parent_name(parent: object) -> tuple[str, ...]:
    """The parent as the first part of a reference; nothing where the name alone must do."""
    if not isinstance(parent, str) or parent.startswith("/"):
        return ()
    return (parent.rpartition("/")[2],)
