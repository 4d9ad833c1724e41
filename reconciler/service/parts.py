"""What the service is made of, and how long it waits for what."""

from collections.abc import Callable
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from typing import Final

from reconciler.core.desired import environments
from reconciler.core.desired.environment import Environment
from reconciler.core.model import Mode
from reconciler.engine import Engine
from reconciler.ports import Clock, Forge, Queue, Specs, Store
from reconciler.service.asked import UnknownEnvironment

GO_ON_S: Final = 5.0
"""The pause before a run that ran out of time is taken up again."""
AGAIN_S: Final = 15.0
"""The pause after trouble that may pass, when nobody says how long it lasts."""
LOST_S: Final = 900.0
"""A run that is open for so long may have lost its message: the sweep sends another one."""
GIVE_UP_S: Final = 24 * 3600.0
"""A run that could not be started for so long has failed."""


@dataclass
class Parts:
    """Chosen by ``reconciler.app``."""

    store: Store
    queue: Queue
    specs: Specs
    clock: Clock
    engine: Callable[[Mode], Engine]
    """The engine that acts with the rights of a mode: planning reads, applying writes."""
    new_id: Callable[[], str]
    budget_s: float = 240.0
    """How long one message may keep a worker, in seconds."""
    drift_s: float = 0.0
    """How old a comparison with Azure may get before the sweep asks for a new one, in seconds."""
    forge: Forge | None = None
    """Where pull requests are; None: there are none."""
    branch: str = "main"
    """The one that is applied."""
    get_ready: Callable[[], None] = lambda: None
    """Called in a thread of its own once there is work: imports what it takes. Safe to repeat."""
    run_link: str = ""
    """Where a run is shown: a template over ``run``; "": nowhere."""

    closing: AsyncExitStack = field(default_factory=AsyncExitStack, repr=False)
    """What was opened for it."""

    async def close(self) -> None:
        """Close connections; nothing is asked of it any more."""
        await self.closing.aclose()

    async def environment(self, name: str, commit: str) -> Environment:
        """Raises UnknownEnvironment, with the names there are; SpecErrors for broken files."""
        known = {one.name: one for one in environments(await self.specs.read(commit))}
        if name not in known:
            names = ", ".join(sorted(known)) or "none is declared"
            raise UnknownEnvironment(f'there is no environment "{name}" (there are: {names})')
        return known[name]
