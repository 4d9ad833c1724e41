"""An environment's policy: what it stops, what it lets stand, and that there is no way around."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import date
from typing import Any

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from reconciler.core.checks import check_plan
from reconciler.core.checks.policy import FEW, MOST, check_policy, rules_of
from reconciler.core.desired import environments
from reconciler.core.desired.policy import MOST_RULES, MOST_VALUES
from reconciler.core.errors import SpecErrors
from reconciler.core.json_schema import json_schema_all
from reconciler.core.live import Live
from reconciler.core.model import NOTHING, UNKNOWN, Check, Key, Plan, Ref, Resource, Secret
from tests.core.builders import (
    ACCOUNTS,
    ENDPOINTS,
    GROUP,
    WORKSPACE,
    a_deployment,
    a_filter,
    a_resource,
    an_account,
    an_endpoint,
    an_online_deployment,
    as_azure,
    live_of,
    owned_of,
    plan_of,
)

TODAY = date(2026, 11, 20)


def a_rule(
    kind: str | list[str] = "ModelDeployment", field: str = "sku.name", **test: Any
) -> dict[str, Any]:
    """A rule of a policy as its file says it."""
    about = {"field": field} if field else {}
    return {"name": "residency", "kind": kind, **about, **(test or {"oneOf": ["Standard"]})}


def checks_of(
    rule: Mapping[str, Any],
    *now: Resource,
    was: tuple[Any, ...] = (),
    home: Resource | None = None,
    more: tuple[Any, ...] = (),
) -> list[Check]:
    """What a rule says of a plan; the account is there and fits."""
    account = home or an_account()
    there = [account, *was, *more]
    live = live_of(*there)
    owned = owned_of(*(one for one in there if isinstance(one, Resource)))
    declared = [account, *now]
    plan = plan_of(declared, live, owned)
    return list(check_policy(plan, live, {"rules": [rule]}, declared))


def levels(checks: list[Check]) -> list[str]:
    return [check.level for check in checks]


@pytest.mark.parametrize(
    ("test", "sku", "wanted", "reason"),
    [
        ({"oneOf": ["Standard", "ProvisionedManaged"]}, "Standard", [], "it is listed"),
        ({"oneOf": ["Standard"]}, "GlobalStandard", ["error"], "it is not listed"),
        ({"oneOf": ["standard"]}, "STANDARD", [], "Azure takes any letter case of a SKU"),
        ({"noneOf": ["globalstandard"]}, "GlobalStandard", ["error"], "letter case is no way out"),
        ({"noneOf": ["DataZoneStandard"]}, "Standard", [], "it is another"),
        ({"equals": "Standard"}, "Standard", [], "it is that"),
        ({"equals": "Standard"}, "GlobalBatch", ["error"], "it is another"),
        ({"required": True}, "Standard", [], "it is written"),
        ({"oneOf": ["Standard"], "level": "warning"}, "GlobalBatch", ["warning"], "only a warning"),
    ],
)
def test_a_new_resource_has_to_pass(
    test: dict[str, Any], sku: str, wanted: list[str], reason: str
) -> None:
    assert levels(checks_of(a_rule(**test), a_deployment(sku=sku))) == wanted, reason


@pytest.mark.parametrize(
    ("test", "capacity", "wanted", "reason"),
    [
        ({"atMost": 60}, 60, [], "the limit itself is within it"),
        ({"atMost": 60}, 61, ["error"], "one more is not"),
        ({"atLeast": 60}, 60, [], "the limit itself is within it"),
        ({"atLeast": 60}, 59, ["error"], "one less is not"),
        ({"atMost": 60}, None, [], "Azure's default is known: 1"),
        ({"atLeast": 60}, None, ["error"], "Azure's default is known: 1"),
        ({"equals": 1}, None, [], "Azure's default is known: 1"),
        ({"required": True}, None, ["error"], "a default is not written"),
        ({"atMost": 60}, "70", ["error"], "a number in quotes is a number"),
        ({"atMost": 60}, "nan", ["error"], "what is no number is within no limit"),
        ({"atLeast": 60}, "nan", ["error"], "nor within this"),
        ({"atMost": 60}, "few", ["error"], "a word is no number"),
        ({"atMost": 60}, True, ["error"], "nor is this"),
        ({"atMost": 60}, UNKNOWN, ["note"], "nobody knows yet"),
    ],
)
def test_numbers_have_limits(
    test: dict[str, Any], capacity: Any, wanted: list[str], reason: str
) -> None:
    rule = a_rule(field="sku.capacity", **test)
    assert levels(checks_of(rule, a_deployment(capacity=capacity))) == wanted, reason


@pytest.mark.parametrize(
    ("field", "test", "wanted", "reason"),
    [
        ("tags.owner", {"oneOf": ["me"]}, ["error"], "nobody wrote whose it is"),
        ("tags.owner", {"equals": "me"}, ["error"], "nor here"),
        ("tags.owner", {"required": True}, ["error"], "it is not written"),
        ("tags.owner", {"noneOf": ["you"]}, ["note"], "it may be anything, and nobody wrote it"),
        ("routing.models.name", {"noneOf": ["gpt-4"]}, ["note"], "a list that is not there"),
        ("routing.models.name", {"oneOf": ["gpt-4"]}, ["error"], "and has to have something"),
        ("model.version", {"noneOf": ["1"]}, ["note"], "Azure chooses it"),
        ("serviceTier", {"noneOf": ["Default"]}, ["error"], "what Azure puts is known"),
        ("serviceTier", {"oneOf": ["default"]}, [], "what Azure puts is known"),
    ],
)
def test_what_is_not_written_is_what_azure_puts_if_that_is_known(
    field: str, test: dict[str, Any], wanted: list[str], reason: str
) -> None:
    checks = checks_of(a_rule(field=field, **test), a_deployment(version=None))
    assert levels(checks) == wanted, reason


@pytest.mark.parametrize(
    ("was", "now", "wanted", "reason"),
    [
        ({"capacity": 90}, {"capacity": 90}, ["warning"], "it stood before the rule did"),
        ({"capacity": 90}, {"capacity": 80}, ["error"], "who changes it has to mend it"),
        ({"capacity": 90}, {"capacity": 90, "version": "2"}, ["warning"], "another field changes"),
        ({"capacity": 90}, {"capacity": 60}, [], "it is mended"),
        ({"capacity": 10}, {"capacity": 90}, ["error"], "drift is not healed into a breach"),
        ({"capacity": 90}, {"capacity": 90, "sku": "Standard"}, ["error"], "it is made anew"),
        ({"capacity": 90}, {"capacity": None, "version": "2"}, [], "it goes back to the default"),
    ],
)
def test_only_what_a_plan_brings_about_is_stopped(
    was: dict[str, Any], now: dict[str, Any], wanted: list[str], reason: str
) -> None:
    rule = a_rule(field="sku.capacity", atMost=60)
    assert levels(checks_of(rule, a_deployment(**now), was=(a_deployment(**was),))) == wanted, (
        reason
    )


def test_what_the_spec_leaves_open_is_as_it_stands() -> None:
    now = a_deployment(capacity=None, version="2")
    was = as_azure(a_deployment(capacity=None), sku={"name": "GlobalStandard", "capacity": 90})
    checks = checks_of(a_rule(field="sku.capacity", atMost=60), now, was=(was,))
    assert levels(checks) == ["warning"]


def test_what_the_spec_leaves_open_of_something_new_is_as_it_is_made() -> None:
    one = a_resource("ServerlessEndpoint", ("p", "e"), f"{WORKSPACE}/serverlessEndpoints/e", {})
    rule = a_rule("ServerlessEndpoint", "authMode", noneOf=["key"])
    assert levels(checks_of(rule, one)) == ["error"]
    safe = replace(one, properties={"authMode": "AAD"})
    assert checks_of(rule, safe) == []
    assert levels(checks_of(rule, one, was=(as_azure(one, authMode="Key"),))) == ["warning"]


def test_what_is_left_to_others_is_judged_as_it_stands_and_as_it_is_made() -> None:
    rule = a_rule(field="sku.capacity", atMost=60)
    now = a_deployment(capacity=90, ignore=(("sku", "capacity"),))
    assert levels(checks_of(rule, now, was=(a_deployment(capacity=5),))) == []
    small = a_deployment(capacity=5, ignore=(("sku", "capacity"),))
    assert levels(checks_of(rule, small, was=(a_deployment(capacity=90),))) == ["warning"]
    assert levels(checks_of(rule, now)) == ["error"]


def test_a_rule_that_is_a_warning_says_less_of_what_stands() -> None:
    rule = a_rule(field="sku.capacity", atMost=60, level="warning")
    one = a_deployment(capacity=90)
    assert levels(checks_of(rule, one, was=(one,))) == ["note"]


def test_a_delete_breaks_no_rule() -> None:
    assert checks_of(a_rule(), was=(a_deployment(),)) == []


def test_a_kind_may_be_denied() -> None:
    rule = a_rule(field="", denied=True)
    (check,) = checks_of(rule, a_deployment())
    assert (check.level, check.rule) == ("error", "policy.residency")
    assert check.message == "ModelDeployment/ai/chat: Model deployment may not be used here"
    was = a_deployment(capacity=5)
    assert levels(checks_of(rule, a_deployment(), was=(was,))) == ["warning"]
    assert levels(checks_of(rule, was, was=(was,))) == ["warning"]


def test_a_check_says_who_what_and_why_and_where() -> None:
    rule = a_rule(oneOf=["Standard", "ProvisionedManaged"], message="Data stays in Canada.")
    (check,) = checks_of(rule, a_deployment())
    assert check.message == (
        "ModelDeployment/ai/chat: sku.name has to be Standard or ProvisionedManaged; it is "
        "GlobalStandard. Data stays in Canada."
    )
    assert check.source == "specs/ai-chat.yaml:1"
    assert check.key == Key("ModelDeployment", ("ai", "chat"))


@pytest.mark.parametrize(
    ("location", "wanted", "reason"),
    [
        ("Canada Central", [], "another spelling of the region"),
        ("East US 2", ["error", "error"], "its account is elsewhere, and so is it"),
    ],
)
def test_what_has_no_region_of_its_own_is_where_its_account_is(
    location: str, wanted: list[str], reason: str
) -> None:
    rule = a_rule("*", "location", oneOf=["canadacentral", "canadaeast"])
    home = an_account(location=location)
    declared = [home, a_deployment()]
    plan = plan_of(declared, Live())
    checks = list(check_policy(plan, Live(), {"rules": [rule]}, declared))
    assert levels(checks) == wanted, reason


def test_an_account_that_is_only_in_azure_says_where_its_deployments_are() -> None:
    rule = a_rule(field="location", oneOf=["canadacentral"])
    plan = plan_of([a_deployment()], live_of(an_account()))
    policy = {"rules": [rule]}
    assert levels(list(check_policy(plan, live_of(an_account()), policy, ()))) == ["error"]
    (check,) = check_policy(plan, Live(), policy, ())
    assert check.level == "note"
    assert "not checked: ModelDeployment/ai/chat" in check.message


def test_a_region_is_asked_of_nothing_that_is_nowhere() -> None:
    role = replace(a_resource("RoleAssignment", ("reader",), "", {"scope": GROUP}), arm_id="")
    rule = a_rule("*", "location", oneOf=["eastus2"])
    assert checks_of(rule, role) == []


def test_a_group_does_not_say_where_its_resources_are() -> None:
    group = a_resource("ResourceGroup", ("rg",), GROUP, {"location": "westus"})
    rule = a_rule(field="location", oneOf=["eastus2"])
    assert checks_of(rule, group, a_deployment()) == []
    declared = [group, a_deployment()]
    checks = list(check_policy(plan_of(declared, Live()), Live(), {"rules": [rule]}, declared))
    assert levels(checks) == ["note"]
    nowhere = an_escape("Microsoft.X/y", f"{GROUP}/providers/Microsoft.X/y/z", {"a": 1})
    assert checks_of(a_rule("AzureResource", "location", oneOf=["eastus2"]), nowhere) == []


def an_escape(arm_type: str, arm_id: str, body: Mapping[str, Any]) -> Resource:
    properties = {"type": f"{arm_type}@2025-06-01", "body": body}
    return a_resource("AzureResource", ("way", "out"), arm_id, properties)


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        ({"sku": {"name": "GlobalStandard"}}, "as Azure spells it"),
        ({"SKU": {"Name": "globalstandard"}}, "as Azure takes it"),
        ({"sku": {"name": "Standard"}, "Sku": {"name": "GlobalStandard"}}, "whichever Azure takes"),
        ({"properties": {}}, "it is not written"),
    ],
)
def test_the_escape_hatch_is_no_way_around_a_rule(body: dict[str, Any], reason: str) -> None:
    arm_type = "Microsoft.CognitiveServices/accounts/deployments"
    one = an_escape(arm_type, f"{ACCOUNTS}/ai/deployments/chat", body)
    assert levels(checks_of(a_rule(), one)) == ["error"], reason
    elsewhere = a_rule(field="location", oneOf=["canadaeast"])
    assert levels(checks_of(elsewhere, one)) == ["error"], reason


def test_fields_inside_properties_are_found_in_the_escape_hatch_too() -> None:
    body = {"sku": {"name": "Standard"}, "Properties": {"Model": {"name": "gpt-4"}}}
    arm_type = "Microsoft.CognitiveServices/accounts/deployments"
    one = an_escape(arm_type, f"{ACCOUNTS}/ai/deployments/chat", body)
    assert levels(checks_of(a_rule(field="model.name", noneOf=["GPT-4"]), one)) == ["error"]
    changed = {**body, "properties": {"Model": {"name": "gpt-4"}, "serviceTier": "Priority"}}
    now = an_escape(arm_type, f"{ACCOUNTS}/ai/deployments/chat", changed)
    assert levels(checks_of(a_rule(field="serviceTier", noneOf=["priority"]), now, was=(one,))) == [
        "error"
    ]


def test_an_account_of_the_escape_hatch_says_where_its_deployments_are() -> None:
    account = an_escape("Microsoft.CognitiveServices/accounts", f"{ACCOUNTS}/x", {"Location": "A"})
    declared = [account, a_deployment(account="x")]
    plan = plan_of(declared, Live())
    policy = {"rules": [a_rule(field="location", oneOf=["b"])]}
    assert levels(list(check_policy(plan, Live(), policy, declared))) == ["error"]


def test_a_region_that_changes_in_the_escape_hatch_is_a_change() -> None:
    arm_type, arm_id = "Microsoft.Search/searchServices", f"{GROUP}/providers/Microsoft.Search/s/s"
    was = an_escape(arm_type, arm_id, {"location": "eastus2"})
    now = an_escape(arm_type, arm_id, {"location": "westus"})
    rule = a_rule("*", "location", oneOf=["eastus2"])
    assert levels(checks_of(rule, now, was=(was,))) == ["error"]
    assert levels(checks_of(rule, now, was=(now,))) == ["warning"]


def test_kinds_that_share_a_type_are_told_apart_in_the_escape_hatch() -> None:
    arm_type = "Microsoft.MachineLearningServices/workspaces"
    hub = an_escape(arm_type, WORKSPACE, {"kind": "Hub", "location": "eastus2"})
    assert levels(checks_of(a_rule("Hub", "", denied=True), hub)) == ["error"]
    assert checks_of(a_rule("Workspace", "", denied=True), hub) == []


def test_any_path_of_any_resource_can_be_asked() -> None:
    search = an_escape(
        "Microsoft.Search/searchServices",
        f"{GROUP}/providers/Microsoft.Search/searchServices/s",
        {"location": "West Europe", "sku": {"name": "Free"}},
    )
    rule = a_rule("AzureResource", "body.sku.name", noneOf=["free"])
    assert levels(checks_of(rule, search)) == ["error"]
    assert levels(checks_of(a_rule("*", "location", oneOf=["eastus2"]), search)) == ["error"]
    assert checks_of(a_rule("*", "location", oneOf=["eastus2", "westeurope"]), search) == []


@pytest.mark.parametrize(
    ("thresholds", "wanted", "reason"),
    [
        (["Low", "Medium"], [], "every item passes"),
        (["Low", "High"], ["error"], "one item does not"),
        (["", "High"], ["error"], "what is not known of one does not hide another"),
        (["", "Low"], ["note"], "what is not known of one is said"),
        ([], ["note"], "no item is there"),
    ],
)
def test_a_list_passes_with_every_item(
    thresholds: list[str], wanted: list[str], reason: str
) -> None:
    items = [{"name": "Hate", "severityThreshold": one} for one in thresholds]
    one = a_filter()
    one = replace(one, properties={**one.properties, "contentFilters": items})
    rule = a_rule("ContentFilter", "contentFilters.severityThreshold", noneOf=["high"])
    assert levels(checks_of(rule, one)) == wanted, reason


def test_fields_that_depend_on_another_are_asked_where_they_are() -> None:
    def a_connection(kind: str, **credentials: Any) -> Resource:
        properties: dict[str, Any] = {"category": "ApiKey", "authType": kind}
        if kind != "AAD":
            properties["credentials"] = credentials
        return a_resource("Connection", ("hub", "c"), f"{WORKSPACE}/connections/c", properties)

    rule = a_rule("Connection", "credentials.key", required=True)
    assert levels(checks_of(rule, a_connection("ApiKey"))) == ["error"]
    assert checks_of(rule, a_connection("ApiKey", key=Secret("n", "v"))) == []
    assert checks_of(rule, a_connection("AAD")) == []


def test_names_of_tags_are_found_in_any_letter_case() -> None:
    one = an_account()
    tagged = replace(one, properties={**one.properties, "tags": {"Owner": "me"}})
    plan = plan_of([tagged], Live())
    rule = a_rule("*", "tags.owner", required=True)
    assert list(check_policy(plan, Live(), {"rules": [rule]}, [tagged])) == []


def test_values_of_others_are_asked_when_they_are_known() -> None:
    ref = Ref(Key("Account", ("ai",)), "id")
    one = a_deployment()
    model = {**one.properties["model"], "sourceAccount": ref}
    one = replace(one, properties={**one.properties, "model": model})
    rule = a_rule(field="model.sourceAccount", oneOf=[f"{ACCOUNTS}/AI"])
    assert checks_of(rule, one) == []
    unknown = {**model, "sourceAccount": Ref(Key("Account", ("ai",)), "properties.endpoint")}
    one = replace(one, properties={**one.properties, "model": unknown})
    assert levels(checks_of(rule, one)) == ["note"]


def test_a_secret_is_never_shown() -> None:
    one = an_account()
    one = replace(one, properties={**one.properties, "tags": {"a": Secret("canary", "vault")}})
    rule = a_rule("Account", "tags.a", oneOf=["x"])
    (check,) = check_policy(plan_of([one], Live()), Live(), {"rules": [rule]}, [one])
    assert check.level == "note"
    assert "canary" not in check.message


def test_a_copy_beside_the_old_one_has_to_pass() -> None:
    home = an_endpoint(blue=100)
    was = an_online_deployment(size="Standard_DS3_v2")
    now = an_online_deployment(size="Standard_NC24ads_A100_v4")
    live = live_of(home, was)
    plan = plan_of([home, now], live, owned_of(home, was))
    (change,) = (one for one in plan.changes if one.key == now.key)
    assert change.arm_id != f"{ENDPOINTS}/vllm/deployments/blue"
    rule = a_rule("OnlineDeployment", "instanceType", noneOf=["Standard_NC24ads_A100_v4"])
    checks = list(check_policy(plan, live, {"rules": [rule]}, [home, now]))
    assert levels(checks) == ["error"]
    place = a_rule("OnlineDeployment", "location", oneOf=["canadaeast"])
    assert levels(list(check_policy(plan, live, {"rules": [place]}, [home, now]))) == ["error"]


def test_many_breaches_are_counted() -> None:
    many = [a_deployment(f"chat-{number:03}") for number in range(MOST + 7)]
    checks = checks_of(a_rule(), *many)
    assert levels(checks) == ["error"] * (MOST + 1)
    assert checks[-1].message == "7 more resources break this rule"
    (standing,) = checks_of(a_rule(), *many, was=tuple(many))
    assert f"and {len(many) - FEW} more" in standing.message


def test_long_values_are_shortened() -> None:
    (check,) = checks_of(a_rule(oneOf=["Standard"], message="Why."), a_deployment(sku="x" * 10_000))
    assert len(check.message) < 300
    assert check.message.endswith("…. Why.")


@given(
    st.lists(st.sampled_from(["a", "b", "c"]), unique=True),
    st.sampled_from(["Standard", "GlobalStandard"]),
    st.sampled_from([NOTHING, {"approvals": 2}, {"rules": []}]),
)
def test_without_rules_nothing_is_said(names: list[str], sku: str, policy: Any) -> None:
    now = [an_account(), *(a_deployment(name, sku=sku) for name in names)]
    plan = plan_of(now, Live())
    checks = check_plan(plan, Live(), {}, TODAY, policy, now)
    assert not [one for one in checks if one.rule.startswith("policy.")]
    assert checks == check_plan(plan, Live(), {}, TODAY)


@given(st.lists(st.text(max_size=9) | st.just("STANDARD"), min_size=1, max_size=5))
def test_a_value_passes_exactly_one_of_a_list_and_its_opposite(listed: list[str]) -> None:
    one = a_deployment(sku="Standard")
    rules = [{**a_rule(), "oneOf": listed}, {**a_rule(noneOf=listed)}]
    found = [levels(checks_of(rule, one)) for rule in rules]
    assert sorted(found) == [[], ["error"]]


ENVIRONMENT = """
apiVersion: aigitops/v1
kind: Environment
metadata: {name: dev}
spec:
  subscription: 00000000-0000-0000-0000-000000000001
  resourceGroup: rg
  location: eastus2
  policy: {rules: [%s]}
"""


def environment(*rules: str) -> Any:
    return environments({"specs/environments/dev.yaml": ENVIRONMENT % ", ".join(rules)})[0]


LISTED = ", ".join(f"v{number}" for number in range(MOST_VALUES + 1))
MANY = ", ".join(
    f'{{name: r{number}, kind: "*", denied: true}}' for number in range(MOST_RULES + 1)
)
LONG = "x" * 10_000


@pytest.mark.parametrize(
    ("rules", "told", "reason"),
    [
        (MANY, "more than 50", "too many rules"),
        (f"{{name: a, kind: Account, field: kind, oneOf: [{LISTED}]}}", "100", "too many values"),
        (f"{{name: a, kind: [{'Hub, ' * 1000}], denied: true}}", "1000", "too many kinds"),
        (f"{{name: a, kind: Hub, field: {'a.' * 1000}a, required: true}}", "16", "a deep path"),
        (f"{{name: a, kind: Hub, field: {LONG}, required: true}}", "200", "a long name in it"),
        (f"{{name: a, kind: {LONG}, denied: true}}", "no kind", "a long kind"),
        (f"{{name: a, kind: Hub, denied: true, message: {LONG}}}", "at most 500", "a long message"),
        (f"{{name: {LONG}, kind: Hub, denied: true}}", "at most 60", "a long name"),
    ],
)
def test_hostile_rules_are_refused(rules: str, told: str, reason: str) -> None:
    with pytest.raises(SpecErrors, match=told) as caught:
        environment(rules)
    assert len(caught.value.errors) <= 2, reason
    assert all(len(str(error)) < 300 for error in caught.value.errors), reason


def test_text_that_looks_like_a_pattern_is_text() -> None:
    one = environment("{name: a, kind: Account, field: 'tags.(a+)+$', oneOf: ['(x+)+$', '.*']}")
    tagged = an_account()
    tags = {"(a+)+$": "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx!"}
    tagged = replace(tagged, properties={**tagged.properties, "tags": tags})
    plan = plan_of([tagged], Live())
    assert levels(list(check_policy(plan, Live(), one.policy, [tagged]))) == ["error"]


def test_the_longest_policy_asks_a_large_plan_and_each_answer_is_bounded() -> None:
    values = [f"v{number}" for number in range(MOST_VALUES)]
    rules = [
        {"name": f"r{number}", "kind": "*", "field": "sku.name", "oneOf": values}
        for number in range(MOST_RULES)
    ]
    many = tuple(a_deployment(f"chat-{number}") for number in range(100))
    plan = Plan("dev", "c", plan_of([an_account(), *many], Live()).changes, resources=many)
    checks = list(check_policy(plan, Live(), {"rules": rules}, many))
    assert len(checks) == MOST_RULES * (MOST + 1)
    assert sum(len(check.message) for check in checks) < len(checks) * 400


def test_rules_are_read_as_they_are_written() -> None:
    one = environment(
        "{name: a, kind: Account, field: kind, oneOf: [OpenAI], level: warning, message: Why}",
        "{name: b, kind: '*', denied: true}",
        "{name: c, kind: [Account, Hub], field: location, equals: x}",
    )
    a, b, c = rules_of(one.policy)
    assert (a.id, set(a.kinds), a.field, a.test) == ("policy.a", {"Account"}, "kind", "oneOf")
    assert (a.wanted, a.level, a.why) == (["OpenAI"], "warning", "Why")
    assert (set(b.kinds), b.path, b.level, b.why) == (set(), (), "error", "")
    assert (set(c.kinds), c.wanted) == ({"Account", "Hub"}, "x")


@pytest.mark.parametrize(
    ("policy", "valid"),
    [
        ({"approvals": 2, "rules": [a_rule(), a_rule("*", "", denied=True)]}, True),
        ({"approvals": 21}, False),
        ({"aprovals": 2}, False),
        ({"rules": [{**a_rule(), "matches": "x"}]}, False),
        ({"rules": [{**a_rule(), "name": "Residency"}]}, False),
        ({"rules": [{**a_rule(), "level": "fatal"}]}, False),
        ({"rules": [a_rule(atMost="60")]}, False),
    ],
)
def test_editors_know_what_a_policy_may_say(policy: Any, valid: bool) -> None:
    document = yaml.safe_load(ENVIRONMENT % "")
    document["spec"]["policy"] = policy
    assert Draft202012Validator(json_schema_all()).is_valid(document) is valid


JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-5, 99) | st.floats() | st.text(max_size=6),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner),
    max_leaves=5,
)
FIELDS = st.sampled_from(
    ["sku.name", "sku.capacity", "sku", "location", "tags.a", "spec.kind", "body.sku.name", "a..b"]
)
KINDS = st.sampled_from(["*", "Account", "ModelDeployment", "AzureResource", "Connection", "Hup"])
RULES = st.fixed_dictionaries(
    {"name": st.sampled_from(["a", "b", "c"]) | JSON, "kind": KINDS | st.lists(KINDS) | JSON},
    optional={
        "field": FIELDS | JSON,
        "oneOf": st.lists(st.text(max_size=4)) | JSON,
        "noneOf": st.lists(st.integers()) | JSON,
        "equals": JSON,
        "atMost": st.integers() | JSON,
        "atLeast": st.floats() | JSON,
        "required": st.booleans() | JSON,
        "denied": st.booleans() | JSON,
    },
)
LIKELY = st.one_of(
    st.builds(lambda kind, field, n: a_rule(kind, field, atMost=n), KINDS, FIELDS, st.integers()),
    st.builds(
        lambda kind, field, words: a_rule(kind, field, noneOf=words),
        KINDS,
        FIELDS,
        st.lists(st.text(max_size=4) | st.integers() | st.booleans(), min_size=1, max_size=3),
    ),
)


@settings(deadline=None)
@given(st.lists(RULES, max_size=3) | LIKELY.map(lambda rule: [rule]) | JSON, JSON, JSON)
def test_any_policy_is_told_to_be_wrong_or_says_something_of_any_plan(
    rules: Any, size: Any, body: Any
) -> None:
    document = yaml.safe_load(ENVIRONMENT % "")
    document["spec"]["policy"] = {"rules": rules}
    text = yaml.safe_dump(document)
    try:
        (one,) = environments({"specs/environments/dev.yaml": text})
    except SpecErrors:
        return
    odd = replace(a_deployment(), properties={"sku": {"capacity": size, "name": body}})
    arm_type = "Microsoft.CognitiveServices/accounts/deployments"
    escaped = an_escape(arm_type, f"{ACCOUNTS}/ai/deployments/x", {"sku": body, "properties": size})
    now = [an_account(), odd, escaped]
    for live in (Live(), live_of(*now)):
        checks = list(check_policy(plan_of(now, live), live, one.policy, now))
        assert all(check.message and check.rule.startswith("policy.") for check in checks)
