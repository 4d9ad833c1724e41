"""One step: read, compare, send, wait, read back, test. Safe to die in and to repeat anywhere."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from reconciler.core.diff import Context, diff_fields
from reconciler.core.errors import Permanent, ReconcilerError, Stale, Transient
from reconciler.core.kinds import KINDS
from reconciler.core.live import arm_id_of, endpoint_of, ignored, output
from reconciler.core.merge import merge
from reconciler.core.model import (
    NOTHING,
    UNKNOWN,
    Change,
    FieldChange,
    Json,
    Key,
    Observed,
    Outcome,
    Owned,
    Plan,
    Properties,
    Ref,
    Resource,
    Secret,
    Step,
    Target,
    dotted,
    shown,
    walk,
)
from reconciler.core.owning import owned_as
from reconciler.core.steps import seen_digest
from reconciler.engine.observe import digest_version
from reconciler.ports import Clock, Operation, Provider, Stopping, Store

ATTEMPTS = 5
"""How often a step is tried again from its start after an answer was lost."""
PATIENCE_S = 300.0
"""How long a fresh read may lag behind a finished write:
https://learn.microsoft.com/azure/role-based-access-control/troubleshooting tells of minutes."""


class Stopped(Exception):
    """The worker was asked to stop, or is out of time: the step goes on in a later one."""


@dataclass
class Pace:
    """How often to ask, in seconds, where Azure does not say."""

    first_s: float = 2.0
    longest_s: float = 15.0

    def after(self, waited_s: float) -> float:
        """The next pause: short at first, about a twentieth of the wait later on."""
        return min(self.longest_s, max(self.first_s, waited_s / 20))


@dataclass
class Performer:
    """Carries out the steps of one run."""

    plan: Plan
    cloud: Provider
    store: Store
    clock: Clock
    owned: dict[str, Owned]
    digest_key: bytes
    stopping: Stopping
    pace: Pace = field(default_factory=Pace)
    started: Callable[[Step, Outcome], Awaitable[None]] = field(init=False)
    """Awaited before a step's first request is sent, and when Azure takes its time."""

    def __post_init__(self) -> None:
        self.resources: Mapping[Key, Resource] = {one.key: one for one in self.plan.resources}
        self.last_step = {step.key: step.id for step in self.plan.steps if step.verb == "put"}
        self.live: dict[Key, Observed] = {}
        self.request_ids: dict[str, str] = {}

    async def perform(self, step: Step, before: Outcome | None) -> Outcome:
        """Take one step to its end. ``before``: how an earlier worker left it, if one began it.

        Raises Stale when Azure is not as planned, Stopped when there is no time left; every other
        expected trouble is a failed Outcome.
        """
        again = before is not None
        for attempt in range(ATTEMPTS):
            try:
                detail = await self._once(step, again)
                request_id = self.request_ids.get(step.id, "")
                return Outcome("done", detail, request_id=request_id, endpoint=self._endpoint(step))
            except Permanent as error:
                return Outcome("failed", str(error), request_id=error.request_id)
            except Transient as error:
                if self.stopping():
                    raise Stopped from error
                if attempt == ATTEMPTS - 1:
                    return Outcome("failed", f"{error} (tried {ATTEMPTS} times)")
                again = True
                await self._sleep(error.retry_after_s or self.pace.after(2.0**attempt))
            except Stale:
                raise
            except ReconcilerError as error:
                return Outcome("failed", str(error))
        raise AssertionError("every attempt returns, raises or tries again")

    async def _once(self, step: Step, again: bool) -> str:
        if step.verb == "put":
            return await self._put(step, again)
        if step.verb == "delete":
            return await self._delete(step)
        return await self._purge(step)

    def _endpoint(self, step: Step) -> str:
        """Where what a step wrote can be called, by the read that found it as declared."""
        have = self.live.get(step.key) if step.verb == "put" else None
        return endpoint_of(have, KINDS[step.key.kind]) if have else ""

    # -- put ---------------------------------------------------------------------------------

    async def _put(self, step: Step, again: bool) -> str:
        resource = self.resources[step.key]
        body = await self._resolved(step.body)
        target = Target(step.key.kind, arm_id_of(resource, body), step.api_version)
        have = await self._settled(target)
        own = self.owned.get(target.arm_id.lower())
        digests = await self._digests(body)
        changes = self._differences(step, resource, body, have, own, digests)
        if have and not changes and have.state == "Succeeded":
            return await self._finish(step, resource, target, body, have, digests)
        if not again:
            _refuse_if_stale(step, have, changes)
        await self._announce(step, target, resource, have, own)
        sent = self._whole(step, resource, body, have, own)
        await self._wait(await self.cloud.put(target, sent, self.stopping), step)
        have = await self._read_back(step, resource, target, body)
        return await self._finish(step, resource, target, body, have, digests)

    def _whole(
        self,
        step: Step,
        resource: Resource,
        body: Properties,
        have: Observed | None,
        own: Owned | None,
    ) -> Properties:
        """What is sent: the declared fields over what is there, or over what a new one needs."""
        kind = KINDS[step.key.kind]
        if have is None:
            return merge(kind.shape, body, kind.initial)
        applied = _answerable(step, own.applied) if own else NOTHING
        return merge(kind.shape, body, have.properties, applied, resource.lifecycle.ignore)

    async def _announce(
        self,
        step: Step,
        target: Target,
        resource: Resource,
        have: Observed | None,
        own: Owned | None,
    ) -> None:
        """Say what is about to be sent, so that a crash right after it forgets nothing."""
        if have is None and own is None:
            own = owned_as(resource, target.arm_id, NOTHING, {})
            await self._own(replace(own, untested=resource.verify is not None))
        elif own and resource.verify and not own.untested:
            await self._own(replace(own, untested=True))
        await self.started(step, Outcome("started"))

    async def _finish(
        self,
        step: Step,
        resource: Resource,
        target: Target,
        body: Properties,
        have: Observed,
        digests: Mapping[Secret, str],
    ) -> str:
        """Record what is now declared there, and test it when this was its last step."""
        self.live[step.key] = have
        before = self.owned.get(target.arm_id.lower())
        applied = dict(resource.properties)
        if step.compare is not None:
            kept = before.applied if before else NOTHING
            applied = {k: v for k, v in applied.items() if k in step.compare}
            applied |= {k: v for k, v in kept.items() if k not in step.compare}
        secrets = {
            path: digests.get(secret, digest_version(self.digest_key, ""))
            for path, secret in _secrets(body)
        }
        now = owned_as(resource, target.arm_id, applied, secrets)
        if resource.verify is None:
            await self._own(now)
            return ""
        await self._own(replace(now, untested=True))
        if self.last_step[step.key] != step.id:
            return ""
        words = await self._verify(resource, target)
        await self._own(now)
        return words

    async def _verify(self, resource: Resource, target: Target) -> str:
        """Run the smoke test. Raises Permanent when the answer is not what the spec expects."""
        verify = resource.verify
        assert verify is not None
        begun = self.clock.monotonic()
        status, answer = await self.cloud.verify(target, verify)
        took = self.clock.monotonic() - begun
        if status != verify.status:
            raise Permanent(
                f"applied, but its smoke test answered {status} instead of {verify.status}"
            )
        if verify.path and at_path(answer, verify.path) is UNKNOWN:
            raise Permanent(f"applied, but its smoke test's answer has no {verify.path}")
        return f"answered {status} in {took:.1f} s"

    def _differences(
        self,
        step: Step,
        resource: Resource,
        body: Properties,
        have: Observed | None,
        own: Owned | None,
        digests: Mapping[Secret, str] | None,
    ) -> tuple[FieldChange, ...]:
        """What differs among the fields this step answers for. ``digests`` None: right after a
        write, when what Azure never returns is as it was sent."""
        if have is None:
            return ()
        context = Context(
            sent=None if digests is None else (own.secrets if own else {}),
            current=(digests or {}).get,
            ignore=ignored(resource),
            managed=own is not None,
        )
        applied = own.applied if own and digests is not None else NOTHING
        shape = KINDS[step.key.kind].shape
        fields = diff_fields(shape, body, have.properties, applied, context)
        if step.compare is None:
            return fields
        return tuple(one for one in fields if one.path[0] in step.compare)

    async def _read_back(
        self, step: Step, resource: Resource, target: Target, body: Properties
    ) -> Observed:
        """A fresh read that shows the declared state. Raises Permanent when none comes."""
        begun = self.clock.monotonic()
        while True:
            have = await self._settled(target)
            differs = self._differences(step, resource, body, have, None, None)
            if have and have.state == "Succeeded" and not differs:
                return have
            if have and have.state in ("Failed", "Canceled"):
                raise Permanent(f"Azure accepted it, then its state became {have.state}")
            waited = self.clock.monotonic() - begun
            if waited > (PATIENCE_S if have is None else PATIENCE_S / 10):
                raise Permanent(_not_as_declared(differs))
            await self._sleep(self.pace.after(waited))

    # -- delete ------------------------------------------------------------------------------

    async def _delete(self, step: Step) -> str:
        target = Target(step.key.kind, step.arm_id, step.api_version)
        have = await self.cloud.read(target)
        if have is not None and have.state != "Deleting":
            await self.started(step, Outcome("started"))
            await self._wait(await self.cloud.delete(target, self.stopping), step)
        begun = self.clock.monotonic()
        while await self.cloud.read(target) is not None:
            waited = self.clock.monotonic() - begun
            if waited > PATIENCE_S:
                raise Permanent("Azure accepted the delete, but the resource is still there")
            await self._sleep(self.pace.after(waited))
        resource = self.resources.get(step.key)
        if resource is None or resource.arm_id.lower() != target.arm_id.lower():
            await self.store.disown(self.plan.environment, [target.arm_id.lower()])
            self.owned.pop(target.arm_id.lower(), None)
        return ""

    async def _purge(self, step: Step) -> str:
        target = Target(step.key.kind, step.arm_id, step.api_version)
        if await self.cloud.read(target) is not None:
            return "nothing to purge: it exists"
        await self.started(step, Outcome("started"))
        location = str(self.resources[step.key].properties.get("location", ""))
        await self._wait(await self.cloud.purge(target, location, self.stopping), step)
        return ""

    # -- waiting -----------------------------------------------------------------------------

    async def _wait(self, operation: Operation, step: Step) -> None:
        """Poll a write to its end. Raises Permanent when Azure says it failed."""
        begun = self.clock.monotonic()
        self.request_ids[step.id] = operation.request_id
        if not operation.done:
            await self.started(step, Outcome("waiting", request_id=operation.request_id))
        while not operation.done:
            pause = operation.retry_after_s
            waited = self.clock.monotonic() - begun
            await self._sleep(self.pace.after(waited) if pause is None else pause)
            operation = await self.cloud.poll(operation)

    async def _settled(self, target: Target) -> Observed | None:
        """A fresh read, once whatever Azure is doing with the resource is over."""
        begun = self.clock.monotonic()
        while True:
            have = await self.cloud.read(target)
            if have is None or have.settled:
                return have
            await self._sleep(self.pace.after(self.clock.monotonic() - begun))

    async def _sleep(self, seconds: float) -> None:
        if self.stopping():
            raise Stopped
        await self.clock.sleep(seconds)
        if self.stopping():
            raise Stopped

    # -- values ------------------------------------------------------------------------------

    async def _resolved(self, value: Json) -> Any:
        """A body with every ref replaced by what it stands for now."""
        if isinstance(value, Ref):
            return await self._value(value)
        if isinstance(value, Mapping):
            return {name: await self._resolved(item) for name, item in value.items()}
        if isinstance(value, list | tuple):
            return [await self._resolved(item) for item in value]
        return value

    async def _value(self, ref: Ref) -> Json:
        resource = self.resources[ref.key]
        have = self.live.get(ref.key)
        if have is None or output(have, ref.path) is UNKNOWN:
            own = await self._resolved(resource.properties) if not resource.arm_id else NOTHING
            arm_id = arm_id_of(resource, own)
            have = await self._settled(Target(ref.key.kind, arm_id, resource.api_version))
        if ref.path == "id" and have:
            return have.arm_id
        value = output(have, ref.path)
        if have is None or value is UNKNOWN:
            raise Transient(f"{ref.key} does not have {ref.path} yet")
        self.live[ref.key] = have
        return value

    async def _digests(self, body: Properties) -> Mapping[Secret, str]:
        secrets = frozenset(secret for _, secret in _secrets(body))
        if not secrets:
            return {}
        versions = await self.cloud.secret_versions(secrets)
        return {one: digest_version(self.digest_key, version) for one, version in versions.items()}

    async def _own(self, owned: Owned) -> None:
        self.owned[owned.arm_id.lower()] = owned
        await self.store.own(self.plan.environment, [owned])


def _answerable(step: Step, applied: Properties) -> Properties:
    """What was last applied, as far as this step goes: the rest is carried over as it is."""
    if step.compare is None:
        return applied
    return {name: value for name, value in applied.items() if name in step.compare}


def _refuse_if_stale(step: Step, have: Observed | None, changes: tuple[FieldChange, ...]) -> None:
    """Raises Stale when the resource is not as the plan saw it."""
    if step.seen is None:
        return
    if have is None:
        if step.seen:
            raise Stale(f"{step.key} is gone since the plan was made: plan again")
        return
    now = Change("update", step.key, step.arm_id, changes)
    if not step.seen or seen_digest(now, step.compare) != step.seen:
        raise Stale(f"{step.key} was changed by somebody else since the plan was made: plan again")


def _not_as_declared(differs: tuple[FieldChange, ...]) -> str:
    if not differs:
        return "Azure accepted it, but a fresh read does not find it"
    one = differs[0]
    return (
        f"Azure accepted it, but a fresh read shows {one.name} as {shown(one.before)!r}, "
        f"not {shown(one.after)!r}"
    )


def _secrets(body: Properties) -> list[tuple[str, Secret]]:
    return [(dotted(path), value) for path, value in walk(body) if isinstance(value, Secret)]


def at_path(value: Json, path: str) -> Json:
    """The value at ``choices[0].message``; UNKNOWN when there is none."""
    for part in path.replace("[", ".").replace("]", "").split("."):
        if isinstance(value, list) and part.isdigit() and int(part) < len(value):
            value = value[int(part)]
        elif isinstance(value, Mapping) and part in value:
            value = value[part]
        else:
            return UNKNOWN
    return value
