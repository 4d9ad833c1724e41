"""A comment about a thousand changes: how long it takes to make one that the forge takes."""

import gc
import time
from collections.abc import Iterator
from typing import TYPE_CHECKING

from bench.result import Result
from bench.stage import Stage

if TYPE_CHECKING:
    from reconciler.core.model import Action, Plan

LIMIT = 65_400
"""Characters that GitHub takes, less our marker."""
COMMENT_S = 0.2
FIELDS = 6
HEAD = "9c0ffee1b2c3d4e5f60718293a4b5c6d7e8f9012"


def comment(stage: Stage, size: int = 1_000, times: int = 9) -> Iterator[Result]:
    """One environment, several fields a change, danger among them. It has to be told in short, so
    that it is made in several lengths. The quickest of ``times`` counts; the first one, which
    imports, does not."""
    from reconciler.core.preview import Preview, Previewed
    from reconciler.core.render import Links
    from reconciler.core.render.preview_markdown import preview_markdown

    name = f"render a comment of {size:,} changes"
    stage.say(name)
    found = Preview(
        7,
        HEAD,
        state="planned",
        environments=(Previewed("prod", "planned", run="20261120-140000-abc123"),),
    )
    links = Links(
        source=f"https://github.com/contoso/estate/blob/{HEAD}/{{path}}#L{{line}}",
        run="https://reconciler.example/api/runs/{run}",
    )
    took, length = [], 0
    for _ in range(times + 1):
        plan = _plan(size)
        gc.collect()
        begun = time.perf_counter()
        text = preview_markdown(found, {"prod": plan}, branch="main", links=links, limit=LIMIT)
        took.append(time.perf_counter() - begun)
        length = len(text)
    yield Result(name, min(took[1:]), "s", COMMENT_S)
    yield Result(f"{name}: characters", length, "", LIMIT)


def _plan(size: int) -> "Plan":
    from reconciler.core.model import Change, Check, FieldChange, Key, Plan

    def change(number: int) -> Change:
        key = Key("ModelDeployment", ("contoso-ai", f"model-{number:04}"))
        fields = tuple(
            FieldChange(("scaleSettings", f"setting{row}"), f"value {number}", f"value {row}")
            for row in range(FIELDS)
        )
        action: Action = (
            "replace" if number % 50 == 0 else "create" if number % 3 == 0 else "update"
        )
        source = f"specs/models/{number:04}.yaml:1"
        return Change(action, key, f"/subscriptions/s/{key.name}", fields, "", source)

    checks = tuple(
        Check("warning", "model.retires", "retires on 2027-04-30", f"specs/{number}.yaml:8")
        for number in range(size // 10)
    )
    changes = tuple(change(number) for number in range(size))
    return Plan("prod", HEAD, changes, (), checks, unchanged=12, reads=40)
