"""The reconciler as a service: requests become runs, runs are advanced by whoever takes their
message, and a sweep mends whatever an event, a message or a worker has dropped.

Messages are hints: everything is read again when one is taken, so that a lost, doubled, late or
reordered message changes when something happens and never what.
"""

from reconciler.service.asked import Asked, Ended, UnknownCommit, UnknownEnvironment, UnknownRun
from reconciler.service.remembered import Remembered
from reconciler.service.service import Known, Service

__all__ = [
    "Asked",
    "Ended",
    "Known",
    "Remembered",
    "Service",
    "UnknownCommit",
    "UnknownEnvironment",
    "UnknownRun",
]
