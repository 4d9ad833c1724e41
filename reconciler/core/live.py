"""What was read from Azure, and the questions the planner asks of it."""

import re
import uuid
from collections.abc import Callable, Container, Iterable, Mapping
from dataclasses import dataclass, field
from functools import cached_property

from reconciler.core.diff import Context
from reconciler.core.kinds import KINDS, Kind
from reconciler.core.model import (
    ABSENT,
    UNKNOWN,
    Json,
    Key,
    Observed,
    Owned,
    Path,
    Properties,
    Ref,
    Resource,
    Secret,
)

HTTPS = re.compile(r"https://[A-Za-z0-9.-]+(:[0-9]{1,5})?(/[A-Za-z0-9._~%:+,;=$!()*'/-]*)?")
LONGEST_ENDPOINT = 300
NAMESPACE = uuid.UUID("6ba7b811-9dad-11d1-80b4-00c04fd430c8")
"""The UUID namespace of URLs (RFC 9562): ARM ids are paths."""


@dataclass(frozen=True)
class Live:
    """Azure as read for one plan."""

    by_id: Mapping[str, tuple[str, Observed]] = field(default_factory=dict)
    """Kind name and resource, by lower-cased ARM id."""
    digests: Mapping[Secret, str] = field(default_factory=dict)
    """Keyed digest of the version of each secret that could be seen."""
    soft_deleted: frozenset[str] = frozenset()
    """Lower-cased ids whose names soft-deleted resources still hold."""
    others: tuple[str, ...] = ()
    """Ids of resources, of whatever type, seen inside groups that might be deleted."""
    read: frozenset[str] = frozenset()
    """Lower-cased URLs of the collections that were read."""
    reads: int = 0

    @cached_property
    def by_identity(self) -> Mapping[tuple[str, tuple[str, ...]], Observed]:
        """Live resources of kinds whose content makes their name, by that content."""
        found = {}
        for name, one in self.by_id.values():
            if KINDS[name].identity and (known := identity_of(KINDS[name], one.properties)):
                found[(name, known)] = one
        return found

    def find(self, resource: Resource, resolve: Callable[[Ref], Json]) -> Observed | None:
        """The live twin of a resource: by id, or by content where content makes the name."""
        if resource.arm_id:
            found = self.by_id.get(resource.arm_id.lower())
            return found[1] if found else None
        kind = KINDS[resource.key.kind]
        wanted = identity_of(kind, resource.properties, resolve)
        if wanted is None:
            return None
        return self.by_identity.get((kind.name, wanted))


def no_refs(ref: Ref) -> Json:
    return UNKNOWN


def identity_of(
    kind: Kind, properties: Properties, resolve: Callable[[Ref], Json] = no_refs
) -> tuple[str, ...] | None:
    """What makes the name of a resource whose content makes its name; None while unknown.

    Ids count by their last segment only where they are definitions (role definitions come back
    with or without the subscription in front), scopes count whole.
    """
    values: list[str] = []
    for name in kind.identity:
        value = properties.get(name, ABSENT)
        if isinstance(value, Ref):
            value = resolve(value)
        if not isinstance(value, str):
            return None
        text = value.strip("/").lower()
        values.append(text.rpartition("/")[2] if "/roledefinitions/" in text else text)
    return tuple(values)


def arm_id_of(resource: Resource, properties: Properties) -> str:
    """The ARM id of a resource, with refs in ``properties`` resolved.

    A name that follows from content is a UUID over that content, so that a second attempt, or a
    second worker, arrives at the same one.
    """
    if resource.arm_id:
        return resource.arm_id
    kind = KINDS[resource.key.kind]
    identity = identity_of(kind, properties)
    if identity is None:
        return ""
    name = uuid.uuid5(NAMESPACE, "\n".join(identity))
    scope = str(properties[kind.identity[0]]).rstrip("/")
    return f"{scope}/providers/{kind.arm_type}/{name}"


def output(observed: Observed | None, path: str) -> Json:
    """A read-only value of a live resource; UNKNOWN when it is not there yet."""
    if observed is None:
        return UNKNOWN
    value = observed.outputs.get(path, UNKNOWN)
    return UNKNOWN if value is None else value


def endpoint_of(observed: Observed, kind: Kind) -> str:
    """Where a live resource can be called: an https URL that is safe to show, or "".

    One with a user, a query or a fragment is not shown: these may carry a key, and the rest of it
    would not be an address to call.
    """
    value = output(observed, kind.endpoint) if kind.endpoint else ""
    if not isinstance(value, str) or not HTTPS.fullmatch(value) or len(value) > LONGEST_ENDPOINT:
        return ""
    return value


def resolver(
    live: Live,
    resources: Iterable[Resource],
    gone: frozenset[Key],
    changing: Container[Ref | Secret] = (),
) -> Callable[[Ref], Json]:
    """Values of other resources as they are now; UNKNOWN for what is missing, in ``gone`` or
    ``changing``.

    An id that follows from a name is known whether or not the resource exists.
    """
    by_key = {one.key: one for one in resources}

    def resolve(ref: Ref) -> Json:
        target = by_key.get(ref.key)
        if target is None:
            return UNKNOWN
        if ref.path == "id" and target.arm_id:
            return target.arm_id
        if ref.key in gone or ref in changing:
            return UNKNOWN
        return output(live.find(target, resolve), ref.path)

    return resolve


def ignored(resource: Resource) -> tuple[Path, ...]:
    """Paths that are not compared: those left to others, and those a live twin was found by
    (a role's id comes back with or without its subscription)."""
    found_by = KINDS[resource.key.kind].identity
    return (*resource.lifecycle.ignore, *((name,) for name in found_by))


def context_of(
    resource: Resource, owned: Owned | None, live: Live, resolve: Callable[[Ref], Json]
) -> Context:
    """How to compare one resource."""
    return Context(
        resolve=resolve,
        sent=owned.secrets if owned else {},
        current=live.digests.get,
        ignore=ignored(resource),
        managed=owned is not None,
    )
