"""Whatever a pull request holds, its comment is whole, fits, and says only what we say: seen in the
HTML that a forge makes of it."""

import re
from dataclasses import replace
from html.parser import HTMLParser
from typing import get_args

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from reconciler.core.errors import SpecError
from reconciler.core.model import Change, Check, FieldChange, Key, Plan, Secret
from reconciler.core.preview import Preview, Previewed, PreviewState, Verdict
from reconciler.core.render import Links, preview_markdown
from reconciler.core.render.escape import BREAK, code, fenced, prose
from reconciler.core.render.words import clean
from reconciler.core.safety import by_name
from reconciler.local.github.pages.markdown import render
from tests.core import plans
from tests.core.shown import texts

SOURCE = "https://git.example/estate/blob/3f2c1ab/"
RUNS = "https://reconciler.example/api/runs/"
LINKS = Links(source=SOURCE + "{path}#L{line}", run=RUNS + "{run}")
HEAD = "9c0ffee1b2c3d4e5f60718293a4b5c6d7e8f9012"
FORGED = st.sampled_from(
    [
        "contoso/estate@9c0ffee1b2c3d4e5f60718293a4b5c6d7e8f9012",
        "contoso/estate#12 GH-12 #12 !12 AB#12",
        "@<6f1b2c3d-0000-4000-8000-000000000000> @octocat @contoso/ai-platform",
        "WWW.evil.example HTTPS://evil.example ftp://evil.example mailto:a@evil.example",
        "<https://evil.example> <a@evil.example> <b>bold</b> <!-- reconciler:plan -->",
        "- [x] done",
        "1. one",
        "12) twelve",
        "=====",
        "-----",
        ":--",
        "+ one",
        "    code of four spaces",
        "| a | b |",
        "[!CAUTION]",
        "> quoted",
        "# title",
        "* * *",
        "/apply prod",
        "a  ",
        "a\\",
        ":x: line 3:100:7",
        "&copy; &#64;octocat",
        "[one]: https://evil.example",
        "[^1] **bold** _it_ ~~gone~~ $x$",
        "</summary></details><details>",
        "`" * 70,
        "<" * 400,
        "@" * 400,
        "\x00\x1b" * 200,
    ]
)
ANY = (texts() | FORGED | st.builds(lambda a, b: a + b, FORGED, texts())).filter(bool)
STATES = st.sampled_from(get_args(PreviewState.__value__))
VERDICTS = st.sampled_from(get_args(Verdict.__value__))


class Seen(HTMLParser):
    """A page: its elements without their words, the words, and where its links lead."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.structure: list[str] = []
        self.links: list[str] = []
        self.words = ""
        self.feed(html)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        if tag == "a":
            self.links.append(given.pop("href", "") or "")
        self.structure.append(f"<{tag} {sorted(given.items())}>")

    def handle_endtag(self, tag: str) -> None:
        self.structure.append(f"</{tag}>")

    def handle_data(self, data: str) -> None:
        self.words += data


def a_plan(text: str, rows: int) -> Plan:
    """Everything in it that others can write is ``text``; ``rows`` changes of each sort."""
    changes = tuple(
        Change(
            action,
            Key("ModelDeployment" if row else text, (text, f"{text}{row}")),
            f"/x/{text}",
            (
                FieldChange((text, "x"), text, f"{text}!"),
                FieldChange(("a",), {text: [text]}, Secret(text, f"/v/{text}"), replaces=True),
            ),
            text,
            f"{text}:3:4",
        )
        for row in range(rows)
        for action in ("create", "update", "replace", "delete")
    )
    steps = tuple(plans.a_step("update", change.key) for change in changes)
    checks = (Check("error", text, text, f"{text}:1:2"), Check("note", "r", text)) * min(rows, 9)
    named = (Key(text, (text,)),) * min(rows, 30)
    return Plan(text, text, changes, steps, checks, unmanaged=named, adopted=named)


def a_preview(
    text: str, state: PreviewState, verdict: Verdict, flags: int, count: int, plan: Plan
) -> Preview:
    why = by_name(plan) if flags & 8 else text
    environments = tuple(
        Previewed(
            f"{text}{number}" if number else text,
            verdict if number % 2 == 0 else "planned",
            run=text,
            detail=why if flags & 1 else "",
            place=text,
            on_command=bool(flags & 2),
            applied=bool(flags & 4),
        )
        for number in range(count)
    )
    errors = (SpecError(f"{text}:1:2", text), SpecError(text, text))
    return Preview(
        7,
        text,
        commit=f"{text}.",
        state=state,
        environments=environments,
        errors=errors * max(1, count),
        notes=(text,) * min(count, 40),
        detail=text,
        planned_at=text,
    )


@settings(max_examples=30, deadline=None)
@given(ANY, STATES, VERDICTS, st.integers(0, 15), st.booleans())
def test_foreign_text_changes_nothing_about_the_page_but_its_words(
    text: str, state: PreviewState, verdict: Verdict, flags: int, alerts: bool
) -> None:
    def seen(word: str, links: Links) -> Seen:
        plan = a_plan(word, 1)
        preview = a_preview(word, state, verdict, flags, 2, plan)
        known = {one.environment: plan for one in preview.environments}
        return Seen(
            render(
                preview_markdown(
                    preview, known, branch=word, links=links, alerts=alerts, limit=500_000
                )
            )
        )

    page = seen(text, LINKS)
    assert [one for one in page.links if not one.startswith((SOURCE, RUNS))] == []
    bare = seen(text, Links())
    assert bare.structure == seen("word", Links()).structure
    assert bare.links == []


def many(size: int) -> tuple[Preview, dict[str, Plan]]:
    changes = tuple(
        plans.a_change(
            "delete" if number % 90 == 7 else "update",
            Key("ModelDeployment", ("contoso-ai", f"model-{number:03}")),
            FieldChange(("sku", "capacity"), number, number + 1),
        )
        for number in range(size)
    )
    one = Previewed("prod", "planned", run="r1")
    return Preview(7, HEAD, state="planned", environments=(one,)), {
        "prod": Plan("prod", HEAD, changes)
    }


@pytest.mark.parametrize("limit", [2_000, 3_000, 6_000, 12_000])
def test_with_less_room_less_is_told_but_never_less_than_what_is_at_stake(limit: int) -> None:
    preview, known = many(300)
    made = preview_markdown(preview, known, branch="main", links=LINKS, limit=limit)
    assert len(made) > limit // 2 or limit > 10_000
    assert "**4 deletes** · 296 to update" in made
    assert all(f"`contoso-ai/model-{number:03}` **will be deleted**" in made for number in (7, 97))
    assert f"the rest is in [its run]({RUNS}r1)" in made
    assert "Merging applies this to `prod`." in made


def test_changes_that_are_left_out_are_counted() -> None:
    preview, known = many(300)
    made = preview_markdown(preview, known, branch="main", links=LINKS, limit=6_000)
    shown = len(re.findall(r"^[~-] Model deployment", made, re.MULTILINE))
    assert f"  … and {300 - shown} more" in made


def test_one_that_is_long_takes_the_room_of_the_others_that_are_short() -> None:
    preview, known = many(300)
    short = Previewed("dev", "planned", run="r2")
    both = replace(preview, environments=(short, *preview.environments))
    made = preview_markdown(
        both, {**known, "dev": plans.SMALL}, branch="main", links=LINKS, limit=12_000
    )
    assert len(made) > 9_000
    assert "raiPolicyName" in made


@settings(max_examples=200, deadline=None)
@given(ANY)
def test_escaped_text_reads_as_it_was_wherever_it_stands(text: str) -> None:
    shown = re.sub(" {2,}", " ", clean(text)).strip()
    for page in (f"{prose(text)}", f"> One\n> {prose(text)}", f"- {prose(text)}"):
        seen = Seen(render(page))
        assert seen.words.replace(BREAK, "").strip().removeprefix("One").strip() == shown
        assert seen.links == []
        assert len(seen.structure) <= 6


@settings(max_examples=100, deadline=None)
@given(ANY)
def test_code_reads_as_it_was(text: str) -> None:
    seen = Seen(render(f"One {code(text)}"))
    plain = clean(text).replace("|", "│").strip()
    assert seen.words.replace(BREAK, "").removeprefix("One").strip() == plain
    block = Seen(render("\n".join(fenced([clean(text)], "diff"))))
    assert block.words.replace(BREAK, "").strip() == clean(text).strip()


@pytest.mark.parametrize(
    ("text", "escaped", "reason"),
    [
        ("specs/a.yaml:100:5 is wrong", f"specs/a.yaml:{BREAK}100:5 is wrong", "an emoji"),
        ("GH-12", f"GH-{BREAK}12", "an issue"),
        ("a/b@c", f"a/b@{BREAK}c", "a commit"),
        ("!12", f"!{BREAK}12", "a pull request on Azure Repos"),
        ("- one", "\\- one", "a list"),
        ("3. one", "3\\. one", "a list with numbers"),
        ("3.5 of 4", "3.5 of 4", "a number"),
        ("allow plan 8ea5d8d6", "allow plan 8ea5d8d6", "what people copy stays whole"),
        ("a   b", "a b", "a block of code begins with four spaces"),
    ],
)
def test_what_a_forge_would_take_for_something_is_broken(
    text: str, escaped: str, reason: str
) -> None:
    assert prose(text) == escaped, reason


def test_no_marker_of_ours_stands_in_code() -> None:
    marker = "<!-- reconciler:plan -->"
    for made in (code(marker), *fenced([marker], "diff"), prose(marker)):
        assert marker not in made
