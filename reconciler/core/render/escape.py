"""Foreign text inside Markdown: shown as it is, and nothing else.

Besides Markdown's own characters this breaks what GitHub and Azure DevOps turn into links,
notifications and pictures afterwards (mentions, numbers of issues and pull requests, bare URLs,
``:emoji:``) with a zero-width space, because a backslash does not stop those: they are found in the
rendered text, though never in code.
https://docs.github.com/en/get-started/writing-on-github/working-with-advanced-formatting/autolinked-references-and-urls
https://learn.microsoft.com/en-us/azure/devops/project/wiki/markdown-guidance

The id of a commit by itself stays whole. GitHub links it to that very commit of this very
repository, which tells nobody and misleads nobody, and an id of a request or a digest of a plan
looks the same and has to survive being copied.
"""

import re
from collections.abc import Sequence
from typing import Final

from reconciler.core.render.words import clean

BREAK: Final = "\u200b"
SPECIAL: Final = re.compile(r"([\\`*_\[\]<>#|~&$])")
LINKED: Final = re.compile(r"@|#|:(?=//|[\w+\\-]+:)|(?<=www)\.|(?<=GH)-|!(?=\d)", re.IGNORECASE)
"""In text that is escaped already. ``!12``: a pull request on Azure Repos."""
OPENING: Final = re.compile(r"(?=[-+=:])|\d{1,9}(?=[.)](?: |$))")
COMMENT: Final = "<!--"
"""Even in code nobody shall find one of our markers."""


def prose(text: str) -> str:
    """Foreign words in a sentence of ours, in a cell, a quote or an item of a list."""
    words = re.sub(" {2,}", " ", clean(text)).lstrip()
    escaped = SPECIAL.sub(r"\\\1", words)
    return LINKED.sub(lambda found: found.group() + BREAK, _opened(escaped))


def _opened(text: str) -> str:
    """The same where it opens a line: no list, no underline of a heading or of a table."""
    found = OPENING.match(text)
    return f"{text[: found.end()]}\\{text[found.end() :]}" if found else text


def code(text: str) -> str:
    """A foreign name as a code span, in a sentence or in a table cell.

    A bar would end the cell even inside a code span; a look-alike takes its place.
    """
    text = _no_comment(clean(text)).replace("|", "│") or " "
    ticks = "`" * (_longest_run(text) + 1)
    pad = " " if text[0] == "`" or text[-1] == "`" else ""
    return f"{ticks}{pad}{text}{pad}{ticks}"


def fenced(lines: Sequence[str], language: str) -> list[str]:
    """A code block that nothing inside can end. Each line is cleaned already."""
    fence = "`" * max(3, _longest_run("\n".join(lines)) + 1)
    return [fence + language, *map(_no_comment, lines), fence]


def folded(summary: str, lines: Sequence[str]) -> list[str]:
    """Shown when asked for; ``summary`` is ours."""
    return [f"<details><summary>{summary}</summary>", "", *lines, "", "</details>"]


def _no_comment(text: str) -> str:
    return text.replace(COMMENT, f"<!{BREAK}--")


def _longest_run(text: str) -> int:
    return max((len(run) for run in re.findall("`+", text)), default=0)
