"""The sandbox comes up, works, and leaves nothing behind."""

import json
import os
import shutil
import signal
import subprocess
import sys
import urllib.request
from pathlib import Path

import psutil

from reconciler.local.sandbox import commit, made_up_secrets, make_repository

ROOT = Path(__file__).parents[2]


def test_everything_comes_up_and_ends_with_ctrl_c(tmp_path: Path) -> None:
    specs = tmp_path / "specs"
    shutil.copytree(ROOT / "specs" / "environments", specs / "environments")
    (specs / "group.yaml").write_text(
        "apiVersion: aigitops/v1\nkind: ResourceGroup\nmetadata: {name: rg-ai-dev}\nspec: {}\n"
    )
    command = [sys.executable, "-m", "reconciler", "sandbox", str(specs), "-e", "dev"]
    command += ["--format", "json", "--schedule", "0 0 0 1 1 *"]
    environment = {**os.environ, "TMPDIR": str(tmp_path)}
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, text=True, cwd=ROOT, env=environment
    ) as process:
        assert process.stdout is not None
        place = json.loads(process.stdout.readline())
        parts = psutil.Process(process.pid).children(recursive=True)
        request = urllib.request.Request(
            f"{place['app']}/api/environments", headers={"x-functions-key": place["key"]}
        )
        with urllib.request.urlopen(request, timeout=30) as answer:
            found = json.loads(answer.read())
        process.send_signal(signal.SIGINT)
        assert process.wait(timeout=30) == 0
    assert [one["name"] for one in found["environments"]] == ["dev"]
    assert len(parts) >= 2
    assert not [part for part in parts if part.is_running()]
    assert not [path.name for path in tmp_path.iterdir() if path.name.startswith("reconciler-s")]


def test_a_repository_is_made_of_a_folder(tmp_path: Path) -> None:
    work = make_repository(ROOT / "specs", tmp_path, ("dev",))
    assert [path.stem for path in (work / "specs" / "environments").iterdir()] == ["dev"]
    (work / "specs" / "more.yaml").write_text("# nothing\n")
    first = commit(work, "More")
    assert len(first) == 40


def test_secrets_that_specs_take_from_settings_are_made_up() -> None:
    found = made_up_secrets(ROOT / "specs")
    assert set(found) == {"RECONCILER_SECRET_HF_TOKEN", "RECONCILER_SECRET_WEATHER_KEY"}
