"""Environments, models, codes and data: containers of versions that cannot change.

Source: https://learn.microsoft.com/rest/api/azureml/environment-versions and its siblings, and the
recordings named in `common`. Data assets are unrecorded and behave here as models do.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable
from typing import Any

import yaml

from reconciler.local.azure.model import (
    JSON,
    Answer,
    ArmError,
    Context,
    Resource,
    ResourceType,
)
from reconciler.local.azure.providers.machine_learning.common import (
    API_VERSIONS,
    MADE,
    WORKSPACE,
    not_found,
    sent_properties,
    user_error,
)

_COMMON: JSON = {
    "description": None,
    "tags": {},
    "properties": {},
    "isArchived": False,
    "isAnonymous": False,
}
_DEFAULTS: dict[str, JSON] = {
    "environments": {"environmentType": "UserCreated", "osType": "Linux", "condaFile": ""},
    "models": {"jobName": None, "flavors": {}, "modelType": "custom_model"},
    "codes": {"provisioningState": "Succeeded"},
    "data": {"dataType": "uri_folder"},
}
# What a version is; everything else about it may be edited.
_CONTENT = {
    "environments": ("image", "condaFile", "build", "osType", "inferenceConfig"),
    "models": ("modelUri", "modelType"),
    "codes": ("codeUri",),
    "data": ("dataUri", "dataType"),
}
_PAGE = 30  # how many versions make a page is unverified; that there are pages is recorded


def _complete(ctx: Context, body: JSON) -> JSON:
    asset = ctx.id.types[1]
    properties = _COMMON | _DEFAULTS[asset] | sent_properties(body)
    for name, rewrite in _REWRITES.get(asset, {}).items():
        if properties.get(name):
            properties[name] = rewrite(properties[name])
    if asset == "codes":
        properties["isAnonymous"] = False  # whatever was sent
    return {"properties": properties}


def _conda_as_json(text: Any) -> Any:
    """The conda file comes back as indented JSON text, whatever YAML it was."""
    try:
        content = yaml.safe_load(text)
    except yaml.YAMLError:
        return text
    return json.dumps(content, indent=2, ensure_ascii=False)


def _canonical_uri(uri: Any) -> Any:
    return re.sub(r"(?i)/resourcegroups/", "/resourceGroups/", str(uri))


_REWRITES: dict[str, dict[str, Callable[[Any], Any]]] = {
    "environments": {"condaFile": _conda_as_json},
    "models": {"modelUri": _canonical_uri},
}


def _validate(ctx: Context, body: JSON) -> None:
    """A version keeps its content; the words of the refusal are unverified."""
    if ctx.existing is None:
        return
    wanted = _complete(ctx, body)["properties"]
    sent = sent_properties(body)
    for name in _CONTENT[ctx.id.types[1]]:
        if name in sent and not _same(wanted[name], ctx.existing.properties.get(name)):
            raise user_error(
                ctx,
                400,
                f"The property {name} of version {ctx.name} cannot be changed; "
                "register another version.",
                inner="ImmutablePropertyModified",
            )


def _same(wanted: Any, present: Any) -> bool:
    return str(wanted).lower() == str(present).lower()


def _select(ctx: Context, found: Iterable[Resource]) -> Iterable[Resource]:
    """The newest first; archived ones only when asked for."""
    view = ctx.query.get("listViewType", "ActiveOnly").lower()
    shown = {"all": (False, True), "archivedonly": (True,)}.get(view, (False,))
    newest = [r for r in list(found)[::-1] if r.properties.get("isArchived", False) in shown]
    wanted = ctx.query.get("hash")
    if wanted:
        newest = [
            r for r in newest if (r.properties.get("properties") or {}).get("hash_sha256") == wanted
        ]
    top = ctx.query.get("$top", "")
    return newest[: int(top)] if top.isdigit() else newest


# Containers


def _complete_container(ctx: Context, body: JSON) -> JSON:
    base = {k: _COMMON[k] for k in ("description", "tags", "properties", "isArchived")}
    return {"properties": base | sent_properties(body)}


def _present_container(ctx: Context, body: JSON) -> JSON:
    """`latestVersion` and `nextVersion` follow from the versions."""
    versions = list(ctx.cloud.children(body["id"], "versions"))
    numbers = [int(v.name) for v in versions if v.name.isdigit()]
    latest = versions[-1].name if versions else None
    following = {"nextVersion": str(max(numbers, default=0) + 1)}
    return {**body, "properties": {**body["properties"], "latestVersion": latest, **following}}


def _missing(ctx: Context) -> ArmError:
    asset, name = ctx.id.types[1], ctx.id.names[1]
    version = ctx.id.names[2] if len(ctx.id.names) > 2 else ""
    if asset == "environments":
        message = f"No environment exists for name: {name}, version: {version}, label: "
        return user_error(ctx, 404, message, inner="NotFoundError")
    what = f"{asset.rstrip('s').capitalize()} container with name: {name}"
    if version:
        what = f"{asset.rstrip('s').capitalize()} with name: {name}, version: {version}"
    return not_found(ctx, _missing_code(asset), f"{what} not found.", outer="UserError")


def _missing_code(asset: str) -> str:
    return {"models": "ModelNotFound"}.get(asset, "NotFound")


def _container(asset: str) -> ResourceType:
    return ResourceType(
        name=f"{WORKSPACE}/{asset}",
        api_versions=API_VERSIONS,
        put=Answer(created=201, updated=200, created_headers=MADE),
        delete=Answer(body="none", absent=204),
        complete=_complete_container,
        present=_present_container,
        select=_select,
        missing=_missing,
        has_state=False,
        tracked=False,
        page_size=_PAGE,
    )


def _version(asset: str) -> ResourceType:
    again = 201 if asset == "environments" else 200  # an environment says "created" every time
    return ResourceType(
        name=f"{WORKSPACE}/{asset}/versions",
        api_versions=API_VERSIONS,
        put=Answer(created=201, updated=again, created_headers=MADE),
        delete=Answer(body="none", absent=204),
        validate=_validate,
        complete=_complete,
        select=_select,
        missing=_missing,
        implicit_parent=True,
        has_state=False,
        tracked=False,
        page_size=_PAGE,
    )


ASSETS = tuple(make(asset) for asset in _DEFAULTS for make in (_container, _version))
