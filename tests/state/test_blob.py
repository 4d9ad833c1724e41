"""The Blob store on Azurite: what every store promises, and what storage can do to it."""

import asyncio
import uuid
from collections.abc import AsyncIterator, Callable
from dataclasses import replace
from datetime import timedelta

import pytest
from azure.storage.blob.aio import ContainerClient

from reconciler.core.errors import Permanent
from reconciler.core.model import Status
from reconciler.state.blob import BlobStore
from tests.state.azurite import KEY, Azurite, AzuriteTime, azurite, time
from tests.state.builders import DONE, a_preview, a_run
from tests.state.conformance import MOMENT, StoreConformance

__all__ = ["azurite", "time"]


@pytest.fixture
def container() -> str:
    return f"c{uuid.uuid4().hex}"


@pytest.fixture
async def open_store(
    azurite: Azurite, container: str, time: AzuriteTime
) -> AsyncIterator[Callable[[], BlobStore]]:
    stores: list[BlobStore] = []

    def open_one() -> BlobStore:
        stores.append(BlobStore(azurite.container(container)))
        return stores[-1]

    yield open_one
    for store in stores:
        await store.close()


class TestBlobStore(StoreConformance):
    pass


@pytest.mark.parametrize(
    ("marker", "said"),
    [
        (b'{"application":"azure-ai-reconciler","schema":99}', "newer.*upgrade"),
        (b'{"application":"azure-ai-reconciler","schema":0}', "older.*move it away"),
        (b'{"application":"another","schema":1}', "another program"),
        (b"{", "schema in .* is damaged"),
        (b"[]", "schema in .* is damaged"),
    ],
)
async def test_a_container_of_another_version_is_refused_and_left_alone(
    azurite: Azurite, container: str, marker: bytes, said: str
) -> None:
    async with azurite.container(container) as client:
        await client.create_container()
        await client.upload_blob("schema", marker)
        store = BlobStore(azurite.container(container))
        for _ in range(2):
            with pytest.raises(Permanent, match=said):
                await store.begin(a_run())
        await store.close()
        assert [one.name async for one in client.list_blobs()] == ["schema"]
        assert await (await client.download_blob("schema")).readall() == marker


async def test_a_container_of_another_program_is_refused_and_left_alone(
    azurite: Azurite, container: str
) -> None:
    async with azurite.container(container) as client:
        await client.create_container()
        await client.upload_blob("theirs", b"")
        store = BlobStore(azurite.container(container))
        with pytest.raises(Permanent, match="another program"):
            await store.digest_key()
        await store.close()
        assert [one.name async for one in client.list_blobs()] == ["theirs"]


@pytest.mark.parametrize(
    "prefix", ["runs/headers/", "runs/plans/", "environments/", "previews/", "digest-key"]
)
async def test_a_damaged_blob_is_refused_with_the_way_out_and_left_alone(
    azurite: Azurite, container: str, open_store: Callable[[], BlobStore], prefix: str
) -> None:
    store = open_store()
    await store.begin(a_run())
    await store.keep_status(Status("prod", failures=1))
    await store.keep_preview(a_preview())
    await store.digest_key()
    async with azurite.container(container) as client:
        names = [one.name async for one in client.list_blobs(prefix)]
        assert len(names) == 1
        await client.upload_blob(names[0], b"\x1f\x8bnot what it was", overwrite=True)
        with pytest.raises(Permanent, match=r"damaged.*put back a copy, or move it away"):
            await asyncio.gather(
                *(store.run("r1"), store.status("prod"), store.open_previews(), store.digest_key())
            )
        left = await (await client.download_blob(names[0])).readall()
        assert left == b"\x1f\x8bnot what it was"


async def test_an_identity_without_the_role_learns_which_one_it_needs(
    azurite: Azurite, container: str
) -> None:
    connection = azurite.connection().replace(KEY, KEY.swapcase())
    store = BlobStore(ContainerClient.from_connection_string(connection, container))
    with pytest.raises(Permanent, match=r'403.*"Storage Blob Data Contributor"') as refused:
        await store.owned("prod")
    assert refused.value.status == 403
    assert refused.value.request_id
    assert KEY.swapcase() not in str(refused.value)
    await store.close()


async def test_a_connection_string_opens_the_container_of_the_reconciler(azurite: Azurite) -> None:
    store = BlobStore.open("", azurite.connection())
    assert await store.run("nobody") is None
    await store.close()


@pytest.mark.parametrize(
    ("place", "connection"),
    [("", ""), ("https://a.blob.core.windows.net/reconciler", ""), ("", "AccountKey=hidden")],
)
def test_a_place_that_cannot_be_meant_is_refused(place: str, connection: str) -> None:
    with pytest.raises(Permanent, match=r"needs blob:https|cannot be read") as refused:
        BlobStore.open(place, connection)
    assert "hidden" not in str(refused.value)


async def test_a_longer_lease_than_storage_gives_is_refused(
    open_store: Callable[[], BlobStore],
) -> None:
    with pytest.raises(Permanent, match="60 or less"):
        await open_store().lease("prod", "worker-1", 61)


async def test_a_long_detail_is_cut_in_lists_only(open_store: Callable[[], BlobStore]) -> None:
    store = open_store()
    await store.begin(replace(a_run(), requested_by="😀" * 500))
    await store.end("r1", "failed", "😀" * 20_000, MOMENT)
    (header,) = await store.runs()
    assert (len(header.detail), len(header.requested_by)) == (301, 101)
    run = await store.run("r1")
    assert run is not None
    assert (run.detail, run.requested_by) == ("😀" * 20_000, "😀" * 500)


async def test_deliveries_are_forgotten_in_time(
    azurite: Azurite, container: str, open_store: Callable[[], BlobStore]
) -> None:
    for days in range(10):
        await open_store().seen(f"delivery-{days}", MOMENT + timedelta(days=days))
    async with azurite.container(container) as client:
        left = [one.name async for one in client.list_blobs("deliveries/")]
    assert len(left) == 7


async def test_a_run_that_was_announced_and_never_saved_has_failed(
    open_store: Callable[[], BlobStore],
) -> None:
    dead = open_store()
    async with await dead.lease("prod", "dead", 60):
        await dead._announce(a_run())  # as far as begin() came
    async with await open_store().lease("prod", "worker-2", 60):
        (header,) = await open_store().runs("prod")
    assert (header.id, header.state) == ("r1", "failed")
    assert "nothing was sent" in header.detail


async def test_a_ledger_that_was_moved_away_leaves_its_runs_usable(
    azurite: Azurite, container: str, open_store: Callable[[], BlobStore]
) -> None:
    store = open_store()
    for _ in range(3):
        async with await store.lease("prod", "worker-1", 60):
            await store.begin(a_run())
            await store.record("r1", "first", DONE, MOMENT)
    async with azurite.container(container) as client:
        async for one in client.list_blobs("owned/"):
            await client.delete_blob(one.name)
    async with await store.lease("prod", "worker-2", 60):
        assert await store.owned("prod") == {}
        await store.record("r1", "second", DONE, MOMENT)
        await store.end("r1", "done", "", MOMENT)
    run = await store.run("r1")
    assert run is not None
    assert (run.outcomes.keys(), run.state) == ({"first", "second"}, "done")
