"""Fixtures: a repository with specs, a server for it, and readers of it."""

from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest

from reconciler.git import GitSettings, GitSpecs
from reconciler.git.credentials import Credentials
from tests.git.origin import Origin, Server, serving

type Reader = Callable[..., GitSpecs]

FILES = {
    "README.md": "not a spec\n",
    "specs/models/chat.yaml": "kind: ModelDeployment\nname: ü\n",
    "specs/environments/dev.yml": "kind: Environment\r\n",
    "specs/notes.txt": "not YAML",
    "src/app.yaml": "not: ours",
}
SPECS = {path: FILES[path] for path in FILES if path.endswith(("chat.yaml", "dev.yml"))}


@pytest.fixture
def origin(tmp_path: Path) -> Origin:
    return Origin(tmp_path / "served" / "estate.git")


@pytest.fixture
async def server(origin: Origin) -> AsyncIterator[Server]:
    async with serving(origin.path.parent) as one:
        yield one


@pytest.fixture
def reader(tmp_path: Path) -> Reader:
    """Makes readers that share a cache, over any URL."""

    def make(url: str, credentials: Credentials | None = None, **settings: object) -> GitSpecs:
        given = {"cache": tmp_path / "cache", "timeout_s": 30.0, **settings}
        return GitSpecs(GitSettings(url=url, **given), credentials)  # type: ignore[arg-type]

    return make


@pytest.fixture
def specs(server: Server, reader: Reader) -> GitSpecs:
    return reader(f"{server.url}/estate.git")
