"""The words for what happens around specs: pull requests, comments, events, marks.

The same for GitHub and Azure Repos; adapters translate.
"""

from dataclasses import dataclass
from typing import Literal

from reconciler.core.errors import ReconcilerError

type PullState = Literal["open", "merged", "closed"]
type EventKind = Literal["pull", "closed", "push", "comment", "recheck", "ping"]
type MarkState = Literal["pending", "success", "neutral", "failure", "blocked"]
"""``neutral``: nothing to say against it; ``blocked``: a person has to do something first."""
type Level = Literal["error", "warning", "note"]
type Reaction = Literal["seen", "done", "refused", "confused"]


@dataclass(frozen=True, slots=True)
class Pull:
    """A pull request, as the forge describes it at this moment."""

    number: int
    title: str
    author: str
    head: str
    """The newest commit of the branch that is to be merged."""
    branch: str
    """Its name; that of a fork's branch may be the name of one of ours."""
    base: str
    """The branch it is to be merged into."""
    state: PullState
    draft: bool
    fork: bool
    """Its commits come from another repository, or from one that is gone."""
    url: str
    merges: bool | None = None
    """Whether it merges without conflicts; None when the forge has not worked that out."""
    merge_commit: str = ""
    """Open: the commit that merging would make, "" unless it merges. Merged: what it became."""
    allowed: bool | None = None
    """Whether the forge's own rules (reviews, checks) would let it be merged now; None when the
    forge does not say."""


@dataclass(frozen=True, slots=True)
class Comment:
    """A comment on a pull request, as it reads at this moment."""

    id: int
    pull: int
    author: str
    text: str
    made_at: str = ""
    """ISO 8601, by the forge's clock; "": it does not say."""


@dataclass(frozen=True, slots=True)
class Reviews:
    """What people last said of a pull request, by name, whatever their rights are."""

    approved: frozenset[str]
    """Of its newest commit."""
    against: frozenset[str]


@dataclass(frozen=True, slots=True)
class Event:
    """Something may have happened: a reason to look, never a reason to believe."""

    kind: EventKind
    id: str
    """The same for the same signed content, so that what was replayed is noticed whatever the
    delivery says its id is."""
    pull: int = 0
    """``pull``, ``closed`` and ``comment``: which one."""
    commit: str = ""
    """``push``: the new head; ``recheck``: the commit to look at again; ``pull``: its head."""
    comment: int = 0
    """``comment``: the one that begins with a command."""
    name: str = ""
    """``recheck``: the mark that was asked for; "": all of them."""


@dataclass(frozen=True, slots=True)
class Annotation:
    """A remark on a line of a file; lines and columns count from 1, 0 is none."""

    path: str
    line: int
    level: Level
    message: str
    title: str = ""
    column: int = 0


@dataclass(frozen=True, slots=True)
class Mark:
    """How a commit stands in one respect."""

    name: str
    state: MarkState
    title: str
    """A few words, in plain text."""
    summary: str = ""
    """Markdown, where the forge can show some."""
    url: str = ""
    annotations: tuple[Annotation, ...] = ()


class Untrusted(ReconcilerError):
    """A webhook that cannot be believed; ``status`` is the HTTP answer (401, or 413: too large)."""

    def __init__(self, message: str, status: int = 401) -> None:
        super().__init__(message)
        self.status = status
