"""A plan says what happens to whom, and why something may not happen."""

import random
from collections.abc import Sequence
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reconciler.core.live import Live
from reconciler.core.model import (
    UNKNOWN,
    Change,
    Check,
    Key,
    Lifecycle,
    Observed,
    Owned,
    Plan,
    Ref,
    Resource,
)
from reconciler.core.plan import key_of, with_checks
from reconciler.core.rollout import next_id
from tests.core.builders import (
    ACCOUNTS,
    ENDPOINTS,
    GROUP,
    a_deployment,
    a_filter,
    a_resource,
    actions,
    an_account,
    an_endpoint,
    an_online_deployment,
    as_azure,
    follows,
    live_of,
    owned_of,
    plan_of,
    rules,
)
from tests.core.test_live import a_role, as_assigned

CHAT = "ModelDeployment/ai/chat"


def only(plan: Plan) -> Change:
    (change,) = plan.changes
    return change


def test_what_is_not_there_is_created() -> None:
    plan = plan_of([an_account(), a_deployment()])
    assert actions(plan) == {"Account/ai": "create", CHAT: "create"}
    assert plan.summary["create"] == 2
    assert {step.seen for step in plan.steps} == {""}


def test_what_is_as_declared_is_unchanged() -> None:
    resources = [an_account(), a_deployment()]
    plan = plan_of(resources, live_of(*resources), owned_of(*resources))
    assert (plan.changes, plan.steps, plan.unchanged, plan.adopted) == ((), (), 2, ())


def test_what_differs_is_updated_with_its_fields() -> None:
    plan = plan_of([a_deployment(capacity=9)], live_of(a_deployment(capacity=5)))
    assert [(one.name, one.before, one.after) for one in only(plan).fields] == [
        ("sku.capacity", 5, 9)
    ]
    assert plan.steps[0].seen not in (None, "")


def test_what_cannot_change_in_place_is_replaced() -> None:
    plan = plan_of([a_deployment(sku="Standard")], live_of(a_deployment()))
    assert only(plan).reason == "sku.name cannot change in place"
    assert [step.id for step in plan.steps] == [f"delete:{CHAT}", f"create:{CHAT}"]
    assert plan.dangerous == {("replace", only(plan).key, only(plan).arm_id.lower())}


def test_a_failed_resource_is_sent_again() -> None:
    plan = plan_of([a_deployment()], live_of(as_azure(a_deployment(), state="Failed")))
    assert only(plan).action == "update"
    assert only(plan).reason == "its last operation ended as Failed"


def test_a_resource_azure_is_still_working_on_is_remarked() -> None:
    plan = plan_of([a_deployment()], live_of(as_azure(a_deployment(), state="Creating")))
    assert plan.changes == ()
    assert rules(plan, "note") == ["azure.busy"]


@given(st.randoms(use_true_random=False))
def test_the_order_of_documents_changes_nothing(shuffle: random.Random) -> None:
    resources = [
        an_account(),
        a_filter(),
        a_deployment("a", policy="strict"),
        a_deployment("b", capacity=3),
        an_endpoint(blue=100),
        an_online_deployment(),
    ]
    live = live_of(
        an_account(location="westus"), a_deployment("b"), an_online_deployment("old"), a_filter()
    )
    owned = owned_of(an_online_deployment("old"), a_deployment("gone"), a_filter())
    plan = plan_of(resources, live, owned)
    mixed, known = list(resources), list(owned.items())
    shuffle.shuffle(mixed)
    shuffle.shuffle(known)
    again = plan_of(mixed, live, dict(known))
    assert again == plan
    assert again.digest == plan.digest


def test_the_digest_does_not_depend_on_the_commit() -> None:
    one, other = (plan_of([a_deployment()], commit=commit) for commit in ("abc", "def"))
    assert one.digest == other.digest
    assert one.commit != other.commit


# -- replacing -------------------------------------------------------------------------------


def test_replacing_a_parent_replaces_its_children() -> None:
    now = an_account(location="westus", deletion="delete", soft_deleted="purge")
    resources = [now, a_deployment(), a_filter()]
    old = [an_account(), a_deployment(), a_filter()]
    plan = plan_of(resources, live_of(*old), owned_of(*old))
    assert set(actions(plan).values()) == {"replace"}
    assert rules(plan) == []
    chat = next(change for change in plan.changes if str(change.key) == CHAT)
    assert chat.reason == "what it lives in is replaced"
    assert follows(plan, "delete:Account/ai", f"delete:{CHAT}")
    assert follows(plan, f"create:{CHAT}", "create:Account/ai")
    assert follows(plan, "create:Account/ai", "purge:Account/ai")


def test_replacing_what_holds_data_needs_two_words() -> None:
    plan = plan_of([an_account(location="westus")], live_of(an_account()))
    assert rules(plan) == ["delete.holdsData", "name.softDeleted"]
    assert plan.blocked


def test_what_is_protected_is_not_replaced() -> None:
    plan = plan_of([a_deployment(sku="Standard", protect=True)], live_of(a_deployment()))
    assert rules(plan) == ["lifecycle.protect"]


def test_a_child_that_is_protected_stops_its_parent() -> None:
    now = an_account(location="westus", deletion="delete", soft_deleted="purge")
    plan = plan_of([now, a_deployment(protect=True)], live_of(an_account(), a_deployment()))
    assert rules(plan) == ["lifecycle.protect"]


def test_replacing_a_parent_with_strangers_inside_is_refused() -> None:
    now = an_account(location="westus", deletion="delete", soft_deleted="purge")
    plan = plan_of([now], live_of(an_account(), a_deployment("theirs")))
    assert rules(plan) == ["delete.notEmpty"]
    assert "ai/theirs" in plan.checks[0].message


def test_what_azure_cannot_delete_is_not_replaced() -> None:
    vault = f"{GROUP}/providers/Microsoft.KeyVault/vaults"

    def a_vault(location: str, **lifecycle: str) -> Resource:
        return a_resource("KeyVault", ("kv",), f"{vault}/kv", {"location": location}, **lifecycle)

    secret = a_resource(
        "Secret", ("kv", "s"), f"{vault}/kv/secrets/s", {"tags": {"a": "b"}}, deletion="delete"
    )
    now = a_vault("westus", deletion="delete", soft_deleted="purge")
    plan = plan_of([now, secret], live_of(a_vault("eastus2"), secret))
    assert rules(plan) == ["replace.impossible"]


def test_a_role_of_a_replaced_identity_is_replaced() -> None:
    identity = "Microsoft.ManagedIdentity/userAssignedIdentities"

    def an_identity(location: str) -> Resource:
        arm_id = f"{GROUP}/providers/{identity}/app"
        return a_resource("ManagedIdentity", ("app",), arm_id, {"location": location})

    there = replace(as_azure(an_identity("eastus2")), outputs={"properties.principalId": "P1"})
    role = a_role(Ref(Key("ManagedIdentity", ("app",)), "properties.principalId"))
    role = replace(role, needs=frozenset({an_identity("x").key}))
    live = live_of(there, as_assigned(a_role()))
    assert actions(plan_of([an_identity("eastus2"), role], live)) == {}
    plan = plan_of([an_identity("westus"), role], live)
    assert actions(plan) == {
        "ManagedIdentity/app": "replace",
        "RoleAssignment/app-uses-ai": "replace",
    }
    assert plan.changes[1].reason == "what it refers to is replaced"
    delete = next(step for step in plan.steps if step.id == "delete:RoleAssignment/app-uses-ai")
    assert delete.arm_id.endswith("/0b5c")
    assert follows(plan, "delete:ManagedIdentity/app", delete.id)
    assert follows(plan, "create:RoleAssignment/app-uses-ai", "create:ManagedIdentity/app")


def test_a_value_of_something_new_is_known_after_apply() -> None:
    account = an_account()
    ref = Ref(account.key, "properties.endpoint")
    url = f"{ACCOUNTS}/other/connections/c"
    before = a_resource("Connection", ("other", "c"), url, {"authType": "AAD", "target": "x"})
    now = replace(
        before,
        properties={"authType": "AAD", "target": ref},
        needs=frozenset({account.key}),
    )
    plan = plan_of([account, now], live_of(before))
    change = next(one for one in plan.changes if one.key == now.key)
    assert [(one.name, one.after) for one in change.fields] == [("target", UNKNOWN)]
    assert follows(plan, f"update:{now.key}", "create:Account/ai")
    assert account in plan.resources


# -- soft delete -----------------------------------------------------------------------------


def soft(**lifecycle: str) -> Plan:
    live = Live(soft_deleted=frozenset({f"{ACCOUNTS}/ai".lower()}))
    return plan_of([an_account(**lifecycle)], live)


def test_a_soft_deleted_name_needs_a_choice() -> None:
    plan = soft()
    assert rules(plan) == ["name.softDeleted"]
    assert only(plan).reason == "the name is held by a soft-deleted resource"


def test_a_soft_deleted_resource_is_restored_when_asked() -> None:
    plan = soft(soft_deleted="restore")
    assert [step.id for step in plan.steps] == ["restore:Account/ai", "create:Account/ai"]
    assert plan.steps[0].body == {"location": "East US 2", "restore": True}
    assert plan.steps[0].compare == frozenset()
    assert plan.steps[1].seen is None
    assert only(plan).reason == "restored from soft delete"


def test_a_soft_deleted_resource_is_purged_when_asked() -> None:
    plan = soft(soft_deleted="purge")
    assert [step.verb for step in plan.steps] == ["purge", "put"]
    assert rules(plan) == []


def test_a_vault_is_restored_with_all_it_declares() -> None:
    arm_id = f"{GROUP}/providers/Microsoft.KeyVault/vaults/kv"
    vault = a_resource("KeyVault", ("kv",), arm_id, {"location": "eastus2"}, soft_deleted="restore")
    plan = plan_of([vault], Live(soft_deleted=frozenset({arm_id.lower()})))
    assert plan.steps[0].body == {"location": "eastus2", "createMode": "recover"}


# -- deleting --------------------------------------------------------------------------------


def leaving(*gone: Resource, prune: bool = True, extra: Sequence[Resource] = ()) -> Plan:
    """A plan that declares none of ``gone``, which are owned and there."""
    live = live_of(an_account(), *gone, *extra)
    return plan_of([an_account()], live, owned_of(*gone), prune=prune)


def test_what_is_owned_and_not_declared_is_deleted() -> None:
    plan = leaving(a_deployment())
    assert actions(plan) == {CHAT: "delete"}
    assert only(plan).reason == "no spec declares it any more"
    assert plan.steps[0].verb == "delete"


def test_what_is_not_owned_is_never_deleted() -> None:
    plan = plan_of([], live_of(an_account(), a_deployment()))
    assert plan.changes == ()
    assert [str(key) for key in plan.unmanaged] == ["Account/ai", CHAT]


def test_what_is_owned_and_gone_is_not_deleted_again() -> None:
    assert plan_of([], Live(), owned_of(a_deployment())).changes == ()


@pytest.mark.parametrize(
    ("resource", "prune", "why"),
    [
        (a_deployment(), False, "this environment does not prune"),
        (a_deployment(protect=True), False, "this environment does not prune"),
        (a_deployment(deletion="retain"), True, "lifecycle.deletion is retain"),
        (an_account("old"), True, "it holds data, and lifecycle.deletion: delete was not said"),
        (
            a_resource("Secret", ("kv", "s"), f"{GROUP}/providers/M/vaults/kv/secrets/s", {}),
            True,
            "Azure Resource Manager cannot delete it",
        ),
    ],
)
def test_what_stays_is_said_with_the_reason(resource: Resource, prune: bool, why: str) -> None:
    plan = leaving(resource, prune=prune)
    assert plan.changes == ()
    assert [check.rule for check in plan.checks] == ["delete.retained"]
    assert plan.checks[0].message.endswith(why)


def test_what_holds_data_is_deleted_with_consent() -> None:
    assert actions(leaving(an_account("old", deletion="delete"))) == {"Account/old": "delete"}


def test_what_is_protected_is_not_deleted_and_blocks() -> None:
    plan = leaving(a_deployment(protect=True))
    assert plan.changes == ()
    assert rules(plan) == ["lifecycle.protect"]


def test_a_parent_with_strangers_inside_is_not_deleted() -> None:
    old = an_account("old", deletion="delete")
    plan = leaving(old, extra=[a_deployment("theirs", "old")])
    assert rules(plan) == ["delete.notEmpty"]


def test_a_group_with_anything_else_inside_is_not_deleted() -> None:
    group = a_resource("ResourceGroup", ("rg",), GROUP, {}, deletion="delete")
    vm = f"{GROUP}/providers/Microsoft.Compute/virtualMachines/theirs"
    plan = plan_of([], live_of(group, others=(vm,)), owned_of(group))
    assert rules(plan) == ["delete.notEmpty"]
    assert "theirs" in plan.checks[0].message
    assert rules(plan_of([], live_of(group, others=()), owned_of(group))) == []


@given(st.data())
def test_only_what_is_owned_is_ever_deleted(data: st.DataObject) -> None:
    pool = [an_account("a"), an_account("b", deletion="delete"), a_filter("f", "a")]
    pool += [a_deployment("c", "a"), a_deployment("d", "b"), an_endpoint(), an_online_deployment()]
    some = st.lists(st.sampled_from(pool), unique_by=lambda one: one.arm_id)
    wanted, there, owned = (data.draw(some) for _ in range(3))
    plan = plan_of(wanted, live_of(*there), owned_of(*owned), prune=data.draw(st.booleans()))
    deleted = {step.arm_id for step in plan.steps if step.verb == "delete"}
    assert deleted <= {one.arm_id for one in owned}
    assert not deleted & {one.arm_id for one in wanted}
    assert f"{ACCOUNTS}/a" not in deleted


# -- side by side ----------------------------------------------------------------------------


def rollout(owned: dict[str, Owned] | None = None, live: Live | None = None) -> Plan:
    old = [an_endpoint(blue=100), an_online_deployment()]
    now = [an_endpoint(blue=100), an_online_deployment(size="Standard_NC24ads_A100_v4")]
    return plan_of(now, live or live_of(*old), owned or owned_of(*old))


def test_a_deployment_with_traffic_is_replaced_beside_the_old_one() -> None:
    plan = rollout()
    assert actions(plan) == {
        "OnlineEndpoint/hub/vllm": "update",
        "OnlineDeployment/hub/vllm/blue": "replace",
    }
    ids = [step.id.partition(":")[0] for step in plan.steps]
    assert ids == ["create", "settle", "delete"]
    create, settle, delete = plan.steps
    assert create.arm_id.startswith(f"{ENDPOINTS}/vllm/deployments/blue-")
    assert settle.body["traffic"] == {create.arm_id.rpartition("/")[2]: 100}
    assert delete.arm_id == f"{ENDPOINTS}/vllm/deployments/blue"


def test_a_rollout_that_is_planned_again_arrives_at_the_same_name() -> None:
    assert rollout() == rollout()


def test_after_a_rollout_nothing_is_left_to_do() -> None:
    plan = rollout()
    create, settle, _ = plan.steps
    made = Observed(create.arm_id, create.body, "OnlineDeployment")
    endpoint = Observed(settle.arm_id, settle.body, "OnlineEndpoint")
    blue = an_online_deployment()
    owned = owned_of(an_endpoint(blue=100), replace(blue, arm_id=create.arm_id))
    assert rollout(owned, live_of(made, endpoint)).changes == ()


def test_what_refers_to_a_deployment_follows_it_to_its_new_name() -> None:
    blue = an_online_deployment()
    old = [an_endpoint(blue=100), blue]
    url = f"{GROUP}/providers/Microsoft.Insights/autoscaleSettings/scale"
    targets = {"targetResourceUri": blue.arm_id, "profiles": [{"name": "n", "note": ["x"]}]}
    scale = a_resource("Autoscale", ("scale",), url, targets, {blue.key})
    now = [old[0], an_online_deployment(size="Standard_F4s_v2"), scale]
    plan = plan_of(now, live_of(*old, scale), owned_of(*old, scale))
    create = next(step for step in plan.steps if step.id == f"create:{blue.key}")
    update = next(s for s in plan.steps if s.key == scale.key and s.verb == "put")
    assert update.body["targetResourceUri"] == create.arm_id
    assert follows(plan, update.id, create.id)
    leaves = next(step for step in plan.steps if step.key == scale.key)
    assert follows(plan, f"delete:{blue.key}", leaves.id)


def test_a_name_that_is_taken_gets_a_longer_suffix() -> None:
    blue = an_online_deployment()
    short = next_id(blue)
    longer = next_id(blue, frozenset({short.lower()}))
    assert len(longer) == len(short) + 1
    assert longer.startswith(short)


def test_a_deployment_without_traffic_is_replaced_in_place() -> None:
    now = an_online_deployment(size="Standard_F4s_v2")
    plan = plan_of([an_endpoint(green=100), now], live_of(an_endpoint(green=100),
                   an_online_deployment()))  # fmt: skip
    assert [step.id.partition(":")[0] for step in plan.steps] == ["delete", "create"]
    alone = plan_of([now], live_of(an_online_deployment()))
    assert [step.id.partition(":")[0] for step in alone.steps] == ["delete", "create"]


def test_the_old_one_of_a_rollout_cut_short_is_removed() -> None:
    create, settle, _ = rollout().steps
    made = Observed(create.arm_id, create.body, "OnlineDeployment")
    endpoint = Observed(settle.arm_id, settle.body, "OnlineEndpoint")
    blue = an_online_deployment()
    owned = owned_of(an_endpoint(blue=100), blue, replace(blue, arm_id=create.arm_id))
    plan = rollout(owned, live_of(made, endpoint, blue))
    assert [(change.action, change.arm_id) for change in plan.changes] == [("delete", blue.arm_id)]


def test_a_third_size_removes_both_earlier_ones() -> None:
    create, settle, _ = rollout().steps
    made = Observed(create.arm_id, create.body, "OnlineDeployment")
    endpoint = Observed(settle.arm_id, settle.body, "OnlineEndpoint")
    blue = an_online_deployment()
    owned = owned_of(an_endpoint(blue=100), blue, replace(blue, arm_id=create.arm_id))
    third = [an_endpoint(blue=100), an_online_deployment(size="Standard_F4s_v2")]
    plan = plan_of(third, live_of(made, endpoint, blue), owned)
    deletes = {step.arm_id for step in plan.steps if step.verb == "delete"}
    assert deletes == {blue.arm_id, create.arm_id}
    assert len({step.id for step in plan.steps}) == len(plan.steps)


# -- only some of it -------------------------------------------------------------------------


def test_a_plan_may_be_limited_to_some_names_and_what_they_need() -> None:
    resources = [an_account(), a_deployment(), a_deployment("other"), an_account("else")]
    plan = plan_of(resources, only=("ModelDeployment/*/chat",))
    assert actions(plan) == {"Account/ai": "create", CHAT: "create"}
    assert [check.message for check in plan.checks] == [
        "limited to ModelDeployment/*/chat: 2 more resources differ"
    ]


def test_a_limit_that_leaves_nothing_out_is_no_remark() -> None:
    assert plan_of([an_account()], only=("*",)).checks == ()


def test_what_a_replaced_parent_takes_along_is_not_left_out() -> None:
    now = an_account(location="westus", deletion="delete", soft_deleted="purge")
    old = [an_account(), a_deployment()]
    plan = plan_of([now, a_deployment()], live_of(*old), owned_of(*old), only=("Account/ai",))
    assert actions(plan) == {"Account/ai": "replace", CHAT: "replace"}


def test_traffic_is_not_moved_without_the_deployments_it_names() -> None:
    resources = [an_endpoint(blue=100), an_online_deployment()]
    assert len(plan_of(resources, only=("OnlineEndpoint/*",)).changes) == 2


def test_a_limit_keeps_both_resources_of_one_key() -> None:
    old = a_deployment("chat", "old")
    now = replace(a_deployment("chat", "ai"), key=old.key)
    plan = plan_of([now], live_of(old), owned_of(old), only=(str(old.key),))
    assert sorted(change.action for change in plan.changes) == ["create", "delete"]


# -- remarks ---------------------------------------------------------------------------------


def test_checks_are_shown_worst_first_and_once() -> None:
    note, error = Check("note", "a", "x"), Check("error", "b", "y")
    plan = with_checks(Plan("dev", "c", checks=(note,)), [error, note])
    assert plan.checks == (error, note)


def test_resources_of_other_groups_are_called_with_their_group() -> None:
    elsewhere = Observed(f"{ACCOUNTS}/ai".replace("/rg/", "/other/"), {}, "Account")
    assert key_of(elsewhere, "Account", "rg") == Key("Account", ("other", "ai"))
    assert key_of(Observed(GROUP, {}, "ResourceGroup"), "ResourceGroup", "x").path == ("rg",)
    assert Lifecycle() == an_account().lifecycle
