"""Fields that online and batch endpoints and their deployments share.

https://learn.microsoft.com/azure/templates/microsoft.machinelearningservices/workspaces/onlineendpoints.
"""

from collections.abc import Mapping

from reconciler.core.kinds.shared import BOTH, identity, sku, string_map
from reconciler.core.schema import (
    Field,
    Names,
    arm_id,
    default,
    duration,
    immutable,
    integer,
    location,
    mapping,
    obj,
    required,
    tags,
    text,
)

ENDPOINT_NAMES = Names(
    pattern=r"^[a-zA-Z]([-a-zA-Z0-9]*[a-zA-Z0-9])?$",
    shortest=3,
    longest=32,
    hint="3 to 32 letters, digits or '-', starting with a letter and not ending in '-'",
)

ENVELOPE: Mapping[str, Field] = {
    "location": location(),
    "identity": identity(BOTH),
    "sku": sku(),
    "kind": text(),
    "tags": tags(),
}


def endpoint_fields() -> dict[str, Field]:
    return {
        **ENVELOPE,
        "authMode": required(text("Key", "AMLToken", "AADToken")),
        "description": text(),
        # "Can be added, but not removed or altered": the service writes its own names here.
        "properties": string_map(),
    }


def deployment_fields() -> dict[str, Field]:
    return {
        "environmentId": immutable(arm_id("MLEnvironment")),
        "environmentVariables": mapping(text(), shared=False),
        "codeConfiguration": immutable(
            obj(codeId=arm_id(), scoringScript=required(text(shortest=1)))
        ),
        "description": text(),
        "properties": string_map(),
    }


def probe(initial_delay: str = "PT10S") -> Field:
    """How the platform asks a container whether it lives; defaults as the service answers them."""
    return obj(
        failureThreshold=default(30, integer()),
        successThreshold=default(1, integer()),
        timeout=default("PT2S", duration()),
        period=default("PT10S", duration()),
        initialDelay=default(initial_delay, duration()),
    )
