"""A run as a comment: what stands how, where it can be called, and in full what failed."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from reconciler.core.model import Run
from reconciler.core.render.escape import code, prose
from reconciler.core.render.fitting import (
    ENDLESS,
    fitting,
    linked,
    plan_within,
    portal_url,
    run_url,
    size,
)
from reconciler.core.render.markdown import LIMIT, Links
from reconciler.core.render.progress import STANDINGS, Row, headline, rows_of, run_took
from reconciler.core.render.run_table import ORDER, endpoints, table_of
from reconciler.core.render.words import clean, commit_text, name_of, shorten, title_of
from reconciler.core.safety import by_name, lifted_by_name


@dataclass(frozen=True)
class _Stage:
    """How much is told."""

    failures: int
    """So many in full; the others are in the table."""
    words: int
    """Characters of what Azure said of one."""
    portal: bool = False
    cut: bool = False
    """The table and the addresses take only what room is left."""


STAGES: Final = (
    _Stage(10, 800, portal=True),
    _Stage(10, 800),
    _Stage(10, 800, cut=True),
    _Stage(5, 300, cut=True),
    _Stage(1, 120, cut=True),
)


def run_markdown(
    run: Run,
    *,
    now: str = "",
    links: Links | None = None,
    alerts: bool = True,
    limit: int = LIMIT,
    more: Sequence[str] = (),
) -> str:
    """A run as a comment of at most ``limit`` characters (2,000 or more).

    ``now``: ISO 8601, UTC, for what is still going on. ``alerts``: the forge knows
    ``> [!WARNING]``. ``more``: lines that stand below the resources.
    """
    return fitting(limit, _Telling(run, now, links or Links(), alerts, more).texts(limit))


class _Telling:
    def __init__(self, run: Run, now: str, links: Links, alerts: bool, more: Sequence[str]) -> None:
        self.more = more
        self.run, self.now, self.links, self.alerts = run, now, links, alerts
        self.environment = shorten(clean(run.plan.environment), 63)
        self.digest = run.plan.digest
        rows = rows_of(run, now)
        self.title = self._title(rows)
        # A refused run did nothing: what it would do is told as a plan.
        self.refused = run.state == "refused" and bool(rows)
        rows = [] if self.refused else rows
        self.rows = sorted(rows, key=lambda row: ORDER.index(row.standing))

    def texts(self, limit: int) -> Iterator[str]:
        """From everything to the least that is worth saying."""
        for stage in STAGES:
            head, tail = self._head(stage), [*self.more, *self._tail()]
            room = limit - size([*head, *tail]) - 1
            if room > 200 or not stage.cut:
                yield _joined([*head, *self._body(stage, room), *tail])
        more = ["**Too long to show here**: look at the run.", ""]
        yield _joined([*self.title, *more, *self._tail()])
        yield _joined([*self.title, *more, self._facts(plain=True)])

    # -- above and below -----------------------------------------------------------------------

    def _title(self, rows: list[Row]) -> list[str]:
        took = "" if self.run.state == "refused" else run_took(self.run, self.now)
        title = headline(self.run, rows).format(code(self.environment))
        return [f"### {title}" + (f" · {took}" if took else ""), ""]

    def _head(self, stage: _Stage) -> list[str]:
        lines = [*self.title, *self._why(stage)]
        failed = [row for row in self.rows if row.standing == "failed" or row.gone]
        for row in failed[: stage.failures]:
            lines += [*self._failure(row, stage), ""]
        left = len(failed) - stage.failures
        return [*lines, *([f"**And {left} more failed**: see below.", ""] if left > 0 else [])]

    def _why(self, stage: _Stage) -> list[str]:
        if not self.run.detail:
            return []
        detail, below = self.run.detail, ""
        if lifted_by_name(self.run.plan, detail):
            # The last line says how, as something to copy.
            detail, below = detail.removesuffix(by_name(self.run.plan)), "allow this plan by name."
        said = prose(shorten(clean(detail), stage.words)) + below
        if self.run.state in ("refused", "failed"):
            lead = "Refused" if self.run.state == "refused" else "Why"
            return [*self._alert(f"**{lead}**: {said}"), ""]
        return [f"> **Why**: {said}", ""]

    def _failure(self, row: Row, stage: _Stage) -> list[str]:
        new = row.request_id and row.request_id not in row.detail
        request = f" Request {code(shorten(row.request_id, 80))}." if new else ""
        what = f"{prose(title_of(row.key))} {code(name_of(row.key))}"
        why = prose(shorten(row.detail, stage.words).removesuffix(".") or "no reason given")
        if row.standing != "failed":
            lost = f"the old one is deleted, the new one is {STANDINGS[row.standing]}"
            return self._alert(f"{what} **is gone**: {lost}{f': {why}' if row.detail else ''}.")
        portal = linked("Portal", portal_url(self.links, row.arm_id) if stage.portal else "")
        portal = f" {portal}." if portal != "Portal" else ""
        remark = f" {row.remark}" if row.remark else ""
        return self._alert(f"{what} **failed**: {why}.{remark}{request}{portal}")

    def _alert(self, said: str) -> list[str]:
        return ["> [!WARNING]", f"> {said}"] if self.alerts else [f"> **Warning**: {said}"]

    def _tail(self) -> list[str]:
        todo = self._next()
        return [self._facts(), *(["", todo] if todo else [])]

    def _facts(self, *, plain: bool = False) -> str:
        name = code(shorten(clean(self.run.id), 80))
        url = "" if plain else run_url(self.links, self.run.id)
        run = linked("run", url) if url else "run"
        facts = [f"Plan `{self.digest}`"] if self.run.plan.changes else []
        facts += [commit_markdown(self.run.plan.commit), run if run != "run" else f"run {name}"]
        if self.run.open and self.now:
            facts.append(f"updated {self.now[11:16]} UTC")
        return " · ".join(facts)

    def _apply(self, digest: str = "") -> str:
        return f"/apply {self.environment} {digest}".rstrip()

    def _next(self) -> str:
        """What a person does now."""
        if self.run.mode == "plan":
            return ""
        apply = code(self._apply())
        again = f"Push a fix, or comment {apply} to try again"
        return {
            "done": "It can be merged now." if self.run.pull else "",
            "queued": "It waits for a worker. `/cancel` ends it.",
            "running": "`/cancel` ends it; what was sent to Azure is not taken back.",
            "failed": f"{again} as it is: what is done stays done.",
            "stale": f"Somebody changed Azure meanwhile. Comment {apply} to plan afresh and go on.",
            "refused": self._way_out(again),
            "cancelling": "What was sent to Azure is not taken back; nothing more is sent.",
            "cancelled": f"Comment {apply} to go on from where Azure stands.",
            "superseded": "A newer run took its place.",
        }[self.run.state]

    def _way_out(self, again: str) -> str:
        if lifted_by_name(self.run.plan, self.run.detail):
            return (
                f"To allow exactly this plan, comment {code(self._apply(self.digest))} "
                f"(on the command line: {code(f'--allow {self.digest}')})."
            )
        return f"{again} once the reason is gone."

    # -- in between ----------------------------------------------------------------------------

    def _body(self, stage: _Stage, room: int) -> list[str]:
        if self.refused:
            lines = plan_within(self.run.plan, self.links, self.alerts, room - 100, "would")
            return ["#### What it would do", "", *lines, ""]
        portal = self.links if stage.portal else Links(portal="")
        room = room if stage.cut else ENDLESS
        addresses = endpoints(self.rows, room // 3)
        table = table_of(self.rows, stage.failures, portal, room - size(addresses))
        return [*table, *addresses]


def commit_markdown(commit: str) -> str:
    """As people quote it: specs at `3f2c1ab`."""
    said = commit_text(commit)
    return f"specs at {code(said[9:])}" if said.startswith("specs at ") else prose(said)


def _joined(lines: Sequence[str]) -> str:
    return "\n".join(lines) + "\n"
