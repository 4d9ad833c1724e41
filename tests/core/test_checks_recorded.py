"""The checks read what Azure really answered: East US 2 in 2026, recorded by Azure/azure-dev
(Test_CLI_ProvisionValidationQuota), found through RECONCILER_CONTRACTS."""

import json
import os
from collections.abc import Mapping
from datetime import date
from functools import cache
from pathlib import Path
from typing import Any

from reconciler.core.checks import check_plan
from reconciler.core.checks.catalogue import Catalogue
from reconciler.core.checks.quota import Usages
from reconciler.core.model import Check, Resource
from tests.contracts import needs_contracts
from tests.core.builders import SUBSCRIPTION, a_deployment, an_account, live_of, plan_of

pytestmark = needs_contracts
TODAY = date(2026, 5, 1)
BASE = f"{SUBSCRIPTION}/providers/Microsoft.CognitiveServices/locations/eastus2"


@cache
def recorded() -> Mapping[str, list[dict[str, Any]]]:
    """The two listings, by the last word of their URL."""
    folder = Path(os.environ["RECONCILER_CONTRACTS"]) / "recordings"
    text = (folder / "azd-models-and-usages-eastus2-2026.jsonl").read_text("utf-8")
    exchanges = [json.loads(line) for line in text.splitlines()]
    return {one["path"].rpartition("/")[2]: one["response"]["value"] for one in exchanges}


def checks_of(*deployments: Resource) -> list[Check]:
    account = an_account(kind="AIServices")
    live = live_of(account)
    facts = {f"{BASE}/{name}": items for name, items in recorded().items()}
    return check_plan(plan_of([account, *deployments], live), live, facts, TODAY)


def said(*deployments: Resource) -> list[str]:
    return [f"{check.level} {check.rule}" for check in checks_of(*deployments)]


def test_every_item_is_understood() -> None:
    models, usages = recorded()["models"], recorded()["usages"]
    catalogue, quota = Catalogue.read(models), Usages.read(usages)
    assert len(catalogue.offers) == len(models)
    assert len(quota.pools) == len(usages)
    names = {sku.usage_name.lower() for offer in catalogue.offers for sku in offer.skus.values()}
    assert names <= quota.pools.keys()
    assert all(offer.retires for offer in catalogue.offers)


def test_a_deployment_that_fits_is_no_remark() -> None:
    assert said(a_deployment(capacity=850)) == []


def test_one_unit_more_than_there_is_is_an_error() -> None:
    (check,) = checks_of(a_deployment(capacity=851))
    assert check.message == (
        "GlobalStandard gpt-4.1 in East US 2 needs 851 (thousand tokens a minute), 850 are free "
        "(limit 1000, in use 150). Ways out: capacity ≤ 850, another region, or ask for quota"
    )


def test_provisioned_units_have_sizes_and_a_quota_of_their_own() -> None:
    assert said(a_deployment(sku="ProvisionedManaged", capacity=30)) == [
        "error quota.capacity",
        "error quota.ptu",
    ]


def test_what_was_retired_is_found_out() -> None:
    offers = Catalogue.read(recorded()["models"]).offers
    (offer,) = [one for one in offers if one.status == "Deprecated"]
    sku = next(iter(offer.skus.values())).name
    made = a_deployment(
        model=offer.name, version=offer.version, format=offer.format, sku=sku, capacity=1
    )
    assert "error model.retired" in said(made)


def test_a_version_that_never_was_is_found_out() -> None:
    (check,) = checks_of(a_deployment(version="2025-04-15"))
    assert check.rule == "model.unknown"
    assert "2025-04-14 (default)" in check.message
