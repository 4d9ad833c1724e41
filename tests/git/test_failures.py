"""When things go wrong: what is said, what is left behind, and that it works again after."""

import asyncio
import os
import shutil
import signal
import socket
import sys
from pathlib import Path

import psutil
import pytest

from reconciler.core.errors import Permanent, ReconcilerError, Transient
from reconciler.git import GitSpecs, git_version, static_token
from reconciler.git.credentials import basic
from reconciler.git.errors import failed
from reconciler.local.tls import make_certificates
from tests.git.conftest import FILES, SPECS, Reader
from tests.git.origin import Origin, Server, serving


def children() -> list[str]:
    """What git processes are there below this one."""
    found = psutil.Process().children(recursive=True)
    return [" ".join(one.cmdline()) for one in found if one.status() != psutil.STATUS_ZOMBIE]


@pytest.mark.parametrize(
    ("status", "kind", "words"),
    [
        (401, Permanent, "refused the credential"),
        (403, Permanent, "refused the credential"),
        (404, Permanent, "is not there, or this credential may not see it"),
        (302, Permanent, "has moved"),
        (429, Transient, "fewer requests"),
        (500, Transient, "the server is failing"),
        (503, Transient, "the server is failing"),
    ],
)
async def test_what_a_server_answers_is_told_in_a_sentence(
    origin: Origin,
    specs: GitSpecs,
    server: Server,
    status: int,
    kind: type[ReconcilerError],
    words: str,
) -> None:
    commit = origin.commit(FILES)
    server.status = status
    for call in (specs.head(), specs.read(commit), specs.commits_between(commit, commit)):
        with pytest.raises(kind, match=words):
            await call
    server.status = 0
    assert await specs.read(commit) == SPECS


async def test_a_repository_that_is_not_there_is_told(
    origin: Origin, server: Server, reader: Reader, tmp_path: Path
) -> None:
    for url in (f"{server.url}/other.git", str(tmp_path / "none")):
        with pytest.raises(Permanent, match="is not there"):
            await reader(url).head()
    with pytest.raises(Permanent, match="main is not in"):
        await reader(f"{server.url}/estate.git").head()


async def test_a_server_that_is_down_is_tried_again_later(reader: Reader) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    with pytest.raises(Transient, match=r"the connection failed; it will be tried again"):
        await reader(f"http://127.0.0.1:{port}/x.git").head()


async def test_https_is_trusted_when_its_authority_is(
    origin: Origin, reader: Reader, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    commit = origin.commit(FILES)
    certificates = make_certificates(tmp_path)
    async with serving(origin.path.parent, certificates.server) as server:
        specs = reader(f"{server.url}/estate.git", static_token("token"))
        for name in ("SSL_CERT_FILE", "GIT_SSL_CAINFO"):
            monkeypatch.delenv(name, raising=False)
        monkeypatch.setenv("GIT_SSL_NO_VERIFY", "1")
        with pytest.raises(Permanent, match="certificate is not trusted: set SSL_CERT_FILE"):
            await specs.head()
        assert server.sent_authorization == set()
        monkeypatch.setenv("SSL_CERT_FILE", str(certificates.authority))
        assert await specs.read_ref("main") == (commit, SPECS)
        assert server.sent_authorization == {basic("token")}


async def test_a_connection_lost_while_fetching_is_tried_again_later(
    origin: Origin, specs: GitSpecs, server: Server
) -> None:
    commit = origin.commit({**FILES, "specs/large.yaml": os.urandom(200_000).hex()})
    server.cut = 1
    with pytest.raises(Transient, match="the connection failed"):
        await specs.read(commit)
    assert len(await specs.read(commit)) == 3


async def test_a_fetch_that_takes_too_long_ends_with_all_its_processes(
    origin: Origin, server: Server, reader: Reader
) -> None:
    commit = origin.commit(FILES)
    server.gate = asyncio.Event()
    specs = reader(f"{server.url}/estate.git", timeout_s=0.7)
    with pytest.raises(Transient, match=r"more than 0\.7 seconds \(RECONCILER_GIT_TIMEOUT_S\)"):
        await specs.read(commit)
    assert children() == []
    server.gate.set()
    assert await reader(f"{server.url}/estate.git").read(commit) == SPECS


async def test_a_cancelled_read_ends_with_all_its_processes(
    origin: Origin, specs: GitSpecs, server: Server
) -> None:
    commit = origin.commit(FILES)
    server.gate = asyncio.Event()
    reading = asyncio.create_task(specs.read(commit))
    await server.waiting.wait()
    assert children() != []
    reading.cancel()
    with pytest.raises(asyncio.CancelledError):
        await reading
    assert children() == []
    server.gate.set()
    assert await specs.read(commit) == SPECS


READER = """
import asyncio, sys
from pathlib import Path
from reconciler.git import GitSettings, GitSpecs

url, cache, commit = sys.argv[1:]
asyncio.run(GitSpecs(GitSettings(url=url, cache=Path(cache))).read(commit))
"""


async def test_a_process_killed_while_fetching_leaves_nothing_that_matters(
    origin: Origin, specs: GitSpecs, server: Server, tmp_path: Path
) -> None:
    commit = origin.commit(FILES)
    server.gate = asyncio.Event()
    words = (f"{server.url}/estate.git", str(tmp_path / "cache"), commit)
    victim = await asyncio.create_subprocess_exec(sys.executable, "-c", READER, *words)
    await server.waiting.wait()
    orphans = psutil.Process(victim.pid).children(recursive=True)
    victim.send_signal(signal.SIGKILL)
    await victim.wait()
    reading = asyncio.create_task(specs.read(commit))
    done, _ = await asyncio.wait([reading], timeout=0.2)
    assert not done, "the orphaned git still has the clone"
    for orphan in orphans:
        orphan.kill()
    server.gate.set()
    assert await reading == SPECS


@pytest.mark.parametrize(
    "damage", ["pack", "no pack", "no index", "HEAD", "config", "lock", "half", "busy", "empty"]
)
async def test_a_damaged_cache_is_thrown_away(origin: Origin, specs: GitSpecs, damage: str) -> None:
    commit = origin.commit(FILES)
    await specs.read(commit)
    folder = specs._clone.folder
    packs = folder / "objects" / "pack"
    if damage == "pack":
        for pack in packs.glob("*.pack"):
            pack.chmod(0o600)
            pack.write_bytes(pack.read_bytes()[:20] + b"\xff" * (pack.stat().st_size - 20))
    elif damage in ("no pack", "no index"):
        for pack in packs.glob("*.pack" if damage == "no pack" else "*.idx"):
            pack.unlink()
    elif damage == "HEAD":
        (folder / "HEAD").unlink()
    elif damage == "config":
        (folder / "config").write_text("[core\n")
    elif damage == "lock":
        (folder / "shallow.lock").touch()
    elif damage == "half":
        (packs / "tmp_pack_x").touch()
    elif damage == "busy":
        specs._clone._busy.touch()
    else:
        specs._clone.discard()
        folder.mkdir()
    newer = origin.commit({"specs/a.yaml": "a: 1"}, commit)
    assert await specs.read(commit) == SPECS
    assert await specs.read(newer) == {"specs/a.yaml": "a: 1"}


async def test_a_repository_that_lacks_objects_is_told(origin: Origin, specs: GitSpecs) -> None:
    commit = origin.commit({**FILES}, **{"specs/lost.yaml": f"100644,{'3' * 40}"})
    with pytest.raises(ReconcilerError):
        await specs.read(commit)


async def test_a_clone_in_use_for_too_long_is_tried_again_later(
    origin: Origin, specs: GitSpecs, reader: Reader, monkeypatch: pytest.MonkeyPatch
) -> None:
    commit = origin.commit(FILES)
    other = reader(specs.address.url, timeout_s=0.1)
    monkeypatch.setattr("reconciler.git.clone.LOCK_PATIENCE_S", 0.0)
    async with specs._clone.locked():
        with pytest.raises(Transient, match=r"in use for more than 0\.1 seconds"):
            await other.read(commit)


async def test_a_cache_that_is_tidied_away_is_made_again(
    origin: Origin, specs: GitSpecs, tmp_path: Path
) -> None:
    commit = origin.commit(FILES)
    for _ in range(2):
        assert await specs.read_ref("main") == (commit, SPECS)
        shutil.rmtree(tmp_path / "cache")


async def test_a_cache_that_cannot_be_used_is_told(origin: Origin, specs: GitSpecs) -> None:
    commit = origin.commit(FILES)
    specs._clone.folder.symlink_to("/nowhere")
    specs._clone._busy.mkdir()
    with pytest.raises(Transient, match=r"cached clone .* could not be used: "):
        await specs.read(commit)


def test_a_cache_that_others_could_write_to_is_refused(reader: Reader, tmp_path: Path) -> None:
    cache = tmp_path / "cache"
    cache.mkdir()
    cache.chmod(0o777)
    with pytest.raises(Permanent, match="others may write"):
        reader("/x")
    cache.rmdir()
    cache.symlink_to(tmp_path)
    with pytest.raises(Permanent, match="RECONCILER_GIT_CACHE"):
        reader("/x")
    with pytest.raises(Permanent, match=r"cannot hold clones .*RECONCILER_GIT_CACHE"):
        reader("/x", cache=Path("/dev/null/x"))


async def test_a_missing_or_old_git_is_told(
    reader: Reader, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert git_version()[0].isdigit()
    specs = reader("/x")
    monkeypatch.setenv("PATH", str(tmp_path / "bin"))
    with pytest.raises(Permanent, match="there is no git here: install it"):
        git_version()
    with pytest.raises(Permanent, match="there is no git here"):
        await specs.head()
    (tmp_path / "bin").mkdir()
    for text, words in {
        "git version 2.20.1": r"2\.20\.1 is too old",
        "hello": "as git does",
    }.items():
        (tmp_path / "bin" / "git").write_text(f"#!/bin/sh\necho {text}\n")
        (tmp_path / "bin" / "git").chmod(0o755)
        with pytest.raises(Permanent, match=words):
            git_version()


@pytest.mark.parametrize(
    ("stderr", "kind", "words"),
    [
        ("fatal: unable to access 'x': Could not resolve host: x", Transient, "host name"),
        ("fatal: unable to access 'x': SSL certificate problem: x", Permanent, "SSL_CERT_FILE"),
        ("remote: Repository not found.\nfatal: repository 'x' not found", Permanent, "not there"),
        ("fatal: Authentication failed for 'x'", Permanent, "refused the credential"),
        ("TF401019: The Git repository with name", Permanent, "not there"),
        ("Host key verification failed.\nfatal: hung up", Permanent, "KNOWN_HOSTS"),
        ("git@x: Permission denied (publickey).\nfatal: hung up", Permanent, "SSH key"),
        ("fatal: No space left on device", Transient, "disk"),
        ("fatal: pack is corrupted (SHA1 mismatch)", Transient, "damaged"),
        ("error: Server does not allow request for unadvertised object x", Permanent, "single"),
        ("fatal: \x1b[31mquite\tnew", Permanent, "failed: fatal:  .31mquite new"),
        ("", Permanent, "git gave no reason"),
    ],
)
def test_what_git_says_is_understood(stderr: str, kind: type[ReconcilerError], words: str) -> None:
    error = failed("asking", "https://host/x", stderr)
    assert type(error) is kind
    assert words.replace(".31m", "[31m") in str(error)
