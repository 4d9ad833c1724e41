"""Names from settings and requests: what they mean, and what they cannot become."""

from pathlib import Path

import pytest

from reconciler.core.errors import Permanent
from reconciler.git import GitSettings
from reconciler.git.address import commit_id, folder_parts, full_ref, parse_address
from reconciler.git.ssh import ssh_command
from tests.git.conftest import FILES, SPECS, Reader
from tests.git.origin import Origin


@pytest.mark.parametrize(
    ("text", "url", "scheme", "origin"),
    [
        ("https://github.com/c/e.git", "https://github.com/c/e.git", "https", "https://github.com"),
        ("https://GIT.host:8443/e", "https://git.host:8443/e", "https", "https://git.host:8443"),
        ("http://127.0.0.1:80/e", "http://127.0.0.1:80/e", "http", "http://127.0.0.1:80"),
        ("http://[::1]:8/e", "http://[::1]:8/e", "http", "http://[::1]:8"),
        (
            "https://contoso@dev.azure.com/contoso/My%20Team/_git/e",
            "https://dev.azure.com/contoso/My%20Team/_git/e",
            "https",
            "https://dev.azure.com",
        ),
        ("ssh://git@host:22/e.git", "ssh://git@host:22/e.git", "ssh", ""),
        ("git@github.com:c/e.git", "git@github.com:c/e.git", "ssh", ""),
        ("host:e.git", "host:e.git", "ssh", ""),
        ("/srv/e.git", "/srv/e.git", "file", ""),
        ("file:///srv/my%20e.git", "/srv/my e.git", "file", ""),
    ],
)
def test_an_address_is_understood(text: str, url: str, scheme: str, origin: str) -> None:
    address = parse_address(text)
    assert (address.url, address.scheme, address.origin) == (url, scheme, origin)


def test_a_relative_path_is_meant_from_here(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert parse_address("repos/e.git").url == str(tmp_path / "repos/e.git")


def test_azure_repos_are_known_by_their_host() -> None:
    for url in ("https://dev.azure.com/c/p/_git/r", "https://c.visualstudio.com/p/_git/r"):
        assert parse_address(url).azure_repos
    for url in ("https://dev.azure.com.evil.example/x", "https://github.com/x", "/dev.azure.com"):
        assert not parse_address(url).azure_repos


@pytest.mark.parametrize(
    "text",
    [
        "",
        "--upload-pack=touch x",
        "-x",
        "ext::sh -c touch% x",
        "fd::3",
        "git://host/e",
        "ftp://host/e",
        "http://host/e",
        "http://127.0.0.1.evil.example/e",
        "https://token-canary@host/e",
        "https://user:token-canary@host/e",
        "https://token-canary@dev.azure.com/contoso/p/_git/e",
        "https://@host/e",
        "https://contoso:token-canary@dev.azure.com/contoso/p/_git/e",
        "ssh://git:token-canary@host/e",
        "https://host/e?private_token=token-canary",
        "https://host/e#token-canary",
        "https://host:port/e",
        "https:///e",
        "https://-host/e",
        "ssh://-oProxyCommand=x/e",
        "-oProxyCommand=x:e",
        "host:-e",
        "https://host/a b",
        "https://host/a\nb",
        "file://host/e",
    ],
)
def test_an_address_that_could_do_harm_or_holds_a_secret_is_refused(text: str) -> None:
    with pytest.raises(Permanent, match="RECONCILER_REPO_URL") as caught:
        parse_address(text)
    assert "token-canary" not in str(caught.value)


@pytest.mark.parametrize(
    "name",
    [
        *("", "-x", "--upload-pack=sh", "..", "a..b", "a/../b", "/a", "a/", "a//b", ".a", "a/.b"),
        *("a.lock", "a.lock/b", "a.", "a b", "a~1", "a^", "a:b", "a?", "a*", "a[", "a\\b", "@{u}"),
        *("a\n", "a\x00b", "a\x7f", "x" * 256),
    ],
)
def test_an_odd_name_cannot_be_a_branch(reader: Reader, name: str) -> None:
    with pytest.raises(Permanent, match="cannot be the name of a branch"):
        full_ref(name)
    if name:
        with pytest.raises(Permanent):
            reader("/x", branch=name)


def test_a_branch_or_a_full_ref_can_be_named() -> None:
    assert full_ref("feature/ü-1") == "refs/heads/feature/ü-1"
    assert full_ref("refs/pull/7/merge") == "refs/pull/7/merge"


@pytest.mark.parametrize("text", ["", "HEAD", "main", "-" * 40, "a" * 39, "a" * 64, "g" * 40])
async def test_only_a_whole_commit_id_is_one(reader: Reader, text: str) -> None:
    assert commit_id("AB" * 20) == "ab" * 20
    with pytest.raises(Permanent, match="is not a commit"):
        await reader("/x").read(text)


@pytest.mark.parametrize("path", ["/specs", "../specs", "a/../b", "a\\b", "a\nb"])
def test_the_specs_folder_is_inside_the_repository(path: str) -> None:
    assert folder_parts("./a//b/") == ("a", "b")
    with pytest.raises(Permanent, match="RECONCILER_SPECS_PATH"):
        folder_parts(path)


def test_settings_come_from_the_environment(tmp_path: Path) -> None:
    settings = GitSettings.from_env({"RECONCILER_REPO_URL": "/x"})
    assert (settings.branch, settings.path, settings.timeout_s) == ("main", "specs", 120.0)
    settings = GitSettings.from_env(
        {
            "RECONCILER_REPO_URL": "/x",
            "RECONCILER_BRANCH": "live",
            "RECONCILER_SPECS_PATH": "infra/specs",
            "RECONCILER_GIT_CACHE": str(tmp_path),
            "RECONCILER_GIT_TIMEOUT_S": "7.5",
            "RECONCILER_SSH_KEY_FILE": "/key",
            "RECONCILER_SSH_KNOWN_HOSTS": "/known",
        }
    )
    assert settings == GitSettings(
        url="/x",
        branch="live",
        path="infra/specs",
        cache=tmp_path,
        timeout_s=7.5,
        ssh_key="/key",
        known_hosts="/known",
    )


@pytest.mark.parametrize("text", ["x", "0", "-1", "nan", "inf", "99999"])
def test_a_timeout_is_a_number_of_seconds(text: str) -> None:
    with pytest.raises(Permanent, match="RECONCILER_GIT_TIMEOUT_S"):
        GitSettings.from_env({"RECONCILER_GIT_TIMEOUT_S": text})


def test_ssh_asks_nothing_and_trusts_no_host_that_is_not_known() -> None:
    agent = {"SSH_AUTH_SOCK": "/agent", "OTHER": "x"}
    with_agent = ssh_command("", "", agent)
    assert with_agent["SSH_AUTH_SOCK"] == "/agent"
    assert " -i " not in with_agent["GIT_SSH_COMMAND"]
    with_key = ssh_command("/a key", "/known 100%", agent)
    assert set(with_key) == {"GIT_SSH_COMMAND", "GIT_SSH_VARIANT"}
    command = with_key["GIT_SSH_COMMAND"]
    for word in ("-F none", "BatchMode=yes", "StrictHostKeyChecking=yes", "-i '/a key'"):
        assert word in command
    assert """'UserKnownHostsFile="/known 100%%"'""" in command


async def test_a_repository_is_read_through_ssh(
    origin: Origin, reader: Reader, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A program in ssh's place does what the far side would, so git's own call is seen."""
    commit = origin.commit(FILES)
    folder = tmp_path / "bin"
    folder.mkdir()
    script = folder / "ssh"
    script.write_text(
        f'#!/bin/sh\necho "$@" >> {tmp_path}/calls\n'
        'for last; do :; done\nunset GIT_DIR GIT_COMMON_DIR GIT_OBJECT_DIRECTORY\neval "$last"\n'
    )
    script.chmod(0o755)
    monkeypatch.setenv("PATH", str(folder), prepend=":")
    specs = reader(f"git@localhost:{origin.path}", ssh_key="/key", known_hosts="/known")
    assert await specs.read_ref("main") == (commit, SPECS)
    calls = (tmp_path / "calls").read_text().splitlines()
    assert len(calls) == 3
    for call in calls:
        assert call.startswith("-F none -o BatchMode=yes")
        assert call.endswith(
            f"-i /key -o SendEnv=GIT_PROTOCOL git@localhost git-upload-pack '{origin.path}'"
        )
