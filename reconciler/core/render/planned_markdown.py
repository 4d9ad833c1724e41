"""What merging a planned pull request would do: danger first, within the forge's limit."""

from collections.abc import Iterator, Mapping
from typing import Final

from reconciler.core.model import Plan
from reconciler.core.preview import Preview, Previewed
from reconciler.core.render.escape import code, folded, prose
from reconciler.core.render.fitting import (
    ENDLESS,
    as_many_as_fit,
    how_many_fit,
    linked,
    run_url,
    size,
)
from reconciler.core.render.markdown import Links, Section
from reconciler.core.render.next_steps import (
    NAME,
    Standing,
    name_code,
    next_steps,
    standing,
    what_stops,
)
from reconciler.core.render.planned_table import HEADINGS, MORE_ROWS, REMARKS, row
from reconciler.core.render.words import (
    DANGEROUS_WORDS,
    SYMBOLS,
    check_counts,
    clean,
    commit_text,
    plural,
    shorten,
)

WORDS: Final = 800
"""Characters of one foreign sentence."""
PLACE: Final = 200
SMALLEST_ROOM: Final = 400
"""With less room than this for an environment only what is dangerous is told."""
URGENCY: Final[Mapping[Standing, int]] = {
    "refused": 1,
    "failed": 1,
    "blocked": 2,
    "stops": 2,
    "waits": 2,
}


def words(text: str, limit: int = ENDLESS) -> str:
    """A foreign sentence that takes at most a quarter of ``limit``: escaped it may be three times
    as long."""
    return prose(shorten(clean(text), min(WORDS, limit // 12)))


def commit_code(commit: str) -> str:
    return code(commit_text(commit).removeprefix("specs at "))


class Planned:
    """The comment in ever shorter versions."""

    def __init__(
        self, preview: Preview, plans: Mapping[str, Plan], links: Links, alerts: bool, limit: int
    ) -> None:
        self.preview, self.links, self.alerts, self.limit = preview, links, alerts, limit
        there = [one for one in preview.environments if one.verdict == "planned"]
        self.plans = {
            one.environment: plans[one.environment] for one in there if one.environment in plans
        }
        self.sections = {name: Section(plan, links, alerts) for name, plan in self.plans.items()}
        self.digests = {name: plan.digest for name, plan in self.plans.items() if plan.changes}
        stands = {
            one: standing(one, self.plans.get(one.environment)) for one in preview.environments
        }
        self.stops = {
            one.environment: what_stops(one, self.plans[one.environment])
            for one in there
            if one.detail and one.environment in self.plans
        }
        self.stands = dict(sorted(stands.items(), key=self._calm))
        self.environments = list(self.stands)
        self.alone = len(preview.environments) == 1

    def texts(self) -> Iterator[str]:
        """Everything; then with fewer changes of each environment; then the least that has to be
        said, which always fits."""
        yield self._whole(ENDLESS)
        room = self.limit
        while room >= SMALLEST_ROOM and room * len(self.environments) >= self.limit // 4:
            yield self._whole(room)
            room = room * 7 // 8
        yield self._essence()

    def _whole(self, room: int) -> str:
        """``room``: for the changes of one environment."""
        limit = ENDLESS if room == ENDLESS else self.limit
        body = [line for one in self.environments for line in self._section(one, room, limit)]
        table = [] if self.alone else [*HEADINGS, *self._rows(), ""]
        less = [] if room == ENDLESS else [self._shortened(), ""]
        last = [self._next(max(2_000, self.limit // 8)), "", self._facts()]
        notes = self.notes(limit, limit // 8)
        return "\n".join([self._title(), "", *notes, *table, *body, *less, *last]) + "\n"

    def _essence(self) -> str:
        """The table, what is dangerous, and where the rest is."""
        head = [self._title(), ""]
        tail = [self._shortened(), "", self._next(self.limit // 3)]
        room = self.limit - size([*head, *tail])
        notes = self.notes(self.limit, room // 3)
        room -= size(notes)
        rows = as_many_as_fit(self._rows(), room // 2 - size(HEADINGS), MORE_ROWS)
        table = [*HEADINGS, *rows, ""] if room // 2 > size([*HEADINGS, *rows]) else []
        room -= size(table)
        return "\n".join([*head, *notes, *table, *self._danger(room), *tail]) + "\n"

    # -- above -----------------------------------------------------------------------------------

    def _title(self) -> str:
        plans = self.plans.values()
        total = {name: sum(plan.summary[name] for plan in plans) for name in SYMBOLS}
        parts = [f"**{plural(total[a], w)}**" for a, w in DANGEROUS_WORDS.items() if total[a]]
        parts += [f"{total[a]} to {a}" for a in ("update", "create") if total[a]]
        failed = sum(check.level == "error" for plan in plans for check in plan.checks)
        parts += [f"**{plural(failed, 'check')} failed**"] if failed else []
        parts += self._left_out()
        count = len(self.environments)
        where = (
            name_code(self.environments[0].environment) if self.alone else f"{count} environments"
        )
        what = " · ".join(parts or ["nothing to do"])
        return f"### Plan for {commit_code(self.preview.head)} · {where} · {what}"

    def _left_out(self) -> list[str]:
        """Environments without a plan, in bold."""
        stands = list(self.stands.values())
        refused, failed = stands.count("refused"), stands.count("failed")
        if self.alone:
            return [REMARKS[one] for one in stands if one in ("refused", "failed")]
        return [
            *([f"**{refused} refused**"] if refused else []),
            *([f"**{failed} not planned**"] if failed else []),
        ]

    def notes(self, limit: int, room: int) -> list[str]:
        """What the plan does not follow: it is about rights, so it stands before the plan."""
        lines = [f"> - {words(one, limit)}" for one in self.preview.notes]
        if not lines:
            return []
        lead = ["> [!IMPORTANT]"] if self.alerts else ["> **Important**", ">"]
        return [*lead, *as_many_as_fit(lines, room - size([*lead, ""]), "> - and {} more"), ""]

    def _rows(self) -> list[str]:
        return [
            row(one, stands, self.plans.get(one.environment), run_url(self.links, one.run))
            for one, stands in self.stands.items()
        ]

    # -- one environment -------------------------------------------------------------------------

    def _calm(self, stands: tuple[Previewed, Standing]) -> int:
        """What needs a person comes first."""
        one, state = stands
        plan = self.plans.get(one.environment)
        if plan and plan.dangerous:
            return 0
        return 2 if one.detail and plan else URGENCY.get(state, 3)

    def _section(self, one: Previewed, room: int, limit: int) -> list[str]:
        """Its danger, checks and changes; or why there are none."""
        plan, section = self.plans.get(one.environment), self.sections.get(one.environment)
        heading = f"#### {name_code(one.environment)}"
        heading += f" · {prose(shorten(clean(one.place), PLACE))}" if one.place else ""
        if plan is None or section is None:
            why = words(one.detail or "its plan is gone: comment /plan", limit)
            lead = "Refused" if one.verdict == "refused" else "Not planned"
            return [heading, "", *self._alert(f"**{lead}**: {why}"), ""]
        why, way_out = self.stops.get(one.environment, ("", ""))
        said = f"**Its apply will be refused**: {words(why, limit)}{way_out}"
        stops = [*self._alert(said), ""] if one.detail else []
        loud = self.alone or bool(plan.dangerous or plan.blocked or stops)
        lines = [*stops, *section.lines(room - size(stops), folds=loud)]
        if not lines:
            return []  # the table says it all
        if not loud:
            lines = [*folded(_quiet(plan), lines[:-1]), ""]
        return [*([heading, ""] if one.place or not self.alone else []), *lines]

    def _alert(self, text: str) -> list[str]:
        return ["> [!WARNING]", f"> {text}"] if self.alerts else [f"> {text}"]

    def _danger(self, room: int) -> list[str]:
        """As many deletes and replaces in full as there is room for."""
        lines: list[str] = []
        left = 0
        for one in self.environments:
            section = self.sections.get(one.environment)
            if section is None or not section.alarms:
                continue
            heading = [] if self.alone else [f"#### {name_code(one.environment)}", ""]
            most = how_many_fit(section.alarms, room - size(heading) - 100)
            left += len(section.alarms) - most
            if most:
                told = [*heading, *section.alert(most), ""]
                lines += told
                room -= size(told) + 4 * most
        return [*lines, *([f"**And {left} more to delete or replace.**", ""] if left else [])]

    # -- below -----------------------------------------------------------------------------------

    def _shortened(self) -> str:
        url = run_url(self.links, self.environments[0].run) if self.alone else ""
        if url and len(url) <= self.limit // 8:
            where = f"the rest is in {linked('its run', url)}"
        elif self.links.run:
            where = "the rest is in the runs"
        else:
            name = shorten(clean(self.environments[0].environment), NAME) if self.alone else "…"
            where = f"{code(f'reconciler plan -e {name}')} shows the rest"
        return f"**Too long for a comment**: {where}."

    def _next(self, room: int) -> str:
        stands: dict[Standing, list[Previewed]] = {}
        for one, state in self.stands.items():
            stands.setdefault(state, []).append(one)
        return next_steps(stands, self.digests, room)

    def _facts(self) -> str:
        plans = self.plans.values()
        digests = [
            code(f"{shorten(clean(name), NAME)} {self.digests[name]}")
            for one in self.environments
            if (name := one.environment) in self.digests
        ]
        facts = [f"Plan{'s' * (len(digests) > 1)} {', '.join(digests)}"] if digests else []
        if plans:
            facts.append(f"{sum(plan.unchanged for plan in plans)} unchanged")
            facts.append(plural(sum(plan.reads for plan in plans), "read"))
        facts += [f"{prose(moment[11:16])} UTC"] if (moment := self.preview.planned_at) else []
        if self.preview.commit != self.preview.head and self.preview.commit:
            facts.append(f"merged as {commit_code(self.preview.commit)}")
        run = run_url(self.links, self.environments[0].run) if self.alone else ""
        facts += [linked("run", run)] if run else []
        facts += ["`/plan` to refresh, `/help` for more"] if self.preview.pull else []
        return " · ".join(facts)


def _quiet(plan: Plan) -> str:
    parts = [f"{plan.summary[a]} to {a}" for a in ("update", "create") if plan.summary[a]]
    return ", ".join([*parts, *filter(None, [check_counts(plan)])]) or "Details"
