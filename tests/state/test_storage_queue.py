"""The sending end of a storage queue, on Azurite."""

import base64
import json
import uuid
from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any

import pytest
from azure.storage.queue import TextBase64EncodePolicy
from azure.storage.queue.aio import QueueClient

from reconciler.core.errors import Permanent, Transient
from reconciler.state.storage_queue import StorageQueue
from tests.state.azurite import KEY, Azurite, AzuriteTime, azurite, time

__all__ = ["azurite", "time"]


@pytest.fixture
def name() -> str:
    return f"q{uuid.uuid4().hex}"


def client(connection: str, name: str, **options: Any) -> QueueClient:
    return QueueClient.from_connection_string(connection, name, retry_total=0, **options)


@pytest.fixture
async def queue(azurite: Azurite, name: str) -> AsyncIterator[StorageQueue]:
    policy = TextBase64EncodePolicy()
    queue = StorageQueue(client(azurite.connection(), name, message_encode_policy=policy))
    yield queue
    await queue.close()


@pytest.fixture
async def other_end(azurite: Azurite, name: str) -> AsyncIterator[QueueClient]:
    async with client(azurite.connection(), name) as other_end:
        yield other_end


async def texts(other_end: QueueClient) -> list[str]:
    return [one.content async for one in other_end.receive_messages(visibility_timeout=30)]


async def test_a_message_is_json_in_base64_and_the_queue_is_made(
    queue: StorageQueue, other_end: QueueClient
) -> None:
    await queue.send({"run": "20261120-größe"})
    (text,) = await texts(other_end)
    assert json.loads(base64.b64decode(text)) == {"run": "20261120-größe"}


async def test_a_delayed_message_is_there_later(
    queue: StorageQueue, other_end: QueueClient, time: AzuriteTime
) -> None:
    await queue.send({"run": "r1"}, delay_s=60)
    assert await texts(other_end) == []
    time.pass_by(59)
    assert await texts(other_end) == []
    time.pass_by(1)
    assert len(await texts(other_end)) == 1


async def test_nothing_waits_for_more_than_a_week_or_is_dropped_before(
    queue: StorageQueue, other_end: QueueClient, time: AzuriteTime
) -> None:
    await queue.send({"run": "late"}, delay_s=1e9)
    await queue.send({"run": "at once"}, delay_s=-5)
    assert len(await texts(other_end)) == 1
    time.pass_by(timedelta(days=7).total_seconds())
    assert len(await texts(other_end)) == 2


async def test_an_identity_without_the_role_learns_which_one_it_needs(
    azurite: Azurite, name: str
) -> None:
    queue = StorageQueue(client(azurite.connection().replace(KEY, KEY.swapcase()), name))
    with pytest.raises(Permanent, match=r'403.*"Storage Queue Data Contributor"'):
        await queue.send({"run": "r1"})
    await queue.close()


async def test_a_queue_that_cannot_be_reached_is_worth_trying_again(
    azurite: Azurite, name: str
) -> None:
    nobody = azurite.connection().replace(azurite.urls["Queue"], "http://127.0.0.1:1")
    queue = StorageQueue(client(nobody, name))
    with pytest.raises(Transient, match="cannot be reached"):
        await queue.send({"run": "r1"})
    await queue.close()


@pytest.mark.parametrize(
    ("place", "connection"),
    [("", ""), ("https://a.queue.core.windows.net/reconcile", ""), ("", "AccountKey=hidden")],
)
def test_a_place_that_cannot_be_meant_is_refused(place: str, connection: str) -> None:
    with pytest.raises(Permanent, match=r"needs https|cannot be read") as refused:
        StorageQueue.open(place, connection)
    assert "hidden" not in str(refused.value)
