"""A desk whose specs, pull requests and people are on an emulated GitHub, over HTTP and git."""

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from reconciler.app import SystemClock
from reconciler.core.model import Run
from reconciler.core.preview import Preview
from reconciler.forge import GitHub, GitHubSettings
from reconciler.git import GitSettings, GitSpecs
from reconciler.local.github import EmulatedGitHub
from reconciler.service import Remembered
from tests.desk import Desk, a_desk

REPOSITORY = "contoso/estate"


@dataclass(kw_only=True)
class PullDesk(Desk):
    """What people do, and what they then see."""

    hub: EmulatedGitHub
    forge: GitHub

    async def branch_at(self, *documents: str, environment: str = "", **files: str) -> str:
        """Push these specs to the branch."""
        self.world.declare(*documents, environment=environment, **files)
        return await self.hub.backdoor.commit(REPOSITORY, self.world.files, "Specs")

    async def propose(
        self,
        *documents: str,
        environment: str = "",
        branch: str = "more",
        author: str = "developer",
        into: str = REPOSITORY,
        **files: str,
    ) -> int:
        """A pull request that makes the specs these; its number."""
        self.world.declare(*documents, environment=environment, **files)
        self.hub.backdoor.allow(REPOSITORY, author, "write")
        changed: Mapping[str, str | None] = self.world.files
        await self.hub.backdoor.commit(into, changed, branch=branch, author=author)
        return await self.hub.backdoor.open_pull(
            REPOSITORY, branch, f"Change {branch}", author=author
        )

    async def look(self, number: int, **more: str) -> Preview:
        """What a webhook about it comes to."""
        await self.queue.send({"pull": str(number), **more})
        await self.work()
        return await self.preview(number)

    async def pushed(self) -> None:
        """What a webhook about the branch comes to."""
        await self.queue.send({"branch": await self.service.specs.head()})
        await self.work()

    async def merge(self, number: int) -> str:
        """Press the button, and let the app hear of it."""
        commit = await self.hub.backdoor.merge(REPOSITORY, number)
        await self.queue.send({"pull": str(number)})
        await self.pushed()
        return commit

    async def say(self, number: int, text: str, author: str = "maintainer") -> int:
        """Somebody comments, and the app hears of it; the comment's id."""
        comment = await self.write(number, text, author)
        await self.queue.send({"comment": str(comment), "pull": str(number)})
        await self.work()
        return comment

    async def write(self, number: int, text: str, author: str = "maintainer") -> int:
        token = self.hub.backdoor.token(author)
        path = f"/repos/{REPOSITORY}/issues/{number}/comments"
        return int((await self.call("POST", path, token, {"body": text}))["id"])

    async def call(self, method: str, path: str, token: str, body: Any = None) -> Any:
        """A person's own request to the forge."""
        import aiohttp

        headers = {"Authorization": f"Bearer {token}"}
        async with (
            aiohttp.ClientSession(headers=headers) as session,
            session.request(method, self.hub.api + path, json=body) as answer,
        ):
            assert answer.status < 300, await answer.text()
            return await answer.json()

    async def get(self, path: str) -> Any:
        token = self.hub.backdoor.token("maintainer")
        return await self.call("GET", f"/repos/{REPOSITORY}{path}?per_page=100", token)

    async def preview(self, number: int) -> Preview:
        found = await self.store.preview(number)
        assert found is not None
        return found

    async def comments(self, number: int) -> list[str]:
        """What the app said on a pull request."""
        found = await self.get(f"/issues/{number}/comments")
        return [one["body"] for one in found if one["user"]["login"].endswith("[bot]")]

    async def comment(self, number: int, marker: str = "plan") -> str:
        """The one of that marker; "" when there is none."""
        start = f"<!-- reconciler:{marker} -->"
        found = [one for one in await self.comments(number) if one.startswith(start)]
        assert len(found) < 2, found
        return found[0] if found else ""

    async def answers(self, number: int) -> list[str]:
        return [one for one in await self.comments(number) if ":answer-" in one.partition("\n")[0]]

    async def reactions(self, comment: int) -> list[str]:
        found = await self.get(f"/issues/comments/{comment}/reactions")
        return sorted(one["content"] for one in found)

    async def marks(self, number: int) -> dict[str, str]:
        """Every check run of its newest commit: conclusion, or status while it has none."""
        head = (await self.get(f"/pulls/{number}"))["head"]["sha"]
        runs = (await self.get(f"/commits/{head}/check-runs"))["check_runs"]
        return {one["name"]: one["conclusion"] or one["status"] for one in runs}

    async def issues(self) -> list[tuple[str, str]]:
        """Title and state of every issue that is no pull request."""
        token = self.hub.backdoor.token("maintainer")
        found = await self.call("GET", f"/repos/{REPOSITORY}/issues?state=all", token)
        return [(one["title"], one["state"]) for one in found if "pull_request" not in one]

    async def approve(self, number: int, by: str = "maintainer") -> None:
        self.hub.backdoor.allow(REPOSITORY, by, "write")
        path = f"/repos/{REPOSITORY}/pulls/{number}/reviews"
        await self.call("POST", path, self.hub.backdoor.token(by), {"event": "APPROVE"})

    async def applied(self) -> Run:
        """The newest apply."""
        found = [one for one in await self.store.runs("dev") if one.mode == "apply"]
        return await self.run(found[0].id)


@asynccontextmanager
async def a_pull_desk(folder: Path, **options: Any) -> AsyncIterator[PullDesk]:
    async with EmulatedGitHub() as hub, a_desk(folder / "desk", **options) as desk:
        await hub.backdoor.create_repository("estate", {"README.md": "Specs.\n"})
        hub.backdoor.allow(REPOSITORY, "maintainer", "write")
        env = {**hub.environment(), "RECONCILER_REPO_URL": f"{hub.url}/{REPOSITORY}.git"}
        del env["GITHUB_TOKEN"]
        # Where the forge is in trouble, these tests are about what comes of it.
        given_up_soon = replace(GitHubSettings.from_env(env), patience_s=0.2)
        forge = GitHub(given_up_soon, SystemClock())
        given = GitSettings(url=env["RECONCILER_REPO_URL"], cache=folder / "git")
        specs = Remembered(GitSpecs(given, forge.git_credentials))
        link = "https://app.example/api/runs/{run}"
        desk.service = replace(desk.service, specs=specs, forge=forge, run_link=link)
        parts = {name: getattr(desk, name) for name in desk.__dataclass_fields__}
        try:
            yield PullDesk(**parts, hub=hub, forge=forge)
        finally:
            await forge.close()
