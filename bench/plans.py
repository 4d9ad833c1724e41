"""A plan of an estate that is as declared: how long, how much, how many requests."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from bench.azure import azure
from bench.bound import seconds
from bench.estate import Estate
from bench.result import Result
from bench.stage import Stage
from reconciler.local.azure.throttle import LIMITS

MORE_REQUESTS = 5
"""Beyond one for each collection: a token, the resource group, and a few to spare."""


@dataclass(frozen=True)
class Case:
    """One way to plan; ``wall_s`` and ``rss_mb`` are the most it may take."""

    resources: int
    latency_ms: int = 0
    limits: bool = False
    wall_s: float | None = None
    rss_mb: float | None = None

    @property
    def name(self) -> str:
        limits = ", limits on" if self.limits else ""
        return f"plan {self.resources:,} unchanged, {self.latency_ms} ms{limits}"


CASES = (
    Case(100),
    Case(100, 50),
    Case(1_000),
    Case(1_000, 50, wall_s=1.5),
    Case(1_000, limits=True),
    Case(10_000, wall_s=5, rss_mb=200),
    Case(10_000, 50),
)
QUICK = (Case(60),)
LINEAR = 1.2
"""How much worse than linear growth may be."""


def plans(stage: Stage, cases: tuple[Case, ...], times: int) -> Iterator[Result]:
    """Each case in fresh processes; the quickest of ``times`` counts.

    Growth is that of the processor's work: what else the machine does hits long runs harder.
    """
    work: dict[int, float] = {}
    for case in cases:
        found = _measured(stage, case, times)
        yield from _results(case, min(found, key=lambda one: float(one["wall_s"])))
        if not (case.latency_ms or case.limits):
            work[case.resources] = min(float(one["work_s"]) for one in found)
    if {1_000, 10_000} <= work.keys():
        growth = work[10_000] / work[1_000] / 10
        yield Result("plan: CPU of 10,000 against ten times 1,000", growth, "×", LINEAR)
        requests = Estate.of(10_000).collections + 2
        limit = LIMITS["reads"]
        name = f"plan 10,000: the least that Azure's {limit.size} reads + {limit.refill}/s allow"
        yield Result(name, seconds(limit, requests), "s")


def _measured(stage: Stage, case: Case, times: int) -> list[dict[str, Any]]:
    specs = str(stage.specs(Estate.of(case.resources)))
    state, store = stage.settled(case.resources)
    found: list[dict[str, Any]] = []
    with azure(state, latency_ms=case.latency_ms, limits=case.limits) as running:
        for time in range(times):
            stage.say(f"{case.name}, {time + 1} of {times}")
            before, _ = running.requests()
            answer = stage.worker("plan", specs, env=running.environment, store=stage.copy(store))
            if answer["changes"] or answer["unchanged"] != case.resources:
                raise SystemExit(f"the second plan is not empty: {answer}")
            after, refused = running.requests()
            found.append({**answer, "requests": after - before, "refused": refused})
    return found


def _results(case: Case, best: dict[str, Any]) -> Iterator[Result]:
    allowed = Estate.of(case.resources).collections + MORE_REQUESTS
    yield Result(f"{case.name}: wall", best["wall_s"], "s", case.wall_s)
    yield Result(f"{case.name}: CPU, imports included", best["cpu_s"], "s")
    yield Result(f"{case.name}: peak memory", best["rss_mb"], "MB", case.rss_mb)
    yield Result(f"{case.name}: requests", best["requests"], "", allowed)
    yield Result(f"{case.name}: refused with 429", best["refused"], "", 0)
