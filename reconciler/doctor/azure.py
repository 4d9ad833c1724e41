"""Azure: who the two identities are, what they may do, whether Azure answers and serves what the
specs need, and whether its clock agrees with ours."""

import asyncio
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from email.utils import parsedate_to_datetime
from typing import Any, Final

from reconciler.azure.answer import Answer
from reconciler.azure.client import Client
from reconciler.azure.errors import missing, refusal
from reconciler.core.arm import subscription_of, type_of
from reconciler.core.body import member
from reconciler.core.desired import Desired
from reconciler.core.kinds import KINDS
from reconciler.core.model import Mode
from reconciler.core.render.words import plural
from reconciler.doctor.check import Finding
from reconciler.doctor.rights import ROLES, allowed, by_group, claims
from reconciler.ports import Clock

PERMISSIONS: Final = "/providers/Microsoft.Authorization/permissions"
PERMISSIONS_API: Final = "2022-04-01"
"""https://learn.microsoft.com/rest/api/authorization/permissions/list-for-resource-group"""
RESOURCES_API: Final = "2021-04-01"
"""https://learn.microsoft.com/azure/azure-resource-manager/management/resource-providers-and-types"""
NO_REGISTRATION: Final = frozenset({"microsoft.resources", "microsoft.authorization"})
"""Every subscription has these."""
SKEW_S: Final = 60.0
WORST_SKEW_S: Final = 240.0
"""Tokens are refused when the clocks differ by about five minutes: nearly that is too much."""


@dataclass
class Azure:
    """The checks that ask Azure, and what one of them learned for the others."""

    clock: Clock
    connect: Callable[[Mode], Client]
    """Gives the client of an identity, always the same one. Raises Permanent."""
    desired: Callable[[], Sequence[Desired]]
    """What the specs declare, once they were read."""
    who: dict[Mode, Mapping[str, str]] = field(default_factory=dict)
    skew_s: float = 0.0

    async def identity(self, mode: Mode) -> Finding:
        """Whether there is a token, and whose it is."""
        client = self.connect(mode)
        found = claims(await client.token(f"{mode} with"))
        self.who[mode] = found
        if not found:
            return Finding("ok", "has a token (which does not say whose it is)")
        who = ", ".join(
            f"{words} {found[name]}"
            for name, words in (("oid", "object"), ("appid", "client"), ("tid", "tenant"))
            if name in found
        )
        return Finding("ok", who)

    async def reachable(self) -> Finding:
        """Whether Azure answers the identity that plans."""
        client = self.connect("plan")
        answer = await self._get(client, "/subscriptions", "2022-12-01", "list subscriptions")
        if moment := answer.headers.get("Date"):
            then = parsedate_to_datetime(moment)
            self.skew_s = (self.clock.now() - then).total_seconds()
        seen = {str(one.get("subscriptionId", "")).lower() for one in _items(answer)}
        return Finding("ok", f"{client.endpoint.base}, {plural(len(seen), 'subscription')}")

    async def same_time(self) -> Finding:
        """Whether our clock and Azure's agree."""
        off = abs(self.skew_s)
        if off < SKEW_S:
            return Finding("ok", "agrees with Azure's")
        todo = "Set the clock of this machine (NTP): tokens and leases depend on it."
        words = f"{off:.0f} s {'ahead of' if self.skew_s > 0 else 'behind'} Azure's"
        return Finding("failed" if off > WORST_SKEW_S else "warning", words, (todo,))

    async def providers(self) -> Finding:
        """Whether the providers are registered, and serve the versions that the kinds use."""
        wanted = _wanted(self.desired())
        client = self.connect("plan")
        pairs = sorted({(subscription, kind.partition("/")[0]) for subscription, kind, _ in wanted})
        answers = await asyncio.gather(*(self._provider(client, *pair) for pair in pairs))
        known = dict(zip(pairs, answers, strict=True))
        todo = [_unregistered(pair) for pair, body in known.items() if not _registered(body)]
        for subscription, kind, version in sorted(wanted):
            body = known[subscription, kind.partition("/")[0]]
            if _registered(body) and (text := unserved(body, kind, version)):
                todo.append(text)
        if todo:
            return Finding("failed", f"{plural(len(todo), 'thing')} missing", tuple(todo))
        return Finding("ok", f"{plural(len(wanted), 'type')} served in the versions used")

    async def _provider(self, client: Client, subscription: str, namespace: str) -> Any:
        path = f"/subscriptions/{subscription}/providers/{namespace}"
        return (await self._get(client, path, RESOURCES_API, f"look up {namespace}")).body

    async def rights(self, mode: Mode) -> Finding:
        """Whether an identity may do what planning, or applying, these specs takes."""
        client = self.connect(mode)
        todo: list[str] = []
        absent: list[str] = []
        writes = ""
        groups = _groups(self.desired())
        for group, (types, prunes) in groups.items():
            permissions = await self._permissions(client, group)
            if permissions is None:
                absent.append(group.rpartition("/")[2])
                continue
            actions = _actions(mode, types, prunes)
            lacking = sorted(one for one in actions if not allowed(permissions, one))
            todo += _grant(mode, group, lacking)
            if any(allowed(permissions, f"{kind}/write") for kind in types):
                writes = writes or group.rpartition("/")[2]
        if todo:
            return Finding("failed", "lacks rights", tuple(todo))
        return self._enough(mode, len(groups), absent, writes)

    def _enough(self, mode: Mode, groups: int, absent: list[str], writes: str) -> Finding:
        if mode == "plan" and writes:
            todo = "Give it the role Reader alone: planning never writes."
            if self.who.get("plan") and self.who.get("plan") == self.who.get("apply"):
                todo = "Set RECONCILER_PLAN_CLIENT_ID to an identity with the role Reader alone."
            return Finding("warning", f"may write in {writes}", (todo,))
        if absent:
            words = f"{', '.join(absent)} does not exist yet: rights in it cannot be read"
            return Finding("skipped", words)
        verb = "read" if mode == "plan" else "write"
        return Finding("ok", f"may {verb} in {plural(groups, 'resource group')}")

    async def _permissions(self, client: Client, group: str) -> list[Mapping[str, Any]] | None:
        """What the caller may do there; None when the group does not exist."""
        attempt = f"list rights in {group.rpartition('/')[2]}"
        answer = await self._get(client, f"{group}{PERMISSIONS}", PERMISSIONS_API, attempt, True)
        return None if missing(answer) else _items(answer)

    async def _get(
        self, client: Client, path: str, version: str, attempt: str, may_miss: bool = False
    ) -> Answer:
        answer = await client.arm("GET", client.endpoint.url(path, version), attempt)
        if answer.status == 200 or (may_miss and missing(answer)):
            return answer
        raise refusal(attempt, answer, answer.retry_after_s(self.clock.now()))


def _items(answer: Answer) -> list[Mapping[str, Any]]:
    found = member(answer.body, "value", None)
    return [one for one in found if isinstance(one, Mapping)] if isinstance(found, list) else []


def _wanted(desired: Iterable[Desired]) -> set[tuple[str, str, str]]:
    """Subscription, ARM type and version of everything declared, where one has to register."""
    found: set[tuple[str, str, str]] = set()
    for one in desired:
        for resource in one.resources:
            subscription = subscription_of(resource.arm_id) or one.environment.subscription
            kind = type_of(resource.arm_id) if resource.arm_id else ""
            kind = kind or KINDS[resource.key.kind].arm_type
            if kind.partition("/")[0].lower() not in NO_REGISTRATION:
                found.add((subscription, kind, resource.api_version))
    return found


def _registered(body: Any) -> bool:
    return str(member(body, "registrationState", "")).lower() in ("registered", "registering")


def _unregistered(pair: tuple[str, str]) -> str:
    subscription, namespace = pair
    return (
        f"{namespace} is not registered: an owner registers it once, az provider register "
        f"--namespace {namespace} --subscription {subscription}."
    )


def unserved(body: Any, kind: str, version: str) -> str:
    """What is wrong with a type's version; "" when it is served, or when the type is not listed
    (unverified: whether every nested type is)."""
    short = kind.partition("/")[2].lower()
    for one in member(body, "resourceTypes", None) or []:
        if str(one.get("resourceType", "")).lower() == short:
            served = [str(text) for text in one.get("apiVersions") or []]
            if version.lower() in {text.lower() for text in served}:
                return ""
            newest = max(served, default="none")
            return (
                f"{kind} is not served in {version} here (the newest is {newest}): this cloud or "
                "region is behind; leave it out of the specs, or write it as an AzureResource."
            )
    return ""


def _groups(desired: Iterable[Desired]) -> dict[str, tuple[set[str], bool]]:
    """What is declared in each resource group, and whether things are deleted there."""
    found: dict[str, tuple[set[str], bool]] = {}
    for one in desired:
        place = one.environment
        home = f"/subscriptions/{place.subscription}/resourceGroups/{place.resource_group}"
        for group, types in by_group(one.resources, home).items():
            before, prunes = found.get(group, (set(), False))
            found[group] = (before | types, prunes or place.prune)
    return found


def _actions(mode: Mode, types: Iterable[str], prunes: bool) -> set[str]:
    verbs = ["read"] if mode == "plan" else ["read", "write"] + (["delete"] if prunes else [])
    return {f"{kind}/{verb}" for kind in types for verb in verbs}


def _grant(mode: Mode, group: str, lacking: Sequence[str]) -> list[str]:
    """Which roles to give, in sentences; of actions the last by name, ``write``, tells most."""
    roles = [one for one in lacking if one.lower().startswith(ROLES.lower())]
    rest = [one for one in lacking if one not in roles]
    where = f"on {group}"
    told = []
    if rest:
        more = f" and {len(rest) - 1} more" if len(rest) > 1 else ""
        role = "Reader" if mode == "plan" else "Contributor"
        told.append(f"It may not do {rest[-1]}{more}: give it the role {role} {where}.")
    if roles and (mode == "apply" or not rest):
        role = "Reader" if mode == "plan" else "Role Based Access Control Administrator"
        told.append(f"It may not do {roles[-1]}: give it the role {role} {where}.")
    return told
