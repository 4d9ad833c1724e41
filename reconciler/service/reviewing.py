"""What was reviewed before an apply: the pull requests behind a commit, and what their plans
showed."""

import asyncio
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Final

from reconciler.core.errors import Permanent, Refused
from reconciler.core.forge import Pull, Reviews
from reconciler.core.model import Danger, Run
from reconciler.core.preview import Preview, Previewed
from reconciler.engine import Reviewed
from reconciler.ports import Forge
from reconciler.service.parts import Parts

APPROVALS: Final = 1
"""How many it takes to apply before the merge, unless ``policy.approvals`` says otherwise."""

NOTHING: Final = Reviewed("", frozenset())


@dataclass
class Reviewing:
    """Reads the forge and what was kept of pull requests. Raises Transient."""

    parts: Parts
    forge: Forge

    async def of(self, run: Run) -> tuple[Run, Reviewed]:
        """The run with the pull requests it concerns, and what was reviewed. What puts back a
        commit that was applied before was not reviewed: it makes and changes, and asks before it
        deletes or replaces."""
        name, commit = run.plan.environment, run.plan.commit
        if run.pull:
            return run, await self._reviewed([run.seen])
        status = await self.parts.store.status(name)
        if status.applied_commit == commit:
            return run, NOTHING
        try:
            merged = await self.forge.merged_between(status.applied_commit, commit)
        except Permanent:
            merged = []  # who may not ask learns of no review: nothing dangerous is done
        previews = await asyncio.gather(*(self._preview(one) for one in merged))
        concerned = [
            (pull, preview)
            for pull, preview in zip(merged, previews, strict=True)
            if preview is None or not preview.told_at or _shown(preview, name)
        ]
        counting = _counting(concerned, merged)
        shown = [_shown(one, name) for one in counting]
        reviewed = await self._reviewed([one.run for one in shown if one])
        pulls = dict.fromkeys([*run.pulls, *(pull.number for pull, _ in concerned)])
        return replace(run, pulls=tuple(pulls)), reviewed

    async def _preview(self, pull: Pull) -> Preview | None:
        """What was shown of exactly what was merged; a plan of an older head was not a review."""
        found = await self.parts.store.preview(pull.number)
        return found if found and found.head == pull.head else None

    async def _reviewed(self, names: Iterable[str]) -> Reviewed:
        """What these plan runs showed."""
        runs = await asyncio.gather(*(self.parts.store.run(name) for name in names if name))
        plans = [run.plan for run in runs if run]
        dangerous: frozenset[Danger] = frozenset().union(*(plan.dangerous for plan in plans))
        return Reviewed(", ".join(plan.digest for plan in plans), dangerous)

    async def refuse_if_held(self, name: str, pull: int) -> None:
        """Raises Refused while another open pull request was applied to an environment; ``pull``:
        0 for the branch."""
        held_by = (await self.parts.store.status(name)).held_by
        if held_by in (0, pull) or not await still_open(self.forge, held_by):
            return
        raise Refused(
            f"{name} stands as pull request {held_by} wants it, which is not merged yet: merge or "
            f"close that, or comment /unlock {name}"
        )

    async def refuse_unless_ready(
        self, number: int, environment: str, commit: str = ""
    ) -> tuple[Pull, Previewed]:
        """The pull request and what was shown of ``environment``, when that may be applied before
        the merge, as things stand at this moment; ``commit``: only as this. Raises Refused with
        what is missing."""
        pull = await self.forge.pull(number)
        preview = await self.parts.store.preview(number)
        head = await self.parts.specs.head()
        declared = await self.parts.environment(environment, head)
        reviews = await self.forge.reviews(pull)
        people = sorted((reviews.approved | reviews.against) - {pull.author})
        may = await asyncio.gather(*(self.forge.may_write(one) for one in people))
        writers = frozenset(one for one, yes in zip(people, may, strict=True) if yes)
        needed = declared.policy.get("approvals", APPROVALS)
        missing = (
            _not_mergeable(pull, self.parts.branch)
            or _not_planned(pull, preview, environment, head, commit)
            or _not_approved(reviews, writers, needed if type(needed) is int else APPROVALS)
        )
        if declared.apply != "onCommand":
            missing = f"{environment} is applied when this is merged"
        told = _shown(preview, environment) if preview else None
        if missing or told is None:
            raise Refused(missing)
        return pull, told


async def still_open(forge: Forge, number: int) -> bool:
    """Whether a pull request is open; one that is gone is not."""
    try:
        return (await forge.pull(number)).state == "open"
    except Permanent as error:
        if error.status != 404:
            raise
        return False


def _counting(
    concerned: Sequence[tuple[Pull, Preview | None]], merged: Sequence[Pull]
) -> list[Preview]:
    """The previews that still say what merging does, of pull requests that came newest first. A
    plan is made as if merged: what was merged before its base is in it, or was undone by then."""
    place = {pull.merge_commit: at for at, pull in enumerate(merged) if pull.merge_commit}
    horizon, found = len(merged), []
    for pull, preview in concerned:
        if merged.index(pull) >= horizon:
            break
        if preview:
            found.append(preview)
            horizon = min(horizon, place.get(preview.base, horizon))
    return found


def _shown(preview: Preview, environment: str) -> Previewed | None:
    return next((one for one in preview.shown if one.environment == environment), None)


def _not_mergeable(pull: Pull, branch: str) -> str:
    if pull.state != "open":
        return f"this was {pull.state} meanwhile: comment /apply again if that is still meant"
    if pull.base != branch:
        return f"this is not to be merged into {branch}"
    if pull.draft:
        return "this is a draft: mark it as ready for review first"
    return "" if pull.merges else "this does not merge: bring it up to date with its branch first"


def _not_planned(
    pull: Pull, preview: Preview | None, environment: str, head: str, commit: str
) -> str:
    told = _shown(preview, environment) if preview else None
    if preview is None or preview.state != "planned" or preview.head != pull.head:
        return "its newest commit has no plan yet: wait for it, or comment /plan"
    if told is None:
        return f"it was not planned for {environment}: comment /plan {environment} first"
    if told.verdict != "planned":
        return f"there is no plan for {environment}: {told.detail}"
    moved = preview.base != head or preview.commit != pull.merge_commit
    if moved or (commit and commit != pull.merge_commit):
        return "the branch has moved since it was planned: look at the new plan, then /apply it"
    return ""


def _not_approved(reviews: Reviews, writers: frozenset[str], needed: int) -> str:
    if against := sorted(reviews.against & writers):
        return f"{against[0]} asks for changes"
    count = len(reviews.approved & writers)
    if count < needed:
        people = "approval" if needed == 1 else "approvals"
        return (
            f"it needs {needed} {people} of its newest commit by others who may write here, and "
            f"has {count}"
        )
    return ""
