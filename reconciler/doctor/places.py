"""Where things are kept: the git binary, the repository, the state and the queue."""

import asyncio
import secrets
from typing import Final, Protocol, runtime_checkable

from reconciler.core.errors import Transient
from reconciler.core.render.words import commit_text, plural
from reconciler.doctor.check import Finding
from reconciler.git import git_version
from reconciler.ports import Queue, Specs, Store

ENVIRONMENT: Final = "(doctor)"
"""No environment is called so: whose lease is taken to see whether one can be."""


HOLDER: Final = "reconciler doctor"


@runtime_checkable
class Countable(Protocol):
    """A queue that can be looked at without putting anything on it."""

    async def length(self) -> int:
        """About how many messages there are."""


async def git() -> Finding:
    return Finding("ok", await asyncio.to_thread(git_version))


async def repository(specs: Specs) -> tuple[Finding, str]:
    """Whether the branch's head can be read, and which commit it is."""
    head = await specs.head()
    return Finding("ok", f"head is {commit_text(head)}"), head


async def state(store: Store) -> Finding:
    """Whether state can be read, and an environment be taken."""
    await store.runs(limit=1)
    try:
        async with await store.lease(ENVIRONMENT, f"{HOLDER} {secrets.token_hex(4)}", 15.0):
            pass
    except Transient as error:
        if HOLDER not in str(error):
            raise  # anybody else than another one of us
    return Finding("ok", "can be read, and an environment be taken")


async def queue(one: Queue) -> Finding:
    if isinstance(one, Countable):
        waiting = await one.length()
        return Finding("ok", f"{plural(waiting, 'message')} waiting")
    return Finding("skipped", "this kind of queue cannot be looked at without using it")
