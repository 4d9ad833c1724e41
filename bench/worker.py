"""One measurement in a process of its own; the numbers come out as one line of JSON.

``python -m bench.worker plan|apply FOLDER``: with RECONCILER_* and AZURE_* as a person would set
them. ``python -m bench.worker virtual FOLDER SCALE``: in virtual time (bench/virtual.py).
``python -m bench.worker sweep COUNT``: the service's sweep (bench/service.py).
"""

import asyncio
import json
import os
import resource
import sys
import time
from collections.abc import Callable
from importlib import import_module
from pathlib import Path
from typing import Any

from bench.estate import ENVIRONMENT

MODULES = (
    "reconciler.azure.provider",
    "reconciler.core.desired",
    "reconciler.engine",
    "reconciler.state.sqlite",
    "azure.core.pipeline.transport",
    "azure.identity.aio",
    "aiohttp",
)
"""What the reconciler imports when it needs it; how long that takes is another measurement."""


def measured(verb: str, folder: str) -> dict[str, Any]:
    """Read a folder of specs and plan or apply it, after everything was imported."""
    for name in MODULES:
        import_module(name)
    from reconciler.app import Settings, build
    from reconciler.local.folder import read_folder

    async def work() -> tuple[float, Any]:
        begun = time.perf_counter()
        app = build(Settings.from_env())
        try:
            call = app.plan if verb == "plan" else app.apply
            found = await call(read_folder(folder), ENVIRONMENT)
        finally:
            await app.close()
        return time.perf_counter() - begun, found

    imported_s = time.process_time()
    wall_s, found = asyncio.run(work())
    plan = found if verb == "plan" else found.plan
    return {
        "wall_s": wall_s,
        "cpu_s": time.process_time(),
        "work_s": time.process_time() - imported_s,
        "rss_mb": peak_mb(),
        "changes": len(plan.changes),
        "unchanged": plan.unchanged,
        "steps": len(plan.steps),
        "state": "" if verb == "plan" else found.state,
    }


def virtual(folder: str, scale: str) -> dict[str, Any]:
    """Apply in virtual time; with the bounds that the graph and Azure's limits set."""
    from bench.bound import bucket_bound, graph_bound, writes_bound
    from bench.virtual import applied

    state = Path(os.environ["RECONCILER_STATE"].removeprefix("sqlite:"))
    poll_s = 2.0 if float(scale) else 0.01
    seconds, run, azure = applied(Path(folder), state, ENVIRONMENT, float(scale), poll_s)
    return {
        "seconds": seconds,
        "state": run.state,
        "steps": len(run.plan.steps),
        "graph_s": graph_bound(run.plan.steps) * float(scale),
        "bucket_s": bucket_bound(run.plan),
        "writes_s": writes_bound(run.plan),
        "requests": len(azure.requests),
        "refused": azure.requests.count(status=429),
    }


def peak_mb() -> float:
    """The most memory that this process has held, in MB."""
    try:
        status = Path("/proc/self/status").read_text(encoding="ascii")
        kilobytes = next(line.split()[1] for line in status.splitlines() if "VmHWM" in line)
        return int(kilobytes) / 1024
    except OSError:  # elsewhere than on Linux; macOS counts bytes
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024**2


def swept(count: str) -> dict[str, Any]:
    """Sweep environments that are as declared (bench/service.py)."""
    from bench.service import swept as sweep

    return sweep(count)


if __name__ == "__main__":
    verb, *arguments = sys.argv[1:]
    verbs: dict[str, Callable[..., dict[str, Any]]] = {"virtual": virtual, "sweep": swept}
    answer = verbs[verb](*arguments) if verb in verbs else measured(verb, *arguments)
    print(json.dumps(answer))
