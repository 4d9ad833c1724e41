"""The Azure CLI, unmodified, as a client of the emulated Azure; what it makes shows in a plan.

It needs an ``az``: on PATH, or named by ``RECONCILER_AZ``. CI installs one from PyPI.
"""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[2]
AZ = os.environ.get("RECONCILER_AZ") or shutil.which("az")

pytestmark = pytest.mark.skipif(
    AZ is None, reason="THE AZURE CLI IS NOT TESTED: there is no az (RECONCILER_AZ names one)"
)


def az(environment: dict[str, str], *words: str) -> Any:
    """What ``az`` answers, as JSON."""
    command = [str(AZ), *words, "--output", "json", "--only-show-errors"]
    done = subprocess.run(
        command, env=environment, capture_output=True, text=True, timeout=180, check=False
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout or "null")


def test_what_the_azure_cli_makes_is_listed_and_planned_as_unmanaged(
    emulated: dict[str, str],
) -> None:
    arm = emulated["RECONCILER_ARM_ENDPOINT"]
    az(emulated, "cloud", "register", "--name", "emulated", "--endpoint-resource-manager", arm)
    az(emulated, "cloud", "set", "--name", "emulated")
    assert az(emulated, "login", "--identity")[0]["state"] == "Enabled"
    group = ("--resource-group", "rg-ai-dev")
    account, deployment = ("--name", "made-by-az"), ("--deployment-name", "chat-by-az")
    service = ("cognitiveservices", "account")
    az(emulated, "group", "create", "--name", "rg-ai-dev", "--location", "eastus2")
    place = ("--location", "eastus2", "--kind", "OpenAI", "--sku", "S0", "--yes")
    az(emulated, *service, "create", *account, *group, *place)
    model = ("--model-name", "gpt-4.1-mini", "--model-version", "2025-04-14")
    sku = ("--model-format", "OpenAI", "--sku-name", "GlobalStandard", "--sku-capacity", "1")
    az(emulated, *service, "deployment", "create", *account, *group, *deployment, *model, *sku)
    assert [one["name"] for one in az(emulated, *service, "list")] == ["made-by-az"]
    listed = az(emulated, *service, "deployment", "list", *account, *group)
    assert [one["name"] for one in listed] == ["chat-by-az"]
    command = [sys.executable, "-m", "reconciler", "plan", "-e", "dev", "--format", "json"]
    done = subprocess.run(
        command, env=emulated, cwd=ROOT, capture_output=True, text=True, timeout=120, check=False
    )
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["unmanaged"] == [
        {"kind": "Account", "name": "made-by-az"},
        {"kind": "ModelDeployment", "name": "made-by-az/chat-by-az"},
    ]
