"""What the issue about drift says: golden texts, and what may never happen."""

import os
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from reconciler.core.model import Plan, Run
from reconciler.core.render import Links
from reconciler.core.render.drift_markdown import drift_markdown, drift_title, healed_markdown
from tests.core import plans, runs
from tests.core.shown import assert_valid, structure, texts, words_outside_code
from tests.core.test_render_runs import GOLDEN, LINKS

CHANGED = Plan("prod", plans.COMMIT, (plans.UPDATE,), plans.STEPS[:1], unchanged=12)
BY_HAND = replace(plans.EVERYTHING, checks=())
HEALED = replace(
    plans.RUNNING,
    plan=CHANGED,
    state="done",
    requested_by="drift",
    ended_at=plans.at(12),
    outcomes={plans.STEPS[0].id: plans.RUNNING.outcomes[plans.STEPS[0].id]},
)


def drift(plan: Plan, self_heal: str = "report", limit: int = 60_000, since: str = "") -> str:
    return drift_markdown(
        plan, links=LINKS, alerts=True, limit=limit, self_heal=self_heal, since=since
    )


def healed(run: Run, limit: int = 60_000) -> str:
    return healed_markdown(run, links=LINKS, alerts=True, limit=limit)


ISSUES: dict[str, Callable[[], str]] = {
    "reported": lambda: drift(CHANGED, since=plans.at(300)),
    "healed-by-itself": lambda: drift(CHANGED, "apply"),
    "everything": lambda: drift(BY_HAND),
    "blocked": lambda: drift(plans.EVERYTHING),
    "many-in-little-room": lambda: drift(runs.MANY.plan, limit=3_000),
    "put-back": lambda: healed(HEALED),
    "put-back-in-part": lambda: healed(plans.FAILED),
    "hostile": lambda: drift(runs.hostile().plan),
}


@pytest.mark.parametrize("name", ISSUES)
def test_drift_is_told_as_was_agreed(name: str) -> None:
    """``GOLDEN=1`` rewrites the files; the review is their diff."""
    made = ISSUES[name]()
    assert_valid(made)
    path: Path = GOLDEN / f"drift-{name}.md"
    if os.environ.get("GOLDEN"):
        path.write_text(made, encoding="utf-8")
    assert path.read_text(encoding="utf-8") == made


@settings(max_examples=60, deadline=None)
@given(texts())
def test_foreign_text_changes_nothing_about_an_issue_but_words(text: str) -> None:
    for shown in (
        lambda word: drift(runs.hostile(word, rows=2).plan),
        lambda word: healed(runs.hostile(word, rows=2)),
    ):
        assert structure(shown(text)) == structure(shown("word"))
    plain = drift_markdown(
        runs.hostile(text).plan, links=Links(), alerts=False, limit=60_000, self_heal=text
    )
    assert words_outside_code(plain).isdisjoint({"@", "link", "#"})
    assert drift_title(text).isprintable()


@settings(max_examples=60, deadline=None)
@given(
    st.text(min_size=1, max_size=300) | texts().map(lambda text: text * 9),
    st.integers(0, 120),
    st.integers(2_000, 20_000),
)
def test_whatever_differs_fits_and_is_valid(text: str, rows: int, limit: int) -> None:
    run = runs.hostile(text, rows=rows)
    for made in (drift(run.plan, text, limit), healed(run, limit), healed(runs.MANY, limit)):
        assert len(made) <= limit
        assert_valid(made)


def test_who_puts_it_back_follows_from_what_the_environment_says() -> None:
    assert "It is put back by itself" in drift(CHANGED, "apply")
    assert "Nothing is put back by itself (`selfHeal: report`)" in drift(CHANGED, "report")
    assert "until the errors of the checks are gone" in drift(plans.EVERYTHING, "apply")


def test_a_value_that_was_put_back_is_told_with_what_was_found() -> None:
    assert "sku.capacity          50 → 250" in healed(HEALED)
