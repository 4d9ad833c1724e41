"""What a forge makes of Markdown, for the tests of what people see."""

import re

from hypothesis import strategies as st
from markdown_it import MarkdownIt

PARSER = MarkdownIt("commonmark", {"html": True}).enable(["table", "strikethrough"])
OURS = re.compile(r"</?details>|<summary>[^<>]*</summary>|\s")
END = "the end of it"

FOREIGN = st.text(
    st.sampled_from("a`~|<>@#*_[]()!&\\\"'\n\r\t\x1b\x9b\u202e\u200b\u2028=-+:/$ {}é→…1")
    | st.characters(),
    max_size=30,
)
SNIPPETS = st.sampled_from(
    [
        "```\n# out",
        "````",
        "</details><script>alert(1)</script>",
        "<!-- reconciler:apply -->",
        "@everyone",
        "![x](https://evil.example/x.png)",
        "[x](javascript:alert(1))",
        "https://evil.example www.evil.example",
        "| a | b |\n| - | - |",
        "~~~\n~~~",
        "`` ` ``",
        "$x$ &lt; \\",
        "GH-1 #1 a/b#1",
    ]
)


def texts() -> st.SearchStrategy[str]:
    """What others may have written, at its worst; never nothing."""
    return (FOREIGN | SNIPPETS | st.builds(lambda a, b: a + b, FOREIGN, SNIPPETS)).filter(bool)


def structure(markdown: str) -> list[tuple[str, str, str]]:
    """A document without its words."""
    found = []
    for token in PARSER.parse(markdown):
        html = re.sub(r"\d+", "1", token.content) if token.type == "html_block" else ""
        found.append((token.type, token.tag, html))
        found += [
            (child.type, child.tag, str(child.attrs.get("href", ""))[:12])
            for child in token.children or []
            if child.type not in ("text", "text_special")
        ]
    return found


def words_outside_code(markdown: str) -> set[str]:
    """Which of the things that a forge makes links and messages of are found in the text."""
    children = [one for token in PARSER.parse(markdown) for one in token.children or []]
    seen = "".join(
        one.content if one.type in ("text", "text_special") else "\n" for one in children
    )
    signs = {
        "@": r"@[A-Za-z0-9]",
        "link": r"(?i:https?://|www\.\w|GH-\d)",
        "#": r"(?<!#)#\d",
    }
    return {name for name, pattern in signs.items() if re.search(pattern, seen)}


def assert_valid(markdown: str) -> None:
    """Every fence and fold is closed, and there is no HTML but ours."""
    tokens = PARSER.parse(f"{markdown}\n\n{END}\n")
    assert [one.content for one in tokens if one.type == "inline" and one.level == 1][-1] == END
    blocks = [one.content for one in tokens if one.type == "html_block"]
    inline = [
        child.content
        for token in tokens
        for child in token.children or []
        if child.type == "html_inline"
    ]
    assert inline == []
    html = "".join(blocks)
    assert OURS.sub("", html) == ""
    depth = 0
    for tag in re.findall(r"</?details>", html):
        depth += 1 if tag == "<details>" else -1
        assert depth in (0, 1)
    assert depth == 0
