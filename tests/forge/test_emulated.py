"""The forge against the emulated GitHub: repositories, webhooks and rules that work."""

import asyncio
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from aiohttp import web

from reconciler.app import SystemClock
from reconciler.core.errors import Permanent, Transient
from reconciler.core.forge import Annotation, Comment, Event, Mark, Untrusted
from reconciler.forge import GitHub, GitHubSettings
from reconciler.git import GitSettings, GitSpecs
from reconciler.local.github.server import EmulatedGitHub
from tests.azure.scripted import serving

SPEC = "specs/models/chat.yaml"
BODY = "kind: ModelDeployment\n"


@dataclass
class Ear:
    """A webhook's receiver: what was heard, and what was answered with 401."""

    forge: GitHub | None = None
    heard: list[Event] = field(default_factory=list)
    deliveries: list[tuple[Mapping[str, str], bytes]] = field(default_factory=list)
    something: asyncio.Event = field(default_factory=asyncio.Event)

    async def handle(self, request: web.BaseRequest) -> web.Response:
        assert self.forge is not None
        body = await request.read()
        self.deliveries.append((dict(request.headers), body))
        event = self.forge.hear(request.headers, body)
        if event:
            self.heard.append(event)
            self.something.set()
        return web.Response(status=202 if event else 204)

    async def until(self, kind: str) -> Event:
        while True:
            found = next((one for one in self.heard if one.kind == kind), None)
            if found:
                self.heard.remove(found)
                return found
            self.something.clear()
            await asyncio.wait_for(self.something.wait(), 20)


@pytest.fixture
async def hub() -> AsyncIterator[EmulatedGitHub]:
    async with EmulatedGitHub() as one:
        await one.backdoor.create_repository("estate", {SPEC: BODY, "README.md": "x\n"})
        one.backdoor.allow("contoso/estate", "reconciler", "write")
        yield one


def settings(hub: EmulatedGitHub, *without: str) -> GitHubSettings:
    env = {**hub.environment(), "RECONCILER_REPO_URL": f"{hub.url}/contoso/estate.git"}
    return GitHubSettings.from_env({name: env[name] for name in env if name not in without})


@pytest.fixture(params=["app", "token"])
async def forge(hub: EmulatedGitHub, request: pytest.FixtureRequest) -> AsyncIterator[GitHub]:
    without = ["GITHUB_TOKEN"] if request.param == "app" else ["GITHUB_APP_ID"]
    one = GitHub(settings(hub, *without), SystemClock())
    yield one
    await one.close()


async def a_branch(
    hub: EmulatedGitHub, branch: str = "more", text: str = "kind: Account\n", path: str = SPEC
) -> int:
    await hub.backdoor.commit("contoso/estate", {path: text}, branch=branch)
    return await hub.backdoor.open_pull("contoso/estate", branch, f"Change {branch}")


async def test_a_pull_request_has_the_commit_that_merging_would_make(
    hub: EmulatedGitHub, forge: GitHub, tmp_path: Path
) -> None:
    number = await a_branch(hub)
    await hub.backdoor.commit("contoso/estate", {"specs/other.yaml": "kind: Hub\n"})
    pull = await forge.pull(number)
    assert (pull.merges, pull.fork, pull.state) == (True, False, "open")
    assert await forge.changed_files(number) == frozenset({SPEC})
    given = GitSettings(url=f"{hub.url}/contoso/estate.git", cache=tmp_path)
    specs = GitSpecs(given, forge.git_credentials)
    assert await specs.read(pull.merge_commit) == {
        SPEC: "kind: Account\n",
        "specs/other.yaml": "kind: Hub\n",
    }


async def test_a_conflict_is_seen(hub: EmulatedGitHub, forge: GitHub) -> None:
    number = await a_branch(hub)
    await hub.backdoor.commit("contoso/estate", {SPEC: "kind: Other\n"})
    pull = await forge.pull(number)
    assert (pull.merges, pull.merge_commit) == (False, "")


async def test_a_fork_is_recognised(hub: EmulatedGitHub, forge: GitHub) -> None:
    fork = await hub.backdoor.fork("contoso/estate", "mallory")
    await hub.backdoor.commit(fork, {SPEC: "kind: Mine\n"}, branch="more", author="mallory")
    number = await hub.backdoor.open_pull(
        "contoso/estate", "mallory:more", "Let me in", author="mallory"
    )
    pull = await forge.pull(number)
    assert (pull.fork, pull.author) == (True, "mallory")
    assert not await forge.may_write("mallory")
    assert await forge.may_write("maintainer")
    assert [one.number for one in await forge.open_pulls()] == [number]


@pytest.mark.parametrize("method", ["merge", "squash", "rebase"])
async def test_merged_pull_requests_are_found_between_two_commits(
    hub: EmulatedGitHub, forge: GitHub, method: str
) -> None:
    numbers = [await a_branch(hub, f"b{n}", "kind: X\n", f"specs/{n}.yaml") for n in range(3)]
    old = await hub.backdoor.merge("contoso/estate", numbers[0], method=method)
    for number in numbers[1:]:
        new = await hub.backdoor.merge("contoso/estate", number, method=method)
    found = await forge.merged_between(old, new)
    assert [one.number for one in found] == [numbers[2], numbers[1]]
    assert all(one.state == "merged" for one in found)


async def test_what_is_said_is_kept_in_one_place(hub: EmulatedGitHub, forge: GitHub) -> None:
    number = await a_branch(hub)
    other = GitHub(forge_settings(hub, forge), SystemClock())
    texts = [f"text {n}" for n in range(8)]
    pair = (forge, other)
    await asyncio.gather(*(pair[at % 2].say(number, "plan", text) for at, text in enumerate(texts)))
    await forge.say(number, "plan", "the end")
    await other.close()
    comments = await forge._client.listed(f"/repos/contoso/estate/issues/{number}/comments")
    assert [one["body"].splitlines()[-1] for one in comments] == ["the end"]
    await forge.react(comments[0]["id"], "seen")
    found = await forge.comment(comments[0]["id"])
    assert found
    assert (found.pull, found.author) == (number, await forge.login())


def forge_settings(hub: EmulatedGitHub, forge: GitHub) -> GitHubSettings:
    app = type(forge._identity).__name__ == "InstallationTokens"
    return settings(hub, "GITHUB_TOKEN" if app else "GITHUB_APP_ID")


async def test_a_commit_is_marked_and_an_issue_kept(hub: EmulatedGitHub, forge: GitHub) -> None:
    number = await a_branch(hub)
    head = (await forge.pull(number)).head
    remarks = tuple(Annotation(SPEC, 1, "error", f"wrong {n}") for n in range(60))
    hub.backdoor.protect("contoso/estate", ["reconciler"])
    await forge.mark(number, head, Mark("reconciler", "pending", "planning"))
    assert (await forge.pull(number)).allowed is False
    for _ in range(2):
        await forge.mark(
            number, head, Mark("reconciler", "failure", "wrong", "**why**", "", remarks)
        )
    assert (await forge.pull(number)).allowed is False
    await forge.mark(number, head, Mark("reconciler", "success", "fine"))
    assert (await forge.pull(number)).allowed is True
    for text in ("one", "two", None, None, "three"):
        await forge.keep_issue("drift-dev", "dev has drifted", text)
    issues = await forge._client.listed("/repos/contoso/estate/issues", {"state": "all"})
    kept = [one for one in issues if "pull_request" not in one]
    assert sorted(one["state"] for one in kept) == ["closed", "open"]


async def test_an_app_annotates_every_line_once(hub: EmulatedGitHub) -> None:
    forge = GitHub(settings(hub, "GITHUB_TOKEN"), SystemClock())
    head = await hub.backdoor.commit("contoso/estate", {SPEC: BODY * 3})
    remarks = tuple(Annotation(SPEC, 1, "warning", f"remark {n}") for n in range(120))
    for _ in range(2):
        await forge.mark(0, head, Mark("reconciler", "failure", "bad", "**why**", "", remarks))
    path = f"/repos/contoso/estate/commits/{head}/check-runs"
    [run] = (await forge._client.get(path))["check_runs"]
    assert (run["conclusion"], run["output"]["annotations_count"]) == ("failure", 120)
    await forge.close()


async def asked(hub: EmulatedGitHub, number: int, text: str) -> int:
    """The comment that a maintainer writes."""
    given = replace(settings(hub, "GITHUB_APP_ID"), token=hub.backdoor.token("maintainer"))
    maintainer = GitHub(given, SystemClock())
    path = f"/repos/contoso/estate/issues/{number}/comments"
    made = await maintainer._client.send("POST", path, {"body": text})
    await maintainer.close()
    return int(made["id"])


async def test_commands_that_no_webhook_brought_are_found(
    hub: EmulatedGitHub, forge: GitHub
) -> None:
    number, before = await a_branch(hub), datetime.now(UTC)
    made = [await asked(hub, number, text) for text in ("/plan dev", "hello", "/help")]
    found = await forge.comments_since(before)
    assert [one.id for one in found] == [made[0], made[2]]
    assert replace(found[0], made_at="") == Comment(made[0], number, "maintainer", "/plan dev")
    assert found[0].made_at
    assert await forge.comments_since(before + timedelta(hours=1)) == []


async def test_one_worker_never_meets_the_limits_and_two_keep_the_silence_that_follows(
    hub: EmulatedGitHub,
) -> None:
    number = await a_branch(hub)
    given = replace(settings(hub, "GITHUB_TOKEN"), patience_s=0.0)
    for written, refused in ((80, 0), (0, 1)):
        worker = GitHub(given, SystemClock())
        waits = [await waits_to_write(worker, number) for _ in range(90)]
        await worker.close()
        assert waits == sorted(waits, key=bool), "once it is too much, nothing is sent"
        assert waits.count(0.0) == written
        assert 0 < max(waits) <= 61
        assert hub.backdoor.requests()["limited"] == refused


async def waits_to_write(forge: GitHub, number: int) -> float:
    """In how many seconds a comment may be tried again; 0: it was written."""
    path = f"/repos/contoso/estate/issues/{number}/comments"
    try:
        await forge._client.send("POST", path, {"body": "one more"})
    except Transient as error:
        return error.retry_after_s or -1
    return 0.0


async def test_lines_of_files_are_shown_where_the_repository_is(
    hub: EmulatedGitHub, forge: GitHub
) -> None:
    link = forge.source_link.format(commit="c" * 40, path=SPEC, line=3)
    assert link == f"{hub.url}/contoso/estate/blob/{'c' * 40}/{SPEC}#L3"


async def asked_again(forge: GitHub, head: str) -> None:
    """What the button on a check run does."""
    path = "/repos/contoso/estate"
    [run] = (await forge._client.get(f"{path}/commits/{head}/check-runs"))["check_runs"]
    await forge._client.send("POST", f"{path}/check-runs/{run['id']}/rerequest", {})


async def test_webhooks_are_heard_and_forged_ones_are_not(hub: EmulatedGitHub) -> None:
    ear = Ear(GitHub(settings(hub, "GITHUB_TOKEN"), SystemClock()))
    assert ear.forge
    async with serving(ear.handle) as url:
        hub.backdoor.webhook(url)
        number = await a_branch(hub)
        assert (await ear.until("pull")).pull == number
        await hub.backdoor.commit("contoso/estate", {SPEC: "kind: Two\n"}, branch="more")
        head = (await ear.until("pull")).commit
        assert head == (await ear.forge.pull(number)).head
        await ear.forge.say(number, "plan", "/plan is ours: nothing to hear")
        comment = await ear.forge.comment(await asked(hub, number, "/plan dev"))
        assert comment
        assert (await ear.until("comment")).comment == comment.id
        assert (comment.author, comment.text) == ("maintainer", "/plan dev")
        await ear.forge.mark(number, head, Mark("reconciler", "failure", "bad"))
        await asked_again(ear.forge, head)
        recheck = await ear.until("recheck")
        assert (recheck.commit, recheck.name) == (head, "reconciler")
        await ear.forge.mark(number, head, Mark("reconciler", "failure", "bad"))
        merged = await hub.backdoor.merge("contoso/estate", number)
        assert (await ear.until("closed")).pull == number
        assert (await ear.until("push")).commit == merged
    for headers, body in ear.deliveries:
        with pytest.raises(Untrusted):
            ear.forge.hear(headers, body + b" ")
    [pull] = await ear.forge.merged_between("", merged)
    assert (pull.number, pull.merge_commit) == (number, merged)
    await ear.forge.close()


async def test_who_has_no_rights_is_told_what_is_missing(hub: EmulatedGitHub) -> None:
    hub.backdoor.allow("contoso/estate", "reconciler", "read")
    forge = GitHub(settings(hub, "GITHUB_APP_ID"), SystemClock())
    head = await hub.backdoor.commit("contoso/estate", {SPEC: "kind: X\n"})
    with pytest.raises(Permanent, match="GitHub refused") as caught:
        await forge.mark(0, head, Mark("reconciler", "success", "fine"))
    assert hub.environment()["GITHUB_TOKEN"] not in str(caught.value)
    await forge.close()
