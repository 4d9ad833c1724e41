"""When a worker has to stop in the middle of a run."""

import asyncio
from contextlib import suppress
from types import TracebackType
from typing import Self

from reconciler.core.errors import Transient
from reconciler.ports import Clock, Store


class Watch:
    """Says so when the worker's time is over, or when somebody asked the run to end.

    The store is asked in the background, so that asking costs the steps nothing.
    """

    EVERY_S = 10.0

    def __init__(self, store: Store, clock: Clock, run_id: str, until: float) -> None:
        self.store = store
        self.clock = clock
        self.run_id = run_id
        self.until = until
        self.cancelled = False

    def __call__(self) -> bool:
        return self.cancelled or self.clock.monotonic() >= self.until

    async def __aenter__(self) -> Self:
        await self._look()
        self.task = asyncio.create_task(self._keep_looking())
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.task.cancel()
        # Whatever went wrong while looking: the look below meets it again, or it has passed.
        with suppress(asyncio.CancelledError, Exception):
            await self.task
        if error is None:
            await self._look()

    async def _keep_looking(self) -> None:
        while not self.cancelled:
            await self.clock.sleep(self.EVERY_S)
            with suppress(Transient):  # looked again in a moment
                await self._look()

    async def _look(self) -> None:
        self.cancelled = await self.store.state(self.run_id) == "cancelling"
