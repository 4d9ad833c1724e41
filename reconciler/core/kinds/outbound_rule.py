"""Outbound rules of a managed network: what a locked-down workspace may reach.

https://learn.microsoft.com/azure/templates/microsoft.machinelearningservices/workspaces/outboundrules;
rules of other categories belong to the service:
https://learn.microsoft.com/azure/machine-learning/how-to-managed-network.
"""

from collections.abc import Mapping
from typing import Any

from reconciler.core.kinds.kind import Kind
from reconciler.core.kinds.shared import in_workspace
from reconciler.core.schema import (
    Field,
    Names,
    arm_id,
    boolean,
    computed,
    default,
    described,
    obj,
    required,
    text,
    variant,
)

STATUS = ("Inactive", "Active", "Provisioning", "Deleting", "Failed")

CASES: Mapping[str, Mapping[str, Field]] = {
    "FQDN": {
        "destination": described("A host name; the first such rule starts a firewall.", text())
    },
    "PrivateEndpoint": {
        "destination": obj(
            serviceResourceId=arm_id(
                "Account", "StorageAccount", "KeyVault", "ContainerRegistry", "Workspace", "Hub"
            ),
            subresourceTarget=text(),
            sparkEnabled=default(False, boolean()),
            sparkStatus=computed(text(*STATUS)),
        )
    },
    "ServiceTag": {
        "destination": obj(
            serviceTag=text(),
            protocol=text(),
            portRanges=text(),
            action=default("Allow", text("Allow", "Deny")),
        )
    },
}


COMMON: Mapping[str, Field] = {
    "type": required(text(*CASES)),
    "category": default(
        "UserDefined", text("Required", "Recommended", "UserDefined", "Dependency")
    ),
    "status": computed(text(*STATUS)),
}


def rule() -> Field:
    """One rule, as it stands inside ``managedNetwork.outboundRules`` of a workspace."""
    return variant("type", CASES, **COMMON)


def of_the_service(body: Mapping[str, Any]) -> bool:
    """Required, Dependency and Recommended rules come and go with the service."""
    category = body.get("properties", {}).get("category", "UserDefined")
    return str(category).lower() != "userdefined"


OUTBOUND_RULE = Kind(
    name="OutboundRule",
    title="Outbound rule",
    doc="Something that a workspace or hub with a managed network may reach.",
    places=in_workspace("outboundRules", "Hub", "Workspace"),
    names=Names(longest=80, hint="1 to 80 characters"),
    fields=COMMON,
    by="type",
    cases=CASES,
    foreign=of_the_service,
    lock="Microsoft.MachineLearningServices/workspaces",
    typical_s=60,
)
