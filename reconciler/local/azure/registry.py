"""Which types and routes there are, and which of them a path means."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace

from reconciler.local.azure.model import Provider, ResourceId, ResourceType, Route


@dataclass(frozen=True, slots=True)
class RouteMatch:
    """A route that fits a path, and what its template captured."""

    route: Route
    provider: Provider
    captured: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class _Pattern:
    segments: tuple[str | None, ...]  # None captures
    names: tuple[str, ...]
    route: Route
    provider: Provider


class Registry:
    """All providers, indexed for quick answers."""

    def __init__(self, providers: Iterable[Provider]) -> None:
        self.providers = tuple(providers)
        self.types: dict[str, ResourceType] = {
            kind.name.lower(): kind for provider in self.providers for kind in provider.types
        }
        self.namespaces = {provider.namespace.lower(): provider for provider in self.providers}
        self._patterns: dict[tuple[str, int], list[_Pattern]] = {}
        for provider in self.providers:
            for route in provider.routes:
                self._add(provider, route)

    def route(self, method: str, path: str) -> RouteMatch | None:
        """The route for a path, if it is not a resource's."""
        segments = path.strip("/").split("/")
        for pattern in self._patterns.get((method, len(segments)), ()):
            captured = _captures(pattern, segments)
            if captured is not None:
                return RouteMatch(pattern.route, pattern.provider, captured)
        return None

    def versions(self, namespace: str) -> tuple[str, ...]:
        """Every version some type of the namespace knows, newest first."""
        provider = self.namespaces.get(namespace.lower())
        known = {v for kind in (provider.types if provider else ()) for v in kind.api_versions}
        return tuple(sorted(known, reverse=True))

    def _add(self, provider: Provider, route: Route) -> None:
        words = route.path.strip("/").split("/")
        pattern = _Pattern(
            tuple(None if w.startswith("{") else w.lower() for w in words),
            tuple(w.strip("{}") if w.startswith("{") else "" for w in words),
            route,
            provider,
        )
        self._patterns.setdefault((route.method, len(words)), []).append(pattern)


def _captures(pattern: _Pattern, segments: list[str]) -> dict[str, str] | None:
    captured = {}
    for wanted, name, segment in zip(pattern.segments, pattern.names, segments, strict=True):
        if wanted is None:
            captured[name] = segment
        elif wanted != segment.lower():
            return None
    return captured


def canonical(arm_id: ResourceId, kind: ResourceType, parent_id: str | None) -> ResourceId:
    """The id with ARM's own words in ARM's spelling, and the parent's as it is stored."""
    types = tuple(kind.name.split("/")[1:])
    if parent_id is not None:
        tail = [types[-1], *arm_id.names[len(types) - 1 :]]
        text = "/".join((parent_id, *tail))
    elif kind.name == "Microsoft.Resources/resourceGroups":
        text = "/".join((arm_id.scope, "resourceGroups", *arm_id.names))
    else:
        tail = [word for pair in zip(types, arm_id.names, strict=False) for word in pair]
        if arm_id.is_collection:
            tail.append(types[-1])
        text = "/".join((_scope(arm_id), "providers", kind.namespace, *tail))
    return replace(arm_id, text=text, namespace=kind.namespace, types=types)


def _scope(arm_id: ResourceId) -> str:
    words = arm_id.scope.split("/")
    if len(words) > 3 and words[3].lower() == "resourcegroups":
        words[1], words[3] = "subscriptions", "resourceGroups"
    return "/".join(words)
