"""What has to be read to plan: collections rather than resources.

All deployments of an account come with one request, so a thousand resources in forty collections
are forty requests.
"""

from collections.abc import Iterable, Mapping

from reconciler.core.arm import collection_of
from reconciler.core.kinds import KINDS, Kind, Place
from reconciler.core.model import Collection, Observed, Owned, Resource, Secret, Target, walk


def collections_of(
    resources: Iterable[Resource], owned: Iterable[Owned]
) -> tuple[tuple[Collection, ...], tuple[Target, ...]]:
    """The collections, and the single resources, to read for one plan; each once."""
    collections: dict[str, Collection] = {}
    targets: dict[str, Target] = {}
    for one in resources:
        _want(one.key.kind, one.arm_id, one.api_version, collections, targets)
        kind = KINDS[one.key.kind]
        scope = one.properties.get(kind.identity[0]) if kind.identity else None
        if isinstance(scope, str):
            _add(f"{scope}/providers/{kind.arm_type}", kind, one.api_version, collections)
    for own in owned:
        _want(own.key.kind, own.arm_id, own.api_version, collections, targets)
    return tuple(sorted(collections.values())), tuple(targets.values())


def _want(
    name: str,
    arm_id: str,
    api_version: str,
    collections: dict[str, Collection],
    targets: dict[str, Target],
) -> None:
    if not arm_id:
        return
    kind = KINDS[name]
    if kind.listed:
        _add(collection_of(arm_id), kind, api_version, collections)
    else:
        targets[arm_id.lower()] = Target(name, arm_id, api_version)


def _add(url: str, kind: Kind, api_version: str, collections: dict[str, Collection]) -> None:
    known = collections.get(url.lower())
    kinds = tuple(sorted({kind.name, *known.kinds})) if known else (kind.name,)
    collections[url.lower()] = Collection(
        known.url if known else url, api_version, kinds, tuple(sorted(kind.list_query.items()))
    )


def children_of(
    parents: Iterable[Observed],
    kinds: frozenset[str],
    read: frozenset[str],
    *,
    every: bool = False,
) -> tuple[Collection, ...]:
    """Collections below live parents, for children of these kinds that are worth telling people
    about, or ``every`` one.

    ``read``: lower-cased URLs that were read already.
    """
    collections: dict[str, Collection] = {}
    for parent in parents:
        for kind, place in _kinds_below(parent.kind):
            url = f"{parent.arm_id}/{place.arm_type.rpartition('/')[2]}"
            told = every or kind.report_unmanaged
            if kind.name in kinds and kind.listed and told and url.lower() not in read:
                _add(url, kind, place.api_version, collections)
    return tuple(sorted(collections.values()))


def _kinds_below(parent: str) -> Iterable[tuple[Kind, Place]]:
    """Kinds that live inside another resource (a group's own listing is read anyway)."""
    for kind in KINDS.values():
        for place in kind.places:
            if place.parent == parent and place.parent != "ResourceGroup":
                yield kind, place


def undeclared_parents(
    live: Mapping[str, Observed], resources: Iterable[Resource]
) -> tuple[Observed, ...]:
    """Live resources that no spec declares and that could have children worth knowing."""
    declared = {one.arm_id.lower() for one in resources}
    return tuple(
        one
        for arm_id, one in live.items()
        if arm_id not in declared and any(True for _ in _kinds_below(one.kind))
    )


def secrets_of(resources: Iterable[Resource]) -> frozenset[Secret]:
    """Every secret that the specs name."""
    return frozenset(
        value
        for resource in resources
        for _, value in walk(resource.properties)
        if isinstance(value, Secret)
    )
