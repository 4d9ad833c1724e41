"""Pull requests: looked at when somebody says so or the sweep finds them, kept, and told.

What is found out is kept before it is told, and told from what was kept: posting can fail, be cut
off or happen twice, and is made up for by whoever looks next.
"""

import asyncio
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Final

from reconciler.core.commands import Command, Misread, commands
from reconciler.core.errors import Permanent, SpecErrors, Transient
from reconciler.core.forge import Pull
from reconciler.core.preview import Preview
from reconciler.engine import Progress
from reconciler.ports import Forge
from reconciler.service.parts import AGAIN_S, GIVE_UP_S, GO_ON_S, Parts
from reconciler.service.previewing import Previewing
from reconciler.service.telling import Telling
from reconciler.telemetry import work

log = logging.getLogger(__name__)

MOST_TRIES: Final = 6
"""One after the other, before the next sweep takes over."""
DEADLINE_S: Final = 600.0
"""A pull request that is being looked at for so long is looked at by the next sweep."""
FAILED_AGAIN_S: Final = 3600.0
"""The pause after which one that could not be planned is planned by the sweep again."""
RETOLD_S: Final = 3600.0
"""So often the sweep sees that the forge still shows what was told."""


@dataclass
class Pulls:
    """Looks at pull requests, one worker at a time for each."""

    parts: Parts
    forge: Forge
    progress: Progress

    async def look(self, number: int, *, again: bool = False, tries: int = 0) -> None:
        """See how a pull request stands; plan it unless that was done, and tell what came of it.

        ``again``: plan it whether or not it was. What may pass is tried again later.
        """
        with work("pull", pull=str(number)):
            try:
                async with self.turn(number):
                    rest = await self._look(number, again)
            except Transient as error:
                log.info("pull request %d is looked at again later: %s", number, error)
                pause = max(GO_ON_S if tries == 0 else AGAIN_S, error.retry_after_s or 0.0)
                rest = Rest(again, pause)
            except Permanent as error:
                log.warning("pull request %d could not be looked at: %s", number, error)
                rest = None  # the sweep comes by
        if rest:
            await self._later(number, rest, tries)

    @asynccontextmanager
    async def turn(self, number: int) -> AsyncIterator[None]:
        """The right to look at a pull request and to say so. Raises Transient when it is taken."""
        async with self.parts.engine("plan").writing(f"pull.{number}"):
            yield

    async def _later(self, number: int, rest: "Rest", tries: int) -> None:
        if tries >= MOST_TRIES:
            return  # the sweep comes by
        message = {"pull": str(number), "tries": str(tries + 1)}
        message |= {"again": "yes"} if rest.again else {}
        await self.parts.queue.send(message, rest.pause_s * 2**tries)

    async def _look(self, number: int, again: bool) -> "Rest | None":
        """What is left to do later."""
        store, now = self.parts.store, self.parts.clock.now()
        pull, base = await asyncio.gather(self._pull(number), self.parts.specs.head())
        before = await store.preview(number)
        if pull is None or pull.state != "open" or pull.base != self.parts.branch:
            return await self._close(before) if before and before.open else None
        if before and not again and await self._holds(before, pull, base, now):
            commit = pull.merge_commit or before.commit
            return await self._tell(replace(before, base=base, commit=commit), before)
        if before and before.state == "planning" and before.head != pull.head:
            await self._close(before)  # nobody looks at that commit again
        begun = _begun(pull, base, before, now)
        await store.keep_preview(begun)
        found = await self._found(pull, begun, now)
        await store.keep_preview(found)
        rest = await self._tell(found, before)
        failed = any(one.verdict == "failed" for one in found.environments)
        return Rest(again=True, pause_s=AGAIN_S) if failed else rest

    async def _pull(self, number: int) -> Pull | None:
        """None: the forge knows it no more."""
        try:
            return await self.forge.pull(number)
        except Permanent as error:
            if error.status != 404:
                raise
            return None

    async def _close(self, before: Preview) -> "Rest | None":
        """It is over: what the forge shows as going on is not."""
        closed, rest = replace(before, state="closed"), None
        if before.state == "planning" or not before.told:
            try:
                await Telling(self.parts, self.forge).closed(closed)
            except Transient as error:
                return Rest(again=False, pause_s=max(AGAIN_S, error.retry_after_s or 0.0))
            except Permanent as error:
                log.warning("the end of pull request %d was not told: %s", before.pull, error)
        await self.parts.store.keep_preview(closed)
        return rest

    async def _holds(self, before: Preview, pull: Pull, base: str, now: datetime) -> bool:
        """Whether what is kept says how it stands."""
        if before.head != pull.head or before.state in ("planning", "closed"):
            return False
        if (before.state == "conflicting") != (pull.merges is False):
            return False
        failed = before.state == "failed" or any(
            one.verdict == "failed" for one in before.environments
        )
        if failed and _age_s(before.planned_at, now) > FAILED_AGAIN_S:
            return False
        return await self._same(before.base, base) and (
            not pull.merge_commit or await self._same(before.commit, pull.merge_commit)
        )

    async def _same(self, old: str, new: str) -> bool:
        """Whether the specs at two commits are the same."""
        if not old or old == new:
            return old == new
        specs = self.parts.specs
        try:
            before, after = await asyncio.gather(specs.read(old), specs.read(new))
        except (SpecErrors, Permanent):
            return False  # whoever plans it finds out why
        return before == after

    async def _found(self, pull: Pull, begun: Preview, now: datetime) -> Preview:
        """What came of it, while the forge shows that it is being planned."""
        telling = Telling(self.parts, self.forge)
        showing = asyncio.create_task(telling.pending(begun))
        try:
            found = await Previewing(self.parts, self.forge, self.progress).of(pull, begun)
        except Transient as error:
            if _age_s(begun.begun_at, now) < GIVE_UP_S:
                raise
            found = replace(begun, state="failed", detail=f"given up after a day: {error}")
        finally:
            await showing
        return replace(found, planned_at=self.parts.clock.now().isoformat())

    async def _tell(self, preview: Preview, before: Preview | None) -> "Rest | None":
        """Say it on the forge, unless it was said a while ago. A forge that does not take it keeps
        nobody from going on: the next look tells it."""
        now, rest = self.parts.clock.now(), None
        if preview == before and preview.told and _age_s(preview.told_at, now) < RETOLD_S:
            return None
        try:
            preview = await Telling(self.parts, self.forge).preview(preview)
        except (Transient, Permanent) as error:
            log.warning("pull request %d was not told: %s", preview.pull, error)
            if isinstance(error, Transient):
                rest = Rest(again=False, pause_s=max(AGAIN_S, error.retry_after_s or 0.0))
            preview = replace(preview, told="")
        await self.parts.store.keep_preview(preview)
        return rest

    async def recheck(self, commit: str) -> None:
        """Somebody asked the forge to look at a commit again."""
        for one in await self.forge.open_pulls():
            if one.head == commit:
                await self.parts.queue.send({"pull": str(one.number), "again": "yes"})

    async def tell_run(self, run_id: str, *, again: bool = False, tries: int = 0) -> None:
        """Say on the forge how an apply stands; what it changed makes other plans old. ``again``:
        that may have been done, so that plans that are younger stay."""
        run = await self.parts.store.run(run_id)
        if run is None:
            return
        name = run.plan.environment
        try:
            await Telling(self.parts, self.forge).run(run)
        except Transient as error:
            log.info("run %s is told later: %s", run_id, error)
            if not again and tries < MOST_TRIES:  # else the sweep comes by
                pause = max(AGAIN_S, error.retry_after_s or 0.0) * 2**tries
                await self.parts.queue.send({"tell": run_id, "tries": str(tries + 1)}, pause)
            return
        except Permanent as error:
            log.warning("run %s cannot be told: %s", run_id, error)
        if run.open or not run.outcomes:
            return
        for one in await self.parts.store.open_previews():
            if again and not "" < one.planned_at < run.ended_at:
                continue
            if name in {known.environment for known in one.environments}:
                await self.parts.queue.send({"pull": str(one.pull), "again": "yes"})

    async def lost(self) -> int:
        """Send a message for each pull request that something was missed of: how many."""
        store, now = self.parts.store, self.parts.clock.now()
        found = await self.forge.open_pulls()
        known = {one.pull: one for one in await store.open_previews()}
        base = await self.parts.specs.head()
        numbers = {one.number for one in found if _missed(known.get(one.number), one, base, now)}
        numbers |= known.keys() - {one.number for one in found}
        for number in sorted(numbers):
            await self.parts.queue.send({"pull": str(number)})
        horizon = now - timedelta(seconds=HEARD_S)
        comments = await self.forge.comments_since(horizon)
        unanswered = 0
        for comment in comments:
            if not any(map(is_ours, commands(comment.text))):
                continue
            preview = known.get(comment.pull) or await store.preview(comment.pull)
            heard = (*preview.answered, *preview.declined) if preview else ()
            if comment.id not in heard:
                unanswered += 1
                await self.parts.queue.send({"comment": str(comment.id)})
        return len(numbers) + unanswered

    async def poisoned(self, number: int) -> None:
        """Nobody could look at it: it says so, and stays as it is until something new happens."""
        before = await self.parts.store.preview(number)
        if before and before.state == "planning":
            detail = "every worker that looked at it broke off: see the log of the app"
            now = self.parts.clock.now().isoformat()
            failed = replace(before, state="failed", detail=detail, planned_at=now, told="")
            await self._tell(failed, before)


@dataclass(frozen=True)
class Rest:
    """What is left to do on a pull request, after a pause."""

    again: bool
    """A part of it has to be planned again; else something has to be told."""
    pause_s: float


def is_ours(asked: Command | Misread) -> bool:
    """Commands of other programs, which have words of their own, are theirs to answer."""
    return isinstance(asked, Command) or not asked.foreign


HEARD_S: Final = 3600.0
"""How old a command that nobody has heard may get: after that whoever wrote it says it again."""


def _begun(pull: Pull, base: str, before: Preview | None, now: datetime) -> Preview:
    """A preview that is being made; what people asked for goes on to hold."""
    begun = Preview(pull.number, pull.head, base, begun_at=now.isoformat())
    if before is None:
        return begun
    same = before.head == pull.head
    waiting = same and before.state == "planning" and before.begun_at
    return replace(
        begun,
        asked=before.asked,
        trusted=before.trusted,
        answered=before.answered,
        declined=before.declined,
        spoken=before.spoken,
        begun_at=before.begun_at if waiting else begun.begun_at,
        told_at=before.told_at if same else "",
        shown=before.shown if same else (),
    )


def _missed(known: Preview | None, pull: Pull, base: str, now: datetime) -> bool:
    if known is None or known.head != pull.head or known.base != base or not known.told:
        return known is None or known.state != "planning" or _late(known, now)
    if known.state == "planning":
        return _late(known, now)
    failed = known.state == "failed" or any(one.verdict == "failed" for one in known.environments)
    return _age_s(known.told_at, now) > (FAILED_AGAIN_S if failed else RETOLD_S)


def _late(known: Preview, now: datetime) -> bool:
    return _age_s(known.begun_at, now) > DEADLINE_S


def _age_s(moment: str, now: datetime) -> float:
    """Seconds since then; for ever when it is not told."""
    return (now - datetime.fromisoformat(moment)).total_seconds() if moment else float("inf")
