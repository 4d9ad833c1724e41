"""The comment on a pull request and its marks say the same."""

import re

import pytest

from reconciler.core.marks import marks
from tests.core.previews import SITUATIONS
from tests.core.test_render_previews import told
from tests.core.test_render_runs import LINKS

STANDS = {
    "no-change": ("success", "success"),
    "update": ("success", "success"),
    "delete": ("success", "success"),
    "unmanaged-and-nothing-else": ("success", "success"),
    "blocked-by-checks": ("failure", "failure"),
    "refused-by-a-rule": ("blocked", "blocked"),
    "will-be-refused-too-much": ("neutral", "success"),
    "suspended-alone": ("neutral", "success"),
    "its-plan-is-gone": ("failure", "failure"),
    "both-are-broken": ("failure", "failure"),
    "waits-alone": ("blocked", "blocked"),
    "waits-and-is-suspended": ("blocked", "blocked"),
    "applied-by-command": ("success", "success"),
    "planning-again": ("pending", "pending"),
    "throttled": ("", "failure"),
    "invalid": ("", "failure"),
    "conflict": ("", "failure"),
    "fork": ("", "blocked"),
    "nothing-touched": ("", "success"),
    "new-environment": ("", "success"),
    "closed": ("", "neutral"),
}
"""How the marks of the environments stand ("": there are none), and the one of all together."""
SAYS = {
    "success": r"Merging applies this to|Nothing to do|is applied as planned|Nothing to plan",
    "neutral": r"Merging alone does not apply|Merging applies nothing|Closed: nothing is planned",
    "blocked": r"is refused for the reason above: push|before the merge|comes from a fork",
    "failure": r"until the errors are gone|could not be planned|cannot be planned|does not merge",
    "pending": r"Planning `9c0ffee` …",
}
"""What a comment says of such a state, and of no other."""


@pytest.mark.parametrize("name", STANDS)
def test_a_comment_says_how_the_marks_stand(name: str) -> None:
    one = SITUATIONS[name]
    *each, whole = marks(one.preview, one.plans, links=LINKS, limit=60_000)
    alone, together = STANDS[name]
    assert whole.state == together
    assert {mark.state for mark in each} == ({alone} if alone else set())
    said = [state for state, words in SAYS.items() if re.search(words, told(one))]
    assert said == [alone or together]


@pytest.mark.parametrize("name", SITUATIONS)
def test_a_mark_that_holds_the_merge_back_is_explained_in_the_comment(name: str) -> None:
    one = SITUATIONS[name]
    made = told(one)
    found = {mark.state for mark in marks(one.preview, one.plans, links=LINKS, limit=60_000)}
    for state in ("failure", "blocked", "pending"):
        assert bool(re.search(SAYS[state], made)) == (state in found)


@pytest.mark.parametrize("name", [n for n, one in SITUATIONS.items() if one.plans])
def test_danger_is_counted_alike_in_the_comment_and_in_the_marks(name: str) -> None:
    one = SITUATIONS[name]
    title = told(one).splitlines()[0]
    for mark in marks(one.preview, one.plans, links=LINKS, limit=60_000)[:-1]:
        plan = one.plans.get(mark.name.removeprefix("reconciler/"))
        for action in ("delete", "replace"):
            count = plan.summary[action] if plan else 0
            assert (f"{count} to {action}" in mark.title) == bool(count)
            assert not count or re.search(rf"\*\*\d+ {action}s?\*\*", title)
