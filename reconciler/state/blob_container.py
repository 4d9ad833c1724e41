"""One container of Blob storage: the few operations that the state is built from.

Every write says what it expects to find, so that of many writers at once exactly one succeeds:
``If-None-Match: *`` to create, ``If-Match`` to replace, an append position to append
(https://learn.microsoft.com/rest/api/storageservices/specifying-conditional-headers-for-blob-service-operations).
"""

import asyncio
import json
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass
from typing import Final

from azure.core import MatchConditions
from azure.core.exceptions import (
    HttpResponseError,
    ResourceExistsError,
    ResourceModifiedError,
    ResourceNotFoundError,
)
from azure.storage.blob.aio import BlobClient, BlobLeaseClient, ContainerClient

from reconciler.core.errors import Permanent
from reconciler.state.database import SCHEMA_VERSION, WAY_OUT
from reconciler.state.storage_errors import code_of, translated

MARKER: Final = "schema"
"""Says whose the container is and of which version. A new prefix needs no new version: a reconciler
that does not know it neither reads nor lists it."""
APPLICATION: Final = "azure-ai-reconciler"
ROLE: Final = "Storage Blob Data Contributor"


@dataclass(frozen=True, slots=True)
class Blob:
    """A blob as it was read: ``etag`` names exactly this content."""

    content: bytes
    etag: str
    metadata: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Listed:
    """A blob in a listing."""

    name: str
    metadata: Mapping[str, str]


class Container:
    """A container that is ours: made when it is not there, refused when it holds something else.

    Raises Permanent for a container of another program or version and for what storage refuses,
    Transient when storage cannot be reached.
    """

    def __init__(self, client: ContainerClient) -> None:
        self._client = client
        self.where = f"the container {client.url.partition('?')[0]}"
        self._checking = asyncio.Lock()
        self._checked = False

    async def close(self) -> None:
        await self._client.close()

    def damaged(self, name: str, error: object) -> Permanent:
        """What to raise for a blob that is not what was written."""
        return Permanent(f"{name} in {self.where} is damaged ({error}): {WAY_OUT}")

    # Blobs that are written whole

    async def read(self, name: str, offset: int = 0) -> Blob | None:
        """A blob from ``offset`` on; None when it is not there."""
        blob = await self._blob(name)
        with translated(self.where, ROLE):
            try:
                # Without an offset no range is asked for: an empty blob has none.
                download = await blob.download_blob(offset=offset or None)
                content = await download.readall()
            except ResourceNotFoundError:
                return None
            except HttpResponseError as error:
                if error.status_code == 416:  # nothing after the offset
                    return Blob(b"", "", {})
                raise
        properties = download.properties
        return Blob(content, str(properties.etag), properties.metadata or {})

    async def create(
        self, name: str, content: bytes, metadata: Mapping[str, str] | None = None
    ) -> bool:
        """Write a blob that is not there yet; False when it is."""
        blob = await self._blob(name)
        with translated(self.where, ROLE):
            try:
                await blob.upload_blob(content, metadata=dict(metadata or {}))
            except ResourceExistsError as error:  # 409, although the condition was not met
                if code_of(error) == "BlobAlreadyExists":
                    return False
                raise
        return True

    async def replace(
        self, name: str, content: bytes, metadata: Mapping[str, str], etag: str
    ) -> bool:
        """Write over exactly what was read; False when somebody was quicker."""
        blob = await self._blob(name)
        with translated(self.where, ROLE):
            try:
                await blob.upload_blob(
                    content,
                    overwrite=True,
                    metadata=dict(metadata),
                    etag=etag,
                    match_condition=MatchConditions.IfNotModified,
                )
            except ResourceModifiedError:
                return False
        return True

    async def overwrite(self, name: str, content: bytes) -> None:
        """Write a blob whatever is there."""
        blob = await self._blob(name)
        with translated(self.where, ROLE):
            await blob.upload_blob(content, overwrite=True)

    async def delete(self, name: str) -> None:
        """Remove a blob; one that is not there is passed over."""
        blob = await self._blob(name)
        with translated(self.where, ROLE):
            try:
                await blob.delete_blob()
            except ResourceNotFoundError:
                return

    async def list(self, prefix: str, page: int | None = None) -> AsyncIterator[Listed]:
        """Blobs in the order of their names; ``page``: how many are fetched at once."""
        await self._ready()
        with translated(self.where, ROLE):
            found = self._client.list_blobs(
                name_starts_with=prefix, include=["metadata"], results_per_page=page
            )
            async for one in found:
                yield Listed(one.name, one.metadata or {})

    # Blobs that are appended to

    async def create_log(self, name: str, metadata: Mapping[str, str]) -> None:
        """Make an empty append blob, unless it is there."""
        blob = await self._blob(name)
        with translated(self.where, ROLE):
            try:
                await blob.create_append_blob(
                    metadata=dict(metadata), match_condition=MatchConditions.IfMissing
                )
            except ResourceExistsError as error:
                if code_of(error) != "BlobAlreadyExists":
                    raise

    async def append(self, name: str, block: bytes, position: int) -> int | None:
        """Append where the blob ends at ``position``: the number of its blocks; None when it does
        not end there, or does not exist."""
        blob = await self._blob(name)
        with translated(self.where, ROLE):
            try:
                answer = await blob.append_block(block, appendpos_condition=position)
            except ResourceNotFoundError as error:
                if code_of(error) == "BlobNotFound":
                    return None
                raise
            except HttpResponseError as error:
                if code_of(error) == "AppendPositionConditionNotMet":
                    return None
                raise
        return int(str(answer["blob_committed_block_count"]))

    # Leases

    async def lease(self, name: str, lease_id: str) -> BlobLeaseClient:
        """To take, renew or give up a blob's lease; wrap its calls in :meth:`translated`."""
        return BlobLeaseClient(await self._blob(name), lease_id=lease_id)

    async def blob(self, name: str) -> BlobClient:
        """The blob itself; wrap its calls in :meth:`translated`."""
        return await self._blob(name)

    # Ours, or not

    async def _blob(self, name: str) -> BlobClient:
        await self._ready()
        return self._client.get_blob_client(name)

    async def _ready(self) -> None:
        """Checks once what the container is; until that has worked, every call does."""
        if self._checked:
            return
        async with self._checking:
            if not self._checked:
                with translated(self.where, ROLE):
                    await self._check()
                self._checked = True

    async def _check(self) -> None:
        marker = self._client.get_blob_client(MARKER)
        try:
            found = await (await marker.download_blob()).readall()
        except ResourceNotFoundError:
            found = await self._mark(marker)
        self._refuse_others(found)

    async def _mark(self, marker: BlobClient) -> bytes:
        """Say whose this container is, and of which version, if it is empty."""
        try:
            await self._client.create_container()
        except ResourceExistsError as error:
            if code_of(error) != "ContainerAlreadyExists":
                raise
        ours = json.dumps({"application": APPLICATION, "schema": SCHEMA_VERSION}).encode()
        async for one in self._client.list_blobs(results_per_page=1):
            if one.name != MARKER:
                # Somebody who was quicker has written more than the marker by now, or a stranger.
                try:
                    return await (await marker.download_blob()).readall()
                except ResourceNotFoundError:
                    raise _not_ours(self.where) from None
        try:
            await marker.upload_blob(ours)
        except ResourceExistsError:
            return await (await marker.download_blob()).readall()
        return ours

    def _refuse_others(self, marker: bytes) -> None:
        try:
            content = json.loads(marker)
            application, schema = content["application"], int(content["schema"])
        except (ValueError, KeyError, TypeError) as error:
            raise self.damaged(MARKER, error) from error
        if application != APPLICATION:
            raise _not_ours(self.where)
        if schema != SCHEMA_VERSION:
            age, way_out = (
                ("newer", "upgrade this one") if schema > SCHEMA_VERSION else ("older", WAY_OUT)
            )
            raise Permanent(
                f"{self.where} was written by a {age} reconciler (schema {schema}): {way_out}"
            )


def _not_ours(where: str) -> Permanent:
    return Permanent(f"{where} holds blobs of another program: name another container")
