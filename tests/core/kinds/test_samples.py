"""The samples under specs/: what a newcomer reads first, and what the demo applies."""

import re
from pathlib import Path

import pytest
import yaml

from reconciler.core.desired.parse import parse
from reconciler.core.kinds import KINDS

ROOT = Path(__file__).parents[3]
FILES = {
    str(file.relative_to(ROOT)): file.read_text()
    for file in sorted((ROOT / "specs").rglob("*.yaml"))
}
WRITTEN_INSIDE = {
    "Autoscale": "autoscale: of an online deployment",
    "BlocklistItem": "items: of a blocklist",
}
"""Kinds that the samples show as a part of another document."""


def documents():
    return [one for text in FILES.values() for one in yaml.safe_load_all(text)]


@pytest.mark.parametrize("environment", ["dev", "prod"])
def test_the_samples_are_valid_in_every_environment(environment):
    desired = parse(FILES, environment)
    assert len(desired.resources) > 40


def test_every_kind_has_a_sample():
    shown = {one["kind"] for one in documents()} | WRITTEN_INSIDE.keys()
    assert set(KINDS) <= shown


def test_parts_of_the_samples_become_resources():
    kinds = {one.key.kind for one in parse(FILES, "prod").resources}
    assert set(WRITTEN_INSIDE) | {"Secret", "MarketplaceSubscription"} <= kinds


def test_a_flag_leaves_a_model_out():
    names = {
        environment: {one.key.name for one in parse(FILES, environment).resources}
        for environment in ("dev", "prod")
    }
    assert "foundry-contoso-dev/llama" not in names["dev"]
    assert "foundry-contoso-prod/llama" in names["prod"]


def test_environments_differ_in_size_and_tags():
    dev, prod = (parse(FILES, name) for name in ("dev", "prod"))
    chat = {
        one.key.name.rpartition("/")[2]: one.properties["sku"]["capacity"]
        for desired in (dev, prod)
        for one in desired.resources
        if one.key.kind == "ModelDeployment" and one.key.path[-1] == "chat"
    }
    assert chat == {"chat": 250}
    assert dev.environment.tags["environment"] == "dev"
    assert prod.environment.tags["cost-center"] == "4711"


def test_no_sample_holds_a_secret():
    assert not re.findall(r"(?i)(password|api[_-]?key|token)\s*:\s*[A-Za-z0-9+/]{20,}", str(FILES))


def test_the_page_about_kinds_names_every_one_as_it_is():
    page = (ROOT / "docs" / "kinds.md").read_text()
    for kind in KINDS.values():
        assert f"| {kind.name} | {kind.title} |" in page
        assert kind.doc in page
        assert all(f"{p.arm_type} @ {p.api_version}" in page for p in kind.places if p.arm_type)
