"""A bare clone that may be lost at any time, used by one task of one process at once.

It holds no refs of the repository's, no remote, no work tree and no hooks: only packs of objects,
the last commit fetched, and the list of commits whose parents were left out. Whatever looks wrong
with it is answered by throwing it away: a clone anew costs a fraction of a second.
"""

import asyncio
import fcntl
import os
import shutil
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from hashlib import sha256
from typing import Final

from reconciler.core.errors import Transient
from reconciler.git.cache import own_folder
from reconciler.git.command import Answer, Git
from reconciler.git.errors import failed, perhaps_ours

MAX_PACKS: Final = 40
LOCK_POLL_S: Final = 0.02
LOCK_PATIENCE_S: Final = 15.0
"""How much longer than one command others may have the clone."""
LAST: Final = "refs/reconciler/last"
_FETCH: Final = (
    *("fetch", "--quiet", "--no-tags", "--no-write-fetch-head", "--no-auto-maintenance"),
    *("--no-recurse-submodules", "--force"),
)


class Damaged(Exception):
    """The clone does not hold what it should: throw it away."""


class Clone:
    """What has been fetched of one repository. Everything but ``locked`` needs the lock."""

    def __init__(self, git: Git, purpose: str) -> None:
        key = sha256(f"{purpose}\n{git.address.url}".encode()).hexdigest()[:24]
        self.folder = git.settings.cache / key
        self._lock_file = git.settings.cache / f"{key}.lock"
        self._busy = git.settings.cache / f"{key}.busy"
        self._git = git
        self._lock = -1
        self._new = False

    @asynccontextmanager
    async def locked(self) -> AsyncIterator[None]:
        """Hold the clone alone, and in order. Raises Transient when others hold it for too long."""
        own_folder(self._git.settings.cache)
        flags = os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW
        descriptor = os.open(self._lock_file, flags, 0o600)
        try:
            await self._acquire(descriptor)
            self._lock = descriptor  # until the next one has it
            await self._prepare()
            yield
        finally:
            os.close(descriptor)

    async def _acquire(self, descriptor: int) -> None:
        seconds = self._git.settings.timeout_s + LOCK_PATIENCE_S
        try:
            async with asyncio.timeout(seconds):
                while not _flock(descriptor):  # there is nothing to await: others are processes
                    await asyncio.sleep(LOCK_POLL_S)
        except TimeoutError:
            raise Transient(
                f"the cached clone {self.folder} was in use for more than {seconds:g} seconds"
            ) from None

    async def _prepare(self) -> None:
        if self._busy.exists() or self._spoiled():
            self.discard()
        self._new = not self.folder.exists()
        if self._new:
            self._busy.touch(mode=0o600)
            arguments = ("init", "--quiet", "--bare", "--initial-branch=none", str(self.folder))
            answer = await self._git.run(*arguments, env=self._git.local(None), lock=self._lock)
            if answer.code:
                raise failed("making a clone in", str(self.folder), answer.stderr)
            self._busy.unlink()

    def _spoiled(self) -> bool:
        """Whether it is a ruin, or has grown so many packs that starting anew is cheaper."""
        if not self.folder.exists():
            return False
        packs = list((self.folder / "objects" / "pack").glob("*"))
        return (
            not (self.folder / "HEAD").is_file()
            or any(self.folder.glob("*.lock"))
            or any(path.name.startswith("tmp_") for path in packs)
            or sum(path.suffix == ".pack" for path in packs) > MAX_PACKS
        )

    def discard(self) -> None:
        """Throw everything away that was fetched."""
        if self.folder.exists():
            shutil.rmtree(self.folder)
        self._busy.unlink(missing_ok=True)

    async def anew(self) -> None:
        """Throw everything away and begin again."""
        self.discard()
        await self._prepare()

    async def fetch_commit(self, commit: str, filtered: str = "blob:none", depth: int = 1) -> None:
        """One commit with its trees but without its files; ``filtered=""``: with all of them;
        ``depth=0``: with its history. Raises Transient or Permanent."""
        options = [f"--depth={depth}"] if depth else []
        await self._fetch(filtered, "consecutive", *options, f"+{commit}:{LAST}")

    async def fetch_files(self, tree: str, larger_than: int) -> None:
        """The files of a tree, but for those of ``larger_than`` bytes and more."""
        # The trees are here, so git thinks that nothing is missing: --refetch says otherwise.
        await self._fetch(f"blob:limit={larger_than}", "noop", "--refetch", tree)

    async def _fetch(self, filtered: str, negotiation: str, *arguments: str) -> None:
        config = {"fetch.negotiationAlgorithm": negotiation}
        if filtered:
            # Said here, it is not written into the clone: reading never downloads by itself.
            config |= {
                "remote.origin.promisor": "true",
                "remote.origin.partialCloneFilter": filtered,
            }
            arguments = (f"--filter={filtered}", *arguments)
        *options, wanted = arguments
        authorization = await self._git.authorization()
        self._busy.touch(mode=0o600)
        answer = await self._git.connect(
            *(*_FETCH, *options, "--", "origin", wanted),
            authorization=authorization,
            folder=self.folder,
            config=config,
            lock=self._lock,
        )
        if answer.code >= 0:  # it ended by itself, so it has cleaned up
            self._busy.unlink()
        if answer.code and not self._new and perhaps_ours(answer.stderr):
            raise Damaged
        if answer.code:
            raise failed("fetching from", self._git.address.url, answer.stderr)

    async def ask(self, *arguments: str) -> Answer:
        """What git says about the objects that are here."""
        return await self._git.run(*arguments, env=self._git.local(self.folder), lock=self._lock)


def _flock(descriptor: int) -> bool:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
