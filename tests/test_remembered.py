"""Specs are read once, and a look at the head is shared only by those who asked before it."""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, field

import pytest

from reconciler.core.errors import Transient
from reconciler.service import Remembered
from reconciler.service.remembered import COMMITS


@dataclass
class Slow:
    """Specs whose every answer waits for a gate."""

    gate: asyncio.Event = field(default_factory=asyncio.Event)
    newest: str = "one"
    heads: int = 0
    reads: list[str] = field(default_factory=list)
    broken: bool = False

    async def head(self) -> str:
        self.heads += 1
        found = self.newest
        await self.gate.wait()
        return found

    async def read(self, commit: str) -> Mapping[str, str]:
        self.reads.append(commit)
        await self.gate.wait()
        if self.broken:
            raise Transient("away")
        return {"file": commit}


async def test_those_who_ask_while_somebody_looks_share_the_next_look() -> None:
    slow = Slow()
    specs = Remembered(slow)
    first = asyncio.create_task(specs.head())
    await asyncio.sleep(0.01)
    slow.newest = "two"
    others = [asyncio.create_task(specs.head()) for _ in range(20)]
    await asyncio.sleep(0.01)
    assert slow.heads == 1
    slow.gate.set()
    assert [await first, {await one for one in others}, slow.heads] == ["one", {"two"}, 2]
    slow.newest = "three"
    assert await specs.head() == "three"


async def test_a_commit_is_read_once_whoever_asks() -> None:
    slow = Slow()
    specs = Remembered(slow)
    asked = [asyncio.create_task(specs.read("one")) for _ in range(5)]
    asked[0].cancel()
    await asyncio.sleep(0)
    slow.gate.set()
    assert [await one for one in asked[1:]] == [{"file": "one"}] * 4
    await specs.read("one")
    assert slow.reads == ["one"]


async def test_what_could_not_be_read_is_tried_again() -> None:
    slow = Slow(broken=True)
    slow.gate.set()
    specs = Remembered(slow)
    with pytest.raises(Transient):
        await specs.read("one")
    slow.broken = False
    assert await specs.read("one") == {"file": "one"}


async def test_only_a_few_commits_are_kept() -> None:
    slow = Slow()
    slow.gate.set()
    specs = Remembered(slow)
    for number in (*range(COMMITS + 1), COMMITS, 0):
        await specs.read(str(number))
    assert slow.reads == [*map(str, range(COMMITS + 1)), "0"]
