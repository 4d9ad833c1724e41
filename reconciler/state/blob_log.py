"""A list that is only appended to, in append blobs, with a fence that keeps out who came before.

Every append names the place where it expects the log to end. Who takes the environment over
appends a *fence*, a batch with a higher token: whoever wrote before finds the end moved, reads on,
meets the fence, and stops. The same reading tells apart an append whose answer was lost from one
that never arrived, so that nothing is written twice
(https://learn.microsoft.com/rest/api/storageservices/append-block).

An append blob takes 50,000 blocks; long before, the log *rolls* to its next segment. A roll may
name a *base*: a blob that holds all that was before it, so that older segments can go.
"""

import asyncio
import json
import os
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from enum import Enum
from time import time
from typing import Any, Final

from reconciler.core.errors import ReconcilerError
from reconciler.state.blob_container import Container

BLOCKS: Final = 40_000
"""A segment with so many blocks is followed by another one."""
BLOCK_BYTES: Final = 2 * 1024 * 1024
"""A longer batch becomes several blocks (storage takes 4 MiB in the oldest versions)."""

type Entry = Mapping[str, Any]
type Batch = dict[str, Any]
"""One block: ``by``, ``token``, ``entries``, and ``roll`` at the end of a segment."""


class Fenced(Exception):
    """Somebody else has taken over: this writer may write no more."""


@dataclass(frozen=True, slots=True)
class Pen:
    """Who writes: ``token`` grows with every lease of an environment; 0: without a lease."""

    token: int = 0
    writer: str = field(default_factory=lambda: os.urandom(6).hex())

    def is_kept_out_by(self, token: int, writer: str) -> bool:
        return bool(self.token) and token >= self.token and writer != self.writer


class Found(Enum):
    """What reading on came to."""

    NOTHING = "no such segment"
    ALL = "the end of the log"
    MORE = "another segment follows"


@dataclass(slots=True)
class End:
    """How far the log was read: the next append belongs here."""

    segment: int
    position: int = 0
    blocks: int = 0
    base: str = ""
    based: int = 0
    """The segment that starts from ``base``."""
    token: int = 0
    """The highest that was met."""

    @property
    def head(self) -> dict[str, str]:
        """What a segment that starts from a base has to say of what was before it."""
        if self.segment != self.based:
            return {}
        return {"base": self.base, "token": str(self.token)}

    def go_on(self, base: str) -> None:
        self.segment, self.position, self.blocks = self.segment + 1, 0, 0
        if base:
            self.base, self.based = base, self.segment


@dataclass(slots=True)
class Group:
    """Entries that came while an append was under way: the next one takes them all."""

    entries: list[Entry] = field(default_factory=list)
    written: bool = False
    error: ReconcilerError | Fenced | None = None
    names: dict[int, str] = field(default_factory=dict)
    """Of its blocks, so that a second try knows the first one when it meets it."""


class Log:
    """The log below ``prefix``. Raises Fenced for a pen that was kept out."""

    def __init__(self, container: Container, prefix: str, pen: Pen, blocks: int = BLOCKS) -> None:
        self._container = container
        self._prefix = prefix
        self._pen = pen
        self._most_blocks = blocks
        self._end: End | None = None
        self._group = Group()
        self._lock = asyncio.Lock()

    async def read(self) -> tuple[str, list[Entry]]:
        """The base, "" when there is none, and every entry after it."""
        async with self._lock:
            return await self._read()

    async def append(self, *entries: Entry) -> None:
        """Add entries, in this order; safe for many tasks at once, and cheap for them."""
        if not entries:
            return
        group = self._group
        group.entries += entries
        async with self._lock:
            if group is self._group:
                self._group = Group()
            if not group.written and group.error is None:
                await self._settle(group)
        if group.error:
            raise group.error

    async def fence(self) -> None:
        """Keep out everybody whose token is lower than that of this log's pen."""
        async with self._lock:
            await self._write([], self._name())

    async def take_over(self) -> tuple[Pen, str, list[Entry]]:
        """Keep out everybody who wrote before: the pen to write with from now on, the base and
        the entries after it."""
        async with self._lock:
            base, entries = await self._read()
            assert self._end is not None
            # From the time of day on: should this log be moved away, other logs know its tokens.
            self._pen = Pen(max(self._end.token + 1, int(time() * 1000)), self._pen.writer)
            if not await self._write([], self._name()):
                base, entries = await self._read()
        return self._pen, base, entries

    async def roll(self, base: str) -> bool:
        """Go on in a new segment, from a base that holds everything up to here; False when
        somebody has appended since the log was read: then the base does not hold that."""
        async with self._lock:
            end = self._end
            assert end is not None
            block = _block(self._name(), self._pen.token, [], roll=True, base=base)
            if await self._container.append(self._segment(end), block, end.position) is None:
                return False
            end.go_on(base)
            await self._container.create_log(self._segment(end), end.head)
            await self._forget(end.segment - 1)
        return True

    # Reading

    async def _read(self) -> tuple[str, list[Entry]]:
        listed = [one async for one in self._container.list(f"{self._prefix}/segments/")]
        heads = {int(one.name.rpartition("/")[2]): one.metadata for one in listed}
        based = max((number for number, head in heads.items() if head.get("base")), default=0)
        head = heads.get(based, {})
        end = End(
            based or min(heads, default=1),
            base=head.get("base", ""),
            based=based,
            token=int(head.get("token", 0)),
        )
        batches: list[Batch] = []
        while await self._read_on(end, batches) is Found.MORE:
            pass
        self._end = end
        last_base = max((at for at, one in enumerate(batches) if one.get("base")), default=-1)
        entries = [entry for one in batches[last_base + 1 :] for entry in one["entries"]]
        return end.base, entries

    async def _read_on(self, end: End, batches: list[Batch]) -> Found:
        """Read from ``end`` to where its segment ends now, and move ``end`` there."""
        found = await self._container.read(self._segment(end), end.position)
        if found is None:
            return Found.NOTHING
        for batch in self._batches(end, found.content):
            if self._pen.is_kept_out_by(batch["token"], batch["by"].partition("-")[0]):
                raise Fenced
            batches.append(batch)
            end.token, end.blocks = max(end.token, batch["token"]), end.blocks + 1
            if batch.get("roll"):
                end.go_on(batch.get("base", ""))
                return Found.MORE
        end.position += len(found.content)
        return Found.ALL

    def _batches(self, end: End, content: bytes) -> Iterator[Batch]:
        try:
            for line in content.splitlines():
                batch = json.loads(line)
                if not isinstance(batch["entries"], list):
                    raise TypeError("not a batch")
                yield {**batch, "token": int(batch["token"]), "by": str(batch["by"])}
        except (ValueError, KeyError, TypeError) as error:
            raise self._container.damaged(self._segment(end), error) from error

    # Writing

    async def _settle(self, group: Group) -> None:
        """Write a group, or keep the reason why not for everybody who waits for it. A task that is
        cancelled half-way leaves the group to the next one that waits."""
        try:
            for place, entries in enumerate(_portions(group.entries)):
                await self._write(entries, group.names.setdefault(place, self._name()))
        except (ReconcilerError, Fenced) as error:
            group.error = error
        else:
            group.written = True

    async def _write(self, entries: list[Entry], name: str) -> bool:
        """Append one block; False when others had appended since the log was read."""
        block = _block(name, self._pen.token, entries)
        if self._end is None:
            await self._read()
        alone = True
        while True:
            end = self._end
            assert end is not None
            if end.blocks >= self._most_blocks:
                await self._next_segment(end)
            elif await self._append_at(end, block):
                return alone
            elif await self._catch_up(end, name):
                return False
            alone = False

    async def _append_at(self, end: End, block: bytes) -> bool:
        if end.position == 0:
            await self._container.create_log(self._segment(end), end.head)
        blocks = await self._container.append(self._segment(end), block, end.position)
        if blocks is None:
            return False
        end.position, end.blocks = end.position + len(block), blocks
        end.token = max(end.token, self._pen.token)
        return True

    async def _catch_up(self, end: End, name: str) -> bool:
        """Read what was appended since; True when our own block, whose answer was lost, is
        there."""
        batches: list[Batch] = []
        found = await self._read_on(end, batches)
        if found is Found.NOTHING:
            # The segment is gone: the log was based anew, twice, since we read it.
            if self._pen.token:
                raise Fenced
            await self._read()
            return False
        if not batches:
            raise self._container.damaged(self._segment(end), "it has become shorter")
        while found is Found.MORE:
            found = await self._read_on(end, batches)
        return any(one["by"] == name for one in batches)

    async def _next_segment(self, end: End) -> None:
        """Roll without a base: what is in the older segments stays part of the log."""
        name = self._name()
        block = _block(name, self._pen.token, [], roll=True)
        if await self._container.append(self._segment(end), block, end.position) is None:
            await self._catch_up(end, name)
        else:
            end.go_on("")

    async def _forget(self, before: int) -> None:
        """Delete segments that a base made superfluous. The one before it stays, so that whoever
        was appending there meets the roll."""
        async for one in self._container.list(f"{self._prefix}/segments/"):
            if int(one.name.rpartition("/")[2]) < before:
                await self._container.delete(one.name)

    def _segment(self, end: End) -> str:
        return f"{self._prefix}/segments/{end.segment:06}"

    def _name(self) -> str:
        return f"{self._pen.writer}-{os.urandom(4).hex()}"


def _block(name: str, token: int, entries: list[Entry], **more: Any) -> bytes:
    batch = {"by": name, "token": token, "entries": entries, **more}
    return json.dumps(batch, separators=(",", ":")).encode() + b"\n"


def _portions(entries: Iterable[Entry]) -> Iterator[list[Entry]]:
    """Entries in portions that fit into a block each; one portion at least."""
    portion: list[Entry] = []
    size = 0
    for entry in entries:
        length = len(json.dumps(entry))
        if portion and size + length > BLOCK_BYTES:
            yield portion
            portion, size = [], 0
        portion.append(entry)
        size += length
    yield portion
