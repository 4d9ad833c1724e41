"""Which storage a setting names: a SQLite file, or a container and a queue in a storage account."""

from collections.abc import Callable
from inspect import isawaitable
from typing import TYPE_CHECKING, Final
from urllib.parse import urlsplit

from reconciler.core.errors import Permanent

if TYPE_CHECKING:
    from azure.core.credentials_async import AsyncTokenCredential

    from reconciler.state.blob import BlobStore
    from reconciler.state.sqlite import SqliteStore
    from reconciler.state.sqlite_queue import SqliteQueue
    from reconciler.state.storage_queue import StorageQueue

KINDS: Final = ("sqlite", "blob")


class Storage:
    """A store and a queue that belong together, each opened when it is first asked for."""

    def __init__(
        self, state: str, connection: str, credential: Callable[[], "AsyncTokenCredential"]
    ) -> None:
        """``state``: ``sqlite:PATH`` or ``blob:`` with the container's address, or with none and a
        connection string. Raises Permanent for anything else."""
        self.kind, _, self.place = state.partition(":")
        if self.kind not in KINDS or (self.kind == "sqlite" and not self.place):
            raise Permanent(
                f'RECONCILER_STATE is "{state}": it has to be sqlite:PATH, or '
                "blob:https://ACCOUNT.blob.core.windows.net/reconciler"
            )
        self._connection = "" if self.place else connection
        self._make = credential
        self._credential: AsyncTokenCredential | None = None
        self._opened: list[SqliteStore | BlobStore | SqliteQueue | StorageQueue] = []

    def store(self) -> "SqliteStore | BlobStore":
        """Raises what the store raises for state that cannot be used."""
        from reconciler.state.sqlite import SqliteStore

        if self.kind == "sqlite":
            return self._keep(SqliteStore(self.place))
        from reconciler.state.blob import BlobStore

        return self._keep(BlobStore.open(self.place, self._connection, self._identity()))

    def queue(self) -> "SqliteQueue | StorageQueue":
        """The queue ``reconcile`` beside the state."""
        from reconciler.state.sqlite_queue import SqliteQueue

        if self.kind == "sqlite":
            return self._keep(SqliteQueue(self.place))
        from reconciler.state.storage_queue import StorageQueue

        place = queue_beside(self.place) if self.place else ""
        return self._keep(StorageQueue.open(place, self._connection, self._identity()))

    async def close(self) -> None:
        """Close everything that was opened, and who opened it."""
        for one in self._opened:
            closing: object = one.close()
            if isawaitable(closing):
                await closing
        if self._credential is not None:
            await self._credential.close()

    def _keep[T: "SqliteStore | BlobStore | SqliteQueue | StorageQueue"](self, one: T) -> T:
        self._opened.append(one)
        return one

    def _identity(self) -> "AsyncTokenCredential | None":
        if self.place and self._credential is None:
            self._credential = self._make()
        return self._credential


def queue_beside(container: str) -> str:
    """The address of the queue in the storage account of a container. Raises Permanent.

    Each service of an account has a host name of its own, which differs in one word:
    https://learn.microsoft.com/azure/storage/common/storage-account-overview#storage-account-endpoints
    """
    parts = urlsplit(container)
    account, service, rest = [*parts.netloc.split(".", 2), "", ""][:3]
    if parts.scheme != "https" or service != "blob" or not rest:
        raise Permanent(
            f'"{container}" is no container: https://ACCOUNT.blob.core.windows.net/reconciler'
        )
    return f"https://{account}.queue.{rest}/reconcile"
