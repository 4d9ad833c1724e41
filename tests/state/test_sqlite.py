"""The SQLite store: what every store promises, and what a file can go through."""

import asyncio
import os
import signal
import sqlite3
import stat
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from reconciler.core.errors import Permanent, Transient
from reconciler.state.database import SCHEMA_VERSION, Database
from reconciler.state.sqlite import SqliteStore
from tests.state.builders import DONE, a_run, an_owned
from tests.state.conformance import MOMENT, HeldTime, StoreConformance, time

__all__ = ["time"]


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "state" / "reconciler.db"


@pytest.fixture
def open_store(path: Path, time: HeldTime) -> Iterator[Callable[[], SqliteStore]]:
    stores: list[SqliteStore] = []

    def open_one() -> SqliteStore:
        stores.append(SqliteStore(path, time.now))
        return stores[-1]

    yield open_one
    for store in stores:
        store.close()


class TestSqliteStore(StoreConformance):
    pass


def test_the_file_is_for_its_owner_only(path: Path, open_store: Callable[[], SqliteStore]) -> None:
    store = open_store()
    asyncio.run(store.begin(a_run()))
    modes = {stat.S_IMODE(one.stat().st_mode) for one in path.parent.iterdir()}
    assert modes == {0o600}
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700


def test_the_journal_cannot_be_rewritten(path: Path, open_store: Callable[[], SqliteStore]) -> None:
    store = open_store()
    asyncio.run(store.begin(a_run()))
    asyncio.run(store.record("r1", "update:1", DONE, MOMENT))
    connection = sqlite3.connect(path)
    with pytest.raises(sqlite3.IntegrityError, match="only appended"):
        connection.execute("UPDATE outcomes SET outcome = '{}'")
    connection.close()


@pytest.mark.parametrize("content", [b"not a database, but long enough to tell" * 40, b"\0" * 512])
def test_a_damaged_file_is_refused_with_the_way_out_and_left_alone(
    path: Path, content: bytes
) -> None:
    path.parent.mkdir()
    path.write_bytes(content)
    with pytest.raises(Permanent, match=r"damaged.*put back a copy, or move it away"):
        SqliteStore(path)
    assert path.read_bytes() == content


async def test_damage_inside_is_an_error_people_can_read(path: Path) -> None:
    store = SqliteStore(path)
    await store.own("prod", [an_owned(str(place)) for place in range(200)])
    store.close()
    size = path.stat().st_size
    with path.open("r+b") as file:
        file.seek(size // 2)
        file.write(os.urandom(size // 4))
    store = SqliteStore(path)
    with pytest.raises(Permanent, match="damaged"):
        await store.owned("prod")
    store.close()


def test_a_database_of_another_program_is_refused_and_left_alone(path: Path) -> None:
    path.parent.mkdir()
    connection = sqlite3.connect(path)
    connection.execute("CREATE TABLE theirs (x)")
    connection.close()
    before = path.read_bytes()
    with pytest.raises(Permanent, match="another program"):
        SqliteStore(path)
    assert path.read_bytes() == before


@pytest.mark.parametrize(
    ("version", "said"),
    [(SCHEMA_VERSION + 1, "newer.*upgrade"), (SCHEMA_VERSION - 1, "older.*move it away")],
)
def test_a_file_of_another_version_is_refused(path: Path, version: int, said: str) -> None:
    SqliteStore(path).close()
    connection = sqlite3.connect(path)
    connection.execute(f"PRAGMA user_version = {version}")
    connection.close()
    with pytest.raises(Permanent, match=said):
        SqliteStore(path)


def test_a_folder_in_the_way_is_refused(path: Path) -> None:
    path.mkdir(parents=True)
    with pytest.raises(Permanent, match="cannot be used"):
        SqliteStore(path)


async def test_a_file_held_by_another_process_is_worth_trying_again(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("reconciler.state.database.BUSY_S", 0.01)
    store = SqliteStore(path)
    other = sqlite3.connect(path, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    with pytest.raises(Transient, match="held by another process"):
        await store.begin(a_run())
    other.execute("ROLLBACK")
    await store.begin(a_run())
    other.close()
    store.close()


async def test_a_write_that_fails_half_way_leaves_nothing(path: Path) -> None:
    store = SqliteStore(path)
    database = Database(path)

    def write_and_fail() -> None:
        with database.transaction():
            database.write("INSERT INTO owned VALUES ('prod', '/a', '{}')")
            raise RuntimeError

    with pytest.raises(RuntimeError):
        write_and_fail()
    assert await store.owned("prod") == {}
    database.close()
    store.close()


WRITER = """
import asyncio, sys
from reconciler.state.sqlite import SqliteStore
from tests.state.builders import DONE, an_owned
from tests.state.conformance import MOMENT

async def main():
    store = SqliteStore(sys.argv[1])
    place = 0
    while True:
        await store.record("r1", f"step-{place}", DONE, MOMENT)
        await store.own("prod", [an_owned(f"step-{place}")])
        print(place, flush=True)
        place += 1

asyncio.run(main())
"""


async def test_killing_a_writer_loses_nothing_that_was_answered_for(path: Path) -> None:
    store = SqliteStore(path)
    await store.begin(a_run())
    writer = subprocess.Popen([sys.executable, "-c", WRITER, path], stdout=subprocess.PIPE)
    assert writer.stdout is not None
    for _ in range(50):
        writer.stdout.readline()
    writer.send_signal(signal.SIGKILL)
    answered = 50 + len(writer.stdout.readlines())
    writer.wait()
    writer.stdout.close()
    run = await store.run("r1")
    assert run is not None
    assert {f"step-{place}" for place in range(answered)} <= run.outcomes.keys()
    assert len(run.outcomes) <= answered + 1
    assert len(await store.owned("prod")) in (answered, answered + 1)
    store.close()
    connection = sqlite3.connect(path)
    assert connection.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
    connection.close()


RACER = """
import asyncio, sys
from reconciler.core.errors import Transient
from reconciler.state.sqlite import SqliteStore

async def main():
    store = SqliteStore(sys.argv[1])
    print("ready", flush=True)
    sys.stdin.readline()
    try:
        await store.lease("prod", sys.argv[2], 600)
        print("won", flush=True)
    except Transient as error:
        print("lost", error, flush=True)
    store.close()

asyncio.run(main())
"""


def test_of_many_processes_that_want_the_lease_exactly_one_wins(path: Path) -> None:
    racers = [
        subprocess.Popen(
            [sys.executable, "-c", RACER, path, f"racer-{place}"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        for place in range(6)
    ]
    for racer in racers:
        assert racer.stdout is not None
        assert racer.stdout.readline() == "ready\n"
    answers = []
    for racer in racers:
        assert racer.stdin is not None
        racer.stdin.write("go\n")
        racer.stdin.flush()
    for place, racer in enumerate(racers):
        out, _ = racer.communicate()
        answers.append((out.split()[0], place))
        winner = next((p for word, p in answers if word == "won"), None)
        if winner is not None and out.startswith("lost"):
            assert f"racer-{winner}" in out
    assert [word for word, _ in answers].count("won") == 1
    assert [word for word, _ in answers].count("lost") == 5
