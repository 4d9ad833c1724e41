"""The command line, run against the emulated Azure: what it says, writes and answers."""

import asyncio
import json
import os
import pty
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from reconciler.cli import cli, run
from reconciler.local.azure import EmulatedAzure
from reconciler.local.azure.faults import Fault

SUBSCRIPTION = "00000000-0000-0000-0000-000000000001"
ENVIRONMENT = f"""\
apiVersion: aigitops/v1
kind: Environment
metadata: {{name: dev}}
spec:
  subscription: {SUBSCRIPTION}
  resourceGroup: rg-ai-dev
  location: eastus2
  prune: true
"""
GROUP_AND_ACCOUNT = """\
apiVersion: aigitops/v1
kind: ResourceGroup
metadata: {name: rg-ai-dev}
spec: {}
---
apiVersion: aigitops/v1
kind: Account
metadata: {name: contoso-ai}
spec:
  kind: OpenAI
  sku: {name: S0}
  customSubDomainName: contoso-ai-test
"""
DEPLOYMENT = """\
apiVersion: aigitops/v1
kind: ModelDeployment
metadata: {name: chat}
spec:
  account: contoso-ai
  sku: {name: GlobalStandard, capacity: 10}
  model: {format: OpenAI, name: gpt-4.1, version: "2025-04-14"}
"""


class Served:
    """An emulated Azure on a loop of its own, for as long as a test needs it."""

    def __init__(self, **options: Any) -> None:
        self.azure = EmulatedAzure(rate_limits=False, **options)
        self._up = threading.Event()
        self._thread = threading.Thread(target=lambda: asyncio.run(self._serve()))

    async def _serve(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._stop = asyncio.Event()
        async with self.azure:
            self._up.set()
            await self._stop.wait()

    def __enter__(self) -> EmulatedAzure:
        self._thread.start()
        assert self._up.wait(10)
        return self.azure

    def __exit__(self, *error: object) -> None:
        self._loop.call_soon_threadsafe(self._stop.set)
        self._thread.join(10)


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with specs, in which the command line is run."""
    (tmp_path / "specs" / "environments").mkdir(parents=True)
    (tmp_path / "specs" / "environments" / "dev.yaml").write_text(ENVIRONMENT)
    (tmp_path / "specs" / "account.yaml").write_text(GROUP_AND_ACCOUNT)
    (tmp_path / "specs" / "chat.yaml").write_text(DEPLOYMENT)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PYTHONPATH", str(Path(__file__).parent.parent))
    monkeypatch.setenv("RECONCILER_STATE", f"sqlite:{tmp_path / 'state.db'}")
    monkeypatch.setenv("RECONCILER_POLL_S", "0.01")
    monkeypatch.setenv("RECONCILER_RATE_LIMITS", "off")
    return tmp_path


def point_at(azure: EmulatedAzure, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in azure.environment().items():
        monkeypatch.setenv(name, value)


@pytest.fixture
def azure(folder: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[EmulatedAzure]:
    with Served() as azure:
        point_at(azure, monkeypatch)
        yield azure


type Reconciler = Callable[..., tuple[int, str, str]]


@pytest.fixture
def reconciler(capsys: pytest.CaptureFixture[str]) -> Reconciler:
    """Run a command in this process: exit code, stdout, stderr."""

    def call(*arguments: str) -> tuple[int, str, str]:
        capsys.readouterr()
        code = run(arguments)
        out, err = capsys.readouterr()
        return code, out, err

    return call


def test_help_says_what_every_command_is_for(reconciler: Reconciler) -> None:
    code, out, _ = reconciler("--help")
    assert code == 0
    for name, command in cli.commands.items():
        assert name in out
        assert command.help or command.short_help
        assert reconciler(name, "--help")[0] == 0 or name == "emulate"


def test_a_first_look_is_quick_because_little_is_imported() -> None:
    ask = "import sys, reconciler.cli; print(*sys.modules)"
    found = subprocess.run([sys.executable, "-c", ask], capture_output=True, text=True, check=True)
    heavy = {"aiohttp", "asyncio", "azure.identity", "rich", "reconciler.core.kinds", "yaml"}
    assert heavy.isdisjoint(found.stdout.split())


def test_valid_specs_are_counted(folder: Path, reconciler: Reconciler) -> None:
    assert reconciler("validate") == (0, "3 files valid: dev 3 resources.\n", "")
    assert reconciler("validate", "specs", "-e", "dev")[0] == 0


def test_every_error_has_its_place_and_all_are_counted(
    folder: Path, reconciler: Reconciler
) -> None:
    (folder / "specs" / "chat.yaml").write_text(
        DEPLOYMENT.replace("capacity", "capcity").replace("contoso-ai", "contoso-ia")
    )
    code, out, err = reconciler("validate")
    assert (code, out) == (4, "")
    lines = err.splitlines()
    assert lines[0].startswith("specs/chat.yaml:5:12: ")
    assert 'did you mean "contoso-ai"' in lines[0]
    assert lines[1].startswith("specs/chat.yaml:6:")
    assert lines[-1] == "2 errors in 1 of 3 files."


def test_a_folder_that_is_not_there_is_an_error_of_the_specs(
    folder: Path, reconciler: Reconciler
) -> None:
    code, _, err = reconciler("validate", "nowhere")
    assert code == 4
    assert "nowhere" in err


def test_a_plan_tells_pipelines_about_changes_when_asked_to(
    azure: EmulatedAzure, reconciler: Reconciler
) -> None:
    code, out, err = reconciler("plan", "-e", "dev")
    assert code == 0
    assert "  + Model deployment  contoso-ai/chat" in out
    assert "3 to create, 0 unchanged." in out
    assert "Read " in err
    assert reconciler("plan", "-e", "dev", "--detailed-exitcode")[0] == 2


def test_a_plan_is_shown_as_people_and_programs_need_it(
    azure: EmulatedAzure, reconciler: Reconciler
) -> None:
    made = json.loads(reconciler("plan", "-e", "dev", "--format", "json")[1])
    assert made["summary"]["create"] == 3
    assert {change["kind"] for change in made["changes"]} == {
        "ResourceGroup",
        "Account",
        "ModelDeployment",
    }
    comment = reconciler("plan", "-e", "dev", "--format", "markdown")[1]
    assert comment.startswith("### Plan for ")
    assert made["digest"] in comment


def test_a_plan_in_a_file_is_json_and_is_still_shown(
    folder: Path, azure: EmulatedAzure, reconciler: Reconciler
) -> None:
    code, out, _ = reconciler("plan", "-e", "dev", "--out", "plan.json")
    assert code == 0
    assert "3 to create" in out
    assert json.loads((folder / "plan.json").read_text())["environment"] == "dev"
    reconciler("plan", "-e", "dev", "--out", "plan.md", "--format", "markdown")
    assert (folder / "plan.md").read_text().startswith("### Plan for ")
    code, _, err = reconciler("plan", "-e", "dev", "--out", "no/such/folder.json")
    assert code == 1
    assert "no/such/folder.json" in err


def test_without_a_terminal_nothing_is_applied_unless_told_so(
    azure: EmulatedAzure, reconciler: Reconciler
) -> None:
    code, out, err = reconciler("apply", "-e", "dev")
    assert (code, out) == (3, "")
    assert err == (
        "Refused: there is no terminal to ask on: look at the plan, then apply with --yes\n"
    )
    assert len(azure.requests) == 0


def test_what_was_applied_is_shown_remembered_and_leaves_nothing_to_plan(
    azure: EmulatedAzure, reconciler: Reconciler
) -> None:
    code, out, err = reconciler("apply", "-e", "dev", "--yes")
    assert code == 0, err
    assert out.startswith("Applied to dev: 3 of 3 done")
    assert "  done      Model deployment contoso-ai/chat  create" in err
    code, out, _ = reconciler("plan", "-e", "dev", "--detailed-exitcode")
    assert (code, "Nothing to do: Azure is as declared." in out) == (0, True)
    listed = json.loads(reconciler("runs", "--format", "json")[1])
    assert [(one["environment"], one["state"]) for one in listed] == [("dev", "done")]
    assert reconciler("runs", "-e", "dev")[1].startswith(listed[0]["id"])
    assert reconciler("runs", "-e", "prod")[1] == "There are no runs yet.\n"
    shown = reconciler("show", listed[0]["id"])[1]
    assert "Applied to dev: 3 of 3 done" in shown
    assert reconciler("show", listed[0]["id"], "--format", "markdown")[1].startswith("### ")
    as_json = json.loads(reconciler("show", listed[0]["id"], "--format", "json")[1])
    assert {step["state"] for step in as_json["steps"]} == {"done"}


def test_a_run_that_nobody_made_is_an_error(folder: Path, reconciler: Reconciler) -> None:
    code, _, err = reconciler("show", "nope")
    assert code == 1
    assert 'there is no run "nope"' in err


def test_what_a_reviewed_plan_did_not_delete_is_not_deleted(
    folder: Path, azure: EmulatedAzure, reconciler: Reconciler
) -> None:
    reconciler("apply", "-e", "dev", "--yes")
    reconciler("plan", "-e", "dev", "--out", "plan.json")
    (folder / "specs" / "chat.yaml").unlink()
    code, _, err = reconciler("apply", "-e", "dev", "--plan", "plan.json", "--yes")
    assert code == 3
    assert "delete ModelDeployment/contoso-ai/chat" in err
    allowed = err.partition("`--allow ")[2].partition("`")[0]
    code, out, _ = reconciler(
        "apply", "-e", "dev", "--plan", "plan.json", "--yes", "--allow", allowed
    )
    assert (code, out.startswith("Applied to dev: 1 of 1 done")) == (0, True)


def test_a_plan_that_was_edited_is_not_what_was_reviewed(
    folder: Path, azure: EmulatedAzure, reconciler: Reconciler
) -> None:
    reconciler("plan", "-e", "dev", "--out", "plan.json")
    content = json.loads((folder / "plan.json").read_text())
    content["changes"][0]["action"] = "delete"
    (folder / "plan.json").write_text(json.dumps(content))
    code, _, err = reconciler("apply", "-e", "dev", "--plan", "plan.json", "--yes")
    assert (code, "was edited" in err) == (1, True)


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("not json", "is not a plan in JSON"),
        ("[]", "is not a plan in JSON"),
        ('{"environment": "dev", "digest": "x"}', "is not a plan in JSON"),
        ('{"environment": "prod", "digest": "x", "changes": []}', "is a plan for prod"),
    ],
)
def test_a_file_that_is_not_this_plan_is_an_error(
    folder: Path, reconciler: Reconciler, content: str, said: str
) -> None:
    (folder / "plan.json").write_text(content)
    code, _, err = reconciler("apply", "-e", "dev", "--plan", "plan.json", "--yes")
    assert code == 1
    assert said in err


def test_a_step_that_fails_fails_the_command_and_says_why(
    folder: Path, reconciler: Reconciler, monkeypatch: pytest.MonkeyPatch
) -> None:
    refusal = Fault(method="PUT", path="deployments/chat", status=400, message="Not today.")
    with Served(faults=[refusal]) as azure:
        point_at(azure, monkeypatch)
        code, out, err = reconciler("apply", "-e", "dev", "--yes")
    assert code == 1
    assert out.startswith("Apply failed in dev: 2 of 3 done, 1 failed")
    assert "Not today" in " ".join(out.split())
    assert "  failed    Model deployment contoso-ai/chat  create" in err


def test_mistakes_of_use_are_errors_and_never_look_like_changes(reconciler: Reconciler) -> None:
    code, _, err = reconciler("plan")
    assert code == 1
    assert "--environment" in err
    code, _, err = reconciler("schema", "ModelDeploymen")
    assert (code, 'did you mean "ModelDeployment"' in err) == (1, True)


def test_a_setting_that_means_nothing_is_an_error(
    folder: Path, reconciler: Reconciler, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("RECONCILER_STATE", "floppy:a")
    code, _, err = reconciler("runs")
    assert code == 1
    assert err.startswith('Error: RECONCILER_STATE is "floppy:a"')


def test_kinds_and_schemas_are_listed(reconciler: Reconciler) -> None:
    out = reconciler("kinds")[1]
    assert "Microsoft.CognitiveServices/accounts/deployments@" in out
    schema = json.loads(reconciler("schema", "ModelDeployment")[1])
    assert "properties" in schema
    assert json.loads(reconciler("schema")[1])


def test_the_output_may_be_cut_off_by_its_reader() -> None:
    command = f"{sys.executable} -W error -m reconciler kinds | head -n 1"
    cut = subprocess.run(command, shell=True, capture_output=True, text=True, check=True)
    assert (len(cut.stdout.splitlines()), cut.stderr) == (1, "")


def test_a_bug_shows_where_it_is(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(path: object) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr("reconciler.local.folder.read_folder", broken)
    with pytest.raises(ZeroDivisionError):
        run(["validate"])


class Terminal:
    """A command on a terminal of its own."""

    def __init__(self, *arguments: str, **environment: str) -> None:
        self._here, there = pty.openpty()
        self.process = subprocess.Popen(
            [sys.executable, "-m", "reconciler", *arguments],
            stdin=there,
            stdout=there,
            stderr=there,
            env={**os.environ, "TERM": "xterm-256color", **environment},
            start_new_session=True,
        )
        os.close(there)
        self.seen = ""

    def until(self, text: str) -> str:
        """Everything shown so far, as soon as ``text`` is among it."""
        while text not in self.seen:
            try:
                self.seen += os.read(self._here, 4096).decode(errors="replace")
            except OSError as error:  # the other end is closed
                raise AssertionError(self.seen) from error
        return self.seen

    def type(self, text: str) -> None:
        os.write(self._here, text.encode())

    def finish(self) -> int:
        try:
            while more := os.read(self._here, 4096):
                self.seen += more.decode(errors="replace")
        except OSError:
            pass
        os.close(self._here)
        return self.process.wait()


@pytest.mark.usefixtures("azure")
def test_on_a_terminal_the_plan_is_shown_and_a_yes_is_waited_for() -> None:
    terminal = Terminal("apply", "-e", "dev")
    assert "3 to create" in terminal.until("Apply this to dev? [y/N]: ")
    terminal.type("y\n")
    terminal.until("Applied to dev: 3 of 3 done")
    assert terminal.finish() == 0
    assert "\x1b[32m" in terminal.seen


def test_a_no_changes_nothing(azure: EmulatedAzure) -> None:
    terminal = Terminal("apply", "-e", "dev")
    terminal.until("Apply this to dev? [y/N]: ")
    terminal.type("n\n")
    assert terminal.finish() == 1
    assert "Nothing was changed." in terminal.seen
    assert azure.requests.count("PUT") == 0


@pytest.mark.usefixtures("azure")
def test_nobody_gets_colour_who_said_no_to_it() -> None:
    terminal = Terminal("plan", "-e", "dev", NO_COLOR="1")
    terminal.until("3 to create")
    terminal.finish()
    shown = terminal.seen.partition("dev ·")[2]
    assert "\x1b[3" not in shown


def test_ctrl_c_stops_waiting_and_the_next_apply_goes_on(
    folder: Path, reconciler: Reconciler, monkeypatch: pytest.MonkeyPatch
) -> None:
    with Served(time_scale=0.1) as azure:
        point_at(azure, monkeypatch)
        applying = subprocess.Popen(
            [sys.executable, "-m", "reconciler", "apply", "-e", "dev", "--yes"],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        assert applying.stderr is not None
        for line in applying.stderr:
            if "Resource group rg-ai-dev" in line:
                break
        applying.send_signal(signal.SIGINT)
        out, err = applying.communicate(timeout=20)
        assert applying.returncode == 130
        assert "Stopping: what was sent to Azure continues there" in err
        assert out.startswith("Applying to dev: 1 of 3 done")
        code, out, err = reconciler("apply", "-e", "dev", "--yes")
        assert code == 0, err
        assert "Going on with run" in err
        assert reconciler("plan", "-e", "dev", "--detailed-exitcode")[0] == 0


def test_the_emulated_azure_says_where_it_is_and_ends_when_told() -> None:
    serving = subprocess.Popen(
        [sys.executable, "-m", "reconciler", "emulate", "azure"], stdout=subprocess.PIPE, text=True
    )
    assert serving.stdout is not None
    started = json.loads(serving.stdout.readline())
    assert started["environment"]["RECONCILER_ARM_ENDPOINT"] == started["arm"]
    serving.terminate()
    assert serving.wait(10) == 0
    serving.stdout.close()
