"""The token reaches the server and nothing else."""

import asyncio
import logging
import os
from base64 import b64encode
from pathlib import Path

import pytest
from azure.core.credentials import AccessToken
from azure.core.exceptions import ClientAuthenticationError, ServiceRequestError

from reconciler.core.errors import Permanent, ReconcilerError, Transient
from reconciler.git import GitSettings, GitSpecs, entra_token, static_token
from reconciler.git.credentials import AZURE_REPOS_SCOPE, basic
from reconciler.git.errors import scrub
from tests.git.conftest import FILES, SPECS, Reader
from tests.git.origin import Origin, Server

CANARY = "canary5f1e9dtoken"
ENCODED = b64encode(f"x-access-token:{CANARY}".encode()).decode()


def leaks(text: str | bytes) -> bool:
    data = text.encode() if isinstance(text, str) else text
    return CANARY.encode() in data or ENCODED.encode() in data


def command_lines() -> list[bytes]:
    lines = []
    for process in Path("/proc").iterdir():
        if process.name.isdigit() and process.name != str(os.getpid()):
            try:
                lines.append((process / "cmdline").read_bytes())
            except OSError:
                continue  # it has ended
    return lines


@pytest.fixture
def guarded(server: Server, reader: Reader) -> GitSpecs:
    server.authorization = basic(CANARY)
    return reader(f"{server.url}/estate.git", static_token(f" {CANARY}\n"))


async def test_the_token_is_sent_and_seen_nowhere(
    origin: Origin,
    server: Server,
    guarded: GitSpecs,
    caplog: pytest.LogCaptureFixture,
    tmp_path: Path,
) -> None:
    caplog.set_level(logging.DEBUG)
    commit = origin.commit(FILES)
    assert await guarded.head() == commit
    server.gate = asyncio.Event()
    reading = asyncio.create_task(guarded.read(commit))
    await server.waiting.wait()
    lines = command_lines()
    assert any(b"git-remote-http" in line or b"remote-http" in line for line in lines)
    assert not any(leaks(line) for line in lines)
    server.gate.set()
    assert await reading == SPECS
    assert await guarded.commits_between(commit, commit) == []
    files = [one for one in (tmp_path / "cache").rglob("*") if one.is_file()]
    assert any(one.name == "config" for one in files)
    assert not any(leaks(one.read_bytes()) for one in files)
    assert not leaks(caplog.text)
    assert server.sent_authorization == {basic(CANARY)}


async def test_a_refused_token_is_not_repeated(
    origin: Origin, server: Server, guarded: GitSpecs
) -> None:
    server.authorization = "Basic other"
    with pytest.raises(Permanent, match="refused the credential") as caught:
        await guarded.head()
    assert not leaks(str(caught.value))


async def test_a_server_that_echoes_the_token_does_not_bring_it_into_an_error(
    origin: Origin, server: Server, guarded: GitSpecs
) -> None:
    server.echo = f"you sent {CANARY} and {ENCODED}, http://user:{CANARY}@host"
    with pytest.raises(ReconcilerError, match=r"you sent \*\*\* and \*\*\*") as caught:
        await guarded.head()
    assert not leaks(str(caught.value))


async def test_the_token_does_not_follow_a_redirect(
    origin: Origin, server: Server, guarded: GitSpecs
) -> None:
    server.status = 302
    with pytest.raises(Permanent, match="has moved"):
        await guarded.head()


async def test_a_credential_is_asked_for_before_every_connection(
    origin: Origin, server: Server, reader: Reader
) -> None:
    commit = origin.commit(FILES)
    given: list[str] = []

    async def give() -> str:
        given.append(f"Bearer token{len(given)}")
        return given[-1]

    specs = reader(f"{server.url}/estate.git", give)
    assert await specs.read_ref("main") == (commit, SPECS)
    assert server.sent_authorization == set(given)
    assert len(given) == 3  # the branch, the commit, its files


async def test_no_credential_is_asked_for_where_none_is_sent(
    origin: Origin, reader: Reader
) -> None:
    async def never() -> str:
        raise AssertionError("a path needs no token")

    commit = origin.commit(FILES)
    assert await reader(str(origin.path), never).read_ref("main") == (commit, SPECS)


async def test_a_token_cannot_bring_headers_of_its_own(server: Server, reader: Reader) -> None:
    async def give() -> str:
        return "Bearer x\r\nX-Other: y"

    with pytest.raises(Permanent, match="is no token"):
        await reader(f"{server.url}/estate.git", give).head()
    for text in ("", " ", "two words", "line\nbreak", "ümlaut"):
        with pytest.raises(Permanent, match="GITHUB_TOKEN"):
            static_token(text)


class Credential:
    """As azure-identity's are."""

    def __init__(self, answer: str | Exception) -> None:
        self.answer = answer

    async def get_token(self, *scopes: str) -> AccessToken:
        assert scopes == (AZURE_REPOS_SCOPE,)
        if isinstance(self.answer, Exception):
            raise self.answer
        return AccessToken(self.answer, 0)


async def test_an_identity_reads_azure_repos(
    origin: Origin, server: Server, reader: Reader
) -> None:
    commit = origin.commit(FILES)
    server.authorization = f"Bearer {CANARY}"
    credentials = entra_token(Credential(CANARY))  # type: ignore[arg-type]  # enough of one
    assert await reader(f"{server.url}/estate.git", credentials).read(commit) == SPECS


@pytest.mark.parametrize(
    ("error", "kind", "words"),
    [
        (ClientAuthenticationError(f"secret {CANARY}"), Permanent, "member of the Azure DevOps"),
        (ServiceRequestError(f"to {CANARY}"), Transient, "could not be reached"),
    ],
)
async def test_an_identity_without_a_token_is_told(
    error: Exception, kind: type[ReconcilerError], words: str
) -> None:
    with pytest.raises(kind, match=words) as caught:
        await entra_token(Credential(error))()  # type: ignore[arg-type]  # enough of one
    assert not leaks(str(caught.value))


def test_a_setting_with_a_token_in_it_is_not_shown() -> None:
    url = f"https://{CANARY}@github.com/contoso/estate"
    assert not leaks(repr(GitSettings(url=url)))
    with pytest.raises(Permanent, match="set GITHUB_TOKEN instead") as caught:
        GitSpecs(GitSettings(url=url))
    assert not leaks(str(caught.value))


@pytest.mark.parametrize(
    "text",
    [
        "https://user:hunter2@host/x",
        "ssh://hunter2@host/x",
        "Authorization: Basic hunter2",
        "bearer hunter2",
        "ghs_hunter2",
        "github_pat_11A_hunter2",
        "eyJhbGciOiJIUzI1NiJ9.eyJodW50ZXIyIjox.hunter2",
        "hunter2" * 8,
    ],
)
def test_what_looks_like_a_secret_is_scrubbed(text: str) -> None:
    assert "hunter2" not in scrub(f"fatal: {text} failed")
    assert scrub(f"fatal: {text} failed").startswith("fatal: ")
