"""GitHub's Markdown as HTML: tables, alerts, task lists, diffs, mentions, and safe HTML only.

https://github.github.com/gfm/ and
https://docs.github.com/en/get-started/writing-on-github/getting-started-with-writing-and-formatting-on-github/basic-writing-and-formatting-syntax
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from html import escape
from typing import Any

from markdown_it import MarkdownIt
from markdown_it.token import Token

from reconciler.local.github.pages.sanitize import sanitize

ALERT = re.compile(r"\[!(NOTE|TIP|IMPORTANT|WARNING|CAUTION)\]\s*", re.IGNORECASE)
# What GitHub turns into links by itself: that a text mentions somebody has to be seen here.
REFERENCE = re.compile(
    r"(?P<url>https?://[^\s<>]+[^\s<>.,;:!?'\")])"
    r"|(?<![\w/@`])@(?P<user>[A-Za-z0-9](?:[A-Za-z0-9-]{0,38})(?:/[\w-]+)?)"
    r"|(?<![\w/&#])#(?P<number>\d+)\b"
)
TASKS = {"[ ] ": "☐ ", "[x] ": "☑ ", "[X] ": "☑ "}
DIFF_CLASSES = {"+": "add", "-": "del", "@": "hunk"}


def render(text: str, repository: str = "") -> str:
    """The HTML of a comment in a repository ("/owner/name")."""
    parser = MarkdownIt("commonmark", {"html": True, "breaks": True})
    parser.enable(["table", "strikethrough"])
    tokens = parser.parse(text)
    _alerts(tokens)
    for token in tokens:
        if token.type == "inline":
            _inline(token.children or [], repository)
    parser.add_render_rule("fence", _fence)
    return sanitize(parser.renderer.render(tokens, parser.options, {}))


def diff(text: str) -> str:
    """A patch as HTML, its lines coloured."""
    return "".join(_line(line) for line in text.splitlines())


def _line(line: str) -> str:
    kind = DIFF_CLASSES.get(line[:1], "")
    text = escape(line, quote=False)
    return f'<span class="{kind}">{text}\n</span>' if kind else f"{text}\n"


def _fence(renderer: Any, tokens: Sequence[Token], at: int, options: Any, env: Any) -> str:
    token = tokens[at]
    words = token.info.split()
    language = words[0] if words else ""
    body = diff(token.content) if language == "diff" else escape(token.content, quote=False)
    return f'<pre><code class="language-{escape(language)}">{body}</code></pre>\n'


def _alerts(tokens: list[Token]) -> None:
    """A quote that begins with [!NOTE] is an alert."""
    for at, token in enumerate(tokens[:-2]):
        inline = tokens[at + 2]
        if token.type != "blockquote_open" or inline.type != "inline" or not inline.children:
            continue
        match = ALERT.match(inline.children[0].content)
        if match is None or match.end() != len(inline.children[0].content):
            continue
        kind = match[1].lower()
        token.tag = "div"
        token.attrSet("class", f"alert alert-{kind}")
        _closing(tokens, at).tag = "div"
        rest = inline.children[1:]
        rest = rest[1:] if rest and rest[0].type in ("softbreak", "hardbreak") else rest
        title = f'<span class="alert-title">{kind.title()}</span><br>'
        inline.children = [Token("html_inline", "", 0, content=title), *rest]


def _closing(tokens: Sequence[Token], at: int) -> Token:
    return next(
        one for one in tokens[at:]
        if one.type == "blockquote_close" and one.level == tokens[at].level
    )  # fmt: skip


def _inline(children: list[Token], repository: str) -> None:
    """Link what GitHub links, outside of links and code."""
    inside = 0
    for token in children:
        inside += {"link_open": 1, "link_close": -1}.get(token.type, 0)
        if token.type == "text" and not inside:
            text = token.content
            for mark, box in TASKS.items():
                text = box + text[len(mark) :] if text.startswith(mark) else text
            token.type, token.content = "html_inline", _linked(text, repository)


def _linked(text: str, repository: str) -> str:
    out, at = [], 0
    for match in REFERENCE.finditer(text):
        out += [escape(text[at : match.start()], quote=False), _link(match, repository)]
        at = match.end()
    return "".join([*out, escape(text[at:], quote=False)])


def _link(match: re.Match[str], repository: str) -> str:
    shown = escape(match[0])
    if match["user"]:
        return f'<a class="mention" href="/{escape(match["user"])}">{shown}</a>'
    if match["number"]:
        return f'<a href="{escape(repository)}/issues/{match["number"]}">{shown}</a>'
    return f'<a href="{shown}">{shown}</a>'
