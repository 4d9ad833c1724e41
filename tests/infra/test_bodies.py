"""Every body under `infra/`, against Microsoft's published types."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tests.contracts import MISSING, _catalogue, _checker, needs_contracts
from tests.infra.conftest import VARIABLES
from tests.infra.terraform import ROOT, Estate, needs_terraform

pytestmark = needs_terraform

# The contracts do not carry these namespaces or versions; docs/deploy.md says so too.
NOT_CHECKABLE = frozenset(
    {
        "Microsoft.App/containerApps@2025-07-01",
        "Microsoft.App/managedEnvironments@2025-07-01",
        "Microsoft.Insights/diagnosticSettings@2021-05-01-preview",
        "Microsoft.Web/serverfarms@2024-04-01",
        "Microsoft.Web/sites@2024-04-01",
    }
)


def has_type(type_name: str) -> bool:
    name, _, version = type_name.partition("@")
    return version in (_catalogue().resources.get(name.lower()) or ())


@needs_contracts
@pytest.mark.parametrize("name", VARIABLES)
def test_every_body_passes_the_published_type(name: str, estate: Callable[[str], Estate]) -> None:
    checked = [resource for resource in estate(name).resources if has_type(resource.type)]
    findings = [
        f"{resource.label}: {finding.severity} {finding.path} {finding.text}"
        for resource in checked
        for finding in _checker().check(
            _catalogue(), resource.type, dict(resource.request), "request"
        )
    ]
    assert findings == []
    assert len(checked) > 15


@needs_contracts
def test_these_types_and_no_others_are_not_checkable_here(estate: Callable[[str], Estate]) -> None:
    used = {resource.type for name in VARIABLES for resource in estate(name).resources}
    assert {one for one in used if not has_type(one)} == NOT_CHECKABLE, MISSING


def test_the_documentation_names_every_type_that_is_not_checkable() -> None:
    text = (ROOT / "docs" / "deploy.md").read_text()
    assert [one for one in sorted(NOT_CHECKABLE) if f"`{one}`" not in text] == []
