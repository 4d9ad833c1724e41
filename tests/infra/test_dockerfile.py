"""The Dockerfile, read and not built: building needs a Docker engine and Microsoft's registry."""

from __future__ import annotations

import ast
import json
import re
import shlex
import sys
from importlib.metadata import packages_distributions
from pathlib import Path

import pytest

from tests.infra.terraform import ROOT

type Instruction = tuple[str, str]


def instructions() -> list[Instruction]:
    """(keyword, arguments), continuation lines joined and comments gone."""
    lines = (ROOT / "Dockerfile").read_text().splitlines()
    text = "\n".join(line for line in lines if not line.lstrip().startswith("#"))
    joined = re.sub(r"\\\n\s*", " ", text)
    pairs = [line.split(None, 1) for line in joined.splitlines() if line.strip()]
    return [(keyword, arguments) for keyword, arguments in pairs]


def arguments_of(keyword: str) -> list[str]:
    return [arguments for name, arguments in instructions() if name == keyword]


def copied() -> list[str]:
    return [source for copy in arguments_of("COPY") for source in shlex.split(copy)[:-1]]


def test_every_instruction_is_one_that_docker_knows() -> None:
    known = {"ARG", "FROM", "RUN", "ENV", "COPY", "USER", "EXPOSE", "HEALTHCHECK"}
    assert {keyword for keyword, _ in instructions()} <= known


def test_the_base_is_microsofts_python_3_13_image_and_not_whatever_is_newest() -> None:
    default = dict(line.split("=", 1) for line in arguments_of("ARG"))
    assert default["BASE"] == "mcr.microsoft.com/azure-functions/python:4-python3.13"
    assert arguments_of("FROM") == ["${BASE}"]
    assert (ROOT / ".python-version").read_text().startswith("3.13")


@pytest.mark.parametrize("source", copied())
def test_what_is_copied_exists_and_is_not_ignored(source: str) -> None:
    assert (ROOT / source).exists()
    kept = (ROOT / ".dockerignore").read_text().splitlines()
    assert f"!{source}" in kept


def test_the_image_has_git_and_only_what_running_needs() -> None:
    steps = " ".join(arguments_of("RUN"))
    assert re.search(r"apt-get install [^&]*\bgit\b", steps)
    assert "requirements-dev" not in steps
    assert "tests" not in copied()


def imported() -> set[str]:
    """Top-level names imported anywhere but in `local/`, which is for developers' machines."""
    names: set[str] = set()
    package = ROOT / "reconciler"
    for path in set(package.rglob("*.py")) - set((package / "local").rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_bytes())):
            if isinstance(node, ast.Import):
                names |= {alias.name.split(".")[0] for alias in node.names}
            elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
                names.add(node.module.split(".")[0])
    return names - sys.stdlib_module_names - {"reconciler", "azure", "__future__"}


def test_every_other_package_that_is_imported_is_installed_and_no_developers_tool_is() -> None:
    pinned = {
        line.split("==")[0].lower()
        for line in (ROOT / "requirements.txt").read_text().splitlines()
        if re.match(r"[A-Za-z0-9]", line)
    }
    sources = packages_distributions()
    missing = {
        name
        for name in imported()
        if not {source.lower() for source in sources.get(name, [name])} & pinned
    }
    assert missing == set()
    assert not {"pytest", "mypy", "ruff", "hypothesis"} & pinned


def test_every_pin_is_exact_so_that_nothing_has_to_be_resolved_in_the_image() -> None:
    lines = (ROOT / "requirements.txt").read_text().splitlines()
    pins = [line for line in lines if line and not line.lstrip().startswith("#")]
    assert [
        pin for pin in pins if not re.match(r"[A-Za-z0-9._-]+(\[[a-z,]+\])?==[^=; ]+( ; .+)?$", pin)
    ] == []
    assert "--no-deps" in " ".join(arguments_of("RUN"))


def test_health_is_asked_of_the_path_that_needs_no_key() -> None:
    (check,) = arguments_of("HEALTHCHECK")
    program = json.loads(check.partition("CMD")[2])
    ast.parse(program[2])
    assert "/api/health" in program[2]


def test_no_secret_is_built_in() -> None:
    text = (ROOT / "Dockerfile").read_text()
    assert not re.search(r"(?i)(token|secret|password|_key)\s*=", text)
    assert (ROOT / ".dockerignore").read_text().split("\n")[1] == "*"


def test_it_can_run_as_a_plain_user() -> None:
    assert arguments_of("USER") == ["${RUN_AS}"]
    made = re.search(r"useradd .*--uid (\d+) (\w+)", " ".join(arguments_of("RUN")))
    assert made
    assert int(made[1]) > 0
    assert f"RUN_AS={made[2]}" in Path(ROOT / "Dockerfile").read_text()
