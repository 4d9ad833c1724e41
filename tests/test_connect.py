"""Which forge and which identity the settings choose, and to whom a token is given."""

import base64
import subprocess
import sys
from collections.abc import Mapping
from contextlib import AsyncExitStack
from pathlib import Path

import pytest

from reconciler.app import SystemClock, build_service
from reconciler.connect import forge_of, specs_of
from reconciler.core.errors import Permanent
from reconciler.forge import GitHub
from reconciler.forge.azure_devops import AzureDevOps
from reconciler.local.azure import EmulatedAzure
from reconciler.local.github import EmulatedGitHub
from reconciler.settings import Settings

APP = {"GITHUB_APP_ID": "7", "GITHUB_PRIVATE_KEY": "-----BEGIN RSA PRIVATE KEY-----\nx"}
HOOK = {"AZURE_DEVOPS_WEBHOOK_SECRET": "s"}
ON_GITHUB = {"RECONCILER_REPO_URL": "https://github.com/contoso/specs"}
ON_AZURE = {"RECONCILER_REPO_URL": "https://dev.azure.com/contoso/platform/_git/specs"}
TOKEN = {"GITHUB_TOKEN": "ghp_canary", "AZURE_DEVOPS_TOKEN": "azp-canary"}


@pytest.mark.parametrize(
    ("given", "forge"),
    [
        ({}, "none"),
        ({"GITHUB_TOKEN": "x"}, "none"),
        ({"GITHUB_WEBHOOK_SECRET": "s"}, "github"),
        ({"GITHUB_APP_ID": "7"}, "github"),
        ({"GITHUB_APP_ID": " "}, "none"),
        (HOOK, "azuredevops"),
        ({"AZURE_DEVOPS_WEBHOOK_USER": "u"}, "azuredevops"),
        ({**HOOK, "GITHUB_APP_ID": "7"}, "github"),
        ({**HOOK, "RECONCILER_FORGE": "none"}, "none"),
        ({"RECONCILER_FORGE": "GitHub "}, "github"),
        ({"GITHUB_APP_ID": "7", "RECONCILER_FORGE": "azuredevops"}, "azuredevops"),
    ],
)
def test_the_forge_is_the_one_that_is_named_or_else_whose_secrets_are_set(
    given: Mapping[str, str], forge: str
) -> None:
    assert Settings.from_env(given).forge == forge


def test_a_forge_that_nobody_knows_is_refused() -> None:
    with pytest.raises(Permanent, match="github, azuredevops or none"):
        Settings.from_env({"RECONCILER_FORGE": "gitlab"})


@pytest.mark.parametrize(
    ("given", "url"),
    [
        ({}, ""),
        ({"RECONCILER_PUBLIC_URL": "https://a.example/"}, "https://a.example"),
        ({"WEBSITE_HOSTNAME": "a.azurewebsites.net"}, "https://a.azurewebsites.net"),
        ({"WEBSITE_HOSTNAME": "localhost:7071"}, "http://localhost:7071"),
        ({"WEBSITE_HOSTNAME": "no host (at all)"}, ""),
        (
            {
                "CONTAINER_APP_NAME": "app",
                "CONTAINER_APP_ENV_DNS_SUFFIX": "x.azurecontainerapps.io",
            },
            "https://app.x.azurecontainerapps.io",
        ),
        (
            {
                "WEBSITE_HOSTNAME": "a.azurewebsites.net",
                "RECONCILER_PUBLIC_URL": "https://b.example",
            },
            "https://b.example",
        ),
    ],
)
def test_the_apps_own_address_is_as_it_is_told_by_people_or_by_the_platform(
    given: Mapping[str, str], url: str
) -> None:
    assert Settings.from_env(given).public_url == url


@pytest.mark.parametrize(
    "url",
    [
        "http://a.example",
        "https://user:canary@a.example",
        "https://a.example/?code=canary",
        "https://a.example/{run}",
        "https://a.example/) [canary](https://b",
        "javascript:canary",
        "https://",
    ],
)
def test_an_address_that_would_leak_or_break_a_link_is_refused_without_being_repeated(
    url: str,
) -> None:
    with pytest.raises(Permanent, match="RECONCILER_PUBLIC_URL") as refused:
        Settings.from_env({"RECONCILER_PUBLIC_URL": url})
    assert "canary" not in str(refused.value)


async def test_the_forge_is_made_from_the_settings_and_asks_nobody_anything() -> None:
    kinds: list[type | None] = []
    for given in ({**ON_GITHUB, **APP}, {**ON_AZURE, **HOOK}, ON_GITHUB):
        async with AsyncExitStack() as closing:
            found = forge_of(given, Settings.from_env(given), SystemClock(), closing)
            kinds.append(None if found is None else type(found))
    assert kinds == [GitHub, AzureDevOps, None]


# Who the reconciler is to the repository


async def header(given: Mapping[str, str]) -> str | None:
    """What git is given; None: nothing. An Entra token is not asked for."""
    async with AsyncExitStack() as closing:
        settings = Settings.from_env(given)
        forge = forge_of(given, settings, SystemClock(), closing)
        who = specs_of(given, settings, forge, closing)._git.credentials
        if who is None:
            return None
        if "entra_token" in getattr(who, "__qualname__", ""):
            return "entra"
        scheme, _, value = (await who()).partition(" ")
        return f"{scheme} {base64.b64decode(value).decode()}"


@pytest.mark.parametrize(
    ("given", "told"),
    [
        (ON_AZURE, "entra"),
        (
            {"RECONCILER_REPO_URL": "https://contoso.visualstudio.com/platform/_git/specs"},
            "entra",
        ),
        ({"RECONCILER_REPO_URL": "https://evildev.azure.com.example/specs"}, None),
        ({"RECONCILER_REPO_URL": "https://notdev.azure.com/specs"}, None),
        (ON_GITHUB, None),
        ({**ON_GITHUB, **TOKEN}, "Basic x-access-token:ghp_canary"),
        ({**ON_AZURE, **TOKEN}, "entra"),
        ({**ON_AZURE, **TOKEN, **HOOK}, "Basic :azp-canary"),
        ({**ON_AZURE, **HOOK}, "entra"),
        (
            {
                **HOOK,
                **TOKEN,
                "RECONCILER_REPO_URL": "https://tfs.example/tfs/Main/platform/_git/specs",
                "AZURE_DEVOPS_ORG_URL": "https://tfs.example/tfs/Main",
            },
            "Basic :azp-canary",
        ),
    ],
)
async def test_each_token_goes_to_the_host_it_is_for(
    given: Mapping[str, str], told: str | None
) -> None:
    assert await header({**given, "IDENTITY_ENDPOINT": "http://127.0.0.1:1"}) == told


@pytest.mark.parametrize(
    "url",
    ["https://github.com.evil.example/contoso/specs", "https://ghes.example/contoso/specs"],
)
async def test_the_tokens_of_an_app_are_given_to_no_other_host(url: str) -> None:
    given = {**APP, "RECONCILER_REPO_URL": url, "GITHUB_API_URL": "https://api.github.com"}
    with pytest.raises(Permanent, match="have to be on the same host"):
        await header(given)


async def test_an_azure_devops_token_is_given_to_no_other_host() -> None:
    given = {
        **HOOK,
        **TOKEN,
        "RECONCILER_REPO_URL": "https://elsewhere.example/specs",
        "AZURE_DEVOPS_ORG_URL": "https://tfs.example/tfs/Main",
        "AZURE_DEVOPS_PROJECT": "platform",
        "AZURE_DEVOPS_REPOSITORY": "specs",
    }
    assert "azp-canary" not in (await header(given) or "")


IDENTITY_IMPORTED = """
import sys
from reconciler.app import build_service
build_service({
    "RECONCILER_REPO_URL": "https://dev.azure.com/contoso/platform/_git/specs",
    "AZURE_DEVOPS_WEBHOOK_SECRET": "s",
    "RECONCILER_STATE": f"sqlite:{sys.argv[1]}/state.db",
    "RECONCILER_GIT_CACHE": f"{sys.argv[1]}/git",
})
print([name for name in sys.modules if name.startswith(("azure.identity", "githubkit"))])
"""


def test_a_service_is_made_without_importing_what_asks_for_tokens(tmp_path: Path) -> None:
    command = [sys.executable, "-c", IDENTITY_IMPORTED, str(tmp_path)]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


async def test_a_token_of_the_plan_identity_is_asked_for_when_it_is_needed() -> None:
    async with EmulatedAzure(rate_limits=False) as azure, AsyncExitStack() as closing:
        with pytest.MonkeyPatch.context() as patch:
            for name, value in azure.environment().items():
                patch.setenv(name, value)  # azure-identity reads the process's own
            given = {**ON_AZURE, **HOOK, **azure.environment()}
            who = specs_of(given, Settings.from_env(given), None, closing)._git.credentials
            assert who is not None
            assert (await who()).startswith("Bearer ")


# The service


async def test_an_app_reads_its_private_repository_with_its_own_tokens(tmp_path: Path) -> None:
    async with EmulatedGitHub() as hub:
        files = {"specs/a.yaml": "kind: Account\n"}
        name = await hub.backdoor.create_repository("private", files, private=True)
        given = {
            **hub.environment(),
            "GITHUB_TOKEN": "",
            "RECONCILER_REPO_URL": f"{hub.url}/{name}.git",
            "RECONCILER_BRANCH": "main",
            "RECONCILER_GIT_CACHE": str(tmp_path / "git"),
            "RECONCILER_STATE": f"sqlite:{tmp_path / 'state.db'}",
            "RECONCILER_PUBLIC_URL": "https://app.example",
        }
        service = build_service(given)
        assert isinstance(service.forge, GitHub)
        try:
            assert await service.specs.read(await service.specs.head()) == files
            assert await service.forge.open_pulls() == []
            assert service.forge.name == "github"
            assert service.run_link.format(run="r1") == "https://app.example/api/runs/r1"
        finally:
            await service.close()
        connection = service.forge._client._made
        assert connection is not None
        assert connection._core._kept is None, "the forge is closed with the service"


async def test_without_a_forge_the_service_has_neither_pull_requests_nor_links(
    tmp_path: Path,
) -> None:
    given = {
        "RECONCILER_REPO_URL": str(tmp_path),
        "RECONCILER_BRANCH": "release",
        "RECONCILER_STATE": f"sqlite:{tmp_path / 'state.db'}",
        "RECONCILER_GIT_CACHE": str(tmp_path / "git"),
    }
    service = build_service(given)
    assert (service.forge, service.run_link, service.branch) == (None, "", "release")
    await service.close()
