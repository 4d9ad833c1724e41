"""Checking answers and webhooks against GitHub's published description of its API.

The description is the npm package @octokit/openapi; without it, tests that need it are skipped
and say so.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from reconciler.local.github import Exchange

ROOT = Path(__file__).parents[3]
FILE = ROOT / "node_modules/@octokit/openapi/generated/api.github.com.json"
MISSING = "@octokit/openapi is not installed (npm ci): answers are NOT checked against it"
needs_openapi = pytest.mark.skipif(not FILE.exists(), reason=MISSING)
LONG = {"ref", "path", "basehead", "branch"}


@cache
def description() -> dict[str, Any]:
    found: dict[str, Any] = _nullable(json.loads(FILE.read_text(encoding="utf-8")))
    return found


def _nullable(schema: Any) -> Any:
    """OpenAPI 3.0 has `nullable` where JSON Schema has the type null."""
    if isinstance(schema, list):
        return [_nullable(one) for one in schema]
    if not isinstance(schema, dict):
        return schema
    found = {name: _nullable(value) for name, value in schema.items()}
    if found.get("nullable") is not True:
        return found
    del found["nullable"]
    return {"anyOf": [found, {"type": "null"}]}


def operation(method: str, path: str) -> dict[str, Any] | None:
    """What the description says of a request, the most literal path that fits."""
    found = [
        (len(re.sub(r"\{\w+\}", "", template)), operations[method.lower()])
        for template, operations in description()["paths"].items()
        if method.lower() in operations and _pattern(template).fullmatch(path)
    ]
    return max(found, key=lambda one: one[0])[1] if found else None


@cache
def _pattern(template: str) -> re.Pattern[str]:
    def group(match: re.Match[str]) -> str:
        return ".+" if match[1] in LONG else "[^/]+"

    return re.compile(re.sub(r"\{(\w+)\}", group, template))


def problems(value: Any, schema: Mapping[str, Any]) -> list[str]:
    """Where a value does not fit."""
    whole = {**schema, "components": description()["components"]}
    found = Draft202012Validator(whole).iter_errors(value)
    return [f"{error.json_path}: {error.message[:300]}{_inner(error)}" for error in found]


def _inner(error: Any) -> str:
    return "".join(f" [{inner.json_path}: {inner.message[:100]}]{_inner(inner)}"
                   for inner in error.context or ())  # fmt: skip


def check(exchange: Exchange) -> None:
    """AssertionError for an answer, or a body we took, that GitHub's description forbids."""
    where = f"{exchange.method} {exchange.path} → {exchange.status}"
    described = operation(exchange.method, exchange.path)
    if exchange.status in (304, 401, 404) or (described is None and exchange.status >= 400):
        return  # allowed everywhere, described nowhere
    assert described is not None, f"{where}: no such operation"
    answer = described["responses"].get(str(exchange.status))
    if answer is None:
        assert exchange.status >= 400, f"{where}: not one of {list(described['responses'])}"
        return
    if exchange.status < 400 and exchange.request is not None and "requestBody" in described:
        content = described["requestBody"]["content"]["application/json"]
        assert not problems(exchange.request, content["schema"]), f"{where}: what was sent"
    if "$ref" in answer:
        answer = description()["components"]["responses"][answer["$ref"].rsplit("/", 1)[1]]
    content = answer.get("content", {}).get("application/json")
    if content is None or isinstance(exchange.response, bytes) or exchange.response is None:
        return
    wrong = problems(exchange.response, content["schema"])
    if exchange.path == "/app/installations":
        # Here the description wants an account that is a user and an enterprise at once.
        wrong = [one for one in wrong if ".account: " not in one]
    assert not wrong, "\n".join([where, *wrong])


def check_payload(event: str, payload: dict[str, Any]) -> None:
    """AssertionError for the payload of a webhook that the description forbids."""
    action = payload.get("action")
    name = f"{event}-{action}" if action else event
    webhooks = description()["x-webhooks"]
    described = webhooks.get(name.replace("_", "-"))
    assert described is not None, f"no webhook {name}"
    schema = described["post"]["requestBody"]["content"]["application/json"]["schema"]
    wrong = problems(payload, schema)
    assert not wrong, "\n".join([name, *wrong])
