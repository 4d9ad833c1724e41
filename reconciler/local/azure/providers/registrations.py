"""The list of resource providers, and registering a subscription with them.

https://learn.microsoft.com/azure/azure-resource-manager/management/resource-providers-and-types
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from reconciler.local.azure import errors
from reconciler.local.azure.model import JSON, Context, Provider, Reply, Route
from reconciler.local.azure.providers import providers
from reconciler.local.azure.providers.resources import LOCATIONS


def is_registered(ctx: Context, subscription: str, namespace: str) -> bool:
    """Whether a subscription may use a namespace; all are registered unless the settings say."""
    known = ctx.cloud.state("registrations")
    entry = f"{subscription}/{namespace}".lower()
    unregistered = {name.lower() for name in ctx.setting("unregistered", ())}
    return bool(known.get(entry, namespace.lower() not in unregistered))


def _describe(ctx: Context, subscription: str, provider: Provider) -> JSON:
    registered = is_registered(ctx, subscription, provider.namespace)
    kinds = [
        {
            "resourceType": kind.name.partition("/")[2],
            "locations": list(kind.locations or LOCATIONS.values()),
            "apiVersions": sorted(kind.api_versions or ("2025-04-01", "2021-04-01"), reverse=True),
            "capabilities": "SupportsTags, SupportsLocation" if kind.tracked else "None",
        }
        for kind in provider.types
    ]
    return {
        "id": f"/subscriptions/{subscription}/providers/{provider.namespace}",
        "namespace": provider.namespace,
        "registrationState": "Registered" if registered else "NotRegistered",
        "registrationPolicy": "RegistrationRequired",
        "resourceTypes": kinds,
    }


def _named(namespace: str) -> Provider:
    for provider in providers():
        if provider.types and provider.namespace.lower() == namespace.lower():
            return provider
    raise errors.unknown_namespace(namespace)


def _list(ctx: Context, captured: Mapping[str, str], _: Any) -> Reply:
    found = [p for p in providers() if p.types]
    return Reply(200, {"value": [_describe(ctx, captured["subscription"], p) for p in found]})


def _get(ctx: Context, captured: Mapping[str, str], _: Any) -> Reply:
    return Reply(200, _describe(ctx, captured["subscription"], _named(captured["namespace"])))


def _register(ctx: Context, captured: Mapping[str, str], _: Any) -> Reply:
    provider = _named(captured["namespace"])
    entry = f"{captured['subscription']}/{provider.namespace}".lower()
    ctx.cloud.state("registrations")[entry] = True
    return Reply(200, _describe(ctx, captured["subscription"], provider))


PROVIDER = Provider(
    namespace="Microsoft.Resources.Providers",
    types=(),
    routes=(
        Route(method="GET", path="/subscriptions/{subscription}/providers", handler=_list),
        Route(
            method="GET", path="/subscriptions/{subscription}/providers/{namespace}", handler=_get
        ),
        Route(
            method="POST",
            path="/subscriptions/{subscription}/providers/{namespace}/register",
            handler=_register,
        ),
    ),
)
