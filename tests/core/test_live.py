"""What was read answers who is there, under which id, and with which values."""

import uuid

import pytest

from reconciler.core.kinds import KINDS
from reconciler.core.live import (
    Live,
    arm_id_of,
    context_of,
    endpoint_of,
    identity_of,
    output,
    resolver,
)
from reconciler.core.model import UNKNOWN, Key, Observed, Ref, Resource, Secret
from tests.core.builders import ACCOUNTS, a_resource, an_account, as_azure, live_of, owned_of

SCOPE = f"{ACCOUNTS}/ai"
ROLE = "/subscriptions/s/providers/Microsoft.Authorization/roleDefinitions/R1"
APP = Key("ManagedIdentity", ("app",))


def a_role(principal: object = "P1", name: str = "app-uses-ai") -> Resource:
    properties = {
        "scope": SCOPE,
        "roleDefinitionId": ROLE,
        "principalId": principal,
        "principalType": "ServicePrincipal",
    }
    return a_resource("RoleAssignment", (name,), "", properties)


def as_assigned(role: Resource, name: str = "0b5c", **properties: object) -> Observed:
    observed = as_azure(role, **properties)
    arm_id = f"{SCOPE}/providers/Microsoft.Authorization/roleAssignments/{name}"
    return Observed(arm_id, observed.properties, "RoleAssignment", outputs={"id": arm_id})


def unknown(ref: Ref) -> object:
    return UNKNOWN


def test_a_resource_is_found_by_its_id_in_any_letter_case() -> None:
    account = an_account()
    live = live_of(Observed(account.arm_id.upper(), {}, "Account"))
    assert live.find(account, unknown) is not None
    assert live.find(an_account("other"), unknown) is None


def test_a_role_is_found_by_what_it_grants() -> None:
    role = a_role()
    there = as_assigned(role, roleDefinitionId=ROLE.replace("/subscriptions/s", "").lower())
    live = live_of(there, an_account())
    assert live.find(role, unknown) is there
    assert live.find(a_role("P2"), unknown) is None


def test_a_role_for_somebody_unknown_is_not_found() -> None:
    role = a_role(Ref(APP, "properties.principalId"))
    live = live_of(as_assigned(a_role()))
    assert live.find(role, unknown) is None
    assert live.find(role, lambda ref: "p1") is not None


def test_a_role_of_azure_is_known_by_values_alone() -> None:
    unclear = as_assigned(a_role(Ref(APP, "properties.principalId")))
    assert live_of(unclear, an_account()).by_identity == {}


def test_a_role_gets_the_same_name_every_time() -> None:
    role = a_role()
    name = arm_id_of(role, role.properties)
    assert name == arm_id_of(role, {**role.properties, "principalId": "p1"})
    assert name.startswith(f"{SCOPE}/providers/Microsoft.Authorization/roleAssignments/")
    assert uuid.UUID(name.rpartition("/")[2])
    assert arm_id_of(role, {"scope": SCOPE}) == ""
    assert identity_of(KINDS["RoleAssignment"], {}) is None


def test_a_named_resource_lives_where_its_spec_says() -> None:
    assert arm_id_of(an_account(), {}) == SCOPE


def test_outputs_that_are_not_there_yet_are_unknown() -> None:
    assert output(None, "id") is UNKNOWN
    there = Observed(SCOPE, {}, outputs={"properties.endpoint": "https://ai", "none": None})
    assert output(there, "properties.endpoint") == "https://ai"
    assert output(there, "none") is UNKNOWN
    assert output(there, "other") is UNKNOWN


def test_references_resolve_to_what_azure_says_now() -> None:
    account = an_account()
    there = Observed(account.arm_id, {}, "Account", outputs={"properties.endpoint": "https://ai"})
    endpoint, its_id = Ref(account.key, "properties.endpoint"), Ref(account.key, "id")
    resolve = resolver(live_of(there), [account], frozenset())
    assert resolve(endpoint) == "https://ai"
    assert resolve(its_id) == account.arm_id
    assert resolve(Ref(Key("Account", ("nobody",)), "id")) is UNKNOWN


def test_what_is_replaced_keeps_its_id_and_nothing_else() -> None:
    account = an_account()
    there = Observed(account.arm_id, {}, "Account", outputs={"properties.endpoint": "https://ai"})
    resolve = resolver(live_of(there), [account], frozenset({account.key}))
    assert resolve(Ref(account.key, "properties.endpoint")) is UNKNOWN
    assert resolve(Ref(account.key, "id")) == account.arm_id


def test_the_id_of_a_role_is_the_one_azure_knows_it_by() -> None:
    role = a_role()
    ref = Ref(role.key, "id")
    assert resolver(Live(), [role], frozenset())(ref) is UNKNOWN
    there = as_assigned(role)
    assert resolver(live_of(there), [role], frozenset())(ref) == there.arm_id


def test_comparing_knows_whether_something_was_applied_before() -> None:
    account, secret = an_account(), Secret("k", vault="/kv")
    live = Live(digests={secret: "d"})
    assert not context_of(account, None, live, unknown).managed
    context = context_of(account, owned_of(account)[account.arm_id.lower()], live, unknown)
    assert context.managed
    assert context.current(secret) == "d"


@pytest.mark.parametrize(
    ("value", "shown", "reason"),
    [
        ("https://contoso.openai.azure.com/", True, "an account"),
        ("https://vllm.eastus2.inference.ml.azure.com/score", True, "an online endpoint"),
        ("https://localhost:8443/_data/x", True, "an emulator"),
        ("http://contoso.openai.azure.com/", False, "not encrypted"),
        ("https://x.example/?code=k3y", False, "a query may hold a key"),
        ("https://x.example/#k3y", False, "so may a fragment"),
        ("https://user:k3y@x.example/", False, "so may a user"),
        ("https://x.example/`</details>", False, "no address has such letters"),
        ("https://x.example/\n", False, "nor a second line"),
        ("javascript:alert(1)", False, "no address"),
        (f"https://x.example/{'a' * 300}", False, "too long to be one"),
        ({"uri": "https://x.example/"}, False, "no text"),
        (None, False, "not there yet"),
    ],
)
def test_where_a_resource_can_be_called_is_shown_when_that_is_safe(
    value: object, shown: bool, reason: str
) -> None:
    there = Observed("/a", {}, "Account", outputs={"properties.endpoint": value})
    assert endpoint_of(there, KINDS["Account"]) == (value if shown else ""), reason


def test_a_kind_that_cannot_be_called_has_no_address() -> None:
    there = Observed("/a", {}, "KeyVault", outputs={"properties.endpoint": "https://x.example/"})
    assert endpoint_of(there, KINDS["KeyVault"]) == ""
