"""What Azure would refuse in the middle of a run is said before it begins."""

from collections.abc import Mapping
from datetime import date
from typing import Any

import pytest

from reconciler.core.checks import check_plan, facts_wanted
from reconciler.core.checks.catalogue import Catalogue, day
from reconciler.core.live import Live
from reconciler.core.model import Check, Plan, Resource
from tests.core.builders import (
    ACCOUNTS,
    SUBSCRIPTION,
    a_deployment,
    a_filter,
    a_resource,
    an_account,
    an_endpoint,
    as_azure,
    live_of,
    owned_of,
    plan_of,
)

TODAY = date(2026, 11, 20)
BASE = f"{SUBSCRIPTION}/providers/Microsoft.CognitiveServices/locations"
MODELS, USAGES = f"{BASE}/eastus2/models", f"{BASE}/eastus2/usages"


def a_sku(name: str, usage: str, retires: str = "2099-12-31", **capacity: Any) -> dict[str, Any]:
    return {
        "name": name,
        "usageName": usage,
        "capacity": {"maximum": 1000, "default": 10, **capacity},
        "deprecationDate": f"{retires}T00:00:00Z",
    }


PTU = {"minimum": 15, "step": 5, "maximum": 100}


def a_model(
    name: str = "gpt-4.1",
    version: str = "2025-04-14",
    kind: str = "OpenAI",
    format: str = "OpenAI",
    *,
    status: str = "GenerallyAvailable",
    default: bool = True,
    retires: str = "2099-12-31",
    skus: list[dict[str, Any]] | None = None,
    **more: Any,
) -> dict[str, Any]:
    """An item of the list of models, in the shape Azure answers."""
    offered = skus or [
        a_sku("GlobalStandard", f"OpenAI.GlobalStandard.{name}"),
        a_sku("Standard", f"OpenAI.Standard.{name}"),
        a_sku("GlobalProvisionedManaged", "OpenAI.GlobalProvisionedManaged", **PTU),
    ]
    model = {
        "format": format,
        "name": name,
        "version": version,
        "isDefaultVersion": default,
        "lifecycleStatus": status,
        "deprecation": {"inference": f"{retires}T00:00:00Z"},
        "skus": offered,
        **more,
    }
    return {"kind": kind, "skuName": "S0", "model": model}


def a_usage(name: str, limit: float, used: float = 0) -> dict[str, Any]:
    return {"name": {"value": name}, "currentValue": used, "limit": limit, "unit": "Count"}


CATALOGUE = [
    a_model(),
    a_model(version="2024-11-20", default=False, status="Stable"),
    a_model("gpt-5"),
    a_model("grok-3", "1", "AIServices", "xAI"),
    a_model("old", "1", status="Deprecated", retires="2026-10-01"),
]
QUOTA = [
    a_usage("OpenAI.GlobalStandard.gpt-4.1", 300, 120.0),
    a_usage("OpenAI.Standard.gpt-4.1", 100),
    a_usage("OpenAI.GlobalProvisionedManaged", 50, 20),
    a_usage("OpenAI.GlobalStandard.gpt-5", 0),
]


def facts(
    models: list[Any] | None = None, usages: list[Any] | None = None
) -> Mapping[str, list[Any]]:
    """What was read of East US 2, unless said otherwise."""
    return {
        MODELS: CATALOGUE if models is None else models,
        USAGES: QUOTA if usages is None else usages,
    }


def checks_of(
    *now: Resource,
    was: tuple[Resource, ...] = (),
    known: Mapping[str, Any] | None = None,
    account: Resource | None = None,
) -> list[Check]:
    """Remarks about deployments on an account that is there, as declared."""
    home = account or an_account()
    live = live_of(home, *was)
    plan = plan_of([home, *now], live, owned_of(home, *was))
    return check_plan(plan, live, facts() if known is None else known, TODAY)


def said(checks: list[Check]) -> list[str]:
    return sorted(f"{check.level} {check.rule}" for check in checks)


def message(checks: list[Check], rule: str) -> str:
    (found,) = [check for check in checks if check.rule == rule]
    return found.message


# -- what is read ----------------------------------------------------------------------------


def test_an_empty_plan_reads_nothing() -> None:
    assert facts_wanted(Plan("dev", "c"), Live()) == []
    assert check_plan(Plan("dev", "c"), Live(), {}, TODAY) == []


def test_each_region_is_read_once() -> None:
    west = an_account("west", location="westus3")
    made = [a_deployment(), a_deployment("other"), a_deployment("far", "west")]
    plan = plan_of([an_account(), west, *made], live_of(an_account()))
    wanted = facts_wanted(plan, live_of(an_account()))
    assert [url for url, _ in wanted] == [
        MODELS,
        USAGES,
        f"{BASE}/westus3/models",
        f"{BASE}/westus3/usages",
    ]
    assert {version for _, version in wanted} == {an_account().api_version}


def test_nothing_is_read_for_what_is_deleted_or_no_deployment() -> None:
    live = live_of(an_account(), a_deployment())
    plan = plan_of([an_account(), a_filter()], live, owned_of(a_deployment()))
    assert facts_wanted(plan, live) == []


def test_a_deployment_on_an_unknown_account_is_not_checked_and_that_is_said() -> None:
    plan = plan_of([a_deployment()])
    assert facts_wanted(plan, Live()) == []
    (check,) = check_plan(plan, Live(), {}, TODAY)
    assert (check.level, check.rule) == ("note", "check.unknown")
    assert check.source == "specs/ai-chat.yaml:1"


def test_listings_that_could_not_be_read_are_said_once_for_a_region() -> None:
    for known in ({}, {MODELS: [], USAGES: ()}):
        checks = checks_of(a_deployment(), a_deployment("b"), known=known)
        assert said(checks) == ["note model.unchecked", "note quota.unchecked"]
        assert "East US 2" in checks[0].message


def test_items_of_another_shape_are_passed_over() -> None:
    odd = [{}, {"model": 3}, {"model": {}}, {"model": {"name": "x", "skus": 5}}]
    odd += [a_model(skus=[a_sku("GlobalStandard", "u", allowedValues=3)])]
    assert said(checks_of(a_deployment(), known=facts(odd, [{}, {"name": {}, "limit": "x"}]))) == [
        "note quota.unchecked"
    ]
    assert day(5) is None
    assert day("soon") is None


# -- models ----------------------------------------------------------------------------------


def test_a_model_that_is_offered_and_fits_is_no_remark() -> None:
    assert checks_of(a_deployment()) == []


@pytest.mark.parametrize(
    ("deployment", "words"),
    [
        (a_deployment(model="gpt-4.l"), 'OpenAI gpt-4.l is not in the catalogue of East US 2, did'),
        (a_deployment(model="gpt-4.l"), 'did you mean "gpt-4.1"? Ways out: another model'),
        (a_deployment(model="whale"), "East US 2. Ways out: another model, or another region"),
        (a_deployment(version="2025-04-15"), 'did you mean "2025-04-14"?'),
        (a_deployment(version="1"), "Versions there: 2024-11-20, 2025-04-14 (default), or another"),
        (a_deployment(model="grok-3", format="OpenAI"), 'published as format "xAI", not "OpenAI"'),
        (a_deployment(model="grok-3", format="xAI"), "accounts of kind AIServices in East US 2"),
    ],
)  # fmt: skip
def test_a_model_that_is_not_there_is_an_error_with_a_way_out(
    deployment: Resource, words: str
) -> None:
    checks = checks_of(deployment)
    assert said(checks) == ["error model.unknown"]
    assert words in checks[0].message
    assert checks[0].source == deployment.source
    assert checks[0].key == deployment.key


def test_another_region_of_the_plan_that_has_the_model_is_named() -> None:
    west = an_account("west", location="westus3")
    known = {
        **facts(),
        f"{BASE}/westus3/models": [a_model("whale", "1")],
        f"{BASE}/westus3/usages": [a_usage("OpenAI.GlobalStandard.whale", 99)],
    }
    here = a_deployment(model="whale", version="1")
    there = a_deployment("far", "west", model="whale", version="1")
    plan = plan_of([an_account(), west, here, there], live_of(an_account(), west))
    checks = check_plan(plan, live_of(an_account(), west), known, TODAY)
    assert "or another region (westus3)" in message(checks, "model.unknown")


def test_a_model_without_a_version_means_the_default_one() -> None:
    assert checks_of(a_deployment(version=None)) == []
    assert Catalogue.read([a_model(default=False)]).find(
        "", {"format": "openai", "name": "GPT-4.1"}
    )


def test_a_model_of_ones_own_is_in_no_catalogue() -> None:
    assert said(checks_of(a_deployment(model="gpt-4.1-2025-04-14.ft-1a2b"))) == [
        "note model.unchecked"
    ]


def test_a_sku_that_is_not_offered_is_an_error_with_those_that_are() -> None:
    checks = checks_of(a_deployment(sku="DataZoneStandard"))
    assert said(checks) == ["error model.sku"]
    assert checks[0].message == (
        "DataZoneStandard is not offered for gpt-4.1 2025-04-14 in East US 2. "
        "SKUs there: GlobalProvisionedManaged, GlobalStandard, Standard"
    )


def test_skus_of_one_version_may_be_listed_apart() -> None:
    apart = [a_model(skus=[a_sku(name, "u")]) for name in ("Standard", "GlobalStandard")]
    (offer,) = Catalogue.read(apart).offers
    assert set(offer.skus) == {"standard", "globalstandard"}


def test_the_sku_of_fine_tuned_models_is_another_one() -> None:
    tuned = a_sku("GlobalStandard", "OpenAI.GlobalStandard.gpt-4.1-finetune")
    plain = a_sku("GlobalStandard", "OpenAI.GlobalStandard.gpt-4.1")
    for skus in ([tuned, plain], [plain, tuned]):
        (offer,) = Catalogue.read([a_model(skus=skus)]).offers
        assert offer.skus["globalstandard"].usage_name == "OpenAI.GlobalStandard.gpt-4.1"


def test_a_deployment_that_is_there_may_keep_what_is_offered_no_longer() -> None:
    gone = a_deployment(model="whale", capacity=1)
    assert checks_of(a_deployment(model="whale", capacity=1, policy="x"), was=(gone,)) == []
    odd = a_deployment(sku="DataZoneStandard")
    assert checks_of(a_deployment(sku="DataZoneStandard", policy="x"), was=(odd,)) == []


def test_a_retired_model_is_an_error_for_a_new_deployment() -> None:
    checks = checks_of(a_deployment(model="old", version="1"))
    assert said(checks) == ["error model.retired", "note quota.unchecked"]
    assert "old (1) was retired in East US 2 on 2026-10-01" in message(checks, "model.retired")


def test_a_retired_model_is_a_warning_for_one_that_is_there() -> None:
    was = a_deployment(model="old", version="1", capacity=50)
    checks = checks_of(a_deployment(model="old", version="1", policy="x"), was=(was,))
    assert said(checks) == ["note quota.unchecked", "warning model.retired"]


def test_the_version_azure_chose_is_the_one_that_retires() -> None:
    known = facts([a_model(), a_model(version="0", default=False, retires="2026-12-01")])
    was = a_deployment(version="0")
    checks = checks_of(a_deployment(version=None, policy="x"), was=(was,), known=known)
    assert said(checks) == ["warning model.retires"]


@pytest.mark.parametrize(
    ("retires", "remarks"),
    [
        ("2026-11-20", ["error model.retired"]),
        ("2026-11-21", ["warning model.retires"]),
        ("2027-03-20", ["warning model.retires"]),
        ("2027-03-21", []),
    ],
)
def test_a_retirement_is_a_warning_for_the_last_120_days(retires: str, remarks: list[str]) -> None:
    assert said(checks_of(a_deployment(), known=facts([a_model(retires=retires)]))) == remarks


def test_the_earlier_date_of_model_and_sku_counts() -> None:
    sku = a_sku("GlobalStandard", "OpenAI.GlobalStandard.gpt-4.1", retires="2027-01-31")
    target = {"targetModelName": "gpt-5", "targetModelVersion": "2"}
    item = a_model(skus=[sku], retires="2028-01-01", replacementConfig=target)
    assert message(checks_of(a_deployment(), known=facts([item])), "model.retires") == (
        "gpt-4.1 (2025-04-14) retires in East US 2 on 2027-01-31. Its replacement is gpt-5 2"
    )


def test_a_retired_version_names_the_one_that_is_current() -> None:
    checks = checks_of(
        a_deployment(version="0"),
        known=facts([a_model(), a_model(version="0", default=False, status="Deprecated")]),
    )
    assert "another version (2025-04-14 is the default)" in message(checks, "model.retired")


def test_what_is_on_its_way_out_is_open_to_earlier_customers_only() -> None:
    known = facts([a_model(status="Deprecating")])
    assert said(checks_of(a_deployment(), known=known)) == ["warning model.retires"]
    was = a_deployment()
    assert checks_of(a_deployment(policy="x"), was=(was,), known=known) == []


def test_a_preview_is_noted() -> None:
    known = facts([a_model(status="Preview")])
    assert said(checks_of(a_deployment(), known=known)) == ["note model.preview"]


def test_an_upgrade_option_that_is_not_written_is_noted() -> None:
    assert said(checks_of(a_deployment(option=None))) == ["note upgrade.option"]
    was = a_deployment(option=None)
    assert checks_of(a_deployment(option=None, policy="x"), was=(was,)) == []


def test_a_pinned_version_that_azure_will_move_is_noted() -> None:
    option = "OnceNewDefaultVersionAvailable"
    assert said(checks_of(a_deployment(option=option))) == ["note model.upgrades"]
    older = checks_of(a_deployment(option=option, version="2024-11-20"))
    assert message(older, "model.upgrades").endswith("(2025-04-14 is the default)")
    assert checks_of(a_deployment(option=option, version=None)) == []
    assert checks_of(a_deployment(option="OnceCurrentVersionExpired")) == []


def test_provisioned_deployments_are_never_upgraded_by_themselves() -> None:
    sku = "GlobalProvisionedManaged"
    assert checks_of(a_deployment(sku=sku, capacity=15, option=None)) == []


# -- quota -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("capacity", "words"),
    [
        (10, "starts at 15, and capacity is 10"),
        (105, "ends at 100, and capacity is 105"),
        (17, "goes in steps of 5, from 15, and capacity is 17"),
    ],
)
def test_a_size_that_is_not_sold_is_an_error(capacity: int, words: str) -> None:
    checks = checks_of(a_deployment(sku="GlobalProvisionedManaged", capacity=capacity))
    assert words in message(checks, "quota.capacity")


def test_sizes_may_be_listed() -> None:
    sku = a_sku("GlobalStandard", "OpenAI.GlobalStandard.gpt-4.1", allowedValues=[10, 20])
    known = facts([a_model(skus=[sku])])
    assert "comes in 10, 20, and capacity is 50" in message(
        checks_of(a_deployment(), known=known), "quota.capacity"
    )
    assert checks_of(a_deployment(capacity=20), known=known) == []


def test_a_size_is_checked_when_it_changes() -> None:
    was = a_deployment(capacity=2000)
    assert checks_of(a_deployment(capacity=2000, policy="x"), was=(was,)) == []
    checks = checks_of(a_deployment(capacity=1500), was=(was,))
    assert said(checks) == ["error quota.capacity"]


def test_a_deployment_without_room_is_an_error_with_the_numbers() -> None:
    checks = checks_of(a_deployment(capacity=250))
    assert said(checks) == ["error quota.tokens"]
    assert checks[0].message == (
        "GlobalStandard gpt-4.1 in East US 2 needs 250 (thousand tokens a minute), 180 are free "
        "(limit 300, in use 120). Ways out: capacity ≤ 180, another region, or ask for quota"
    )
    assert checks[0].source == "specs/ai-chat.yaml:1"


def test_the_last_unit_can_be_had() -> None:
    assert checks_of(a_deployment(capacity=180)) == []


def test_growing_needs_only_what_it_does_not_have() -> None:
    was = a_deployment(capacity=100)
    assert checks_of(a_deployment(capacity=280), was=(was,)) == []
    assert message(checks_of(a_deployment(capacity=290), was=(was,)), "quota.tokens") == (
        "GlobalStandard gpt-4.1 in East US 2 needs 190 more (thousand tokens a minute), 180 are "
        "free (limit 300, in use 120). Ways out: capacity ≤ 280, another region, or ask for quota"
    )


def test_what_the_plan_takes_first_is_missing_later() -> None:
    checks = checks_of(a_deployment("a", capacity=100), a_deployment("b", capacity=100))
    assert "80 are free (limit 300, in use 120, 100 taken by this plan)" in message(
        checks, "quota.tokens"
    )


def test_what_the_plan_frees_can_be_taken() -> None:
    goes = a_deployment("goes", capacity=100)
    assert checks_of(a_deployment(capacity=280), was=(goes,)) == []
    shrinks = a_deployment("shrinks", capacity=90)
    now = (a_deployment("shrinks", capacity=10), a_deployment(capacity=260))
    assert checks_of(*now, was=(shrinks,)) == []


def test_another_sku_draws_on_another_pool() -> None:
    was = a_deployment(capacity=100)
    assert checks_of(a_deployment(sku="Standard", capacity=100), was=(was,)) == []
    assert said(checks_of(a_deployment(sku="Standard", capacity=101), was=(was,))) == [
        "error quota.tokens"
    ]


def test_provisioned_units_are_one_pool_for_all_models() -> None:
    sku = "GlobalProvisionedManaged"
    now = (
        a_deployment("a", sku=sku, capacity=15),
        a_deployment("b", sku=sku, capacity=20, model="gpt-5"),
    )
    assert message(checks_of(*now), "quota.ptu") == (
        "GlobalProvisionedManaged gpt-5 in East US 2 needs 20 provisioned throughput units, 15 are "
        "free (limit 50, in use 20, 15 taken by this plan). Ways out: capacity ≤ 15, another "
        "region, or ask for quota"
    )


def test_where_nothing_is_free_a_smaller_size_is_no_way_out() -> None:
    assert message(checks_of(a_deployment(model="gpt-5")), "quota.tokens").endswith(
        "0 are free (limit 0, in use 0). Ways out: another region, or ask for quota"
    )


def test_a_quota_that_azure_does_not_list_is_said() -> None:
    checks = checks_of(a_deployment(), known=facts(usages=[a_usage("OpenAI.Standard.x", 1)]))
    assert message(checks, "quota.unchecked") == (
        "Azure lists no quota OpenAI.GlobalStandard.gpt-4.1 in East US 2: not checked"
    )


def test_a_capacity_left_to_others_takes_nothing() -> None:
    was = a_deployment(capacity=100)
    now = a_deployment(capacity=900, policy="x", ignore=(("sku", "capacity"),))
    assert checks_of(now, was=(was,)) == []
    assert said(checks_of(now)) == ["error quota.tokens"]


def test_quota_of_a_region_is_shared_by_its_accounts() -> None:
    other = an_account("other", location="eastus2")
    now = [an_account(), other, a_deployment(capacity=100), a_deployment("b", "other", capacity=90)]
    live = live_of(an_account(), other)
    checks = check_plan(plan_of(now, live), live, facts(), TODAY)
    assert "error quota.tokens" in said(checks)


# -- keys ------------------------------------------------------------------------------------


def test_what_can_be_used_with_keys_is_noted() -> None:
    properties = {**an_account().properties, "disableLocalAuth": False}
    account = a_resource("Account", ("ai",), f"{ACCOUNTS}/ai", properties)
    checks = check_plan(plan_of([account, an_endpoint()]), Live(), {}, TODAY)
    assert said(checks) == ["note auth.keys"]
    assert checks[0].message.endswith("disableLocalAuth: true leaves Entra ID only")


def test_what_goes_or_stays_is_not_linted() -> None:
    properties = {**an_account().properties, "disableLocalAuth": False}
    account = a_resource("Account", ("ai",), f"{ACCOUNTS}/ai", properties)
    plan = plan_of([account], live_of(as_azure(account)))
    assert check_plan(plan, live_of(account), {}, TODAY) == []
