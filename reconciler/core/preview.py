"""The words for what was found out about a pull request: kept first, told from what was kept."""

from dataclasses import dataclass
from typing import Final, Literal

from reconciler.core.errors import SpecError

type PreviewState = Literal[
    "planning",
    "planned",
    "invalid",
    "conflicting",
    "untrusted",
    "failed",
    "closed",
]
"""``invalid``: its specs cannot be used; ``conflicting``: it does not merge; ``untrusted``: it is a
fork's and was only validated; ``failed``: it could not be looked at."""
type Verdict = Literal["planned", "refused", "failed"]
"""``refused``: a safety rule said no before there was a plan."""

OWN_MARK: Final = "reconciler"
"""The mark made for branch protection: all environments together."""


def mark_name(environment: str) -> str:
    """The mark of one environment."""
    return f"{OWN_MARK}/{environment}"


@dataclass(frozen=True, slots=True)
class Previewed:
    """What merging would do to one environment."""

    environment: str
    verdict: Verdict
    run: str = ""
    """The plan run; "" when there is no plan."""
    detail: str = ""
    """Why there is no plan; or, when there is one, what will stop its apply."""
    place: str = ""
    """Where it is, in words."""
    on_command: bool = False
    """It is applied by ``/apply`` before the merge."""
    applied: bool = False
    """It has been, as planned here."""
    digest: str = ""
    """Of the plan."""
    since: str = ""
    """When the forge was first told a plan of this digest; ISO 8601 in UTC."""


@dataclass(frozen=True, slots=True)
class Preview:
    """What is known of a pull request, and whether that was told."""

    pull: int
    head: str
    """The newest commit of its branch when it was looked at."""
    base: str = ""
    """The branch's head that it was compared with."""
    commit: str = ""
    """What merging would make: the commit that was planned."""
    state: PreviewState = "planning"
    environments: tuple[Previewed, ...] = ()
    """Those that the change touches, or that somebody asked for, by name."""
    errors: tuple[SpecError, ...] = ()
    notes: tuple[str, ...] = ()
    """What it changes that its own plan does not follow: a sentence each, in plain text."""
    detail: str = ""
    """Why it could not be looked at."""
    asked: tuple[str, ...] = ()
    """Environments that somebody asked for by name."""
    trusted: str = ""
    """The commit of a fork's branch that a maintainer asked to plan."""
    begun_at: str = ""
    """When looking at it began; ISO 8601 in UTC."""
    planned_at: str = ""
    told: str = ""
    """Digest of what the forge was told; "": what is kept here has not been told yet."""
    told_at: str = ""
    shown: tuple[Previewed, ...] = ()
    """What the forge was last told of this head: what whoever merges it has seen."""
    spoken: bool = False
    """There is a comment about it."""
    answered: tuple[int, ...] = ()
    """The comments that were answered last."""
    declined: tuple[int, ...] = ()
    """Those of people who may not ask for anything."""

    @property
    def open(self) -> bool:
        return self.state != "closed"
