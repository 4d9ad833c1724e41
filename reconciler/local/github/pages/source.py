"""A file at a commit, where links to its lines lead."""

from __future__ import annotations

import re
from html import escape

from reconciler.local.github.git import Git
from reconciler.local.github.model import Repository
from reconciler.local.github.pages.layout import box

BLOB = re.compile(r"/(?P<owner>[^/]+)/(?P<name>[^/]+)/blob/(?P<commit>[^/]+)/(?P<path>.+)")


async def source(repo: Repository, commit: str, path: str) -> str | None:
    """The file with numbered lines; None when there is none."""
    git = Git(repo.folder)
    known = await git.resolve(commit)
    entries = await git.entries(known, path) if known else None
    if not entries or entries[0][1] != "blob" or entries[0][3] != path:
        return None
    text = (await git.blob(entries[0][2])).decode("utf-8", "replace")
    rows = [
        f'<span class="line" id="L{number}">{number:>4}  {escape(line)}\n</span>'
        for number, line in enumerate(text.splitlines(), 1)
    ]
    title = f"{escape(path)} <code>{escape(commit[:7])}</code>"
    return box(title, f"<div><pre><code>{''.join(rows)}</code></pre></div>")
