"""A state file of an earlier reconciler: it gets the tables that came later, whatever happens."""

import signal
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from reconciler.core.model import Status
from reconciler.state.sqlite import SqliteStore
from tests.state.builders import CHAT_ID, DONE, a_preview, a_run, an_owned
from tests.state.conformance import MOMENT

OLDER = Path(__file__).with_name("version_1.sql").read_text()

PROCESSES = 6
OPENER = """
import asyncio, sys
from reconciler.state.sqlite import SqliteStore
from tests.state.builders import a_preview

print("ready", flush=True)
sys.stdin.readline()
store = SqliteStore(sys.argv[1])
asyncio.run(store.keep_preview(a_preview(int(sys.argv[2]))))
store.close()
"""
KILLED = """
import os, signal, sys
from reconciler.state import database

def some(script, plain=database._statements):
    for place, statement in enumerate(plain(script)):
        if place == int(sys.argv[2]):
            os.kill(os.getpid(), signal.SIGKILL)
        yield statement
    os.kill(os.getpid(), signal.SIGKILL)

database._statements = some
database.Database(database.Path(sys.argv[1]))
"""


@pytest.fixture
def older(tmp_path: Path) -> Path:
    path = tmp_path / "state.db"
    connection = sqlite3.connect(path)
    connection.executescript(f"PRAGMA journal_mode = WAL;{OLDER}")
    connection.close()
    return path


@pytest.fixture
def tables(older: Path) -> Iterator[sqlite3.Connection]:
    connection = sqlite3.connect(older)
    yield connection
    connection.close()


def names(connection: sqlite3.Connection) -> set[str]:
    return {name for (name,) in connection.execute("SELECT name FROM sqlite_schema")}


async def test_an_older_file_keeps_what_it_holds_and_takes_previews(
    older: Path, tables: sqlite3.Connection
) -> None:
    assert "previews" not in names(tables)
    for _ in range(2):
        store = SqliteStore(older)
        run = await store.run("r1")
        assert run is not None
        assert run == a_run().record("update:1", DONE)
        assert run.plan.digest == a_run().plan.digest
        assert [(one.id, one.pull) for one in await store.open_runs()] == [("r1", 0), ("r2", 0)]
        assert await store.owned("prod") == {CHAT_ID.lower(): an_owned()}
        assert await store.status("prod") == Status("prod", applied_commit="3f2c1ab", failures=2)
        assert await store.seen("72d3162e-cc78", MOMENT)
        await store.keep_preview(a_preview())
        assert await store.open_previews() == [a_preview()]
        store.close()


async def test_an_older_file_gets_the_tables_of_a_new_one_and_can_go_back(
    older: Path, tables: sqlite3.Connection, tmp_path: Path
) -> None:
    SqliteStore(older).close()
    SqliteStore(tmp_path / "new.db").close()
    new = sqlite3.connect(tmp_path / "new.db")
    assert names(tables) == names(new)
    versions = [one.execute("PRAGMA user_version").fetchone() for one in (tables, new)]
    assert versions == [(1,), (1,)]
    new.close()


async def test_many_processes_may_open_an_older_file_at_once(older: Path) -> None:
    openers = [
        subprocess.Popen(
            [sys.executable, "-c", OPENER, older, str(place)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        for place in range(PROCESSES)
    ]
    for opener in openers:
        assert opener.stdout is not None
        assert opener.stdout.readline() == "ready\n"
    for opener in openers:
        assert opener.stdin is not None
        opener.stdin.write("go\n")
        opener.stdin.flush()
    for opener in openers:
        opener.communicate()
        assert opener.returncode == 0
    store = SqliteStore(older)
    assert [one.pull for one in await store.open_previews()] == list(range(PROCESSES))
    store.close()


@pytest.mark.parametrize("done", [0, 1, 2])
async def test_a_process_that_is_killed_among_the_new_tables_leaves_the_older_file(
    older: Path, tables: sqlite3.Connection, done: int
) -> None:
    before = names(tables)
    killed = subprocess.run([sys.executable, "-c", KILLED, older, str(done)], check=False)
    assert killed.returncode == -signal.SIGKILL
    assert names(tables) == before
    store = SqliteStore(older)
    await store.keep_preview(a_preview())
    assert await store.preview(7) == a_preview()
    assert await store.state("r1") == "running"
    store.close()
    assert tables.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
