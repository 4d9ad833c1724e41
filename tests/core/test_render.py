"""What people see: golden files for the wording, properties for what may never happen."""

import json
import os
import re
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any, get_args

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from reconciler.core.model import (
    ABSENT,
    Change,
    Check,
    FieldChange,
    Key,
    Mode,
    Outcome,
    Plan,
    Ref,
    Run,
    RunState,
    Secret,
)
from reconciler.core.render import (
    Links,
    plain,
    plan_json,
    plan_markdown,
    plan_text,
    run_json,
    run_markdown,
    run_text,
)
from reconciler.core.render.words import clean, duration, shorten, shorten_pair, value_text
from tests.core import plans

GOLDEN = Path(__file__).parent.parent / "golden"
PLACE = "contoso-prod / rg-ai-prod / East US 2"
LINKS = Links(
    source="https://git.example/contoso/estate/blob/3f2c1ab/{path}#L{line}",
    run="https://reconciler.example/api/runs/{run}",
)
NOW = plans.at(300)

SHOWN: dict[str, Callable[[], str]] = {
    "plan_everything.txt": lambda: plain(plan_text(plans.EVERYTHING, place=PLACE)),
    "plan_narrow.txt": lambda: plain(plan_text(plans.EVERYTHING, width=60)),
    "plan_small.txt": lambda: plain(plan_text(plans.SMALL)),
    "plan_nothing.txt": lambda: plain(plan_text(plans.NOTHING_TO_DO)),
    "plan_adopting.txt": lambda: plain(plan_text(plans.ADOPTING)),
    "plan_everything.md": lambda: plan_markdown(plans.EVERYTHING, place=PLACE, links=LINKS),
    "plan_nothing.md": lambda: plan_markdown(plans.NOTHING_TO_DO),
    "plan_everything.json": lambda: json.dumps(plan_json(plans.EVERYTHING), indent=2) + "\n",
    "run_running.txt": lambda: plain(run_text(plans.RUNNING, now=NOW)),
    "run_failed.txt": lambda: plain(run_text(plans.FAILED)),
    "run_done.txt": lambda: plain(run_text(plans.DONE)),
    "run_stale.txt": lambda: plain(run_text(plans.STALE)),
    "run_failed.json": lambda: json.dumps(run_json(plans.FAILED), indent=2) + "\n",
}


@pytest.mark.parametrize("name", SHOWN)
def test_what_is_shown_is_what_was_agreed(name: str) -> None:
    """``GOLDEN=1`` rewrites the files; the review is their diff."""
    now = SHOWN[name]()
    path = GOLDEN / name
    if os.environ.get("GOLDEN"):
        path.write_text(now, encoding="utf-8")
    assert path.read_text(encoding="utf-8") == now


def test_the_plan_in_json_keeps_its_contract() -> None:
    made = plan_json(plans.EVERYTHING)
    assert list(made) == [
        "environment",
        "commit",
        "digest",
        "summary",
        "changes",
        "checks",
        "requests",
        "unmanaged",
    ]
    assert list(made["summary"]) == [
        "create",
        "update",
        "replace",
        "delete",
        "unchanged",
        "unmanaged",
    ]
    assert list(made["changes"][0]) == ["action", "kind", "name", "armId", "fields", "reason"]
    assert list(made["changes"][1]["fields"][0]) == ["path", "before", "after"]
    assert list(made["checks"][0]) == ["rule", "level", "message", "source"]
    assert made["requests"] == {"reads": 14}


@pytest.mark.parametrize(
    ("value", "words", "reason"),
    [
        ("strict", "strict", "plain words stay plain"),
        ("50", '"50"', "a text that looks like a number"),
        (50, "50", "a number"),
        ("true", '"true"', "a text that looks like a boolean"),
        (True, "true", "a boolean"),
        ("", '""', "nothing, visibly"),
        (" x", '" x"', "space at the edge"),
        ("2025-04-14", "2025-04-14", "model versions are dates"),
        ("(secret kv/x)", '"(secret kv/x)"', "a text that pretends to be a secret"),
        ("a → b", '"a → b"', "a text that pretends to be a change"),
        (None, "null", "null"),
        (ABSENT, "(not set)", "no value"),
        (["a", "b, c"], '[a, "b, c"]', "a list"),
        ({"a": 1, "b": {}}, "{a: 1, b: {}}", "a mapping"),
        (Secret("n", "/v/kv"), "(secret kv/n)", "a secret by name"),
        (
            Ref(Key("Hub", ("main",)), "identity.principalId"),
            "(known after apply: Hub/main identity.principalId)",
            "a value of another resource",
        ),
        ("a\x1b[31m\nb", "a\\x1b[31m\\nb", "control characters are shown, not sent"),
        ("a\u202eb", "a\\u202eb", "direction cannot be turned"),
    ],
)
def test_values_are_words(value: Any, words: str, reason: str) -> None:
    assert value_text(value) == words, reason


@pytest.mark.parametrize(
    ("seconds", "words"),
    [(0.94, "0.9 s"), (3, "3 s"), (41.2, "41 s"), (360, "6 min"), (7200, "2 h")],
)
def test_durations_are_rounded_to_what_matters(seconds: float, words: str) -> None:
    assert duration(seconds) == words


@given(st.text(), st.integers(4, 40))
def test_a_shortened_text_fits_and_keeps_its_ends(text: str, limit: int) -> None:
    short = shorten(text, limit)
    assert len(short) <= limit
    assert short == text or (short[0] == text[0] and "…" in short)


@given(st.text("ab", max_size=80), st.text("ab", max_size=80), st.text("ab", max_size=80))
def test_two_values_that_differ_still_do_when_shortened(same: str, one: str, other: str) -> None:
    before, after = f"{same}x{one}", f"{same}y{other}"
    short = shorten_pair(before, after, 20)
    assert short[0] != short[1]
    assert max(map(len, short)) <= 20


def test_a_value_that_only_grows_is_still_seen_to_change() -> None:
    before, after = shorten_pair("a" * 100, "a" * 101, 20)
    assert before != after


foreign = st.text(
    st.sampled_from("a`~|<>@#*_[]()!&\\\"'\n\r\t\x1b\x9b\u202e\u200b\u2028=-+:/$ {}é→…1")
    | st.characters(),
    max_size=30,
)
snippets = st.sampled_from(
    [
        "```\n# out",
        "````",
        "</details><script>alert(1)</script>",
        "@everyone",
        "![x](https://evil.example/x.png)",
        "[x](javascript:alert(1))",
        "https://evil.example www.evil.example",
        "| a | b |\n| - | - |",
        "<!-- reconciler:apply -->",
        "\x1b]8;;https://evil.example\x07click\x1b]8;;\x07",
        "~~~\n~~~",
        "`` ` ``",
        "$x$ &lt; \\",
        "GH-1 #1 a/b#1 !1 AB#1",
    ]
)
texts = (foreign | snippets | st.builds(lambda a, b: a + b, foreign, snippets)).filter(bool)


def a_plan_of(text: str) -> Plan:
    """A plan in which everything that others can write is ``text``."""
    key = Key("ModelDeployment", (text, text))
    fields = (
        FieldChange((text, "x"), text, f"{text}!"),
        FieldChange(("a",), {text: [text]}, Secret(text, f"/v/{text}"), replaces=True),
    )
    changes = tuple(
        Change(action, key, f"/x/{text}", fields, text, f"{text}:3:4")
        for action in ("create", "update", "replace", "delete")
    )
    steps = (plans.a_step("update", key),)
    checks = (Check("error", text or "rule", text, f"{text}:1:2"), Check("note", "r", text))
    unknown = Key(text, (text,))
    return Plan(text, text, changes, steps, checks, unmanaged=(key, unknown))


def a_run_of(text: str) -> Run:
    plan = a_plan_of(text)
    outcome = Outcome("failed", text, request_id=text)
    return Run(text, plan, state="failed", detail=text, outcomes={plan.steps[0].id: outcome})


def tokens(markdown: str) -> list[tuple[str, str, str]]:
    """The structure of a document, without its words."""
    parser = MarkdownIt("commonmark", {"html": True}).enable(["table", "strikethrough"])
    found = []
    for token in parser.parse(markdown):
        html = token.content if token.type == "html_block" else ""
        found.append((token.type, token.tag, html))
        found += [
            (child.type, child.tag, str(child.attrs.get("href", ""))[:4])
            for child in token.children or []
            if child.type not in ("text", "text_special")
        ]
    return found


@settings(max_examples=80, deadline=None)
@given(texts)
def test_foreign_text_changes_nothing_about_a_comment_but_words(text: str) -> None:
    for show in (
        lambda word: plan_markdown(a_plan_of(word), place=word, links=LINKS),
        lambda word: run_markdown(a_run_of(word)),
    ):
        assert tokens(show(text)) == tokens(show("word"))


def words_outside_code(markdown: str) -> str:
    """The text that a forge looks through for mentions and links."""
    parser = MarkdownIt("commonmark", {"html": True}).enable(["table", "strikethrough"])
    children = [child for token in parser.parse(markdown) for child in token.children or [token]]
    return "".join(
        child.content if child.type in ("text", "text_special") else "\n" for child in children
    )


@settings(max_examples=60, deadline=None)
@given(texts)
def test_foreign_text_mentions_nobody_and_links_nothing(text: str) -> None:
    for made in (plan_markdown(a_plan_of(text), place=text), run_markdown(a_run_of(text))):
        seen = words_outside_code(made)
        assert not re.search(r"@[A-Za-z0-9]", seen)
        assert not re.search(r"https?://|www\.\w|GH-\d", seen, re.IGNORECASE)
        assert not re.search(r"(?<!#)#\d", seen)
        assert not re.search(r"!\d", seen)  # a pull request on Azure Repos


@settings(max_examples=60, deadline=None)
@given(texts)
def test_foreign_text_cannot_steer_a_terminal(text: str) -> None:
    for lines in (plan_text(a_plan_of(text), place=text), run_text(a_run_of(text))):
        assert all(span.isprintable() for line in lines for span, _ in line)


@given(st.text())
def test_cleaned_text_is_printable_and_cleaning_it_again_changes_nothing(text: str) -> None:
    assert clean(text).isprintable()
    assert clean(clean(text)) == clean(text)


def a_large_plan(size: int) -> Plan:
    changes = [
        Change(
            action,
            Key("ModelDeployment", ("contoso-ai", f"{action}-{place}")),
            "/x",
            (FieldChange(("sku", "capacity"), 1, 2),),
        )
        for action in ("create", "delete", "update")
        for place in range(size)
    ]
    checks = tuple(Check("warning", "r", f"remark {place}") for place in range(size))
    unmanaged = tuple(Key("ModelDeployment", ("a", str(place))) for place in range(size))
    return Plan("prod", "abc", tuple(changes), checks=checks, unmanaged=unmanaged)


def test_a_comment_stays_within_what_a_forge_accepts() -> None:
    made = plan_markdown(a_large_plan(1000))
    assert len(made) < 65_536
    assert "more to delete or replace" in made
    assert "**Too long for a comment**: `reconciler plan -e prod` shows the rest." in made
    assert made.count("<details>") == made.count("</details>")
    assert "\nMerging applies this to `prod`.\n" in made


def test_a_long_run_is_folded_and_bounded() -> None:
    plan = a_large_plan(1000)
    steps = tuple(plans.a_step("create", change.key) for change in plan.changes)
    outcomes = {step.id: Outcome("failed", "x" * 3000) for step in steps}
    run = Run("r", replace(plan, steps=steps), state="failed", outcomes=outcomes)
    made = run_markdown(run)
    assert len(made) < 65_536
    assert "<summary>" in made
    assert "**Too long to show here**: " in made


def test_danger_comes_first_whatever_the_order_of_the_plan() -> None:
    made = plain(plan_text(plans.EVERYTHING))
    places = [made.index(sign) for sign in ("  - ", "  ± ", "  ~ ", "  + ")]
    assert places == sorted(places)


def test_a_replace_that_makes_the_new_one_first_says_so() -> None:
    steps = (plans.a_step("create", plans.EMBED), plans.a_step("delete", plans.EMBED))
    plan = Plan("prod", "abc", (plans.REPLACE,), steps)
    assert "The new one is made before the old one is removed." in plan_markdown(plan)


@pytest.mark.parametrize("mode", ["plan", "apply"])
@pytest.mark.parametrize("state", get_args(RunState.__value__))
def test_every_state_of_a_run_can_be_shown(mode: Mode, state: RunState) -> None:
    run = replace(plans.RUNNING, state=state, mode=mode, detail="because")
    for shown in (run, replace(run, plan=Plan("prod", "3f2c1ab"), outcomes={})):
        text = plain(run_text(shown))
        assert "prod" in text.splitlines()[0]
        assert "because" in text
        assert "prod" in run_markdown(shown)
