"""What is known of pull requests, in Blob storage.

A preview is at ``previews/open/<number>`` until its pull request is closed, and from then on at
``previews/closed/<number>``.

Where a preview lies says whether it is open, so that the open ones are listed without reading those
of years, and no marker can go missing that a crash would leave behind. The open one counts when
both are there: of closing a pull request only the last write, which removes it, is seen.
"""

import asyncio
from typing import Any, Final

from reconciler.core.preview import Preview
from reconciler.state.blob_container import Container
from reconciler.state.codec import decode, encode

OPEN: Final = "previews/open/"
CLOSED: Final = "previews/closed/"
AT_ONCE: Final = 16


class Previews:
    """Preview blobs in a container. What is damaged raises Permanent."""

    def __init__(self, container: Container) -> None:
        self._container = container

    async def find(self, pull: int) -> Preview | None:
        """One that is closed between the two reads is found by the second: it is written there
        before it is removed here."""
        return await self._read(f"{OPEN}{pull}") or await self._read(f"{CLOSED}{pull}")

    async def keep(self, preview: Preview) -> None:
        """Add or replace; whoever keeps one last has the last word, on whether it is open too."""
        content = encode(preview).encode()
        if preview.open:
            # What may lie among the closed ones stays there, hidden, until it is written over.
            await self._container.overwrite(f"{OPEN}{preview.pull}", content)
            return
        # Removed last: who breaks off in between has closed nothing, and lost nothing.
        await self._container.overwrite(f"{CLOSED}{preview.pull}", content)
        await self._container.delete(f"{OPEN}{preview.pull}")

    async def open(self) -> list[Preview]:
        """Those of pull requests that are not known to be closed, oldest first."""
        names = [one.name async for one in self._container.list(OPEN)]
        limit = asyncio.Semaphore(AT_ONCE)

        async def read(name: str) -> Preview | None:
            async with limit:
                return await self._read(name)

        found = await asyncio.gather(*map(read, names))
        return sorted((one for one in found if one), key=_age)  # None: closed meanwhile

    async def _read(self, name: str) -> Preview | None:
        blob = await self._container.read(name)
        if blob is None:
            return None
        try:
            return decode(Preview, blob.content.decode())
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            raise self._container.damaged(name, error) from error


def _age(preview: Preview) -> tuple[Any, ...]:
    return preview.begun_at, preview.pull
