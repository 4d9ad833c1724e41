"""What merging a pull request would do: read and planned as if merged, with the branch's rights."""

import asyncio
import logging
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Final

from reconciler.core.desired import Desired, environments, members, parse, parse_all
from reconciler.core.desired.environment import Environment
from reconciler.core.desired.rights import rights_changed
from reconciler.core.errors import Permanent, Refused, SpecError, SpecErrors, Transient
from reconciler.core.forge import Pull
from reconciler.core.model import Run
from reconciler.core.preview import Preview, Previewed
from reconciler.core.safety import refuse_if_too_much
from reconciler.engine import Engine, Progress, Proposal
from reconciler.ports import Forge
from reconciler.service.parts import Parts

log = logging.getLogger(__name__)

MOST_ERRORS: Final = 500
"""Kept of one pull request."""

type Files = Mapping[str, str]


@dataclass
class Previewing:
    """Looks at one pull request. Writes plan runs, and nothing else anywhere."""

    parts: Parts
    forge: Forge
    progress: Progress

    async def of(self, pull: Pull, begun: Preview) -> Preview:
        """``begun`` with what was found out. Raises Transient when that may work later."""
        if pull.merges is None:
            raise Transient(f"it is not known yet whether pull request {pull.number} merges")
        if not pull.merges:
            return replace(begun, state="conflicting")
        found = replace(begun, commit=pull.merge_commit)
        try:
            return await self._found(pull, found)
        except SpecErrors as error:
            return replace(found, state="invalid", errors=error.errors[:MOST_ERRORS])
        except Permanent as error:
            return replace(found, state="failed", detail=str(error))

    async def _found(self, pull: Pull, begun: Preview) -> Preview:
        specs = self.parts.specs
        before, after, changed = await asyncio.gather(
            specs.read(begun.base), specs.read(begun.commit), self.forge.changed_files(pull.number)
        )
        if pull.fork and begun.trusted != pull.head:
            # Nobody vouches for it yet: its text is read, and nobody is asked about Azure.
            parse_all(after)
            return replace(begun, state="untrusted")
        there = _environments(before)
        then = {one.name: one for one in environments(after)}
        names = set(_touched(changed, before, after)) | set(begun.asked)
        new = then.keys() - there.keys()
        desired = _parsed(after, (names & then.keys()) | new, there)
        known = sorted(desired.keys() - new)
        planned = await asyncio.gather(
            *(self._planned(pull, begun.commit, desired[name]) for name in known)
        )
        notes = _notes(there, then, self.parts.branch)
        return replace(begun, state="planned", environments=tuple(planned), notes=notes)

    async def _planned(self, pull: Pull, commit: str, desired: Desired) -> Previewed:
        """One environment's plan, saved as a run; or why there is none."""
        environment = desired.environment
        engine, now = self.parts.engine("plan"), self.parts.clock.now().isoformat()
        found = Previewed(
            environment.name,
            "planned",
            place=_place(environment),
            on_command=environment.apply == "onCommand",
        )
        try:
            proposal = await engine.propose(environment, desired.resources, commit, self.progress)
        except Refused as error:
            return replace(found, verdict="refused", detail=str(error))
        except (Permanent, Transient) as error:
            return replace(found, verdict="failed", detail=str(error))
        by = f"pull request {pull.number}"
        run = Run(self.parts.new_id(), proposal.plan, by, now, mode="plan", state="running")
        await self.parts.store.begin(run)
        await self.parts.store.end(run.id, "done", "", self.parts.clock.now())
        applied = found.on_command and not proposal.plan.changes
        if applied:
            status = await self.parts.store.status(environment.name)
            applied = status.held_by == pull.number
        stops = _what_stops(engine, environment, proposal)
        digest = proposal.plan.digest
        return replace(found, run=run.id, applied=applied, detail=stops, digest=digest)


def _environments(files: Files) -> Mapping[str, Environment]:
    """The branch's environments; none when their files are broken: a pull request that mends them
    has to be looked at all the same."""
    try:
        return {one.name: one for one in environments(files)}
    except SpecErrors:
        log.warning("the environments of the branch cannot be read")
        return {}


def _touched(changed: frozenset[str] | None, before: Files, after: Files) -> frozenset[str]:
    """Names of the environments that a change of these paths may concern; None: any path."""
    made_of = dict(members(after))
    if changed is None:
        return frozenset(made_of)
    try:
        for name, paths in members(before).items():
            made_of[name] = made_of.get(name, paths) | paths
    except SpecErrors:
        return frozenset(made_of)
    return frozenset(name for name, paths in made_of.items() if paths & changed)


def _parsed(
    files: Files, names: set[str], there: Mapping[str, Environment]
) -> Mapping[str, Desired]:
    """What environments want, each with the rights it has on the branch. Raises SpecErrors with
    the errors of all of them, each once."""
    found: dict[str, Desired] = {}
    errors: dict[SpecError, None] = {}
    for name in sorted(names):
        try:
            found[name] = parse(files, name, rights=there.get(name))
        except SpecErrors as error:
            errors.update(dict.fromkeys(error.errors))
    if errors:
        raise SpecErrors(list(errors))
    return found


def _notes(
    there: Mapping[str, Environment], then: Mapping[str, Environment], branch: str
) -> tuple[str, ...]:
    """What it changes that its own plan does not follow."""
    notes = [
        f"Environment {name} is new: it is planned when it is on {branch}."
        for name in sorted(then.keys() - there.keys())
    ]
    notes += [
        f"Environment {name} is declared no more: what it owns in Azure stays as it is."
        for name in sorted(there.keys() - then.keys())
    ]
    for name in sorted(there.keys() & then.keys()):
        if words := rights_changed(then[name], there[name]):
            notes.append(
                f"It changes {', '.join(words)} of environment {name}. That holds from the merge "
                f"on; this plan was made with what {branch} says now."
            )
    return tuple(notes)


def _what_stops(engine: Engine, environment: Environment, proposal: Proposal) -> str:
    """Why applying this would be refused, as things stand; "" when nothing is known against it."""
    try:
        engine.refuse_if_suspended(environment)
        refuse_if_too_much(proposal.plan, len(proposal.owned), None)
    except Refused as error:
        return str(error)
    return ""


def _place(one: Environment) -> str:
    return f"{one.subscription} / {one.resource_group} / {one.location}"
