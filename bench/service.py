"""The service: how quickly it answers a request, and what a sweep costs that finds nothing."""

import asyncio
import statistics
import tempfile
import time
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from bench.azure import azure
from bench.result import Result
from bench.stage import Stage
from reconciler.local.azure.server import SUBSCRIPTION

if TYPE_CHECKING:
    from reconciler.local.sandbox import Sandbox

A_SECOND = 50
LATEST_S = 0.1
"""By when 99 of 100 requests have to be answered."""
ENVIRONMENTS = 100
ENVIRONMENT = """
apiVersion: aigitops/v1
kind: Environment
metadata: {{name: {name}}}
spec: {{subscription: {subscription}, resourceGroup: rg-{name}, location: eastus2}}
"""
SPECS = """
apiVersion: aigitops/v1
kind: ManagedIdentity
metadata: {name: id-app}
spec: {}
"""
GROUP = """
apiVersion: aigitops/v1
kind: ResourceGroup
metadata: {name: "${group}"}
spec: {}
---
"""


def specs(count: int) -> dict[str, str]:
    """So many environments, each with a resource group and an identity of its own."""
    found = {"specs/estate.yaml": f"{GROUP.strip()}\n{SPECS.strip()}\n"}
    for number in range(count):
        name = f"e{number:03}"
        text = ENVIRONMENT.format(name=name, subscription=SUBSCRIPTION).rstrip()
        text = text.replace("location: eastus2", f"location: eastus2, values: {{group: rg-{name}}}")
        found[f"specs/environments/{name}.yaml"] = f"{text.strip()}\n"
    return found


def sweep(stage: Stage, count: int = ENVIRONMENTS) -> Iterator[Result]:
    """A sweep and the checks that it sends, one after the other, by one instance."""
    name = f"sweep of {count} unchanged environments"
    stage.say(name)
    with azure() as running:
        answer = stage.worker("sweep", str(count), env=running.environment, store=stage.store())
    if answer["runs"] or answer["drift"]:
        raise SystemExit(f"the sweep found something to do: {answer}")
    yield Result(f"{name}: wall", answer["wall_s"], "s")
    yield Result(f"{name}: CPU", answer["work_s"], "s")
    yield Result(f"{name}: requests to Azure", answer["requests"], "")


def reconcile(stage: Stage, seconds: float = 10.0) -> Iterator[Result]:
    """``POST /api/reconcile`` on the local host, at a steady rate, while its queue works."""
    name = f"POST /api/reconcile, {A_SECOND} a second on loopback"
    stage.say(name)
    with hosted(stage) as ours:
        took = asyncio.run(_posted(ours.app, ours.key, seconds))
    yield from told(name, took)


@contextmanager
def hosted(stage: Stage) -> "Iterator[Sandbox]":
    """The app on the local host, with everything around it and nothing that comes by itself."""
    from reconciler.local.sandbox import sandbox

    with tempfile.TemporaryDirectory(dir=stage.folder) as folder:
        for path, text in specs(1).items():
            file = Path(folder) / path
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(text, encoding="utf-8")
        with sandbox(Path(folder) / "specs", Path(folder), schedule="0 0 0 1 1 *") as ours:
            yield ours


def told(name: str, took: list[float]) -> Iterator[Result]:
    yield Result(f"{name}: p50", statistics.median(took), "s")
    yield Result(f"{name}: p99", statistics.quantiles(took, n=100)[98], "s", LATEST_S)


async def _posted(url: str, key: str, seconds: float) -> list[float]:
    """How long each answer took."""
    import aiohttp

    async with aiohttp.ClientSession(headers={"x-functions-key": key}) as session:

        async def post(number: int) -> None:
            body = {"environment": "e000", "mode": "apply"}
            async with session.post(f"{url}/api/reconcile", json=body) as answer:
                if answer.status != 202:
                    raise SystemExit(f"{answer.status}: {await answer.text()}")
                await answer.read()

        await _warmed(session, url)
        return await steadily(post, seconds)


async def steadily(post: Callable[[int], Awaitable[None]], seconds: float) -> list[float]:
    """How long each took. One is sent when it is due, whatever the others do."""

    async def timed(number: int) -> float:
        begun = time.perf_counter()
        await post(number)
        return time.perf_counter() - begun

    sent: list[asyncio.Task[float]] = []
    begun = time.perf_counter()
    for number in range(max(2, int(A_SECOND * seconds))):
        await asyncio.sleep(max(0.0, begun + number / A_SECOND - time.perf_counter()))
        sent.append(asyncio.create_task(timed(number)))
    return await asyncio.gather(*sent)


async def _warmed(session: Any, url: str) -> None:
    """One run from its request to its end: what the app imports when it first needs it is another
    measurement."""
    body = {"environment": "e000", "mode": "apply"}
    async with session.post(f"{url}/api/reconcile", json=body) as answer:
        run = (await answer.json())["run"]
    while True:
        async with session.get(f"{url}/api/runs/{run}") as answer:
            if (await answer.json())["state"] not in ("queued", "running"):
                return
        await asyncio.sleep(0.1)


class Written:
    """Specs that stand here; the reconciler reads them as it would from a repository."""

    def __init__(self, files: dict[str, str]) -> None:
        self.files = files

    async def head(self) -> str:
        return "1" * 40

    async def read(self, commit: str) -> dict[str, str]:
        return self.files


class Waiting:
    """A queue in a list."""

    def __init__(self) -> None:
        self.messages: list[dict[str, str]] = []

    async def send(self, message: Any, delay_s: float = 0.0) -> None:
        self.messages.append(dict(message))


def swept(count: str) -> dict[str, Any]:
    """In a process of its own: apply everything, then sweep and measure that."""
    return asyncio.run(_swept(int(count)))


async def _swept(count: int) -> dict[str, Any]:
    from bench.azure import Azure
    from reconciler.app import Settings, build, new_run_id
    from reconciler.service import Service

    settings = Settings.from_env()
    app, queue = build(settings), Waiting()
    service = Service(
        store=app.store,
        queue=queue,
        specs=Written(specs(count)),
        clock=app.clock,
        engine=app.engine,
        new_id=lambda: new_run_id(app.clock.now()),
    )

    async def sweep_once() -> None:
        await service.sweep()
        while queue.messages:
            await service.handle(queue.messages.pop(0))

    try:
        await sweep_once()
        runs = len(await app.store.runs(limit=10 * count))
        running = Azure(settings.arm_endpoint, {})
        before, begun, worked = running.requests()[0], time.perf_counter(), time.process_time()
        await sweep_once()
        known = await service.known()
        return {
            "wall_s": time.perf_counter() - begun,
            "work_s": time.process_time() - worked,
            "requests": running.requests()[0] - before,
            "runs": len(await app.store.runs(limit=10 * count)) - runs,
            "drift": sum(status.drift for _, status in known.environments),
        }
    finally:
        await app.close()
