"""The lease of one environment: the service's own lease on a blob, so that only its clock counts.

A lease lasts from 15 to 60 seconds unless renewed, and can be renewed after it ran out as long as
nobody else has taken it (https://learn.microsoft.com/rest/api/storageservices/lease-blob).
"""

import logging
from collections.abc import Awaitable, Callable
from types import TracebackType
from typing import Any, Final, Self
from urllib.parse import quote, unquote
from uuid import uuid4

from azure.core.exceptions import HttpResponseError, ResourceNotFoundError

from reconciler.core.errors import Permanent, ReconcilerError, Transient
from reconciler.state.blob_container import ROLE, Container
from reconciler.state.storage_errors import code_of, translated

log = logging.getLogger(__name__)

SHORTEST_S: Final = 15
LONGEST_S: Final = 60
LOST: Final = frozenset(
    {
        "LeaseAlreadyPresent",
        "LeaseIdMismatchWithBlobOperation",
        "LeaseIdMismatchWithLeaseOperation",
        "LeaseIsBrokenAndCannotBeRenewed",
        "LeaseLost",
        "LeaseNotPresentWithBlobOperation",
        "LeaseNotPresentWithLeaseOperation",
    }
)
"""Storage's words for a lease that is somebody else's, or nobody's."""


class BlobLease:
    """The right to write to one environment; given back when its block ends."""

    def __init__(
        self,
        container: Container,
        environment: str,
        seconds: float,
        given_back: Callable[[], None],
    ) -> None:
        if seconds > LONGEST_S:
            raise Permanent(
                f"a lease of {seconds:g} seconds cannot be had from Blob storage: it has to be "
                f"{LONGEST_S} or less"
            )
        self.environment = environment
        self.seconds = max(SHORTEST_S, int(seconds))
        self._container = container
        self._name = f"leases/{quote(environment, safe='')}"
        self._id = str(uuid4())
        self._given_back = given_back

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self.release()

    async def take(self, holder: str) -> None:
        """Raises Transient, naming the holder, when it is taken."""
        lease = await self._container.lease(self._name, self._id)
        if not await self._asked(lease.acquire(lease_duration=self.seconds)):
            await self._container.create(self._name, b"")
            await self._asked(lease.acquire(lease_duration=self.seconds))
        blob = await self._container.blob(self._name)
        said = {"holder": quote(holder), "seconds": str(self.seconds)}
        await self._asked(blob.set_blob_metadata(said, lease=lease))

    async def renew(self) -> None:
        """Keep it for as long again; raises Transient when somebody else has taken it."""
        await self._asked((await self._container.lease(self._name, self._id)).renew())

    async def release(self) -> None:
        """Give it up, unless somebody else has it by now; when storage cannot be reached it runs
        out by itself."""
        self._given_back()
        try:
            await self._asked((await self._container.lease(self._name, self._id)).release())
        except ReconcilerError as error:
            log.info("the lease of %s was not given back: %s", self.environment, error)

    async def taken(self) -> Transient:
        """What to say to who is kept out."""
        blob = await self._container.blob(self._name)
        with translated(self._container.where, ROLE):
            found = await blob.get_blob_properties()
        metadata = found.metadata or {}
        if found.lease.state != "leased" or "holder" not in metadata:
            said = f"somebody else has written to {self.environment} meanwhile: start again"
            return Transient(said, 0.0)
        return Transient(
            f"{self.environment} is being written to by {unquote(metadata['holder'])}: try again "
            "when that run has ended",
            retry_after_s=float(metadata["seconds"]),
        )

    async def _asked(self, call: Awaitable[Any]) -> bool:
        """False when there is no such blob yet."""
        with translated(self._container.where, ROLE):
            try:
                await call
            except ResourceNotFoundError:
                return False
            except HttpResponseError as error:
                if code_of(error) not in LOST:
                    raise
                raise await self.taken() from error
        return True
