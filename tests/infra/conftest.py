"""The estates that the tests ask Terraform for, each made once."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from tests.infra.terraform import SUBSCRIPTION, TENANT, Estate, evaluate

GROUP = f"/subscriptions/{SUBSCRIPTION}/resourceGroups/rg-ai-dev"
OTHER = "/subscriptions/33333333-3333-3333-3333-333333333333"
REGISTRY = (
    f"/subscriptions/{SUBSCRIPTION}/resourceGroups/rg-shared/providers"
    "/Microsoft.ContainerRegistry/registries/shared"
)
OPENAI_USER = "5e0bd9bd-7b93-4f28-af87-19fc36ad61bd"

LEAST: dict[str, Any] = {
    "environment_name": "ai-gitops",
    "subscription_id": SUBSCRIPTION,
    "location": "swedencentral",
    "repository_url": "https://github.com/contoso/ai-estate",
}
VARIABLES: dict[str, dict[str, Any]] = {
    "the least": LEAST,
    "one group": LEAST | {"target_scopes": [GROUP]},
    "everything": LEAST
    | {
        "environment_name": "a-name-of-20-letters",
        "target_scopes": [GROUP, OTHER],
        "apply_access": "ai",
        "assignable_roles": [OPENAI_USER],
        "allow_purge": True,
        "operator_principal_id": TENANT,
        "image": "craigitops.azurecr.io/reconciler:1",
        "replicas": {"min": 1, "max": 3},
        "forge_secrets": {"GITHUB_WEBHOOK_SECRET": "github-webhook-secret"},
        "tags": {"costCenter": "42"},
        "extra_settings": {"RECONCILER_BRANCH": "release"},
    },
    "elastic premium": LEAST
    | {
        "hosting": "elastic-premium",
        "registry_id": REGISTRY,
        "target_scopes": [GROUP],
        "forge_secrets": {"GITHUB_WEBHOOK_SECRET": "github-webhook-secret"},
        "names": {"group": "rg-given"},
    },
}


@pytest.fixture(scope="session")
def estate(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Estate]:
    """What Terraform makes of the named set of variables."""
    made: dict[str, Estate] = {}

    def of(name: str) -> Estate:
        if name not in made:
            made[name] = evaluate(tmp_path_factory.mktemp("infra"), VARIABLES[name])
        return made[name]

    return of
