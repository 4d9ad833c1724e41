"""Logs that outgrow their segments, ledgers that are replaced by snapshots."""

import asyncio
import uuid
from collections.abc import AsyncIterator

import pytest

from reconciler.core.errors import Permanent
from reconciler.state import blob_log
from reconciler.state.blob_container import Container
from reconciler.state.blob_ledger import Ledger
from reconciler.state.blob_log import Fenced, Log, Pen
from tests.state.azurite import Azurite, azurite
from tests.state.builders import an_owned

__all__ = ["azurite"]


@pytest.fixture
async def container(azurite: Azurite) -> AsyncIterator[Container]:
    container = Container(azurite.container(f"c{uuid.uuid4().hex}"))
    yield container
    await container.close()


async def names(container: Container) -> list[str]:
    return [one.name async for one in container.list("a/")]


async def test_a_full_segment_is_followed_by_another_for_everybody(container: Container) -> None:
    logs = [Log(container, "a", Pen(), blocks=3) for _ in range(3)]
    for place in range(20):
        await logs[place % 3].append({"place": place})
    _, entries = await Log(container, "a", Pen()).read()
    assert [entry["place"] for entry in entries] == list(range(20))
    assert len(await names(container)) > 5


async def test_a_writer_is_kept_out_across_segments(container: Container) -> None:
    slow, quick = Log(container, "a", Pen(), blocks=3), Log(container, "a", Pen(), blocks=3)
    await slow.take_over()
    await slow.append({"place": 0})
    await quick.take_over()
    for place in range(1, 9):
        await quick.append({"place": place})
    with pytest.raises(Fenced):
        await slow.append({"place": -1})
    _, entries = await quick.read()
    assert [entry["place"] for entry in entries] == list(range(9))


async def test_of_two_that_take_over_at_once_the_second_keeps_out_the_first(
    container: Container,
) -> None:
    logs = [Log(container, "a", Pen()) for _ in range(6)]
    taken = await asyncio.gather(*(log.take_over() for log in logs), return_exceptions=True)
    pens = [one[0] for one in taken if not isinstance(one, BaseException)]
    assert all(isinstance(one, Fenced | tuple) for one in taken)
    assert len({pen.token for pen in pens}) == len(pens)
    wrote = await asyncio.gather(*(log.append({"a": 1}) for log in logs), return_exceptions=True)
    assert [one for one in wrote if one is None] == [None]


async def test_entries_that_come_together_are_written_together(container: Container) -> None:
    log = Log(container, "a", Pen())
    await asyncio.gather(*(log.append({"place": place}) for place in range(100)))
    blob = await container.read("a/segments/000001")
    assert blob is not None
    assert len(blob.content.splitlines()) <= 3
    _, entries = await log.read()
    assert [entry["place"] for entry in entries] == list(range(100))


async def test_more_than_a_block_holds_becomes_several(
    container: Container, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(blob_log, "BLOCK_BYTES", 200)
    log = Log(container, "a", Pen())
    await log.append(*({"place": place} for place in range(50)))
    blob = await container.read("a/segments/000001")
    assert blob is not None
    assert len(blob.content.splitlines()) > 3
    assert len((await log.read())[1]) == 50


@pytest.mark.parametrize("content", [b"{", b'{"by":"a","token":0}\n', b"[]\n", b"\xff\n"])
async def test_a_damaged_log_is_refused_and_left_alone(
    container: Container, content: bytes
) -> None:
    await container.create_log("a/segments/000001", {})
    await container.append("a/segments/000001", content, 0)
    with pytest.raises(Permanent, match=r"damaged.*put back a copy"):
        await Log(container, "a", Pen()).append({"place": 1})
    blob = await container.read("a/segments/000001")
    assert blob is not None
    assert blob.content == content


async def test_a_log_that_became_shorter_is_damaged(container: Container) -> None:
    log = Log(container, "a", Pen())
    await log.append({"place": 1})
    await container.delete("a/segments/000001")
    await container.create_log("a/segments/000001", {})
    with pytest.raises(Permanent, match="shorter"):
        await log.append({"place": 2})


async def test_a_long_ledger_starts_anew_from_a_snapshot(container: Container) -> None:
    owned = {}
    for turn in range(6):
        ledger = Ledger(container, "prod", Pen(), long=10)
        await ledger.take_over()
        for place in range(7):
            one = an_owned(f"{turn}-{place}", capacity=turn)
            await ledger.own([one])
            owned[one.arm_id.lower()] = one
        gone = an_owned(f"{turn}-0").arm_id.lower()
        await ledger.disown([gone])
        del owned[gone]
        await ledger.begin(f"run-{turn}")
        assert await Ledger(container, "prod", Pen()).owned() == owned
    _, run = await Ledger(container, "prod", Pen(), long=10).take_over()
    assert run == "run-5"
    left = [one.name async for one in container.list("owned/prod/")]
    assert 2 <= len(left) <= 4
    assert "owned/prod/segments/000001" not in left


async def test_a_writer_that_slept_through_snapshots_is_kept_out(container: Container) -> None:
    slow = Ledger(container, "prod", Pen())
    await slow.take_over()
    await slow.own([an_owned()])
    anybody = Ledger(container, "prod", Pen())
    await anybody.own([an_owned("b")])
    for place in range(3):
        quick = Ledger(container, "prod", Pen(), long=1)
        await quick.take_over()
        await quick.own([an_owned(f"{place}-1"), an_owned(f"{place}-2")])
    with pytest.raises(Fenced):
        await slow.disown([an_owned().arm_id])
    await anybody.own([an_owned("c")])
    assert len(await anybody.owned()) == 9


async def test_tokens_go_on_growing_from_a_snapshot(container: Container) -> None:
    tokens = []
    for _ in range(6):
        ledger = Ledger(container, "prod", Pen(), long=1)
        pen, _ = await ledger.take_over()
        tokens.append(pen.token)
        await Log(container, "journal", pen).append({"step": 1})
        await ledger.own([an_owned("a"), an_owned("b")])
    assert tokens == sorted(set(tokens))


async def test_a_snapshot_that_is_gone_is_damage(container: Container) -> None:
    for _ in range(2):
        ledger = Ledger(container, "prod", Pen(), long=1)
        await ledger.take_over()
        await ledger.own([an_owned("a"), an_owned("b")])
    async for one in container.list("owned/prod/snapshots/"):
        await container.delete(one.name)
    with pytest.raises(Permanent, match=r"missing.*put back a copy"):
        await Ledger(container, "prod", Pen()).owned()
