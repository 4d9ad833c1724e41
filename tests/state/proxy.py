"""Something between a store and storage that fails on request: refuses, loses answers, waits."""

import asyncio
import re
from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import Literal
from urllib.parse import urlsplit

type Fate = Literal["pass", "refuse", "lose"]
"""Let through, dropped on the way there, or dropped on the way back."""

REQUEST = re.compile(rb"(GET|PUT|HEAD|POST|DELETE) /")


class Proxy:
    """Counts requests, and asks ``fate`` about each one, from 1 on."""

    def __init__(self, upstream: str) -> None:
        self.upstream = urlsplit(upstream)
        self.requests = 0
        self.fate: Callable[[int], Awaitable[Fate]] = self.let_through
        self._open: set[asyncio.Task[None]] = set()

    async def let_through(self, number: int) -> Fate:
        return "pass"

    async def refuse(self, number: int) -> Fate:
        return "refuse"

    async def start(self) -> str:
        self.server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        return f"http://127.0.0.1:{self.server.sockets[0].getsockname()[1]}"

    async def stop(self) -> None:
        self.server.close()
        for task in self._open:
            task.cancel()
        await asyncio.gather(*self._open, return_exceptions=True)
        await self.server.wait_closed()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._open.add(task)
        try:
            with suppress(ConnectionError, asyncio.CancelledError):
                await self._pass_on(reader, writer)
        finally:
            writer.close()
            self._open.discard(task)

    async def _pass_on(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        host, port = self.upstream.hostname, self.upstream.port
        storage_reader, storage = await asyncio.open_connection(host, port)
        losing = asyncio.Event()
        back = asyncio.create_task(_copy(storage_reader, writer, losing))
        try:
            while data := await reader.read(65536):
                if REQUEST.match(data):
                    self.requests += 1
                    fate = await self.fate(self.requests)
                    if fate == "refuse":
                        return
                    if fate == "lose":
                        losing.set()
                storage.write(data)
                await storage.drain()
        finally:
            back.cancel()
            storage.close()
            await asyncio.gather(back, return_exceptions=True)


async def _copy(
    reader: asyncio.StreamReader, writer: asyncio.StreamWriter, losing: asyncio.Event
) -> None:
    while data := await reader.read(65536):
        if losing.is_set():
            break
        writer.write(data)
        await writer.drain()
    writer.close()
