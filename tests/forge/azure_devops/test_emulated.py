"""The forge, git and service hooks together, against the emulated Azure DevOps."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from aiohttp import web

from reconciler.app import SystemClock
from reconciler.core.errors import Permanent
from reconciler.core.forge import Event, Untrusted
from reconciler.forge.azure_devops import AzureDevOps
from reconciler.git import GitSettings, GitSpecs, static_token
from reconciler.local.azure_devops import EmulatedAzureDevOps
from tests.azure.scripted import serving
from tests.forge.azure_devops.conftest import BODY, READER, REPO, SPEC, WRITER, a_pull, settings


@dataclass
class Ear:
    """A service hook's receiver: what was heard, and what each delivery was answered."""

    forge: AzureDevOps
    heard: list[Event] = field(default_factory=list)
    answered: list[int] = field(default_factory=list)

    async def handle(self, request: web.BaseRequest) -> web.Response:
        try:
            event = self.forge.hear(request.headers, await request.read())
        except Untrusted as error:
            self.answered.append(error.status)
            return web.Response(status=error.status)
        if event:
            self.heard.append(event)
        self.answered.append(202 if event else 204)
        return web.Response(status=self.answered[-1])


@pytest.fixture
async def ear(forge: AzureDevOps) -> AsyncIterator[tuple[Ear, str]]:
    one = Ear(forge)
    async with serving(one.handle) as url:
        yield one, url


def specs(devops: EmulatedAzureDevOps, forge: AzureDevOps, cache: Path) -> GitSpecs:
    given = GitSettings(url=f"{devops.url}/platform/_git/estate", cache=cache)
    return GitSpecs(given, forge.git_credentials)


async def test_the_specs_of_a_pull_request_are_read_as_if_it_were_merged(
    devops: EmulatedAzureDevOps, forge: AzureDevOps, tmp_path: Path
) -> None:
    number = await a_pull(devops)
    await devops.backdoor.commit(REPO, {"specs/other.yaml": "kind: Hub\n"})
    pull, git = await forge.pull(number), specs(devops, forge, tmp_path)
    expected = {SPEC: "two\n", "specs/other.yaml": "kind: Hub\n"}
    assert await git.read(pull.merge_commit) == expected
    assert await git.read_ref(f"refs/pull/{number}/merge") == (pull.merge_commit, expected)
    assert await git.read(await git.head()) == {SPEC: BODY, "specs/other.yaml": "kind: Hub\n"}
    assert not await git.on_branch(pull.merge_commit)
    made = await devops.backdoor.complete(REPO, number)
    assert await git.head() == made
    assert await git.on_branch(made)


async def test_a_wrong_token_opens_no_repository(
    devops: EmulatedAzureDevOps, tmp_path: Path
) -> None:
    given = GitSettings(url=f"{devops.url}/platform/_git/estate", cache=tmp_path)
    with pytest.raises(Permanent, match="credential"):
        await GitSpecs(given, static_token("canary-wrong")).head()


async def test_everything_that_happens_is_heard_in_its_order(
    devops: EmulatedAzureDevOps, forge: AzureDevOps, ear: tuple[Ear, str]
) -> None:
    receiver, url = ear
    secret = devops.environment()["AZURE_DEVOPS_WEBHOOK_SECRET"]
    devops.backdoor.subscribe(url, secret=secret)
    number = await a_pull(devops)
    devops.backdoor.comment(REPO, number, "What is this?", by=READER)
    devops.backdoor.comment(REPO, number, "/plan", by=WRITER)
    await forge.say(number, "plan", "Planned")
    made = await devops.backdoor.complete(REPO, number)
    await devops.hooks.settle()
    said = [(one.kind, one.pull, one.commit or one.comment != 0) for one in receiver.heard]
    head = (await forge.pull(number)).head
    assert said == [
        ("pull", number, head),  # that a merge was tried
        ("pull", number, head),  # that it was created
        ("comment", number, True),
        ("push", 0, made),
        ("closed", number, head),
        ("closed", number, head),
    ]
    comment = await forge.comment(receiver.heard[2].comment)
    assert comment
    assert (comment.pull, comment.author, comment.text) == (number, WRITER, "/plan")
    assert set(receiver.answered) == {202, 204}


async def test_hooks_with_a_password_are_heard_and_those_without_one_are_not(
    devops: EmulatedAzureDevOps,
) -> None:
    more = {"AZURE_DEVOPS_WEBHOOK_USER": "hooks", "AZURE_DEVOPS_WEBHOOK_PASSWORD": "päss"}
    forge = AzureDevOps(settings(devops, **more), SystemClock())
    receiver = Ear(forge)
    async with serving(receiver.handle) as url:
        devops.backdoor.subscribe(url, user="hooks", password="päss")
        await devops.backdoor.commit(REPO, {SPEC: "two\n"})
        await devops.hooks.settle()
        assert receiver.answered == [202]
        devops.hooks.subscriptions.clear()
        devops.backdoor.subscribe(url)
        devops.backdoor.subscribe(url, secret="guessed")
        devops.backdoor.subscribe(url, user="hooks", password="wrong")
        await devops.backdoor.commit(REPO, {SPEC: "three\n"})
        await devops.hooks.settle()
    assert receiver.answered == [202, 401, 401, 401]
    await forge.close()


async def test_a_delivery_that_came_twice_has_one_id_and_lost_ones_are_lost(
    devops: EmulatedAzureDevOps, ear: tuple[Ear, str]
) -> None:
    receiver, url = ear
    secret = devops.environment()["AZURE_DEVOPS_WEBHOOK_SECRET"]
    devops.backdoor.subscribe(url, secret=secret)
    devops.backdoor.deliver(double=1.0)
    await devops.backdoor.commit(REPO, {SPEC: "two\n"})
    await devops.hooks.settle()
    assert len(receiver.heard) == 2
    assert len({one.id for one in receiver.heard}) == 1
    devops.backdoor.deliver(drop=1.0)
    await devops.backdoor.commit(REPO, {SPEC: "three\n"})
    await devops.hooks.settle()
    assert len(receiver.heard) == 2
    assert devops.hooks.deliveries[-1].status == -1


async def test_names_with_spaces_are_found_everywhere(tmp_path: Path) -> None:
    async with EmulatedAzureDevOps() as devops:
        await devops.backdoor.create_repository("The Estate", {SPEC: BODY}, project="Our Platform")
        url = f"{devops.url}/Our%20Platform/_git/The%20Estate"
        given = {"AZURE_DEVOPS_PROJECT": "", "RECONCILER_REPO_URL": url}
        forge = AzureDevOps(settings(devops, **given), SystemClock())
        await devops.backdoor.commit("Our Platform/The Estate", {SPEC: "x\n"}, branch="change")
        number = await devops.backdoor.open_pull("Our Platform/The Estate", "change", "Change")
        pull = await forge.pull(number)
        assert pull.url == f"{url}/pullrequest/{number}"
        assert forge.source_link.format(commit="c0", path="specs/a.yaml", line=3) == (
            f"{url}?path=/specs/a.yaml&version=GCc0&line=3"
            "&lineStartColumn=1&lineEndColumn=999&lineStyle=plain&_a=contents"
        )
        git = GitSpecs(GitSettings(url=url, cache=tmp_path), forge.git_credentials)
        assert await git.read(pull.merge_commit) == {SPEC: "x\n"}
        assert await forge.may_write("maintainer@contoso.com")
        await forge.close()


async def test_many_pull_requests_are_listed_over_pages_the_oldest_first(
    devops: EmulatedAzureDevOps, forge: AzureDevOps, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("reconciler.forge.azure_devops.client.PAGE", 2)
    numbers = [await a_pull(devops, f"b{at}", f"{at}\n") for at in range(5)]
    assert [one.number for one in await forge.open_pulls()] == numbers


async def test_a_forge_serves_many_tasks_at_once(
    devops: EmulatedAzureDevOps, forge: AzureDevOps
) -> None:
    number = await a_pull(devops)
    found = await asyncio.gather(*(forge.pull(number) for _ in range(20)))
    assert {one.number for one in found} == {number}
