"""The specs as a repository of the emulated GitHub, and a clone of it to work in."""

import os
import shutil
import subprocess
from base64 import b64encode
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from reconciler.core.errors import Permanent
from reconciler.local.asking import ask

BRANCH: Final = "main"
CHECK: Final = "reconciler"
"""What branch protection asks for before anything is merged."""
NAME: Final = "estate"
DEVELOPER: Final = "developer"
EMAIL: Final = f"{DEVELOPER}@localhost"
MAINTAINER: Final = "maintainer"
LEVELS: Final = {DEVELOPER: "write", "visitor": "read"}
README: Final = """\
# Estate

What is declared here is applied once it is merged. Open a pull request to see what that would do;
comment `/help` on it to see what else can be said.
"""


@dataclass(frozen=True)
class Repository:
    """A repository of the emulated GitHub."""

    url: str
    """The emulated GitHub: its pages."""
    api: str
    """The base of its REST API."""
    name: str
    """``owner/name``"""
    tokens: Mapping[str, str]
    """Of the developer, and of the maintainer."""

    @property
    def page(self) -> str:
        return f"{self.url}/{self.name}"

    @property
    def address(self) -> str:
        """What Git clones."""
        return f"{self.page}.git"

    def door(self, action: str, **arguments: Any) -> Any:
        """What its pages do for people, without asking who they are."""
        return ask(f"{self.url}/_emulator/{action}", arguments)["result"]

    def api_of(self, login: str, path: str, body: Any = None, method: str | None = None) -> Any:
        """A request below the repository's part of the REST API, as somebody."""
        headers = {"Authorization": f"Bearer {self.tokens[login]}"}
        return ask(f"{self.api}/repos/{self.name}{path}", body, method=method, headers=headers)


def make_repository(github: Mapping[str, Any]) -> Repository:
    """A private repository with nothing but a README, on the emulator that said this of itself."""
    about = Repository(github["url"], github["api"], f"{github['owner']}/{NAME}", {})
    files = {"README.md": README}
    about.door("create_repository", name=NAME, files=files, users=LEVELS, private=True)
    tokens = {login: about.door("token", login=login) for login in (DEVELOPER, MAINTAINER)}
    return Repository(about.url, about.api, about.name, tokens)


def publish(
    repository: Repository, specs: Path, folder: Path, environments: tuple[str, ...] = ()
) -> Path:
    """Push the specs, ask for the check before merges: the clone, which is the developer's.
    ``environments``: only these; none: all."""
    work = folder / "work"
    header = f"http.{repository.url}/.extraHeader={_authorization(repository.tokens[DEVELOPER])}"
    git(folder, "clone", "--quiet", "--config", header, repository.address, str(work))
    git(work, "config", "user.name", DEVELOPER)
    git(work, "config", "user.email", EMAIL)
    shutil.copytree(specs, work / specs.name)
    if environments:
        for path in (work / specs.name / "environments").glob("*.yaml"):
            if path.stem not in environments:
                path.unlink()
    commit(work, "The specs as they are")
    repository.door("protect", repo=repository.name, contexts=[CHECK])
    return work


def _authorization(token: str) -> str:
    # Kept in the clone's configuration: its address can be opened and shown.
    return f"Authorization: Basic {b64encode(f'x-access-token:{token}'.encode()).decode()}"


def commit(work: Path, message: str, branch: str = BRANCH) -> str:
    """Commit everything to a branch and push it: the new commit."""
    git(work, "checkout", "--quiet", "-B", branch)
    git(work, "add", "--all")
    git(work, "commit", "--quiet", "--message", message)
    git(work, "push", "--quiet", "origin", branch)
    return git(work, "rev-parse", "HEAD").strip()


def git(folder: Path, *arguments: str) -> str:
    """Run Git as the developer, without anybody's own configuration. Raises Permanent."""
    found = shutil.which("git")
    if found is None:
        raise Permanent("git is not installed: the sandbox keeps its specs in a repository")
    who = {"NAME": DEVELOPER, "EMAIL": EMAIL}
    environment = {
        "PATH": os.environ.get("PATH", ""),
        "HOME": str(folder),
        "GIT_CONFIG_NOSYSTEM": "1",
        "GIT_CONFIG_GLOBAL": os.devnull,
        "GIT_TERMINAL_PROMPT": "0",
        **{f"GIT_{role}_{k}": v for role in ("AUTHOR", "COMMITTER") for k, v in who.items()},
    }
    answer = subprocess.run(  # noqa: S603 - no shell
        [found, "-C", str(folder), *arguments],
        env=environment, capture_output=True, text=True, check=False,
    )  # fmt: skip
    if answer.returncode:
        raise Permanent(f"git {arguments[0]} failed: {answer.stderr.strip()}")
    return answer.stdout
