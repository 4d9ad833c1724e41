"""What pull requests are told of runs: golden comments, and what may never happen."""

import os
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import get_args

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from reconciler.core.model import Run, RunState
from reconciler.core.render import Links, run_markdown
from tests.core import plans, runs
from tests.core.shown import assert_valid, structure, texts, words_outside_code

GOLDEN = Path(__file__).parent.parent / "golden" / "comments"
LINKS = Links(
    source="https://git.example/contoso/estate/blob/3f2c1ab/{path}#L{line}",
    run="https://reconciler.example/api/runs/{run}",
)
NOW = plans.at(300)


def comment(run: Run, **options: object) -> Callable[[], str]:
    return lambda: run_markdown(run, **{"links": LINKS, **options})  # type: ignore[arg-type]


COMMENTS: dict[str, Callable[[], str]] = {
    "queued": comment(runs.QUEUED, now=NOW),
    "running": comment(plans.RUNNING, now=NOW),
    "done": comment(runs.WITH_ENDPOINTS),
    "done-before-merge": comment(runs.BEFORE_MERGE),
    "nothing-to-do": comment(runs.NOTHING_TO_DO),
    "partial-failure": comment(plans.FAILED),
    "partial-failure-without-alerts": comment(plans.FAILED, alerts=False, links=Links()),
    "replace-half-done": comment(runs.HALF_REPLACED),
    "replace-side-by-side-failed": comment(runs.SIDE_BY_SIDE),
    "refused-worse-than-reviewed": comment(runs.WORSE),
    "refused-without-review": comment(runs.UNREVIEWED, alerts=False),
    "refused-too-much": comment(runs.TOO_MUCH),
    "refused-by-check": comment(runs.BLOCKED),
    "refused-suspended": comment(runs.SUSPENDED),
    "stale": comment(runs.STALE),
    "cancelled": comment(runs.CANCELLED),
    "superseded": comment(runs.SUPERSEDED),
    "cancelled-in-a-replace": comment(runs.BROKEN_OFF),
    "throttled": comment(runs.THROTTLED_RUN),
    "500-resources": comment(runs.MANY),
    "500-resources-in-little-room": comment(runs.MANY, limit=4_000),
    "hostile": comment(runs.hostile()),
    "hostile-refused": comment(runs.hostile(state="refused")),
}


@pytest.mark.parametrize("name", COMMENTS)
def test_a_run_is_told_as_was_agreed(name: str) -> None:
    """``GOLDEN=1`` rewrites the files; the review is their diff."""
    made = COMMENTS[name]()
    assert_valid(made)
    path = GOLDEN / f"run-{name}.md"
    if os.environ.get("GOLDEN"):
        path.parent.mkdir(exist_ok=True)
        path.write_text(made, encoding="utf-8")
    assert path.read_text(encoding="utf-8") == made


@settings(max_examples=60, deadline=None)
@given(texts(), st.sampled_from(get_args(RunState.__value__)), st.booleans())
def test_foreign_text_changes_nothing_about_a_comment_but_words(
    text: str, state: RunState, alerts: bool
) -> None:
    def shown(word: str) -> str:
        run = runs.hostile(word, state, rows=3)
        return run_markdown(run, now=NOW, links=LINKS, alerts=alerts)

    assert structure(shown(text)) == structure(shown("word"))


@settings(max_examples=60, deadline=None)
@given(texts(), st.sampled_from(get_args(RunState.__value__)))
def test_foreign_text_mentions_nobody_and_links_nothing(text: str, state: RunState) -> None:
    made = run_markdown(runs.hostile(text, state, rows=2), now=NOW)
    assert words_outside_code(made).isdisjoint({"@", "link", "#"})


@settings(max_examples=60, deadline=None)
@given(
    st.text(min_size=1, max_size=300) | texts().map(lambda text: text * 9),
    st.sampled_from(get_args(RunState.__value__)),
    st.integers(0, 120),
    st.integers(2_000, 20_000),
)
def test_whatever_happened_fits_and_is_valid(
    text: str, state: RunState, rows: int, limit: int
) -> None:
    run = runs.hostile(text, state, rows)
    for links in (LINKS, Links()):
        made = run_markdown(run, now=NOW, links=links, limit=limit)
        assert len(made) <= limit
        assert_valid(made)


def test_what_is_left_out_is_counted() -> None:
    for limit in (2_000, 3_000, 8_000, 60_000):
        made = run_markdown(runs.MANY, links=LINKS, limit=limit)
        assert "496 of 500 done, 3 failed" in made
        assert "**Too long to show here**" in made or "496 done" in made


def test_exactly_at_the_limit_nothing_is_left_out_and_one_below_it_is() -> None:
    whole = run_markdown(runs.MANY, links=LINKS, limit=1_000_000)
    assert run_markdown(runs.MANY, links=LINKS, limit=len(whole)) == whole
    less = run_markdown(runs.MANY, links=LINKS, limit=len(whole) - 1)
    assert less != whole
    assert "model-499" in less


def test_what_failed_is_told_before_what_went_well() -> None:
    made = run_markdown(runs.MANY)
    assert made.index("model-498") < made.index("<details>") < made.index("model-000")


@pytest.mark.parametrize(
    ("run", "command", "reason"),
    [
        (runs.WORSE, True, "worse than what was reviewed"),
        (runs.UNREVIEWED, True, "nothing was reviewed"),
        (runs.TOO_MUCH, True, "much of what is owned goes"),
        (runs.BLOCKED, False, "an error of a check is mended, not allowed"),
        (runs.SUSPENDED, False, "a suspension is lifted, not overruled"),
        (replace(runs.WORSE, detail="somebody said --allow"), False, "no rule of ours"),
    ],
)
def test_a_refusal_names_the_plan_to_allow_only_where_that_helps(
    run: Run, command: bool, reason: str
) -> None:
    last = run_markdown(run).strip().splitlines()[-1]
    assert (f"`/apply prod {run.plan.digest}`" in last) is command, reason


def test_a_comment_says_when_it_was_brought_up_to_date_while_it_is() -> None:
    assert "updated 14:05 UTC" in run_markdown(plans.RUNNING, now=NOW)
    assert "updated" not in run_markdown(plans.FAILED, now=NOW)


def test_another_cloud_has_another_portal() -> None:
    made = run_markdown(
        runs.WITH_ENDPOINTS, links=Links(portal="https://portal.azure.us/#@/resource{arm_id}")
    )
    assert "https://portal.azure.us/#@/resource/subscriptions/s/" in made
    assert "portal.azure.com" not in made


def test_what_was_deleted_has_no_link_and_no_address() -> None:
    run = runs.a_run(plans.EVERYTHING, "done").record(f"delete:{plans.OLD}", runs.DONE)
    line = next(one for one in run_markdown(run).splitlines() if "contoso-old" in one)
    assert "](" not in line
    assert "deleted, and seen to be gone" in line


def test_what_was_refused_is_told_as_what_would_have_happened() -> None:
    made = run_markdown(runs.WORSE)
    assert "**would be deleted**" in made
    assert "will be" not in made


def test_what_was_taken_away_and_not_made_again_stands_above_the_table() -> None:
    above = run_markdown(plans.FAILED).partition("| --- |")[0]
    assert "**is gone**: the old one is deleted, the new one is not tried" in above


def test_a_run_that_is_over_has_nothing_running() -> None:
    made = run_markdown(runs.BROKEN_OFF)
    assert "2 of 4 done, 1 broken off, 1 not started" in made
    assert "`contoso-ai/embed` **is gone**: the old one is deleted, the new one is broken" in made
    assert "creating" not in made
