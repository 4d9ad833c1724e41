"""The files of `infra/` and `azure.yaml`, as far as they can be read without Terraform."""

from __future__ import annotations

import json
import re
from functools import cache
from pathlib import Path
from typing import Any

import hcl2
import pytest
import yaml

from reconciler.doctor.settings import KNOWN
from tests.infra.terraform import INFRA, ROOT, needs_terraform, run

FILES = sorted(INFRA.glob("*.tf"))


@cache
def parsed(path: Path) -> dict[str, Any]:
    return hcl2.loads(path.read_text())


def blocks(kind: str) -> dict[str, dict[str, Any]]:
    """Every block of a kind, by its last label."""
    return {
        label.strip('"'): body
        for path in FILES
        for block in parsed(path).get(kind, [])
        for label, body in _innermost(block)
    }


def _innermost(block: dict[str, Any]) -> list[tuple[str, dict[str, Any]]]:
    (label, body), *_ = block.items()
    (inner, *_) = body.items()
    return _innermost(body) if inner[0].startswith('"') else [(label, body)]


@pytest.mark.parametrize("path", [*FILES, INFRA / "example.tfvars"], ids=lambda path: path.name)
def test_it_parses(path: Path) -> None:
    assert parsed(path)


@needs_terraform
def test_every_file_is_in_the_format_of_terraform_fmt() -> None:
    run(ROOT, "fmt", "-check", "-recursive", "infra", "tests/infra")


def test_azapi_is_the_only_provider() -> None:
    labels = [label for path in FILES for one in parsed(path).get("resource", []) for label in one]
    assert set(labels) == {'"azapi_resource"'}
    assert set(parsed(INFRA / "provider.tf")["terraform"][0]["required_providers"][0]) == {
        "azapi",
        "__is_block__",
    }


def test_every_resource_names_its_type_and_version_and_has_a_plain_body() -> None:
    for name, body in blocks("resource").items():
        assert re.fullmatch(r'"Microsoft\.[A-Za-z/]+@\d{4}-\d\d-\d\d(-preview)?"', body["type"])
        assert isinstance(body["body"], dict), f"{name}: a body is an object, not an expression"


def test_every_variable_is_described_and_typed() -> None:
    for name, body in blocks("variable").items():
        assert body.get("description"), name
        assert body.get("type"), name


def test_the_example_and_what_azd_fills_in_set_variables_that_exist() -> None:
    example = set(parsed(INFRA / "example.tfvars")) - {"__comments__"}
    filled = json.loads((INFRA / "main.tfvars.json").read_text())
    assert example | set(filled) <= set(blocks("variable"))


def test_the_secrets_of_the_example_are_ones_that_the_app_reads() -> None:
    named = {name.strip('"') for name in parsed(INFRA / "example.tfvars")["forge_secrets"]}
    assert named - {"__comments__", "__is_block__"} <= set(KNOWN)
    told = set(re.findall(r"\b(?:GITHUB|AZURE_DEVOPS)_\w+", (INFRA / "example.tfvars").read_text()))
    assert told <= set(KNOWN)


def test_between_them_they_set_every_variable_without_a_default() -> None:
    needed = {name for name, body in blocks("variable").items() if "default" not in body}
    example = set(parsed(INFRA / "example.tfvars"))
    assert needed <= example | set(json.loads((INFRA / "main.tfvars.json").read_text()))


def test_azd_uses_terraform_and_deploys_the_image_of_the_dockerfile() -> None:
    azd = yaml.safe_load((ROOT / "azure.yaml").read_text())
    assert azd["infra"] == {"provider": "terraform", "path": "infra"}
    service = azd["services"]["reconciler"]
    assert service["host"] == "containerapp"
    assert (ROOT / service["docker"]["path"]).is_file()
    assert '"azd-service-name" = "reconciler"' in (INFRA / "names.tf").read_text()
    assert "SERVICE_RECONCILER_IMAGE_NAME" in (INFRA / "main.tfvars.json").read_text()


def test_the_app_listens_to_the_queues_and_the_connection_that_are_made() -> None:
    triggers = (ROOT / "function_app.py").read_text()
    listened = set(re.findall(r'queue_name="([a-z-]+)"', triggers))
    made = set(re.findall(r'"(reconcile[a-z-]*)"', (INFRA / "storage.tf").read_text()))
    assert listened == made - {"reconciler"}
    (connection,) = set(re.findall(r'connection="(\w+)"', triggers))
    assert f"{connection}__accountName" in (INFRA / "settings.tf").read_text()


def test_the_longest_budget_leaves_room_before_the_hosts_time_out() -> None:
    limit = re.search(r"budget_s <= (\d+)", (INFRA / "variables.tf").read_text())
    host = json.loads((ROOT / "host.json").read_text())
    hours, minutes, seconds = map(int, host["functionTimeout"].split(":"))
    assert limit
    assert int(limit[1]) + 30 <= hours * 3600 + minutes * 60 + seconds


def test_no_secret_and_no_subscription_of_anyone_is_written_down() -> None:
    for path in [*FILES, *INFRA.glob("*.tfvars*"), ROOT / "azure.yaml", ROOT / "Dockerfile"]:
        text = path.read_text()
        assert not re.search(r"(?i)(accountkey|password|sharedkey)\s*=", text), path.name
        found = set(re.findall(r"/subscriptions/([0-9a-f-]{36})", text))
        assert found <= {"00000000-0000-0000-0000-000000000000"}, path.name
