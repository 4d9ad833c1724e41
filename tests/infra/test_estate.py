"""What `infra/` makes: names, access, settings and what a person is told next."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from reconciler.app import SystemClock
from reconciler.connect import forge_of
from reconciler.doctor.settings import look_at_settings
from reconciler.settings import Settings
from tests.infra.conftest import GROUP, LEAST, OPENAI_USER, OTHER, REGISTRY, VARIABLES
from tests.infra.terraform import SUBSCRIPTION, Estate, Resource, evaluate, needs_terraform

pytestmark = needs_terraform

type Make = Callable[[str], Estate]

READER = "acdd72a7-3385-48ef-bd42-f606fba81ae7"
CONTRIBUTOR = "b24988ac-6180-42a0-ab88-20f7382dd24c"
RBAC_ADMINISTRATOR = "f58310d9-a9f6-439a-9e8d-f62e7b41a168"


def grants(estate: Estate, who: str) -> set[tuple[str, str]]:
    """(scope, role) of one identity."""
    return {
        (one.parent_id, one.request["properties"]["roleDefinitionId"].rpartition("/")[2])
        for one in estate.of("Microsoft.Authorization/roleAssignments")
        if re.match(rf'role\["{who}\b', one.label)
    }


def container(estate: Estate) -> dict[str, Any]:
    app = estate.one("Microsoft.App/containerApps").request
    (only,) = app["properties"]["template"]["containers"]
    return dict(only)


def settings(estate: Estate) -> dict[str, str]:
    return {one["name"]: one["value"] for one in container(estate)["env"] if "value" in one}


@pytest.mark.parametrize("name", VARIABLES)
def test_storage_and_telemetry_accept_identities_only(name: str, estate: Make) -> None:
    storage = estate(name).one("Microsoft.Storage/storageAccounts").request["properties"]
    assert storage["allowSharedKeyAccess"] is False
    assert storage["allowBlobPublicAccess"] is False
    insights = estate(name).one("Microsoft.Insights/components").request["properties"]
    assert insights["DisableLocalAuth"] is True


def test_the_queue_its_poison_queue_and_the_container_have_the_names_of_the_contract(
    estate: Make,
) -> None:
    least = estate("the least")
    queues = least.of("Microsoft.Storage/storageAccounts/queueServices/queues")
    assert {one.name for one in queues} == {"reconcile", "reconcile-poison"}
    blobs = "Microsoft.Storage/storageAccounts/blobServices/containers"
    assert least.one(blobs).name == "reconciler"


def test_the_vault_cannot_be_purged_and_answers_roles_not_policies(estate: Make) -> None:
    vault = estate("the least").one("Microsoft.KeyVault/vaults").request["properties"]
    assert vault["enablePurgeProtection"] is True
    assert vault["enableRbacAuthorization"] is True


def test_without_target_scopes_nobody_may_see_the_estate(estate: Make) -> None:
    assert grants(estate("the least"), "plan") == set()
    assert grants(estate("the least"), "apply") == set()


def test_plan_only_reads_and_apply_contributes_to_the_groups_that_are_named(estate: Make) -> None:
    one = estate("one group")
    reads = one.one("Microsoft.Authorization/roleDefinitions")
    actions = reads.request["properties"]["permissions"][0]["actions"]
    assert [action for action in actions if not action.endswith("/read")] == []
    subscription = f"/subscriptions/{SUBSCRIPTION}"
    assert grants(one, "plan") == {(GROUP, READER), (subscription, reads.name)}
    assert grants(one, "apply") == {
        (GROUP, CONTRIBUTOR),
        (GROUP, OPENAI_USER),
        (subscription, reads.name),
    }


@pytest.mark.parametrize("name", VARIABLES)
def test_the_host_may_only_use_what_is_made_here_or_pull_from_the_registry(
    name: str, estate: Make
) -> None:
    group = estate(name).one("Microsoft.Resources/resourceGroups").id
    scopes = {scope for scope, _ in grants(estate(name), "host")}
    assert {scope for scope in scopes if not scope.startswith(f"{group}/")} <= {REGISTRY}


def test_apply_with_access_to_ai_only_is_no_contributor(estate: Make) -> None:
    roles = {role for _, role in grants(estate("everything"), "apply")}
    assert CONTRIBUTOR not in roles
    assert READER in roles


def test_roles_are_assigned_only_with_a_condition_that_lists_them(estate: Make) -> None:
    assigning = [
        one.request["properties"]
        for one in estate("everything").of("Microsoft.Authorization/roleAssignments")
        if one.request["properties"]["roleDefinitionId"].endswith(RBAC_ADMINISTRATOR)
    ]
    assert len(assigning) == 2
    for one in assigning:
        assert one["conditionVersion"] == "2.0"
        assert one["condition"].count(f"GuidEquals {{{OPENAI_USER}}}") == 2
        assert one["condition"].count("(") == one["condition"].count(")")


def test_a_custom_role_can_be_assigned_in_every_target_subscription(estate: Make) -> None:
    roles = estate("everything").of("Microsoft.Authorization/roleDefinitions")
    assert len(roles) == 3
    for role in roles:
        scopes = role.request["properties"]["assignableScopes"]
        assert scopes == [f"/subscriptions/{SUBSCRIPTION}", OTHER]


@pytest.mark.parametrize("name", VARIABLES)
def test_no_two_resources_have_one_id(name: str, estate: Make) -> None:
    ids = [one.id.lower() for one in estate(name).resources]
    assert len(ids) == len(set(ids))


@pytest.mark.parametrize("name", VARIABLES)
def test_everything_that_can_carry_tags_says_whose_it_is(name: str, estate: Make) -> None:
    located = [one for one in estate(name).resources if "location" in one.request]
    wanted = VARIABLES[name]["environment_name"]
    assert {one.request["tags"]["azd-env-name"] for one in located} == {wanted}


LIMITS = {
    "Microsoft.Storage/storageAccounts": r"[a-z0-9]{3,24}",
    "Microsoft.KeyVault/vaults": r"[a-zA-Z](?!.*--)[a-zA-Z0-9-]{1,22}[a-zA-Z0-9]",
    "Microsoft.ContainerRegistry/registries": r"[a-zA-Z0-9]{5,50}",
    "Microsoft.App/containerApps": r"[a-z](?!.*--)[a-z0-9-]{0,30}[a-z0-9]",
    "Microsoft.OperationalInsights/workspaces": r"[A-Za-z0-9][A-Za-z0-9-]{2,61}[A-Za-z0-9]",
}
"""https://learn.microsoft.com/azure/azure-resource-manager/management/resource-name-rules"""


@pytest.mark.parametrize("type_", LIMITS)
def test_generated_names_keep_to_the_rules_even_for_the_longest_environment(
    type_: str, estate: Make
) -> None:
    for name in ("the least", "everything"):
        assert re.fullmatch(LIMITS[type_], estate(name).one(type_).name)


def test_names_that_are_given_are_used(estate: Make) -> None:
    assert estate("elastic premium").outputs["AZURE_RESOURCE_GROUP"] == "rg-given"


def test_the_app_scales_to_zero_and_azd_finds_it(estate: Make) -> None:
    app = estate("the least").one("Microsoft.App/containerApps").request
    assert app["kind"] == "functionapp"
    assert app["properties"]["template"]["scale"] == {"minReplicas": 0, "maxReplicas": 5}
    assert app["tags"]["azd-service-name"] == "reconciler"


def test_health_is_asked_of_the_real_image_and_not_of_the_sample(estate: Make) -> None:
    assert container(estate("the least"))["probes"] == []
    probes = container(estate("everything"))["probes"]
    assert {one["httpGet"]["path"] for one in probes} == {"/api/health"}


def test_settings_carry_the_variables(estate: Make) -> None:
    least = settings(estate("the least"))
    assert least["RECONCILER_REPO_URL"] == LEAST["repository_url"]
    assert least["RECONCILER_SCHEDULE"] == "0 */5 * * * *"
    assert re.fullmatch(
        r"blob:https://[a-z0-9]+\.blob\.core\.windows\.net/reconciler", least["RECONCILER_STATE"]
    )
    assert settings(estate("everything"))["RECONCILER_BRANCH"] == "release"


@pytest.mark.parametrize("name", ["the least", "one group", "everything"])
def test_the_app_reads_every_setting_that_it_is_given(name: str, estate: Make) -> None:
    given = settings(estate(name)) | dict.fromkeys(VARIABLES[name].get("forge_secrets", {}), "x")
    found = look_at_settings(given)
    assert found.state == "ok", found.todo
    forge = forge_of(given, Settings.from_env(given), SystemClock())
    assert forge is not None
    assert forge.name == given["RECONCILER_FORGE"] == "github"


def test_plan_apply_and_host_are_three_identities(estate: Make) -> None:
    least = settings(estate("the least"))
    names = ("RECONCILER_PLAN_CLIENT_ID", "RECONCILER_APPLY_CLIENT_ID", "AZURE_CLIENT_ID")
    assert len({least[name] for name in names}) == 3


def test_a_secret_is_a_reference_to_the_vault_without_a_version(estate: Make) -> None:
    app = estate("everything").one("Microsoft.App/containerApps").request
    (secret,) = app["properties"]["configuration"]["secrets"]
    assert secret["name"] == "github-webhook-secret"
    assert re.fullmatch(r"https://[^/]+/secrets/github-webhook-secret", secret["keyVaultUrl"])
    env = {one["name"]: one for one in container(estate("everything"))["env"]}
    assert env["GITHUB_WEBHOOK_SECRET"] == {
        "name": "GITHUB_WEBHOOK_SECRET",
        "secretRef": "github-webhook-secret",
    }


def test_elastic_premium_runs_the_same_settings_on_a_site(estate: Make) -> None:
    elastic = estate("elastic premium")
    assert elastic.of("Microsoft.App/containerApps") == []
    site = elastic.one("Microsoft.Web/sites").request["properties"]["siteConfig"]
    found = {one["name"]: one["value"] for one in site["appSettings"]}
    assert set(settings(estate("the least"))) <= set(found)
    assert found["GITHUB_WEBHOOK_SECRET"].startswith("@Microsoft.KeyVault(SecretUri=https://")
    assert site["minimumElasticInstanceCount"] == 1


def test_an_existing_registry_is_used_and_none_is_made(estate: Make) -> None:
    elastic = estate("elastic premium")
    assert elastic.of("Microsoft.ContainerRegistry/registries") == []
    assert elastic.outputs["AZURE_CONTAINER_REGISTRY_ENDPOINT"] == "shared.azurecr.io"


def test_changes_of_state_secrets_and_images_are_logged(estate: Make) -> None:
    def watched(one: Resource) -> str:
        return one.label.split('"')[1]

    kinds = "Microsoft.Insights/diagnosticSettings"
    assert {watched(one) for one in estate("the least").of(kinds)} == {
        "vault",
        "blobs",
        "queues",
        "registry",
        "environment",
    }


def test_outputs_say_where_the_app_is_and_what_is_still_to_be_done(estate: Make) -> None:
    said = estate("the least").outputs
    assert said["RECONCILER_URL"].startswith("https://")
    assert said["RECONCILER_WEBHOOK_URL"] == f"{said['RECONCILER_URL']}/api/webhooks/github"
    assert "target_scopes" in said["RECONCILER_NEXT"]
    assert "target_scopes" not in estate("everything").outputs["RECONCILER_NEXT"]


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"repository_url": "https://x:token@github.com/a/b"}, "password or token"),
        ({"schedule": "*/5 * * * *"}, "six fields"),
        ({"target_scopes": ["rg-ai-dev"]}, "/subscriptions/GUID"),
        ({"forge_secrets": {"lower": "x"}}, "upper case"),
        ({"forge": "gitlab"}, "One of github, azuredevops, none"),
        (
            {"repository_url": "https://dev.azure.com/contoso/platform/_git/estate"},
            "set forge to azuredevops",
        ),
        ({"replicas": {"min": 3, "max": 1}}, "not below min"),
        ({"budget_s": 3600}, "Between 10 and 540"),
        ({"environment_name": "Production"}, "lower-case"),
        ({"hosting": "kubernetes"}, "container-apps, elastic-premium"),
    ],
)
def test_a_value_that_cannot_be_meant_is_refused_with_the_way_out(
    wrong: dict[str, Any], said: str, tmp_path: Path
) -> None:
    with pytest.raises(AssertionError, match=re.escape(said)):
        evaluate(tmp_path, LEAST | wrong)
