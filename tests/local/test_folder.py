"""Reading a spec folder: what is read, what is left alone, what is refused."""

import os
from pathlib import Path

import pytest

from reconciler.core.errors import SpecErrors
from reconciler.local import folder
from reconciler.local.folder import read_folder


@pytest.fixture
def specs(tmp_path: Path) -> Path:
    root = tmp_path / "specs"
    (root / "models" / "deep").mkdir(parents=True)
    (root / "models" / "deep" / "b.yml").write_text("b: ä\n", "utf-8")
    (root / "a.yaml").write_bytes(b"a: 1\r\n")
    (root / "README.md").write_text("not YAML")
    return root


def test_yaml_files_are_read_by_their_path_from_the_parent(specs: Path) -> None:
    texts = read_folder(specs)
    assert texts == {"specs/a.yaml": "a: 1\r\n", "specs/models/deep/b.yml": "b: ä\n"}
    assert list(texts) == sorted(texts)


def test_the_folder_may_be_the_one_we_are_in(specs: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(specs)
    assert "specs/a.yaml" in read_folder(".")
    assert "specs/a.yaml" in read_folder("models/..")


@pytest.mark.parametrize("name", ["link.yaml", "linked", "models/loop", "gone.yml"])
def test_links_are_refused_rather_than_left_out(specs: Path, tmp_path: Path, name: str) -> None:
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "secret.yaml").write_text("x: 1")
    to = {"link.yaml": outside / "secret.yaml", "linked": outside, "models/loop": specs}
    (specs / name).symlink_to(to.get(name, outside / "nothing"))
    with pytest.raises(SpecErrors, match=f"specs/{name}: is a symbolic link"):
        read_folder(specs)


def test_hidden_names_and_special_files_are_left_out(specs: Path) -> None:
    before = read_folder(specs)
    (specs / "notes").symlink_to(specs / "nothing")
    (specs / ".hidden").mkdir()
    (specs / ".hidden" / "c.yaml").write_text("c: 1")
    (specs / ".d.yaml").write_text("d: 1")
    (specs / "folder.yaml").mkdir()
    os.mkfifo(specs / "pipe.yaml")
    assert read_folder(specs) == before


def test_a_folder_that_is_not_there_says_the_way_out(tmp_path: Path) -> None:
    with pytest.raises(SpecErrors, match=r"there is no folder .*: name the folder"):
        read_folder(tmp_path / "none")
    (tmp_path / "file").write_text("")
    with pytest.raises(SpecErrors, match="there is no folder"):
        read_folder(tmp_path / "file")


def test_a_folder_without_yaml_says_the_way_out(tmp_path: Path) -> None:
    with pytest.raises(SpecErrors, match=r"no YAML file .*: write a document"):
        read_folder(tmp_path)


def test_bytes_that_are_no_text_are_told_with_their_place(specs: Path) -> None:
    (specs / "c.yaml").write_bytes("a: 1\nä: ".encode() + b"\xff\xfe\n")
    (specs / "d.yaml").write_bytes(b"\x80")
    with pytest.raises(SpecErrors) as caught:
        read_folder(specs)
    assert [str(error) for error in caught.value.errors] == [
        "specs/c.yaml:2:4: this is not UTF-8 text: save the file as UTF-8",
        "specs/d.yaml:1:1: this is not UTF-8 text: save the file as UTF-8",
    ]


def test_large_files_are_refused_unread(specs: Path) -> None:
    with (specs / "big.yaml").open("wb") as file:
        file.truncate(2 * 1024 * 1024)
    with pytest.raises(SpecErrors, match=r"specs/big\.yaml:1:1: the file is larger than 1 MiB"):
        read_folder(specs)


def test_too_much_is_refused_unread(specs: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(folder, "MAX_TOTAL_BYTES", 5)
    with pytest.raises(SpecErrors, match="together are larger"):
        read_folder(specs)
    monkeypatch.setattr(folder, "MAX_FILES", 1)
    with pytest.raises(SpecErrors, match="more than 1 YAML files"):
        read_folder(specs)
    monkeypatch.setattr(folder, "MAX_FOLDERS", 1)
    with pytest.raises(SpecErrors, match="more than 1 folders"):
        read_folder(specs)


def test_a_name_that_cannot_be_shown_is_refused(specs: Path) -> None:
    (specs / "a\nb.yaml").write_text("a: 1")
    with pytest.raises(SpecErrors, match=r"'a\\nb\.yaml' holds characters"):
        read_folder(specs)


def test_a_file_that_cannot_be_opened_is_told(specs: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(path: Path, flags: int) -> int:
        raise PermissionError(13, "Permission denied", str(path))

    monkeypatch.setattr("os.open", refuse)
    with pytest.raises(SpecErrors, match=r"specs/a\.yaml:1:1: cannot be read: Permission denied"):
        read_folder(specs)
