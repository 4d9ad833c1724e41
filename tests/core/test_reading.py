"""A plan reads collections, each once, and asks below what it would delete."""

from reconciler.core.model import Collection, Key, Observed, Ref, Secret, Target
from reconciler.core.reading import (
    children_of,
    collections_of,
    secrets_of,
    undeclared_parents,
)
from tests.core.builders import (
    ACCOUNTS,
    GROUP,
    SUBSCRIPTION,
    a_deployment,
    a_resource,
    an_account,
    as_azure,
    owned_of,
)


def test_a_thousand_deployments_of_two_accounts_are_three_requests() -> None:
    accounts = [an_account("a"), an_account("b")]
    deployments = [
        a_deployment(f"d{i}", account.key.name) for account in accounts for i in range(500)
    ]
    collections, targets = collections_of([*accounts, *deployments], [])
    assert [one.url for one in collections] == [
        ACCOUNTS,
        f"{ACCOUNTS}/a/deployments",
        f"{ACCOUNTS}/b/deployments",
    ]
    assert targets == ()


def test_what_is_owned_is_read_even_when_no_spec_declares_it() -> None:
    collections, _ = collections_of([], owned_of(a_deployment()).values())
    assert [one.url for one in collections] == [f"{ACCOUNTS}/ai/deployments"]


def test_a_resource_group_is_read_by_itself() -> None:
    group = a_resource("ResourceGroup", ("rg",), GROUP, {})
    collections, targets = collections_of([group, group], owned_of(group).values())
    assert collections == ()
    assert targets == (Target("ResourceGroup", GROUP, group.api_version),)


def test_kinds_of_one_arm_type_share_a_request() -> None:
    url = f"{GROUP}/providers/Microsoft.MachineLearningServices/workspaces"
    hub = a_resource("Hub", ("h",), f"{url}/h", {})
    project = a_resource("Project", ("p",), f"{url}/p", {})
    collections, _ = collections_of([hub, project], [])
    assert [(one.url, one.kinds) for one in collections] == [(url, ("Hub", "Project"))]


def test_roles_are_read_at_their_scope() -> None:
    role = a_resource("RoleAssignment", ("r",), "", {"scope": GROUP})
    elsewhere = a_resource("RoleAssignment", ("e",), "", {"scope": Ref(Key("X", ("y",)), "id")})
    collections, _ = collections_of([role, elsewhere], [])
    assert collections == (
        Collection(
            f"{GROUP}/providers/Microsoft.Authorization/roleAssignments",
            role.api_version,
            ("RoleAssignment",),
            (("$filter", "atScope()"),),
        ),
    )


def test_below_an_undeclared_account_declared_kinds_are_looked_for() -> None:
    account = as_azure(an_account("theirs"))
    live = {account.arm_id.lower(): account}
    assert undeclared_parents(live, [an_account("theirs")]) == ()
    parents = undeclared_parents(live, [])
    found = children_of(parents, frozenset({"ModelDeployment"}), frozenset())
    assert [one.url for one in found] == [f"{ACCOUNTS}/theirs/deployments"]
    read = frozenset({f"{ACCOUNTS}/theirs/deployments".lower()})
    assert children_of(parents, frozenset({"ModelDeployment"}), read) == ()


def test_what_has_no_children_is_no_parent() -> None:
    deployment = as_azure(a_deployment())
    assert undeclared_parents({deployment.arm_id.lower(): deployment}, []) == ()
    group = Observed(GROUP, {}, "ResourceGroup")
    assert undeclared_parents({GROUP.lower(): group}, []) == ()


def test_secrets_are_found_wherever_specs_name_them() -> None:
    key, token = Secret("k", vault=f"{SUBSCRIPTION}/kv"), Secret(setting="TOKEN")
    connection = a_resource(
        "Connection", ("c",), f"{ACCOUNTS}/ai/connections/c", {"a": [{"b": key}], "c": token}
    )
    assert secrets_of([connection, an_account()]) == {key, token}
