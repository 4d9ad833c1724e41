"""Microsoft.ContainerRegistry: registries.

The shape is that of https://learn.microsoft.com/rest/api/container-registry/registries; no traffic
of this type was at hand, so the style of the operation and the defaults below are unverified.
"""

from __future__ import annotations

import re

from reconciler.local.azure.model import (
    JSON,
    Answer,
    ArmError,
    AsyncStyle,
    Context,
    Provider,
    Resource,
    ResourceType,
)
from reconciler.local.azure.providers.identities import assigned

REGISTRY = "Microsoft.ContainerRegistry/registries"
_NAME = re.compile(r"[a-zA-Z0-9]{5,50}")
_WAIT = AsyncStyle(
    status_url="/subscriptions/{subscription}/resourceGroups/{group}/providers"
    "/Microsoft.ContainerRegistry/locations/{location}/operationStatuses"
    "/registries-{operation}?api-version={api_version}",
)
_DEFAULTS: JSON = {
    "adminUserEnabled": False,
    "anonymousPullEnabled": False,
    "dataEndpointEnabled": False,
    "dataEndpointHostNames": [],
    "privateEndpointConnections": [],
    "publicNetworkAccess": "Enabled",
    "networkRuleBypassOptions": "AzureServices",
    "zoneRedundancy": "Disabled",
}


def _validate(ctx: Context, body: JSON) -> None:
    if not _NAME.fullmatch(ctx.name):
        raise ArmError(400, "InvalidResourceName", f"The registry name {ctx.name} is not valid.")
    others: list[Resource] = [
        r for r in ctx.cloud.of_type(REGISTRY) if r.name.lower() == ctx.name.lower()
    ]
    if ctx.existing is None and others:
        raise ArmError(409, "AlreadyInUse", f"The registry DNS name {ctx.name} is already in use.")


def _complete(ctx: Context, body: JSON) -> JSON:
    before = ctx.existing.properties if ctx.existing else {}
    sent = {k: v for k, v in (body.get("properties") or {}).items() if v is not None}
    sku = (body.get("sku") or {}).get("name", "Basic")
    answer: JSON = {
        "location": body.get("location", ""),
        "tags": body.get("tags") or {},
        "sku": {"name": sku, "tier": sku},
        "properties": {
            **_DEFAULTS,
            **sent,
            "loginServer": f"{ctx.name.lower()}.azurecr.io",
            "creationDate": before.get("creationDate") or ctx.timestamp(),
        },
    }
    if identity := assigned(ctx, body.get("identity"), spaced=True):
        answer["identity"] = identity
    return answer


PROVIDER = Provider(
    namespace="Microsoft.ContainerRegistry",
    types=(
        ResourceType(
            name=REGISTRY,
            api_versions=("2023-07-01", "2023-11-01-preview", "2025-04-01", "2025-11-01"),
            put=Answer(created=201, updated=200, wait=_WAIT, wait_on_update=False, duration_s=10),
            patch=Answer(),
            delete=Answer(body="none", absent=204),
            validate=_validate,
            complete=_complete,
        ),
    ),
)
