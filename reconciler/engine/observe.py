"""Reading Azure for a plan: collections in parallel, then only what these made necessary."""

import asyncio
import hashlib
import hmac
from collections.abc import Awaitable, Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from reconciler.core.arm import subscription_of
from reconciler.core.kinds import KINDS
from reconciler.core.live import Live
from reconciler.core.model import Observed, Owned, Plan, Resource, Secret, Target
from reconciler.core.reading import (
    children_of,
    collections_of,
    secrets_of,
    undeclared_parents,
)
from reconciler.engine.events import Progress, ReadProgress
from reconciler.ports import Provider

RESOURCES_API = "2021-04-01"


class Reader:
    """Counts what it reads, and says so."""

    def __init__(self, cloud: Provider, progress: Progress) -> None:
        self.cloud = cloud
        self.progress = progress
        self.total = 0
        self.done = 0

    async def all[T](self, calls: Sequence[Awaitable[T]]) -> list[T]:
        """Await reads together; the first failure ends them all."""
        self.total += len(calls)

        async def counted(call: Awaitable[T]) -> T:
            result = await call
            self.done += 1
            self.progress(ReadProgress(self.done, self.total))
            return result

        tasks = [asyncio.ensure_future(counted(call)) for call in calls]
        try:
            return list(await asyncio.gather(*tasks))
        except BaseException:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
            raise


async def read_live(
    cloud: Provider,
    resources: Sequence[Resource],
    owned: Mapping[str, Owned],
    digest_key: bytes,
    progress: Progress,
) -> Live:
    """Everything a plan needs to know of Azure: about one request a collection."""
    reader = Reader(cloud, progress)
    collections, targets = collections_of(resources, owned.values())
    reads = [cloud.observe(one) for one in collections] + [_alone(cloud, one) for one in targets]
    found = {one.arm_id.lower(): one for group in await reader.all(reads) for one in group}
    declared = frozenset(one.key.kind for one in resources)
    read = frozenset(one.url.lower() for one in collections)
    below = list(children_of(undeclared_parents(found, resources), declared, read))
    leaving = _leaving(found, resources, owned)
    below += [
        one
        for one in children_of(leaving, frozenset(KINDS), read, every=True)
        if one.url.lower() not in {other.url.lower() for other in below}
    ]
    for group in await reader.all([cloud.observe(one) for one in below]):
        found |= {one.arm_id.lower(): one for one in group}
    return Live(
        by_id={arm_id: (one.kind, one) for arm_id, one in found.items()},
        digests=await secret_digests(cloud, secrets_of(resources), digest_key),
        soft_deleted=await _soft_deleted(reader, resources, found),
        others=await _inside_groups(reader, leaving),
        read=read | {one.url.lower() for one in below},
        reads=reader.total,
    )


async def read_inside(cloud: Provider, plan: Plan, live: Live, progress: Progress) -> Live:
    """The same with what is inside resources that the plan would replace, whoever it belongs to:
    it would go with them."""
    going = {one.arm_id.lower() for one in plan.changes if one.action == "replace"}
    parents = [one for arm_id, (_, one) in live.by_id.items() if arm_id in going]
    below = children_of(parents, frozenset(KINDS), live.read, every=True)
    if not below and not any(one.kind == "ResourceGroup" for one in parents):
        return live
    reader = Reader(cloud, progress)
    others = live.others + await _inside_groups(reader, parents)
    groups = await reader.all([cloud.observe(one) for one in below])
    found = {one.arm_id.lower(): (one.kind, one) for group in groups for one in group}
    read = live.read | {one.url.lower() for one in below}
    by_id, reads = {**live.by_id, **found}, live.reads + reader.total
    return replace(live, by_id=by_id, others=others, read=read, reads=reads)


async def _alone(cloud: Provider, target: Target) -> list[Observed]:
    """A resource that no listing holds, as if it were one of a listing."""
    found = await cloud.read(target)
    return [found] if found else []


def _leaving(
    found: Mapping[str, Observed], resources: Iterable[Resource], owned: Mapping[str, Owned]
) -> list[Observed]:
    """Owned resources that no spec declares any more: what is inside them matters."""
    declared = {one.arm_id.lower() for one in resources}
    return [one for arm_id, one in found.items() if arm_id in owned and arm_id not in declared]


async def secret_digests(
    cloud: Provider, secrets: frozenset[Secret], digest_key: bytes
) -> Mapping[Secret, str]:
    """Keyed digests of the versions of secrets: enough to see a rotation, useless otherwise."""
    if not secrets:
        return {}
    versions = await cloud.secret_versions(secrets)
    return {one: digest_version(digest_key, version) for one, version in versions.items()}


def digest_version(digest_key: bytes, version: str) -> str:
    return hmac.new(digest_key, version.encode(), hashlib.sha256).hexdigest()


async def _soft_deleted(
    reader: Reader, resources: Iterable[Resource], found: Mapping[str, Observed]
) -> frozenset[str]:
    """Ids that soft-deleted resources hold, asked only where something is to be created."""
    wanted: dict[tuple[str, str], str] = {}
    for one in resources:
        soft = KINDS[one.key.kind].soft_delete
        if soft and soft.list_url and one.arm_id.lower() not in found:
            url = f"/subscriptions/{subscription_of(one.arm_id)}{soft.list_url}"
            wanted[url, one.api_version] = url
    lists = await reader.all([reader.cloud.query(url, version) for url, version in wanted])
    return frozenset(_deleted_id(item) for group in lists for item in group)


def _deleted_id(item: Mapping[str, Any]) -> str:
    """The id a deleted resource had: Key Vault says it in a property, Cognitive Services keeps it.

    Both shapes are in the recorded traffic of Azure/azure-cli (softdelete scenarios).
    """
    properties = item.get("properties") or {}
    arm_id = str(properties.get("vaultId") or item.get("id") or "").lower()
    head, marker, tail = arm_id.partition("/resourcegroups/")
    if "/locations/" in head and marker:
        group, _, name = tail.partition("/deletedaccounts/")
        subscription = subscription_of(arm_id)
        return (
            f"/subscriptions/{subscription}/resourcegroups/{group}"
            f"/providers/microsoft.cognitiveservices/accounts/{name}"
        )
    return arm_id


async def _inside_groups(reader: Reader, leaving: Iterable[Observed]) -> tuple[str, ...]:
    """Everything in resource groups that may be deleted, of whatever type."""
    groups = [one.arm_id for one in leaving if one.kind == "ResourceGroup"]
    lists = await reader.all(
        [reader.cloud.query(f"{group}/resources", RESOURCES_API) for group in groups]
    )
    return tuple(str(item.get("id", "")) for group in lists for item in group)
