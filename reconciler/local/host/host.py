"""The host: one project, its listeners, one address."""

import asyncio
import logging
from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, Final, Self

from aiohttp import web

from reconciler.local.host.options import HostOptions
from reconciler.local.host.queue import HIDDEN_S, Listener
from reconciler.local.host.timer import Monitor, Timer
from reconciler.local.host.web import Keys, Web
from reconciler.local.host.worker import Function, NotHosted, Worker
from reconciler.ports import Messages

log = logging.getLogger(__name__)
ON_LOOPBACK: Final = "127.0.0.1"
CLOSING_S: Final = 2.0


@dataclass(frozen=True)
class Place:
    """Where a host finds and keeps things."""

    project: Path
    state: Path
    """A folder for what the host itself remembers: when timers last ran."""
    queue: Callable[[str], Messages]
    """The queue of a name."""
    keys: Keys
    port: int = 0
    hidden_s: float = HIDDEN_S


class Host:
    """An asynchronous context manager: while it is open the project's functions are run."""

    def __init__(self, place: Place) -> None:
        self.place = place
        self.options = HostOptions.read(place.project)
        self.worker = Worker(place.project)
        self.tasks: list[asyncio.Task[None]] = []
        self.url = ""

    async def __aenter__(self) -> Self:
        """Raises NotHosted when the project cannot be run, OSError when the port is taken."""
        await self.worker.start()
        functions = list(self.worker.functions.values())
        work = [self._listener(one) for one in functions if one.kind != "http"]
        await self._serve([one for one in functions if one.kind == "http"])
        self.tasks = [asyncio.create_task(one) for one in work]
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        for task in self.tasks:
            task.cancel()
        await asyncio.gather(*self.tasks, return_exceptions=True)
        await self.runner.cleanup()
        self.worker.stop()

    def _listener(self, function: Function) -> Coroutine[Any, Any, None]:
        if function.kind == "timer":
            try:
                return Timer(function, self.worker, Monitor(self.place.state / "timers")).run()
            except ValueError as error:
                raise NotHosted(f"{function.name}: {error}") from error
        messages = self.place.queue(str(function.trigger["queueName"]))
        options = self.options.queues
        return Listener(function, self.worker, messages, options, self.place.hidden_s).run()

    async def _serve(self, functions: list[Function]) -> None:
        options = self.options
        served = Web(
            functions, self.worker, self.place.keys, options.route_prefix, options.timeout_s
        )
        self.runner = web.AppRunner(
            served.application(), access_log=None, shutdown_timeout=CLOSING_S
        )
        await self.runner.setup()
        await web.TCPSite(self.runner, ON_LOOPBACK, self.place.port).start()
        self.url = f"http://{ON_LOOPBACK}:{self.runner.addresses[0][1]}"
