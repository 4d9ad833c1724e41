"""Foreign text inside Markdown: shown as it is, and nothing else.

Besides Markdown's own characters this breaks what GitHub and Azure DevOps turn into links and
notifications afterwards (mentions, numbers of issues and pull requests, bare URLs) with a
zero-width space, because a backslash does not stop those: they are found in the rendered text.
"""

import re
from collections.abc import Sequence
from typing import Final

from reconciler.core.render.words import clean

BREAK: Final = "\u200b"
SPECIAL: Final = re.compile(r"([\\`*_\[\]<>#|~&$])")
LINKED: Final = re.compile(r"@|#|:(?=//)|(?<=www)\.|(?<=GH)-|(?<=AB)\\?#|!(?=\d)", re.IGNORECASE)


def prose(text: str) -> str:
    """Foreign words in the middle of a sentence of ours (never at the start of a line)."""
    escaped = SPECIAL.sub(r"\\\1", clean(text))
    return LINKED.sub(lambda found: found.group() + BREAK, escaped)


def code(text: str) -> str:
    """A foreign name as a code span, in a sentence or in a table cell.

    A bar would end the cell even inside a code span; a look-alike takes its place.
    """
    text = clean(text).replace("|", "│") or " "
    ticks = "`" * (_longest_run(text) + 1)
    pad = " " if text[0] == "`" or text[-1] == "`" else ""
    return f"{ticks}{pad}{text}{pad}{ticks}"


def fenced(lines: Sequence[str], language: str) -> list[str]:
    """A code block that nothing inside can end. Each line is cleaned already."""
    fence = "`" * max(3, _longest_run("\n".join(lines)) + 1)
    return [fence + language, *lines, fence]


def folded(summary: str, lines: Sequence[str]) -> list[str]:
    """Shown when asked for; ``summary`` is ours."""
    return [f"<details><summary>{summary}</summary>", "", *lines, "", "</details>"]


def _longest_run(text: str) -> int:
    return max((len(run) for run in re.findall("`+", text)), default=0)
