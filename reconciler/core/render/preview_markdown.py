"""A pull request's comment: what merging would do, danger first, within the forge's limit."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from reconciler.core.errors import SpecError
from reconciler.core.model import Plan
from reconciler.core.preview import Preview, Previewed
from reconciler.core.render.escape import code, prose
from reconciler.core.render.fitting import fitting, how_many_fit, linked, run_url, size
from reconciler.core.render.markdown import LIMIT, Links, environment_lines, source_markdown
from reconciler.core.render.words import (
    DANGEROUS_WORDS,
    SYMBOLS,
    check_counts,
    clean,
    plural,
    shorten,
)

NAME: Final = 63
WORDS: Final = 800
"""Characters of one foreign sentence."""
PLACE: Final = 200
SMALLEST_ROOM: Final = 500
"""With less room than this for an environment only what is dangerous is told."""
ENOUGH: Final = 1 << 30
"""More characters than anything has."""
ROW: Final = 180
"""About as long as a row of the table."""


def preview_markdown(
    preview: Preview,
    plans: Mapping[str, Plan],
    *,
    branch: str,
    links: Links,
    alerts: bool = True,
    limit: int = LIMIT,
) -> str:
    """Everything about a pull request in at most ``limit`` characters (2,000 or more).

    ``plans``: those of ``preview.environments``, by name. What is too long to show is counted,
    and where the rest is, is linked; nothing is cut without a word.
    """
    if preview.state == "planned":
        return _Planned(preview, plans, branch, links, alerts, limit).text()
    commit = commit_code(preview.head)
    if preview.state == "invalid":
        return _invalid(preview, links, limit, commit)
    detail = [f"> {_words(preview.detail, limit)}", ""] if preview.detail else []
    said = {
        "planning": [f"### Planning {commit} …", "", "What merging would do is told here."],
        "conflicting": [
            f"### {commit} does not merge",
            "",
            f"There is a conflict with {code(branch)}: bring this up to date with it, and it is "
            "planned by itself.",
        ],
        "untrusted": [
            f"### {commit} comes from a fork: it is valid, and not planned",
            "",
            "Its specs were read, and nobody was asked about Azure. Somebody who may write to this "
            "repository and trusts this commit comments `/plan`; what is pushed after that has to "
            "be looked at again.",
        ],
        "failed": [
            f"### {commit} could not be planned",
            "",
            *detail,
            "It is tried again by itself; `/plan` tries now.",
        ],
        "closed": [f"### {commit} is closed", "", "Nothing is planned any more."],
    }[preview.state]
    return "\n".join(said) + "\n"


def _invalid(preview: Preview, links: Links, limit: int, commit: str) -> str:
    """Every error, with a link to its line."""
    count = plural(len(preview.errors), "error")
    head = [f"### {commit} cannot be planned: **{count} in the specs**", ""]
    tail = [
        "",
        "Push a fix: it is planned by itself. `reconciler validate` finds the same at home.",
    ]
    lines = [_error(one, links, limit) for one in preview.errors]
    most = how_many_fit(lines, limit - size([*head, *tail]) - 40)
    left = [f"- and {len(lines) - most} more"] if most < len(lines) else []
    return "\n".join([*head, *lines[:most], *left, *tail]) + "\n"


def _error(one: SpecError, links: Links, limit: int) -> str:
    place = f"{source_markdown(one.source, links)}: " if one.source else ""
    return f"- {place}{_words(one.message, limit)}"


def _words(text: str, limit: int) -> str:
    """A foreign sentence; escaped it may be three times as long."""
    return prose(shorten(clean(text), min(WORDS, limit // 12)))


@dataclass(frozen=True)
class _Planned:
    preview: Preview
    plans: Mapping[str, Plan]
    branch: str
    links: Links
    alerts: bool
    limit: int

    def text(self) -> str:
        return fitting(self.limit, self._stages())

    def _stages(self) -> Iterator[str]:
        """From everything to the least that has to be said."""
        if not self.preview.environments:
            yield self._untouched(len(self.preview.notes))
            yield self._untouched(3)
            return
        yield self._whole(ENOUGH)
        room = self.limit // len(self.preview.environments)
        while room >= SMALLEST_ROOM:
            yield self._whole(room)
            room = room * 2 // 3
        for most in (10, 3, 1):
            yield self._essence(most)

    # Whole texts

    def _untouched(self, notes: int) -> str:
        commit = commit_code(self.preview.head)
        head = f"### Nothing to plan for {commit}"
        said = "No environment's specs, includes or patches are touched."
        return "\n".join([head, "", *self._notes(notes), said]) + "\n"

    def _whole(self, room: int) -> str:
        alone = len(self.preview.environments) == 1
        sections = [self._section(one, room, alone) for one in self._in_order()]
        body = [line for section in sections for line in section]
        table = [] if alone and self._told(0) else [*self._table(ENOUGH), ""]
        notes = self._notes(len(self.preview.notes))
        return "\n".join([self._title(), "", *notes, *table, *body, *self._last()]) + "\n"

    def _essence(self, most: int) -> str:
        """The table, what is dangerous, and where the rest is."""
        alone = len(self.preview.environments) == 1
        head = [self._title(), "", *self._notes(most)]
        rows = max(1, (self.limit // 4) // ROW)
        table = [*self._table(rows), ""]
        link = next((one.run for one in self.preview.environments if one.run), "")
        where = linked("the run", run_url(self.links, link)) if link else "the run"
        said = f"**Too long for a comment**: {where} and the checks of this commit show the rest."
        tail = [said, "", self._next(short=True)]
        room = self.limit - size([*head, *table, *tail]) - 200
        body: list[str] = []
        for one in self._in_order():
            plan = self.plans.get(one.environment)
            if plan is None or not plan.dangerous:
                continue
            lines = environment_lines(
                plan, links=self.links, alerts=self.alerts, room=0, most=most, alone=alone
            )
            if size(lines) > room:
                break
            room -= size(lines)
            body += lines
        return "\n".join([*head, *table, *body, *tail]) + "\n"

    # Parts

    def _in_order(self) -> list[Previewed]:
        """What needs a person first."""
        return sorted(self.preview.environments, key=self._calm)

    def _calm(self, one: Previewed) -> int:
        plan = self.plans.get(one.environment)
        if one.verdict != "planned" or plan is None:
            return 1
        return 0 if plan.dangerous else 2 if plan.blocked or one.detail else 3

    def _told(self, place: int) -> bool:
        """Whether there is a plan to show."""
        one = self.preview.environments[place]
        return one.verdict == "planned" and one.environment in self.plans

    def _title(self) -> str:
        plans = self._plans()
        total = {name: sum(plan.summary[name] for plan in plans) for name in SYMBOLS}
        parts = [f"**{plural(total[a], w)}**" for a, w in DANGEROUS_WORDS.items() if total[a]]
        parts += [f"{total[a]} to {a}" for a in ("update", "create") if total[a]]
        failed = sum(check.level == "error" for plan in plans for check in plan.checks)
        parts += [f"**{plural(failed, 'check')} failed**"] if failed else []
        without = len(self.preview.environments) - len(plans)
        parts += [f"**{plural(without, 'environment')} not planned**"] if without else []
        names = [one.environment for one in self.preview.environments]
        where = _name(names[0]) if len(names) == 1 else f"{len(names)} environments"
        commit = commit_code(self.preview.head)
        return f"### Plan for {commit} · {where} · " + " · ".join(parts or ["nothing to do"])

    def _plans(self) -> list[Plan]:
        found = (self.plans.get(one.environment) for one in self.preview.environments)
        return [plan for plan in found if plan]

    def _notes(self, most: int) -> list[str]:
        """What the plan does not follow: it is about rights, so it stands before the plan."""
        notes = self.preview.notes
        if not notes:
            return []
        lines = [f"> - {_words(one, self.limit)}" for one in notes[:most]]
        left = [f"> - and {len(notes) - most} more"] if most < len(notes) else []
        lead = ["> [!IMPORTANT]"] if self.alerts else ["> **Important**", ">"]
        return [*lead, *lines, *left, ""]

    def _table(self, most: int) -> list[str]:
        rows = [
            "| environment | create | update | replace | delete | checks |",
            "| --- | --: | --: | --: | --: | --- |",
        ]
        shown = self._in_order()
        rows += [self._row(one) for one in shown[:most]]
        if most < len(shown):
            rows.append(f"| and {len(shown) - most} more | | | | | |")
        return rows

    def _row(self, one: Previewed) -> str:
        name = linked(_name(one.environment), run_url(self.links, one.run))
        plan = self.plans.get(one.environment)
        if one.verdict != "planned" or plan is None:
            word = "refused" if one.verdict == "refused" else "not planned"
            return f"| {name} | | | | | **{word}** |"
        count = {action: str(plan.summary[action] or "·") for action in SYMBOLS}
        for action in DANGEROUS_WORDS:
            count[action] = f"**{count[action]}**" if plan.summary[action] else "·"
        still = "·" if plan.changes else f"up to date ({plural(plan.unchanged, 'resource')})"
        cells = [name, *(count[action] for action in reversed(SYMBOLS))]
        return f"| {' | '.join([*cells, check_counts(plan) or still])} |"

    def _section(self, one: Previewed, room: int, alone: bool) -> list[str]:
        """One environment: its danger, checks and changes; or why there are none."""
        plan = self.plans.get(one.environment)
        heading = f"#### {_name(one.environment)}"
        heading += f" · {prose(shorten(clean(one.place), PLACE))}" if one.place else ""
        if one.verdict != "planned" or plan is None:
            why = _words(one.detail or "its plan is gone: comment /plan", self.limit)
            word = "Refused" if one.verdict == "refused" else "Not planned"
            return [heading, "", *self._alert("WARNING", f"**{word}**: {why}"), ""]
        stops = _words(one.detail, self.limit) if one.detail else ""
        before = self._alert("WARNING", f"**Its apply will be refused**: {stops}") if stops else []
        before += [""] if stops else []
        lines = environment_lines(
            plan,
            links=self.links,
            alerts=self.alerts,
            room=room - size(before),
            alone=alone or bool(stops),
        )
        if not before and not lines:
            return []  # the table says it all
        head = [heading, ""] if not alone or one.place else []
        return [*head, *before, *lines]

    def _alert(self, kind: str, text: str) -> list[str]:
        return [f"> [!{kind}]", f"> {text}"] if self.alerts else [f"> {text}"]

    def _last(self) -> list[str]:
        plans = self._plans()
        if not plans:
            return [self._next()]
        alone = len(self.preview.environments) == 1
        facts = [
            f"Plan `{plan.digest}`" if alone else f"{_name(plan.environment)} `{plan.digest}`"
            for plan in plans
        ]
        facts.append(f"{sum(plan.unchanged for plan in plans)} unchanged")
        facts.append(plural(sum(plan.reads for plan in plans), "read"))
        facts += [f"{prose(moment[11:16])} UTC"] if (moment := self.preview.planned_at) else []
        run = self.preview.environments[0].run
        facts += [linked("run", run_url(self.links, run))] if alone and self.links.run else []
        return [self._next(), "", f"{' · '.join(facts)} · `/plan` to refresh, `/help` for more"]

    def _next(self, *, short: bool = False) -> str:
        """What a person does now."""
        parts = {
            "{} cannot be applied until the errors are gone.": self._named("blocked"),
            "{} could not be planned: it is tried again by itself, `/plan` tries now.": self._named(
                "failed"
            ),
            "Merging applies this to {}.": self._named("merge"),
            "{} waits for `/apply` before the merge.": self._named("command"),
            "{} is applied as planned here: merge this.": self._named("applied"),
        }
        most = 3 if short else 20
        said = [words.format(_listed(names, most)) for words, names in parts.items() if names]
        return " ".join(said) or "Nothing to do: Azure is as declared."

    def _named(self, what: str) -> list[str]:
        return [one.environment for one in self.preview.environments if self._is(one) == what]

    def _is(self, one: Previewed) -> str:
        plan = self.plans.get(one.environment)
        if one.verdict == "refused":
            return "refused"
        if one.verdict == "failed" or plan is None:
            return "failed"
        if plan.blocked:
            return "blocked"
        if one.applied:
            return "applied"
        if not plan.changes:
            return "still"
        return "command" if one.on_command else "merge"


def commit_code(commit: str) -> str:
    """As people quote it."""
    return code(clean(commit[:7]))


def _name(environment: str) -> str:
    return code(shorten(clean(environment), NAME))


def _listed(names: Sequence[str], most: int) -> str:
    left = f" and {len(names) - most} more" if most < len(names) else ""
    return ", ".join(_name(one) for one in names[:most]) + left
