"""Fixtures: an emulated Azure DevOps on loopback, and the reconciler's side of it."""

from collections.abc import AsyncIterator
from typing import Final

import pytest

from reconciler.app import SystemClock
from reconciler.forge.azure_devops import AzureDevOps, AzureDevOpsSettings
from reconciler.local.azure_devops import EmulatedAzureDevOps
from tests.azure.scripted import JumpClock

REPO: Final = "platform/estate"
SPEC: Final = "specs/models/chat.yaml"
BODY: Final = "kind: ModelDeployment\n"
WRITER: Final = "writer@contoso.com"
READER: Final = "reader@contoso.com"


def settings(devops: EmulatedAzureDevOps, **more: str) -> AzureDevOpsSettings:
    """What a deployment would set."""
    url = f"{devops.url}/platform/_git/estate"
    return AzureDevOpsSettings.from_env(
        {**devops.environment(), "RECONCILER_REPO_URL": url, **more}
    )


@pytest.fixture
async def devops() -> AsyncIterator[EmulatedAzureDevOps]:
    async with EmulatedAzureDevOps() as one:
        await one.backdoor.create_repository("estate", {SPEC: BODY, "README.md": "x\n"})
        one.backdoor.allow(REPO, WRITER, "contribute")
        one.backdoor.allow(REPO, READER, "comment")
        yield one


@pytest.fixture
async def forge(devops: EmulatedAzureDevOps) -> AsyncIterator[AzureDevOps]:
    one = AzureDevOps(settings(devops), SystemClock())
    yield one
    await one.close()


@pytest.fixture
def clock() -> JumpClock:
    return JumpClock()


async def a_pull(devops: EmulatedAzureDevOps, branch: str = "change", text: str = "two\n") -> int:
    """A pull request from a new branch that changes the spec."""
    door = devops.backdoor
    await door.commit(REPO, {SPEC: text}, "A change", branch=branch, author=WRITER)
    return await door.open_pull(REPO, branch, f"Change on {branch}", author=WRITER)
