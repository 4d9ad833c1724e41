"""What was reviewed before an apply: the pull requests behind a commit, and what their plans
showed."""

import asyncio
from collections.abc import Iterable
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


@dataclass
class Reviewing:
    """Reads the forge and what was kept of pull requests. Raises Transient."""

    parts: Parts
    forge: Forge

    async def of(self, run: Run) -> tuple[Run, Reviewed | None]:
        """The run with the pull requests it concerns, and what was reviewed; None: the commit was
        applied before, and this puts back what it said."""
        name, commit = run.plan.environment, run.plan.commit
        if run.pull:
            preview = await self.parts.store.preview(run.pull)
            return run, await self._reviewed([preview] if preview else [], name)
        status = await self.parts.store.status(name)
        if status.applied_commit == commit:
            return run, None
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
        reviewed = await self._reviewed([one for _, one in concerned if one], name)
        pulls = dict.fromkeys([*run.pulls, *(pull.number for pull, _ in concerned)])
        return replace(run, pulls=tuple(pulls)), reviewed

    async def _preview(self, pull: Pull) -> Preview | None:
        """What was shown of exactly what was merged; a plan of an older head was not a review."""
        found = await self.parts.store.preview(pull.number)
        return found if found and found.head == pull.head else None

    async def _reviewed(self, previews: Iterable[Preview], environment: str) -> Reviewed:
        shown = [_shown(one, environment) for one in previews]
        runs = await asyncio.gather(*(self.parts.store.run(one.run) for one in shown if one))
        plans = [run.plan for run in runs if run]
        dangerous: frozenset[Danger] = frozenset().union(*(plan.dangerous for plan in plans))
        return Reviewed(", ".join(plan.digest for plan in plans), dangerous)

    async def refuse_unless_ready(self, number: int, environment: str, commit: str = "") -> Pull:
        """The pull request, when ``environment`` may be applied before it is merged, as things
        stand at this moment; ``commit``: only as this. Raises Refused with what is missing."""
        pull = await self.forge.pull(number)
        preview = await self.parts.store.preview(number)
        head = await self.parts.specs.head()
        declared = await self.parts.environment(environment, head)
        reviews = await self.forge.reviews(pull)
        people = sorted((reviews.approved | reviews.against) - {pull.author})
        may = await asyncio.gather(*(self.forge.may_write(one) for one in people))
        writers = frozenset(one for one, yes in zip(people, may, strict=True) if yes)
        held_by = (await self.parts.store.status(environment)).held_by
        needed = declared.policy.get("approvals", APPROVALS)
        missing = (
            _not_mergeable(pull, self.parts.branch)
            or _not_planned(pull, preview, environment, head, commit)
            or _not_approved(reviews, writers, needed if type(needed) is int else APPROVALS)
        )
        if declared.apply != "onCommand":
            missing = f"{environment} is applied when this is merged"
        elif not missing and held_by not in (0, number):
            missing = (
                f"{environment} stands as pull request {held_by} wants it, which is not merged "
                f"yet: merge or close that, or comment /unlock {environment}"
            )
        if missing:
            raise Refused(missing)
        return pull


def _shown(preview: Preview, environment: str) -> Previewed | None:
    return next((one for one in preview.shown if one.environment == environment), None)


def _not_mergeable(pull: Pull, branch: str) -> str:
    if pull.state != "open" or pull.base != branch:
        return f"this is {pull.state}, and not to be merged into {branch}"
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
