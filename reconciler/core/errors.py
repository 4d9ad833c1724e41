"""The errors people meet, named by what happens next.

ReconcilerError
├── SpecErrors   the author of the specs fixes them: every reason at once, with its place
├── Refused      a safety rule said no, and says what would allow it
├── Stale        Azure changed between plan and apply: plan again
├── Transient    the same call may work later
└── Permanent    the other side said no: code, request id and the way out

Anything else that is raised is a bug and is let through.
"""

from dataclasses import dataclass


@dataclass(frozen=True, order=True)
class SpecError:
    """One thing wrong in one place: ``source`` is ``file:line:column``."""

    source: str
    message: str

    def __str__(self) -> str:
        return f"{self.source}: {self.message}" if self.source else self.message


class ReconcilerError(Exception):
    """Anything that is expected to go wrong. ``exit_code`` is the command line's answer."""

    exit_code = 1


class SpecErrors(ReconcilerError):
    """The specs cannot be used as they are; ``errors`` holds every reason found."""

    exit_code = 4

    def __init__(self, errors: list[SpecError]) -> None:
        self.errors = tuple(errors)
        super().__init__("\n".join(str(error) for error in self.errors))


class Refused(ReconcilerError):
    """A safety rule said no; the message says which, why, and what would allow it."""

    exit_code = 3


class Stale(ReconcilerError):
    """A resource is no longer as the plan saw it; planning again is the way out."""


class Transient(ReconcilerError):
    """The same call may work later: after ``retry_after_s`` seconds when that is known."""

    def __init__(self, message: str, retry_after_s: float | None = None) -> None:
        super().__init__(message)
        self.retry_after_s = retry_after_s


class Permanent(ReconcilerError):
    """Azure (or another far side) refused, and will again until somebody changes something."""

    def __init__(
        self, message: str, *, status: int = 0, code: str = "", request_id: str = ""
    ) -> None:
        super().__init__(message)
        self.status = status
        self.code = code
        self.request_id = request_id
