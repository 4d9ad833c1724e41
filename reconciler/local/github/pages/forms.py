"""What a person can do on a page: write, approve, merge, open a pull request."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape

from reconciler.local.github.model import LEVELS, Issue, Repository, User
from reconciler.local.github.pages.layout import box
from reconciler.local.github.world import MACHINE, World


def people(world: World, repo: Repository) -> list[User]:
    """Who can be chosen: everybody who sees the repository, those who may do most last."""
    found = [one for one in world.users.values() if one.type == "User" and one.login != MACHINE]
    seeing = [one for one in found if repo.level_of(one) != "none"]
    return sorted(seeing, key=lambda one: LEVELS.index(repo.level_of(one)))


def conversation(issue: Issue, who: Sequence[User]) -> str:
    """A field to write in; the buttons of a pull request while it is open."""
    buttons = [_button("comment", "Comment")]
    if issue.pull is not None and issue.state == "open":
        buttons += [
            _button("approve", "Approve"),
            _button("close", "Close"),
            _button("merge", "Merge pull request"),
        ]
    words = '<textarea name="text" rows="3" aria-label="Comment" placeholder="/help"></textarea>'
    return box("Say or do something", _form(words, _as(issue.repo, who, issue.user), *buttons))


def opening(repo: Repository, branch: str, title: str, who: Sequence[User]) -> str:
    """To open a pull request from a branch."""
    words = (
        f'<input name="head" type="hidden" value="{escape(branch)}">'
        f'<input name="title" aria-label="Title" value="{escape(title)}">'
        '<textarea name="text" rows="3" aria-label="Description"></textarea>'
    )
    able = [one for one in who if repo.level_of(one) != "read"]
    chosen = _as(repo, who, able[0] if able else None)
    name = f"<code>{escape(repo.default_branch)}</code> ← <code>{escape(branch)}</code>"
    return box(name, _form(words, chosen, _button("open", "Create pull request")))


def _form(*parts: str) -> str:
    return f'<form method="post" autocomplete="off">{"".join(parts)}</form>'


def _button(name: str, words: str) -> str:
    return f'<button name="do" value="{name}">{words}</button>'


def _as(repo: Repository, who: Sequence[User], first: User | None) -> str:
    options = "".join(
        f'<option value="{escape(one.login)}"{" selected" if one is first else ""}>'
        f"{escape(one.login)} ({repo.level_of(one)})</option>"
        for one in who
    )
    return f'<label>as <select name="as">{options}</select></label>'
