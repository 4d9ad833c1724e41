"""HTML inside Markdown, reduced to what GitHub lets through.

https://github.com/gjtorikian/html-pipeline (its allow-list); everything else is shown as text,
and what belongs to a script or a style is left out.
"""

from __future__ import annotations

from html import escape
from html.parser import HTMLParser

TAGS = frozenset((
    "a", "b", "blockquote", "br", "code", "dd", "del", "details", "div", "dl", "dt", "em", "h1",
    "h2", "h3", "h4", "h5", "h6", "hr", "i", "img", "ins", "kbd", "li", "ol", "p", "pre", "q", "s",
    "samp", "span", "strike", "strong", "sub", "summary", "sup", "table", "tbody", "td", "tfoot",
    "th", "thead", "tr", "tt", "ul", "var",
))  # fmt: skip
EMPTY = frozenset({"br", "hr", "img"})
SILENT = frozenset({"script", "style", "textarea", "title", "iframe", "noscript"})
# Links have a rule of their own, below.
ATTRIBUTES = frozenset(("align", "alt", "colspan", "height", "open", "rowspan", "start", "title",
                        "width"))  # fmt: skip
CLASSES = frozenset({"alert", "alert-title", "mention", "task", "add", "del", "hunk"})
SCHEMES = ("http://", "https://", "mailto:", "#", "/")


class _Sanitizer(HTMLParser):
    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.out: list[str] = []
        self.open: list[str] = []
        self._silent = 0

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag in SILENT:
            self._silent += 1
        elif tag not in TAGS:
            self.out.append(escape(self.get_starttag_text() or ""))
        elif not self._silent:
            self.out.append(f"<{tag}{''.join(_attribute(n, v or '') for n, v in attrs)}>")
            if tag not in EMPTY:
                self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        if tag in SILENT:
            self._silent = max(0, self._silent - 1)
        elif tag in self.open and not self._silent:
            while self.open:
                last = self.open.pop()
                self.out.append(f"</{last}>")
                if last == tag:
                    break

    def handle_data(self, data: str) -> None:
        if not self._silent:
            self.out.append(escape(data, quote=False))


def _attribute(name: str, value: str) -> str:
    if name in ("href", "src"):
        allowed = value.strip().lower().startswith(SCHEMES)
    elif name == "class":
        value = " ".join(one for one in value.split() if _known(one))
        allowed = bool(value)
    elif name == "style":  # how the columns of a table are aligned
        allowed = value in ("text-align:left", "text-align:center", "text-align:right")
    else:
        allowed = name in ATTRIBUTES
    return f' {name}="{escape(value)}"' if allowed else ""


def _known(name: str) -> bool:
    kinds = ("note", "tip", "important", "warning", "caution")
    return name in CLASSES or name.removeprefix("alert-") in kinds or name.startswith("language-")


def sanitize(html: str) -> str:
    """The HTML with allowed elements only, all of them closed."""
    parser = _Sanitizer()
    parser.feed(html)
    parser.close()
    return "".join(parser.out) + "".join(f"</{tag}>" for tag in reversed(parser.open))
