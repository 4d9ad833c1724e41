"""Repositories that mean harm, or are merely odd: nothing runs, nothing is followed."""

import os
from pathlib import Path

import pytest

from reconciler.core.errors import Permanent, SpecErrors
from reconciler.git import GitSpecs, objects
from tests.git.conftest import FILES, SPECS, Reader
from tests.git.origin import Origin, Server

MIB = 1024 * 1024


async def refused(specs: GitSpecs, commit: str) -> list[str]:
    with pytest.raises(SpecErrors) as caught:
        await specs.read(commit)
    return [str(error) for error in caught.value.errors]


async def test_submodules_and_links_in_place_of_specs_are_refused(
    origin: Origin, specs: GitSpecs
) -> None:
    target = origin.blob("/etc/passwd")
    entries = {"specs/link.yaml": f"120000,{target}", "specs/vendor": f"160000,{'2' * 40}"}
    assert await refused(specs, origin.commit(FILES, **entries)) == [
        "specs/link.yaml:1:1: this is a symbolic link, which is not followed: "
        "put the file itself here",
        "specs/vendor:1:1: this is a submodule, which is not followed: "
        "keep the specs in this repository",
    ]


async def test_links_and_submodules_that_are_no_specs_are_left_out(
    origin: Origin, specs: GitSpecs
) -> None:
    target = origin.blob("..")
    entries = {
        "specs/all": f"120000,{target}",
        "specs/.hidden.yaml": f"120000,{target}",
        "vendor": f"160000,{'2' * 40}",
    }
    modules = '[submodule "vendor"]\n\tpath = vendor\n\turl = ext::touch /tmp/x\n\tupdate = !sh\n'
    files = {**FILES, ".gitmodules": modules, "specs/.github/x.yaml": "x: 1"}
    assert await specs.read(origin.commit(files, **entries)) == SPECS


async def test_a_specs_folder_that_is_a_link_is_not_followed(
    origin: Origin, specs: GitSpecs
) -> None:
    commit = origin.commit({"other/a.yaml": ""}, specs=f"120000,{origin.blob('other')}")
    assert "there is no folder specs" in (await refused(specs, commit))[0]


async def test_attributes_and_filters_change_nothing(origin: Origin, specs: GitSpecs) -> None:
    attributes = "* filter=lfs eol=crlf working-tree-encoding=UTF-16 ident export-subst\n"
    files = {**FILES, ".gitattributes": attributes, "specs/.gitattributes": attributes}
    files["specs/id.yaml"] = "id: $Id$\n"
    read = await specs.read(origin.commit(files))
    assert read == {**SPECS, "specs/id.yaml": "id: $Id$\n"}


async def test_files_in_git_lfs_are_refused(origin: Origin, specs: GitSpecs) -> None:
    pointer = f"version https://git-lfs.github.com/spec/v1\noid sha256:{'0' * 64}\nsize 12\n"
    assert await refused(specs, origin.commit({"specs/a.yaml": pointer})) == [
        "specs/a.yaml:1:1: this file is kept in Git LFS, which is not read: keep it in Git itself"
    ]


async def test_a_large_file_is_refused_by_name_and_never_downloaded(
    origin: Origin, specs: GitSpecs
) -> None:
    commit = origin.commit(
        {**FILES, "specs/big.yaml": os.urandom(MIB + 1), "specs/model.bin": os.urandom(3 * MIB)}
    )
    message = "specs/big.yaml:1:1: the file is larger than 1 MiB: split it"
    assert await refused(specs, commit) == [message]
    kept = sum(one.stat().st_size for one in specs._clone.folder.rglob("*") if one.is_file())
    assert kept < MIB // 4


async def test_a_large_file_is_refused_where_the_server_sends_all(
    origin: Origin, reader: Reader
) -> None:
    origin.git("config", "uploadpack.allowFilter", "false")
    commit = origin.commit({**FILES, "specs/big.yaml": b"#" * (MIB + 1)})
    message = "specs/big.yaml:1:1: the file is larger than 1 MiB: split it"
    assert await refused(reader(str(origin.path)), commit) == [message]
    exact = origin.commit({"specs/exact.yaml": b"#" * MIB})
    assert len((await reader(str(origin.path)).read(exact))["specs/exact.yaml"]) == MIB


async def test_too_much_is_refused(
    origin: Origin, specs: GitSpecs, monkeypatch: pytest.MonkeyPatch
) -> None:
    commit = origin.commit(FILES)
    for name, message in {
        "MAX_TOTAL_BYTES": "together are larger",
        "MAX_TREE_BYTES": "too many names",
        "MAX_FILES": "more than 1 YAML files",
        "MAX_FOLDERS": "more than 1 folders",
        "MAX_PATH": "longer than 1 characters",
    }.items():
        with monkeypatch.context() as patched:
            patched.setattr(objects, name, 1)
            assert message in (await refused(specs, commit))[0]


async def test_a_commit_with_an_enormous_message_is_not_read(
    origin: Origin, specs: GitSpecs
) -> None:
    tree = origin.git("rev-parse", f"{origin.commit(FILES)}^{{tree}}")
    text = f"tree {tree}\nauthor A <a> 1 +0000\ncommitter A <a> 1 +0000\n\n".encode()
    commit = origin.git("hash-object", "-wt", "commit", "--stdin", data=text + b"x" * 2 * MIB)
    with pytest.raises(Permanent, match=r"a message of 2,0\d\d,\d+ bytes"):
        await specs.read(commit)


async def test_no_fetch_fills_the_disk(origin: Origin, server: Server, reader: Reader) -> None:
    origin.git("config", "uploadpack.allowFilter", "false")
    commit = origin.commit({**FILES, "movie.bin": os.urandom(2 * MIB)})
    specs = reader(f"{server.url}/estate.git", max_pack_bytes=MIB)
    with pytest.raises(Permanent, match="more than a fetch may write"):
        await specs.read(commit)
    small = origin.commit(FILES)
    assert await specs.read(small) == SPECS  # and what was written is gone
    assert sum(one.stat().st_size for one in specs._clone.folder.rglob("*.pack")) < MIB


async def test_what_is_not_utf_8_is_told_with_its_place(origin: Origin, specs: GitSpecs) -> None:
    commit = origin.commit({"specs/a.yaml": b"a: 1\n\xc3\xa4: \xff\n"})
    message = "specs/a.yaml:2:4: this is not UTF-8 text: save the file as UTF-8"
    assert await refused(specs, commit) == [message]


async def test_names_that_cannot_be_shown_are_refused(origin: Origin, specs: GitSpecs) -> None:
    blob = origin.blob("a: 1")
    names = [b"\x1b[31m.yaml", b"\xff.yaml", b"line\nbreak.yaml"]
    inner = origin.tree(*(("100644", blob, name) for name in names))
    commit = origin.commit_tree(origin.tree(("40000", inner, b"specs")))
    message = "the name holds characters that cannot be shown: rename the file"
    assert await refused(specs, commit) == [
        rf"'specs/\udcff.yaml': {message}",
        rf"'specs/\x1b[31m.yaml': {message}",
        rf"'specs/line\nbreak.yaml': {message}",
    ]


@pytest.mark.parametrize("name", [b"..", b".git", b"a/../../x.yaml", b".GIT"])
async def test_a_folder_with_names_that_lead_elsewhere_is_refused(
    origin: Origin, specs: GitSpecs, name: bytes
) -> None:
    blob = origin.blob("a: 1")
    inner = origin.tree(("100644", blob, name), ("100644", blob, b"ok.yaml"))
    commit = origin.commit_tree(origin.tree(("40000", inner, b"specs")))
    assert "malformed" in (await refused(specs, commit))[0]


async def test_deep_trees_and_trees_that_multiply_end_early(
    origin: Origin, specs: GitSpecs
) -> None:
    deep = bomb = origin.tree(("100644", origin.blob("a: 1"), b"x.yaml"))
    for _ in range(30):
        bomb = origin.tree(*(("40000", bomb, b"%d" % number) for number in range(8)))
    for _ in range(30):
        deep = origin.tree(("40000", deep, b"d" * 200))
    for tree, message in ((bomb, "more than 10,000 folders"), (deep, "longer than 4,096")):
        commit = origin.commit_tree(origin.tree(("40000", tree, b"specs")))
        assert message in (await refused(specs, commit))[0]


async def test_nothing_that_a_repository_configures_is_run(
    origin: Origin, reader: Reader, tmp_path: Path
) -> None:
    commit = origin.commit(FILES)
    ran = tmp_path / "ran"
    script = tmp_path / "script"
    script.write_text(f'#!/bin/sh\necho "$0" >> {ran}\n')
    script.chmod(0o755)
    included = tmp_path / "included"
    included.write_text(f"[core]\n\tfsmonitor = {script}\n\tpager = {script}\n")
    commands = ("core.fsmonitor", "core.sshCommand", "core.gitProxy", "uploadpack.packObjectsHook")
    for name in (*commands, "core.alternateRefsCommand", "credential.helper", "gpg.program"):
        origin.git("config", name, str(script))
    for name in ("filter.lfs.smudge", "filter.lfs.process", "diff.external"):
        origin.git("config", name, str(script))
    origin.git("config", "include.path", str(included))
    (origin.path / "hooks").mkdir(exist_ok=True)
    for hook in ("post-checkout", "reference-transaction", "pre-auto-gc", "post-update"):
        (origin.path / "hooks" / hook).symlink_to(script)
    specs = reader(str(origin.path))
    assert await specs.head() == commit
    assert await specs.read(commit) == SPECS
    assert await specs.commits_between(commit, commit) == []
    assert not ran.exists()
    assert not list(specs._clone.folder.rglob("hooks/*"))


async def test_our_own_environment_and_configuration_change_nothing(
    origin: Origin, server: Server, reader: Reader, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    commit = origin.commit(FILES)
    config = tmp_path / ".gitconfig"
    config.write_text(f'[url "file:///nowhere"]\n\tinsteadOf = {server.url}\n[core]\n\tbare = x\n')
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", str(config))
    for name in ("GIT_DIR", "GIT_OBJECT_DIRECTORY", "GIT_WORK_TREE", "GIT_ALTERNATE_REFS"):
        monkeypatch.setenv(name, "/nowhere")
    monkeypatch.setenv("GIT_CONFIG_PARAMETERS", "'core.bare=x'")
    monkeypatch.setenv("GIT_PROXY_COMMAND", "false")
    specs = reader(f"{server.url}/estate.git")
    assert await specs.head() == commit
    assert await specs.read(commit) == SPECS


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give a folder to somebody else")
async def test_a_repository_of_another_user_says_the_way_out(
    origin: Origin, reader: Reader
) -> None:
    origin.commit(FILES)
    os.chown(origin.path, 12345, 12345)
    with pytest.raises(Permanent, match="belongs to another user"):
        await reader(str(origin.path)).head()
