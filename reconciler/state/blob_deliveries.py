"""Which webhook deliveries were seen, in Blob storage: an empty blob for each, for a week."""

import hashlib
import os
from datetime import datetime, timedelta
from typing import Final

from reconciler.state.blob_container import Container

REMEMBERED: Final = timedelta(days=7)
"""How long a delivery is known; forges repeat one for a few days at most."""
DELIVERIES: Final = "deliveries/"


class Deliveries:
    """Delivery ids in a container: of many that ask at once exactly one hears that it is new."""

    def __init__(self, container: Container) -> None:
        self._container = container
        self._swept = ""

    async def seen(self, delivery: str, now: datetime) -> bool:
        """Remember a delivery id for a week; True when it was remembered before."""
        name = f"{DELIVERIES}{hashlib.sha256(delivery.encode()).hexdigest()}"
        mine = {"at": now.isoformat(), "by": os.urandom(6).hex()}
        while not await self._container.create(name, b"", mine):
            found = await self._container.read(name)
            if found is None:
                continue
            if found.metadata["by"] == mine["by"]:
                break  # ours: the answer to the first try was lost
            if datetime.fromisoformat(found.metadata["at"]) > now - REMEMBERED:
                return True
            if await self._container.replace(name, b"", mine, found.etag):
                break
        await self._forget(now)
        return False

    async def _forget(self, now: datetime) -> None:
        """Once a day and process: delete what is no longer remembered."""
        today, self._swept = self._swept, now.date().isoformat()
        if today == self._swept:
            return
        async for one in self._container.list(DELIVERIES):
            if datetime.fromisoformat(one.metadata["at"]) <= now - REMEMBERED:
                await self._container.delete(one.name)
