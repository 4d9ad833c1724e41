"""Shapes that several kinds share."""

from reconciler.core.schema import (
    Field,
    Scalar,
    arm_id,
    array,
    boolean,
    default,
    mapping,
    obj,
    required,
    text,
)


def identity() -> Field:
    """A managed identity; services differ in the blank between two types."""
    kind = Field(
        shape=Scalar(
            values=("None", "SystemAssigned", "UserAssigned", "SystemAssigned, UserAssigned"),
            same="identity",
        ),
        required=True,
    )
    return obj(type=kind, userAssignedIdentities=mapping(obj(), caseless=True, shared=False))


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
