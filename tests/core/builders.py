"""Small estates for the tests of the core: resources by name, and Azure as it answers."""

from collections.abc import Iterable, Mapping
from typing import Any

from reconciler.core.findings import Wanted
from reconciler.core.kinds import KINDS
from reconciler.core.live import Live
from reconciler.core.model import Key, Lifecycle, Observed, Owned, Plan, Resource
from reconciler.core.owning import owned_as
from reconciler.core.plan import make_plan

SUBSCRIPTION = "/subscriptions/00000000-0000-0000-0000-000000000001"
GROUP = f"{SUBSCRIPTION}/resourceGroups/rg"
ACCOUNTS = f"{GROUP}/providers/Microsoft.CognitiveServices/accounts"
WORKSPACE = f"{GROUP}/providers/Microsoft.MachineLearningServices/workspaces/hub"
ENDPOINTS = f"{WORKSPACE}/onlineEndpoints"


def a_resource(
    kind: str,
    path: tuple[str, ...],
    arm_id: str,
    properties: Mapping[str, Any],
    needs: Iterable[Key] = (),
    **lifecycle: Any,
) -> Resource:
    return Resource(
        key=Key(kind, path),
        arm_id=arm_id,
        api_version=KINDS[kind].places[0].api_version,
        properties=properties,
        needs=frozenset(needs),
        source=f"specs/{'-'.join(path)}.yaml:1",
        lifecycle=Lifecycle(**lifecycle),
    )


def an_account(
    name: str = "ai",
    *,
    location: str = "East US 2",
    kind: str = "OpenAI",
    needs: Iterable[Key] = (),
    **lifecycle: Any,
) -> Resource:
    properties = {
        "location": location,
        "kind": kind,
        "sku": {"name": "S0"},
        "disableLocalAuth": True,
    }
    return a_resource("Account", (name,), f"{ACCOUNTS}/{name}", properties, needs, **lifecycle)


def a_deployment(
    name: str = "chat",
    account: str = "ai",
    *,
    capacity: int | None = 50,
    sku: str = "GlobalStandard",
    model: str = "gpt-4.1",
    version: str | None = "2025-04-14",
    format: str = "OpenAI",
    policy: str | None = None,
    option: str | None = "NoAutoUpgrade",
    needs: Iterable[Key] = (),
    **lifecycle: Any,
) -> Resource:
    size = {} if capacity is None else {"capacity": capacity}
    properties: dict[str, Any] = {
        "sku": {"name": sku, **size},
        "model": {"format": format, "name": model, **({"version": version} if version else {})},
    }
    if policy:
        properties["raiPolicyName"] = policy
    if option:
        properties["versionUpgradeOption"] = option
    arm_id = f"{ACCOUNTS}/{account}/deployments/{name}"
    needs = {Key("Account", (account,)), *needs}
    return a_resource("ModelDeployment", (account, name), arm_id, properties, needs, **lifecycle)


def a_filter(name: str = "strict", account: str = "ai", **lifecycle: Any) -> Resource:
    arm_id = f"{ACCOUNTS}/{account}/raiPolicies/{name}"
    needs = {Key("Account", (account,))}
    properties = {"basePolicyName": "Microsoft.DefaultV2", "mode": "Default"}
    return a_resource("ContentFilter", (account, name), arm_id, properties, needs, **lifecycle)


def an_endpoint(name: str = "vllm", **traffic: int) -> Resource:
    properties: dict[str, Any] = {"location": "eastus2", "authMode": "AADToken"}
    if traffic:
        properties["traffic"] = dict(traffic)
    return a_resource("OnlineEndpoint", ("hub", name), f"{ENDPOINTS}/{name}", properties)


def an_online_deployment(
    name: str = "blue", endpoint: str = "vllm", size: str = "Standard_DS3_v2", **lifecycle: Any
) -> Resource:
    properties = {
        "location": "eastus2",
        "sku": {"name": "Default", "capacity": 1},
        "endpointComputeType": "Managed",
        "instanceType": size,
    }
    arm_id = f"{ENDPOINTS}/{endpoint}/deployments/{name}"
    needs = {Key("OnlineEndpoint", ("hub", endpoint))}
    key = ("hub", endpoint, name)
    return a_resource("OnlineDeployment", key, arm_id, properties, needs, **lifecycle)


def as_azure(resource: Resource, state: str = "Succeeded", **properties: Any) -> Observed:
    """A resource as Azure shows it after it was applied as declared, but for ``properties``."""
    return Observed(
        arm_id=resource.arm_id,
        properties={**resource.properties, **properties},
        kind=resource.key.kind,
        state=state,
        outputs={"id": resource.arm_id},
    )


def live_of(*observed: Observed | Resource, **more: Any) -> Live:
    found = [as_azure(one) if isinstance(one, Resource) else one for one in observed]
    return Live({one.arm_id.lower(): (one.kind, one) for one in found}, **more)


def owned_of(*resources: Resource) -> dict[str, Owned]:
    """The owned list after these resources were applied."""
    return {one.arm_id.lower(): owned_as(one, one.arm_id, one.properties, {}) for one in resources}


def plan_of(
    resources: Iterable[Resource],
    live: Live | None = None,
    owned: Mapping[str, Owned] | None = None,
    *,
    prune: bool = True,
    commit: str = "c0ffee",
    only: tuple[str, ...] = (),
) -> Plan:
    wanted = Wanted("dev", commit, tuple(resources), prune=prune, resource_group="rg", only=only)
    return make_plan(wanted, live or Live(), owned or {})


def actions(plan: Plan) -> dict[str, str]:
    """What happens to whom."""
    return {str(change.key): change.action for change in plan.changes}


def rules(plan: Plan, level: str = "error") -> list[str]:
    return [check.rule for check in plan.checks if check.level == level]


def follows(plan: Plan, later: str, earlier: str) -> bool:
    """Whether a step waits for another one, directly or not."""
    steps = {step.id: step for step in plan.steps}
    seen: set[str] = set()
    todo = [later]
    while todo:
        for before in steps[todo.pop()].after - seen:
            seen.add(before)
            todo.append(before)
    return earlier in seen
