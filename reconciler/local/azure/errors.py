"""The refusals of Azure Resource Manager itself (the gateway), as it words them.

Wordings: public recordings of Azure/azure-cli and Azure/azure-service-operator, and
https://learn.microsoft.com/azure/azure-resource-manager/troubleshooting/common-deployment-errors
"""

from __future__ import annotations

from collections.abc import Iterable

from reconciler.local.azure.model import ArmError, ResourceId

NOT_FOUND_HELP = "For more details please go to https://aka.ms/ARMResourceNotFoundFix"


def gateway(status: int, code: str, message: str) -> ArmError:
    return ArmError(status, code, message, cause="gateway")


def group_not_found(group: str) -> ArmError:
    return gateway(404, "ResourceGroupNotFound", f"Resource group '{group}' could not be found.")


def group_being_deleted(group: str) -> ArmError:
    return gateway(
        409,
        "ResourceGroupBeingDeleted",
        f"The resource group '{group}' is in deprovisioning state and cannot perform this "
        "operation.",
    )


def subscription_not_found(subscription: str) -> ArmError:
    return gateway(
        404, "SubscriptionNotFound", f"The subscription '{subscription}' could not be found."
    )


def resource_not_found(arm_id: ResourceId) -> ArmError:
    words = [arm_id.namespace]
    words += [word for pair in zip(arm_id.types, arm_id.names, strict=False) for word in pair]
    where = f" under resource group '{arm_id.group}'" if arm_id.group else ""
    return gateway(
        404,
        "ResourceNotFound",
        f"The Resource '{'/'.join(words)}'{where} was not found. {NOT_FOUND_HELP}",
    )


def parent_not_found(arm_id: ResourceId, parent: str, method: str) -> ArmError:
    verb = {"DELETE": "delete", "GET": "read"}.get(method, "write")
    return gateway(
        404,
        "ParentResourceNotFound",
        f"Failed to perform '{verb}' on resource(s) of type '{'/'.join(arm_id.types)}', because "
        f"the parent resource '{parent}' could not be found.",
    )


def missing_version() -> ArmError:
    return gateway(
        400,
        "MissingApiVersionParameter",
        "The api-version query parameter (?api-version=) is required for all requests.",
    )


def invalid_version(version: str, supported: Iterable[str]) -> ArmError:
    return gateway(
        400,
        "InvalidApiVersionParameter",
        f"The api-version '{version}' is invalid. The supported versions are "
        f"'{','.join(supported)}'.",
    )


def unknown_version(
    type_name: str, version: str, location: str, supported: Iterable[str]
) -> ArmError:
    _, _, name = type_name.partition("/")
    return gateway(
        400,
        "NoRegisteredProviderFound",
        f"No registered resource provider found for location '{location}' and API version "
        f"'{version}' for type '{name}'. The supported api-versions are "
        f"'{', '.join(supported)}'. The supported locations are ''.",
    )


def unknown_type(arm_id: ResourceId, version: str) -> ArmError:
    return gateway(
        404,
        "InvalidResourceType",
        f"The resource type '{'/'.join(arm_id.types)}' could not be found in the namespace "
        f"'{arm_id.namespace}' for api version '{version}'.",
    )


def unknown_namespace(namespace: str) -> ArmError:
    return gateway(
        404, "InvalidResourceNamespace", f"The resource namespace '{namespace}' is invalid."
    )


def unregistered(namespace: str) -> ArmError:
    return gateway(
        409,
        "MissingSubscriptionRegistration",
        f"The subscription is not registered to use namespace '{namespace}'. See "
        "https://aka.ms/rps-not-found for how to register subscriptions.",
    )


def wrong_location(arm_id: ResourceId, present: str, wanted: str) -> ArmError:
    return gateway(
        409,
        "InvalidResourceLocation",
        f"The resource '{arm_id.name}' already exists in location '{present}' in resource group "
        f"'{arm_id.group}'. A resource with the same name cannot be created in location "
        f"'{wanted}'. Please select a new resource name.",
    )


def bad_content(reason: str) -> ArmError:
    return gateway(
        400,
        "InvalidRequestContent",
        f"The request content was invalid and could not be deserialized: '{reason}'.",
    )


def bad_method(method: str) -> ArmError:
    return gateway(
        405, "MethodNotAllowed", f"The requested resource does not support http method '{method}'."
    )


def busy(parent_id: str) -> ArmError:
    """Two writes at once; quoted in hashicorp/terraform-provider-azurerm issue 22607."""
    return ArmError(
        409,
        "RequestConflict",
        f"Another operation is being performed on the parent resource '{parent_id}'. "
        "Please try again later.",
    )
