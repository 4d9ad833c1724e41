"""Requests to the service, and what is wrong with those that cannot be served."""

from dataclasses import dataclass

from reconciler.core.errors import ReconcilerError
from reconciler.core.model import Mode


@dataclass(frozen=True)
class Asked:
    """A request, as somebody made it."""

    environment: str
    mode: Mode
    ref: str = ""
    """A commit; "": the head of the branch. Only the head can be applied."""
    only: tuple[str, ...] = ()
    """``Kind/name`` patterns; none: everything."""
    allow: str = ""
    """The digest of a plan that a person allows by name."""
    pull: int = 0
    """The pull request that it applies before the merge: ``ref`` is the commit merging makes."""
    seen: str = ""
    """The plan run that whoever asks has seen."""
    pulls: tuple[int, ...] = ()
    """Pull requests that are told how it goes, whatever else it concerns."""
    by: str = ""
    if_idle: bool = False
    """Only when no apply of the environment waits or works: for those who ask by themselves."""


class UnknownEnvironment(ReconcilerError):
    """No environment of that name is declared at the head of the branch."""


class UnknownCommit(ReconcilerError):
    """The repository has no such commit."""


class UnknownRun(ReconcilerError):
    """There is no run of that id."""


class Ended(ReconcilerError):
    """The run has ended: there is nothing to cancel."""


class UnknownForge(ReconcilerError):
    """No forge of that name is connected."""
