"""Settings: much of them told by the repository's address."""

import pytest

from reconciler.core.errors import Permanent
from reconciler.forge.azure_devops import AzureDevOpsSettings
from reconciler.forge.azure_devops.place import Place, place

CLOUD = "https://dev.azure.com/contoso"


HERE = Place(CLOUD, "platform", "estate")
SAME_NAME = Place(CLOUD, "estate", "estate")
OWN = "https://tfs.example.com/tfs/Main"
LOCAL = "http://127.0.0.1:5000/contoso"
NOWHERE = Place()


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        (f"{CLOUD}/platform/_git/estate", HERE),
        ("https://contoso@dev.azure.com/contoso/platform/_git/estate/", HERE),
        (f"{CLOUD}/My%20Project/_git/My%20Repo", Place(CLOUD, "My Project", "My Repo")),
        (f"{CLOUD}/_git/estate", SAME_NAME),
        ("https://contoso.visualstudio.com/platform/_git/estate", HERE),
        ("https://contoso.visualstudio.com/DefaultCollection/platform/_git/estate", HERE),
        ("https://contoso.visualstudio.com/_git/estate", SAME_NAME),
        ("git@ssh.dev.azure.com:v3/contoso/platform/estate", HERE),
        ("ssh://git@ssh.dev.azure.com/v3/contoso/platform/estate", HERE),
        ("contoso@vs-ssh.visualstudio.com:v3/contoso/platform/estate", HERE),
        (f"{OWN}/platform/_git/estate", Place(OWN, "platform", "estate")),
        (f"{LOCAL}/platform/_git/estate", Place(LOCAL, "platform", "estate")),
        ("https://github.com/contoso/estate.git", NOWHERE),
        ("git@github.com:contoso/estate.git", NOWHERE),
        ("/srv/git/estate", NOWHERE),
        ("", NOWHERE),
    ],
)
def test_an_address_tells_organization_project_and_repository(url: str, expected: Place) -> None:
    assert place(url) == expected


def test_what_is_set_goes_before_what_the_address_tells() -> None:
    found = AzureDevOpsSettings.from_env(
        {
            "RECONCILER_REPO_URL": "https://dev.azure.com/contoso/platform/_git/estate",
            "RECONCILER_BRANCH": "trunk",
            "AZURE_DEVOPS_ORG_URL": "https://dev.azure.com/fabrikam/",
            "AZURE_DEVOPS_REPOSITORY": "other",
        }
    )
    assert (found.organization_url, found.project, found.repository, found.ref) == (
        "https://dev.azure.com/fabrikam",
        "platform",
        "other",
        "refs/heads/trunk",
    )
    assert found.identities_url == "https://vssps.dev.azure.com/fabrikam"
    assert (found.issue_type, found.comment_status) == ("Issue", "closed")


def test_identities_are_asked_for_where_the_organization_is_outside_of_the_cloud() -> None:
    url = "http://127.0.0.1:5000/contoso/platform/_git/estate"
    found = AzureDevOpsSettings.from_env({"RECONCILER_REPO_URL": url})
    assert found.identities_url == found.organization_url == "http://127.0.0.1:5000/contoso"


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("AZURE_DEVOPS_ORG_URL", "http://dev.azure.com/contoso"),
        ("AZURE_DEVOPS_ORG_URL", "https://user:canary@dev.azure.com/contoso"),
        ("AZURE_DEVOPS_ORG_URL", "https://dev.azure.com"),
        ("AZURE_DEVOPS_ORG_URL", "https://dev.azure.com/contoso?x=canary"),
        ("AZURE_DEVOPS_ORG_URL", "https://[canary/contoso"),
        ("AZURE_DEVOPS_ORG_URL", "file:///canary"),
        ("AZURE_DEVOPS_PROJECT", "a/b"),
        ("AZURE_DEVOPS_PROJECT", ".."),
        ("AZURE_DEVOPS_REPOSITORY", "a?canary"),
        ("AZURE_DEVOPS_TOKEN", "canary and more"),
        ("AZURE_DEVOPS_TOKEN", "canary\u00e9"),
        ("AZURE_DEVOPS_WEBHOOK_HEADER", "X Canary: y"),
        ("AZURE_DEVOPS_COMMENT_STATUS", "canary"),
        ("AZURE_DEVOPS_ISSUE_TYPE", "Bug'; canary"),
        ("AZURE_DEVOPS_ISSUE_CLOSED_STATE", "Done]"),
    ],
)
def test_a_value_that_cannot_be_meant_is_refused_without_being_repeated(
    name: str, value: str
) -> None:
    good = {"RECONCILER_REPO_URL": "https://dev.azure.com/contoso/platform/_git/estate"}
    with pytest.raises(Permanent, match="AZURE_DEVOPS_") as caught:
        AzureDevOpsSettings.from_env(good | {name: value})
    assert "canary" not in str(caught.value)


def test_an_address_that_tells_nothing_asks_for_the_settings() -> None:
    with pytest.raises(Permanent, match="AZURE_DEVOPS_ORG_URL"):
        AzureDevOpsSettings.from_env({"RECONCILER_REPO_URL": "https://github.com/contoso/estate"})
    with pytest.raises(Permanent, match="AZURE_DEVOPS_PROJECT"):
        AzureDevOpsSettings.from_env({"AZURE_DEVOPS_ORG_URL": "https://dev.azure.com/contoso"})
