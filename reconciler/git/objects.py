"""Reads commits, trees and files from a clone's objects through GitPython.

Nothing is checked out: no filter, hook, attribute or submodule can take effect, and a symbolic
link is no more than a name.
"""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from stat import S_IFMT, S_ISDIR, S_ISLNK, S_ISREG
from typing import TYPE_CHECKING, Final

from reconciler.core.desired.files import MAX_FILES, MAX_FOLDERS, SUFFIXES, not_text
from reconciler.core.desired.yaml_text import MAX_ERRORS, MAX_FILE_BYTES, MAX_TOTAL_BYTES
from reconciler.core.errors import Permanent, SpecError, SpecErrors
from reconciler.git.clone import Damaged
from reconciler.git.command import git_version

if TYPE_CHECKING:
    from git.cmd import Git as GitPython

MAX_COMMIT_BYTES: Final = 1024 * 1024
MAX_TREE_BYTES: Final = MAX_TOTAL_BYTES
LFS: Final = b"version https://git-lfs.github.com/spec/"
"""How the stand-in of a file in Git LFS begins:
https://github.com/git-lfs/git-lfs/blob/main/docs/spec.md"""
SUBMODULE: Final = 0o160000
MAX_PATH: Final = 4096


class Absent(Exception):
    """An object is not in the clone; ``id`` says which."""

    def __init__(self, object_id: str) -> None:
        super().__init__(object_id)
        self.id = object_id


@dataclass(frozen=True, slots=True)
class Entry:
    """One name in a folder."""

    name: str
    mode: int
    id: str


@dataclass(frozen=True, slots=True)
class Listing:
    """The spec files of a commit, unread: object ids by path; and the folder they are in."""

    tree: str
    files: Mapping[str, str]


class Objects:
    """The objects of one clone."""

    def __init__(self, git: "GitPython") -> None:
        self._git = git
        self._tree_bytes = 0

    def size(self, object_id: str) -> int:
        """In bytes. Raises Absent."""
        return self._header(object_id)[1]

    def data(self, object_id: str, kind: str) -> bytes:
        """The bytes of a commit, tree or blob. Raises Absent, or Damaged."""
        found, size = self._header(object_id)
        if found != kind:
            raise Damaged
        try:
            _, _, _, data = self._git.get_object_data(object_id)
        except (ValueError, OSError):
            raise Damaged from None
        if len(data) != size:
            raise Damaged
        return data

    def _header(self, object_id: str) -> tuple[str, int]:
        try:
            _, kind, size = self._git.get_object_header(object_id)
        except ValueError as error:
            if f"{object_id} missing" in str(error):
                raise Absent(object_id) from None
            raise Damaged from None
        except OSError:
            raise Damaged from None
        # Typed as text, given as bytes.
        return kind if isinstance(kind, str) else bytes(kind).decode(), size

    def root(self, commit: str) -> str:
        """The tree of a commit. Raises Absent, and Permanent for what is no commit."""
        kind, size = self._header(commit)
        if kind != "commit":
            raise Permanent(f"{commit} is a {kind}, not a commit")
        if size > MAX_COMMIT_BYTES:
            raise Permanent(f"{commit} has a message of {size:,} bytes, which is not read")
        first = self.data(commit, "commit").partition(b"\n")[0]
        return first.removeprefix(b"tree ").decode("ascii")

    def entries(self, tree: str) -> list[Entry]:
        """What is in one folder. Raises Absent, and SpecErrors for too much or malformed."""
        from git.objects.fun import tree_entries_from_data

        self._tree_bytes += self.size(tree)
        if self._tree_bytes > MAX_TREE_BYTES:
            raise SpecErrors([SpecError("", "the specs folder holds too many names")])
        data = self.data(tree, "tree")
        try:
            found = tree_entries_from_data(data)
        except ValueError:
            message = f"a folder of the repository is malformed (tree {tree})"
            raise SpecErrors([SpecError("", message)]) from None
        return [Entry(name, mode, binary.hex()) for binary, mode, name in found]


@contextmanager
def opened(folder: Path, environment: Mapping[str, str]) -> Iterator[Objects]:
    """The objects of a clone; the processes that read them end with the block."""
    try:
        from git.cmd import Git as GitPython
    except ImportError:
        git_version()  # it is imported only where there is a binary
        raise

    git = GitPython(folder)
    git.update_environment(**environment)
    try:
        yield Objects(git)
    finally:
        git.clear_cache()


def listing(objects: Objects, commit: str, parts: tuple[str, ...]) -> Listing:
    """The spec files below a folder of a commit, unread.

    Hidden names, files that are not YAML and links to folders are left out. Raises Absent, and
    SpecErrors for a folder that is not there, links and submodules in place of specs, names that
    cannot be shown, and more than the limits.
    """
    tree = objects.root(commit)
    for depth, part in enumerate(parts):
        found = [one for one in objects.entries(tree) if one.name == part]
        if not found or not S_ISDIR(found[0].mode):
            shown = "/".join(parts[: depth + 1])
            way_out = "check RECONCILER_SPECS_PATH, and the branch"
            message = f"there is no folder {shown} at commit {commit[:12]}: {way_out}"
            raise SpecErrors([SpecError("", message)])
        tree = found[0].id
    return Listing(tree, _files(objects, tree, "/".join(parts) or "."))


def _files(objects: Objects, tree: str, top: str) -> dict[str, str]:
    files: dict[str, str] = {}
    errors: list[SpecError] = []
    waiting, folders = [(top, tree)], 0
    while waiting:
        prefix, tree = waiting.pop()
        folders += 1
        for entry in objects.entries(tree):
            path = f"{prefix}/{entry.name}"
            if entry.name.startswith("."):
                continue
            if S_ISDIR(entry.mode):
                waiting.append((path, entry.id))
            elif refusal := _refusal(entry, path):
                errors.append(refusal)
            elif S_ISREG(entry.mode) and entry.name.endswith(SUFFIXES):
                files[path] = entry.id
        _within_limits(len(files), folders, len(prefix), top)
        if len(errors) >= MAX_ERRORS:
            break
    if not files and not errors:
        message = f"there is no YAML file (*.yaml, *.yml) in {top}: write a document"
        errors = [SpecError("", f"{message}, or check RECONCILER_SPECS_PATH")]
    if errors:
        raise SpecErrors(sorted(errors))
    return dict(sorted(files.items()))


def _within_limits(files: int, folders: int, path: int, top: str) -> None:
    message = ""
    if files > MAX_FILES:
        message = f"there are more than {MAX_FILES:,} YAML files in {top}"
    elif folders > MAX_FOLDERS:
        message = f"there are more than {MAX_FOLDERS:,} folders in {top}"
    elif path > MAX_PATH:
        message = f"a path in {top} is longer than {MAX_PATH:,} characters"
    if message:
        raise SpecErrors([SpecError("", message)])


def _refusal(entry: Entry, path: str) -> SpecError | None:
    """Why a name cannot be passed over: what it stands for would be missing from the specs."""
    yaml = entry.name.endswith(SUFFIXES)
    if S_IFMT(entry.mode) == SUBMODULE:
        reason = "this is a submodule, which is not followed: keep the specs in this repository"
    elif yaml and S_ISLNK(entry.mode):
        reason = "this is a symbolic link, which is not followed: put the file itself here"
    elif yaml and not path.isprintable():
        reason = "the name holds characters that cannot be shown: rename the file"
    else:
        return None
    if not path.isprintable():
        return SpecError("", f"{path!a}: {reason}")
    return SpecError(f"{path}:1:1", reason)


def read_files(objects: Objects, found: Listing) -> dict[str, str]:
    """The texts, by path. Raises Absent, and SpecErrors for too much, Git LFS and what is no
    UTF-8, before too much is read."""
    sizes = {path: objects.size(object_id) for path, object_id in found.files.items()}
    refuse_large([path for path, size in sizes.items() if size > MAX_FILE_BYTES])
    if sum(sizes.values()) > MAX_TOTAL_BYTES:
        message = f"the YAML files together are larger than {MAX_TOTAL_BYTES >> 20} MiB"
        raise SpecErrors([SpecError("", f"{message}: is it the right folder?")])
    texts: dict[str, str] = {}
    errors: list[SpecError] = []
    for path, object_id in found.files.items():
        data = objects.data(object_id, "blob")
        if data.startswith(LFS):
            message = "this file is kept in Git LFS, which is not read: keep it in Git itself"
            errors.append(SpecError(f"{path}:1:1", message))
            continue
        try:
            texts[path] = data.decode("utf-8")
        except UnicodeDecodeError as error:
            errors.append(not_text(path, error))
    if errors:
        raise SpecErrors(errors)
    return texts


def refuse_large(paths: list[str]) -> None:
    """Raises SpecErrors for files that are too large, if there are any."""
    message = f"the file is larger than {MAX_FILE_BYTES >> 20} MiB: split it"
    if errors := [SpecError(f"{path}:1:1", message) for path in paths]:
        raise SpecErrors(errors)


def missing_files(objects: Objects, found: Listing) -> list[str]:
    """The paths of the files that are not in the clone."""
    missing = []
    for path, object_id in found.files.items():
        try:
            objects.size(object_id)
        except Absent:
            missing.append(path)
    return missing


def changed_paths(objects: Objects, old: str, new: str) -> list[str]:
    """The paths of the files that differ between two commits, in order. Raises Absent."""
    changed: list[str] = []
    waiting = [("", objects.root(old), objects.root(new))]
    while waiting:
        prefix, before, after = waiting.pop()
        if before == after:
            continue
        sides = [
            {one.name: one for one in objects.entries(tree)} if tree else {}
            for tree in (before, after)
        ]
        for name in sides[0].keys() | sides[1].keys():
            one, other = sides[0].get(name), sides[1].get(name)
            if one == other:
                continue
            folders = [side.id if side and S_ISDIR(side.mode) else "" for side in (one, other)]
            if any(folders):
                waiting.append((f"{prefix}{name}/", folders[0], folders[1]))
            if any(side and not S_ISDIR(side.mode) for side in (one, other)):
                changed.append(prefix + name)
    return sorted(changed)
