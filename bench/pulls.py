"""Pull requests: how long it takes from the webhook to the comment with the plan."""

import re
import shutil
import statistics
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Any

from bench.azure import azure
from bench.result import Result
from bench.stage import Stage

if TYPE_CHECKING:
    from reconciler.local.repository import Repository

LATENCY_MS = 50.0
COLD_S, WARM_S = 3.0, 1.5
PATIENCE_S = 60.0
NEVER = "0 0 0 1 1 *"


def comments(stage: Stage, size: int = 100, times: int = 5) -> Iterator[Result]:
    """Everything answers after 50 ms: Azure, the forge, its Git. Cold: the first pull request that
    the app sees, whose repository it has not cloned; warm: the ones after it."""
    name = f"webhook to comment, {size} resources, {LATENCY_MS:.0f} ms away"
    stage.say(name)
    state, store = stage.settled(size)
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(dir=stage.folder)))
        repository, work = _started(stack, folder, state, stage.copy(store), stage, size)
        took = [_measured(repository, work, number) for number in range(times + 1)]
    yield Result(f"{name}: cold", took[0], "s", COLD_S)
    yield Result(f"{name}: warm, median of {times}", statistics.median(took[1:]), "s", WARM_S)


def _started(
    stack: ExitStack, folder: Path, state: Path, store: Path, stage: Stage, size: int
) -> "tuple[Repository, Path]":
    """The app, with an Azure that is as declared and a repository that declares it."""
    from bench.estate import Estate
    from reconciler.local.parts import part
    from reconciler.local.repository import make_repository, publish
    from reconciler.local.sandbox import APP_SETTINGS, READER, WRITER

    latency = ("--latency-ms", str(LATENCY_MS))
    started = part("emulate", "github", *latency, "--no-rate-limits", folder=folder, name="github")
    github = stack.enter_context(started).told()
    cloud = stack.enter_context(azure(state, latency_ms=LATENCY_MS))
    repository = make_repository(github)
    specs = Path(shutil.copytree(stage.specs(Estate.of(size)), folder / "specs"))
    work = publish(repository, specs, folder)
    environment = {
        **cloud.environment,
        "RECONCILER_FORGE": "github",
        "RECONCILER_REPO_URL": repository.address,
        "RECONCILER_SPECS_PATH": "specs",
        "RECONCILER_GIT_CACHE": str(folder / "git"),
        "RECONCILER_STATE": f"sqlite:{store}",
        "RECONCILER_SCHEDULE": NEVER,
        "RECONCILER_PLAN_CLIENT_ID": READER,
        "RECONCILER_APPLY_CLIENT_ID": WRITER,
        "GITHUB_REPOSITORY": repository.name,
        "GITHUB_TOKEN": "",
        **{name: github["environment"][name] for name in APP_SETTINGS},
    }
    state_of_host = ("--host-state", str(folder / "host"))
    app = part("host", *state_of_host, folder=folder, name="host", environment=environment)
    url = stack.enter_context(app).told()["url"]
    repository.door("webhook", url=f"{url}/api/webhooks/github")
    return repository, work


def _measured(repository: "Repository", work: Path, number: int) -> float:
    """Seconds from opening a pull request to its comment, by the forge's own clock."""
    from reconciler.local.repository import commit

    files = sorted((work / "specs").rglob("*.yaml"))
    changed = next(one for one in files if "kind: ModelDeployment" in one.read_text())
    text = changed.read_text(encoding="utf-8")
    branch = f"more-{number}"
    text = re.sub(r"capacity: \d+", f"capacity: {3 + number}", text, count=1)
    changed.write_text(text, encoding="utf-8")
    commit(work, "More of one model", branch=branch)
    begun = time.time()
    pull = repository.door("open_pull", repo=repository.name, head=branch, title="More")
    until = time.monotonic() + PATIENCE_S
    while time.monotonic() < until:
        made = [one for one in _requests(repository) if _is_comment(one, pull)]
        if made:
            return float(made[0]["at"]) - begun
        time.sleep(0.05)
    raise SystemExit(f"pull request {pull} got no comment within {PATIENCE_S:.0f} s")


def _requests(repository: "Repository") -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = repository.door("requests")["requests"]
    return found


def _is_comment(one: dict[str, Any], pull: int) -> bool:
    path = f"/issues/{pull}/comments"
    return bool(one["method"] == "POST" and one["path"].endswith(path) and one["status"] == 201)
