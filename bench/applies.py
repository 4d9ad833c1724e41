"""An apply of a new estate: at full speed, at the speed that Azure allows, and in Azure's time."""

import os
from collections.abc import Iterator
from typing import Any

from bench.azure import azure
from bench.estate import Estate
from bench.result import Result
from bench.stage import Stage

CREATIONS, CREATIONS_S = 1_000, 12.0
OPERATIONS, MORE_OPERATIONS = 300, 1_000
BUCKET, GRAPH = 1.05, 1.15
"""How much longer than the ideal an apply may take."""


def apply_at_full_speed(stage: Stage, size: int = CREATIONS) -> Iterator[Result]:
    """No limits on either side, and operations that end when they are asked about."""
    name = f"apply {size:,} creations, 0 ms, limits lifted"
    stage.say(name)
    specs, store = stage.specs(Estate.of(size)), stage.store()
    with azure() as running:
        answer = stage.worker("apply", str(specs), env=running.environment, store=store)
        requests, refused = running.requests()
    _done(answer)
    yield Result(f"{name}: wall", answer["wall_s"], "s", CREATIONS_S)
    yield Result(f"{name}: CPU, imports included", answer["cpu_s"], "s")
    yield Result(f"{name}: peak memory", answer["rss_mb"], "MB")
    yield Result(f"{name}: requests", requests, "")
    yield Result(f"{name}: refused with 429", refused, "", 0)


def apply_within_limits(stage: Stage, size: int = CREATIONS) -> Iterator[Result]:
    """Limits on both sides, in virtual time: is the bucket the only thing that is waited for?"""
    name = f"apply {size:,} creations, limits on"
    answer = _virtual(stage, name, size, 0.0)
    yield Result(f"{name}: virtual time", answer["seconds"], "s")
    yield Result(f"{name}: the least that the limits allow", answer["bucket_s"], "s")
    yield Result(f"{name}: of that, if nothing had to be read", answer["writes_s"], "s")
    if answer["bucket_s"]:
        yield Result(f"{name}: ratio", answer["seconds"] / answer["bucket_s"], "×", BUCKET)
    yield Result(f"{name}: requests", answer["requests"], "")
    yield Result(f"{name}: refused with 429", answer["refused"], "", 0)


def apply_in_azures_time(stage: Stage, size: int = OPERATIONS) -> Iterator[Result]:
    """Operations that take as long as they usually do, in virtual time: is the graph the only
    thing that is waited for?"""
    name = f"apply {size:,} creations in Azure's time"
    answer = _virtual(stage, name, size, 1.0)
    yield Result(f"{name}: virtual time", answer["seconds"], "s")
    yield Result(f"{name}: the least that the graph allows", answer["graph_s"], "s")
    yield Result(f"{name}: ratio", answer["seconds"] / answer["graph_s"], "×", GRAPH)
    yield Result(f"{name}: requests", answer["requests"], "")
    yield Result(f"{name}: refused with 429", answer["refused"], "", 0)


def _virtual(stage: Stage, name: str, size: int, scale: float) -> dict[str, Any]:
    stage.say(name)
    specs = str(stage.specs(Estate.of(size)))
    answer = stage.worker("virtual", specs, str(scale), env=os.environ, store=stage.store())
    _done(answer)
    return answer


def _done(answer: dict[str, Any]) -> None:
    if answer["state"] != "done":
        raise SystemExit(f"the apply did not succeed: {answer}")
