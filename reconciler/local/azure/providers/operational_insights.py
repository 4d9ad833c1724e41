"""Microsoft.OperationalInsights: Log Analytics workspaces.

The shape is that of https://learn.microsoft.com/rest/api/loganalytics/workspaces; no traffic of
this provider was at hand, so the status codes, the synchronous answer and the defaults below are
unverified. The fourteen days of soft delete are not emulated.
"""

from __future__ import annotations

from reconciler.local.azure.model import (
    JSON,
    Answer,
    Context,
    Provider,
    Reply,
    Resource,
    ResourceType,
)
from reconciler.local.azure.providers.identities import assigned

_DEFAULTS: JSON = {
    "sku": {"name": "PerGB2018"},
    "retentionInDays": 30,
    "publicNetworkAccessForIngestion": "Enabled",
    "publicNetworkAccessForQuery": "Enabled",
}


def _complete(ctx: Context, body: JSON) -> JSON:
    before = ctx.existing.properties if ctx.existing else {}
    now = ctx.timestamp()
    sent = {k: v for k, v in (body.get("properties") or {}).items() if v is not None}
    answer = {k: v for k, v in body.items() if k in ("location", "etag")}
    if identity := assigned(ctx, body.get("identity")):
        answer["identity"] = identity
    return answer | {
        "tags": body.get("tags") or {},
        "properties": _DEFAULTS
        | sent
        | {
            "customerId": before.get("customerId") or ctx.cloud.guid(),
            "createdDate": before.get("createdDate") or now,
            "modifiedDate": now,
        },
    }


def _shared_keys(ctx: Context, workspace: Resource, _: object) -> Reply:
    keys = workspace.secret
    for name in ("primarySharedKey", "secondarySharedKey"):
        keys.setdefault(name, ctx.cloud.hex(64))
    return Reply(200, dict(keys))


PROVIDER = Provider(
    namespace="Microsoft.OperationalInsights",
    types=(
        ResourceType(
            name="Microsoft.OperationalInsights/workspaces",
            api_versions=("2020-08-01", "2021-06-01", "2022-10-01", "2023-09-01", "2025-02-01"),
            put=Answer(created=201, updated=200),
            patch=Answer(),
            delete=Answer(body="none", absent=204),
            complete=_complete,
            actions={"sharedKeys": _shared_keys},
            has_etag=True,
            has_system_data=False,
        ),
    ),
)
