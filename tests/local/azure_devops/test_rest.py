"""The emulated REST API, by itself: who is let in, shapes, refusals, the backdoor, the program."""

from __future__ import annotations

import asyncio
import json
import sys
from base64 import b64encode
from collections.abc import AsyncIterator
from typing import Any

import aiohttp
import pytest

from reconciler.local.azure_devops import EmulatedAzureDevOps, Fault
from reconciler.local.azure_devops.world import MAINTAINER

REPO = "platform/estate"
GIT = "platform/_apis/git/repositories/estate"


class Caller:
    """Requests as somebody, with an api-version unless told otherwise."""

    def __init__(self, devops: EmulatedAzureDevOps, session: aiohttp.ClientSession) -> None:
        self.devops, self._session = devops, session

    async def send(
        self, method: str, path: str, body: Any = None, *, user: str = MAINTAINER,
        version: str = "7.1", **headers: str,
    ) -> tuple[int, Any]:  # fmt: skip
        token = self.devops.backdoor.token(user) if user else ""
        pair = b64encode(f":{token}".encode()).decode()
        given = {"Authorization": f"Basic {pair}"} if token else {}
        url = f"{self.devops.url}/{path}"
        query = {"api-version": version} if version else {}
        async with self._session.request(
            method, url, params=query, json=body, headers=given | headers, allow_redirects=False
        ) as answer:
            text = await answer.text()
            is_json = answer.content_type == "application/json" and text
            return answer.status, json.loads(text) if is_json else text


@pytest.fixture
async def caller() -> AsyncIterator[Caller]:
    async with EmulatedAzureDevOps() as devops, aiohttp.ClientSession() as session:
        await devops.backdoor.create_repository("estate", {"specs/a.yaml": "kind: A\n"})
        yield Caller(devops, session)


async def a_pull(caller: Caller) -> int:
    door = caller.devops.backdoor
    await door.commit(REPO, {"specs/b.yaml": "kind: B\n"}, branch="change")
    return await door.open_pull(REPO, "change", "Change")


async def test_strangers_get_a_page_or_a_refusal_and_members_an_answer(caller: Caller) -> None:
    assert (await caller.send("GET", GIT, user=""))[0] == 203
    suppressed = {"X-TFS-FedAuthRedirect": "Suppress"}
    assert (await caller.send("GET", GIT, user="", **suppressed))[0] == 401
    status, body = await caller.send("GET", GIT, user="stranger@contoso.com")
    assert (status, body["message"][:8]) == (404, "TF401019")
    status, body = await caller.send("GET", GIT)
    assert (status, body["name"], body["project"]["name"]) == (200, "estate", "platform")
    by_id = f"_apis/git/repositories/{body['id']}".replace("_apis", "platform/_apis", 1)
    assert (await caller.send("GET", by_id))[1] == body
    assert (await caller.send("GET", GIT.upper().replace("ESTATE", "estate")))[0] == 200


@pytest.mark.parametrize(
    ("method", "path", "body", "status"),
    [
        ("GET", f"{GIT}/nothing", None, 404),
        ("GET", f"{GIT}/pullRequests/999", None, 404),
        ("GET", f"{GIT}/pullRequests/x", None, 404),
        ("DELETE", GIT, None, 404),
        ("POST", f"{GIT}/pullrequestquery", [], 400),
        ("POST", f"{GIT}/pullrequestquery", {"queries": [{"type": "x", "items": []}]}, 400),
        ("POST", "platform/_apis/wit/workitems/$Issue", [], 415),
        ("GET", "_apis/accesscontrollists/00000000-0000-0000-0000-000000000000", None, 404),
    ],
)
async def test_what_does_not_fit_is_refused_in_the_shape_of_azure_devops(
    caller: Caller, method: str, path: str, body: Any, status: int
) -> None:
    found, answer = await caller.send(method, path, body)
    assert found == status
    assert {"$id", "message", "typeKey", "errorCode"} <= set(answer)


async def test_a_request_names_its_version(caller: Caller) -> None:
    status, body = await caller.send("GET", GIT, version="")
    assert (status, body["typeKey"]) == (400, "VssVersionNotSpecifiedException")


async def test_a_pull_request_has_the_documented_members(caller: Caller) -> None:
    number = await a_pull(caller)
    status, body = await caller.send("GET", f"{GIT}/pullRequests/{number}")
    assert status == 200
    # https://learn.microsoft.com/rest/api/azure/devops/git/pull-requests/get-pull-request
    assert {
        "repository", "pullRequestId", "codeReviewId", "status", "createdBy", "creationDate",
        "title", "sourceRefName", "targetRefName", "mergeStatus", "mergeId", "isDraft",
        "lastMergeSourceCommit", "lastMergeTargetCommit", "lastMergeCommit", "reviewers", "url",
        "supportsIterations",
    } == set(body)  # fmt: skip
    assert body["sourceRefName"] == "refs/heads/change"
    assert (await caller.send("GET", f"{GIT}/pullrequests"))[1]["value"] == [body]


async def test_a_second_pull_request_from_the_same_branch_is_refused(caller: Caller) -> None:
    await a_pull(caller)
    body = {"sourceRefName": "refs/heads/change", "targetRefName": "refs/heads/main"}
    assert (await caller.send("POST", f"{GIT}/pullrequests", body))[0] == 409
    body["sourceRefName"] = "refs/heads/none"
    assert (await caller.send("POST", f"{GIT}/pullrequests", body))[0] == 400


async def test_readers_read_and_do_not_write_and_nobody_edits_what_others_wrote(
    caller: Caller,
) -> None:
    number, door = await a_pull(caller), caller.devops.backdoor
    door.allow(REPO, "reader@contoso.com", "read")
    door.allow(REPO, "other@contoso.com", "contribute")
    threads = f"{GIT}/pullRequests/{number}/threads"
    body = {"comments": [{"content": "Hello", "commentType": "text"}], "status": "active"}
    assert (await caller.send("GET", threads, user="reader@contoso.com"))[0] == 200
    assert (await caller.send("POST", threads, body, user="reader@contoso.com"))[0] == 403
    made = (await caller.send("POST", threads, body))[1]
    one = f"{threads}/{made['id']}/comments/1"
    change = {"content": "Changed"}
    assert (await caller.send("PATCH", one, change, user="other@contoso.com"))[0] == 403
    assert (await caller.send("PATCH", one, change))[1]["content"] == "Changed"
    long = {"content": "x" * 150_001}
    status, said = await caller.send("PATCH", one, long)
    assert (status, "150000 characters" in said["message"]) == (400, True)
    assert (await caller.send("DELETE", one))[0] == 200
    assert (await caller.send("GET", one))[0] == 404
    assert (await caller.send("GET", threads))[1]["value"][0]["isDeleted"] is True


async def test_a_policy_for_a_status_holds_a_merge_up_until_the_newest_iteration_has_it(
    caller: Caller,
) -> None:
    number, door = await a_pull(caller), caller.devops.backdoor
    door.protect(REPO, status="gitops/reconciler")
    one = f"{GIT}/pullRequests/{number}"
    completed = {"status": "completed"}
    assert (await caller.send("PATCH", one, completed))[0] == 403
    status = {
        "state": "succeeded",
        "description": "Done",
        "context": {"name": "reconciler", "genre": "gitops"},
        "iterationId": 1,
    }
    assert (await caller.send("POST", f"{one}/statuses", status))[0] == 200
    assert (await caller.send("POST", f"{one}/statuses", status | {"iterationId": 9}))[0] == 404
    assert (await caller.send("POST", f"{one}/statuses", status | {"state": "fine"}))[0] == 400
    assert (await caller.send("PATCH", one, completed))[1]["status"] == "completed"
    assert (await caller.send("PATCH", one, completed))[0] == 409


async def test_everybody_votes_for_himself_alone(caller: Caller) -> None:
    number = await a_pull(caller)
    me = (await caller.send("GET", "_apis/connectionData"))[1]["authenticatedUser"]["id"]
    other = caller.devops.world.add_user("other@contoso.com").id
    votes = f"{GIT}/pullRequests/{number}/reviewers"
    assert (await caller.send("PUT", f"{votes}/{other}", {"vote": 10}))[0] == 403
    assert (await caller.send("PUT", f"{votes}/{me}", {"vote": 10}))[0] == 200
    assert (await caller.send("PUT", f"{votes}/{me}", {"vote": 3}))[0] == 400


async def test_the_backdoor_answers_over_http_and_faults_strike(caller: Caller) -> None:
    base = caller.devops.url.rpartition("/")[0]
    async with aiohttp.ClientSession() as session:

        async def door(name: str, **body: Any) -> tuple[int, Any]:
            async with session.post(f"{base}/_emulator/{name}", json=body) as answer:
                return answer.status, await answer.json()

        files = {"specs/c.yaml": "kind: C\n"}
        status, made = await door("commit", repo=REPO, files=files, branch="c")
        assert (status, len(made["result"])) == (200, 40)
        found = await door("open_pull", repo=REPO, branch="c", title="C")
        assert found[0] == 200
        assert (await door("commit", repo="none/none", files={}))[0] == 400
        assert (await door("open_pull", repo=REPO, branch="c", title="C"))[0] == 409
        assert (await door("nothing"))[0] == 404
        assert (await door("add_faults", rules=[{"path": "estate", "status": 429}]))[0] == 200
        assert (await caller.send("GET", GIT))[0] == 429
        await door("clear_faults")
        assert (await caller.send("GET", GIT))[0] == 200
        assert (await door("requests"))[1]["result"]["statuses"] == {"429": 1, "200": 1}
    with pytest.raises(ValueError, match="unknown in a fault"):
        Fault.of({"bogus": 1})


async def test_the_program_prints_one_line_and_serves_with_tls_until_it_is_told_to_stop() -> None:
    words = ("-m", "reconciler.local.azure_devops", "--tls", "--seed", "3")
    process = await asyncio.create_subprocess_exec(
        sys.executable, *words, stdout=asyncio.subprocess.PIPE
    )
    assert process.stdout is not None
    try:
        ready = json.loads(await asyncio.wait_for(process.stdout.readline(), 30))
        environment = ready["environment"]
        assert environment["AZURE_DEVOPS_ORG_URL"] == ready["url"]
        assert ready["url"].startswith("https://localhost:")
        pair = b64encode(f":{environment['AZURE_DEVOPS_TOKEN']}".encode()).decode()
        async with (
            aiohttp.ClientSession() as session,
            session.get(
                f"{ready['url']}/_apis/connectionData?api-version=7.1-preview.1",
                headers={"Authorization": f"Basic {pair}"},
                ssl=False,
            ) as answer,
        ):
            assert answer.status == 200
    finally:
        process.terminate()
        await process.wait()
    assert process.returncode == 0
