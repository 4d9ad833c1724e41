"""One write at a time, where a provider allows no more (all children of an account, say)."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from reconciler.local.azure import errors, ids
from reconciler.local.azure.model import Context, ResourceType

REQUEST = "request"


class Locks:
    """Held by a request while it is handled, then by the operation that it began."""

    def __init__(self) -> None:
        self._holders: dict[str, str] = {}

    @contextmanager
    def held(self, ctx: Context, kind: ResourceType) -> Iterator[str]:
        """Hold the type's lock, if it has one; 409 when somebody else does. Gives its key."""
        if kind.lock is None:
            yield ""
            return
        levels = kind.name.count("/") - kind.lock.count("/")
        owner = ctx.id.ancestor(levels) if levels else ctx.id.text
        key = ids.key(owner)
        if key in self._holders:
            raise kind.lock_error(ctx, owner) if kind.lock_error else errors.busy(owner)
        self._holders[key] = REQUEST
        try:
            yield key
        finally:
            self.release(key, REQUEST)

    def hand_over(self, key: str, operation: str) -> None:
        """Let an operation hold the lock until it ends."""
        if key:
            self._holders[key] = operation

    def release(self, key: str, holder: str) -> None:
        if self._holders.get(key) == holder:
            del self._holders[key]

    def clear(self) -> None:
        self._holders.clear()
