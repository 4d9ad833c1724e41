"""One queue, several processes, one of them killed."""

import signal
import subprocess
import sys
from pathlib import Path

from reconciler.state.sqlite_queue import SqliteQueue

WORKER = """
import asyncio, json, sys
from reconciler.state.sqlite_queue import SqliteQueue

async def main():
    queue = SqliteQueue(sys.argv[1])
    while taken := await queue.take(1, 600):
        print(json.loads(taken[0].text)["run"], flush=True)
        await queue.delete(taken[0])
    queue.close()

asyncio.run(main())
"""


async def test_many_processes_share_the_work_and_a_killed_one_loses_nothing(
    tmp_path: Path,
) -> None:
    path = tmp_path / "state.db"
    queue = SqliteQueue(path)
    for place in range(200):
        await queue.send({"run": str(place)})
    workers = [
        subprocess.Popen([sys.executable, "-c", WORKER, path], stdout=subprocess.PIPE, text=True)
        for _ in range(4)
    ]
    assert workers[0].stdout is not None
    done = [workers[0].stdout.readline().strip()]
    workers[0].send_signal(signal.SIGKILL)
    for worker in workers:
        done += worker.communicate()[0].split()
    assert len(done) == len(set(done))
    left = [place for place in map(str, range(200)) if place not in done]
    assert len(left) <= 1  # the one that was taken and not yet told of
    queue.close()
