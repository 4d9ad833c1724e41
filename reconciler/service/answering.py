"""What people ask for in comments: who may, what comes of it, and the answer."""

import logging
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Final

from reconciler.core.commands import USAGE, Command, Misread, commands
from reconciler.core.errors import Permanent, ReconcilerError, Refused, SpecErrors, Transient
from reconciler.core.forge import Comment, Pull, Reaction
from reconciler.core.model import Run, RunState
from reconciler.core.preview import Preview
from reconciler.core.render.escape import code, prose
from reconciler.ports import Forge
from reconciler.service.asked import Asked, Ended
from reconciler.service.parts import GO_ON_S, Parts
from reconciler.service.pulls import HEARD_S, MOST_TRIES, Pulls, is_ours
from reconciler.service.reviewing import Reviewing
from reconciler.telemetry import work

log = logging.getLogger(__name__)

REMEMBERED: Final = 1000
"""Comments of one pull request whose answers are remembered: more than there are in two hours."""
MOST_DECLINED: Final = 20
"""Comments of one pull request, by people who may not ask, that are answered with a sign."""
SAYS: Final = {
    "plan": "plans again; an environment that the change does not touch can be named",
    "apply": "applies: before the merge where an environment wants that, else what was merged; "
    "a digest allows the plan of that name, whatever it deletes or replaces",
    "cancel": "ends the applies that this pull request waits for",
    "unlock": "lets other pull requests apply to an environment that one holds",
    "help": "says this",
}


@dataclass(frozen=True)
class Answer:
    """A sentence in Markdown ("" where the reaction says it all), and a reaction."""

    text: str = ""
    reaction: Reaction = "done"


class _Declined(ReconcilerError):
    """It cannot be done, for a reason that whoever asked should know."""


@dataclass
class Answering:
    """Does what the commands of one comment ask for."""

    parts: Parts
    forge: Forge
    pulls: Pulls
    request: Callable[[Asked], Awaitable[Run]]
    cancel: Callable[[str], Awaitable[RunState]]

    async def answer(self, number: int, tries: int = 0) -> None:
        """Safe to repeat: a comment is answered once. Raises Permanent for trouble with the forge,
        the repository or state: then the queue gives the message to somebody again."""
        comment = await self.forge.comment(number)
        asked = [one for one in commands(comment.text) if is_ours(one)] if comment else []
        if not comment or not asked or self._is_old(comment):
            return
        with work("command", pull=str(comment.pull)):
            try:
                async with self.pulls.turn(comment.pull):
                    await self._answer(comment, asked)
            except Transient as error:
                await self._later(comment, tries, error)

    def _is_old(self, comment: Comment) -> bool:
        """Of what was said so long ago nobody knows any more whether it was answered."""
        if not comment.made_at:
            return False
        age = self.parts.clock.now() - datetime.fromisoformat(comment.made_at)
        return age > timedelta(seconds=2 * HEARD_S)

    async def _later(self, comment: Comment, tries: int, error: Transient) -> None:
        """Somebody looks at the pull request just now, or something is away for a moment. After
        some tries the sweep, which finds unanswered commands, takes over."""
        log.info("comment %d is answered later: %s", comment.id, error)
        if tries < MOST_TRIES:
            message = {"comment": str(comment.id), "pull": str(comment.pull)}
            await self.parts.queue.send({**message, "tries": str(tries + 1)}, GO_ON_S * 2**tries)

    async def _answer(self, comment: Comment, asked: list[Command | Misread]) -> None:
        """Written down last: who is cut off before is followed by somebody who does it again."""
        before = await self.parts.store.preview(comment.pull)
        if before and comment.id in (*before.answered, *before.declined):
            return
        if not await self.forge.may_write(comment.author):
            await self._decline(comment, before)
            return
        await self.forge.react(comment.id, "seen")
        pull = await self.forge.pull(comment.pull)
        answers = [await self._one(one, pull, comment) for one in asked]
        said = [one.text for one in answers if one.text]
        if said:
            await self.forge.say(comment.pull, f"answer-{comment.id}", "\n\n".join(said))
        await self.forge.react(comment.id, _together(answers))
        await self._remember(comment)

    async def _decline(self, comment: Comment, kept: Preview | None) -> None:
        """Somebody who may not ask. What a stranger writes costs us little, and makes us forget
        nothing that others wrote."""
        log.info("%s may not write here: a command was refused", comment.author)
        kept = kept or Preview(comment.pull, "", state="closed")
        if len(kept.declined) < MOST_DECLINED:
            await self.forge.react(comment.id, "refused")
        declined = (*kept.declined, comment.id)[-REMEMBERED:]
        await self.parts.store.keep_preview(replace(kept, declined=declined))

    async def _remember(self, comment: Comment) -> None:
        kept = await self.parts.store.preview(comment.pull)
        kept = kept or Preview(comment.pull, "", state="closed")
        answered = (*kept.answered, comment.id)[-REMEMBERED:]
        await self.parts.store.keep_preview(replace(kept, answered=answered))

    async def _one(self, asked: Command | Misread, pull: Pull, comment: Comment) -> Answer:
        if isinstance(asked, Misread):
            return Answer(f"{asked.reason}\n\n{_help()}", "confused")
        do = {
            "plan": self._plan,
            "apply": self._apply,
            "cancel": self._cancel,
            "unlock": self._unlock,
            "help": self._help,
        }[asked.verb]
        try:
            return await do(asked, pull, comment)
        except (Transient, Permanent):
            raise
        except SpecErrors as error:
            return Answer(f"The specs cannot be used: {prose(str(error.errors[0]))}", "refused")
        except ReconcilerError as error:
            return Answer(prose(_sentence(str(error))), "refused")

    # One command each

    async def _plan(self, asked: Command, pull: Pull, comment: Comment) -> Answer:
        if pull.state != "open":
            raise _Declined(f"this is {pull.state}: there is nothing to plan any more")
        if asked.environment:
            await self._declared(asked.environment)
        kept = await self.parts.store.preview(pull.number)
        kept = kept or Preview(pull.number, pull.head, begun_at=self.parts.clock.now().isoformat())
        names = {*kept.asked, asked.environment} - {""}
        if pull.fork:
            _refuse_unless_seen(kept, pull, comment)
        kept = replace(kept, asked=tuple(sorted(names)), trusted=pull.head)
        await self.parts.store.keep_preview(kept)
        await self.parts.queue.send({"pull": str(pull.number), "again": "yes"})
        return Answer()

    async def _apply(self, asked: Command, pull: Pull, comment: Comment) -> Answer:
        if pull.state == "closed":
            raise _Declined("this was closed without being merged: there is nothing to apply")
        said, reaction = [], Answer().reaction
        for name in await self._meant(asked, pull):
            try:
                run = await self._asked(name, asked, pull, comment)
                said.append(f"{code(name)}: {self._run(run)}")
            except (Refused, _Declined) as error:
                said.append(f"{code(name)}: {prose(str(error))}.")
                reaction = "refused"
        return Answer("\n".join(said), reaction)

    async def _asked(self, name: str, asked: Command, pull: Pull, comment: Comment) -> str:
        """Ask for one apply, once for each comment: the run's id."""
        by = f"{comment.author} on pull request {pull.number}, comment {comment.id}"
        found = await self.parts.store.runs(name, 20, "apply")
        if begun := next((one.id for one in found if one.requested_by == by), ""):
            return begun  # before whoever answered this was cut off
        request = Asked(name, "apply", allow=asked.digest, by=by, pulls=(pull.number,))
        reviewing = Reviewing(self.parts, self.forge)
        await reviewing.refuse_if_held(name, pull.number if pull.state == "open" else 0)
        if pull.state == "open":
            now, shown = await reviewing.refuse_unless_ready(pull.number, name)
            if asked.digest != shown.digest and _is_younger(shown.since, comment):
                raise _Declined(
                    "its plan is younger than this comment: look at it, then comment /apply again"
                )
            request = replace(request, ref=now.merge_commit, pull=pull.number, seen=shown.run)
        return (await self.request(request)).id

    def _run(self, run: str) -> str:
        if not self.parts.run_link:
            return f"run {code(run)} is waiting for a worker."
        return f"run [{code(run)}]({self.parts.run_link.format(run=run)}) is waiting for a worker."

    async def _meant(self, asked: Command, pull: Pull) -> list[str]:
        """The environments to apply to."""
        if asked.environment:
            await self._declared(asked.environment)
            return [asked.environment]
        preview = await self.parts.store.preview(pull.number)
        told = preview.environments if preview else ()
        names = [one.environment for one in told if pull.state == "merged" or one.on_command]
        if not names and told:
            every = ", ".join(one.environment for one in told)
            raise _Declined(f"{every}: applied when this is merged, without a word")
        if not names:
            raise _Declined("it is not known which environment is meant: /apply ENVIRONMENT")
        return names

    async def _cancel(self, asked: Command, pull: Pull, comment: Comment) -> Answer:
        preview, ended = await self.parts.store.preview(pull.number), []
        names = {one.environment for one in preview.shown} if preview else set()
        for header in await self.parts.store.open_runs():
            run = await self.parts.store.run(header.id)
            if run and run.mode == "apply" and self._waits_for(run, pull, names):
                try:
                    await self.cancel(run.id)
                except Ended:
                    continue  # by itself, just now
                ended.append(run)
        if not ended:
            raise _Declined("nothing is being applied for this pull request")
        listed = ", ".join(code(run.plan.environment) for run in ended)
        return Answer(f"The apply to {listed} ends; what was sent to Azure is not taken back.")

    def _waits_for(self, run: Run, pull: Pull, names: set[str]) -> bool:
        """Whether a run concerns a pull request; until a worker has taken it, one of the branch
        may concern any that was merged."""
        if pull.number in (*run.pulls, run.pull):
            return True
        untaken = run.state == "queued" and not (run.pulls or run.pull)
        return untaken and pull.state == "merged" and run.plan.environment in names

    async def _unlock(self, asked: Command, pull: Pull, comment: Comment) -> Answer:
        await self._declared(asked.environment)
        status = await self.parts.store.status(asked.environment)
        if not status.held_by:
            raise _Declined(f"no pull request holds {asked.environment}")
        await self.parts.store.keep_status(replace(status, held_by=0))
        return Answer(
            f"{code(asked.environment)} was held by pull request {status.held_by} and is free now."
        )

    async def _help(self, asked: Command, pull: Pull, comment: Comment) -> Answer:
        return Answer(_help())

    async def _declared(self, name: str) -> None:
        await self.parts.environment(name, await self.parts.specs.head())


def _refuse_unless_seen(kept: Preview, pull: Pull, comment: Comment) -> None:
    """Raises unless the fork's newest commit was there when the comment was written: what was
    pushed after somebody said /plan, nobody has vouched for."""
    seen = kept.head == pull.head and bool(kept.begun_at)
    if not seen or _is_younger(kept.begun_at, comment):
        raise _Declined(
            "its newest commit is younger than this comment: look at it, then comment /plan again"
        )


def _is_younger(moment: str, comment: Comment) -> bool:
    """Whether something came after a comment, as far as the forge says when that was."""
    if not moment or not comment.made_at:
        return False
    return datetime.fromisoformat(moment) > datetime.fromisoformat(comment.made_at)


def _sentence(text: str) -> str:
    return f"{text[:1].upper()}{text[1:].removesuffix('.')}."


def _together(answers: list[Answer]) -> Reaction:
    """The reaction to several commands: the least happy one."""
    order: list[Reaction] = ["confused", "refused", "done"]
    return min((one.reaction for one in answers), key=order.index)


def _help() -> str:
    rows = [f"| {code(USAGE[verb])} | {prose(says)} |" for verb, says in SAYS.items()]
    return "\n".join(["| say | and it |", "| --- | --- |", *rows])
