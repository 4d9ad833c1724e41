"""The specs of one repository: ``ports.Specs``, and what pull requests need to know."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from functools import partial

from reconciler.core.desired.yaml_text import MAX_FILE_BYTES
from reconciler.core.errors import Permanent, Transient
from reconciler.git.address import commit_id, folder_parts, full_ref, parse_address
from reconciler.git.cache import own_folder
from reconciler.git.clone import Clone, Damaged
from reconciler.git.command import Git
from reconciler.git.credentials import Credentials
from reconciler.git.errors import failed
from reconciler.git.objects import (
    Absent,
    Listing,
    Objects,
    changed_paths,
    listing,
    missing_files,
    opened,
    read_files,
    refuse_large,
)
from reconciler.git.settings import GitSettings

MAX_COMMITS = 1_000


class GitSpecs:
    """The texts of the specs in a Git repository, at any commit.

    Safe for many tasks and processes on one machine, which share one cached clone. Every method
    raises Transient or Permanent when the repository cannot be read; neither holds a secret.
    """

    def __init__(self, settings: GitSettings, credentials: Credentials | None = None) -> None:
        """Raises Permanent for settings that cannot be meant, and for a cache of others."""
        self._branch = full_ref(settings.branch)
        self._parts = folder_parts(settings.path)
        self.address = parse_address(settings.url)
        self._git = Git(self.address, settings, own_folder(settings.cache), credentials)
        self._clone = Clone(self._git, "files")
        self._history = Clone(self._git, "history")

    async def head(self) -> str:
        """The newest commit of the branch."""
        return await self.resolve(self._branch)

    async def resolve(self, ref: str) -> str:
        """The commit that a branch, or a full name such as ``refs/pull/7/merge``, stands for."""
        ref = full_ref(ref)
        token = await self._git.authorization()
        arguments = ("ls-remote", "--quiet", "--", "origin", ref, f"{ref}^{{}}")
        answer = await self._git.connect(*arguments, authorization=token)
        if answer.code:
            raise failed("asking", self.address.url, answer.stderr)
        lines = [line.split("\t") for line in answer.stdout.decode("utf-8", "replace").split("\n")]
        found = {line[1]: line[0] for line in lines if len(line) == 2}
        # A tag of its own kind is followed to its commit.
        if commit := found.get(f"{ref}^{{}}") or found.get(ref):
            return commit_id(commit)
        raise Permanent(
            f"{ref.removeprefix('refs/heads/')} is not in {self.address.url}: the branch was "
            "deleted or never pushed; check RECONCILER_BRANCH"
        )

    async def read(self, commit: str) -> Mapping[str, str]:
        """The spec files at a commit, by their path in the repository.

        Raises SpecErrors for content that is refused. Servers also give out commits that are on
        no branch, such as those of a fork: take the commit from ``head`` or ``resolve``, or see
        that ``on_branch`` holds.
        """
        commit = commit_id(commit)
        return await self._with(self._clone, partial(self._read, commit))

    async def read_ref(self, ref: str) -> tuple[str, Mapping[str, str]]:
        """The commit that a ref stands for now, and its spec files."""
        commit = await self.resolve(ref)
        return commit, await self.read(commit)

    async def on_branch(self, commit: str) -> bool:
        """Whether the branch, as it is now, has a commit."""
        return not await self.commits_between(await self.head(), commit)

    async def changed_paths(self, old: str, new: str) -> list[str]:
        """The paths of all files, specs or not, that differ between two commits; sorted."""
        commits = commit_id(old), commit_id(new)
        return await self._with(self._clone, partial(self._changed, *commits))

    async def commits_between(self, old: str, new: str) -> list[str]:
        """The commits that ``new`` has and ``old`` has not, newest first, 1,000 at most."""
        commits = commit_id(old), commit_id(new)
        return await self._with(self._history, partial(self._between, *commits))

    async def _with[T](self, clone: Clone, work: Callable[[], Awaitable[T]]) -> T:
        """Do it; if the clone turns out to be damaged, once more with a new one."""
        try:
            async with clone.locked():
                return await self._twice(clone, work)
        except OSError as error:
            raise Transient(
                f"the cached clone {clone.folder} could not be used: {error.strerror or error}"
            ) from error

    async def _twice[T](self, clone: Clone, work: Callable[[], Awaitable[T]]) -> T:
        try:
            return await work()
        except (Damaged, Absent):
            await clone.anew()
        try:
            return await work()
        except (Damaged, Absent):
            clone.discard()
            raise Permanent(
                f"{self.address.url} does not give all that belongs to its commits: "
                "the repository may be damaged (git fsck)"
            ) from None

    async def _read(self, commit: str) -> Mapping[str, str]:
        def texts(objects: Objects) -> Mapping[str, str]:
            return read_files(objects, listing(objects, commit, self._parts))

        try:
            return await self._look(texts)
        except Absent:
            await self._download(commit)
        return await self._look(texts)

    async def _download(self, commit: str) -> None:
        """Fetch what is needed to read a commit, and no more if the server can do that."""
        found = await self._listed(commit)
        missing = partial(missing_files, found=found)
        if not await self._look(missing):
            return
        try:
            await self._clone.fetch_files(found.tree, MAX_FILE_BYTES + 1)
        except Permanent:
            # Not every server gives out a folder: take the whole commit.
            await self._clone.anew()
            await self._clone.fetch_commit(commit, filtered="")
        refuse_large(await self._look(missing))

    async def _listed(self, commit: str) -> Listing:
        look = partial(listing, commit=commit, parts=self._parts)
        try:
            return await self._look(look)
        except Absent:
            await self._clone.fetch_commit(commit)
        return await self._look(look)

    async def _changed(self, old: str, new: str) -> list[str]:
        for commit in (old, new):
            try:
                await self._look(partial(Objects.root, commit=commit))
            except Absent:
                await self._clone.fetch_commit(commit)
        return await self._look(partial(changed_paths, old=old, new=new))

    async def _between(self, old: str, new: str) -> list[str]:
        for commit in (old, new):
            if (await self._history.ask("cat-file", "-e", f"{commit}^{{commit}}")).code:
                await self._history.fetch_commit(commit, filtered="tree:0", depth=0)
        arguments = ("rev-list", f"--max-count={MAX_COMMITS}", "--topo-order", new, f"^{old}")
        answer = await self._history.ask(*arguments, "--")
        if answer.code:
            raise Damaged
        return answer.stdout.decode("ascii").split()

    async def _look[T](self, question: Callable[[Objects], T]) -> T:
        """Read objects in a thread: GitPython waits for git."""
        return await asyncio.to_thread(self._look_now, question)

    def _look_now[T](self, question: Callable[[Objects], T]) -> T:
        folder = self._clone.folder
        with opened(folder, self._git.local(folder)) as objects:
            return question(objects)
