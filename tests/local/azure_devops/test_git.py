"""The real git clones from and pushes to the emulated Azure DevOps."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from reconciler.local.azure_devops import EmulatedAzureDevOps
from reconciler.local.azure_devops.world import MAINTAINER
from tests.local.github.client import git

REPO = "platform/estate"


@pytest.fixture
async def devops() -> AsyncIterator[EmulatedAzureDevOps]:
    async with EmulatedAzureDevOps() as one:
        await one.backdoor.create_repository("estate", {"specs/a.yaml": "kind: A\n"})
        yield one


def address(devops: EmulatedAzureDevOps, token: str, path: str = "platform/_git/estate") -> str:
    return f"{devops.url}/{path}".replace("://", f"://anything:{token}@")


async def test_a_push_moves_a_pull_request_and_its_merge_can_be_fetched(
    devops: EmulatedAzureDevOps, tmp_path: Path
) -> None:
    work, token = tmp_path / "work", devops.backdoor.token(MAINTAINER)
    await git("clone", "-q", address(devops, token), str(work))
    await git("switch", "-qc", "change", cwd=work)
    (work / "two.yaml").write_text("kind: Two\n")
    await git("add", ".", cwd=work)
    await git("commit", "-qm", "Two", cwd=work)
    await git("push", "-q", "origin", "change", cwd=work)
    number = await devops.backdoor.open_pull(REPO, "change", "Two")
    (work / "big.bin").write_bytes(bytes(range(256)) * 16_384)  # 4 MiB: sent in chunks
    await git("add", ".", cwd=work)
    await git("commit", "-qm", "More", cwd=work)
    await git("push", "-q", "origin", "change", cwd=work)
    await git("fetch", "-q", "origin", f"refs/pull/{number}/merge", cwd=work)
    assert await git("show", "FETCH_HEAD:two.yaml", cwd=work) == "kind: Two"
    head = await git("rev-parse", "HEAD", cwd=work)
    pull = devops.world.repository("estate").pulls[number]
    assert (pull.head, len(pull.iterations)) == (head, 2)
    refused = await git("push", "origin", f"HEAD:refs/pull/{number}/merge", cwd=work, check=False)
    assert "hidden ref" in refused


async def test_only_those_who_may_read_clone_and_those_who_may_contribute_push(
    devops: EmulatedAzureDevOps, tmp_path: Path
) -> None:
    door, plain = devops.backdoor, f"{devops.url}/platform/_git/estate"
    reader = door.allow(REPO, "reader@contoso.com", "comment")
    denied = door.allow(REPO, "denied@contoso.com", "contribute", denied=4)
    for url, why in (
        (plain, "could not read Username"),
        (address(devops, "wrong"), "Authentication failed"),
        (address(devops, door.token("stranger@contoso.com")), "not found"),
        (address(devops, reader, "platform/_git/other"), "not found"),
    ):
        said = await git("ls-remote", url, check=False)
        assert why in said, (url, said)
    work = tmp_path / "work"
    await git("clone", "-q", address(devops, reader), str(work))
    for token in (reader, denied):
        to = address(devops, token)
        assert "403" in await git("push", to, "HEAD:refs/heads/new", cwd=work, check=False)
    member = door.contributor(REPO, "member@contoso.com")
    await git("push", "-q", address(devops, member), "HEAD:refs/heads/new", cwd=work)


async def test_a_token_of_entra_opens_a_repository_as_a_bearer_and_as_a_password(
    devops: EmulatedAzureDevOps,
) -> None:
    token = devops.backdoor.bearer(MAINTAINER)
    url, header = f"{devops.url}/platform/_git/estate", f"Authorization: Bearer {token}"
    assert "refs/heads/main" in await git("-c", f"http.extraHeader={header}", "ls-remote", url)
    assert "refs/heads/main" in await git("ls-remote", address(devops, token))


async def test_the_project_is_left_out_for_the_repository_that_has_its_name(
    devops: EmulatedAzureDevOps,
) -> None:
    await devops.backdoor.create_repository("solo", project="solo")
    token = devops.backdoor.token(MAINTAINER)
    assert "refs/heads/main" in await git("ls-remote", address(devops, token, "_git/solo"))
