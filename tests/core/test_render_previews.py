"""What pull requests are told of what merging would do: golden comments, and what may never be."""

import os
from dataclasses import replace
from pathlib import Path

import pytest

from reconciler.core.render import Links
from reconciler.core.render.preview_markdown import preview_markdown
from tests.core.previews import SITUATIONS, Situation
from tests.core.shown import assert_valid
from tests.core.test_render_runs import LINKS

GOLDEN = Path(__file__).parent.parent / "golden" / "comments"


def told(one: Situation, limit: int = 0) -> str:
    """As the forge is told."""
    return preview_markdown(
        one.preview,
        one.plans,
        branch="main",
        links=LINKS if one.linked else Links(),
        alerts=one.alerts,
        limit=limit or one.limit,
    )


AT_THE_LIMIT = len(told(SITUATIONS["30-changes"], 1_000_000))
COMMENTS = {
    **SITUATIONS,
    "30-changes-at-the-limit": replace(SITUATIONS["30-changes"], limit=AT_THE_LIMIT),
    "30-changes-one-over-the-limit": replace(SITUATIONS["30-changes"], limit=AT_THE_LIMIT - 1),
}


@pytest.mark.parametrize("name", COMMENTS)
def test_a_pull_request_is_told_as_was_agreed(name: str) -> None:
    """``GOLDEN=1`` rewrites the files; the review is their diff."""
    made = told(COMMENTS[name])
    assert_valid(made)
    path = GOLDEN / f"pull-{name}.md"
    if os.environ.get("GOLDEN"):
        path.write_text(made, encoding="utf-8")
    assert path.read_text(encoding="utf-8") == made
