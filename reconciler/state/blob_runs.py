"""Runs in Blob storage: headers that list newest first, plans, and markers of what is open.

A header is a small blob, and its own metadata too, so that a listing shows fifty runs in one
request. Its name begins with the run's id turned round (``0`` ↔ ``9``, ``a`` ↔ ``z``): ids sort by
time and storage lists by name, so the newest comes first.
"""

import asyncio
import base64
import gzip
import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from string import ascii_lowercase, ascii_uppercase, digits
from typing import Any, Final
from urllib.parse import quote

from reconciler.core.model import Mode, Outcome, Run, RunHeader
from reconciler.state.blob_container import Blob, Container
from reconciler.state.blob_log import Pen
from reconciler.state.codec import decode, encode

TURNED: Final = str.maketrans(
    digits + ascii_lowercase + ascii_uppercase,
    digits[::-1] + ascii_lowercase[::-1] + ascii_uppercase[::-1],
)
RUN_ID: Final = re.compile(r"[A-Za-z0-9._-]{1,200}")
DETAIL: Final = 300
ASKER: Final = 100
"""Characters of a run's detail, and of who asked, that a listing shows: metadata holds 8 KiB in
all, and each may take 16 bytes of it."""
AT_ONCE: Final = 16
HEADERS: Final = "runs/headers/"


@dataclass(frozen=True, slots=True)
class Saved:
    """A header as it was read."""

    header: RunHeader
    plan: str
    """The blob that holds the run as it was planned."""
    etag: str


class Runs:
    """Run blobs in a container. What is damaged raises Permanent."""

    def __init__(self, container: Container) -> None:
        self._container = container

    async def find(self, run_id: str) -> Saved | None:
        """A run's header, fresh."""
        if not RUN_ID.fullmatch(run_id):
            return None
        name = HEADERS + name_of(run_id)
        blob = await self._container.read(name)
        if blob is None:
            return None
        header = self._decoded(RunHeader, name, blob.content.decode(errors="replace"))
        return Saved(header, blob.metadata.get("plan", ""), blob.etag)

    async def create(self, run: Run) -> None:
        """Save a run unless one of its id is there."""
        # The marker first: an open run that nothing points at would never be looked after.
        await self._container.create(_marker(run.header), b"")
        plan = await self._write_plan(run)
        header = encode(run.header).encode()
        metadata = _metadata(run.header, plan)
        if not await self._container.create(HEADERS + name_of(run.id), header, metadata):
            await self._drop(run.id, plan)

    async def plan(self, saved: Saved, run: Run) -> bool:
        """Save a run's plan and state; False when the header is no longer as it was read."""
        plan = await self._write_plan(run)
        won = await self._replace(saved, run.header, plan)
        return await self._drop(run.id, saved.plan if won else plan) or won

    async def change(self, saved: Saved, header: RunHeader) -> bool:
        """Save a run's state; False when the header is no longer as it was read."""
        if not await self._replace(saved, header, saved.plan):
            return False
        await self.tidy(header)
        return True

    async def tidy(self, header: RunHeader) -> None:
        """A run that has ended is no longer listed among the open ones."""
        if not header.open:
            await self._container.delete(_marker(header))

    async def whole(self, saved: Saved, outcomes: Mapping[str, Outcome]) -> Run | None:
        """The run with its plan; None when somebody has planned it anew meanwhile."""
        blob = await self._container.read(saved.plan)
        if blob is None:
            now = await self.find(saved.header.id)
            if now and now.plan == saved.plan:
                raise self._container.damaged(saved.plan, "it is missing")
            return None
        run = self._decoded(Run, saved.plan, self._unpacked(saved.plan, blob))
        header = saved.header
        return replace(
            run,
            state=header.state,
            detail=header.detail,
            ended_at=header.ended_at,
            outcomes={**run.outcomes, **outcomes},
        )

    async def newest(
        self, environment: str, limit: int, mode: Mode | None = None
    ) -> list[RunHeader]:
        """Headers from listings alone; a long detail is cut."""
        found: list[RunHeader] = []
        page = None if environment or mode else limit
        async for one in self._container.list(HEADERS, page):
            text = base64.b64decode(one.metadata.get("header", "")).decode(errors="replace")
            header = self._decoded(RunHeader, one.name, text)
            if environment in ("", header.environment) and mode in (None, header.mode):
                found.append(header)
            if len(found) == limit:
                break
        return sorted(found, key=_age, reverse=True)

    async def open(self, environment: str) -> list[RunHeader]:
        """Headers of runs that have not ended, oldest first."""
        prefix = f"runs/open/{quote(environment, safe='')}/" if environment else "runs/open/"
        names = [one.name async for one in self._container.list(prefix)]
        limit = asyncio.Semaphore(AT_ONCE)

        async def read(name: str) -> Saved | None:
            async with limit:
                return await self.find(name.rpartition("~")[2])

        found = await asyncio.gather(*map(read, names))
        for one in found:
            if one:
                await self.tidy(one.header)  # whoever ended it broke off before this
        return sorted((one.header for one in found if one and one.header.open), key=_age)

    async def _write_plan(self, run: Run) -> str:
        """Under a name of its own: the header says which one counts."""
        name = f"runs/plans/{name_of(run.id)}/{Pen().writer}"
        text = encode(run).encode()
        await self._container.create(name, gzip.compress(text, compresslevel=1))
        return name

    async def _drop(self, run_id: str, plan: str) -> bool:
        """Delete a plan, unless it counts: then the answer that said so was lost."""
        saved = await self.find(run_id)
        if saved and saved.plan == plan:
            return True
        await self._container.delete(plan)
        return False

    async def _replace(self, saved: Saved, header: RunHeader, plan: str) -> bool:
        name = HEADERS + name_of(header.id)
        content = encode(header).encode()
        return await self._container.replace(name, content, _metadata(header, plan), saved.etag)

    def _unpacked(self, name: str, blob: Blob) -> str:
        try:
            return gzip.decompress(blob.content).decode()
        except (OSError, EOFError, ValueError) as error:
            raise self._container.damaged(name, error) from error

    def _decoded[T](self, cls: type[T], name: str, text: str) -> T:
        try:
            return decode(cls, text)
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            raise self._container.damaged(name, error) from error


def name_of(run_id: str) -> str:
    """The end of a run's blob names."""
    return f"{run_id.translate(TURNED)}~{run_id}"


def _marker(header: RunHeader) -> str:
    return f"runs/open/{quote(header.environment, safe='')}/{name_of(header.id)}"


def _metadata(header: RunHeader, plan: str) -> dict[str, str]:
    """What travels in HTTP headers: plain ASCII, and short."""
    short = replace(
        header, detail=_cut(header.detail, DETAIL), requested_by=_cut(header.requested_by, ASKER)
    )
    return {"header": base64.b64encode(encode(short).encode()).decode(), "plan": plan}


def _cut(text: str, longest: int) -> str:
    return text if len(text) <= longest else text[:longest] + "…"


def _age(header: RunHeader) -> tuple[Any, ...]:
    return header.created_at, header.id
