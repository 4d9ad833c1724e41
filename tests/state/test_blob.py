"""The Blob store on Azurite: what every store promises, and what storage can do to it."""

import uuid
from collections.abc import AsyncIterator, Callable

import pytest

from reconciler.state.blob import BlobStore
from tests.state.azurite import Azurite, AzuriteTime, azurite, time
from tests.state.conformance import StoreConformance

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
