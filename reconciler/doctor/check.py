"""Checks: what each one found, and running them side by side, in the order of their needs."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Final, Literal

from reconciler.core.errors import ReconcilerError, SpecErrors

type State = Literal["ok", "warning", "failed", "skipped"]

LONGEST_S: Final = 60.0
"""A check without an answer by then has failed."""


@dataclass(frozen=True, slots=True)
class Finding:
    """What a check found. Never holds a secret."""

    state: State
    words: str
    todo: tuple[str, ...] = ()
    """What to do about it: sentences."""


@dataclass(frozen=True, slots=True)
class Check:
    """Something to look at. ``look`` may raise any ReconcilerError: the check has failed then."""

    name: str
    look: Callable[[], Awaitable[Finding]]
    needs: tuple[str, ...] = ()
    """Checks that must not have failed, or been skipped, before this one makes sense."""


async def examine(checks: Sequence[Check], longest_s: float = LONGEST_S) -> dict[str, Finding]:
    """What every check found, by name, in the order given. Needs come before what needs them."""
    tasks: dict[str, asyncio.Task[Finding]] = {}
    for check in checks:
        needs = {name: tasks[name] for name in check.needs if name in tasks}
        tasks[check.name] = asyncio.create_task(_looked(check, needs, longest_s))
    try:
        return {name: await task for name, task in tasks.items()}
    finally:
        for task in tasks.values():
            task.cancel()
        await asyncio.gather(*tasks.values(), return_exceptions=True)


async def _looked(
    check: Check, needs: dict[str, asyncio.Task[Finding]], longest_s: float
) -> Finding:
    for name, task in needs.items():
        # A cancelled check must not cancel what others wait for.
        if (await asyncio.shield(task)).state in ("failed", "skipped"):
            return Finding("skipped", f"not looked at: it needs {name}")
    try:
        async with asyncio.timeout(longest_s):
            return await check.look()
    except TimeoutError:
        return Finding("failed", f"no answer within {longest_s:g} s", (SLOW,))
    except SpecErrors as error:
        return _broken(error)
    except ReconcilerError as error:
        first, *more = str(error).splitlines() or [type(error).__name__]
        return Finding("failed", first, tuple(line for line in more if line))


SLOW: Final = "Check the network, the proxy (HTTPS_PROXY) and the firewall."


def _broken(error: SpecErrors) -> Finding:
    """The first few errors of specs; ``reconciler validate`` shows them all."""
    shown = tuple(
        f"{one.source}: {one.message}" if one.source else one.message for one in error.errors[:3]
    )
    return Finding("failed", f"{len(error.errors)} wrong: see reconciler validate", shown)
