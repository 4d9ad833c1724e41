"""One bare repository, through the git binary: what GitHub does to commits without a work tree."""

from __future__ import annotations

import asyncio
import os
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

NO_COMMIT = "0" * 40
EMPTY_TREE = "4b825dc642cb6eb9a060e54bf8d69288fbee4904"
FIELDS = ("%H", "%T", "%P", "%an", "%ae", "%aI", "%cn", "%ce", "%cI", "%B")
# Nothing of whoever started the emulator: no configuration, hooks, prompts or signatures.
ISOLATED = {
    "GIT_CONFIG_GLOBAL": os.devnull,
    "GIT_CONFIG_NOSYSTEM": "1",
    "GIT_TERMINAL_PROMPT": "0",
    "LC_ALL": "C.UTF-8",
}


class GitFailed(Exception):
    """Git refused; the message is what it wrote to standard error."""


@dataclass(frozen=True)
class Person:
    """Who made a commit and when; `date` as RFC 3339."""

    name: str
    email: str
    date: str


@dataclass(frozen=True)
class Commit:
    sha: str
    tree: str
    parents: tuple[str, ...]
    author: Person
    committer: Person
    message: str


@dataclass(frozen=True)
class Changed:
    """A file that differs between two commits; no `patch` for binary files."""

    path: str
    status: str  # added, removed, modified, renamed
    sha: str | None
    additions: int
    deletions: int
    patch: str | None = None
    previous: str | None = None


def environment(more: Mapping[str, str] | None = None) -> dict[str, str]:
    """What git is run with."""
    return {"PATH": os.environ.get("PATH", os.defpath), **ISOLATED, **(more or {})}


class Git:
    """A bare repository in `folder`. All methods raise `GitFailed` when git refuses."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    async def run(
        self, *arguments: str, data: bytes = b"", env: Mapping[str, str] | None = None
    ) -> str:
        code, out, error = await self.attempt(*arguments, data=data, env=env)
        if code:
            raise GitFailed(error.strip())
        return out

    async def attempt(
        self, *arguments: str, data: bytes = b"", env: Mapping[str, str] | None = None
    ) -> tuple[int, str, str]:
        """Exit code, output and errors of a command."""
        process = await asyncio.create_subprocess_exec(
            "git",
            *arguments,
            cwd=self.folder,
            env=environment(env),
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
        )
        out, error = await process.communicate(data)
        return process.returncode or 0, out.decode("utf-8", "replace"), error.decode()

    async def create(self, branch: str) -> None:
        """Make the repository. Clients may filter, and fetch any commit, as on GitHub."""
        self.folder.mkdir(parents=True)
        await self.run("init", "-q", "--bare", "-b", branch, ".")
        settings = {
            "http.receivepack": "true",
            "uploadpack.allowFilter": "true",
            "uploadpack.allowAnySHA1InWant": "true",
            "receive.hideRefs": "refs/pull",  # only the server writes these
            "gc.auto": "0",
        }
        for name, value in settings.items():
            await self.run("config", name, value)

    # Reading

    async def resolve(self, name: str) -> str | None:
        """The commit that a ref, branch or (short) sha stands for."""
        if name.startswith("-"):
            return None
        code, out, _ = await self.attempt(
            "rev-parse", "--verify", "--quiet", "--end-of-options", f"{name}^{{commit}}"
        )
        return out.strip() if code == 0 else None

    async def refs(self, prefix: str = "refs/heads/") -> dict[str, str]:
        """Full names of refs and what they point at."""
        form = "--format=%(refname) %(objectname)"
        lines = (await self.run("for-each-ref", form, prefix)).splitlines()
        return {name: sha for name, _, sha in (line.partition(" ") for line in lines)}

    async def log(self, *selection: str) -> list[Commit]:
        """Commits as `git log` selects them, newest first unless told otherwise."""
        form = "--format=" + "%x00".join(FIELDS)
        parts = (await self.run("log", "-z", form, *selection)).split("\0")
        size = len(FIELDS)
        rows = [parts[at : at + size] for at in range(0, len(parts) - size + 1, size)]
        return [_commit(row) for row in rows]

    async def commit(self, sha: str) -> Commit:
        form = "--format=" + "%x00".join(FIELDS)
        out = await self.run("log", "-z", form, "--max-count=1", sha)
        return _commit(out.rstrip("\0").split("\0"))

    async def count(self, selection: str) -> int:
        return int(await self.run("rev-list", "--count", selection))

    async def merge_base(self, one: str, other: str) -> str | None:
        code, out, _ = await self.attempt("merge-base", one, other)
        return out.split()[0] if code == 0 else None

    async def contains(self, commit: str, ancestor: str) -> bool:
        code, _, _ = await self.attempt("merge-base", "--is-ancestor", ancestor, commit)
        return code == 0

    async def entries(self, commit: str, path: str) -> list[tuple[str, str, str, str]] | None:
        """(mode, type, sha, path) of what lies at a path: a file itself, a folder's content."""
        name = f"{commit}:{path}" if path else f"{commit}^{{tree}}"
        code, kind, _ = await self.attempt("cat-file", "-t", name)
        if code:
            return None
        if kind.strip() == "blob":
            out = await self.run("ls-tree", "-z", commit, "--", path)
        else:
            prefix = [f"{path}/"] if path else []
            out = await self.run("ls-tree", "-z", commit, "--", *prefix)
        return [_entry(line) for line in out.split("\0") if line]

    async def blob(self, sha: str) -> bytes:
        process = await asyncio.create_subprocess_exec(
            *("git", "cat-file", "blob", sha),
            cwd=self.folder,
            env=environment(),
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
        )
        out, error = await process.communicate()
        if process.returncode:
            raise GitFailed(error.decode().strip())
        return out

    async def names(self, old: str | None, new: str) -> list[tuple[str, str]]:
        """(letter, path) of what differs; everything where there is no old commit."""
        words = ("diff-tree", "-r", "-z", "--name-status", "--no-renames")
        parts = (await self.run(*words, old or EMPTY_TREE, new)).split("\0")
        return list(zip(parts[::2], parts[1::2], strict=False))

    async def diff(self, old: str, new: str) -> list[Changed]:
        """What differs, with the patch of each file; renames are found."""
        same = ("-M", "--no-color", "--no-ext-diff", old, new)
        raw = await self.run("diff-tree", "-r", "-z", "--raw", "--no-abbrev", *same)
        numbers = await self.run("diff-tree", "-r", "-z", "--numstat", *same)
        text = await self.run("diff-tree", "-r", "-p", *same)
        patches = iter(("\n" + text).split("\ndiff --git ")[1:])
        return [
            # A file that became a link is shown as two patches.
            _changed(one, count, "".join(islice(patches, 2 if one[0] == "T" else 1)))
            for one, count in zip(_raw(raw), _numbers(numbers), strict=True)
        ]

    # Writing

    async def update_ref(self, ref: str, new: str, old: str | None = None) -> None:
        """Move a ref; `old` must be what it is now, where given."""
        await self.run("update-ref", ref, new, *([old] if old is not None else []))

    async def delete_ref(self, ref: str) -> None:
        await self.run("update-ref", "-d", ref)

    async def write_tree(self, base: str | None, files: Mapping[str, str | bytes | None]) -> str:
        """The tree of `base` with these files; None removes one."""
        index = self.folder / f"index-{uuid.uuid4().hex}"
        env = {"GIT_INDEX_FILE": str(index)}
        try:
            await self.run("read-tree", *([base] if base else ["--empty"]), env=env)
            lines = [await self._line(path, content) for path, content in files.items()]
            data = "\0".join([*lines, ""]).encode()
            await self.run("update-index", "-z", "--index-info", data=data, env=env)
            return (await self.run("write-tree", env=env)).strip()
        finally:
            index.unlink(missing_ok=True)

    async def _line(self, path: str, content: str | bytes | None) -> str:
        if content is None:
            return f"0 {NO_COMMIT}\t{path}"
        data = content.encode() if isinstance(content, str) else content
        sha = await self.run("hash-object", "-w", "--stdin", data=data)
        return f"100644 {sha.strip()}\t{path}"

    async def write_commit(
        self,
        tree: str,
        parents: Sequence[str],
        message: str,
        author: Person,
        committer: Person | None = None,
    ) -> str:
        flags = [word for parent in parents for word in ("-p", parent)]
        committer = committer or author
        env = {
            "GIT_AUTHOR_NAME": author.name,
            "GIT_AUTHOR_EMAIL": author.email,
            "GIT_AUTHOR_DATE": author.date,
            "GIT_COMMITTER_NAME": committer.name,
            "GIT_COMMITTER_EMAIL": committer.email,
            "GIT_COMMITTER_DATE": committer.date,
        }
        words = ("commit-tree", tree, *flags)
        return (await self.run(*words, data=message.encode(), env=env)).strip()

    async def merged_tree(self, ours: str, theirs: str) -> str | None:
        """The tree of a merge, or None when it conflicts."""
        code, out, error = await self.attempt("merge-tree", "--write-tree", ours, theirs)
        if code > 1:
            raise GitFailed(error.strip() or out.strip())
        return out.split()[0] if code == 0 else None

    async def fetch(self, source: Path, sha: str) -> None:
        """Bring a commit from another repository on this machine."""
        await self.run("fetch", "-q", "--no-tags", str(source), sha)


def _commit(row: Sequence[str]) -> Commit:
    sha, tree, parents, *who, message = row
    author, committer = Person(*who[:3]), Person(*who[3:])
    return Commit(sha, tree, tuple(parents.split()), author, committer, message.rstrip("\n"))


def _entry(line: str) -> tuple[str, str, str, str]:
    meta, _, path = line.partition("\t")
    mode, kind, sha = meta.split()
    return mode, kind, sha, path


def _raw(text: str) -> list[tuple[str, str, str, str | None]]:
    """(letter, sha after, path, path before) from `--raw -z`."""
    found: list[tuple[str, str, str, str | None]] = []
    parts = iter(text.split("\0"))
    for meta in parts:
        if meta.startswith(":"):
            words = meta.split()
            first = next(parts)
            renamed = words[4][0] in "RC"
            path = next(parts) if renamed else first
            found.append((words[4][0], words[3], path, first if renamed else None))
    return found


def _numbers(text: str) -> list[tuple[int, int]]:
    """(additions, deletions) from `--numstat -z`; a binary file has 0 of each."""
    found = []
    parts = iter(text.split("\0"))
    for part in parts:
        if part:
            added, deleted, path = part.split("\t", 2)
            found.append((_count(added), _count(deleted)))
            if not path:  # renamed: the two names follow
                next(parts), next(parts)
    return found


def _count(word: str) -> int:
    return 0 if word == "-" else int(word)


def _changed(raw: tuple[str, str, str, str | None], count: tuple[int, int], text: str) -> Changed:
    letter, sha, path, previous = raw
    names = {"A": "added", "D": "removed", "R": "renamed", "C": "copied"}
    at = text.find("\n@@")
    patch = text[at + 1 :].rstrip("\n") if at >= 0 else None
    known = None if sha == NO_COMMIT else sha
    return Changed(path, names.get(letter, "modified"), known, *count, patch, previous)
