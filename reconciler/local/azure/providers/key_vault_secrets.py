"""Key Vault secrets: written through ARM or the data plane, one store for both.

Through ARM a value can be set and never read; every PUT that carries one makes a new version,
and there is no DELETE (https://learn.microsoft.com/rest/api/keyvault/keyvault/secrets). The data
plane is that of https://learn.microsoft.com/rest/api/keyvault/secrets, as far as secrets are
read, set and deleted. Who may do so is not emulated: any token for Key Vault will do.
"""

from __future__ import annotations

from urllib.parse import quote

from reconciler.local.azure.model import (
    JSON,
    Answer,
    Cloud,
    Context,
    DataRequest,
    DataRoute,
    Reply,
    Resource,
    ResourceType,
)

VAULT = "Microsoft.KeyVault/vaults"
SECRET = "Microsoft.KeyVault/vaults/secrets"  # noqa: S105 (a type, not a secret)
API_VERSIONS = (
    "2019-09-01",
    "2021-04-01-preview",
    "2021-10-01",
    "2022-07-01",
    "2023-02-01",
    "2023-07-01",
    "2024-11-01",
    "2025-05-01",
)
_KEPT = "key_vault.kept_secrets"
_AUDIENCE = "https://vault.azure.net"


# Through ARM


def _complete(ctx: Context, body: JSON) -> JSON:
    vault = ctx.parent
    assert vault is not None
    before = ctx.existing.properties if ctx.existing else {}
    sent = body.get("properties") or {}
    version = str(before.get("secretUriWithVersion", "")).rpartition("/")[2]
    if sent.get("value") is not None or not version:
        version = ctx.cloud.hex(32)
    return {
        "location": vault.body.get("location", ""),
        **({"tags": body["tags"]} if body.get("tags") is not None else {}),
        "properties": _properties(
            ctx.cloud, vault, ctx.name, version, sent, before.get("attributes") or {}
        ),
    }


def _properties(
    cloud: Cloud, vault: Resource, name: str, version: str, sent: JSON, before: JSON
) -> JSON:
    now = int(cloud.now())
    uri = f"{vault.properties['vaultUri'].rstrip('/')}/secrets/{quote(name)}"
    attributes = {
        "enabled": True,
        **{k: v for k, v in (sent.get("attributes") or {}).items() if v is not None},
        "created": before.get("created", now),
        "updated": now,
    }
    content = {"contentType": sent["contentType"]} if sent.get("contentType") else {}
    return {
        **content,
        "attributes": attributes,
        "secretUri": uri,
        "secretUriWithVersion": f"{uri}/{version}",
    }


def _secret(ctx: Context, body: JSON) -> JSON:
    """The values by version, the newest under "value"."""
    kept = dict(ctx.existing.secret) if ctx.existing else {"versions": {}}
    value = (body.get("properties") or {}).get("value")
    if value is not None:
        kept["value"] = value
    return kept


def _settled(ctx: Context, secret: Resource, verb: str) -> None:
    _remember_version(secret)


def _remember_version(secret: Resource) -> None:
    version = secret.properties["secretUriWithVersion"].rpartition("/")[2]
    versions = secret.secret.setdefault("versions", {})
    versions.setdefault(version, secret.secret.get("value"))


# A deleted vault keeps its secrets, and gets them back when it is recovered.


def _keep(ctx: Context, secret: Resource) -> None:
    kept = {"id": secret.id, "body": secret.body, "secret": secret.secret}
    ctx.cloud.state(_KEPT).setdefault(secret.id.split("/")[-3].lower(), []).append(kept)


def restore(cloud: Cloud, vault: str) -> None:
    """Put back what a deleted vault of that name held."""
    for kept in cloud.state(_KEPT).pop(vault.lower(), ()):
        cloud.insert(kept["id"], kept["body"], kept["secret"])


def forget(cloud: Cloud, vault: str) -> None:
    """Purge what a deleted vault of that name held."""
    cloud.state(_KEPT).pop(vault.lower(), None)


TYPE = ResourceType(
    name=SECRET,
    api_versions=API_VERSIONS,
    put=Answer(created=201, updated=200),
    patch=Answer(),
    delete=None,
    complete=_complete,
    secret=_secret,
    settled=_settled,
    deleted=_keep,
    has_state=False,
    has_system_data=False,
    tracked=False,
)


# The data plane


def _serve(cloud: Cloud, request: DataRequest) -> Reply:
    if request.audience.rstrip("/") != _AUDIENCE:
        challenge = (
            f'Bearer authorization="{cloud.base_url}/{cloud.tenant}", resource="{_AUDIENCE}"'
        )
        body = _error("Unauthorized", "AKV10000: Request is missing a Bearer or PoP token.")
        return Reply(401, body, {"WWW-Authenticate": challenge})
    vault = _vault(cloud, request.segments[0]) if request.segments else None
    if vault is None or request.segments[1:2] != ("secrets",):
        return Reply(404, _error("NotFound", "There is nothing at this address."))
    if len(request.segments) == 2:
        return _list(cloud, vault) if request.method == "GET" else _not_allowed()
    name = request.segments[2]
    if request.method == "PUT":
        return _set(cloud, vault, name, request.body or {})
    found = cloud.find(f"{vault.id}/secrets/{name}")
    if found is None:
        return Reply(404, _not_found(name))
    return _act(cloud, found, request)


def _act(cloud: Cloud, secret: Resource, request: DataRequest) -> Reply:
    if request.method == "DELETE":
        cloud.remove(secret.id)
        return Reply(200, _bundle(secret, None))
    if request.method != "GET":
        return _not_allowed()
    version = (request.segments[3:4] or ("",))[0]
    versions = secret.secret.get("versions", {})
    if version and version not in versions:
        return Reply(404, _not_found(secret.name))
    return Reply(200, _bundle(secret, versions[version] if version else secret.secret.get("value")))


def _set(cloud: Cloud, vault: Resource, name: str, sent: JSON) -> Reply:
    secret_id = f"{vault.id}/secrets/{name}"
    before = cloud.find(secret_id)
    old = before.properties.get("attributes", {}) if before else {}
    properties = _properties(cloud, vault, name, cloud.hex(32), sent, old)
    body = {"location": vault.body.get("location", ""), "properties": properties}
    if sent.get("tags") is not None:
        body["tags"] = sent["tags"]
    kept = {
        "value": sent.get("value"),
        "versions": dict(before.secret["versions"]) if before else {},
    }
    stored = cloud.insert(secret_id, body, kept)
    _remember_version(stored)
    return Reply(200, _bundle(stored, sent.get("value")))


def _list(cloud: Cloud, vault: Resource) -> Reply:
    found = [_bundle(s, None) for s in cloud.children(vault.id, "secrets")]
    for item in found:
        item["id"] = item["id"].rpartition("/")[0]
    return Reply(200, {"value": found, "nextLink": None})


def _bundle(secret: Resource, value: str | None) -> JSON:
    properties = secret.properties
    bundle: JSON = {
        "id": properties["secretUriWithVersion"],
        "attributes": properties["attributes"],
    }
    if value is not None:
        bundle["value"] = value
    if properties.get("contentType"):
        bundle["contentType"] = properties["contentType"]
    return bundle | ({"tags": secret.body["tags"]} if secret.body.get("tags") else {})


def _vault(cloud: Cloud, name: str) -> Resource | None:
    found = (v for v in cloud.of_type(VAULT) if v.name.lower() == name.lower())
    return next(found, None)


def _not_found(name: str) -> JSON:
    return _error(
        "SecretNotFound",
        f"A secret with (name/id) {name} was not found in this key vault. If you recently deleted "
        "this secret you may be able to recover it using the correct recovery command. For help "
        "resolving this issue, please see https://go.microsoft.com/fwlink/?linkid=2125182",
    )


def _not_allowed() -> Reply:
    return Reply(405, _error("MethodNotAllowed", "The request used a method that is not allowed."))


def _error(code: str, message: str) -> JSON:
    return {"error": {"code": code, "message": message}}


DATA = DataRoute(prefix="keyvault", handler=_serve)
