"""What is being worked on, for every log line and span: no function takes a logger."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from types import MappingProxyType
from typing import Final

FIELDS: Final = ("run", "environment", "commit", "step")
"""What a log line may carry beside its message."""

_NOTHING: Final[Mapping[str, str]] = MappingProxyType({})
_current: ContextVar[Mapping[str, str]] = ContextVar("reconciler_work", default=_NOTHING)


def fields() -> Mapping[str, str]:
    """The run, environment, commit and step that the current task works on, as far as known."""
    return _current.get()


@contextmanager
def within(more: Mapping[str, str]) -> Iterator[None]:
    """Add fields for as long as the block lasts, also in the tasks that it starts."""
    token = _current.set({**_current.get(), **{k: v for k, v in more.items() if v}})
    try:
        yield
    finally:
        _current.reset(token)
