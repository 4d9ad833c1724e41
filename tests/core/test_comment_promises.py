"""What holds for every comment on a pull request, whatever is in it and however little room."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from itertools import cycle, islice
from typing import get_args

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from reconciler.core.errors import SpecError
from reconciler.core.model import DANGEROUS, Action, Change, Check, FieldChange, Key, Level, Plan
from reconciler.core.preview import Preview, Previewed, PreviewState, Verdict
from reconciler.core.render import Links
from reconciler.core.render.escape import code, prose
from reconciler.core.render.preview_markdown import preview_markdown
from reconciler.core.safety import by_name
from tests.core import plans
from tests.core.previews import SITUATIONS
from tests.core.shown import PARSER, assert_valid, texts, words_outside_code
from tests.core.test_render_previews import told
from tests.core.test_render_runs import LINKS

ENOUGH = 10_000_000
OURS = ("https://git.example/contoso/estate/blob/3f2c1ab/", "https://reconciler.example/api/runs/")
FOLD = re.compile(r"<details>.*?</details>", re.DOTALL)
BECOMES = re.compile(r"\*\*will be (?:deleted|replaced)\*\*")
LEFT_OUT = re.compile(r"\*\*And (\d+) more to delete or replace")
ACTIONS: tuple[Action, ...] = ("update", "create", "delete", "replace")


@dataclass(frozen=True)
class Known:
    """Everything that a comment is made from."""

    preview: Preview
    plans: Mapping[str, Plan]

    def told(self, limit: int = ENOUGH, *, alerts: bool = True, links: Links = LINKS) -> str:
        return preview_markdown(
            self.preview, self.plans, branch="main", links=links, alerts=alerts, limit=limit
        )

    @property
    def shown(self) -> list[Plan]:
        there = [one.environment for one in self.preview.environments if one.verdict == "planned"]
        return [self.plans[name] for name in there if name in self.plans]

    def count(self, *actions: Action) -> int:
        return sum(one.action in actions for plan in self.shown for one in plan.changes)


def change(number: int, word: str, action: Action, rows: int) -> Change:
    """Its name is ours, so that it can be looked for; everything else is foreign."""
    key = Key(word if number % 5 == 4 else "ModelDeployment", ("account", f"one-{number}-of-them"))
    fields = tuple(FieldChange((word, row), word, f"{word}!", row == 2) for row in range(rows))
    return Change(action, key, f"/x/{word}", fields, word, f"{word}:{number + 1}:2")


def a_plan(name: str, words: list[str], numbers: list[int], kinds: list[int]) -> Plan:
    several = islice(cycle(words), len(numbers))
    changes = tuple(
        change(number, word, ACTIONS[(number * kinds[0] + number // 3) % kinds[1]], number % 4)
        for number, word in zip(numbers, several, strict=True)
    )
    levels: tuple[Level, ...] = ("error", "warning", "note") if kinds[0] == 0 else ("note",)
    checks = tuple(
        Check(levels[at % len(levels)], word or "rule", word, f"{word}:{at + 1}")
        for at, word in enumerate(words * kinds[2])
    )
    unmanaged = tuple(Key(word, (word, word)) for word in words * kinds[2])
    steps = tuple(plans.a_step("create", one.key) for one in changes[:20])
    return Plan(name, words[0], changes, steps, checks, 3, unmanaged, unmanaged[:2], reads=9)


@st.composite
def anything(draw: st.DrawFn) -> Known:
    """1 to 60 environments that share 0 to 300 changes, in which everything is foreign."""
    foreign = texts() | st.text(min_size=1, max_size=40)
    words = draw(st.lists(foreign | foreign.map(lambda one: one * 9), min_size=1, max_size=4))
    count = draw(st.integers(1, 60) | st.integers(2, 5))
    changes = draw(st.integers(0, 300) | st.integers(4, 30))
    kinds = draw(st.tuples(st.integers(0, 3), st.sampled_from([4, 3, 2]), st.integers(0, 6)))
    flags = draw(st.lists(st.integers(0, 63), min_size=1, max_size=5))
    environments, by_name_ = [], {}
    for at in range(count):
        word, flag = words[at % len(words)], flags[at % len(flags)]
        name = f"{word[: draw(st.integers(0, 80)) if at < 3 else 80]}{at}"
        plan = a_plan(name, words, list(range(at, changes, count)), list(kinds))
        verdict: Verdict = get_args(Verdict.__value__)[flag % 3 if flag > 40 else 0]
        detail = {1: word, 2: by_name(plan)}.get(flag % 6, "")
        place = word if flag & 4 else ""
        on_command, applied = bool(flag & 8), bool(flag & 16)
        run = word if flag & 32 or flag < 20 else ""
        environments.append(Previewed(name, verdict, run, detail, place, on_command, applied))
        if flag != 7:
            by_name_[name] = plan
    preview = Preview(
        7,
        words[0],
        commit=words[-1],
        state="planned",
        environments=tuple(environments),
        notes=tuple(words * kinds[2]),
        planned_at="2026-11-20T14:02:11+00:00",
    )
    return Known(preview, by_name_)


def in_another_state(known: Known, state: PreviewState) -> Known:
    words = known.preview.notes or (known.preview.head,)
    errors = tuple(SpecError(f"{word}:{at}:2", word) for at, word in enumerate(words * 9))
    preview = replace(known.preview, state=state, errors=errors, detail=words[0])
    return replace(known, preview=preview)


limits = st.integers(2_000, 150_000) | st.integers(2_000, 4_000) | st.just(150_000)


@settings(max_examples=50, deadline=None)
@given(anything(), limits, st.booleans(), st.sampled_from(get_args(PreviewState.__value__)))
def test_whatever_is_known_fits_is_valid_and_lets_nothing_foreign_in(
    known: Known, limit: int, alerts: bool, state: PreviewState
) -> None:
    for one in (known, in_another_state(known, state)):
        made = one.told(limit, alerts=alerts)
        assert len(made) <= limit
        assert_valid(made)
        assert made == one.told(limit, alerts=alerts)
        assert links_of(made) == []
        assert words_outside_code(made).isdisjoint({"@", "link", "#"})
        assert not re.search(r"^\s*/\w|(?<!\\)<!--", made, re.MULTILINE)
        assert ("[!" in re.sub(r"`+[^`]*`+", "", made)) <= alerts


def links_of(markdown: str) -> list[str]:
    """The addresses that are none of ours; pictures too."""
    children = [one for token in PARSER.parse(markdown) for one in token.children or []]
    found = [str(one.attrs.get("href", one.attrs.get("src", ""))) for one in children if one.attrs]
    return [one for one in found if not one.startswith(OURS)]


@settings(max_examples=50, deadline=None)
@given(anything(), limits)
def test_every_delete_and_replace_is_told_or_counted_outside_of_folds(
    known: Known, limit: int
) -> None:
    made = known.told(limit)
    seen = FOLD.sub("", made)
    left = sum(map(int, LEFT_OUT.findall(seen)))
    assert len(BECOMES.findall(seen)) + left == known.count("delete", "replace")
    assert ("more to delete or replace" in made) == bool(left)


@settings(max_examples=50, deadline=None)
@given(anything(), limits)
def test_the_title_counts_every_change_and_what_is_left_out_is_said(
    known: Known, limit: int
) -> None:
    made = known.told(limit)
    title = made.splitlines()[0]
    for action in ACTIONS:
        count = known.count(action)
        danger = f"**{count} {action}{'s' if count > 1 else ''}**"
        said = danger if action in DANGEROUS else f" · {count} to {action}"
        assert (said in title) == bool(count)
    whole = known.told()
    assert ("**Too long for a comment**" in made) == (len(whole) > limit)
    if len(whole) <= limit:
        assert made == whole


@settings(max_examples=40, deadline=None)
@given(anything())
def test_with_room_enough_every_change_is_named(known: Known) -> None:
    made = known.told()
    for plan in known.shown:
        for one in plan.changes:
            assert f"account/{one.key.path[1]}" in made
    assert "Too long" not in made
    assert "… and" not in made


@pytest.mark.parametrize("name", [n for n, one in SITUATIONS.items() if one.limit > 60_000])
def test_exactly_at_the_limit_everything_is_told_and_one_below_it_less(name: str) -> None:
    one = SITUATIONS[name]
    whole = told(one, ENOUGH)
    assert told(one, max(len(whole), 2_000)) == whole
    if len(whole) > 2_000:
        less = told(one, len(whole) - 1)
        assert len(whole) * 0.6 < len(less) < len(whole), "no more is left out than has to be"
        assert re.search(r"Too long|and \d+ more|…", less)


AUTOLINKS = {
    # https://github.github.com/gfm/#autolinks-extension-
    "https://evil.example": r"https?://\w",
    "HTTP://EVIL.example": r"(?i)https?://\w",
    "ftp://evil.example": r"ftp://\w",
    "www.evil.example": r"www\.\w",
    "WWW.evil.example": r"(?i)www\.\w",
    "a.b@evil.example": r"@\w",
    "mailto:a@evil.example xmpp:a@evil.example/b": r"@\w",
    # https://docs.github.com/en/get-started/writing-on-github/working-with-advanced-formatting/autolinked-references-and-urls
    "#12": r"#\d",
    "GH-12 gh-12": r"(?i)GH-\d",
    "contoso/estate#1": r"#\d",
    "contoso/estate@3f2c1ab9d04e5f60718293a4b5c6d7e8f9012345": r"@\w",
    "@everyone": r"@\w",
    "@contoso/admins": r"@\w",
    ":tada:": r":\w+:",
    # https://learn.microsoft.com/en-us/azure/devops/project/wiki/markdown-guidance
    "AB#12": r"#\d",
    "!12": r"!\d",
    "@<0d1f2e3a-0000-0000-0000-000000000000>": r"@<",
}
"""What a forge makes something of, and by which letters it knows it."""


@pytest.mark.parametrize("text", AUTOLINKS)
@pytest.mark.parametrize("around", ["{}", "({})", "see {}.", "**{}", "\\{}", "x,{}"])
def test_no_forge_makes_a_link_of_foreign_words(text: str, around: str) -> None:
    from reconciler.local.github.pages.markdown import render

    foreign = around.format(text)
    page = render(f"Somebody wrote {prose(foreign)}, and {code(foreign)}.", "/contoso/estate")
    assert "<a" not in page
    inline = PARSER.parse(f"It says {prose(foreign)}.")[1]
    seen = "".join(one.content for one in inline.children or [])
    assert not re.search(AUTOLINKS[text], seen)
    letters = seen.removeprefix("It says ").removesuffix(".").replace("\u200b", "")
    assert letters == foreign, "what is shown is what was written"


def test_most_of_what_is_thrown_at_a_comment_has_something_to_tell() -> None:
    """The strategy above, looked at: a property of empty comments would hold for nothing."""
    seen: list[Known] = []

    @settings(max_examples=40, deadline=None, database=None)
    @given(anything())
    def look(known: Known) -> None:
        seen.append(known)

    look()
    assert sum(one.count("delete", "replace") > 0 for one in seen) > 10
    several = [one for one in seen if len(one.preview.environments) > 1]
    assert sum(any(p.dangerous and not p.blocked for p in one.shown) for one in several) > 3
