"""Misbehaviour on request, and the emulator as a program."""

from __future__ import annotations

import json
import signal
import ssl
import subprocess
import sys
import urllib.request
from pathlib import Path

import aiohttp
import pytest

from reconciler.local.github import EmulatedGitHub, Fault
from reconciler.local.github.faults import load_faults
from tests.local.github.client import REPO, Client, git


async def test_requests_are_refused_limited_or_answered_with_a_page() -> None:
    rules = (
        Fault(method="POST", path="/issues$", nth=1, status=502, html=True),
        Fault(method="POST", path="/issues$", nth=2, secondary_limit=True, retry_after_s=7),
        Fault(method="POST", path="/issues$", nth=3, status=500),
    )
    async with Client(EmulatedGitHub(faults=rules)) as client:
        answers = [await client.send("POST", "./issues", {"title": "x"}) for _ in range(4)]
        assert [answer.status for answer in answers] == [502, 403, 500, 201]
        assert answers[0].headers["content-type"] == "text/html"
        assert answers[1].headers["retry-after"] == "7"
        assert "secondary rate limit" in answers[1].body["message"]
        assert answers[3].body["number"] == 1


async def test_a_lost_answer_was_given_and_a_dropped_request_was_not() -> None:
    rules = (Fault(method="POST", path="/comments$", drop="after", nth=1),
             Fault(method="POST", path="/comments$", drop="before", nth=2))  # fmt: skip
    async with Client(EmulatedGitHub(faults=rules)) as client:
        number = await client.a_pull()
        for text in ("lost", "dropped"):
            with pytest.raises(aiohttp.ClientError):
                await client.send("POST", f"./issues/{number}/comments", {"body": text})
        found = (await client.send("GET", f"./issues/{number}/comments")).body
        assert [comment["body"] for comment in found] == ["lost"]


async def test_the_backdoor_is_open_over_http_too() -> None:
    async with Client(EmulatedGitHub()) as client:
        url = f"{client.github.url}/_emulator"
        async with aiohttp.ClientSession() as session:

            async def call(name: str, **arguments: object) -> tuple[int, object]:
                async with session.post(f"{url}/{name}", json=arguments) as answer:
                    return answer.status, (await answer.json()).get("result")

            change = {"repo": REPO, "files": {"specs/two.yaml": "kind: Two\n"}, "branch": "b"}
            assert (await call("commit", **change))[0] == 200
            opened = {"repo": REPO, "head": "b", "title": "Two"}
            assert await call("open_pull", **opened) == (200, 1)
            assert (await call("open_pull", **opened))[0] == 422
            assert (await call("merge", repo=REPO, number=1))[0] == 200
            assert (await call("merge", repo=REPO, number=9))[0] == 400
            assert (await call("allow", repo=REPO, login="x", level="king"))[0] == 400
            assert (await call("nothing"))[0] == 404
            assert (await call("add_faults", rules=[{"path": "/user", "status": 503}]))[0] == 200
            assert (await client.send("GET", "/user")).status == 503
            assert (await call("clear_faults"))[0] == 200
            status, log = await call("requests")
            assert status == 200
            assert isinstance(log, dict)
            assert log["statuses"]["503"] == 1


def test_faults_and_mischief_are_read_from_yaml(tmp_path: Path) -> None:
    file = tmp_path / "faults.yaml"
    file.write_text("faults: [{method: PUT, status: 503}]\nwebhooks: {drop: 0.5}\n")
    rules, mischief = load_faults(file)
    assert (rules[0].status, mischief.drop) == (503, 0.5)
    for wrong in ("- {colour: red}\n", "webhooks: {colour: 1}\n"):
        file.write_text(wrong)
        with pytest.raises(ValueError, match="colour"):
            load_faults(file)


async def test_as_a_program_it_says_where_it_is_and_serves_over_tls(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "reconciler", "emulate", "github", "--tls"]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    try:
        assert process.stdout is not None
        line = json.loads(process.stdout.readline())
        environment = line["environment"]
        assert environment["GITHUB_API_URL"] == line["api"]
        context = ssl.create_default_context(cafile=environment["SSL_CERT_FILE"])
        header = {"Authorization": f"Bearer {environment['GITHUB_TOKEN']}"}
        request = urllib.request.Request(f"{line['api']}/user", headers=header)
        with urllib.request.urlopen(request, context=context) as answer:
            assert json.load(answer)["login"] == "reconciler"
        body = json.dumps({"name": "estate"}).encode()
        door = f"{line['url']}/_emulator/create_repository"
        with urllib.request.urlopen(door, body, context=context) as answer:
            assert json.load(answer) == {"result": REPO}
        authority = f"http.sslCAInfo={environment['GIT_SSL_CAINFO']}"
        await git("-c", authority, "clone", "-q", f"{line['url']}/{REPO}", str(tmp_path / "work"))
    finally:
        process.send_signal(signal.SIGTERM)
        process.communicate(timeout=20)
    assert process.returncode == 0
    assert not Path(environment["SSL_CERT_FILE"]).parent.exists()
