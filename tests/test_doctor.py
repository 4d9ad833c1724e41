"""reconciler doctor: every check, what it says, and what it never says."""

import asyncio
import json
import os
import re
import subprocess
import sys
from collections.abc import AsyncIterator, Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from reconciler.app import SystemClock, doctor_for
from reconciler.core.errors import Permanent
from reconciler.doctor import Doctor, Finding, look_at_start
from reconciler.doctor.azure import unserved
from reconciler.doctor.check import Check, examine
from reconciler.doctor.rights import allowed, claims
from reconciler.doctor.settings import KNOWN, look_at_settings
from reconciler.local.azure import EmulatedAzure
from tests.engine.estates import ACCOUNT, GROUP, IDENTITY, ROLE, chat
from tests.engine.world import ENVIRONMENT

ROOT = Path(__file__).parent.parent
CANARY = "canary-91b2"
READER = "aaaaaaaa-0000-0000-0000-000000000001"
WRITER = "aaaaaaaa-0000-0000-0000-000000000002"
OWNER = "aaaaaaaa-0000-0000-0000-000000000003"
GROUP_ID = "/subscriptions/00000000-0000-0000-0000-000000000001/resourceGroups/rg-ai"


@pytest.fixture
async def azure(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[EmulatedAzure]:
    options: dict[str, Any] = {"readers": {READER}, "contributors": {WRITER}}
    async with EmulatedAzure(rate_limits=False, **options) as one:
        for name, value in one.environment().items():
            monkeypatch.setenv(name, value)  # azure-identity reads the process's own
        one.backdoor.put(GROUP_ID, {"location": "eastus2"})
        yield one


def settings(azure: EmulatedAzure, folder: Path, **more: str) -> dict[str, str]:
    return {
        **azure.environment(),
        "RECONCILER_STATE": f"sqlite:{folder / 'state.db'}",
        "RECONCILER_PLAN_CLIENT_ID": READER,
        "RECONCILER_APPLY_CLIENT_ID": WRITER,
        "RECONCILER_SECRET_TOKEN": CANARY,
        **more,
    }


def specs(*documents: str) -> Mapping[str, str]:
    return {
        "specs/environments/dev.yaml": ENVIRONMENT,
        "specs/estate.yaml": "\n---\n".join(documents),
    }


async def look(
    environment: Mapping[str, str], files: Mapping[str, str], only: str = ""
) -> dict[str, Finding]:
    async with doctor_for(environment, lambda: files, only) as one:
        return await one.look()


def states(found: Mapping[str, Finding]) -> dict[str, str]:
    return {name: one.state for name, one in found.items()}


# All of it


async def test_a_deployment_that_has_what_it_needs_is_well(
    azure: EmulatedAzure, tmp_path: Path
) -> None:
    found = await look(settings(azure, tmp_path), specs(GROUP, ACCOUNT, chat()))
    assert [found.pop(name).state for name in ("repository", "forge")] == ["skipped", "skipped"]
    assert set(states(found).values()) == {"ok"}, found
    assert READER in found["plan identity"].words
    assert found["plan rights"].words == "may read in 1 resource group"
    assert found["apply rights"].words == "may write in 1 resource group"


async def test_looking_sends_no_write_to_azure(azure: EmulatedAzure, tmp_path: Path) -> None:
    await look(settings(azure, tmp_path), specs(GROUP, ACCOUNT, IDENTITY, ROLE))
    assert {one.method for one in azure.requests.entries if "/subscriptions" in one.path} == {"GET"}


async def test_no_secret_and_no_token_is_told(azure: EmulatedAzure, tmp_path: Path) -> None:
    secret = {
        "AZURE_CLIENT_SECRET": f"{CANARY}-client",
        "RECONCILER_STATE_CONNECTION": f"AccountKey={CANARY}",
        "RECONCILER_REPO_URL": f"https://user:{CANARY}@127.0.0.1:1/repo.git",
        "APPLICATIONINSIGHTS_CONNECTION_STRING": CANARY,
        "RECONCILER_SECRT_X": CANARY,
    }
    for environment in (settings(azure, tmp_path), settings(azure, tmp_path, **secret)):
        found = await look(environment, specs(GROUP))
        text = repr(found)
        assert CANARY not in text
        assert "eyJ" not in text
    assert found["settings"].state == "failed"


# Settings


def test_settings_that_cannot_be_meant_are_all_named_at_once() -> None:
    found = look_at_settings(
        {
            "RECONCILER_POLL_S": "soon",
            "RECONCILER_IN_FLIGHT": "0",
            "RECONCILER_PLAN_CLIENT_ID": "me",
            "RECONCILER_RATE_LIMITS": "maybe",
            "RECONCILER_ARM_ENDPOINT": "http://management.azure.com",
            "RECONCILER_LOG": "xml",
            "RECONCILER_SCHEDULE": "*/5 * * * *",
            "RECONCILER_GIT_TIMEOUT_S": "-1",
            "RECONCILER_SSH_KEY_FILE": "/nowhere/key",
        }
    )
    assert found.state == "failed"
    named = {re.search(r"RECONCILER_\w+", text)[0] for text in found.todo}  # type: ignore[index]
    assert len(named) == len(found.todo) == 9


def test_a_name_that_nothing_reads_is_a_warning_with_the_name_it_is_like() -> None:
    found = look_at_settings({"RECONCILER_STAT": "x", "RECONCILER_SECRET_X": "y", "OTHER": "z"})
    assert found.state == "warning"
    assert found.todo == (
        "RECONCILER_STAT is not read by anything: did you mean RECONCILER_STATE?",
    )


def test_every_setting_of_the_readme_is_known_and_no_other() -> None:
    names = r"(?:RECONCILER|APPLICATION|GITHUB|AZURE_DEVOPS)\w+"
    rows = re.findall(rf"^\| `({names})` \|", (ROOT / "README.md").read_text(), re.M)
    assert sorted(rows) == sorted(KNOWN)


def test_what_can_be_seen_at_once_is_logged_at_start(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level("INFO", "reconciler.doctor"):
        look_at_start({"RECONCILER_POLL_S": "soon", "RECONCILER_SECRET_X": CANARY})
    levels = {one.getMessage().partition(":")[0]: one.levelname for one in caplog.records}
    assert levels == {"settings": "ERROR", "git": "INFO"}
    assert CANARY not in caplog.text


# Rights


def test_what_one_role_leaves_out_another_may_grant() -> None:
    contributor = {"actions": ["*"], "notActions": ["Microsoft.Authorization/*/Write"]}
    role = "microsoft.authorization/roleAssignments/write"
    assert not allowed([contributor], role)
    assert allowed([contributor, {"actions": ["Microsoft.Authorization/*"]}], role)
    assert allowed([{"actions": ["*/read"]}], "Microsoft.X/a/b/read")
    assert not allowed([{"actions": ["*/read"]}], "Microsoft.X/a/b/write")
    assert not allowed([{"actions": None}, {}], "Microsoft.X/a/read")


@pytest.mark.parametrize("token", ["", "a.b.c", "a..c", "a.WzFd.c", "plain"])
def test_a_token_that_says_nothing_is_no_trouble(token: str) -> None:
    assert claims(token) == {}


async def test_an_identity_that_may_only_read_cannot_apply(
    azure: EmulatedAzure, tmp_path: Path
) -> None:
    environment = settings(azure, tmp_path, RECONCILER_APPLY_CLIENT_ID=READER)
    rights = (await look(environment, specs(GROUP, ACCOUNT, chat())))["apply rights"]
    assert rights.state == "failed"
    assert "give it the role Contributor on" in rights.todo[0]


async def test_writing_role_assignments_takes_a_role_of_its_own(
    azure: EmulatedAzure, tmp_path: Path
) -> None:
    files = specs(GROUP, ACCOUNT, IDENTITY, ROLE)
    rights = (await look(settings(azure, tmp_path), files))["apply rights"]
    assert rights.state == "failed"
    assert rights.todo == (
        "It may not do Microsoft.Authorization/roleAssignments/write: give it the role Role Based "
        f"Access Control Administrator on {GROUP_ID}.",
    )
    owner = settings(azure, tmp_path, RECONCILER_APPLY_CLIENT_ID=OWNER)
    assert (await look(owner, files))["apply rights"].state == "ok"


async def test_an_identity_that_plans_and_may_write_is_a_warning(
    azure: EmulatedAzure, tmp_path: Path
) -> None:
    environment = settings(azure, tmp_path, RECONCILER_PLAN_CLIENT_ID=WRITER)
    rights = (await look(environment, specs(GROUP, ACCOUNT)))["plan rights"]
    assert [rights.state, rights.words] == ["warning", "may write in rg-ai"]
    assert "RECONCILER_PLAN_CLIENT_ID" in rights.todo[0]


async def test_rights_in_a_group_that_is_not_there_yet_are_not_guessed(
    azure: EmulatedAzure, tmp_path: Path
) -> None:
    azure.backdoor.delete(GROUP_ID)
    found = await look(settings(azure, tmp_path), specs(GROUP, ACCOUNT))
    assert found["apply rights"].state == "skipped"
    assert "rg-ai does not exist yet" in found["apply rights"].words


# Azure


async def test_a_provider_that_is_not_registered_is_named_with_the_way_out(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    off = {"unregistered": ("Microsoft.CognitiveServices",)}
    async with EmulatedAzure(rate_limits=False, settings=off) as azure:
        for name, value in azure.environment().items():
            monkeypatch.setenv(name, value)
        found = await look(settings(azure, tmp_path), specs(GROUP, ACCOUNT, chat()))
    assert found["providers"].state == "failed"
    assert len(found["providers"].todo) == 1
    assert (
        "az provider register --namespace Microsoft.CognitiveServices" in found["providers"].todo[0]
    )


def test_a_version_that_is_not_served_is_named_with_the_newest_that_is() -> None:
    body = {
        "registrationState": "Registered",
        "resourceTypes": [{"resourceType": "accounts", "apiVersions": ["2020-01-01"]}],
    }
    kind = "Microsoft.CognitiveServices/accounts"
    assert "2026-03-01 here (the newest is 2020-01-01)" in unserved(body, kind, "2026-03-01")
    assert unserved(body, kind, "2020-01-01") == ""
    assert unserved(body, "Microsoft.CognitiveServices/accounts/other", "2026-03-01") == ""


async def test_azure_that_cannot_be_reached_fails_once_and_the_rest_says_why_it_waits(
    azure: EmulatedAzure, tmp_path: Path
) -> None:
    environment = settings(azure, tmp_path, RECONCILER_ARM_ENDPOINT="http://127.0.0.1:1")
    found = await look(environment, specs(GROUP))
    assert found["azure"].state == "failed"
    assert "RECONCILER_ARM_ENDPOINT" in found["azure"].words
    assert found["providers"] == Finding("skipped", "not looked at: it needs azure")
    assert states(found)["state"] == states(found)["plan identity"] == "ok"


async def test_an_identity_that_does_not_exist_fails_without_hiding_the_rest(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with EmulatedAzure(rate_limits=False) as azure:
        for name, value in azure.environment().items():
            monkeypatch.setenv(name, value)
        monkeypatch.setenv("IDENTITY_HEADER", "wrong")
        found = await look(settings(azure, tmp_path), specs(GROUP))
    assert found["plan identity"].state == "failed"
    assert "There is no Azure token" in found["plan identity"].words
    assert found["azure"].state == "skipped"
    assert found["specs"].state == "ok"


@pytest.mark.parametrize(
    ("off_s", "state", "words"),
    [(0, "ok", "agrees"), (120, "warning", "120 s ahead"), (-600, "failed", "600 s behind")],
)
async def test_a_clock_that_is_wrong_is_told(
    azure: EmulatedAzure, tmp_path: Path, off_s: int, state: str, words: str
) -> None:
    class Wrong(SystemClock):
        def now(self) -> datetime:
            return datetime.now(UTC) + timedelta(seconds=off_s)

    async with doctor_for(settings(azure, tmp_path), lambda: specs(GROUP)) as one:
        one.clock = Wrong()
        found = (await one.look())["clock"]
    assert found.state == state
    assert words in re.sub(r"\b(119|121)\b", "120", re.sub(r"\b(599|601)\b", "600", found.words))


# Places


async def test_the_head_of_the_repository_and_its_specs_are_read(
    azure: EmulatedAzure, tmp_path: Path
) -> None:
    work = tmp_path / "repo"
    for name, text in specs(GROUP, ACCOUNT).items():
        (work / name).parent.mkdir(parents=True, exist_ok=True)
        (work / name).write_text(text)
    who = ["-c", "user.name=t", "-c", "user.email=t@example.com"]
    for command in (["init", "-q", "-b", "main"], ["add", "."], [*who, "commit", "-qm", "specs"]):
        subprocess.run(["git", "-C", str(work), *command], check=True)
    environment = settings(
        azure,
        tmp_path,
        RECONCILER_REPO_URL=str(work),
        RECONCILER_GIT_CACHE=str(tmp_path / "cache"),
    )
    found = await look(environment, {})
    assert found["repository"].words.startswith("head is ")
    assert found["specs"].words == "2 resources in dev"
    environment["RECONCILER_BRANCH"] = "gone"
    found = await look(environment, {})
    assert "RECONCILER_BRANCH" in found["repository"].words
    assert found["specs"].state == "skipped"


async def test_specs_that_are_wrong_fail_with_their_first_errors(
    azure: EmulatedAzure, tmp_path: Path
) -> None:
    found = await look(settings(azure, tmp_path), specs(GROUP, "kind: Acount"))
    assert found["specs"].state == "failed"
    assert "specs/estate.yaml:" in found["specs"].todo[0]
    assert found["providers"].state == "skipped"


async def test_state_that_is_somebody_elses_fails(azure: EmulatedAzure, tmp_path: Path) -> None:
    (tmp_path / "state.db").write_text("this is no database, and never was one")
    found = await look(settings(azure, tmp_path), specs(GROUP))
    assert [found["state"].state, found["queue"].state] == ["failed", "failed"]
    assert (tmp_path / "state.db").read_text().startswith("this is no database")


# Running checks


async def test_checks_run_side_by_side_and_after_what_they_need() -> None:
    order: list[str] = []
    together = asyncio.Barrier(2)

    def check(name: str, *needs: str, meet: bool = False) -> Check:
        async def look() -> Finding:
            if meet:
                await together.wait()
            order.append(name)
            return Finding("ok", name)

        return Check(name, look, needs)

    found = await examine([check("a", meet=True), check("b", meet=True), check("c", "a", "b")])
    assert list(found) == ["a", "b", "c"]
    assert order[-1] == "c"


async def test_a_check_that_fails_or_hangs_keeps_back_what_needs_it_alone() -> None:
    async def fails() -> Finding:
        raise Permanent("no such thing\nmake one")

    async def hangs() -> Finding:
        await asyncio.Event().wait()
        raise AssertionError

    async def well() -> Finding:
        return Finding("ok", "well")

    found = await examine(
        [
            Check("fails", fails),
            Check("hangs", hangs),
            Check("kept", well, ("fails",)),
            Check("more", well, ("kept",)),
            Check("well", well),
        ],
        longest_s=0.05,
    )
    assert found["fails"] == Finding("failed", "no such thing", ("make one",))
    assert found["hangs"].words == "no answer within 0.05 s"
    assert found["kept"] == Finding("skipped", "not looked at: it needs fails")
    assert found["more"].state == "skipped"
    assert found["well"].state == "ok"


# The command


def test_the_command_shows_a_line_for_each_check_and_exits_with_1_when_one_failed(
    tmp_path: Path,
) -> None:
    environment = {
        "PATH": os.environ["PATH"],
        "RECONCILER_STATE": f"sqlite:{tmp_path / 'state.db'}",
        "RECONCILER_POLL_S": "soon",
        "RECONCILER_SECRET_A": CANARY,
    }
    command = [sys.executable, "-m", "reconciler", "doctor", "-e", "dev"]
    text = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True)
    assert text.returncode == 1
    assert "✗ settings" in text.stdout
    assert '→ RECONCILER_POLL_S is "soon"' in text.stdout
    assert "– azure" in text.stdout
    assert "1 check failed." in text.stdout
    found = subprocess.run(
        [*command, "--format", "json"], cwd=ROOT, env=environment, capture_output=True, text=True
    )
    content = json.loads(found.stdout)
    assert [found.returncode, content["ok"], len(content["checks"])] == [1, False, 14]
    assert set(content["checks"][0]) == {"name", "state", "message", "todo"}
    assert CANARY not in text.stdout + text.stderr + found.stdout + found.stderr


def test_a_doctor_can_be_made_for_any_settings() -> None:
    """Nothing is opened before a check asks for it."""

    async def made() -> Doctor:
        async with doctor_for({"RECONCILER_STATE": "nonsense"}, dict) as one:
            return one

    assert asyncio.run(made()).only == ""
