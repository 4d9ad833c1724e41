"""Runs as they occur, for the tests of what pull requests are told."""

from collections.abc import Callable, Mapping
from dataclasses import replace

from reconciler.core.errors import Refused
from reconciler.core.model import (
    NOTHING,
    Change,
    Check,
    FieldChange,
    Key,
    Outcome,
    Plan,
    Run,
    RunState,
)
from reconciler.core.safety import (
    refuse_if_blocked,
    refuse_if_suspended,
    refuse_if_too_much,
    refuse_if_worse,
)
from tests.core import plans
from tests.core.plans import CHAT, DELETE, EMBED, REPLACE, REPORTS, a_change, a_step

ACCOUNT = Key("Account", ("contoso-ai",))
DONE = Outcome("done", "", plans.at(0), plans.at(9))
THROTTLED = (
    "Azure asks for patience (429 TooManyRequests: The request is being limited as it exceeded "
    "the allowed number of writes): later it may work (tried 5 times)"
)
HOSTILE = "@everyone ![x](https://evil.example/x) </details><script>alert(1)</script> ```\n# GH-1 |"


def created(*keys: Key) -> Plan:
    """A plan that makes these, one after the other."""
    changes = tuple(a_change("create", key, FieldChange(("x",), None, 1)) for key in keys)
    return Plan("prod", plans.COMMIT, changes, tuple(a_step("create", key) for key in keys))


def a_run(
    plan: Plan, state: RunState, detail: str = "", outcomes: Mapping[str, Outcome] = NOTHING
) -> Run:
    """A run whose outcomes are given by the name of a resource's last part."""
    by_step = {
        step.id: outcomes[step.key.path[-1]] for step in plan.steps if step.key.path[-1] in outcomes
    }
    end = "" if state in ("queued", "running", "cancelling") else plans.at(360)
    return Run(
        "20261120-140000-abc123",
        plan,
        "somebody",
        plans.at(0),
        end,
        state,
        detail,
        outcomes=by_step,
    )


def refused(plan: Plan, rule: Callable[[Plan], None]) -> Run:
    """A run as the rule leaves it."""
    try:
        rule(plan)
    except Refused as error:
        return a_run(plan, "refused", str(error))
    raise AssertionError("the rule agrees")


WITH_ENDPOINTS = a_run(
    created(ACCOUNT, REPORTS, Key("OnlineEndpoint", ("mlw", "vllm"))),
    "done",
    outcomes={
        "contoso-ai": replace(DONE, endpoint="https://contoso-ai.openai.azure.com/"),
        "reports": replace(DONE, detail="answered 200 in 0.9 s"),
        "vllm": replace(DONE, endpoint="https://vllm.eastus2.inference.ml.azure.com/score"),
    },
)
DANGEROUS = replace(plans.EVERYTHING, checks=plans.CHECKS[1:])
WORSE = refused(DANGEROUS, lambda plan: refuse_if_worse(plan, frozenset(), "b41d9e07", None))
UNREVIEWED = refused(DANGEROUS, lambda plan: refuse_if_worse(plan, frozenset(), "", None))
MANY_GO = replace(
    DANGEROUS,
    changes=tuple(
        a_change("delete", Key("ModelDeployment", ("contoso-ai", f"old-{number}")))
        for number in range(8)
    ),
    steps=tuple(
        a_step("delete", Key("ModelDeployment", ("contoso-ai", f"old-{number}")))
        for number in range(8)
    ),
)
TOO_MUCH = refused(MANY_GO, lambda plan: refuse_if_too_much(plan, 20, None))
BLOCKED = refused(plans.EVERYTHING, refuse_if_blocked)
SUSPENDED = a_run(
    Plan("prod", plans.COMMIT),
    "refused",
    str(
        refused(
            plans.SMALL,
            lambda plan: refuse_if_suspended("prod", None, "incident", None),  # type: ignore[arg-type]  # no date: no clock is asked
        ).detail
    ),
)
STALE = a_run(
    plans.SMALL, "stale", f"{CHAT} was changed by somebody else since the plan was made: plan again"
)
CANCELLED = a_run(
    created(CHAT, REPORTS), "cancelled", "somebody asked for it", outcomes={"chat": DONE}
)
SUPERSEDED = a_run(
    created(CHAT, REPORTS), "superseded", "a newer commit took its place", outcomes={"chat": DONE}
)
THROTTLED_RUN = a_run(
    created(CHAT, REPORTS),
    "failed",
    outcomes={
        "chat": DONE,
        "reports": Outcome("failed", THROTTLED, plans.at(9), plans.at(300), "5f2e77c1"),
    },
)
NOTHING_TO_DO = a_run(Plan("dev", plans.COMMIT, unchanged=41), "done")
QUEUED = a_run(Plan("prod", plans.COMMIT), "queued")
BEFORE_MERGE = replace(WITH_ENDPOINTS, pull=7)
MANY_KEYS = tuple(Key("ModelDeployment", ("contoso-ai", f"model-{n:03}")) for n in range(500))
CALLABLE = replace(DONE, endpoint="https://contoso-ai.openai.azure.com/")
MANY = a_run(
    created(*MANY_KEYS),
    "failed",
    outcomes={key.path[-1]: CALLABLE for key in MANY_KEYS[:496]}
    | {
        key.path[-1]: Outcome(
            "failed",
            f"InsufficientQuota: {number} more are needed",
            plans.at(9),
            plans.at(53),
            "4c1d0a52",
        )
        for number, key in enumerate(MANY_KEYS[496:499], start=10)
    },
)
HALF_REPLACED = a_run(
    Plan("prod", plans.COMMIT, (REPLACE, DELETE), plans.STEPS[2:]), "failed"
).record(plans.STEPS[2].id, DONE).record(
    plans.STEPS[3].id, Outcome("failed", "InsufficientQuota: 5 more are needed", plans.at(9))
)  # fmt: skip
SIDE_BY_SIDE = a_run(
    Plan(
        "prod",
        plans.COMMIT,
        (REPLACE,),
        (a_step("create", EMBED), a_step("delete", EMBED, (f"create:{EMBED}",))),
    ),
    "failed",
).record(
    f"create:{EMBED}",
    Outcome("failed", "the container did not answer /health within 120 s", plans.at(9)),
).record(f"delete:{EMBED}", Outcome("held", f"waits for {EMBED}, which failed"))  # fmt: skip


def hostile(text: str = HOSTILE, state: RunState = "failed", rows: int = 1) -> Run:
    """Everything that others can write is ``text``."""
    keys = [Key("ModelDeployment", (text, f"{text}{number}")) for number in range(rows)]
    changes = tuple(
        Change("replace", key, f"/x/{text}", (FieldChange((text,), text, f"{text}!"),), text, text)
        for key in keys
    )
    checks = (Check("warning", text or "rule", text, f"{text}:1:2"),)
    plan = Plan(text, text, changes, tuple(a_step("create", key) for key in keys), checks)
    outcome = Outcome("failed", text, request_id=text)
    fine = Outcome("done", text, endpoint=text)
    outcomes = {
        step.id: outcome if place % 2 == 0 else fine for place, step in enumerate(plan.steps)
    }
    run = Run(text, plan, text, state=state, detail=text, outcomes=outcomes)
    return replace(run, outcomes={}) if state == "refused" else run


BROKEN_OFF = replace(plans.RUNNING, state="cancelled", detail="somebody asked for it")
