"""Every step follows what it needs, whatever the graph, and never waits for itself."""

from collections.abc import Mapping
from dataclasses import replace
from graphlib import TopologicalSorter
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reconciler.core.arm import parents_of
from reconciler.core.live import Live
from reconciler.core.model import Key, Owned, Plan, Resource, Step
from reconciler.core.steps import Graph, at, steps_of
from tests.core.builders import (
    a_deployment,
    a_filter,
    an_account,
    an_endpoint,
    an_online_deployment,
    follows,
    live_of,
    owned_of,
    plan_of,
)

ENDPOINT = "OnlineEndpoint/hub/vllm"
BLUE, GREEN = (f"OnlineDeployment/hub/vllm/{name}" for name in ("blue", "green"))


def ids(plan: Plan) -> list[str]:
    return [step.id for step in plan.steps]


def step(plan: Plan, name: str) -> Step:
    return next(one for one in plan.steps if one.id == name)


# -- any graph -------------------------------------------------------------------------------


def a_node(shape: str, number: int, parent: int, variant: int, needs: frozenset[Key]) -> Resource:
    """A resource in one of three variants: as it is, changed, and changed for good."""
    lifecycle = {"deletion": "delete", "soft_deleted": "purge"}
    if shape == "account":
        place = ("eastus2", "eastus2", "westus")[variant]
        one = an_account(f"a{number}", location=place, **lifecycle)
        if variant == 1:
            one = replace(one, properties={**one.properties, "kind": "AIServices"})
    elif shape == "deployment":
        one = a_deployment(
            f"d{number}",
            f"a{parent}",
            capacity=(5, 3 + number % 5, 5)[variant],
            sku=("Standard", "Standard", "GlobalStandard")[variant],
        )
    elif shape == "filter":
        one = a_filter(f"f{number}", f"a{parent}")
        base = ("x", "x", "y")[variant]
        mode = ("Default", "Blocking", "Default")[variant]
        one = replace(one, properties={"basePolicyName": base, "mode": mode})
    elif shape == "endpoint":
        shares = ({"d4": 100}, {"d5": 100}, {"d4": 50, "d5": 50})[variant]
        one = an_endpoint(f"e{number}", **shares)
        mode = ("Key", "Key", "AADToken")[variant]
        one = replace(one, properties={**one.properties, "authMode": mode})
    else:
        size = ("S1", "S1", "S2")[variant]
        one = an_online_deployment(f"d{number}", f"e{parent}", size=size)
        if variant == 1:
            one = replace(one, properties={**one.properties, "appInsightsEnabled": True})
    return replace(one, needs=one.needs | needs)


@st.composite
def estates(draw: st.DrawFn) -> tuple[list[Resource], Live, dict[str, Owned]]:
    """What is declared, there and owned: needs point backwards, so that they can be met."""
    wanted: list[Resource] = []
    there: list[Resource] = []
    earlier: list[Key] = []
    # Parents come first: what one of them needs can never be one of its own children.
    parents = draw(st.lists(st.sampled_from(("account", "endpoint")), max_size=4))
    children = draw(st.lists(st.sampled_from(("deployment", "filter", "online")), max_size=6))
    for number, shape in enumerate([*parents, *children]):
        parent = draw(st.integers(0, 3))
        needs = frozenset(draw(st.lists(st.sampled_from(earlier), max_size=3)) if earlier else ())
        before, after = (draw(st.integers(0, 3)) for _ in range(2))
        if before < 3:
            there.append(a_node(shape, number, parent, before, needs))
        if after < 3:
            wanted.append(a_node(shape, number, parent, after, needs))
            earlier.append(wanted[-1].key)
    owned = [one for one in there if draw(st.booleans())]
    return wanted, live_of(*there), owned_of(*owned)


@given(estates())
def test_every_step_follows_what_it_needs(
    estate: tuple[list[Resource], Live, dict[str, Owned]],
) -> None:
    wanted, live, owned = estate
    plan = plan_of(wanted, live, owned)
    place = {one.id: i for i, one in enumerate(plan.steps)}
    assert len(place) == len(plan.steps)
    for one in plan.steps:
        assert all(place[before] < place[one.id] for before in one.after)
    makes = {one.key: one.id for one in plan.steps if one.id.startswith("create:")}
    for resource in plan.resources:
        for need in resource.needs & makes.keys():
            mine = [one.id for one in plan.steps if one.key == resource.key and one.verb == "put"]
            assert all(follows(plan, name, makes[need]) for name in mine)


@given(estates())
def test_parents_are_made_first_and_deleted_last(
    estate: tuple[list[Resource], Live, dict[str, Owned]],
) -> None:
    plan = plan_of(*estate)
    made = {s.arm_id.lower(): s.id for s in plan.steps if s.id.startswith("create:")}
    gone = {s.arm_id.lower(): s.id for s in plan.steps if s.verb == "delete"}
    for arm_id, name in made.items():
        assert all(follows(plan, name, made[up]) for up in parents_of(arm_id) if up in made)
    for arm_id, name in gone.items():
        assert all(follows(plan, gone[up], name) for up in parents_of(arm_id) if up in gone)


@given(estates())
def test_the_steps_do_not_depend_on_the_order_of_documents(
    estate: tuple[list[Resource], Live, dict[str, Owned]],
) -> None:
    wanted, live, owned = estate
    assert plan_of(wanted[::-1], live, owned).steps == plan_of(wanted, live, owned).steps


@given(estates())
def test_a_write_to_an_account_or_an_endpoint_holds_its_lock(
    estate: tuple[list[Resource], Live, dict[str, Owned]],
) -> None:
    for one in plan_of(*estate).steps:
        assert one.lock
        assert one.arm_id.lower().startswith(one.lock)


# -- needs -----------------------------------------------------------------------------------


def test_what_lives_in_a_new_parent_waits_for_it_even_when_no_spec_says_so() -> None:
    chat = replace(a_deployment(), needs=frozenset())
    plan = plan_of([chat, an_account()])
    assert ids(plan) == ["create:Account/ai", f"create:{chat.key}"]


def test_a_child_waits_for_an_update_of_its_parent() -> None:
    plan = plan_of([an_account(kind="AIServices"), a_deployment()], live_of(an_account()))
    assert follows(plan, "create:ModelDeployment/ai/chat", "update:Account/ai")


def test_needs_that_are_in_place_are_not_waited_for() -> None:
    plan = plan_of([an_account(), a_deployment()], live_of(an_account()))
    assert plan.steps[0].after == frozenset()


def test_steps_that_need_each_other_are_a_bug_that_shows() -> None:
    one = a_deployment("one", needs=[a_deployment("two").key])
    two = a_deployment("two", needs=[one.key])
    with pytest.raises(AssertionError, match="wait for each other"):
        plan_of([one, two])


def test_a_policy_is_deleted_after_the_deployment_that_named_it_was_changed() -> None:
    policy = a_filter()
    before = a_deployment(policy="strict", needs=[policy.key])
    now = a_deployment(policy="Microsoft.DefaultV2")
    live = live_of(an_account(), policy, before)
    plan = plan_of([an_account(), now], live, owned_of(policy, before))
    assert ids(plan) == [f"update:{now.key}", f"delete:{policy.key}"]


def test_what_referred_to_each_other_is_deleted_in_some_order() -> None:
    one = a_deployment("one", needs=[a_deployment("two").key])
    two = a_deployment("two", needs=[one.key])
    plan = plan_of([], live_of(one, two), owned_of(one, two))
    assert len(ids(plan)) == 2


def test_a_replaced_need_goes_after_what_held_on_to_it() -> None:
    old = a_filter()
    now = replace(old, properties={**old.properties, "basePolicyName": "other"})
    chat = a_deployment(sku="Standard", needs=[old.key])
    plan = plan_of([now, chat], live_of(old, a_deployment()))
    assert follows(plan, f"delete:{old.key}", f"delete:{chat.key}")
    assert follows(plan, f"create:{chat.key}", f"create:{old.key}")


def test_what_moves_is_made_before_its_old_self_goes() -> None:
    old = a_deployment("chat", "old")
    now = replace(a_deployment("chat", "ai", sku="Standard"), key=old.key)
    plan = plan_of([an_account(), now], live_of(an_account(), old), owned_of(old))
    assert ids(plan) == [f"create:{old.key}", f"delete:{old.key}"]


def test_two_old_selves_under_one_key_both_go() -> None:
    one, two = a_deployment("chat", "one"), a_deployment("chat", "two")
    two = replace(two, key=one.key)
    plan = plan_of([], live_of(one, two), owned_of(one, two))
    assert {s.arm_id for s in plan.steps} == {one.arm_id, two.arm_id}


# -- traffic ---------------------------------------------------------------------------------


def endpoint_plan(before: Mapping[str, int], after: Mapping[str, int], *made: str) -> Plan:
    """Blue is there; ``made`` are declared beside the endpoint with its traffic ``after``."""
    old = [an_endpoint(**before), an_online_deployment("blue")]
    now = [an_endpoint(**after), *map(an_online_deployment, made)]
    return plan_of(now, live_of(*old), owned_of(*old))


def test_a_new_endpoint_gets_its_traffic_once_its_deployments_exist() -> None:
    plan = plan_of([an_endpoint(blue=100), an_online_deployment("blue")])
    assert ids(plan) == [f"create:{ENDPOINT}", f"create:{BLUE}", f"settle:{ENDPOINT}"]
    create, settle = step(plan, f"create:{ENDPOINT}"), step(plan, f"settle:{ENDPOINT}")
    assert "traffic" not in create.body
    assert "traffic" not in (create.compare or ())
    assert settle.body["traffic"] == {"blue": 100}
    assert settle.compare == {"traffic", "mirrorTraffic"}
    assert (create.seen, settle.seen) == ("", None)


def test_traffic_moves_to_a_deployment_after_it_was_made() -> None:
    plan = endpoint_plan({"blue": 100}, {"green": 100}, "blue", "green")
    assert ids(plan) == [f"create:{GREEN}", f"settle:{ENDPOINT}"]


def test_a_deployment_leaves_only_after_traffic_moved() -> None:
    plan = endpoint_plan({"blue": 100}, {"green": 100}, "green")
    assert ids(plan) == [f"create:{GREEN}", f"settle:{ENDPOINT}", f"delete:{BLUE}"]


def test_traffic_and_other_fields_change_in_two_steps() -> None:
    old = an_endpoint(blue=100)
    now = replace(an_endpoint(green=100), properties={
        **an_endpoint(green=100).properties, "description": "new"
    })  # fmt: skip
    plan = plan_of([now, an_online_deployment("green")], live_of(old))
    assert ids(plan) == [f"update:{ENDPOINT}", f"create:{GREEN}", f"settle:{ENDPOINT}"]
    update, settle = step(plan, f"update:{ENDPOINT}"), step(plan, f"settle:{ENDPOINT}")
    assert "traffic" not in update.body
    assert update.seen
    assert settle.seen
    assert update.seen != settle.seen


def test_a_step_answers_for_a_field_that_left_the_spec() -> None:
    old = replace(an_endpoint(blue=100), properties={
        **an_endpoint(blue=100).properties, "description": "old"
    })  # fmt: skip
    plan = plan_of([an_endpoint(blue=50)], live_of(old), owned_of(old))
    assert "description" in (step(plan, f"update:{ENDPOINT}").compare or ())


def test_an_endpoint_that_is_replaced_goes_after_its_deployments() -> None:
    old = [an_endpoint(blue=100), an_online_deployment("blue"), an_online_deployment("green")]
    now = an_endpoint(blue=100)
    now = replace(now, properties={**now.properties, "location": "westus"})
    plan = plan_of([now, an_online_deployment("blue")], live_of(*old), owned_of(*old))
    for name in (f"delete:{BLUE}", f"delete:{GREEN}"):
        assert follows(plan, f"delete:{ENDPOINT}", name)
    assert follows(plan, f"settle:{ENDPOINT}", f"create:{BLUE}")
    assert step(plan, f"create:{ENDPOINT}").seen is None


# -- quota -----------------------------------------------------------------------------------


def quota_plan(*pairs: tuple[Resource | None, Resource | None]) -> Plan:
    before = [old for old, _ in pairs if old]
    return plan_of([now for _, now in pairs if now], live_of(*before), owned_of(*before))


def test_what_shrinks_goes_before_what_grows() -> None:
    plan = quota_plan(
        (a_deployment("grows", capacity=1), a_deployment("grows", capacity=9)),
        (a_deployment("shrinks", capacity=9), a_deployment("shrinks", capacity=1)),
        (a_deployment("goes"), None),
        (None, a_deployment("comes")),
    )
    for later in ("update:ModelDeployment/ai/grows", "create:ModelDeployment/ai/comes"):
        for earlier in ("update:ModelDeployment/ai/shrinks", "delete:ModelDeployment/ai/goes"):
            assert follows(plan, later, earlier)


def test_pools_of_other_models_and_skus_wait_for_nobody() -> None:
    plan = quota_plan(
        (a_deployment("goes"), None),
        (None, a_deployment("other", model="gpt-5")),
        (None, a_deployment("batch", sku="GlobalBatch")),
    )
    assert all(not one.after for one in plan.steps)


def test_a_deployment_that_changes_its_sku_frees_the_old_pool() -> None:
    plan = quota_plan(
        (a_deployment("moves", sku="Standard"), a_deployment("moves", sku="GlobalStandard")),
        (None, a_deployment("comes", sku="Standard")),
        (a_deployment("goes", sku="GlobalStandard"), None),
    )
    moves = "ModelDeployment/ai/moves"
    assert follows(plan, "create:ModelDeployment/ai/comes", f"delete:{moves}")
    assert follows(plan, f"create:{moves}", "delete:ModelDeployment/ai/goes")


def test_shrinking_that_needs_what_grows_is_no_circle() -> None:
    grows = a_deployment("grows", capacity=9)
    shrinks = a_deployment("shrinks", capacity=1, needs=[grows.key])
    plan = quota_plan(
        (a_deployment("grows", capacity=1), grows),
        (a_deployment("shrinks", capacity=9), shrinks),
    )
    assert ids(plan) == [f"update:{grows.key}", f"update:{shrinks.key}"]


def test_an_update_that_leaves_the_capacity_to_others_takes_nothing() -> None:
    left = a_deployment("left", capacity=9, option=None, ignore=(("sku", "capacity"),))
    plan = quota_plan(
        (a_deployment("goes"), None),
        (a_deployment("left", capacity=1), left),
        (a_deployment("renamed", capacity=4), a_deployment("renamed", capacity=4, policy="x")),
    )
    assert all(not one.after for one in plan.steps)


def test_a_capacity_that_is_not_written_is_one() -> None:
    plan = quota_plan(
        (a_deployment("a", capacity=None), a_deployment("a", capacity=2)),
        (a_deployment("b", capacity=2), a_deployment("b", capacity=None)),
    )
    assert follows(plan, "update:ModelDeployment/ai/a", "update:ModelDeployment/ai/b")


# -- the graph itself ------------------------------------------------------------------------


@given(st.lists(st.tuples(st.integers(0, 6), st.integers(0, 6)), max_size=25))
def test_a_wish_never_makes_a_circle(wishes: list[tuple[int, int]]) -> None:
    graph = Graph()
    for number in range(7):
        graph.add(Step(str(number), "put", Key("Account", (str(number),)), "", ""))
    for later, earlier in wishes:
        graph.prefer(str(later), str(earlier))
    order = list(TopologicalSorter(graph.after).static_order())
    assert len(order) == 7


def test_nothing_to_do_takes_no_steps() -> None:
    assert steps_of([], Live()) == ()


def test_a_path_into_nothing_is_absent() -> None:
    values: dict[str, Any] = {"sku": {"capacity": 1}, "name": "x"}
    assert at(values, "sku.capacity") == 1
    assert str(at(values, "name.first")) == str(at({}, "sku"))
