"""Pull requests as they stand at some moment, for the tests of what people are told of them."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from reconciler.core.errors import SpecError
from reconciler.core.model import (
    ABSENT,
    Change,
    Check,
    FieldChange,
    Key,
    Plan,
    Secret,
)
from reconciler.core.preview import Preview, Previewed
from reconciler.core.safety import refuse_if_too_much
from tests.core import plans, runs
from tests.core.plans import CREATE, DELETE, REPLACE, REPORTS, UPDATE, a_change, a_step

HEAD = "9c0ffee1b2c3d4e5f60718293a4b5c6d7e8f9012"
AT = "2026-11-20T14:02:11+00:00"
DEV = Previewed("dev", "planned", run="r-dev", place="contoso-dev / rg-ai-dev / Sweden Central")
PROD = Previewed("prod", "planned", run="r-prod", place="contoso-prod / rg-ai-prod / East US 2")
VAULT = "/subscriptions/s/vaults/contoso-kv"
FORBIDDEN = (
    "Azure says no (403 AuthorizationFailed: The client does not have authorization to perform "
    "action 'Microsoft.CognitiveServices/accounts/read' over scope "
    "'/subscriptions/0d1f/resourceGroups/rg-ai-prod'): give the identity that plans the role Reader"
)


@dataclass(frozen=True)
class Situation:
    """What is kept of a pull request; ``plans`` by environment."""

    preview: Preview
    plans: Mapping[str, Plan] = field(default_factory=dict)
    alerts: bool = True
    limit: int = 65_400
    linked: bool = True


def planned(
    *environments: Previewed, known: tuple[Plan, ...] = (), notes: tuple[str, ...] = ()
) -> Situation:
    """``known``: the plans of as many of the first environments."""
    preview = Preview(
        7, HEAD, state="planned", environments=environments, notes=notes, planned_at=AT
    )
    by_name = {
        one.environment: replace(plan, environment=one.environment)
        for one, plan in zip(environments, known, strict=False)
    }
    return Situation(preview, by_name)


def unplanned(preview: Preview, **more: object) -> Situation:
    return Situation(replace(preview, **more))  # type: ignore[arg-type]  # names of its fields


def plan_of(*changes: Change, unchanged: int = 38, checks: tuple[Check, ...] = ()) -> Plan:
    verbs = {"replace": "delete"}
    steps = tuple(a_step(verbs.get(one.action, one.action), one.key) for one in changes)
    return Plan("prod", HEAD, changes, steps, checks, unchanged=unchanged, reads=14)


def many(size: int, fields: int = 2) -> Plan:
    """Mostly updates; every hundredth is dangerous."""
    made = []
    for number in range(size):
        key = Key("ModelDeployment", ("contoso-ai", f"model-{number:03}"))
        rows = [FieldChange((f"field{row}",), number, number + row + 1) for row in range(fields)]
        dangerous = number % 100 == 50
        action = "delete" if dangerous else "create" if number % 7 == 3 else "update"
        reason = "no spec declares it any more" if dangerous else ""
        source = "" if dangerous else f"specs/models/{number:03}.yaml:1"
        made.append(
            a_change(
                action,  # type: ignore[arg-type]  # one of the four words
                key,
                *(() if dangerous else rows),
                reason=reason,
                source=source,
            )
        )
    return plan_of(*made, unchanged=12)


GROWS = plan_of(CREATE)
CHANGES = plan_of(UPDATE)
STILL = replace(plans.NOTHING_TO_DO, commit=HEAD)
WARNED = plan_of(UPDATE, checks=plans.CHECKS[1:])
BLOCKED = replace(plans.EVERYTHING, commit=HEAD)
DANGEROUS = replace(BLOCKED, checks=plans.CHECKS[1:])
ROTATED = plan_of(
    a_change(
        "update",
        Key("Connection", ("hub-eu", "search")),
        FieldChange(("credentials", "key"), Secret("search-key", VAULT), Secret("search-2", VAULT)),
        FieldChange(
            ("target",), "https://old.search.windows.net", "https://new.search.windows.net"
        ),
        source="specs/hub.yaml:21",
    ),
    a_change(
        "create",
        Key("Secret", ("contoso-kv", "hf-token")),
        FieldChange(("value",), ABSENT, Secret(setting="HF_TOKEN")),
        source="specs/vault.yaml:9",
    ),
)
MANY_GO = replace(
    plan_of(
        *(
            a_change(
                "delete",
                Key("ModelDeployment", ("contoso-ai", f"old-{number}")),
                reason="no spec declares it any more",
            )
            for number in range(8)
        ),
    ),
    unchanged=12,
)
SUSPENDED = (
    "prod is suspended until 2026-11-27T08:00+00:00: incident 4711. Take suspend out of its "
    "environment file to apply"
)
EMPTY = (
    "the specs of prod declare nothing, while 41 resources are owned: this looks like a broken "
    "checkout, so nothing is deleted. To really remove everything, leave one document and delete "
    "the rest in a second step"
)
RIGHTS = (
    "It changes prune, apply of environment prod. That holds from the merge on; this plan was made "
    "with what main says now."
)
NEW = "Environment staging is new: it is planned when it is on main."
GONE = "Environment qa is declared no more: what it owns in Azure stays as it is."
ERRORS = tuple(
    SpecError(f"specs/models/{name}.yaml:{9 + number}:15", message)
    for number, (name, message) in enumerate(
        [
            ("chat", "there is no field capactiy: did you mean capacity?"),
            ("chat", "sku.name is one of GlobalStandard, DataZoneStandard, Standard; not 'Global'"),
            ("embed", "needs Account contoso-aj, which no spec declares: did you mean contoso-ai?"),
        ]
        * 4
    )
)
WAITING = replace(PROD, on_command=True)
FIRST = plan_of(
    CREATE,
    a_change(
        "create",
        Key("Account", ("contoso-ai",)),
        FieldChange(("kind",), ABSENT, "AIServices"),
        FieldChange(("sku", "name"), ABSENT, "S0"),
        FieldChange(("location",), ABSENT, "eastus2"),
        source="specs/account.yaml:1",
    ),
    unchanged=0,
)
LOOKED_AT = Preview(7, HEAD, planned_at=AT)
MANY_ENVIRONMENTS = tuple(
    replace(DEV, environment=f"team-{number:02}", run=f"r-{number}") for number in range(40)
)
HOSTILE_PLAN = replace(
    runs.hostile(rows=2).plan,
    checks=(Check("warning", runs.HOSTILE, runs.HOSTILE, f"{runs.HOSTILE}:1:2"),),
    unmanaged=(Key(runs.HOSTILE, (runs.HOSTILE,)),),
)

SITUATIONS: Mapping[str, Situation] = {
    "first-plan": planned(PROD, known=(FIRST,)),
    "no-change": planned(DEV, known=(STILL,)),
    "no-change-in-two": planned(DEV, PROD, known=(STILL, replace(STILL, unchanged=38))),
    "one-environment": planned(PROD, known=(WARNED,)),
    "update": planned(DEV, known=(CHANGES,)),
    "replace": planned(PROD, known=(plan_of(REPLACE),)),
    "delete": planned(PROD, known=(plan_of(DELETE),)),
    "everything-in-two": planned(DEV, PROD, known=(CHANGES, DANGEROUS)),
    "blocked-by-checks": planned(PROD, known=(BLOCKED,)),
    "blocked-in-one-of-two": planned(DEV, PROD, known=(CHANGES, BLOCKED)),
    "refused-by-a-rule": planned(replace(PROD, verdict="refused", run="", detail=EMPTY)),
    "will-be-refused-too-much": planned(
        replace(
            PROD,
            detail=runs.refused(MANY_GO, lambda plan: refuse_if_too_much(plan, 20, None)).detail,
        ),
        known=(MANY_GO,),
    ),
    "will-be-refused-suspended": planned(
        DEV, replace(PROD, detail=SUSPENDED), known=(CHANGES, GROWS)
    ),
    "suspended-alone": planned(replace(PROD, detail=SUSPENDED), known=(CHANGES,)),
    "planning": unplanned(LOOKED_AT),
    "planning-again": unplanned(LOOKED_AT, environments=(DEV, PROD), shown=(DEV, PROD)),
    "throttled": unplanned(LOOKED_AT, state="failed", detail=runs.THROTTLED),
    "failed-for-good": unplanned(LOOKED_AT, state="failed", detail=FORBIDDEN),
    "one-fails-and-one-is-fine": planned(
        DEV, replace(PROD, verdict="failed", run="", detail=runs.THROTTLED), known=(CHANGES,)
    ),
    "both-are-broken": planned(
        replace(DEV, verdict="failed", run="", detail=runs.THROTTLED),
        replace(PROD, verdict="failed", run="", detail=FORBIDDEN),
    ),
    "its-plan-is-gone": planned(PROD),
    "30-changes": planned(DEV, known=(many(30),)),
    "500-changes": planned(PROD, known=(many(500),)),
    "500-changes-in-little-room": replace(planned(PROD, known=(many(500),)), limit=6_000),
    "500-changes-in-two": planned(DEV, PROD, known=(CHANGES, many(500, 6))),
    "hostile": planned(
        Previewed(runs.HOSTILE, "planned", runs.HOSTILE, runs.HOSTILE, runs.HOSTILE),
        known=(HOSTILE_PLAN,),
        notes=(runs.HOSTILE,),
    ),
    "hostile-errors": unplanned(
        LOOKED_AT,
        state="invalid",
        head=runs.HOSTILE,
        errors=(SpecError(f"{runs.HOSTILE}:1:2", runs.HOSTILE), SpecError("", runs.HOSTILE)),
    ),
    "fork": unplanned(LOOKED_AT, state="untrusted"),
    "invalid": unplanned(LOOKED_AT, state="invalid", errors=ERRORS),
    "invalid-in-little-room": Situation(
        replace(LOOKED_AT, state="invalid", errors=ERRORS * 9), limit=3_000
    ),
    "conflict": unplanned(LOOKED_AT, state="conflicting"),
    "waits-for-a-command": planned(DEV, WAITING, known=(CHANGES, GROWS)),
    "waits-and-is-suspended": planned(replace(WAITING, detail=SUSPENDED), known=(CHANGES,)),
    "waits-alone": planned(WAITING, known=(DANGEROUS,)),
    "applied-by-command": planned(
        replace(WAITING, applied=True), known=(replace(STILL, unchanged=39),)
    ),
    "policy-changed": planned(PROD, known=(CHANGES,), notes=(RIGHTS,)),
    "new-environment": planned(notes=(NEW, GONE)),
    "new-environment-and-a-plan": planned(DEV, known=(CHANGES,), notes=(NEW,)),
    "unmanaged": planned(PROD, known=(replace(CHANGES, unmanaged=BLOCKED.unmanaged),)),
    "unmanaged-and-nothing-else": planned(PROD, known=(replace(STILL, unmanaged=(REPORTS,)),)),
    "secrets-changed": planned(PROD, known=(ROTATED,)),
    "nothing-touched": planned(),
    "closed": unplanned(LOOKED_AT, state="closed"),
    "40-environments": planned(
        *MANY_ENVIRONMENTS,
        known=tuple((CHANGES, STILL, GROWS, DANGEROUS)[n % 4] for n in range(40)),
    ),
    "40-environments-in-little-room": replace(
        planned(
            *MANY_ENVIRONMENTS,
            known=tuple((CHANGES, STILL, GROWS, DANGEROUS)[n % 4] for n in range(40)),
        ),
        limit=8_000,
    ),
    "without-alerts": replace(
        planned(DEV, replace(PROD, detail=SUSPENDED), known=(CHANGES, DANGEROUS), notes=(RIGHTS,)),
        alerts=False,
        limit=150_000,
    ),
    "without-links": replace(planned(DEV, PROD, known=(CHANGES, BLOCKED)), linked=False),
}
