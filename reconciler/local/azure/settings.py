"""The settings of the emulated Azure: behaviour that is configurable, mostly because unverified."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

SETTINGS: Mapping[str, str] = {
    "authorization.principal_replication_s": "how long new principals are unknown to role "
    "assignments that do not send principalType",
    "capacity": "provisioned units in stock: {region: {sku: units}}",
    "catalogue.extra": "more models: [{format, name, version, retires?, status?}]",
    "catalogue.shift": "whether retirement dates move along with the clock (default true)",
    "deployment.allow_model_change": "whether a PUT may change model and SKU (default false)",
    "deployment.default_policy": "content filter of new OpenAI deployments; empty for none",
    "deployment.warm_up_s": "how long a new deployment answers DeploymentNotFound",
    "insights.managed_workspace": "whether components get a managed workspace (default true)",
    "key_vault.registering_dns": "whether some new vaults register their DNS name first",
    "key_vault.require_access_policies": "whether vaults need accessPolicies or RBAC",
    "machine_learning.check_dependencies": "whether what a body refers to must exist",
    "machine_learning.endpoint_busy_status": "status for writes to a busy endpoint (default 400)",
    "machine_learning.soft_delete_days": "how long deleted workspaces block their name",
    "machine_learning.vcpu_limit": "cores a region has for online deployments",
    "machine_learning.vcpu_limits": "the same by family of machines",
    "quota": 'limits of usages: {region: {usage: limit}, "*": limit}',
    "unregistered": "namespaces that the subscription has not registered",
}


def checked(settings: Mapping[str, Any]) -> Mapping[str, Any]:
    """The settings as given; ValueError for names that nothing reads."""
    if unknown := settings.keys() - SETTINGS.keys():
        raise ValueError(f"unknown settings: {', '.join(sorted(unknown))}")
    return settings
