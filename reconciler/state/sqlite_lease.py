"""The leases in a SQLite file: one writer per environment, by the clock of whoever asks.

Each lease has a token that is greater than the one before. What a store writes is refused once its
token is no longer the newest, so that a worker that slept too long cannot undo what its successor
did.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from types import TracebackType
from typing import Self

from reconciler.core.errors import Transient
from reconciler.state.database import Database

type Held = tuple[str, int, datetime]
"""Who holds a lease, its token, and until when."""


class Leases:
    """The leases of one file, and those among them that one store has taken."""

    def __init__(self, db: Database, now: Callable[[], datetime]) -> None:
        self._db = db
        self._now = now
        self._tokens: dict[str, int] = {}
        """Fencing: the token of each environment that this store has leased."""

    def take(self, environment: str, holder: str, seconds: float) -> "SqliteLease":
        """Raises Transient, naming the holder, when it is taken."""
        with self._db.transaction():
            now = self._now()
            held = self.held(environment)
            if held and held[2] > now:
                raise _taken(environment, held, now)
            token = held[1] + 1 if held else 1
            self._write(environment, holder, token, now + timedelta(seconds=seconds))
        self._tokens[environment] = token
        return SqliteLease(self, environment, holder, token, seconds)

    def extend(self, lease: "SqliteLease") -> None:
        """Raises Transient when somebody else has taken it."""
        with self.writing(lease.environment, lease.token):
            until = self._now() + timedelta(seconds=lease.seconds)
            self._write(lease.environment, lease.holder, lease.token, until)

    def release(self, lease: "SqliteLease") -> None:
        """Give up a lease, unless somebody else has it by now."""
        if self._tokens.get(lease.environment) == lease.token:
            del self._tokens[lease.environment]
        query = "UPDATE leases SET holder = '', expires_at = ? WHERE environment = ? AND token = ?"
        with self._db.transaction():
            past = datetime.min.replace(tzinfo=UTC).isoformat()
            self._db.write(query, past, lease.environment, lease.token)

    def held(self, environment: str) -> Held | None:
        """The lease that was taken last, whether or not it has run out."""
        query = "SELECT holder, token, expires_at FROM leases WHERE environment = ?"
        for holder, token, expires_at in self._db.rows(query, environment):
            return holder, token, datetime.fromisoformat(expires_at)
        return None

    @contextmanager
    def writing(self, environment: str, token: int | None = None) -> Iterator[None]:
        """A transaction that only happens while our lease of the environment, if any, is ours."""
        token = token or self._tokens.get(environment)
        with self._db.transaction():
            held = self.held(environment)
            if token and held and held[1] != token:
                raise _taken(environment, held, self._now())
            yield

    def _write(self, environment: str, holder: str, token: int, until: datetime) -> None:
        insert = "INSERT OR REPLACE INTO leases VALUES (?, ?, ?, ?)"
        self._db.write(insert, environment, holder, token, until.isoformat())


class SqliteLease:
    """The right to write to one environment; given back when its block ends."""

    def __init__(
        self, leases: Leases, environment: str, holder: str, token: int, seconds: float
    ) -> None:
        self.environment = environment
        self.holder = holder
        self.token = token
        self.seconds = seconds
        self._leases = leases

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._leases.release(self)

    async def renew(self) -> None:
        """Keep it for as long again; raises Transient when somebody else has taken it."""
        self._leases.extend(self)


def _taken(environment: str, held: Held, now: datetime) -> Transient:
    holder, _, until = held
    if until <= now:
        return Transient(f"somebody else has written to {environment} meanwhile: start again", 0.0)
    return Transient(
        f"{environment} is being written to by {holder} (until {until:%H:%M:%S} UTC unless "
        "renewed): try again when that run has ended",
        retry_after_s=(until - now).total_seconds(),
    )
