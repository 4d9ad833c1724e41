"""Checking bodies against Microsoft's published resource types.

The types lie outside of the repository: the environment variable RECONCILER_CONTRACTS names the
folder that holds `contracts/` and `recordings/`. Without it, tests that need them are skipped
and say so.
"""

from __future__ import annotations

import importlib.util
import os
from functools import cache
from pathlib import Path
from typing import Any, Protocol

import pytest

MISSING = "RECONCILER_CONTRACTS is not set: bodies are NOT checked against Microsoft's types"
needs_contracts = pytest.mark.skipif("RECONCILER_CONTRACTS" not in os.environ, reason=MISSING)


# What the published types do not know and real answers have nevertheless (by type, with the
# public recording that shows it).
RECORDED_EXTRAS: dict[str, frozenset[str]] = {
    # Azure/azure-service-operator, Test_Insights_Component_v1api20200202_CRUD
    "microsoft.insights/components": frozenset({"/properties/Ver", "/properties/Retention"}),
    # Azure/azure-service-operator, Test_Storage_StorageAccount_v20250601_CRUD
    "microsoft.storage/storageaccounts": frozenset({"/properties/allowCrossTenantDelegationSas"}),
    # Azure/azure-service-operator (2024-04-01) and Azure/azure-sdk-for-python (2024-10-01-preview)
    "microsoft.machinelearningservices/workspaces": frozenset(
        {"/etag", "/properties/networkAcls", "/properties/notebookInfo/isPrivateLinkEnabled"}
        | {
            f"/properties/{name}"
            for name in (
                "EnableSoftwareBillOfMaterials",
                "allowRoleAssignmentOnRG",
                "creationTime",
                "ipAllowlist",
                "linkedModelInventoryArmId",
                "managedNetwork/changeableIsolationModes",
                "managedNetwork/enableFirewallLog",
                "managedNetwork/enableNetworkMonitor",
                "sasGetterUri",
                "sdkTelemetryAppInsightsKey",
                "softDeleteEnabled",
                "systemDatastoresAuthMode",
            )
        }
    ),
    "microsoft.machinelearningservices/workspaces/connections": frozenset(
        {"/tags", "/location"}
        | {
            f"/properties/{name}"
            for name in ("error", "peRequirement", "peStatus", "useWorkspaceManagedIdentity")
        }
    ),
    # Azure/azure-service-operator, Test_Cognitiveservices_v20250601
    "microsoft.cognitiveservices/accounts/projects": frozenset({"/kind", "/properties/internalId"}),
    # Azure/azure-powershell, TestRai (2024-10-01)
    "microsoft.cognitiveservices/accounts/raiblocklists": frozenset({"/properties/acsVersion"}),
    # Azure/azure-cli, test_account_connections_from_file (2026-01-15-preview)
    "microsoft.cognitiveservices/accounts/connections": frozenset(
        {"/tags", "/location", "/properties/credentials", "/properties/isDefault"}
    ),
    "microsoft.cognitiveservices/accounts/projects/connections": frozenset(
        {"/tags", "/location", "/properties/credentials", "/properties/isDefault"}
    ),
}


class Exchange(Protocol):
    """What `check_exchange` reads; the emulator's exchanges and replayed recordings have it."""

    @property
    def method(self) -> str: ...
    @property
    def path(self) -> str: ...
    @property
    def api_version(self) -> str: ...
    @property
    def request(self) -> Any: ...
    @property
    def status(self) -> int: ...
    @property
    def response(self) -> Any: ...


def contracts_dir() -> Path:
    """The folder with `contracts/` and `recordings/`; skips the test when there is none."""
    folder = os.environ.get("RECONCILER_CONTRACTS")
    if not folder:
        pytest.skip(MISSING)
    return Path(folder)


def check_exchange(exchange: Exchange) -> list[str]:
    """What is wrong with the bodies of one exchange; nothing for refusals and unknown types."""
    if exchange.status >= 300 or exchange.path.count("/") < 4:
        return []
    known, action = _type_of(exchange)
    if known is None:
        return []
    found = []
    if exchange.method == "PUT" and not action:
        found += _errors(known, exchange.request, "request")
    for body in _bodies(exchange.response):
        found += _errors(known + (f":{action}" if action else ""), body, "response")
    return [f"{exchange.method} {exchange.path}: {error}" for error in found]


def _bodies(response: Any) -> list[Any]:
    if isinstance(response, dict) and isinstance(response.get("value"), list):
        return list(response["value"])
    return [response] if isinstance(response, dict) else []


def _type_of(exchange: Exchange) -> tuple[str | None, str]:
    """`Type@version` of a path (and the POST action at its end), if there are types for it."""
    words = exchange.path.strip("/").split("/")
    lower = [word.lower() for word in words]
    if "providers" not in lower:
        in_group = len(words) == 4 and lower[2] == "resourcegroups"
        return (_known("Microsoft.Resources/resourceGroups", "") if in_group else None), ""
    at = len(lower) - 1 - lower[::-1].index("providers")
    namespace, rest = words[at + 1], words[at + 2 :]
    types, odd = rest[0::2], len(rest) % 2 == 1
    if exchange.method == "POST" and odd and len(types) > 1:
        return _known_action("/".join([namespace, *types[:-1]]), exchange.api_version, types[-1])
    if exchange.method == "POST":
        return None, ""
    return _known("/".join([namespace, *types]), exchange.api_version), ""


def _known(name: str, version: str) -> str | None:
    versions = _catalogue().resources.get(name.lower())
    if not versions:
        return None
    return f"{name}@{version if version in versions else max(versions)}"


def _known_action(name: str, version: str, action: str) -> tuple[str | None, str]:
    """Of the versions that know the action the one asked for, or the newest."""
    known = [v for (n, v, a) in _catalogue().actions if (n, a) == (name.lower(), action.lower())]
    if not known:
        return None, ""
    return f"{name}@{version if version in known else max(known)}", action


def _errors(type_name: str, body: Any, mode: str) -> list[str]:
    findings = _checker().check(_catalogue(), type_name, body, mode)
    extras = RECORDED_EXTRAS.get(type_name.partition("@")[0].lower(), frozenset())
    return [
        f"{mode} {f.path}: {f.text}"
        for f in findings
        if f.severity == "error" and not (mode == "response" and f.path in extras)
    ]


@cache
def _checker() -> Any:
    source = contracts_dir() / "contracts" / "check_body.py"
    spec = importlib.util.spec_from_file_location("check_body", source)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@cache
def _catalogue() -> Any:
    return _checker().Catalogue(str(contracts_dir() / "contracts" / "types"))
