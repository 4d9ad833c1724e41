"""How an apply is getting on, on its pull requests, while it is under way."""

import asyncio
import logging
from types import TracebackType
from typing import Final, Self

from reconciler.core.errors import Permanent, Transient
from reconciler.service.parts import Parts
from reconciler.service.telling import Telling

log = logging.getLogger(__name__)

FIRST_S: Final = 5.0
"""What is done sooner is told when it is done."""
EVERY_S: Final = 30.0
"""Comments are seldom looked at more often, and forges count how many are written."""

MOST_SHOWN: Final = 5
"""Pull requests that see how it is getting on; all of them see how it went."""


class Showing:
    """Tells in the background; whatever goes wrong there is nothing to the run."""

    def __init__(self, parts: Parts, run_id: str) -> None:
        self.parts, self.run_id = parts, run_id
        self.task: asyncio.Task[None] | None = None

    async def __aenter__(self) -> Self:
        if self.parts.forge:
            self.task = asyncio.create_task(
                self._keep_telling(Telling(self.parts, self.parts.forge))
            )
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self.task is None:
            return
        self.task.cancel()
        (found,) = await asyncio.gather(self.task, return_exceptions=True)
        if isinstance(found, Exception):
            log.error("how the run is getting on could not be told", exc_info=found)

    async def _keep_telling(self, telling: Telling) -> None:
        pause = FIRST_S
        while True:
            await self.parts.clock.sleep(pause)
            pause = EVERY_S
            try:
                run = await self.parts.store.run(self.run_id)
                if run and run.pulls and run.state in ("running", "cancelling"):
                    await telling.run(run, MOST_SHOWN)
            except (Transient, Permanent) as error:
                log.info("how the run is getting on was not told: %s", error)
