"""The sandbox comes up, works, and leaves nothing behind."""

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psutil
import pytest

from reconciler.local.asking import ask
from reconciler.local.guide import places, steps
from reconciler.local.repository import (
    DEVELOPER,
    MAINTAINER,
    Repository,
    commit,
    git,
    make_repository,
    publish,
)
from reconciler.local.sandbox import Sandbox, made_up_secrets

ROOT = Path(__file__).parents[2]
GROUP = "apiVersion: aigitops/v1\nkind: ResourceGroup\nmetadata: {name: rg-ai-dev}\nspec: {}\n"


@pytest.fixture
def specs(tmp_path: Path) -> Path:
    found = tmp_path / "specs"
    shutil.copytree(ROOT / "specs" / "environments", found / "environments")
    (found / "group.yaml").write_text(GROUP)
    return found


@contextmanager
def told_by(*command: str, folder: Path, **environment: str) -> Iterator[Any]:
    """The process and the line of JSON that it begins with."""
    with subprocess.Popen(
        [sys.executable, "-m", "reconciler", *command],
        stdout=subprocess.PIPE, text=True, cwd=ROOT,
        env={**os.environ, "TMPDIR": str(folder), **environment},
    ) as process:  # fmt: skip
        assert process.stdout is not None
        try:
            yield process, json.loads(process.stdout.readline())
        finally:
            process.send_signal(signal.SIGINT)
            assert process.wait(timeout=30) == 0


def test_everything_comes_up_works_and_ends_with_ctrl_c(tmp_path: Path, specs: Path) -> None:
    words = ("sandbox", str(specs), "-e", "dev", "--format", "json", "--schedule", "0 0 0 1 1 *")
    left = {"GITHUB_TOKEN": "somebody's own", "GITHUB_REPOSITORY": "some/where"}
    with told_by(*words, folder=tmp_path, **left) as (process, told):
        place = Sandbox(**told)
        parts = psutil.Process(process.pid).children(recursive=True)
        headers = {"x-functions-key": place.key}
        found = ask(f"{place.app}/api/environments", headers=headers)
        assert [one["name"] for one in found["environments"]] == ["dev"]
        a_pull_request_is_planned_merged_and_applied(place)
        the_lines_that_are_printed_are_lines_of_a_shell(place)
    assert len(parts) >= 3
    assert not [part for part in parts if part.is_running()]
    assert [path.name for path in tmp_path.iterdir()] == ["specs"]


def a_pull_request_is_planned_merged_and_applied(place: Sandbox) -> None:
    """By the app, which the webhooks alone have told of it."""
    work = Path(place.work)
    (work / "specs" / "group.yaml").write_text(f"{GROUP}# more\n")
    commit(work, "More", "more")
    repository = Repository(place.github, place.api, place.repository, place.tokens)
    rules = repository.api_of(MAINTAINER, "/branches/main/protection")
    assert rules["required_status_checks"]["contexts"] == ["reconciler"]
    asked = {"title": "More", "head": "more", "base": "main"}
    made = repository.api_of(DEVELOPER, "/pulls", asked)
    assert made["number"] == 1

    def conclusion() -> str | None:
        path = f"/commits/{made['head']['sha']}/check-runs?check_name=reconciler"
        found = repository.api_of(MAINTAINER, path)["check_runs"]
        return found[0]["conclusion"] if found else None

    assert sooner_or_later(conclusion) == "success"
    merged = repository.api_of(MAINTAINER, "/pulls/1/merge", {}, "PUT")["sha"]

    def applied() -> bool:
        headers = {"x-functions-key": place.key}
        (found,) = ask(f"{place.app}/api/environments", headers=headers)["environments"]
        return bool(found["appliedCommit"] == merged)

    assert sooner_or_later(applied)


def sooner_or_later[T](look: Callable[[], T]) -> T:
    """What it gives once it gives something."""
    until = time.monotonic() + 60
    while not (found := look()):
        assert time.monotonic() < until
        time.sleep(0.1)
    return found


def the_lines_that_are_printed_are_lines_of_a_shell(place: Sandbox) -> None:
    """What the steps define is what they use: the token, the address, the way to ask."""
    assert f"{place.github}/{place.repository}\n" in places(place)
    lines = [line.strip() for line in steps(place).splitlines() if line.startswith("  ")]
    defining = [one for one in lines if one.startswith(("api=", "as()", "developer=", "number="))]
    comment = next(one for one in lines if "/issues/$number/comments" in one)
    script = "\n".join([*defining, comment])
    answer = subprocess.run(["bash", "-euc", script], capture_output=True, text=True, check=True)
    assert json.loads(answer.stdout)["body"] == "/plan"
    assert json.loads(answer.stdout)["user"]["login"] == DEVELOPER


@pytest.fixture
def served(tmp_path: Path) -> Iterator[Callable[..., Repository]]:
    with told_by("emulate", "github", folder=tmp_path) as (_, told):
        yield lambda: make_repository(told)


def test_a_folder_becomes_a_repository_and_whoever_commits_in_its_clone_can_push(
    tmp_path: Path, served: Callable[..., Repository]
) -> None:
    repository = served()
    work = publish(repository, ROOT / "specs", tmp_path, ("dev",))
    assert [path.stem for path in (work / "specs" / "environments").iterdir()] == ["dev"]
    assert "@" not in git(work, "remote", "get-url", "origin")
    plain = {"PATH": os.environ["PATH"], "HOME": str(tmp_path)}
    (work / "specs" / "more.yaml").write_text("# nothing\n")
    for words in (["switch", "-qc", "more"], ["add", "."], ["commit", "-qm", "More"], ["push"]):
        more = ["origin", "more"] if words == ["push"] else []
        said = subprocess.run(
            ["git", *words, *more], cwd=work, env=plain, capture_output=True, text=True, check=True
        )
    assert f"{repository.page}/pull/new/more" in said.stderr
    first = git(work, "rev-parse", "HEAD").strip()
    assert repository.api_of(MAINTAINER, "/branches/more")["commit"]["sha"] == first


def test_secrets_that_specs_take_from_settings_are_made_up() -> None:
    found = made_up_secrets(ROOT / "specs")
    assert set(found) == {"RECONCILER_SECRET_HF_TOKEN", "RECONCILER_SECRET_WEATHER_KEY"}
