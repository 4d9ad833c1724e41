"""Queue triggers: messages are taken, handed to the function, and deleted, returned or poisoned.

As the storage queue extension does it (QueueListener.cs and QueueProcessor.cs in
https://github.com/Azure/azure-sdk-for-net): a taken message is hidden for ten minutes and kept
hidden while its function runs, renewed at half time; one whose function failed shows again after
``visibilityTimeout``, and goes to ``<queue>-poison`` once it was taken ``maxDequeueCount`` times;
a new batch is fetched when no more than ``newBatchThreshold`` messages are left; an empty queue is
asked less and less often.
"""

import asyncio
import logging
from collections.abc import Sequence
from typing import Final

from reconciler.core.errors import ReconcilerError
from reconciler.local.host.options import QueueOptions
from reconciler.local.host.worker import Failed, Function, Worker
from reconciler.ports import Messages, Taken

log = logging.getLogger(__name__)
HIDDEN_S: Final = 600.0
POLL_S: Final = 0.1
"""The first pause after an empty answer; doubled up to ``maxPollingInterval``."""


class Listener:
    """One queue function."""

    def __init__(
        self,
        function: Function,
        worker: Worker,
        messages: Messages,
        options: QueueOptions,
        hidden_s: float = HIDDEN_S,
    ) -> None:
        self.function = function
        self.worker = worker
        self.messages = messages
        self.options = options
        self.hidden_s = hidden_s
        self.busy: set[asyncio.Task[None]] = set()

    async def run(self) -> None:
        """Until cancelled; then what is under way is given up, and shows again later."""
        pause = POLL_S
        try:
            while True:
                found = await self._take()
                for taken in found:
                    task = asyncio.create_task(self._handle(taken))
                    self.busy.add(task)
                    task.add_done_callback(self.busy.discard)
                pause = POLL_S if found else min(pause * 2, self.options.max_polling_s)
                await self._room() if found else await asyncio.sleep(pause)
        finally:
            for task in self.busy:
                task.cancel()
            await asyncio.gather(*self.busy, return_exceptions=True)

    async def _take(self) -> Sequence[Taken]:
        try:
            return await self.messages.take(self.options.batch_size, self.hidden_s)
        except ReconcilerError as error:
            log.warning("the queue cannot be read: %s", error)
            return ()

    async def _room(self) -> None:
        """Wait until so many messages are done that a new batch may be fetched."""
        while len(self.busy) > self.options.new_batch_threshold:
            await asyncio.wait(self.busy, return_when=asyncio.FIRST_COMPLETED)

    async def _handle(self, taken: Taken) -> None:
        try:
            await self._settle(taken)
        except ReconcilerError as error:  # it shows again by itself
            log.warning("what became of message %s could not be said: %s", taken.id, error)

    async def _settle(self, taken: Taken) -> None:
        if taken.count > self.options.max_dequeue_count:
            await self.messages.poison(taken)
        elif await self._call(taken):
            await self.messages.delete(taken)
        elif taken.count >= self.options.max_dequeue_count:
            log.error("message %s is poison: it was tried %d times", taken.id, taken.count)
            await self.messages.poison(taken)
        else:
            await self.messages.keep(taken, self.options.visibility_timeout_s)

    async def _call(self, taken: Taken) -> bool:
        """Whether the function took the message without raising."""
        renewing = asyncio.create_task(self._renew(taken))
        try:
            name = self.function.name
            await self.worker.queue(name, taken.text, taken.id, taken.count, taken.inserted_at)
            return True
        except Failed as error:
            log.error("%s failed: %s", self.function.name, error)
            return False
        finally:
            renewing.cancel()
            await asyncio.gather(renewing, return_exceptions=True)

    async def _renew(self, taken: Taken) -> None:
        while True:
            await asyncio.sleep(self.hidden_s / 2)
            try:
                await self.messages.keep(taken, self.hidden_s)
            except ReconcilerError as error:
                log.warning("message %s could not be kept: %s", taken.id, error)
