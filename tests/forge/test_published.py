"""Every request that is sent is one that GitHub has published: path, query and body."""

import json
import re
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from reconciler.core.forge import Annotation, Mark, MarkState
from reconciler.forge import GitHub
from tests.azure.scripted import START
from tests.forge.small import ROOT, Small
from tests.forge.test_reading import HEAD, NEW, OLD, a_commit, a_pull

PUBLISHED = (
    Path(__file__).parents[2] / "node_modules/@octokit/openapi/generated/api.github.com.json"
)
pytestmark = pytest.mark.skipif(
    not PUBLISHED.exists(), reason="GitHub's OpenAPI is not here: npm install"
)


@cache
def published() -> dict[str, Any]:
    found: dict[str, Any] = json.loads(PUBLISHED.read_text())
    return found


def operation(method: str, path: str) -> tuple[str, Mapping[str, Any]]:
    """The published operation that a request is, that with the fewest wildcards first."""
    fitting = [
        (template.count("{"), template, verbs[method.lower()])
        for template, verbs in published()["paths"].items()
        if method.lower() in verbs and pattern(template).fullmatch(path)
    ]
    assert fitting, f"{method} {path} is not published"
    _, template, found = min(fitting, key=lambda one: one[:2])
    return template, found


@cache
def pattern(template: str) -> re.Pattern[str]:
    return re.compile(re.sub(r"\\\{[^}]+\\\}", "[^/]+", re.escape(template)))


def resolved(item: Mapping[str, Any]) -> Mapping[str, Any]:
    if "$ref" not in item:
        return item
    found: Any = published()
    for name in item["$ref"].removeprefix("#/").split("/"):
        found = found[name]
    return resolved(found)


def problems(schema: Mapping[str, Any], value: Any) -> list[str]:
    whole = {"components": published()["components"], **schema}
    return [error.message for error in Draft202012Validator(whole).iter_errors(value)]


def check(method: str, path: str, query: Mapping[str, str], body: Any) -> str:
    template, found = operation(method, path)
    known = {
        one["name"]: one
        for one in map(resolved, found.get("parameters", ()))
        if one["in"] == "query"
    }
    for name, text in query.items():
        assert name in known, f"{template} has no parameter {name}"
        schema = resolved(known[name]["schema"])
        value = int(text) if schema.get("type") == "integer" else text
        assert not problems(schema, value), (template, name, text)
    if body is not None:
        schema = found["requestBody"]["content"]["application/json"]["schema"]
        assert set(body) <= set(resolved(schema)["properties"]), (template, set(body))
        assert not problems(schema, body), (template, problems(schema, body))
    return f"{method} {template}"


async def everything(github: GitHub, small: Small) -> None:
    """Each thing that can be asked of a forge, at least once."""
    small.fixed |= {
        "/pulls": [a_pull()],
        "/pulls/7": a_pull(mergeable=True),
        "/pulls/7/files": [{"filename": "a"}],
        "/pulls/7/reviews": [],
        f"/compare/{OLD}...{NEW}": {"commits": [a_commit(NEW, OLD)]},
        f"/commits/{NEW}/pulls": [],
        "/collaborators/ada/permission": {"permission": "write"},
        "/issues/comments": [],
    }
    await github.reviews(await github.pull(7))
    await github.open_pulls()
    await github.merged_between(OLD, NEW)
    await github.changed_files(7)
    await github.may_write("ada")
    for text in ("one", "two"):
        await github.say(7, "plan", text)
        small.add_comment(7, "<!-- reconciler:plan -->\nyounger")
        await github.keep_issue("drift", "drift", text)
    await github.keep_issue("drift", "drift", None)
    await github.react(100, "seen")
    await github.comment(100)
    await github.comments_since(START)
    states: tuple[MarkState, ...] = ("pending", "neutral", "blocked", "failure", "success")
    remarks = tuple(Annotation("specs/a.yaml", line, "note", "x", "t", 2) for line in range(60))
    for state in states:
        url = "https://example.com/run"
        await github.mark(7, HEAD, Mark("reconciler", state, state, "why", url, remarks))


async def test_every_request_with_a_token_is_one_that_github_published(
    small: Small, github: GitHub
) -> None:
    await everything(github, small)
    sent = {check(*one) for one in small.sent}
    assert "POST /repos/{owner}/{repo}/statuses/{sha}" in sent
    assert len(sent) >= 19


async def test_every_request_of_an_app_is_one_that_github_published(
    small: Small, app: GitHub
) -> None:
    await everything(app, small)
    sent = {check(*one) for one in small.sent}
    assert "PATCH /repos/{owner}/{repo}/check-runs/{check_run_id}" in sent
    assert "POST /app/installations/{installation_id}/access_tokens" in sent
    assert len(sent) >= 21
    assert all(path.startswith((ROOT, "/app")) for _, path, _, _ in small.sent)
