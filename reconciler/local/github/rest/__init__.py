"""The operations of the emulated REST API, named as in GitHub's published OpenAPI."""

from reconciler.local.github.rest import (
    apps,
    branches,
    checks,
    comments,
    contents,
    hooks,
    issues,
    pulls,
    reactions,
    refs,
    repositories,
    statuses,
    users,
)
from reconciler.local.github.wire import Routes, routes_of

ROUTES = Routes(
    routes_of(
        apps,
        branches,
        checks,
        comments,
        contents,
        hooks,
        issues,
        pulls,
        reactions,
        refs,
        repositories,
        statuses,
        users,
    )
)

__all__ = ["ROUTES"]
