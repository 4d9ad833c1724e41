"""Foundry projects, connections (of accounts and of projects) and capability hosts.

Shapes from public recordings of Azure/azure-service-operator (projects, 2025-06-01) and
Azure/azure-cli (connections, 2026-01-15-preview).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable

from reconciler.local.azure import ids
from reconciler.local.azure.model import (
    JSON,
    Answer,
    AsyncStyle,
    Context,
    Resource,
    ResourceType,
)
from reconciler.local.azure.providers.cognitive_services.deleted import STATUS_URL
from reconciler.local.azure.providers.cognitive_services.ready import (
    ACCOUNT,
    account_ready,
    invalid,
)
from reconciler.local.azure.providers.cognitive_services.versions import API_VERSIONS
from reconciler.local.azure.providers.identities import assigned

PROJECT = f"{ACCOUNT}/projects"
NAME = re.compile(r"^[a-zA-Z0-9][a-zA-Z0-9_.-]{1,63}$")
CONNECTION_NAME = re.compile(r"^[a-zA-Z0-9][a-zA-Z0-9_-]{2,32}$")
KEPT_TEXTS = ("displayName", "description")  # cannot be emptied once set


def _validate_project(ctx: Context, body: JSON) -> None:
    """The needs of a project, as azurerm documents them; codes and words are unverified."""
    account = ctx.parent
    assert account is not None
    if not NAME.match(ctx.name):
        raise invalid(f"The project name '{ctx.name}' is invalid.")
    if account.body.get("kind") != "AIServices":
        raise invalid("Projects are supported in accounts of kind AIServices only.")
    if not account.properties.get("allowProjectManagement"):
        raise invalid("The account does not have 'allowProjectManagement' set to true.")
    if not account.body.get("identity") or not account.properties.get("customSubDomainName"):
        raise invalid("Projects need an account with an identity and a custom subdomain.")
    here, there = str(body.get("location", "")), str(account.body["location"])
    if ids.normal_location(here) != ids.normal_location(there):
        raise invalid(f"The location of the project must be that of its account, '{there}'.")
    if not body.get("identity"):
        raise invalid("The identity of the project is required.")


def _complete_project(ctx: Context, body: JSON) -> JSON:
    account = ctx.parent
    assert account is not None
    before = ctx.existing.properties if ctx.existing else {}
    sent = body.get("properties") or {}
    others = list(ctx.cloud.children(account.id, "projects"))
    texts = {k: sent.get(k) or before.get(k) for k in KEPT_TEXTS}
    properties: JSON = {
        "endpoints": {"AI Foundry API": _endpoint(account, ctx.name)},
        **{k: v for k, v in texts.items() if v},
        "isDefault": before.get("isDefault", not others),
        "internalId": before.get("internalId") or ctx.cloud.hex(32),
    }
    full: JSON = {"location": body["location"], "kind": "AIServices", "properties": properties}
    if body.get("tags") is not None:
        full["tags"] = body["tags"]
    full["identity"] = assigned(ctx, body["identity"], spaced=True)
    return full


def _endpoint(account: Resource, project: str) -> str:
    return f"{account.properties['endpoint']}api/projects/{project}"


def _spell_project(ctx: Context) -> tuple[str, str, str]:
    account = ctx.id.names[0]
    return ctx.id.text, f"{account}/{ctx.name}", PROJECT


PROJECTS = ResourceType(
    name=PROJECT,
    api_versions=API_VERSIONS,
    put=Answer(created=201, duration_s=5.0),
    patch=Answer(),
    delete=Answer(body="none", duration_s=5.0),
    lock=ACCOUNT,
    ready=account_ready,
    validate=_validate_project,
    complete=_complete_project,
    spell=_spell_project,
    has_etag=True,
)


def _validate_connection(ctx: Context, body: JSON) -> None:
    properties = body.get("properties") or {}
    if not CONNECTION_NAME.match(ctx.name):
        raise invalid(f"The connection name '{ctx.name}' is invalid.")
    for needed in ("authType", "category"):
        if not properties.get(needed):
            raise invalid(f"The {needed} of the connection is required.")


def _complete_connection(shared: bool) -> Callable[[Context, JSON], JSON]:
    def complete(_: Context, body: JSON) -> JSON:
        sent = body.get("properties") or {}
        properties = {
            "authType": sent["authType"],
            "credentials": None,
            "group": "Azure",
            "category": sent["category"],
            "expiryTime": sent.get("expiryTime"),
            "target": sent.get("target"),
            "useWorkspaceManagedIdentity": sent.get("useWorkspaceManagedIdentity", False),
            "isSharedToAll": sent.get("isSharedToAll", shared),
            "sharedUserList": sent.get("sharedUserList") or [],
            "peRequirement": sent.get("peRequirement", "NotRequired"),
            "peStatus": "NotApplicable",
            "error": None,
            "isDefault": True,
            "metadata": sent.get("metadata") or {},
        }
        return {"tags": None, "location": None, "properties": properties}

    return complete


def _connection_secret(_: Context, body: JSON) -> JSON:
    return {"credentials": (body.get("properties") or {}).get("credentials")}


def _select(ctx: Context, found: Iterable[Resource]) -> Iterable[Resource]:
    """By target and category; a project also lists what its account shares."""
    every = list(found)
    if "projects" in ctx.id.types:
        account = ctx.id.text.split("/projects/")[0]
        above = ctx.cloud.children(account, "connections")
        every += [c for c in above if c.properties.get("isSharedToAll")]
    for name in ("target", "category"):
        if wanted := ctx.query.get(name):
            every = [c for c in every if c.properties.get(name) == wanted]
    return every


def _connections(parent: str, shared: bool) -> ResourceType:
    return ResourceType(
        name=f"{parent}/connections",
        api_versions=API_VERSIONS,
        put=Answer(),
        patch=Answer(),
        delete=Answer(body="none"),
        ready=account_ready,
        validate=_validate_connection,
        complete=_complete_connection(shared),
        secret=_connection_secret,
        select=_select,
        has_state=False,
        tracked=False,
    )


HOST_STYLE = AsyncStyle(
    status_url=STATUS_URL, location_url=STATUS_URL + "&operationResultResponseType=Location"
)


def _complete_host(_: Context, body: JSON) -> JSON:
    sent = {k: v for k, v in (body.get("properties") or {}).items() if v is not None}
    return {"properties": {"capabilityHostKind": "Agents", **sent}}


def _hosts(parent: str) -> ResourceType:
    """Capability hosts; that they are long-running in this way is unverified."""
    return ResourceType(
        name=f"{parent}/capabilityHosts",
        api_versions=API_VERSIONS,
        put=Answer(created=201, wait=HOST_STYLE, duration_s=30.0),
        delete=Answer(updated=202, body="none", wait=HOST_STYLE, duration_s=30.0),
        ready=account_ready,
        complete=_complete_host,
        tracked=False,
    )


TYPES = (
    PROJECTS,
    _connections(ACCOUNT, shared=True),
    _connections(PROJECT, shared=False),
    _hosts(ACCOUNT),
    _hosts(PROJECT),
)
