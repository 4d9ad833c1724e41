"""What the forge is told, made from what was kept: telling twice is the same as once."""

import asyncio
from collections.abc import Awaitable, Mapping
from dataclasses import dataclass, replace

from reconciler.core.model import Plan, Run, digest_of
from reconciler.core.preview import OWN_MARK, Preview, Previewed
from reconciler.core.render import Links
from reconciler.core.render.run_markdown import run_markdown
from reconciler.ports import Forge
from reconciler.service.parts import Parts


@dataclass
class Telling:
    """Raises Transient and Permanent when the forge does not take it."""

    parts: Parts
    forge: Forge

    def links(self, commit: str) -> Links:
        """Where the lines of a commit, and runs, are shown."""
        return Links(self.forge.source_link.replace("{commit}", commit), self.parts.run_link)

    async def pending(self, begun: Preview) -> None:
        """Show that a pull request is being looked at; whether that works is not important."""
        from reconciler.core.marks import marks

        links, limit = self.links(begun.head), self.forge.text_limit
        told = [one for one in marks(begun, {}, links=links, limit=limit) if one.name == OWN_MARK]
        work = (self.forge.mark(begun.pull, begun.head, one) for one in told)
        await asyncio.gather(*work, return_exceptions=True)

    async def preview(self, preview: Preview) -> Preview:
        """Everything about a pull request: the preview, as told. Where there is nothing to say, and
        nothing was said before, there is no comment."""
        from reconciler.core.marks import marks
        from reconciler.core.render.preview_markdown import preview_markdown

        links, limit = self.links(preview.head), self.forge.text_limit
        plans = await self._plans(preview)
        text = preview_markdown(
            preview,
            plans,
            branch=self.parts.branch,
            links=links,
            alerts=self.forge.alerts,
            limit=limit,
        )
        silent = preview.state == "planned" and not (preview.environments or preview.notes)
        work: list[Awaitable[None]] = []
        spoken = preview.spoken or not silent
        if spoken:
            work.append(self.forge.say(preview.pull, "plan", text))
        found = marks(preview, plans, links=links, limit=limit)
        work += [self.forge.mark(preview.pull, preview.head, one) for one in found]
        await _all(work)
        return replace(
            preview,
            told=digest_of(text),
            told_at=self.parts.clock.now().isoformat(),
            shown=_dated(preview, self.parts.clock.now().isoformat()),
            spoken=spoken,
        )

    async def closed(self, closed: Preview) -> None:
        """A pull request that was being looked at is no more."""
        from reconciler.core.marks import marks

        links, limit = self.links(closed.head), self.forge.text_limit
        over = replace(closed, environments=())
        told = marks(over, {}, links=links, limit=limit)
        await _all([self.forge.mark(closed.pull, closed.head, one) for one in told])

    async def _plans(self, preview: Preview) -> Mapping[str, Plan]:
        names = [(one.environment, one.run) for one in preview.environments if one.run]
        runs = await asyncio.gather(*(self.parts.store.run(run) for _, run in names))
        return {name: run.plan for (name, _), run in zip(names, runs, strict=True) if run}

    async def run(self, run: Run, most: int | None = None) -> None:
        """How an apply stands, on every pull request that it concerns; ``most``: on so many."""
        now = "" if run.ended_at else self.parts.clock.now().isoformat()
        text = run_markdown(
            run,
            now=now,
            links=self.links(run.plan.commit),
            alerts=self.forge.alerts,
            limit=self.forge.text_limit,
        )
        marker = f"apply-{run.plan.environment}"
        await _all([self.forge.say(pull, marker, text) for pull in run.pulls[:most]])

    async def drift(self, plan: Plan, self_heal: str, since: str = "") -> None:
        """An issue for an environment that is otherwise than its specs."""
        from reconciler.core.render.drift_markdown import drift_markdown, drift_title

        text = drift_markdown(
            plan,
            links=self.links(plan.commit),
            alerts=self.forge.alerts,
            limit=self.forge.text_limit,
            self_heal=self_heal,
            since=since,
        )
        name = plan.environment
        await self.forge.keep_issue(f"drift-{name}", drift_title(name), text)

    async def healed(self, run: Run) -> None:
        """The last word in the same issue: a run has put everything back."""
        from reconciler.core.render.drift_markdown import drift_title, healed_markdown

        text = healed_markdown(
            run,
            links=self.links(run.plan.commit),
            alerts=self.forge.alerts,
            limit=self.forge.text_limit,
        )
        name = run.plan.environment
        await self.forge.keep_issue(f"drift-{name}", drift_title(name), text, over=True)

    async def no_drift(self, environment: str) -> None:
        """The reason for the issue is gone."""
        from reconciler.core.render.drift_markdown import drift_title

        await self.forge.keep_issue(f"drift-{environment}", drift_title(environment), None)


def _dated(preview: Preview, now: str) -> tuple[Previewed, ...]:
    """What was shown, with since when a plan of the same digest has been."""
    since = {(one.environment, one.digest): one.since for one in preview.shown}
    return tuple(
        replace(one, since=since.get((one.environment, one.digest)) or now)
        for one in preview.environments
    )


async def _all(work: list[Awaitable[None]]) -> None:
    """Everything is tried; then the first thing that went wrong is raised."""
    for one in await asyncio.gather(*work, return_exceptions=True):
        if isinstance(one, BaseException):
            raise one
