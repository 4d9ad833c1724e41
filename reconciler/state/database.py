"""One SQLite file that is ours: opened safely, refused when it is not, its errors translated."""

import os
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, Final

from reconciler.core.errors import Permanent, Transient

APPLICATION_ID: Final = 0x41494752
SCHEMA_VERSION: Final = 1
BUSY_S: Final = 5.0
"""How long another process may hold the file before a call gives up; ours hold it for less than a
millisecond at a time."""

SCHEMA: Final = f"""
CREATE TABLE runs (
  id TEXT PRIMARY KEY, environment TEXT NOT NULL, mode TEXT NOT NULL, created_at TEXT NOT NULL,
  state TEXT NOT NULL, header TEXT NOT NULL, run TEXT NOT NULL);
CREATE INDEX runs_newest ON runs (environment, created_at, id);
CREATE TABLE outcomes (
  place INTEGER PRIMARY KEY, run_id TEXT NOT NULL REFERENCES runs (id), step_id TEXT NOT NULL,
  saved_at TEXT NOT NULL, outcome TEXT NOT NULL);
CREATE INDEX outcomes_of_run ON outcomes (run_id, place);
CREATE TRIGGER journal_is_kept BEFORE UPDATE ON outcomes
  BEGIN SELECT RAISE(ABORT, 'the journal is only appended to'); END;
CREATE TABLE owned (
  environment TEXT NOT NULL, arm_id TEXT NOT NULL, owned TEXT NOT NULL,
  PRIMARY KEY (environment, arm_id)) WITHOUT ROWID;
CREATE TABLE leases (
  environment TEXT PRIMARY KEY, holder TEXT NOT NULL, token INTEGER NOT NULL,
  expires_at TEXT NOT NULL);
CREATE TABLE statuses (environment TEXT PRIMARY KEY, status TEXT NOT NULL);
CREATE TABLE deliveries (id TEXT PRIMARY KEY, at TEXT NOT NULL);
CREATE TABLE messages (
  place INTEGER PRIMARY KEY, queue TEXT NOT NULL, sent_at REAL NOT NULL, visible_at REAL NOT NULL,
  taken INTEGER NOT NULL, receipt TEXT NOT NULL, body TEXT NOT NULL);
CREATE INDEX messages_next ON messages (queue, visible_at, place);
CREATE TABLE digest_key (one INTEGER PRIMARY KEY CHECK (one = 1), value BLOB NOT NULL);
PRAGMA application_id = {APPLICATION_ID};
PRAGMA user_version = {SCHEMA_VERSION};
"""

ADDED: Final = """
CREATE TABLE IF NOT EXISTS previews (
  pull TEXT PRIMARY KEY, open INTEGER NOT NULL, preview TEXT NOT NULL);
CREATE INDEX IF NOT EXISTS previews_open ON previews (pull) WHERE open;
"""
"""Tables that came later, made where they are missing. They need no new version: a reconciler that
does not know them leaves them alone, so that one can go back to it and forth. ``pull`` is text
because a number that somebody asks for may be greater than SQLite's integers."""

WAY_OUT: Final = (
    "put back a copy, or move it away: the next apply then adopts what stands as declared, and "
    "nothing is deleted that it does not own"
)


class Database:
    """A connection to the file at ``path``, which is made with mode 0600 when it is not there.

    Raises Permanent when the file belongs to something else, to another version, or is damaged
    (it is never overwritten), and Transient when another process holds it for too long.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        with self.translated():
            self._connection = _open(path)
        try:
            self._prepare()
        except BaseException:
            self._connection.close()
            raise

    def close(self) -> None:
        self._connection.close()

    def rows(self, query: str, *values: Any) -> list[tuple[Any, ...]]:
        """Read; a write by itself is a transaction by itself."""
        with self.translated():
            return self._connection.execute(query, values).fetchall()

    def write(self, statement: str, *values: Any) -> int:
        """How many rows it changed."""
        return self._connection.execute(statement, values).rowcount

    def write_many(self, statement: str, rows: list[tuple[Any, ...]]) -> None:
        self._connection.executemany(statement, rows)

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """All of it or nothing; no other process writes in between."""
        with self.translated():
            self._connection.execute("BEGIN IMMEDIATE")
            try:
                yield
                self._connection.execute("COMMIT")
            finally:
                if self._connection.in_transaction:
                    self._connection.execute("ROLLBACK")

    @contextmanager
    def translated(self) -> Iterator[None]:
        """What goes wrong below, as the errors that people meet."""
        try:
            yield
        except (sqlite3.IntegrityError, sqlite3.ProgrammingError):
            raise  # a mistake of ours
        except sqlite3.DatabaseError as error:
            code = getattr(error, "sqlite_errorcode", 0) & 0xFF
            if code in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED):
                raise Transient(f"{self.path} is held by another process", BUSY_S) from error
            raise Permanent(_refusal(self.path, code, error)) from error
        except OSError as error:
            raise Permanent(f"{self.path} cannot be used: {error.strerror}") from error

    def _prepare(self) -> None:
        """Make the tables that are missing; leave every file that is not ours as it is."""
        self._is_empty()
        for pragma in ("journal_mode = WAL", "synchronous = NORMAL", "foreign_keys = ON"):
            self.rows(f"PRAGMA {pragma}")
        with self.transaction():
            # Asked again: another process may have been quicker.
            script = SCHEMA + ADDED if self._is_empty() else ADDED
            for statement in _statements(script):
                self._connection.execute(statement)

    def _is_empty(self) -> bool:
        version = self.rows("PRAGMA user_version")[0][0]
        ours = self.rows("PRAGMA application_id")[0][0] == APPLICATION_ID
        if not ours and (version or self.rows("SELECT 1 FROM sqlite_schema LIMIT 1")):
            raise Permanent(f"{self.path} is a database of another program: name another file")
        if ours and version != SCHEMA_VERSION:
            raise Permanent(_other_version(self.path, version))
        return not ours


def _open(path: Path) -> sqlite3.Connection:
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    # SQLite gives its -wal and -shm files the mode of the main file. A file that is there is not
    # opened: closing it would drop every lock that this process holds on it, whereupon another
    # process takes itself for the last one and removes the -wal that is being written to
    # (https://www.sqlite.org/howtocorrupt.html#posix_advisory_locks_canceled_by_a_separate_thread_doing_close_).
    with suppress(FileExistsError):
        os.close(os.open(path, os.O_CREAT | os.O_EXCL | os.O_RDWR, 0o600))
    return sqlite3.connect(path, timeout=BUSY_S, isolation_level=None)


def _statements(script: str) -> Iterator[str]:
    """``executescript`` would commit first; this stays inside the transaction."""
    statement = ""
    for line in script.splitlines(keepends=True):
        statement += line
        if sqlite3.complete_statement(statement):
            yield statement
            statement = ""


def _refusal(path: Path, code: int, error: sqlite3.Error) -> str:
    if code in (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB):
        return f"{path} is damaged or not a state file ({error}): {WAY_OUT}"
    return f"{path} cannot be used: {error}"


def _other_version(path: Path, version: int) -> str:
    if version > SCHEMA_VERSION:
        return f"{path} was written by a newer reconciler (schema {version}): upgrade this one"
    return f"{path} was written by an older reconciler (schema {version}): {WAY_OUT}"
