"""Microsoft.Network: private endpoints and their DNS zone groups.

The shape is that of https://learn.microsoft.com/rest/api/virtualnetwork/private-endpoints; the
networks they are in, and the style and durations of the operations, are not emulated from
recordings: unverified.
"""

from __future__ import annotations

from reconciler.local.azure.model import (
    JSON,
    Answer,
    ArmError,
    AsyncStyle,
    Context,
    Provider,
    ResourceType,
)

ENDPOINT = "Microsoft.Network/privateEndpoints"
_VERSIONS = ("2022-07-01", "2023-11-01", "2024-01-01", "2024-05-01", "2025-01-01")
_STATUS = (
    "/subscriptions/{subscription}/providers/Microsoft.Network/locations/{location}"
    "/operations/{operation}?api-version={api_version}"
)
_RESULTS = _STATUS.replace("/operations/", "/operationResults/")
_PUT = AsyncStyle(status_url=_STATUS)
_DELETE = AsyncStyle(status_url=_STATUS, location_url=_RESULTS, retry_after_s=10)
_APPROVED = {"status": "Approved", "description": "Auto-approved", "actionsRequired": "None"}
_CONNECTIONS = ("privateLinkServiceConnections", "manualPrivateLinkServiceConnections")


def _validate(ctx: Context, body: JSON) -> None:
    """The target must be ready: https://github.com/DefangLabs/pulumi-defang/issues/274."""
    for connection in _asked(body):
        target = ctx.cloud.find(str(connection["properties"].get("privateLinkServiceId", "")))
        if target is not None and not target.settled:
            raise ArmError(
                400,
                "AccountProvisioningStateInvalid",
                f"Call to {target.type.namespace} failed. Error message: Account {target.id} in "
                f"state {target.state}",
            )


def _asked(body: JSON) -> list[JSON]:
    sent = body.get("properties") or {}
    return [c for name in _CONNECTIONS for c in sent.get(name) or () if c.get("properties")]


def _complete(ctx: Context, body: JSON) -> JSON:
    sent = {k: v for k, v in (body.get("properties") or {}).items() if v is not None}
    connections = [
        {
            **c,
            "id": f"{ctx.id.text}/privateLinkServiceConnections/{c.get('name', ctx.name)}",
            "properties": {
                **(c.get("properties") or {}),
                "privateLinkServiceConnectionState": _APPROVED,
                "provisioningState": "Succeeded",
            },
        }
        for c in sent.get("privateLinkServiceConnections") or ()
    ]
    return {
        "location": body.get("location", ""),
        "tags": body.get("tags") or {},
        "properties": {
            "manualPrivateLinkServiceConnections": [],
            "customDnsConfigs": [],
            "applicationSecurityGroups": [],
            "ipConfigurations": [],
            "customNetworkInterfaceName": "",
            **sent,
            "privateLinkServiceConnections": connections,
        },
    }


PROVIDER = Provider(
    namespace="Microsoft.Network",
    types=(
        ResourceType(
            name=ENDPOINT,
            api_versions=_VERSIONS,
            put=Answer(created=201, updated=200, wait=_PUT, updating="Updating", duration_s=30),
            delete=Answer(updated=202, body="none", wait=_DELETE, duration_s=15, absent=204),
            lock=ENDPOINT,
            validate=_validate,
            complete=_complete,
            has_etag=True,
            has_system_data=False,
        ),
        ResourceType(
            name=f"{ENDPOINT}/privateDnsZoneGroups",
            api_versions=_VERSIONS,
            put=Answer(created=201, updated=200, wait=_PUT, duration_s=10),
            delete=Answer(updated=202, body="none", wait=_DELETE, duration_s=10, absent=204),
            lock=ENDPOINT,
            has_etag=True,
            has_system_data=False,
            tracked=False,
        ),
    ),
)
