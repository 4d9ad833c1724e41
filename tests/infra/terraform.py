"""What `infra/` would send to Azure, evaluated by Terraform itself.

The azapi provider comes from a registry that tests do not reach. So every `azapi_resource` is
turned into a call of the module `stand_in`, which keeps what would be sent. Variables, locals,
functions, conditions, `for_each` and references are evaluated by the real program.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[2]
INFRA = ROOT / "infra"
STAND_IN = Path(__file__).with_name("stand_in")
PROGRAM = shutil.which("terraform") or shutil.which("tofu")
MISSING = "neither terraform nor tofu is on PATH: infra/ is parsed, but NOT evaluated"
needs_terraform = pytest.mark.skipif(PROGRAM is None, reason=MISSING)

SUBSCRIPTION = "11111111-1111-1111-1111-111111111111"
TENANT = "22222222-2222-2222-2222-222222222222"
CLIENT_CONFIG = (
    f'locals {{\n  client = {{ subscription_id = "{SUBSCRIPTION}", tenant_id = "{TENANT}" }}\n}}\n'
)


@dataclass(frozen=True)
class Resource:
    """One `azapi_resource`, as Azure would be asked for it."""

    label: str
    type: str
    name: str
    parent_id: str
    id: str
    request: Mapping[str, Any]
    """The body with location, tags and identity, which azapi puts into it."""


@dataclass(frozen=True)
class Estate:
    """Everything that one set of variables makes."""

    resources: tuple[Resource, ...]
    outputs: Mapping[str, Any]

    def of(self, type_: str) -> list[Resource]:
        return [resource for resource in self.resources if resource.type.startswith(f"{type_}@")]

    def one(self, type_: str) -> Resource:
        (found,) = self.of(type_)
        return found


def evaluate(folder: Path, variables: Mapping[str, Any]) -> Estate:
    """Apply `infra/` onto stand-ins inside ``folder``; raises AssertionError with what was said."""
    shutil.copytree(STAND_IN, folder / "stand_in")
    for source in set(INFRA.glob("*.tf")) - {INFRA / "provider.tf"}:
        (folder / source.name).write_text(stood_in(source.read_text()))
    (folder / "client.tf").write_text(CLIENT_CONFIG)
    (folder / "terraform.tfvars.json").write_text(json.dumps(variables))
    run(folder, "init", "-input=false")
    run(folder, "apply", "-input=false", "-auto-approve", "-parallelism=4")
    values = json.loads(run(folder, "show", "-json"))["values"]
    modules = values["root_module"].get("child_modules", [])
    return Estate(
        tuple(_resource(module) for module in modules),
        {name: output["value"] for name, output in values["outputs"].items()},
    )


def stood_in(text: str) -> str:
    """The same configuration with modules for resources and a local for who is asking."""
    text = re.sub(
        r'^resource "azapi_resource" ("\w+") \{$',
        r'module \1 {\n  source = "./stand_in"',
        text,
        flags=re.MULTILINE,
    )
    text = re.sub(r"^  identity \{$", "  identity = {", text, flags=re.MULTILINE)
    text = text.replace("data.azapi_client_config.current", "local.client")
    return text.replace("azapi_resource.", "module.")


def run(folder: Path, *arguments: str) -> str:
    """Run Terraform, with no configuration of this machine and no call home."""
    assert PROGRAM is not None
    quiet = {name: value for name, value in os.environ.items() if not name.startswith("TF_")}
    done = subprocess.run(
        [PROGRAM, f"-chdir={folder}", *arguments, *([] if "-json" in arguments else ["-no-color"])],
        env={**quiet, "CHECKPOINT_DISABLE": "1", "TF_IN_AUTOMATION": "1"},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def _resource(module: Mapping[str, Any]) -> Resource:
    (kept,) = module["resources"]
    sent = kept["values"]["input"]
    request = dict(sent["body"])
    request |= {name: sent[name] for name in ("location", "tags") if sent[name] is not None}
    if sent["identity"] is not None:
        ids = sent["identity"]["identity_ids"]
        request["identity"] = {
            "type": sent["identity"]["type"],
            "userAssignedIdentities": {one: {} for one in ids},
        }
    label = module["address"].removeprefix("module.")
    return Resource(label, sent["type"], sent["name"], sent["parent_id"], sent["id"], request)
