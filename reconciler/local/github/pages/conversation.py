"""One issue or pull request as a page: the texts, the checks with their annotations, the files."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape

from reconciler.local.github.git import Changed, Commit
from reconciler.local.github.model import (
    JSON,
    CheckRun,
    Comment,
    Issue,
    Reaction,
    Status,
    User,
)
from reconciler.local.github.pages.layout import box, link, pill
from reconciler.local.github.pages.markdown import diff, render
from reconciler.local.github.world import stamp

FACES = {"+1": "👍", "-1": "👎", "laugh": "😄", "confused": "😕", "heart": "❤️",
         "hooray": "🎉", "rocket": "🚀", "eyes": "👀"}  # fmt: skip
MERGE_WORDS = {
    "clean": "This branch has no conflicts with the base branch",
    "unstable": "Some checks were not successful",
    "blocked": "Merging is blocked",
    "dirty": "This branch has conflicts that must be resolved",
    "draft": "This pull request is still a draft",
    "unknown": "Checking for the ability to merge…",
}


def heading(issue: Issue) -> str:
    """Title, state and, of a pull request, what goes where."""
    number = f"<small>#{issue.number}</small>"
    words = [f"<h1>{escape(issue.title)} {number}</h1><p>", _state(issue), " "]
    words.append(f'<span class="dim">{escape(issue.user.login)} · {stamp(issue.created)}</span>')
    if issue.pull:
        pull = issue.pull
        head = f"{pull.head_repo.owner.login}:{pull.head_ref}"
        words.append(f"<br><code>{escape(pull.base_ref)}</code> ← <code>{escape(head)}</code>")
    return "".join([*words, "</p>"])


def _state(issue: Issue) -> str:
    if issue.pull and issue.pull.merged is not None:
        return pill("merged")
    if issue.pull and issue.pull.draft and issue.state == "open":
        return pill("draft")
    return pill(issue.state)


def said(
    user: User, at: float, text: str | None, repository: str,
    reactions: Sequence[Reaction] = (), anchor: str = "", edited: bool = False,
) -> str:  # fmt: skip
    """A text that somebody wrote."""
    header = f"<strong>{escape(user.login)}</strong> {stamp(at)}{' · edited' if edited else ''}"
    counts = {name: sum(one.content == name for one in reactions) for name in FACES}
    faces = " ".join(f"{FACES[name]} {count}" for name, count in counts.items() if count)
    foot = f"<div>{faces}</div>" if faces else ""
    body = render(text, repository) if text else '<p class="dim">No description provided.</p>'
    return box(header, f'<div class="words">{body}</div>', foot, anchor=anchor)


def comment(found: Comment, repository: str) -> str:
    edited = found.updated > found.created
    anchor = f"issuecomment-{found.id}"
    return said(found.user, found.updated, found.body, repository, found.reactions, anchor, edited)


def checks(runs: Sequence[CheckRun], statuses: Sequence[Status], state: str, repo: str) -> str:
    """The newest of each check and context, then whether all of it may be merged."""
    rows = [_run(run, repo) for run in runs] + [_status(one) for one in statuses]
    empty = '<div class="row dim">No checks</div>'
    foot = f'<div class="row"><strong>{escape(MERGE_WORDS[state])}</strong></div>'
    return box("Checks", *(rows or [empty]), foot)


def _mark(result: str) -> str:
    known = {"success": "success", "neutral": "success", "skipped": "success"}
    failed = ("failure", "error", "cancelled", "timed_out", "action_required")
    return pill(known.get(result, "failure" if result in failed else "pending"), result)


def _status(found: Status) -> str:
    name = link(found.target_url, found.context) if found.target_url else escape(found.context)
    words = escape(found.description or "")
    return f'<div class="row">{_mark(found.state)} {name} <span class="dim">{words}</span></div>'


def _run(run: CheckRun, repo: str) -> str:
    name = link(f"{repo}/runs/{run.id}", run.name)
    result = run.conclusion or run.status
    title = f'<span class="dim">{escape(run.title or "")}</span>'
    notes = "".join(annotation(one) for one in run.annotations[:20])
    return f'<div class="row">{_mark(result)} {name} {title}{notes}</div>'


def annotation(note: JSON) -> str:
    """Where, how bad, and what."""
    kinds = {"failure": "caution", "warning": "warning", "notice": "note"}
    where = f"{note['path']}:{note['start_line']}"
    title = f"{note.get('title') or note['annotation_level']} · {where}"
    return (
        f'<div class="alert alert-{kinds[note["annotation_level"]]}">'
        f'<span class="alert-title">{escape(title)}</span><br>{escape(note["message"])}</div>'
    )


def run_page(run: CheckRun, repo: str) -> str:
    """A check run with all of its text and annotations."""
    result = _mark(run.conclusion or run.status)
    head = f"<h1>{escape(run.name)}</h1><p>{result} <code>{run.suite.sha[:7]}</code></p>"
    words = [render(text, repo) for text in (run.summary, run.text) if text]
    notes = "".join(annotation(one) for one in run.annotations)
    body = f'<div class="words">{"".join(words)}{notes}</div>'
    return head + box(escape(run.title or run.name), body)


def commits(found: Sequence[Commit]) -> str:
    rows = [
        f'<div class="row"><code>{one.sha[:7]}</code> {escape(one.message.splitlines()[0])} '
        f'<span class="dim">{escape(one.author.name)}</span></div>'
        for one in found
    ]
    return box("Commits", *rows)


def files(found: Sequence[Changed], notes: Sequence[JSON]) -> str:
    """Each file's patch, with the annotations of its lines under it."""
    parts = []
    for file in found:
        here = "".join(annotation(note) for note in notes if note["path"] == file.path)
        counts = f'<span class="dim">+{file.additions} −{file.deletions} {file.status}</span>'
        patch = f"<pre><code>{diff(file.patch)}</code></pre>" if file.patch else "Binary or empty"
        parts.append(box(f"{escape(file.path)} {counts}", f"<div>{patch}{here}</div>"))
    return f"<h2>Files ({len(found)})</h2>{''.join(parts)}"


def index(issues: Sequence[Issue], repository: str) -> str:
    """Issues or pull requests, newest first."""
    rows = []
    for issue in sorted(issues, key=lambda one: -one.number):
        kind = "pull" if issue.pull else "issues"
        title = link(f"{repository}/{kind}/{issue.number}", issue.title)
        about = f'<span class="dim">#{issue.number} · {escape(issue.user.login)}</span>'
        rows.append(f'<div class="row">{_state(issue)} {title} {about}</div>')
    return "".join(rows) or '<div class="row dim">None</div>'
