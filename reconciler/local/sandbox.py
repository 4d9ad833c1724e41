"""Everything around the Function App on one machine: an emulated Azure, a Git repository with the
specs, the app itself. Each part is a process of its own, so that it is as far away as in the cloud.
"""

import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Final

from reconciler.core.errors import Permanent

READER: Final = "aaaaaaaa-0000-0000-0000-000000000001"
"""Who plans: may read the emulated Azure and not write."""
WRITER: Final = "aaaaaaaa-0000-0000-0000-000000000002"
"""Who applies."""
SETTING: Final = re.compile(r"\bsetting:\s*(\w+)")
BRANCH: Final = "main"


@dataclass(frozen=True)
class Sandbox:
    """Where everything is."""

    app: str
    """The Function App: ``<app>/api/health``."""
    key: str
    """Opens its functions: header ``x-functions-key``."""
    azure: str
    repository: str
    """A bare Git repository: what the app reads."""
    work: str
    """A clone of it to edit: commit and push."""
    state: str
    """For ``RECONCILER_STATE``."""
    log: str
    """What the app says."""
    environment: Mapping[str, str]
    """With these variables the command line sees what the app sees."""

    def told(self) -> dict[str, Any]:
        return asdict(self)


@contextmanager
def sandbox(
    specs: Path, folder: Path, environments: tuple[str, ...] = (), schedule: str = "*/15 * * * * *"
) -> Iterator[Sandbox]:
    """Start everything in ``folder``; it ends with the block. Raises Permanent when a part does
    not come up."""
    work = make_repository(specs, folder, environments)
    state = f"sqlite:{folder / 'state.db'}"
    with ExitStack() as stack:
        azure = stack.enter_context(
            _part("emulate", "azure", "--time-scale", "0.02", "--reader", READER, told=folder)
        )
        environment = {
            **azure["environment"],
            **made_up_secrets(specs),
            "RECONCILER_STATE": state,
            "RECONCILER_REPO_URL": str(folder / "specs.git"),
            "RECONCILER_BRANCH": BRANCH,
            "RECONCILER_SPECS_PATH": specs.name,
            "RECONCILER_GIT_CACHE": str(folder / "git"),
            "RECONCILER_SCHEDULE": schedule,
            "RECONCILER_PLAN_CLIENT_ID": READER,
            "RECONCILER_APPLY_CLIENT_ID": WRITER,
            "RECONCILER_POLL_S": "0.2",
        }
        host_state = str(folder / "host")
        app = stack.enter_context(
            _part("host", "--host-state", host_state, told=folder, environment=environment)
        )
        yield Sandbox(
            app=app["url"],
            key=app["key"],
            azure=azure["arm"],
            repository=str(folder / "specs.git"),
            work=str(work),
            state=state,
            log=str(folder / "host.log"),
            environment=environment,
        )


@contextmanager
def _part(
    *arguments: str, told: Path, environment: Mapping[str, str] | None = None
) -> Iterator[dict[str, Any]]:
    """A command of ours as a process; the value is the line of JSON that it begins with."""
    command = [sys.executable, "-m", "reconciler", *arguments]
    log = told / f"{arguments[0]}.log"
    with (
        log.open("w") as errors,
        subprocess.Popen(  # noqa: S603 - ourselves
            command,
            stdout=subprocess.PIPE,
            stderr=errors,
            env={**os.environ, **(environment or {})},
            text=True,
            start_new_session=True,  # Ctrl-C is ours; what we started ends when we say so
        ) as process,
    ):
        assert process.stdout is not None
        try:
            line = process.stdout.readline()
            if not line:
                raise Permanent(f"{arguments[0]} did not start: {log.read_text()[-2000:]}")
            yield json.loads(line)
        finally:
            process.terminate()
            try:
                process.wait(timeout=10)
            except subprocess.TimeoutExpired:
                process.kill()


def made_up_secrets(specs: Path) -> dict[str, str]:
    """A value for every secret that the specs take from a setting."""
    texts = [path.read_text() for path in specs.rglob("*.yaml")]
    names = {name for text in texts for name in SETTING.findall(text)}
    return {f"RECONCILER_SECRET_{name}": f"a made-up {name.lower()}" for name in sorted(names)}


def make_repository(specs: Path, folder: Path, environments: tuple[str, ...] = ()) -> Path:
    """A bare repository ``specs.git`` with the specs as its first commit, and a clone of it, whose
    folder is returned. ``environments``: only these; none: all."""
    bare, work = folder / "specs.git", folder / "work"
    git(folder, "init", "--quiet", "--bare", f"--initial-branch={BRANCH}", str(bare))
    git(folder, "clone", "--quiet", str(bare), str(work))
    shutil.copytree(specs, work / specs.name)
    if environments:
        for path in (work / specs.name / "environments").glob("*.yaml"):
            if path.stem not in environments:
                path.unlink()
    commit(work, "The specs as they are")
    return work


def commit(work: Path, message: str) -> str:
    """Commit everything and push it: the new commit."""
    git(work, "checkout", "--quiet", "-B", BRANCH)
    git(work, "add", "--all")
    git(work, "commit", "--quiet", "--message", message)
    git(work, "push", "--quiet", "origin", BRANCH)
    return git(work, "rev-parse", "HEAD").strip()


def git(folder: Path, *arguments: str) -> str:
    """Run Git as nobody in particular, without anybody's configuration. Raises Permanent."""
    found = shutil.which("git")
    if found is None:
        raise Permanent("git is not installed: the sandbox keeps its specs in a repository")
    who = {"NAME": "sandbox", "EMAIL": "sandbox@localhost"}
    environment = {
        "PATH": os.environ.get("PATH", ""),
        "HOME": str(folder),
        "GIT_CONFIG_NOSYSTEM": "1",
        "GIT_CONFIG_GLOBAL": os.devnull,
        **{f"GIT_{role}_{k}": v for role in ("AUTHOR", "COMMITTER") for k, v in who.items()},
    }
    answer = subprocess.run(  # noqa: S603 - no shell
        [found, "-C", str(folder), *arguments],
        env=environment, capture_output=True, text=True, check=False,
    )  # fmt: skip
    if answer.returncode:
        raise Permanent(f"git {arguments[0]} failed: {answer.stderr.strip()}")
    return answer.stdout
