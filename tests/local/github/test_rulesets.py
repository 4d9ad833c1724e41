"""What rulesets ask for before a merge, and what a classic token tells of itself."""

from __future__ import annotations

from reconciler.local.github import EmulatedGitHub
from tests.local.github.client import REPO, Client

RULES = "./rules/branches/main"


async def test_a_ruleset_is_told_and_keeps_a_pull_request_back_until_its_check_passes() -> None:
    async with Client(EmulatedGitHub()) as client:
        assert (await client.send("GET", RULES)).body == []
        client.github.backdoor.ruleset(REPO, ["reconciler"])
        rule = (await client.send("GET", RULES)).body[0]
        checks = rule["parameters"]["required_status_checks"]
        assert (rule["type"], checks) == ("required_status_checks", [{"context": "reconciler"}])
        assert (await client.send("GET", "./branches/main")).body["protected"] is False
        number = await client.a_pull()
        refused = await client.send("PUT", f"./pulls/{number}/merge")
        assert (refused.status, "reconciler" in refused.body["message"]) == (405, True)
        sha = (await client.send("GET", "./git/ref/heads/change")).body["object"]["sha"]
        passed = {"state": "success", "context": "reconciler"}
        await client.send("POST", f"./statuses/{sha}", passed)
        assert (await client.send("PUT", f"./pulls/{number}/merge")).status == 200


async def test_a_check_that_has_to_be_the_apps_is_not_passed_by_anybodys_status() -> None:
    async with Client(EmulatedGitHub()) as client:
        client.github.backdoor.ruleset(REPO, ["reconciler"], app=True)
        number = await client.a_pull()
        sha = (await client.send("GET", "./git/ref/heads/change")).body["object"]["sha"]
        await client.send(
            "POST", f"./statuses/{sha}", {"state": "success", "context": "reconciler"}
        )
        assert (await client.send("PUT", f"./pulls/{number}/merge")).status == 405
        run = {"name": "reconciler", "head_sha": sha, "conclusion": "success"}
        made = await client.send("POST", "./check-runs", run, token=await client.app_token())
        assert made.status == 201
        assert (await client.send("PUT", f"./pulls/{number}/merge")).status == 200


async def test_a_classic_token_tells_its_scopes_and_an_app_tells_none() -> None:
    async with Client(EmulatedGitHub()) as client:
        assert (await client.send("GET", "/user")).headers["x-oauth-scopes"] == "repo"
        token = await client.app_token()
        answer = await client.send("GET", f"/repos/{REPO}", token=token)
        assert "x-oauth-scopes" not in answer.headers
