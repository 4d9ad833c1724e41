"""Which commit a folder's specs come from."""

import shutil
import subprocess
from pathlib import Path


def commit_at(folder: Path) -> str:
    """The commit of the specs in ``folder``; "" outside Git, and when they differ from it."""
    git = shutil.which("git")
    if git is None or not folder.is_dir():
        return ""
    commit = _answer(git, folder, "rev-parse", "--verify", "--quiet", "HEAD")
    changed = _answer(git, folder, "status", "--porcelain", "--untracked-files=all", "--", ".")
    return commit.strip() if commit and changed == "" else ""


def _answer(git: str, folder: Path, *arguments: str) -> str | None:
    """What Git says; None when it refuses."""
    # --no-optional-locks: looking must not write to somebody's work tree.
    command = [git, "--no-optional-locks", "-C", str(folder), *arguments]
    found = subprocess.run(command, capture_output=True, text=True, check=False)  # noqa: S603 - no shell, no foreign words
    return found.stdout if found.returncode == 0 else None
