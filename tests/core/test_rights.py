"""What an environment is made of, and what a pull request cannot change for its own plan."""

import pytest

from reconciler.core.desired import environments, members, parse
from reconciler.core.desired.rights import RIGHTS, rights_changed, with_rights_of
from reconciler.core.errors import SpecErrors

SUBSCRIPTION = "00000000-0000-0000-0000-000000000001"
ELSEWHERE = "00000000-0000-0000-0000-000000000002"
GROUP = "apiVersion: aigitops/v1\nkind: ResourceGroup\nmetadata: {name: rg-ai}\nspec: {}\n"


def environment(name: str = "dev", more: str = "", subscription: str = SUBSCRIPTION) -> str:
    return (
        f"apiVersion: aigitops/v1\nkind: Environment\nmetadata: {{name: {name}}}\nspec:\n"
        f"  subscription: {subscription}\n  resourceGroup: rg-ai\n  location: eastus2\n{more}"
    )


def files(**environments: str) -> dict[str, str]:
    found = {f"specs/environments/{name}.yaml": text for name, text in environments.items()}
    return {
        **found,
        "specs/base/group.yaml": GROUP,
        "specs/prod/more.yaml": GROUP.replace("rg-ai", "rg-b"),
    }


def test_an_environment_is_made_of_its_own_file_and_what_it_includes() -> None:
    prod = environment("prod", "  include: [base]\n")
    made_of = members(files(dev=environment(), prod=prod))
    assert made_of["prod"] == {"specs/environments/prod.yaml", "specs/base/group.yaml"}
    assert made_of["dev"] == {
        "specs/environments/dev.yaml",
        "specs/base/group.yaml",
        "specs/prod/more.yaml",
    }


def test_a_pattern_that_matches_nothing_is_told_by_who_parses_it() -> None:
    made_of = members(files(dev=environment(more="  include: [nowhere]\n")))
    assert made_of["dev"] == {"specs/environments/dev.yaml"}


def test_a_broken_environment_has_no_members() -> None:
    with pytest.raises(SpecErrors):
        members(files(dev="kind: 5\n"))


@pytest.mark.parametrize(
    ("more", "word", "reason"),
    [
        ("  prune: true\n", "prune", "it would delete what its plan does not show"),
        ("  selfHeal: report\n", "selfHeal", "it would stop healing"),
        ("  policy: {approvals: 0}\n", "policy", "it would approve itself"),
        ("  suspend: {reason: x}\n", "suspend", "it would lift a stop"),
        ("  apply: onCommand\n", "apply", "it would choose who has a say"),
        ("  windows: [{day: any}]\n", "windows", "it would choose when"),
    ],
)
def test_rights_come_from_the_branch(more: str, word: str, reason: str) -> None:
    (branch,) = environments(files(dev=environment()))
    (changed,) = environments(files(dev=environment(more=more)))
    assert rights_changed(changed, branch) == (word,), reason
    assert rights_changed(with_rights_of(changed, branch), branch) == ()


def test_content_comes_from_the_change() -> None:
    (branch,) = environments(files(dev=environment()))
    more = "  values: {a: 1}\n  tags: {b: c}\n  patches: []\n  include: [base]\n"
    (changed,) = environments(files(dev=environment(more=more)))
    assert rights_changed(changed, branch) == ()
    assert with_rights_of(changed, branch) == changed


def test_every_field_of_an_environment_is_a_right_or_content() -> None:
    """Whoever adds a field has to think about which one it is."""
    (one,) = environments(files(dev=environment()))
    content = {"name", "location", "include", "values", "patches", "tags", "source", "others"}
    assert set(one.__slots__) == content | RIGHTS.keys()


def test_resources_are_where_the_branch_says() -> None:
    (branch,) = environments(files(dev=environment()))
    changed = files(dev=environment(subscription=ELSEWHERE))
    group, _ = parse(changed, "dev", rights=branch).resources
    assert SUBSCRIPTION in group.arm_id
    group, _ = parse(changed, "dev").resources
    assert ELSEWHERE in group.arm_id
