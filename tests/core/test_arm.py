"""ARM ids say what they are, where they are and what they are inside."""

import pytest

from reconciler.core import arm

SUB = "/subscriptions/s"
GROUP = f"{SUB}/resourceGroups/rg"
ACCOUNT = f"{GROUP}/providers/Microsoft.CognitiveServices/accounts/ai"
CHAT = f"{ACCOUNT}/deployments/chat"
ROLE = f"{ACCOUNT}/providers/Microsoft.Authorization/roleAssignments/r"
MANAGEMENT = "/providers/Microsoft.Management/managementGroups/m"


@pytest.mark.parametrize(
    ("arm_id", "arm_type", "names", "parent", "group"),
    [
        (SUB, "Microsoft.Resources/subscriptions", ("s",), "", ""),
        (GROUP, "Microsoft.Resources/resourceGroups", ("rg",), SUB, "rg"),
        (ACCOUNT, "Microsoft.CognitiveServices/accounts", ("ai",), GROUP, "rg"),
        (CHAT, "Microsoft.CognitiveServices/accounts/deployments", ("ai", "chat"), ACCOUNT, "rg"),
        (ROLE, "Microsoft.Authorization/roleAssignments", ("r",), ACCOUNT, "rg"),
        (MANAGEMENT, "Microsoft.Management/managementGroups", ("m",), "", ""),
    ],
)
def test_an_id_is_taken_apart(
    arm_id: str, arm_type: str, names: tuple[str, ...], parent: str, group: str
) -> None:
    assert arm.type_of(arm_id) == arm_type
    assert arm.names_of(arm_id) == names
    assert arm.parent_of(arm_id) == parent
    assert arm.resource_group_of(arm_id) == group


def test_a_resource_is_listed_with_its_kin() -> None:
    assert arm.collection_of(CHAT) == f"{ACCOUNT}/deployments"


def test_a_subscription_is_found_in_any_letter_case() -> None:
    assert arm.subscription_of("/Subscriptions/S/x") == "S"
    assert arm.subscription_of(MANAGEMENT) == ""


def test_an_ancestor_is_found_by_its_type_and_lower_cased() -> None:
    account = "microsoft.cognitiveservices/ACCOUNTS"
    assert arm.ancestor_of(CHAT, account) == ACCOUNT.lower()
    assert arm.ancestor_of(ACCOUNT, account) == ACCOUNT.lower()
    assert arm.ancestor_of(ROLE, account) == ACCOUNT.lower()
    assert arm.ancestor_of(GROUP, account) == ""
    assert arm.ancestor_of("", account) == ""


def test_parents_are_told_from_the_nearest_to_the_group() -> None:
    assert list(arm.parents_of(CHAT)) == [ACCOUNT, GROUP]
    assert list(arm.parents_of(ROLE)) == [ACCOUNT, GROUP]
    assert list(arm.parents_of(GROUP)) == []
    assert list(arm.parents_of("")) == []
