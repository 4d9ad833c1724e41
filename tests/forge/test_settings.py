"""Settings: what is understood, and what cannot be meant."""

import pytest

from reconciler.core.errors import Permanent
from reconciler.forge import GitHubSettings

CANARY = "canary-5f1e9d"


@pytest.mark.parametrize(
    "url",
    [
        "https://github.com/contoso/estate",
        "https://github.com/contoso/estate.git",
        "https://github.com/contoso/estate/",
        "git@github.com:contoso/estate.git",
        "ssh://git@github.com/contoso/estate.git",
        "ssh://git@ssh.github.com:443/contoso/estate.git",
    ],
)
def test_the_repository_is_read_from_its_url(url: str) -> None:
    settings = GitHubSettings.from_env({"RECONCILER_REPO_URL": url})
    assert settings.repository == "contoso/estate"
    assert settings.api_url == "https://api.github.com"


def test_another_host_needs_the_address_of_its_api() -> None:
    env = {"RECONCILER_REPO_URL": "https://github.contoso.example/team/estate.git"}
    with pytest.raises(Permanent, match="set GITHUB_API_URL"):
        GitHubSettings.from_env(env)
    env["GITHUB_API_URL"] = "https://github.contoso.example/api/v3/"
    assert GitHubSettings.from_env(env).api_url == "https://github.contoso.example/api/v3"


@pytest.mark.parametrize(
    ("api_url", "site"),
    [
        ("https://api.github.com", "https://github.com"),
        ("https://api.contoso.ghe.com", "https://contoso.ghe.com"),
        ("https://github.contoso.example/api/v3", "https://github.contoso.example"),
        ("https://api.contoso.example/api/v3/", "https://api.contoso.example"),
        ("http://127.0.0.1:8080/api/v3", "http://127.0.0.1:8080"),
    ],
)
def test_people_look_at_the_repository_on_the_host_whose_api_it_is(api_url: str, site: str) -> None:
    assert GitHubSettings(repository="contoso/estate", api_url=api_url).site == site


def test_a_key_may_be_written_on_one_line_and_two_secrets_rotate() -> None:
    settings = GitHubSettings.from_env(
        {
            "GITHUB_REPOSITORY": "contoso/estate",
            "GITHUB_APP_ID": "12",
            "GITHUB_PRIVATE_KEY": "-----BEGIN PRIVATE KEY-----\\nMII\\n-----END PRIVATE KEY-----",
            "GITHUB_WEBHOOK_SECRET": "new ",
            "GITHUB_WEBHOOK_SECRET_OLD": "old",
        }
    )
    assert settings.private_key.splitlines()[1] == "MII"
    assert settings.webhook_secrets == ("new", "old")


@pytest.mark.parametrize(
    ("changed", "sentence"),
    [
        ({"GITHUB_REPOSITORY": "estate"}, "GITHUB_REPOSITORY"),
        ({"GITHUB_REPOSITORY": "contoso/.."}, "GITHUB_REPOSITORY"),
        ({"GITHUB_REPOSITORY": "contoso/estate?x=1"}, "GITHUB_REPOSITORY"),
        ({"GITHUB_API_URL": "http://github.example"}, "https://"),
        ({"GITHUB_API_URL": f"https://u:{CANARY}@github.example"}, "https://"),
        ({"GITHUB_API_URL": "ftp://127.0.0.1"}, "https://"),
        ({"GITHUB_APP_ID": CANARY}, "GITHUB_APP_ID has to be a number"),
        ({"GITHUB_INSTALLATION_ID": "x"}, "GITHUB_INSTALLATION_ID has to be a number"),
        ({"GITHUB_APP_ID": "12", "GITHUB_PRIVATE_KEY": CANARY}, "in PEM"),
        ({"GITHUB_TOKEN": f"{CANARY} {CANARY}"}, "one word"),
    ],
)
def test_what_cannot_be_meant_is_refused_without_repeating_it(
    changed: dict[str, str], sentence: str
) -> None:
    with pytest.raises(Permanent, match=sentence) as caught:
        GitHubSettings.from_env({"GITHUB_REPOSITORY": "contoso/estate", **changed})
    assert CANARY not in str(caught.value)


@pytest.mark.parametrize("url", ["http://127.0.0.1:8080", "http://localhost", "http://[::1]:1/v3"])
def test_plain_http_is_for_this_machine(url: str) -> None:
    env = {"GITHUB_REPOSITORY": "contoso/estate", "GITHUB_API_URL": url}
    assert GitHubSettings.from_env(env).api_url == url
