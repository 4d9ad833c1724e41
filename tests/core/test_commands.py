"""Commands in comments: what is one, and what never is."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reconciler.core.commands import MOST_COMMANDS, Command, Misread, commands

DIGEST = "0a1b2c3d"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("/plan", Command("plan")),
        ("/plan dev", Command("plan", "dev")),
        ("/PLAN dev  \r\nplease", Command("plan", "dev")),
        ("\n \n/plan", Command("plan")),
        ("/apply", Command("apply")),
        ("/apply dev", Command("apply", "dev")),
        (f"/apply {DIGEST}", Command("apply", "", DIGEST)),
        (f"/apply dev {DIGEST}", Command("apply", "dev", DIGEST)),
        ("/cancel", Command("cancel")),
        ("/unlock prod-eu", Command("unlock", "prod-eu")),
        ("/help", Command("help")),
    ],
)
def test_a_command_is_understood(text: str, expected: Command) -> None:
    assert commands(text) == (expected,)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "please /plan",
        "> /apply dev",
        "    /apply dev",
        "\t/apply",
        "```\n/apply dev\n```",
        "~~~\n/apply dev",
        "`/apply`",
        "- /apply",
        "<!-- -->/apply",
        "thanks\n/apply dev",
        "/etc/hosts is wrong",
        "//comment",
        "/ plan",
        "/plan: dev",
        "\u200b/apply",
        "\u2028/apply",
        "hello\u2028/apply",
        "\n" * 50 + "/apply",
        "/пlan",
    ],
)
def test_an_ordinary_comment_asks_for_nothing(text: str) -> None:
    assert commands(text) == ()


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("/paln", 'there is no /paln, did you mean "/plan"?'),
        ("/deploy", "there is no /deploy."),
        ("/unlock", "it is `/unlock environment`"),
        ("/cancel now", "it is `/cancel`"),
        ("/plan dev prod", "it is `/plan [environment]`"),
        ("/apply dev prod", "it is `/apply [environment] [digest]`"),
        (f"/apply {DIGEST} dev", "it is `/apply [environment] [digest]`"),
        ("/plan <b>", "it is `/plan [environment]`"),
        ("/plan @everyone", "it is `/plan [environment]`"),
        ("/plan " + "x" * 300, "a command is one short line, such as `/plan` or `/apply dev`"),
    ],
)
def test_what_looks_like_a_command_is_answered_with_a_hint(text: str, reason: str) -> None:
    foreign = reason.endswith("/deploy.")
    assert commands(text) == (Misread(reason, foreign=foreign),)


def test_commands_on_the_first_lines_are_read_in_order_and_once() -> None:
    text = "/plan dev\n/plan prod\n/plan dev\n\n/apply dev"
    assert commands(text) == (Command("plan", "dev"), Command("plan", "prod"))


def test_only_so_many_commands_are_read() -> None:
    found = commands("\n".join(f"/plan env{number}" for number in range(1000)))
    assert len(found) == MOST_COMMANDS + 1
    assert isinstance(found[-1], Misread)


NAMES = st.from_regex(r"[a-z0-9]([a-z0-9-]{0,20}[a-z0-9])?", fullmatch=True)
ASKED = st.one_of(
    st.builds(Command, st.just("plan"), NAMES | st.just("")),
    st.builds(Command, st.just("unlock"), NAMES),
    st.builds(
        Command,
        st.just("apply"),
        NAMES.filter(lambda name: len(name) < 8) | st.just(""),
        st.from_regex(r"[0-9a-f]{8,64}", fullmatch=True) | st.just(""),
    ),
)


def written(one: Command) -> str:
    return " ".join(word for word in (f"/{one.verb}", one.environment, one.digest) if word)


@given(asked=st.lists(ASKED, min_size=1, max_size=MOST_COMMANDS, unique=True), after=st.text())
def test_what_is_written_as_a_command_is_read_as_it(asked: list[Command], after: str) -> None:
    text = "\n".join(map(written, asked)) + "\n\n" + after
    assert commands(text) == tuple(asked)


@given(st.text())
def test_any_text_is_read_and_hints_repeat_nothing_foreign(text: str) -> None:
    for found in commands(text) + commands("/" + text) + commands("/plan " + text):
        if isinstance(found, Misread):
            assert found.reason.isascii()
            assert not set(found.reason) & set("<>@#\\\n\r*_|&")
        else:
            assert found.environment.isascii()


@given(before=st.text(st.characters(blacklist_characters="/\r\n")).filter(str.strip), asked=ASKED)
def test_nothing_after_an_ordinary_line_is_a_command(before: str, asked: Command) -> None:
    assert commands(f"{before}\n{written(asked)}") == ()
    assert commands(f"{before}{written(asked)}") == ()
