"""A Store in one SQLite file, for a command line, a container with a disk, and tests.

Calls run directly on the event loop: the usual one is a single insert of about 0.05 ms, and
handing it to a thread costs more than that. Reading a whole owned list (10,000 rows: about
0.1 s) happens once a plan.

Durability: WAL with ``synchronous=NORMAL``. A commit is in the operating system's hands before
a call returns, so killing the process loses nothing that a call has answered for. A power cut may
lose the last commits but never tears the file (https://www.sqlite.org/pragma.html#pragma_synchronous),
and a run copes with that: before a step is sent its resource is read again, and one that stands as
declared counts as done.
"""

import secrets
from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, cast

from reconciler.core.model import Mode, Outcome, Owned, Run, RunHeader, RunState, Status
from reconciler.core.preview import Preview
from reconciler.state.codec import decode, encode
from reconciler.state.database import Database
from reconciler.state.sqlite_lease import Leases, SqliteLease


def utc_now() -> datetime:
    return datetime.now(UTC)


class SqliteStore:
    """``ports.Store`` over one file, made with mode 0600 when it is not there.

    Raises Permanent when the file belongs to something else, to another version, or is damaged
    (it is never overwritten), and Transient when another process holds it for too long.
    """

    def __init__(self, path: Path | str, now: Callable[[], datetime] = utc_now) -> None:
        self._db = Database(Path(path))
        self.leases = Leases(self._db, now)

    def close(self) -> None:
        self._db.close()

    # The owned list

    async def owned(self, environment: str) -> Mapping[str, Owned]:
        """Everything owned, by lower-cased ARM id."""
        query = "SELECT arm_id, owned FROM owned WHERE environment = ?"
        rows = self._db.rows(query, environment)
        return {arm_id: decode(Owned, text) for arm_id, text in rows}

    async def own(self, environment: str, owned: Iterable[Owned]) -> None:
        """Add or replace."""
        rows = [(environment, one.arm_id.lower(), encode(one)) for one in owned]
        with self.leases.writing(environment):
            self._db.write_many("INSERT OR REPLACE INTO owned VALUES (?, ?, ?)", rows)

    async def disown(self, environment: str, arm_ids: Iterable[str]) -> None:
        """Forget; what is not owned is passed over."""
        rows = [(environment, arm_id.lower()) for arm_id in arm_ids]
        with self.leases.writing(environment):
            self._db.write_many("DELETE FROM owned WHERE environment = ? AND arm_id = ?", rows)

    # Runs

    async def begin(self, run: Run) -> None:
        """Save a new run, queued or planned. A run that is already there stays as it is."""
        environment, bare = run.plan.environment, replace(run, outcomes={})
        what = (run.id, environment, run.mode, run.created_at, run.state)
        with self.leases.writing(environment):
            insert = "INSERT INTO runs VALUES (?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING"
            if self._db.write(insert, *what, encode(run.header), encode(bare)):
                for step_id, outcome in run.outcomes.items():
                    self._append(run.id, step_id, outcome, run.created_at)

    async def planned(self, run: Run) -> None:
        """Save the plan and the state of a run that was queued; one that ended stays as it is."""
        with self.leases.writing(run.plan.environment):
            if self._header(run.id).open:
                self._save(replace(run, outcomes={}), run.header)

    async def record(self, run_id: str, step_id: str, outcome: Outcome, now: datetime) -> None:
        """Append one outcome to a run's journal. Raises KeyError when there is no such run."""
        with self.leases.writing(self._header(run_id).environment):
            self._append(run_id, step_id, outcome, now.isoformat())

    async def end(self, run_id: str, state: RunState, detail: str, now: datetime) -> None:
        """Say how a run ended; one that ended already stays as it is. Raises KeyError."""
        with self.leases.writing(self._header(run_id).environment):
            header = self._header(run_id)
            if header.open:
                ended = replace(header, state=state, detail=detail, ended_at=now.isoformat())
                self._save(None, ended)

    async def cancel(self, run_id: str, now: datetime) -> RunState:
        """Ask for a run to end; the state it then has. Raises KeyError."""
        with self._db.transaction():
            header = self._header(run_id)
            if header.state == "queued":
                header = replace(header, state="cancelled", ended_at=now.isoformat())
            elif header.state == "running":
                header = replace(header, state="cancelling")
            self._save(None, header)
        return header.state

    async def state(self, run_id: str) -> RunState | None:
        for (state,) in self._db.rows("SELECT state FROM runs WHERE id = ?", run_id):
            return cast(RunState, state)
        return None

    async def run(self, run_id: str) -> Run | None:
        return next(iter(self._runs("WHERE id = ?", run_id)), None)

    async def runs(
        self, environment: str = "", limit: int = 50, mode: Mode | None = None
    ) -> list[RunHeader]:
        """Newest first; of every environment when none is named."""
        wanted = {"environment": environment, "mode": mode}
        values = {name: value for name, value in wanted.items() if value}
        where = " AND ".join(["TRUE", *(f"{name} = ?" for name in values)])
        newest = f"WHERE {where} ORDER BY created_at DESC, id DESC LIMIT ?"
        return self._headers(newest, *values.values(), limit)

    async def open_runs(self, environment: str = "") -> list[RunHeader]:
        """Runs that have not ended, oldest first."""
        which = "WHERE state IN ('queued', 'running', 'cancelling')"
        if environment:
            which += " AND environment = ?"
        values = (environment,) if environment else ()
        return self._headers(f"{which} ORDER BY created_at, id", *values)

    async def unfinished(self, environment: str) -> Run | None:
        """The newest apply that has begun and not ended."""
        where = "WHERE environment = ? AND mode = 'apply' AND state IN ('running', 'cancelling')"
        newest = f"{where} ORDER BY created_at DESC, id DESC LIMIT 1"
        return next(iter(self._runs(newest, environment)), None)

    # Environments, pull requests and deliveries

    async def status(self, environment: str) -> Status:
        query = "SELECT status FROM statuses WHERE environment = ?"
        for (text,) in self._db.rows(query, environment):
            return decode(Status, text)
        return Status(environment)

    async def keep_status(self, status: Status) -> None:
        insert = "INSERT OR REPLACE INTO statuses VALUES (?, ?)"
        with self._db.transaction():
            self._db.write(insert, status.environment, encode(status))

    async def preview(self, pull: int) -> Preview | None:
        """What is known of a pull request, closed ones too."""
        query = "SELECT preview FROM previews WHERE pull = ?"
        for (text,) in self._db.rows(query, str(pull)):
            return decode(Preview, text)
        return None

    async def keep_preview(self, preview: Preview) -> None:
        """Add or replace."""
        insert = "INSERT OR REPLACE INTO previews VALUES (?, ?, ?)"
        with self._db.transaction():
            self._db.write(insert, str(preview.pull), preview.open, encode(preview))

    async def open_previews(self) -> list[Preview]:
        """Those of pull requests that are not known to be closed, oldest first."""
        rows = self._db.rows("SELECT preview FROM previews WHERE open")
        found = [decode(Preview, text) for (text,) in rows]
        return sorted(found, key=lambda one: (one.begun_at, one.pull))

    async def seen(self, delivery: str, now: datetime) -> bool:
        """Remember a delivery id for a week; True when it was remembered before."""
        old = (now - timedelta(days=7)).isoformat()
        with self._db.transaction():
            self._db.write("DELETE FROM deliveries WHERE at < ?", old)
            insert = "INSERT INTO deliveries VALUES (?, ?) ON CONFLICT DO NOTHING"
            return not self._db.write(insert, delivery, now.isoformat())

    # One writer

    async def lease(self, environment: str, holder: str, seconds: float) -> SqliteLease:
        """Take the right to write. Raises Transient, naming the holder, when it is taken.

        While it is held, writes of this store to the environment fail once somebody else has
        taken over, so that a worker that slept too long cannot undo what its successor did.
        """
        return self.leases.take(environment, holder, seconds)

    async def digest_key(self) -> bytes:
        """The key of the digests of secret versions: random, made once, never shown."""
        insert = "INSERT INTO digest_key VALUES (1, ?) ON CONFLICT DO NOTHING"
        with self._db.transaction():
            self._db.write(insert, secrets.token_bytes(32))
            return bytes(self._db.rows("SELECT value FROM digest_key")[0][0])

    # SQL

    def _append(self, run_id: str, step_id: str, outcome: Outcome, saved_at: str) -> None:
        insert = "INSERT INTO outcomes (run_id, step_id, saved_at, outcome) VALUES (?, ?, ?, ?)"
        self._db.write(insert, run_id, step_id, saved_at, encode(outcome))

    def _header(self, run_id: str) -> RunHeader:
        found = self._headers("WHERE id = ?", run_id)
        if not found:
            raise KeyError(run_id)
        return found[0]

    def _headers(self, which: str, *values: Any) -> list[RunHeader]:
        rows = self._db.rows(f"SELECT header FROM runs {which}", *values)  # noqa: S608 (ours)
        return [decode(RunHeader, text) for (text,) in rows]

    def _save(self, run: Run | None, header: RunHeader) -> None:
        """What a run says of itself stands in its header; its plan is only written when new."""
        values: tuple[Any, ...] = (header.state, encode(header), header.id)
        self._db.write("UPDATE runs SET state = ?, header = ? WHERE id = ?", *values)
        if run is not None:
            self._db.write("UPDATE runs SET run = ? WHERE id = ?", encode(run), run.id)

    def _runs(self, which: str, *values: Any) -> list[Run]:
        query = f"SELECT header, run FROM runs {which}"  # noqa: S608 (ours)
        return [self._whole(*row) for row in self._db.rows(query, *values)]

    def _whole(self, header_text: str, run_text: str) -> Run:
        header, run = decode(RunHeader, header_text), decode(Run, run_text)
        # The journal in order: the last word on a step is how it stands.
        journal = "SELECT step_id, outcome FROM outcomes WHERE run_id = ? ORDER BY place"
        last = dict(self._db.rows(journal, run.id))
        return replace(
            run,
            state=header.state,
            detail=header.detail,
            ended_at=header.ended_at,
            outcomes={step: decode(Outcome, text) for step, text in last.items()},
        )
