"""Several connections of one process, and other processes, on one state file."""

import subprocess
import sys
from pathlib import Path

from reconciler.state.sqlite import SqliteStore
from reconciler.state.sqlite_queue import SqliteQueue

LOOK = """
import asyncio, sys
from reconciler.state.sqlite_queue import SqliteQueue
queue = SqliteQueue(sys.argv[1])
print(len(asyncio.run(queue.take(100, 0))))
queue.close()
"""


async def test_what_is_written_beside_several_connections_is_seen_by_other_processes(
    tmp_path: Path,
) -> None:
    path = tmp_path / "state.db"
    store, queue, another = SqliteStore(path), SqliteQueue(path), SqliteQueue(path, "other")

    def seen() -> int:
        command = [sys.executable, "-c", LOOK, str(path)]
        return int(subprocess.run(command, check=True, capture_output=True).stdout)

    for number in (1, 2, 3):
        await queue.send({"run": str(number)})
        assert seen() == number
    for one in (store, queue, another):
        one.close()
