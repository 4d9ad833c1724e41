"""Every comment that we agreed on, as a person sees it: in Chromium, on a desk and on a phone."""

import json
import os
import re
import shutil
import subprocess
from html import escape, unescape
from pathlib import Path
from typing import Any

import pytest

from reconciler.local.github.pages.layout import box, document
from reconciler.local.github.pages.markdown import render

GOLDEN = Path(__file__).parents[2] / "golden" / "comments"
COMMENTS = sorted(GOLDEN.glob("*.md"))
WIDTHS = (1200, 420)
"""Of a desk and of a phone, in CSS pixels."""
MEASURE = """
const seen = (frame) => {
  const page = frame.contentDocument, alerts = [...page.querySelectorAll('.alert-caution')];
  const hidden = (one) => one.getBoundingClientRect().height < 10 || one.closest('details');
  return {
    name: frame.title, width: frame.width,
    sticksOut: page.documentElement.scrollWidth - page.documentElement.clientWidth,
    height: page.documentElement.scrollHeight,
    scripts: page.querySelectorAll('script, img, iframe, object').length,
    open: page.querySelectorAll('details[open]').length,
    hidden: alerts.filter(hidden).length, alerts: alerts.length,
    mentions: page.querySelectorAll('.words .mention').length,
  };
};
addEventListener('load', () => {
  const found = [...document.querySelectorAll('iframe')].map(seen);
  document.body.dataset.found = JSON.stringify(found);
});
"""


def page_of(comment: Path) -> str:
    words = render(comment.read_text(encoding="utf-8"), "/contoso/estate")
    return document(comment.stem, box("reconciler", f'<div class="words">{words}</div>')).decode()


@pytest.fixture(scope="module")
def found(tmp_path_factory: pytest.TempPathFactory) -> list[dict[str, Any]]:
    """What Chromium makes of every comment at every width, in one go."""
    folder = tmp_path_factory.mktemp("chromium")
    frames = "".join(
        f'<iframe title="{escape(one.stem)}" width="{width}" height="800"'
        f' srcdoc="{escape(page_of(one))}"></iframe>'
        for one in COMMENTS
        for width in WIDTHS
    )
    page = folder / "all.html"
    text = f"<!DOCTYPE html><script>{MEASURE}</script><body>{frames}</body>"
    page.write_text(text, encoding="utf-8")
    command = [
        *(browser(), "--headless", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage"),
        *(f"--user-data-dir={folder / 'profile'}", "--virtual-time-budget=20000", "--dump-dom"),
        page.as_uri(),
    ]
    done = subprocess.run(command, capture_output=True, text=True, timeout=240, check=True)
    match = re.search(r'data-found="([^"]*)"', done.stdout)
    assert match, done.stderr[-2000:]
    seen: list[dict[str, Any]] = json.loads(unescape(match[1]))
    return seen


def browser() -> str:
    found = shutil.which("chromium") or shutil.which("google-chrome")
    if found is None and os.environ.get("RECONCILER_CHROMIUM") == "required":
        pytest.fail("there is no Chromium, and RECONCILER_CHROMIUM says that there has to be")
    if found is None:
        pytest.skip("there is no Chromium: nobody has looked at the comments")
    return found


def test_every_comment_can_be_read_at_a_desk_and_on_a_phone(
    found: list[dict[str, Any]],
) -> None:
    assert len(found) == len(COMMENTS) * len(WIDTHS) > 20
    assert [one for one in found if one["sticksOut"] > 0] == []
    assert [one for one in found if one["height"] < 60] == []
    assert [one for one in found if one["open"]] == []


def test_danger_is_seen_at_once_and_nothing_foreign_is_let_in(
    found: list[dict[str, Any]],
) -> None:
    assert sum(one["alerts"] for one in found) > 4
    assert [one for one in found if one["hidden"]] == []
    assert [one for one in found if one["scripts"] or one["mentions"]] == []
