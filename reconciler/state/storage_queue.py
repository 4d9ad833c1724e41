"""The sending end of a queue in Azure Queue storage; the Functions host is the taking end.

Messages are JSON in base64, as the host's queue trigger expects them unless ``host.json`` says
``"messageEncoding": "none"``
(https://learn.microsoft.com/azure/azure-functions/functions-bindings-storage-queue).
"""

import json
from collections.abc import Mapping
from typing import Any, Final

from azure.core.credentials_async import AsyncTokenCredential
from azure.core.exceptions import ResourceNotFoundError
from azure.storage.queue import TextBase64EncodePolicy
from azure.storage.queue.aio import QueueClient

from reconciler.core.errors import Permanent
from reconciler.state.storage_errors import translated

QUEUE: Final = "reconcile"
ROLE: Final = "Storage Queue Data Contributor"
LONGEST_DELAY_S: Final = 7 * 24 * 3600
"""Storage hides a message for a week at most."""
FOR_EVER: Final = -1


class StorageQueue:
    """``ports.Queue`` over one queue, made when it is not there.

    Raises Permanent when the queue may not be used, Transient when it cannot be reached. A send
    that is tried again after a lost answer may put the message there twice: at least once.
    """

    def __init__(self, client: QueueClient) -> None:
        self._client = client
        self._where = f"the queue {client.url.partition('?')[0]}"

    @classmethod
    def open(
        cls, place: str, connection: str = "", credential: AsyncTokenCredential | None = None
    ) -> "StorageQueue":
        """``place``: ``https://ACCOUNT.queue.core.windows.net/QUEUE``, opened with a credential
        that the caller closes; "": the account of a connection string. Raises Permanent for a
        place that cannot be meant."""
        if place and credential:
            return cls(QueueClient.from_queue_url(place, credential, **_options()))
        if connection and not place:
            return cls(_connected(connection))
        raise Permanent(
            f"a queue needs https://ACCOUNT.queue.core.windows.net/{QUEUE} with an identity, or a "
            "connection string"
        )

    async def close(self) -> None:
        await self._client.close()

    async def send(self, message: Mapping[str, str], delay_s: float = 0.0) -> None:
        """Put a message on the queue; it can be taken ``delay_s`` seconds later, a week at most."""
        text = json.dumps(dict(message))
        delay = min(max(0, round(delay_s)), LONGEST_DELAY_S)
        with translated(self._where, ROLE):
            try:
                await self._send(text, delay)
            except ResourceNotFoundError:
                await self._client.create_queue()
                await self._send(text, delay)

    async def length(self) -> int:
        """About how many messages there are, hidden ones too; none when there is no queue yet."""
        with translated(self._where, ROLE):
            try:
                found = await self._client.get_queue_properties()
                return int(found.approximate_message_count or 0)
            except ResourceNotFoundError:
                return 0

    async def _send(self, text: str, delay: int) -> None:
        await self._client.send_message(text, visibility_timeout=delay, time_to_live=FOR_EVER)


def _options() -> dict[str, Any]:
    return {
        "message_encode_policy": TextBase64EncodePolicy(),
        "initial_backoff": 1,
        "increment_base": 2,
        "retry_total": 3,
        "connection_timeout": 5,
        "read_timeout": 30,
    }


def _connected(connection: str) -> QueueClient:
    try:
        return QueueClient.from_connection_string(connection, QUEUE, **_options())
    except ValueError as error:  # its message would quote the account's key
        raise Permanent("the connection string of the queue cannot be read") from error
