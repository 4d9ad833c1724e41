"""What the reconciler writes on a forge, as a person reads it in a terminal of any width."""

import re
from html import unescape
from typing import Any, ClassVar, Final

from rich.console import Console, ConsoleOptions, RenderResult
from rich.markdown import CodeBlock, Heading, Markdown
from rich.panel import Panel
from rich.segment import Segment
from rich.text import Text
from rich.theme import Theme

COMMENT: Final = re.compile(r"<!--.*?-->\n?", re.DOTALL)
FOLD: Final = re.compile(  # the innermost
    r"<details(?P<open> open)?><summary>(?P<summary>(?:(?!</summary>).)*)</summary>"
    r"(?P<inside>(?:(?!<details).)*?)</details>",
    re.DOTALL,
)
ALERT: Final = re.compile(r"^> \[!(\w+)\][ \t]*$", re.MULTILINE)
TAG: Final = re.compile(r"</?(?:br|sub|sup|b|strong|em|i|kbd|p)\s*/?>")
BREAK: Final = "\u200b"
"""Keeps a forge from linking a word; a terminal links none, and some show it as a space."""
THEME: Final = Theme(  # no backgrounds: terminals are dark or light
    {
        "markdown.code": "cyan",
        "markdown.h3": "bold",
        "markdown.h4": "bold",
        "markdown.item.number": "none",
        "markdown.block_quote": "yellow",
        "markdown.table.header": "dim",
        "markdown.table.border": "dim",
    }
)
DIFF: Final = {"+": "green", "-": "red", "~": "yellow", "!": "yellow", "@": "cyan"}


class _Heading(Heading):
    """At the left, as on a page."""

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        self.text.justify = "left"
        self.text.stylize("bold")
        yield Text()
        yield self.text


class _Code(CodeBlock):
    """A diff with its colours; long lines go on in the next, further in."""

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        for line in str(self.text).rstrip("\n").split("\n"):
            style = DIFF.get(line[:1], "") if self.lexer_name == "diff" else ""
            yield from _hanging(console, Text(line, style), options.max_width)


def _hanging(console: Console, line: Text, width: int) -> list[Text]:
    indent = len(line.plain) - len(line.plain.lstrip()) + 2
    first, *rest = line.wrap(console, width) or [line]
    if not rest or width < 2 * indent + 20:
        return [first, *rest]
    left = Text(" ").join(rest).wrap(console, width - indent)
    return [first, *(Text(" " * indent) + one for one in left)]


class _Page(Markdown):
    elements: ClassVar[dict[str, Any]] = {
        **Markdown.elements,
        "heading_open": _Heading,
        "fence": _Code,
        "code_block": _Code,
    }


class _Tight:
    """Never two blank lines in a row, and none around all of it."""

    def __init__(self, page: Markdown) -> None:
        self.page = page

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        blank, begun = False, False
        for line in console.render_lines(self.page, options, pad=False):
            if not "".join(part.text for part in line).strip():
                blank = begun
                continue
            yield from [Segment.line()] if blank else []
            yield from [*line, Segment.line()]
            blank, begun = False, True


def shown(text: str, title: str) -> Panel:
    """A comment in a frame. What is folded on the page is folded here: its summary alone."""
    page = _Tight(_Page(plain(text)))
    return Panel(page, title=title, title_align="left", border_style="dim", padding=(0, 1))


def plain(text: str) -> str:
    """Markdown without what only a browser understands."""
    text = COMMENT.sub("", text.replace("\r\n", "\n").replace(BREAK, ""))
    while FOLD.search(text):
        text = FOLD.sub(_folded, text)
    text = ALERT.sub(lambda found: f"> **{found[1].capitalize()}**\n>", text)
    return unescape(TAG.sub(" ", text)).strip()


def _folded(found: re.Match[str]) -> str:
    return f"▸ *{found['summary']}*\n{found['inside'] if found['open'] else ''}\n"
