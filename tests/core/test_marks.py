"""Marks say how a commit stands: for branch protection, for people, and on the lines at fault."""

from dataclasses import replace
from typing import get_args

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from reconciler.core.annotations import MOST, of_checks, of_errors
from reconciler.core.errors import SpecError
from reconciler.core.forge import Annotation, Mark
from reconciler.core.marks import LONGEST_TITLE, marks
from reconciler.core.model import Check, Plan
from reconciler.core.preview import OWN_MARK, Preview, Previewed, PreviewState, Verdict
from reconciler.core.render import Links
from tests.core import plans, runs
from tests.core.shown import assert_valid, structure, texts, words_outside_code
from tests.core.test_render_runs import LINKS

HEAD = "3f2c1ab9d04e5f60718293a4b5c6d7e8f9012345"
FINE = replace(plans.SMALL, environment="dev")
GROWING = replace(runs.created(plans.REPORTS), environment="prod")
BLOCKED = replace(plans.EVERYTHING, environment="prod")
DEV = Previewed("dev", "planned", run="r1", place="contoso-dev / rg-ai / East US 2")
PROD = Previewed("prod", "planned", run="r2")


def told(*environments: Previewed, state: PreviewState = "planned", **more: object) -> Preview:
    return replace(Preview(7, HEAD, state=state, environments=environments), **more)  # type: ignore[arg-type]


def marked(preview: Preview, *known: Plan, limit: int = 60_000) -> dict[str, Mark]:
    by_name = {plan.environment: plan for plan in known}
    made = marks(preview, by_name, links=LINKS, limit=limit)
    assert made[-1].name == OWN_MARK, "the aggregate comes last"
    return {one.name: one for one in made}


def states(found: dict[str, Mark]) -> dict[str, str]:
    return {name.removeprefix(f"{OWN_MARK}/"): one.state for name, one in found.items()}


def titles(found: dict[str, Mark]) -> dict[str, str]:
    return {name.removeprefix(f"{OWN_MARK}/"): one.title for name, one in found.items()}


def test_a_plan_that_can_be_applied_is_a_success() -> None:
    found = marked(told(DEV, PROD), FINE, GROWING)
    assert states(found) == {"dev": "success", "prod": "success", OWN_MARK: "success"}
    assert titles(found) == {
        "dev": "1 to update",
        "prod": "1 to create",
        OWN_MARK: "2 environments: 1 to update, 1 to create",
    }
    assert found["reconciler/dev"].url == "https://reconciler.example/api/runs/r1"


def test_an_error_of_a_check_fails_its_environment_and_the_whole() -> None:
    found = marked(told(DEV, PROD), FINE, BLOCKED)
    assert states(found) == {"dev": "success", "prod": "failure", OWN_MARK: "failure"}
    assert found["reconciler/prod"].title.startswith("1 error, 1 warning, 1 note; 1 to del")
    assert found[OWN_MARK].title.startswith("In prod: 1 error, 1 warning")


@pytest.mark.parametrize(
    ("one", "plan", "state", "title"),
    [
        (PROD, replace(GROWING, changes=()), "success", "Nothing to do"),
        (replace(PROD, verdict="refused", detail="empty"), None, "blocked", "Refused by"),
        (replace(PROD, verdict="failed", detail="down"), None, "failure", "It could not be"),
        (PROD, None, "failure", "Its plan is gone"),
        (replace(PROD, on_command=True), GROWING, "blocked", "Waits for /apply prod: 1 to create"),
        (replace(PROD, on_command=True, applied=True), GROWING, "success", "Applied as planned"),
        (replace(PROD, on_command=True), replace(GROWING, changes=()), "success", "Nothing to do"),
        (replace(PROD, on_command=True), BLOCKED, "failure", "1 error"),
    ],
)
def test_an_environment_stands_as_its_plan_does(
    one: Previewed, plan: Plan | None, state: str, title: str
) -> None:
    found = marked(told(one), *([plan] if plan else []))
    assert states(found) == {"prod": state, OWN_MARK: state}
    assert found["reconciler/prod"].title.startswith(title)


def test_what_a_person_may_allow_after_the_merge_does_not_hold_the_merge_back() -> None:
    found = marked(told(replace(PROD, detail=runs.TOO_MUCH.detail)), GROWING)
    assert states(found) == {"prod": "neutral", OWN_MARK: "success"}
    assert "more than 30%" in found["reconciler/prod"].summary


@pytest.mark.parametrize(
    ("state", "stands"),
    [
        ("planning", "pending"),
        ("planned", "success"),
        ("invalid", "failure"),
        ("conflicting", "failure"),
        ("untrusted", "blocked"),
        ("failed", "failure"),
        ("closed", "neutral"),
    ],
)
def test_every_state_of_a_pull_request_has_its_mark(state: PreviewState, stands: str) -> None:
    assert states(marked(told(state=state))) == {OWN_MARK: stands}
    assert states(marked(told(DEV, state=state), FINE)) == {"dev": stands, OWN_MARK: stands}


def test_a_pull_request_that_touches_no_environment_may_be_merged() -> None:
    assert titles(marked(told())) == {OWN_MARK: "No environment is touched"}


def test_errors_in_specs_are_counted_listed_and_shown_on_their_lines() -> None:
    errors = (
        SpecError("specs/a.yaml:9:15", "no such field"),
        SpecError("specs/a.yaml:9:3", "no such field"),
        SpecError("specs/b.yaml:1", "no kind"),
        SpecError("", "no specs at all"),
    )
    mark = marked(told(state="invalid", errors=errors))[OWN_MARK]
    assert mark.title == "4 errors in specs"
    assert mark.annotations == (
        Annotation("specs/a.yaml", 9, "error", "no such field", column=15),
        Annotation("specs/b.yaml", 1, "error", "no kind"),
    )
    assert "no specs at all" in mark.summary


def test_remarks_of_checks_stand_on_their_lines_errors_first() -> None:
    found = marked(told(PROD), replace(BLOCKED, checks=BLOCKED.checks[::-1]))
    assert found[OWN_MARK].annotations == ()
    annotations = found["reconciler/prod"].annotations
    assert [(one.path, one.line, one.column, one.level, one.title) for one in annotations] == [
        ("specs/models/chat.yaml", 9, 15, "error", "quota.tokens"),
        ("specs/models/embed.yaml", 8, 0, "warning", "model.retires"),
    ]


@pytest.mark.parametrize(
    ("source", "place", "reason"),
    [
        ("specs/a.yaml:3:7", ("specs/a.yaml", 3, 7), "line and column"),
        ("specs/a.yaml:3", ("specs/a.yaml", 3, 0), "a line alone"),
        ("specs/a:1.yaml:3:7", ("specs/a:1.yaml", 3, 7), "a colon in a name"),
        ("specs/a.yaml", None, "no line"),
        ("specs/a.yaml:0", None, "lines count from 1"),
        ("specs/a.yaml:99999999999", None, "no file has so many"),
        ("specs/a\n.yaml:3", None, "a name that no page could show"),
        (f"{'a' * 600}:3", None, "a name that is too long"),
        ("", None, "nowhere"),
    ],
)
def test_a_remark_stands_on_a_line_where_it_names_one(
    source: str, place: tuple[str, int, int] | None, reason: str
) -> None:
    found = [(one.path, one.line, one.column) for one in of_errors([SpecError(source, "x")])]
    assert found == ([place] if place else []), reason


def test_no_mark_carries_more_remarks_than_a_page_takes_and_errors_are_kept() -> None:
    checks = [Check("note", "r", f"n{place}", f"a:{place + 1}") for place in range(500)]
    found = of_checks([*checks, Check("error", "r", "bad", "a:1")])
    assert len(found) == MOST
    assert found[0].level == "error"


def a_preview(text: str, state: PreviewState, verdict: Verdict, flags: int) -> Preview:
    on_command, applied, detailed = (bool(flags & bit) for bit in (1, 2, 4))
    one = Previewed(text, verdict, text, text if detailed else "", text, on_command, applied)
    errors = (SpecError(f"{text}:1:2", text), SpecError(text, text))
    return told(one, state=state, errors=errors, notes=(text,), detail=text)


previews = st.builds(
    a_preview,
    st.text(min_size=1, max_size=300) | texts().map(lambda text: text * 9),
    st.sampled_from(get_args(PreviewState.__value__)),
    st.sampled_from(get_args(Verdict.__value__)),
    st.integers(0, 7),
)


@settings(max_examples=100, deadline=None)
@given(previews, st.booleans(), st.integers(0, 60), st.integers(2_000, 9_000))
def test_whatever_is_known_gives_marks_that_fit_and_are_valid(
    preview: Preview, known: bool, rows: int, limit: int
) -> None:
    name = preview.environments[0].environment
    plan = runs.hostile(name, rows=rows).plan
    many = replace(preview, errors=preview.errors * 40, notes=preview.notes * 40)
    made = marks(many, {name: plan} if known else {}, links=LINKS, limit=limit)
    assert len(made) == 2
    for one in made:
        assert (one.state == "pending") == (preview.state == "planning")
        assert 0 < len(one.title) <= LONGEST_TITLE + 2
        assert one.title.isprintable()
        assert len(one.summary) <= limit
        assert_valid(one.summary)
        for remark in one.annotations:
            assert remark.message.isprintable()
            assert len(remark.message) <= 1_000
            assert remark.line > 0


@settings(max_examples=60, deadline=None)
@given(
    texts(),
    st.sampled_from(get_args(PreviewState.__value__)),
    st.sampled_from(get_args(Verdict.__value__)),
)
def test_foreign_text_changes_nothing_about_a_summary_but_words(
    text: str, state: PreviewState, verdict: Verdict
) -> None:
    def shown(word: str, links: Links) -> list[str]:
        preview = a_preview(word, state, verdict, 4)
        plan = runs.hostile(word).plan
        return [one.summary for one in marks(preview, {word: plan}, links=links, limit=60_000)]

    assert list(map(structure, shown(text, LINKS))) == list(map(structure, shown("word", LINKS)))
    for summary in shown(text, Links()):
        assert words_outside_code(summary).isdisjoint({"@", "link", "#"})
