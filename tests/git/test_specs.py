"""Reading specs over HTTP and from a path: the right texts, and little else."""

import asyncio
import json
import sys
from pathlib import Path

import pytest

from reconciler.core.errors import Permanent, SpecErrors
from reconciler.git import GitSpecs
from reconciler.git.clone import MAX_PACKS
from tests.git.conftest import FILES, SPECS, Reader
from tests.git.origin import Origin, Server

ABSENT = "1" * 40


async def test_the_specs_at_the_head_of_the_branch_are_read(
    origin: Origin, specs: GitSpecs
) -> None:
    commit = origin.commit(FILES)
    assert await specs.head() == commit
    assert await specs.read(commit) == SPECS


async def test_a_commit_that_was_read_is_read_again_without_the_server(
    origin: Origin, specs: GitSpecs, server: Server
) -> None:
    commit = origin.commit(FILES)
    await specs.read(commit)
    server.seen.clear()
    assert await specs.read(commit.upper()) == SPECS
    assert server.seen == []


async def test_nothing_outside_the_specs_folder_is_downloaded(
    origin: Origin, specs: GitSpecs
) -> None:
    commit = origin.commit(FILES)
    await specs.read(commit)
    elsewhere = origin.git("rev-parse", f"{commit}:src/app.yaml")
    assert (await specs._clone.ask("cat-file", "-e", elsewhere)).code == 1
    inside = origin.git("rev-parse", f"{commit}:specs/models/chat.yaml")
    assert (await specs._clone.ask("cat-file", "-e", inside)).code == 0


async def test_a_newer_commit_is_read_whether_its_files_changed_or_not(
    origin: Origin, specs: GitSpecs
) -> None:
    first = origin.commit(FILES)
    await specs.read(first)
    second = origin.commit({**FILES, "specs/new.yaml": "a: 1"}, first)
    third = origin.commit({**FILES, "README.md": "else"}, second)
    assert await specs.read(third) == SPECS
    assert await specs.read(second) == {**SPECS, "specs/new.yaml": "a: 1"}
    assert await specs.read(first) == SPECS


async def test_a_local_path_and_a_file_url_are_read(origin: Origin, reader: Reader) -> None:
    commit = origin.commit(FILES)
    for url in (str(origin.path), f"file://{origin.path}"):
        one = reader(url)
        assert await one.head() == commit
        assert await one.read(commit) == SPECS


async def test_a_server_that_cannot_filter_is_read_too(
    origin: Origin, specs: GitSpecs, server: Server
) -> None:
    origin.git("config", "uploadpack.allowFilter", "false")
    commit = origin.commit(FILES)
    assert await specs.read(commit) == SPECS


async def test_a_server_that_knows_one_filter_only_is_read_too(
    origin: Origin, specs: GitSpecs
) -> None:
    origin.git("config", "uploadpackfilter.allow", "false")
    origin.git("config", "uploadpackfilter.blob:none.allow", "true")
    commit = origin.commit(FILES)
    assert await specs.read(commit) == SPECS


@pytest.mark.parametrize(
    ("path", "files"),
    [
        ("src", {"src/app.yaml": "not: ours"}),
        ("./specs/", SPECS),
        ("specs/models", {"specs/models/chat.yaml": FILES["specs/models/chat.yaml"]}),
        (".", {f"./{p}": FILES[p] for p in FILES if p.endswith(("yaml", "yml"))}),
    ],
)
async def test_any_folder_can_be_the_specs_folder(
    origin: Origin, reader: Reader, server: Server, path: str, files: dict[str, str]
) -> None:
    commit = origin.commit(FILES)
    assert await reader(f"{server.url}/estate.git", path=path).read(commit) == files


async def test_a_missing_or_empty_folder_says_the_way_out(
    origin: Origin, reader: Reader, server: Server
) -> None:
    commit = origin.commit({"specs/a.txt": "", "file": ""})
    for path in ("none", "file", "specs/none"):
        with pytest.raises(SpecErrors, match=rf"no folder {path} .*RECONCILER_SPECS_PATH"):
            await reader(f"{server.url}/estate.git", path=path).read(commit)
    with pytest.raises(SpecErrors, match=r"no YAML file .* in specs: write a document"):
        await reader(f"{server.url}/estate.git").read(commit)


async def test_any_ref_can_be_read(origin: Origin, specs: GitSpecs) -> None:
    main = origin.commit(FILES)
    branch = origin.commit({"specs/b.yaml": "b: 1"}, main, branch="feature/x")
    origin.git("update-ref", "refs/pull/7/merge", branch)
    origin.git("tag", "-a", "-m", "v1", "v1", main)
    assert await specs.read_ref("feature/x") == (branch, {"specs/b.yaml": "b: 1"})
    assert await specs.read_ref("refs/pull/7/merge") == (branch, {"specs/b.yaml": "b: 1"})
    assert await specs.read_ref("refs/tags/v1") == (main, SPECS)


async def test_a_branch_is_not_mistaken_for_one_that_ends_alike(
    origin: Origin, specs: GitSpecs
) -> None:
    origin.commit(FILES, branch="x/refs/heads/main")
    with pytest.raises(Permanent, match="main is not in"):
        await specs.head()


async def test_a_deleted_branch_is_told(origin: Origin, specs: GitSpecs) -> None:
    origin.commit(FILES)
    await specs.head()
    origin.git("update-ref", "-d", "refs/heads/main")
    with pytest.raises(Permanent, match=r"main is not in .*: the branch was deleted"):
        await specs.head()


async def test_a_force_pushed_commit_that_is_gone_is_told_and_the_new_one_is_read(
    origin: Origin, specs: GitSpecs
) -> None:
    old = origin.commit(FILES)
    await specs.read(old)
    new = origin.commit({"specs/a.yaml": "a: 1"})
    origin.git("reflog", "expire", "--expire=now", "--all")
    origin.git("gc", "-q", "--prune=now")
    assert await specs.head() == new
    assert await specs.read(new) == {"specs/a.yaml": "a: 1"}
    assert await specs.read(old) == SPECS  # as long as it is remembered
    specs._clone.discard()
    with pytest.raises(Permanent, match="force-pushed"):
        await specs.read(old)


async def test_what_is_no_commit_is_refused(origin: Origin, specs: GitSpecs) -> None:
    commit = origin.commit(FILES)
    tree = origin.git("rev-parse", f"{commit}:specs")
    with pytest.raises(Permanent, match="is a tree, not a commit"):
        await specs.read(tree)
    with pytest.raises(Permanent, match="not in the repository"):
        await specs.read(ABSENT)


async def test_commits_between_are_those_of_one_side_alone(origin: Origin, specs: GitSpecs) -> None:
    first = origin.commit(FILES)
    side = origin.commit({**FILES, "s": ""}, first, branch="side")
    second = origin.commit({**FILES, "a": ""}, first)
    merge = origin.commit({**FILES, "a": "", "s": ""}, second, side)
    assert await specs.commits_between(first, first) == []
    assert await specs.commits_between(first, second) == [second]
    assert await specs.commits_between(second, merge) == [merge, side]
    assert await specs.commits_between(merge, first) == []
    rewritten = origin.commit({"b": ""}, first)
    assert await specs.commits_between(merge, rewritten) == [rewritten]


async def test_a_commit_is_on_the_branch_or_it_is_not(origin: Origin, specs: GitSpecs) -> None:
    first = origin.commit(FILES)
    head = origin.commit({**FILES, "a": ""}, first)
    ahead = origin.commit({**FILES, "b": ""}, head, branch="ahead")
    fork = origin.commit({"specs/evil.yaml": ""}, branch="fork")
    told = {one: await specs.on_branch(one) for one in (first, head, ahead, fork)}
    assert told == {first: True, head: True, ahead: False, fork: False}


async def test_history_that_grew_is_seen(origin: Origin, specs: GitSpecs) -> None:
    commits = [origin.commit(FILES)]
    for number in range(5):
        commits.append(origin.commit({**FILES, "n": str(number)}, commits[-1]))
        assert await specs.commits_between(commits[0], commits[-1]) == commits[:0:-1]


async def test_changed_paths_are_files_added_removed_and_changed(
    origin: Origin, specs: GitSpecs
) -> None:
    old = origin.commit({"a.yaml": "1", "d/e/f.yaml": "1", "same/x": "1", "turn": "file"})
    new = origin.commit({"a.yaml": "2", "d/g.yaml": "1", "same/x": "1", "turn/in": "folder"}, old)
    changed = ["a.yaml", "d/e/f.yaml", "d/g.yaml", "turn", "turn/in"]
    assert await specs.changed_paths(old, new) == changed
    assert await specs.changed_paths(new, old) == changed
    assert await specs.changed_paths(old, old) == []


async def test_a_cache_with_many_packs_begins_anew(origin: Origin, specs: GitSpecs) -> None:
    commit = origin.commit(FILES)
    await specs.read(commit)
    for number in range(MAX_PACKS):
        (specs._clone.folder / "objects" / "pack" / f"pack-{number}.pack").touch()
    assert await specs.read(commit) == SPECS
    assert len(list((specs._clone.folder / "objects" / "pack").glob("*.pack"))) == 2


READER = """
import asyncio, json, sys
from pathlib import Path
from reconciler.git import GitSettings, GitSpecs

async def main(url, cache, *commits):
    specs = GitSpecs(GitSettings(url=url, cache=Path(cache)))
    texts = await asyncio.gather(*(specs.read(one) for one in commits))
    print(json.dumps([dict(one) for one in texts]))

asyncio.run(main(*sys.argv[1:]))
"""


async def test_many_tasks_of_many_processes_share_one_clone(
    origin: Origin, specs: GitSpecs, server: Server, tmp_path: Path
) -> None:
    commits: list[str] = []
    wanted: list[dict[str, str]] = []
    for number in range(4):
        files = {**SPECS, f"specs/{number}.yaml": f"n: {number}"}
        commits.append(origin.commit(files, *commits[-1:]))
        wanted.append(files)
    words = (f"{server.url}/estate.git", str(tmp_path / "cache"), *commits)
    others = [
        await asyncio.create_subprocess_exec(
            *(sys.executable, "-c", READER, *words), stdout=asyncio.subprocess.PIPE
        )
        for _ in range(3)
    ]
    texts = await asyncio.gather(*(specs.read(commits[number % 4]) for number in range(16)))
    assert texts == wanted * 4
    for other in others:
        told, _ = await other.communicate()
        assert json.loads(told) == wanted
