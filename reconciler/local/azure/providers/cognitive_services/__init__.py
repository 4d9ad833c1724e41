"""Microsoft.CognitiveServices: accounts, model deployments, projects, content filters."""

from dataclasses import replace

from reconciler.local.azure.model import DataRoute, Provider
from reconciler.local.azure.providers.cognitive_services import (
    accounts,
    content,
    deleted,
    deployments,
    inference,
    locations,
    projects,
)

_ACCOUNTS = replace(
    accounts.ACCOUNTS,
    views={
        **accounts.ACCOUNTS.views,
        "models": locations.account_models,
        "usages": locations.account_usages,
    },
)

PROVIDER = Provider(
    namespace="Microsoft.CognitiveServices",
    types=(
        _ACCOUNTS,
        deployments.DEPLOYMENTS,
        content.POLICIES,
        content.BLOCKLISTS,
        content.ITEMS,
        *projects.TYPES,
    ),
    routes=(*deleted.ROUTES, *content.ROUTES, *locations.ROUTES),
    data=(DataRoute(prefix="cognitive", handler=inference.handle),),
)
