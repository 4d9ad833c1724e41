"""Reads a spec folder from disk: only YAML, no symlinks, within limits."""

import os
import stat
from collections.abc import Iterator
from pathlib import Path

from reconciler.core.desired.files import MAX_FILES, MAX_FOLDERS, SUFFIXES, not_text
from reconciler.core.desired.yaml_text import MAX_FILE_BYTES, MAX_TOTAL_BYTES
from reconciler.core.errors import SpecError, SpecErrors

_FLAGS = getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0)


def read_folder(folder: str | Path) -> dict[str, str]:
    """The YAML files below a folder, by path from the folder's parent (``specs/models/chat.yaml``).

    Hidden files and folders and whatever is not a regular file are left out. Raises SpecErrors
    for a symbolic link to a folder or a YAML file (following it could leave the folder, and
    leaving it out could take what it declares for deleted), for a folder that is not there or
    holds no YAML, for files that are not UTF-8 text, and for more or larger files than the
    limits, before these are read.
    """
    root = Path(os.path.normpath(Path(folder).absolute()))
    shown = str(folder)
    if not root.is_dir():
        way_out = "name the folder that holds your specs, or run this where specs/ is"
        raise SpecErrors([SpecError("", f"there is no folder {shown}: {way_out}")])
    found = sorted(_files(root))
    errors = _limits(found, shown) or _names(found)
    if errors:
        raise SpecErrors(errors)
    texts: dict[str, str] = {}
    for path, _ in found:
        name = f"{root.name}/{path}" if root.name else path
        try:
            texts[name] = _read(root / path)
        except UnicodeDecodeError as error:
            errors.append(not_text(name, error))
        except OSError as error:
            errors.append(SpecError(f"{name}:1:1", f"cannot be read: {error.strerror}"))
    if errors:
        raise SpecErrors(errors)
    return texts


def _files(root: Path) -> Iterator[tuple[str, int]]:
    """Paths below ``root``, with ``/``, and their sizes in bytes."""
    waiting, folders = [("", root)], 0
    while waiting:
        prefix, folder = waiting.pop()
        folders += 1
        if folders > MAX_FOLDERS:
            raise SpecErrors([SpecError("", f"there are more than {MAX_FOLDERS:,} folders")])
        with os.scandir(folder) as entries:
            for entry in entries:
                if entry.name.startswith("."):
                    continue
                if entry.is_symlink() and (entry.name.endswith(SUFFIXES) or entry.is_dir()):
                    raise SpecErrors([_link(root, f"{prefix}{entry.name}")])
                if entry.is_dir(follow_symlinks=False):
                    waiting.append((f"{prefix}{entry.name}/", Path(entry.path)))
                elif entry.name.endswith(SUFFIXES) and entry.is_file(follow_symlinks=False):
                    yield prefix + entry.name, entry.stat(follow_symlinks=False).st_size


def _link(root: Path, path: str) -> SpecError:
    message = "is a symbolic link, which is not followed: put the file itself here"
    return SpecError(f"{root.name}/{path}", message)


def _limits(found: list[tuple[str, int]], folder: str) -> list[SpecError]:
    if not found:
        way_out = "write a document, or name another folder"
        return [SpecError("", f"there is no YAML file (*.yaml, *.yml) in {folder}: {way_out}")]
    if len(found) > MAX_FILES:
        return [SpecError("", f"there are more than {MAX_FILES:,} YAML files in {folder}")]
    errors = [
        SpecError(
            f"{Path(folder).name}/{path}:1:1",
            f"the file is larger than {MAX_FILE_BYTES >> 20} MiB: split it",
        )
        for path, size in found
        if size > MAX_FILE_BYTES
    ]
    if not errors and sum(size for _, size in found) > MAX_TOTAL_BYTES:
        message = f"the YAML files together are larger than {MAX_TOTAL_BYTES >> 20} MiB"
        errors.append(SpecError("", f"{message}: is {folder} the right folder?"))
    return errors


def _names(found: list[tuple[str, int]]) -> list[SpecError]:
    message = "holds characters that cannot be shown: rename the file"
    return [SpecError("", f"{path!a} {message}") for path, _ in found if not path.isprintable()]


def _read(path: Path) -> str:
    """The text of a regular file that nobody replaced by a link or made larger meanwhile."""
    descriptor = os.open(path, os.O_RDONLY | _FLAGS)
    with os.fdopen(descriptor, "rb") as file:
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            raise OSError(0, "it is not a regular file")
        return file.read(MAX_FILE_BYTES + 1).decode("utf-8")
