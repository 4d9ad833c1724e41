"""The simulation with an emulated GitHub: instances that look after pull requests, people who open,
push, comment and merge, and what everybody sees in the end.

The forge, its git and the adapter are the real ones, over HTTP; time is the simulation's.
"""

import asyncio
import json
import pickle
import re
import shutil
import subprocess
from collections.abc import AsyncIterator, Iterable, Mapping
from contextlib import ExitStack, asynccontextmanager, suppress
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any
from unittest.mock import patch

import aiohttp

from reconciler.forge import GitHub, GitHubSettings
from reconciler.local.azure.state import dump_state, load_state
from reconciler.local.github import EmulatedGitHub
from reconciler.local.github.git import Git, environment
from reconciler.local.github.world import PERMISSIONS, Token
from reconciler.service import Service
from reconciler.state.codec import encode
from reconciler.state.sqlite import SqliteStore
from tests.engine.killing import Killed, settled
from tests.engine.world import World
from tests.proofs.simulation import (
    Instance,
    Luck,
    Simulation,
    TrueTime,
    WrongClock,
    a_simulation,
    true_now,
)

REPOSITORY = "contoso/estate"
BOT = "azure-ai-reconciler[bot]"
SHA = re.compile(r"[0-9a-f]{40}")
AGAIN_S = 30.0
"""As host.json has it."""
LASTING = frozenset({"log", "diff-tree", "merge-base", "rev-list", "ls-tree", "cat-file"})
LASTING |= {"merge-tree", "commit-tree", "hash-object", "rev-parse"}
"""What git says of commits by their names stays true; so does what it makes of the same content."""


class QuickGit:
    """The emulator's git, without leaving the loop: while that waits for a process, time jumps."""

    def __init__(self) -> None:
        self._known: dict[Any, tuple[int, bytes, bytes]] = {}

    def _run(
        self, folder: Path, arguments: tuple[str, ...], data: bytes, env: Mapping[str, str] | None
    ) -> tuple[int, bytes, bytes]:
        lasting = arguments[0] in LASTING and "refs/" not in " ".join(arguments)
        lasting &= arguments[0] == "hash-object" or any(SHA.search(one) for one in arguments)
        key = (folder, arguments, data, json.dumps(dict(env or {})))
        if key not in self._known or not lasting:
            done = subprocess.run(
                ["git", *arguments],
                cwd=folder,
                env=environment(env),
                input=data,
                capture_output=True,
                check=False,
            )
            self._known[key] = (done.returncode, done.stdout, done.stderr)
        return self._known[key]

    def __enter__(self) -> None:
        quick = self

        async def attempt(
            self: Git, *arguments: str, data: bytes = b"", env: Mapping[str, str] | None = None
        ) -> tuple[int, str, str]:
            code, out, error = quick._run(self.folder, arguments, data, env)
            return code, out.decode("utf-8", "replace"), error.decode()

        async def blob(self: Git, sha: str) -> bytes:
            return quick._run(self.folder, ("cat-file", "blob", sha), b"", None)[1]

        self._stack = ExitStack()
        self._stack.enter_context(patch.object(Git, "attempt", attempt))
        self._stack.enter_context(patch.object(Git, "blob", blob))

    def __exit__(self, *error: object) -> None:
        self._stack.close()


@dataclass
class HubSpecs:
    """``ports.Specs`` straight from the emulator's repository."""

    git: Git
    texts: dict[str, Mapping[str, str]] = field(default_factory=dict)

    async def head(self) -> str:
        found = await self.git.resolve("refs/heads/main")
        assert found
        return found

    async def read(self, commit: str) -> Mapping[str, str]:
        if commit not in self.texts:
            lines = (await self.git.run("ls-tree", "-r", commit, "--", "specs")).splitlines()
            files = [line.partition("\t") for line in lines]
            self.texts[commit] = {
                path: (await self.git.blob(meta.split()[2])).decode() for meta, _, path in files
            }
        return self.texts[commit]


def meets(forge: GitHub, luck: Luck) -> None:
    """Let every request to GitHub meet an instance's luck on the way and back."""
    client: Any = forge._client
    plain = client._once

    async def once(method: str, path: str, *more: Any) -> Any:
        await luck.meet(f"{method} {path}")
        mine = luck.calls
        luck.calls += 1
        luck.die_if_due(mine, after=False)
        answer = await plain(method, path, *more)
        luck.die_if_due(mine, after=True)
        await luck.meet()
        return answer

    client._once = once


@dataclass
class Kept:
    """Everything outside the instances, at one moment."""

    at: float
    azure: str
    hub: bytes


@dataclass
class PullSimulation:
    """A simulation, a forge, and the people there."""

    simulation: Simulation
    hub: EmulatedGitHub
    token: str = ""

    def __post_init__(self) -> None:
        # The App's key signs by the machine's time, which is not the simulation's: its token is
        # one that lasts.
        self.token, _ = self.hub.world.installation_token(PERMISSIONS, None)
        kept = self.hub.world.tokens[self.token]
        self.hub.world.tokens[self.token] = Token(kept.caller)

    @property
    def folder(self) -> Path:
        return self.simulation.folder

    def instance(self, name: str, luck: Luck | None = None, **more: Any) -> Instance:
        """Start a process of the service, with its own way to the forge."""
        luck = luck or Luck()
        env = {**self.hub.environment(), "GITHUB_REPOSITORY": REPOSITORY}
        forge = GitHub(GitHubSettings.from_env(env), WrongClock(luck, more.get("ahead_s", 0.0)))
        tokens: Any = forge._identity
        tokens._token, tokens._until = self.token, true_now() + timedelta(days=365)
        forge._login = BOT
        meets(forge, luck)
        link = "https://app.example/api/runs/{run}"
        one = self.simulation.instance(name, luck, forge=forge, run_link=link, **more)
        one.parts.append(forge)
        one.again_s = AGAIN_S
        return one

    # People

    async def commit(self, *documents: str, branch: str = "main", **more: Any) -> str:
        files = specs(*documents, **more)
        return await self.hub.backdoor.commit(REPOSITORY, files, branch=branch)

    async def propose(self, *documents: str, branch: str = "more", **more: Any) -> int:
        """A pull request that makes the specs these; its number."""
        await self.commit(*documents, branch=branch, **more)
        return await self.hub.backdoor.open_pull(REPOSITORY, branch, f"Change {branch}")

    async def merge(self, number: int) -> str:
        return await self.hub.backdoor.merge(REPOSITORY, number)

    async def say(self, number: int, text: str, author: str = "maintainer") -> int:
        made = await self.call("POST", f"/issues/{number}/comments", author, {"body": text})
        return int(made["id"])

    async def approve(self, number: int, by: str = "reviewer") -> None:
        self.hub.backdoor.allow(REPOSITORY, by, "write")
        await self.call("POST", f"/pulls/{number}/reviews", by, {"event": "APPROVE"})

    async def call(self, method: str, path: str, who: str, body: Any) -> Any:
        headers = {"Authorization": f"Bearer {self.hub.backdoor.token(who)}"}
        url = f"{self.hub.api}/repos/{REPOSITORY}{path}"
        async with (
            aiohttp.ClientSession(headers=headers) as session,
            session.request(method, url, json=body) as answer,
        ):
            assert answer.status < 300, await answer.text()
            return await answer.json()

    # Going back

    async def keep(self) -> Kept:
        """Everything as it is now, to be put back as often as one likes."""
        azure, world = self.simulation.azure, self.hub.world
        saved = json.dumps(dump_state(azure.store, azure.verbs))
        hub = pickle.dumps({k: v for k, v in vars(world).items() if k != "clock"})
        await self._close()
        shutil.copy(self.folder / "state.db", self.folder / "kept.db")
        repository = world.repositories[REPOSITORY].folder
        shutil.copytree(repository / "refs", self.folder / "kept-refs")
        return Kept(asyncio.get_running_loop().time(), saved, hub)

    async def put_back(self, kept: Kept) -> None:
        azure, world = self.simulation.azure, self.hub.world
        await self._close()
        loop: Any = asyncio.get_running_loop()
        loop._clock.now = kept.at
        load_state(azure.store, azure.verbs, json.loads(kept.azure))
        vars(world).update(pickle.loads(kept.hub))
        repository = world.repositories[REPOSITORY].folder
        shutil.rmtree(repository / "refs")
        shutil.copytree(self.folder / "kept-refs", repository / "refs")
        for end in ("", "-wal", "-shm"):
            (self.folder / f"state.db{end}").unlink(missing_ok=True)
        shutil.copy(self.folder / "kept.db", self.folder / "state.db")
        self.simulation.state = SqliteStore(self.folder / "state.db", true_now)
        self.simulation.made.clear()
        azure.requests.clear()

    async def _close(self) -> None:
        """SQLite puts its log into the file when the last connection is closed."""
        for one in self.simulation.instances:
            await one.close()
        self.simulation.instances.clear()
        self.simulation.state.close()

    def lose_messages(self) -> None:
        """Whatever was on the queue is gone."""
        database = self.simulation.state._db
        with database.transaction():
            database.write("DELETE FROM messages")

    # Seeing

    async def picture(self) -> dict[str, Any]:
        """What people see on the forge, Azure, what is owned, and how the environment stands."""
        state, azure = self.simulation.state, self.simulation.azure
        owned = await state.owned("dev")
        status = await state.status("dev")
        deleted = [
            one.path.rpartition("/")[2]
            for one in azure.requests.entries
            if one.method == "DELETE" and one.status in (200, 202)
        ]
        text = json.dumps({one.id.lower(): settled(one.body) for one in azure.store})
        return {
            **seen(self.hub),
            "azure": json.loads(text.replace(azure.url, "(azure)")),
            "owned": {key: json.loads(encode(one)) for key, one in owned.items()},
            "made": dict(self.simulation.made),
            "deleted": deleted,
            "open runs": len(await state.open_runs()),
            "open pulls": sorted(one.pull for one in await state.open_previews()),
            "status": {
                "applied": status.applied_commit == await self.simulation.branch.head(),
                "failures": status.failures,
                "drift": status.drift,
                "held by": status.held_by,
                "issue": status.issue,
                "behind": bool(status.behind_since),
            },
        }


def specs(*documents: str, environment: str = "prune: true", **files: str) -> Mapping[str, str]:
    world = World(None, Path(), None)  # type: ignore[arg-type]
    world.declare(*documents, environment=environment, **files)
    return world.files


def seen(hub: EmulatedGitHub) -> dict[str, Any]:
    """What the app has made on the forge: comments, signs, checks and issues, without names and
    times that differ from run to run."""
    repository = hub.world.repositories[REPOSITORY]
    comments: dict[str, Any] = {}
    for issue in repository.issues.values():
        asked = [one.id for one in issue.comments if one.user.login != BOT]
        for one in issue.comments:
            if one.user.login != BOT:
                signs = sorted(sign.content for sign in one.reactions)
                comments[f"{issue.number} {one.body} ({asked.index(one.id)})"] = signs
                continue
            marker, _, text = one.body.partition("\n")
            for place, number in enumerate(asked):
                marker = marker.replace(f"answer-{number} ", f"answer to {place} ")
            comments.setdefault(f"{issue.number} {marker}", []).append(plain(text))
    checks: dict[str, Any] = {}
    # When what was told of a merged one was not written down, its own check says that it is over.
    over = {pull.head_sha for issue, pull in repository.pulls() if issue.state != "open"}
    for place, suite in enumerate(repository.suites):
        newest = {run.name: run for run in suite.runs}
        for name, run in newest.items():
            said = f"{run.status} {run.conclusion} {run.title}"
            own = name == "reconciler" and suite.sha in over
            checks[f"commit {place} {name}"] = run.status if own else said
    opened = [one for one in repository.issues.values() if one.pull is None]
    issues = [(one.title, one.state, plain(one.body or "")) for one in opened]
    return {"comments": comments, "checks": checks, "issues": issues}


def plain(text: str) -> str:
    """A text without ids of runs and commits, addresses, times and durations."""
    text = re.sub(r"http://127\.0\.0\.1:\d+", "(here)", text)
    text = re.sub(r"\b\d{12}-[\w-]+-\d{4}\b", "(run)", text)
    text = re.sub(r"\b[0-9a-f]{7,40}\b|\b[0-9a-f]+…[0-9a-f]+\b", "#", text)
    text = re.sub(r"\d{4}-\d\d-\d\d([T ,]+(at )?\d\d:\d\d(:\d\d)?(\.\d+)?(Z|\+00:00)?)?", "@", text)
    text = re.sub(r"\d\d\\?:\d\d(\\?:\d\d)?", "@", text)
    text = re.sub(r"(\d+(\.\d+)? (h|d|min|s)\b ?)+", "(so long) ", text)
    return re.sub(r" +", " ", text).strip()


@asynccontextmanager
async def a_pull_simulation(folder: Path, **options: Any) -> AsyncIterator[PullSimulation]:
    with QuickGit():
        async with (
            EmulatedGitHub(clock=TrueTime(), rate_limits=False) as hub,
            a_simulation(folder, time_scale=1.0, **options) as simulation,
        ):
            await hub.backdoor.create_repository("estate", {"README.md": "Specs.\n"})
            repository = hub.world.repositories[REPOSITORY]
            simulation.branch = HubSpecs(Git(repository.folder))  # type: ignore[assignment]
            yield PullSimulation(simulation, hub)


async def send(service: Service, messages: Iterable[Mapping[str, str]]) -> None:
    """What webhooks come to."""
    for one in messages:
        await service.queue.send(one)


async def work(pulls: PullSimulation, one: Instance, longest_s: float = 4 * 3600.0) -> None:
    """Let an instance work until there are no messages left, or until it is dead."""
    hosting = asyncio.create_task(one.host())
    loop = asyncio.get_running_loop()
    begun = loop.time()
    while pulls.simulation.messages() and not one.luck.dead:
        await asyncio.sleep(5.0)
        if hosting.done():
            hosting.result()  # what it died of is raised
            return
        assert loop.time() - begun < longest_s, await pulls.simulation.state.open_runs()
    hosting.cancel()
    with suppress(Killed):
        await asyncio.gather(hosting, return_exceptions=True)
