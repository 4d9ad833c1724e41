"""Which commit specs come from: asked of a real Git."""

import os
import subprocess
from pathlib import Path

import pytest

from reconciler.local.commit import commit_at


def git(folder: Path, *arguments: str) -> str:
    command = ["git", "-c", "user.name=T", "-c", "user.email=t@example.com", *arguments]
    found = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=True)
    return found.stdout.strip()


@pytest.fixture
def specs(tmp_path: Path) -> Path:
    """A spec folder in a work tree, committed."""
    folder = tmp_path / "estate" / "specs"
    folder.mkdir(parents=True)
    (folder / "chat.yaml").write_text("a: 1\n")
    git(folder.parent, "init", "-q")
    git(folder.parent, "add", ".")
    git(folder.parent, "commit", "-q", "-m", "Declare chat")
    return folder


def test_clean_specs_come_from_their_commit(specs: Path) -> None:
    assert commit_at(specs) == git(specs, "rev-parse", "HEAD")


def test_what_changed_beside_the_specs_does_not_matter(specs: Path) -> None:
    (specs.parent / "README.md").write_text("hello")
    assert commit_at(specs) == git(specs, "rev-parse", "HEAD")


@pytest.mark.parametrize("name", ["chat.yaml", "new.yaml"])
def test_specs_that_differ_from_the_commit_have_none(specs: Path, name: str) -> None:
    (specs / name).write_text("a: 2\n")
    assert commit_at(specs) == ""


def test_specs_outside_git_have_no_commit(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GIT_CEILING_DIRECTORIES", str(tmp_path.parent))
    assert commit_at(tmp_path) == ""
    assert commit_at(tmp_path / "nowhere") == ""


def test_a_work_tree_without_a_commit_has_none(tmp_path: Path) -> None:
    git(tmp_path, "init", "-q")
    assert commit_at(tmp_path) == ""


def test_without_git_there_is_no_commit(specs: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", os.devnull)
    assert commit_at(specs) == ""


def test_looking_writes_nothing(specs: Path) -> None:
    index = specs.parent / ".git" / "index"
    before = index.stat().st_mtime_ns
    os.utime(specs / "chat.yaml", (0, 0))
    commit_at(specs)
    assert index.stat().st_mtime_ns == before
