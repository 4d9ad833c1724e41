"""A queue in the SQLite file that also holds the state: both ends, for one machine.

Messages are taken by hiding them: a worker that dies gives its message back by doing nothing.
"""

import json
import secrets
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from pathlib import Path

from reconciler.ports import Taken
from reconciler.state.database import Database
from reconciler.state.sqlite import utc_now

POISON = "-poison"


class SqliteQueue:
    """``ports.Queue`` and ``ports.Messages``. Raises Permanent and Transient as the store does.

    Any number of processes may use it at once: a message is taken by one of them.
    """

    def __init__(
        self, path: Path | str, name: str = "reconcile", now: Callable[[], datetime] = utc_now
    ) -> None:
        self._db = Database(Path(path))
        self._name = name
        self._now = now

    def close(self) -> None:
        self._db.close()

    async def send(self, message: Mapping[str, str], delay_s: float = 0.0) -> None:
        """Put a message on the queue; it can be taken ``delay_s`` seconds later."""
        with self._db.transaction():
            self._insert(self._name, json.dumps(dict(message)), delay_s)

    async def length(self) -> int:
        """How many messages there are, hidden ones too."""
        count = "SELECT COUNT(*) FROM messages WHERE queue = ?"
        return int(next(iter(self._db.rows(count, self._name)))[0])

    async def take(self, most: int, hidden_s: float) -> list[Taken]:
        """The messages that wait longest; nobody else sees them for so many seconds."""
        now = self._now().timestamp()
        waiting = (
            "SELECT place, sent_at, taken, body FROM messages WHERE queue = ? AND visible_at <= ? "
            "ORDER BY visible_at, place LIMIT ?"
        )
        hide = "UPDATE messages SET visible_at = ?, taken = ?, receipt = ? WHERE place = ?"
        found: list[Taken] = []
        if not self._db.rows(waiting, self._name, now, 1):
            return found  # an empty queue is looked at without locking anybody out
        with self._db.transaction():
            for place, sent_at, taken, body in self._db.rows(waiting, self._name, now, most):
                receipt = secrets.token_hex(8)
                self._db.write(hide, now + hidden_s, taken + 1, receipt, place)
                sent = datetime.fromtimestamp(sent_at, UTC)
                found.append(Taken(str(place), receipt, body, taken + 1, sent))
        return found

    async def keep(self, taken: Taken, hidden_s: float) -> None:
        """Keep it hidden for so long from now; 0: give it back."""
        until = self._now().timestamp() + hidden_s
        hide = "UPDATE messages SET visible_at = ? WHERE place = ? AND receipt = ?"
        with self._db.transaction():
            self._db.write(hide, until, int(taken.id), taken.receipt)

    async def delete(self, taken: Taken) -> None:
        """It is done."""
        with self._db.transaction():
            self._delete(taken)

    async def poison(self, taken: Taken) -> None:
        """Nobody could do it: put it on the queue ``<name>-poison`` instead."""
        with self._db.transaction():
            if self._delete(taken):
                self._insert(self._name + POISON, taken.text, 0.0)

    def _insert(self, queue: str, body: str, delay_s: float) -> None:
        now = self._now().timestamp()
        insert = (
            "INSERT INTO messages (queue, sent_at, visible_at, taken, receipt, body) "
            "VALUES (?, ?, ?, 0, '', ?)"
        )
        self._db.write(insert, queue, now, now + delay_s, body)

    def _delete(self, taken: Taken) -> int:
        """Nothing when somebody else has it by now: then it is theirs."""
        delete = "DELETE FROM messages WHERE place = ? AND receipt = ?"
        return self._db.write(delete, int(taken.id), taken.receipt)
