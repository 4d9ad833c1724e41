"""Values of the model for tests of stores, with everything in them that is hard to write down."""

from reconciler.core.errors import SpecError
from reconciler.core.model import (
    ABSENT,
    UNKNOWN,
    Change,
    Check,
    FieldChange,
    Key,
    Lifecycle,
    Outcome,
    Owned,
    Plan,
    Ref,
    Resource,
    Run,
    Secret,
    Step,
    Verify,
)
from reconciler.core.preview import Preview, Previewed, PreviewState

CHAT = Key("ModelDeployment", ("contoso-ai", "chat"))
ACCOUNT = Key("Account", ("contoso-ai",))
CHAT_ID = (
    "/subscriptions/s/resourceGroups/RG/providers/Microsoft.CognitiveServices"
    "/accounts/contoso-ai/deployments/chat"
)
SECRET = Secret(name="token", vault="/subscriptions/s/vaults/kv")
REF = Ref(ACCOUNT, "identity.principalId")
BODY = {"sku": {"capacity": 5}, "auth": SECRET, "principals": [REF, UNKNOWN], "none": None}


def a_resource() -> Resource:
    return Resource(
        key=CHAT,
        arm_id=CHAT_ID,
        api_version="2025-06-01",
        properties=BODY,
        needs=frozenset({ACCOUNT}),
        source="specs/chat.yaml:1",
        lifecycle=Lifecycle(deletion="delete", ignore=(("sku", "capacity"), ("tags", 0))),
        verify=Verify({"messages": [{"role": "user"}]}, path="choices[0]"),
    )


def a_plan(environment: str = "prod") -> Plan:
    change = Change(
        "update",
        CHAT,
        CHAT_ID,
        (
            FieldChange(("sku", "capacity"), 5, 10),
            FieldChange(("auth",), ABSENT, SECRET),
            FieldChange(("principals", 0), ABSENT, REF, replaces=True),
        ),
        reason="because",
        source="specs/chat.yaml:1",
    )
    step = Step(
        "update:1",
        "put",
        CHAT,
        CHAT_ID,
        "2025-06-01",
        BODY,
        frozenset({"create:0", "create:9"}),
        lock="/a",
        seen="",
        compare=frozenset({"sku", "auth"}),
    )
    return Plan(
        environment=environment,
        commit="3f2c1ab",
        changes=(change,),
        steps=(step,),
        checks=(Check("warning", "model.retires", "soon", "specs/chat.yaml:9", CHAT),),
        unchanged=3,
        unmanaged=(Key("ModelDeployment", ("contoso-ai", "tmp")),),
        adopted=(ACCOUNT,),
        resources=(a_resource(),),
        reads=14,
    )


def a_run(run_id: str = "r1", environment: str = "prod", created_at: str = "2026-11-20") -> Run:
    return Run(run_id, a_plan(environment), "somebody", created_at)


def an_owned(name: str = "chat", *, capacity: int = 5) -> Owned:
    return Owned(
        key=Key("ModelDeployment", ("contoso-ai", name)),
        arm_id=CHAT_ID.removesuffix("chat") + name,
        api_version="2025-06-01",
        applied={"sku": {"name": "GlobalStandard", "capacity": capacity}, "auth": SECRET},
        secrets={"auth": "0f"},
        needs=frozenset({ACCOUNT, Key("ResourceGroup", ("rg",))}),
        deletion="retain",
        protect=True,
    )


def a_preview(
    pull: int = 7, state: PreviewState = "planned", begun_at: str = "2026-11-20T12:00:00+00:00"
) -> Preview:
    """With something in every field."""
    environments = (
        Previewed("dev", "failed", detail="größer than\n2 lines"),
        Previewed(
            "prod",
            "planned",
            run="20261120-1200-ab",
            detail="it asks for /apply",
            place="the subscription s",
            on_command=True,
            applied=True,
            digest="b41d9e07",
            since="2026-11-20T12:00:06+00:00",
        ),
    )
    return Preview(
        pull=pull,
        head="9d1e0c2",
        base="3f2c1ab",
        commit="77aa01b",
        state=state,
        environments=environments,
        errors=(SpecError("specs/chat.yaml:9:3", 'unknown field {"$secret": "x"}'),),
        notes=("its own policies are not followed", "nor its environments"),
        detail="the forge was away",
        asked=("dev", "test"),
        trusted="9d1e0c2",
        begun_at=begun_at,
        planned_at="2026-11-20T12:00:05+00:00",
        told="0f3a",
        told_at="2026-11-20T12:00:06+00:00",
        shown=environments[1:],
        spoken=True,
        answered=(3_000_000_000, 12),
        declined=(3_000_000_001,),
    )


DONE = Outcome("done", "read back as declared", "2026-11-20T12:00:00", "2026-11-20T12:00:05", "q-1")
