"""What an environment owns, and which run it began last: a log with a snapshot to start from."""

import gzip
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Final, Self

from reconciler.core.model import Owned
from reconciler.state.blob_container import Container
from reconciler.state.blob_log import Entry, Log, Pen
from reconciler.state.codec import decode, encode

LONG: Final = 2_000
"""A log with so many entries is replaced by a snapshot when the environment is next leased."""


@dataclass
class Books:
    """The ledger's content: owned resources as their JSON, by lower-cased ARM id."""

    owned: dict[str, str] = field(default_factory=dict)
    run: str = ""
    """The last run that was begun."""

    def enter(self, entries: Iterable[Entry]) -> Self:
        for entry in entries:
            if "own" in entry:
                self.owned[entry["own"]] = entry["as"]
            elif "disown" in entry:
                self.owned.pop(entry["disown"], None)
            elif "run" in entry:
                self.run = entry["run"]
        return self


class Ledger:
    """The books of one environment. Raises Fenced for a pen that was kept out."""

    def __init__(self, container: Container, environment: str, pen: Pen, long: int = LONG) -> None:
        self._container = container
        self._prefix = f"owned/{environment}"
        self._log = Log(container, self._prefix, pen)
        self._long = long

    async def owned(self) -> Mapping[str, Owned]:
        """Everything owned, by lower-cased ARM id: a few requests, however many there are."""
        books = (await self._books(*await self._log.read())).owned
        try:
            return {arm_id: decode(Owned, text) for arm_id, text in books.items()}
        except (ValueError, KeyError, TypeError) as error:
            raise self._container.damaged(self._prefix, error) from error

    async def own(self, owned: Iterable[Owned]) -> None:
        await self._log.append(*({"own": one.arm_id.lower(), "as": encode(one)} for one in owned))

    async def disown(self, arm_ids: Iterable[str]) -> None:
        await self._log.append(*({"disown": arm_id.lower()} for arm_id in arm_ids))

    async def begin(self, run_id: str) -> None:
        """Say which run is about to be begun, so that whoever takes over knows it."""
        await self._log.append({"run": run_id})

    async def take_over(self) -> tuple[Pen, str]:
        """Keep out who wrote before: the pen to write with, and the run that was begun last."""
        pen, base, entries = await self._log.take_over()
        if not base and len(entries) <= self._long:
            return pen, Books().enter(entries).run
        books = await self._books(base, entries)
        if len(entries) > self._long:
            await self._compact(books, base)
        return pen, books.run

    async def _books(self, base: str, entries: Iterable[Entry]) -> Books:
        return (await self._snapshot(base)).enter(entries)

    async def _snapshot(self, name: str) -> Books:
        if not name:
            return Books()
        blob = await self._container.read(name)
        if blob is None:
            raise self._container.damaged(name, "it is missing")
        try:
            return Books(**json.loads(gzip.decompress(blob.content)))
        except (ValueError, TypeError, OSError, EOFError) as error:
            raise self._container.damaged(name, error) from error

    async def _compact(self, books: Books, base: str) -> None:
        """Write a snapshot under a name of its own and let the log start from it; whatever breaks
        off in between leaves the log as it was."""
        text = json.dumps({"owned": books.owned, "run": books.run}).encode()
        name = f"{self._prefix}/snapshots/{Pen().writer}"
        await self._container.create(name, gzip.compress(text, compresslevel=1))
        if not await self._log.roll(name):
            await self._container.delete(name)
            return
        async for one in self._container.list(f"{self._prefix}/snapshots/"):
            if one.name not in (name, base):
                await self._container.delete(one.name)
