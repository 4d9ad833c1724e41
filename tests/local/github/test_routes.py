"""Every operation once, each answer held against GitHub's published description."""

from __future__ import annotations

import re

from reconciler.local.github import EmulatedGitHub
from reconciler.local.github.rest import ROUTES
from tests.local.github import openapi
from tests.local.github.client import REPO, Client
from tests.local.github.openapi import needs_openapi


@needs_openapi
def test_every_operation_is_one_that_github_describes() -> None:
    paths = {re.sub(r"\{\w+\}", "{}", path): found for path, found in
             openapi.description()["paths"].items()}  # fmt: skip
    for route in ROUTES.all:
        # The description has the root folder under /contents/{path}.
        template = route.template.replace("/contents", "/contents/{path}", 1) if (
            route.template.endswith("/contents")) else route.template  # fmt: skip
        described = paths.get(re.sub(r"\{\w+\}", "{}", template))
        assert described is not None, route.template
        assert route.method.lower() in described, (route.method, route.template)


async def test_users_repositories_and_rights_are_answered() -> None:
    async with Client(EmulatedGitHub()) as client:
        assert (await client.send("GET", "/user")).body["login"] == "maintainer"
        assert (await client.send("GET", "/users/reconciler")).status == 200
        assert (await client.send("GET", "/users/nobody")).status == 404
        assert (await client.send("GET", f"/repos/{REPO}")).body["default_branch"] == "main"
        levels = []
        for login in ("maintainer", "reconciler", "azure-ai-reconciler[bot]"):
            path = f"./collaborators/{login}/permission"
            levels.append((await client.send("GET", path)).body["permission"])
        assert levels == ["admin", "write", "read"]
        assert (await client.send("GET", "./collaborators/reconciler")).status == 204
        assert (await client.send("GET", "./collaborators/nobody")).status == 404
        client.github.backdoor.allow(REPO, "careful", "triage")
        found = (await client.send("GET", "./collaborators/careful/permission")).body
        assert (found["permission"], found["role_name"]) == ("read", "triage")


async def test_commits_refs_and_files_are_answered() -> None:
    async with Client(EmulatedGitHub()) as client:
        number = await client.a_pull()
        head = (await client.send("GET", "./git/ref/heads/change")).body["object"]["sha"]
        assert (
            next(one["sha"] for one in (await client.send("GET", "./commits?sha=change")).body)
            == head
        )
        one = (await client.send("GET", "./commits/change")).body
        assert [file["filename"] for file in one["files"]] == ["specs/two.yaml"]
        raw = await client.send(
            "GET", "./commits/change", headers={"Accept": "application/vnd.github.sha"}
        )
        assert raw.body == head.encode()
        compared = (await client.send("GET", "./compare/main...change")).body
        assert (compared["status"], compared["ahead_by"], compared["behind_by"]) == ("ahead", 1, 0)
        file = (await client.send("GET", "./contents/specs/two.yaml?ref=change")).body
        assert (file["type"], file["encoding"]) == ("file", "base64")
        folder = (await client.send("GET", "./contents/specs?ref=change")).body
        assert [entry["name"] for entry in folder] == ["account.yaml", "two.yaml"]
        assert (await client.send("GET", "./contents/specs/two.yaml")).status == 404
        assert (await client.send("GET", f"./git/commits/{head}")).status == 200
        assert (await client.send("GET", f"./git/blobs/{file['sha']}")).body["size"] > 0
        found = (await client.send("GET", "./git/matching-refs/heads")).body
        assert [ref["ref"] for ref in found] == ["refs/heads/change", "refs/heads/main"]
        pulls = (await client.send("GET", f"./commits/{head}/pulls")).body
        assert [pull["number"] for pull in pulls] == [number]
        branches = (await client.send("GET", "./branches")).body
        assert [branch["name"] for branch in branches] == ["change", "main"]
        assert (await client.send("GET", "./branches/main")).body["protected"] is False


async def test_refs_are_made_moved_and_deleted() -> None:
    async with Client(EmulatedGitHub()) as client:
        main = (await client.send("GET", "./git/ref/heads/main")).body["object"]["sha"]
        new = {"ref": "refs/heads/new", "sha": main}
        assert (await client.send("POST", "./git/refs", new)).status == 201
        assert (await client.send("POST", "./git/refs", new)).status == 422
        sha = await client.github.backdoor.commit(REPO, {"a": "b"}, branch="other")
        moved = await client.send("PATCH", "./git/refs/heads/new", {"sha": sha})
        assert moved.body["object"]["sha"] == sha
        back = await client.send("PATCH", "./git/refs/heads/new", {"sha": main})
        assert (back.status, back.body["message"]) == (422, "Update is not a fast forward")
        forced = {"sha": main, "force": True}
        assert (await client.send("PATCH", "./git/refs/heads/new", forced)).status == 200
        assert (await client.send("DELETE", "./git/refs/heads/new")).status == 204
        assert (await client.send("GET", "./git/ref/heads/new")).status == 404


async def test_issues_comments_and_reactions_are_kept() -> None:
    async with Client(EmulatedGitHub()) as client:
        made = await client.send("POST", "./issues", {"title": "Drift", "labels": ["drift"]})
        number = made.body["number"]
        listed = (await client.send("GET", "./issues?labels=drift")).body
        assert [issue["number"] for issue in listed] == [number]
        path = f"./issues/{number}"
        said = (await client.send("POST", f"{path}/comments", {"body": "hello"})).body
        one = f"./issues/comments/{said['id']}"
        changed = (await client.send("PATCH", one, {"body": "changed"})).body
        assert (await client.send("GET", one)).body["body"] == changed["body"] == "changed"
        assert len((await client.send("GET", f"{path}/comments")).body) == 1
        assert len((await client.send("GET", "./issues/comments")).body) == 1
        for where in (one, path):
            eyes = await client.send("POST", f"{where}/reactions", {"content": "eyes"})
            again = await client.send("POST", f"{where}/reactions", {"content": "eyes"})
            assert (eyes.status, again.status) == (201, 200)
            assert len((await client.send("GET", f"{where}/reactions")).body) == 1
            gone = f"{where}/reactions/{eyes.body['id']}"
            assert (await client.send("DELETE", gone)).status == 204
        assert (await client.send("DELETE", one)).status == 204
        closed = (await client.send("PATCH", path, {"state": "closed"})).body
        assert (closed["state"], closed["state_reason"]) == ("closed", "completed")
        assert (await client.send("GET", path)).body["closed_by"]["login"] == "maintainer"
        reopened = (await client.send("PATCH", path, {"state": "open", "body": "again"})).body
        assert (reopened["state"], reopened["closed_at"]) == ("open", None)


async def test_the_comments_of_a_repository_are_listed_in_the_order_that_is_asked_for() -> None:
    async with Client(EmulatedGitHub()) as client:
        number = await client.a_pull()
        path = f"./issues/{number}/comments"
        made = [(await client.send("POST", path, {"body": f"{n}"})).body["id"] for n in range(3)]

        async def listed(query: str) -> list[int]:
            found = await client.send("GET", f"./issues/comments?{query}")
            return [one["id"] for one in found.body]

        assert await listed("") == await listed("direction=desc") == made
        assert await listed("sort=created&direction=desc") == made[::-1]
        assert await listed("since=2020-01-01T00:00:00Z") == made
        assert await listed("since=2999-01-01T00:00:00Z") == []


async def test_a_text_of_65536_characters_is_kept_and_one_more_refused() -> None:
    async with Client(EmulatedGitHub()) as client:
        number = await client.a_pull()
        path = f"./issues/{number}/comments"
        assert (await client.send("POST", path, {"body": "x" * 65_536})).status == 201
        refused = await client.send("POST", path, {"body": "x" * 65_537})
        assert refused.status == 422
        assert "65536" in refused.body["errors"][0]["message"]
        assert (await client.send("POST", path, {})).status == 422
        assert (await client.send("POST", path, {"body": "  "})).status == 422


async def test_statuses_and_their_combination_follow_the_newest_of_each_context() -> None:
    async with Client(EmulatedGitHub()) as client:
        await client.a_pull()
        sha = (await client.send("GET", "./git/ref/heads/change")).body["object"]["sha"]
        combined = (await client.send("GET", "./commits/change/status")).body
        assert (combined["state"], combined["total_count"]) == ("pending", 0)
        states = []
        for context, state in (("a", "pending"), ("a", "success"), ("b", "failure")):
            body = {"state": state, "context": context, "description": "said"}
            assert (await client.send("POST", f"./statuses/{sha}", body)).status == 201
            states.append((await client.send("GET", "./commits/change/status")).body["state"])
        assert states == ["pending", "success", "failure"]
        assert len((await client.send("GET", "./commits/change/statuses")).body) == 3
        long = {"state": "success", "description": "x" * 141}
        assert (await client.send("POST", f"./statuses/{sha}", long)).status == 422
        assert (await client.send("POST", f"./statuses/{sha}", {"state": "good"})).status == 422


async def test_check_runs_collect_annotations_fifty_at_a_time() -> None:
    async with Client(EmulatedGitHub()) as client:
        await client.a_pull()
        token = await client.app_token()
        sha = (await client.send("GET", "./git/ref/heads/change")).body["object"]["sha"]
        made = await client.send(
            "POST", "./check-runs", {"name": "dev", "head_sha": sha}, token=token
        )
        assert (made.status, made.body["status"]) == (201, "queued")
        run = f"./check-runs/{made.body['id']}"
        note = {"path": "specs/two.yaml", "start_line": 1, "end_line": 1,
                "annotation_level": "failure", "message": "wrong"}  # fmt: skip
        output = {"title": "Refused", "summary": "one", "annotations": [note] * 51}
        refused = await client.send("PATCH", run, {"output": output}, token=token)
        assert "No more than 50 items" in refused.body["message"]
        output["annotations"] = [note] * 50
        for _ in range(2):
            await client.send("PATCH", run, {"output": output}, token=token)
        assert len((await client.send("GET", f"{run}/annotations?per_page=100")).body) == 100
        done = await client.send("PATCH", run, {"conclusion": "failure"}, token=token)
        assert (done.body["status"], done.body["conclusion"]) == ("completed", "failure")
        listed = (await client.send("GET", "./commits/change/check-runs")).body
        assert (listed["total_count"], listed["check_runs"][0]["name"]) == (1, "dev")
        suites = (await client.send("GET", "./commits/change/check-suites")).body["check_suites"]
        suite = f"./check-suites/{suites[0]['id']}"
        assert (await client.send("GET", suite)).body["conclusion"] == "failure"
        assert (await client.send("GET", f"{suite}/check-runs")).body["total_count"] == 1
        assert (await client.send("GET", run)).body["output"]["annotations_count"] == 100
        for one in (run, suite):
            assert (await client.send("POST", f"{one}/rerequest")).status == 201
        heard = await client.heard()
        assert heard[-2:] == ["check_run.rerequested", "check_suite.rerequested"]
        by_user = await client.send("POST", "./check-runs", {"name": "x", "head_sha": sha})
        assert by_user.status == 403


async def test_repositories_have_webhooks_of_their_own() -> None:
    async with Client(EmulatedGitHub()) as client:
        client.github.backdoor.webhook("")
        config = {"url": client.receiver.url, "secret": client.receiver.secret}
        body = {"config": {**config, "content_type": "json"}, "events": ["issue_comment"]}
        made = (await client.send("POST", "./hooks", body)).body
        assert made["config"]["secret"] == "********"
        assert await client.heard() == ["ping"]
        one = f"./hooks/{made['id']}"
        assert (await client.send("POST", f"{one}/pings")).status == 204
        assert (await client.send("GET", one)).body["last_response"]["code"] in (None, 202)
        number = await client.a_pull()
        await client.send("POST", f"./issues/{number}/comments", {"body": "hello"})
        assert await client.heard() == ["ping", "ping", "issue_comment.created"]
        delivered = (await client.send("GET", f"{one}/deliveries")).body
        assert [one["event"] for one in delivered] == ["issue_comment", "ping", "ping"]
        again = f"{one}/deliveries/{delivered[0]['id']}/attempts"
        assert (await client.send("POST", again)).status == 202
        await client.heard()
        assert client.receiver.got[-1][0] == client.receiver.got[-2][0] == delivered[0]["guid"]
        assert (await client.send("PATCH", one, {"active": False})).body["active"] is False
        assert len((await client.send("GET", "./hooks")).body) == 1
        assert (await client.send("DELETE", one)).status == 204
