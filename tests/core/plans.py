"""Plans and runs as they occur, for the tests of what people see."""

from dataclasses import replace

from reconciler.core.model import (
    ABSENT,
    UNKNOWN,
    Action,
    Change,
    Check,
    FieldChange,
    Key,
    Outcome,
    Plan,
    Run,
    Secret,
    Step,
)

COMMIT = "3f2c1ab9d04e5f60718293a4b5c6d7e8f9012345"
REPORTS = Key("ModelDeployment", ("contoso-ai", "reports"))
CHAT = Key("ModelDeployment", ("contoso-ai", "chat"))
EMBED = Key("ModelDeployment", ("contoso-ai", "embed"))
OLD = Key("Account", ("contoso-old",))


def arm_id(key: Key) -> str:
    base = "/subscriptions/s/resourceGroups/rg/providers/Microsoft.CognitiveServices/accounts/"
    return base + "/deployments/".join(key.path)


def a_change(
    action: Action, key: Key, *fields: FieldChange, reason: str = "", source: str = ""
) -> Change:
    return Change(action, key, arm_id(key), fields, reason, source)


def a_step(name: str, key: Key, after: tuple[str, ...] = ()) -> Step:
    verb = "delete" if name == "delete" else "put"
    return Step(f"{name}:{key}", verb, key, arm_id(key), "2025-06-01", after=frozenset(after))


CREATE = a_change(
    "create",
    REPORTS,
    FieldChange(("sku", "name"), ABSENT, "GlobalStandard"),
    FieldChange(("sku", "capacity"), ABSENT, 20),
    FieldChange(("model", "format"), ABSENT, "OpenAI"),
    FieldChange(("model", "name"), ABSENT, "gpt-4.1-mini"),
    FieldChange(("model", "version"), ABSENT, "2025-04-14"),
    FieldChange(("versionUpgradeOption",), ABSENT, "NoAutoUpgrade"),
    FieldChange(("tags", "owner"), ABSENT, "ai-platform"),
    FieldChange(("tags", "cost center"), ABSENT, "0815"),
    FieldChange(("scaleSettings", "rules", 0, "metricTrigger", "name"), ABSENT, "load"),
    FieldChange(("endpoint",), ABSENT, UNKNOWN),
    FieldChange(("dynamicThrottlingEnabled",), ABSENT, False),
    source="specs/models/reports.yaml:1",
)
UPDATE = a_change(
    "update",
    CHAT,
    FieldChange(("sku", "capacity"), 50, 250),
    FieldChange(("model", "version"), "2024-11-20", "2025-04-14"),
    FieldChange(("raiPolicyName",), "strict", ABSENT),
    FieldChange(("apiKey",), ABSENT, Secret("hf-token", "/subscriptions/s/vaults/contoso-kv")),
    FieldChange(("prompt",), f"You are {'very ' * 40}kind.", f"You are {'very ' * 40}terse."),
    source="specs/models/chat.yaml:1",
)
REPLACE = a_change(
    "replace",
    EMBED,
    FieldChange(("model", "name"), "text-embedding-ada-002", "text-embedding-3-large", True),
    reason="model.name cannot change in place",
    source="specs/models/embed.yaml:1",
)
DELETE = a_change("delete", OLD, reason="no spec declares it any more")
CHECKS = (
    Check(
        "error",
        "quota.tokens",
        "GlobalStandard gpt-4.1 in East US 2 needs 250 (thousand tokens a minute), 180 are free "
        "(limit 300, in use 120). Ways out: capacity ≤ 180, another region, or ask for quota",
        "specs/models/chat.yaml:9:15",
        CHAT,
    ),
    Check("warning", "model.retires", "retires on 2027-04-30", "specs/models/embed.yaml:8"),
    Check("note", "azure.busy", "Azure is still at it (Updating)"),
)
STEPS = (
    a_step("update", CHAT),
    a_step("create", REPORTS, (f"update:{CHAT}",)),
    a_step("delete", EMBED),
    a_step("create", EMBED, (f"delete:{EMBED}",)),
    a_step("delete", OLD),
)

EVERYTHING = Plan(
    environment="prod",
    commit=COMMIT,
    changes=(DELETE, UPDATE, REPLACE, CREATE),
    steps=STEPS,
    checks=CHECKS,
    unchanged=38,
    unmanaged=(
        Key("ModelDeployment", ("contoso-ai", "playground-test")),
        Key("ModelDeployment", ("contoso-ai", "tmp")),
    ),
    reads=14,
)
SMALL = Plan("dev", COMMIT, (UPDATE,), STEPS[:1], unchanged=2, reads=3)
NOTHING_TO_DO = Plan("dev", "files-0a1b2c3d", unchanged=41, reads=14)
ADOPTING = replace(NOTHING_TO_DO, adopted=(CHAT, EMBED))


def at(seconds: int) -> str:
    return f"2026-11-20T14:{seconds // 60:02}:{seconds % 60:02}+00:00"


RUNNING = Run(
    "20261120-140000-abc123",
    replace(EVERYTHING, checks=()),
    "somebody",
    at(0),
    outcomes={
        f"update:{CHAT}": Outcome("done", "read back as declared", at(0), at(12)),
        f"create:{REPORTS}": Outcome("done", 'answered "pong"', at(12), at(53)),
        f"delete:{EMBED}": Outcome("done", "", at(0), at(7)),
        f"create:{EMBED}": Outcome("waiting", "", at(8)),
    },
)
FAILED = replace(
    RUNNING,
    state="failed",
    ended_at=at(360),
    outcomes={
        **RUNNING.outcomes,
        f"create:{REPORTS}": Outcome(
            "failed",
            "InsufficientQuota: This operation require 20 new capacity in quota Tokens Per Minute "
            "(thousands), which is bigger than the current available capacity 10",
            at(12),
            at(53),
            "4c1d0a52",
        ),
        f"create:{EMBED}": Outcome("held", f"waits for {REPORTS}, which failed"),
        f"delete:{OLD}": Outcome("done", "", at(0), at(60)),
    },
)
DONE = replace(
    RUNNING,
    plan=SMALL,
    state="done",
    ended_at=at(12),
    outcomes={f"update:{CHAT}": Outcome("done", "read back as declared", at(0), at(12))},
)
STALE = replace(
    DONE, state="stale", detail="contoso-ai/chat changed since it was planned", outcomes={}
)
