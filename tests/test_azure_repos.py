"""The story on Azure Repos: service hooks, plans, commands, merges, drift, over HTTP and git."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from pathlib import Path

import pytest
from aiohttp import web

from reconciler.app import SystemClock
from reconciler.core.forge import Untrusted
from reconciler.core.model import Run
from reconciler.forge.azure_devops import AzureDevOps, AzureDevOpsSettings
from reconciler.git import GitSettings, GitSpecs
from reconciler.local.azure_devops import EmulatedAzureDevOps
from reconciler.local.azure_devops.model import Pull
from reconciler.service import Remembered
from tests.azure.scripted import serving
from tests.desk import ACCOUNT_ID, Desk, a_desk
from tests.engine.estates import ACCOUNT, GROUP, chat

REPO = "platform/estate"
DEVELOPER = "developer@contoso.com"
READER = "reader@contoso.com"
CHAT_ID = f"{ACCOUNT_ID}/deployments/chat"


@dataclass(kw_only=True)
class ReposDesk(Desk):
    """What people do on Azure Repos, and what they then see."""

    hub: EmulatedAzureDevOps
    forge: AzureDevOps

    async def hear(self, request: web.BaseRequest) -> web.Response:
        """The route of the webhook."""
        try:
            known = await self.service.hear(
                "azuredevops", dict(request.headers), await request.read()
            )
        except Untrusted as error:
            return web.Response(status=error.status)
        return web.Response(status=202 if known else 204)

    async def heard(self) -> None:
        """Let everything that happened be heard, and see it through."""
        await self.hub.hooks.settle()
        while self.queue.waiting:
            await self.work()
            await self.hub.hooks.settle()

    async def branch_at(self, *documents: str, environment: str = "") -> None:
        self.world.declare(*documents, environment=environment)
        await self.hub.backdoor.commit(REPO, self.world.files, "Specs")

    async def propose(self, *documents: str, environment: str = "", branch: str = "more") -> int:
        self.world.declare(*documents, environment=environment)
        door = self.hub.backdoor
        await door.commit(REPO, self.world.files, branch=branch, author=DEVELOPER)
        return await door.open_pull(REPO, branch, f"Change {branch}", author=DEVELOPER)

    def pull(self, number: int) -> Pull:
        return self.hub.world.repository("estate").pulls[number]

    def said(self, number: int, marker: str = "plan") -> str:
        """The comment of that marker; "" when there is none."""
        found = [
            one.comments[0].content
            for one in self.pull(number).threads
            if one.properties.get("Reconciler.Marker") == marker and not one.deleted
        ]
        assert len(found) < 2, found
        return found[0] if found else ""

    def answers(self, number: int) -> list[str]:
        return [
            one.comments[0].content
            for one in self.pull(number).threads
            if str(one.properties.get("Reconciler.Marker", "")).startswith("answer-")
        ]

    def marks(self, number: int) -> dict[str, str]:
        """Every status of the newest iteration, the newest of a name."""
        pull = self.pull(number)
        newest = len(pull.iterations)
        return {one.name: one.state for one in pull.statuses if one.iteration == newest}

    async def applied(self) -> Run:
        """The newest apply."""
        found = [one for one in await self.store.runs("dev") if one.mode == "apply"]
        return await self.run(found[0].id)


@asynccontextmanager
async def a_repos_desk(folder: Path) -> AsyncIterator[ReposDesk]:
    async with EmulatedAzureDevOps() as hub, a_desk(folder / "desk") as desk:
        await hub.backdoor.create_repository("estate", {"README.md": "Specs.\n"})
        hub.backdoor.allow(REPO, DEVELOPER, "contribute")
        hub.backdoor.allow(REPO, READER, "comment")
        hub.backdoor.protect(REPO, status="gitops/reconciler")
        env = {**hub.environment(), "RECONCILER_REPO_URL": f"{hub.url}/platform/_git/estate"}
        forge = AzureDevOps(AzureDevOpsSettings.from_env(env), SystemClock())
        given = GitSettings(url=env["RECONCILER_REPO_URL"], cache=folder / "git")
        specs = Remembered(GitSpecs(given, forge.git_credentials))
        desk.service = replace(desk.service, specs=specs, forge=forge)
        parts = {name: getattr(desk, name) for name in desk.__dataclass_fields__}
        one = ReposDesk(**parts, hub=hub, forge=forge)
        async with serving(one.hear) as url:
            hub.backdoor.subscribe(url, secret=env["AZURE_DEVOPS_WEBHOOK_SECRET"])
            yield one
        await forge.close()


@pytest.fixture
async def desk(tmp_path: Path) -> AsyncIterator[ReposDesk]:
    async with a_repos_desk(tmp_path) as one:
        yield one


async def test_a_pull_request_is_planned_merged_applied_and_told(desk: ReposDesk) -> None:
    await desk.branch_at(GROUP, ACCOUNT)
    await desk.heard()
    assert (await desk.applied()).state == "done"
    number = await desk.propose(GROUP, ACCOUNT, chat(3))
    with pytest.raises(Exception, match="policy is not fulfilled"):
        await desk.hub.backdoor.complete(REPO, number)
    await desk.heard()
    assert "contoso/chat" in desk.said(number)
    assert desk.marks(number) == {"reconciler": "succeeded", "reconciler/dev": "succeeded"}
    assert not desk.world.get(CHAT_ID)
    commit = await desk.hub.backdoor.complete(REPO, number, strategy="squash")
    await desk.heard()
    run = await desk.applied()
    assert [run.state, run.plan.commit, run.pulls] == ["done", commit, (number,)]
    assert "contoso/chat" in desk.said(number, "apply-dev")
    assert desk.world.get(CHAT_ID)
    assert {one.status for one in desk.hub.hooks.deliveries} <= {202, 204}


async def test_when_every_hook_is_lost_the_sweep_alone_reaches_the_same(desk: ReposDesk) -> None:
    desk.hub.backdoor.deliver(drop=1.0)
    await desk.branch_at(GROUP, ACCOUNT)
    await desk.sweep()
    number = await desk.propose(GROUP, ACCOUNT, chat(3))
    await desk.sweep()
    assert desk.marks(number) == {"reconciler": "succeeded", "reconciler/dev": "succeeded"}
    await desk.hub.backdoor.complete(REPO, number)
    await desk.sweep()
    run = await desk.applied()
    assert [run.state, run.pulls] == ["done", (number,)]
    assert desk.world.get(CHAT_ID)
    assert {one.status for one in desk.hub.hooks.deliveries} == {-1}


async def test_a_push_plans_anew_and_its_status_is_of_the_new_iteration(desk: ReposDesk) -> None:
    await desk.branch_at(GROUP, ACCOUNT)
    number = await desk.propose(GROUP, ACCOUNT, chat(3))
    await desk.heard()
    desk.world.declare(GROUP, ACCOUNT, chat(3), "nonsense: [")
    await desk.hub.backdoor.commit(REPO, desk.world.files, branch="more", author=DEVELOPER)
    await desk.heard()
    assert desk.marks(number)["reconciler"] == "failed"
    with pytest.raises(Exception, match="policy is not fulfilled"):
        await desk.hub.backdoor.complete(REPO, number)


async def test_commands_are_obeyed_for_those_who_may_contribute_alone(desk: ReposDesk) -> None:
    await desk.branch_at(GROUP, ACCOUNT)
    number = await desk.propose(GROUP, ACCOUNT, chat(3))
    await desk.heard()
    door, runs = desk.hub.backdoor, len(await desk.store.runs("dev"))
    thread, _ = door.comment(REPO, number, "/plan dev", by=READER)
    await desk.heard()
    first = next(one for one in desk.pull(number).threads if one.id == thread)
    assert [first.comments[0].likes, desk.answers(number)] == [[], []]
    assert len(await desk.store.runs("dev")) == runs
    thread, _ = door.comment(REPO, number, "/plan dev", by=DEVELOPER)
    await desk.heard()
    liked = next(one for one in desk.pull(number).threads if one.id == thread)
    assert [one.name for one in liked.comments[0].likes] == [await desk.forge.login()]
    assert len(await desk.store.runs("dev")) > runs


async def test_an_apply_before_the_merge_needs_an_approval_of_the_newest_commit(
    desk: ReposDesk,
) -> None:
    careful = "apply: onCommand"
    await desk.branch_at(GROUP, ACCOUNT, environment=careful)
    await desk.heard()
    number = await desk.propose(GROUP, ACCOUNT, chat(2), environment=careful)
    await desk.heard()
    door = desk.hub.backdoor
    door.contributor(REPO, "approver@contoso.com")

    async def apply() -> str:
        before = len(desk.answers(number))
        door.comment(REPO, number, "/apply dev", by=DEVELOPER)
        await desk.heard()
        return "".join(desk.answers(number)[before:])

    door.vote(REPO, number, DEVELOPER, 10)
    assert "needs 1 approval" in await apply()
    door.vote(REPO, number, READER, 10)
    assert "needs 1 approval" in await apply()
    door.vote(REPO, number, "approver@contoso.com", 10)
    desk.world.declare(GROUP, ACCOUNT, chat(3), environment=careful)
    await door.commit(REPO, desk.world.files, branch="more", author=DEVELOPER)
    await desk.heard()
    assert "needs 1 approval" in await apply()
    assert not desk.world.get(CHAT_ID)
    door.vote(REPO, number, "approver@contoso.com", 10)
    await apply()
    assert desk.world.get(CHAT_ID)["sku"]["capacity"] == 3


async def test_drift_is_a_work_item_until_it_is_gone(desk: ReposDesk) -> None:
    await desk.branch_at(GROUP, ACCOUNT, chat(3), environment="selfHeal: report")
    await desk.heard()
    desk.world.patch(CHAT_ID, {"sku": {"capacity": 7}})
    await desk.sweep()
    (item,) = desk.hub.world.work_items.values()
    assert item.fields["System.State"] == "To Do"
    assert "7 → 3" in item.fields["System.Description"]
    desk.world.patch(CHAT_ID, {"sku": {"capacity": 3}})
    await desk.sweep()
    assert item.fields["System.State"] == "Done"
