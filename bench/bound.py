"""How fast an apply could possibly be: worked out from its steps and what the emulator takes.

Nothing of the engine is used here, so that it cannot agree with itself.
"""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from functools import cache

from reconciler.core.model import Plan, Step
from reconciler.local.azure.model import Answer
from reconciler.local.azure.providers import providers
from reconciler.local.azure.registry import Registry
from reconciler.local.azure.throttle import LIMITS, Limit


@cache
def _types() -> Mapping[str, Answer]:
    """How each type answers a PUT, by lower-cased name."""
    return {name.lower(): one.put for name, one in Registry(providers()).types.items() if one.put}


def _answer(step: Step) -> Answer:
    """How Azure answers the step's request; a resource group is a type by itself."""
    assert step.verb == "put", "the bench applies to an empty Azure"
    _, below, rest = step.arm_id.lower().rpartition("/providers/")
    if not below:
        return _types()["microsoft.resources/resourcegroups"]
    namespace, *parts = rest.split("/")
    return _types()["/".join([namespace, *parts[::2]])]


def duration_s(step: Step) -> float:
    return _answer(step).duration_s


def graph_bound(steps: Sequence[Step]) -> float:
    """Seconds that no order can go below: the longest chain of steps, or the work below one lock
    with the shortest way to it and from it."""
    head = _heads(steps)
    tail = _tails(steps)
    chains = (head[one.id] + duration_s(one) + tail[one.id] for one in steps)
    queues: dict[str, list[Step]] = defaultdict(list)
    for one in steps:
        queues[one.lock or one.id].append(one)
    locks = (
        min(head[one.id] for one in queue)
        + sum(duration_s(one) for one in queue)
        + min(tail[one.id] for one in queue)
        for queue in queues.values()
    )
    return max((*chains, *locks), default=0.0)


def _heads(steps: Sequence[Step]) -> Mapping[str, float]:
    """For each step, how long what comes before it takes; ``steps`` are in a workable order."""
    by_id = {one.id: one for one in steps}
    head: dict[str, float] = {}
    for one in steps:
        head[one.id] = max((head[b] + duration_s(by_id[b]) for b in one.after), default=0.0)
    return head


def _tails(steps: Sequence[Step]) -> Mapping[str, float]:
    """For each step, how long what waits for it takes."""
    tail: dict[str, float] = defaultdict(float)
    for one in reversed(steps):
        for before in one.after:
            tail[before] = max(tail[before], tail[one.id] + duration_s(one))
    return tail


def bucket_bound(plan: Plan) -> float:
    """Seconds that Azure's limits force on an apply: each step is read, written, asked about
    where the write is slow, and read again; the plan itself was read before."""
    slow = sum(_answer(one).wait is not None for one in plan.steps)
    reads = plan.reads + 2 * len(plan.steps) + slow
    return max(seconds(LIMITS["reads"], reads), writes_bound(plan))


def writes_bound(plan: Plan) -> float:
    """Seconds that Azure's limits force on the writes of an apply alone."""
    return seconds(LIMITS["writes"], len(plan.steps))


def seconds(limit: Limit, requests: int) -> float:
    """How long so many requests take when the bucket is full at first."""
    return max(0.0, (requests - limit.size) / limit.refill)
