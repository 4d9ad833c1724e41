"""Pull requests follow their branches, and are merged as GitHub merges them."""

from __future__ import annotations

import pytest

from reconciler.local.clock import ManualClock
from reconciler.local.github import EmulatedGitHub
from reconciler.local.github.git import Git
from tests.local.github.client import REPO, SPEC, Client


async def refs_of(client: Client) -> dict[str, str]:
    repo = client.github.world.repositories[REPO]
    return await Git(repo.folder).refs("refs/")


async def parents_of(client: Client, sha: str) -> list[str]:
    commit = (await client.send("GET", f"./git/commits/{sha}")).body
    return [parent["sha"] for parent in commit["parents"]]


async def test_a_pull_request_has_refs_for_its_head_and_for_the_trial_merge() -> None:
    async with Client(EmulatedGitHub()) as client:
        body = {"title": "Two", "head": "change", "base": "main", "body": "why"}
        await client.github.backdoor.commit(REPO, {"specs/two.yaml": SPEC}, branch="change")
        pull = (await client.send("POST", "./pulls", body)).body
        assert (pull["mergeable"], pull["mergeable_state"], pull["changed_files"]) == (
            True, "clean", 1,
        )  # fmt: skip
        refs = await refs_of(client)
        number = pull["number"]
        assert refs[f"refs/pull/{number}/head"] == pull["head"]["sha"]
        assert refs[f"refs/pull/{number}/merge"] == pull["merge_commit_sha"]
        ends = [pull["base"]["sha"], pull["head"]["sha"]]
        assert await parents_of(client, pull["merge_commit_sha"]) == ends
        path = f"./pulls/{number}"
        assert (await client.send("GET", f"{path}/files")).body[0]["status"] == "added"
        assert len((await client.send("GET", f"{path}/commits")).body) == 1
        assert (await client.send("GET", f"{path}/merge")).status == 404
        accept = {"Accept": "application/vnd.github.diff"}
        assert b"+kind: Account" in (await client.send("GET", path, headers=accept)).body
        again = await client.send("POST", "./pulls", body)
        assert "already exists" in again.body["errors"][0]["message"]
        nowhere = await client.send("POST", "./pulls", {**body, "head": "nowhere"})
        assert (nowhere.status, nowhere.body["errors"][0]["field"]) == (422, "head")


async def test_pushes_to_either_branch_renew_the_trial_merge() -> None:
    async with Client(EmulatedGitHub()) as client:
        number = await client.a_pull()
        trials = [(await refs_of(client))[f"refs/pull/{number}/merge"]]
        for branch in ("change", "main"):
            await client.github.backdoor.commit(REPO, {f"{branch}.txt": "x"}, branch=branch)
            trials.append((await refs_of(client))[f"refs/pull/{number}/merge"])
        assert len(set(trials)) == 3
        pull = (await client.send("GET", f"./pulls/{number}")).body
        assert await parents_of(client, trials[-1]) == [pull["base"]["sha"], pull["head"]["sha"]]
        heard = await client.heard()
        assert heard.count("pull_request.synchronize") == 1
        told = next(p for _, e, p in client.receiver.got if p.get("action") == "synchronize")
        assert told["after"] == pull["head"]["sha"] != told["before"]


async def test_a_conflict_is_seen_and_cannot_be_merged() -> None:
    async with Client(EmulatedGitHub()) as client:
        number = await client.a_pull(specs__account="kind: Mine\n")
        await client.github.backdoor.commit(REPO, {"specs/account.yaml": "kind: Theirs\n"})
        pull = (await client.send("GET", f"./pulls/{number}")).body
        assert (pull["mergeable"], pull["mergeable_state"]) == (False, "dirty")
        refused = await client.send("PUT", f"./pulls/{number}/merge", {})
        assert (refused.status, refused.body["message"]) == (405, "Pull Request is not mergeable")


@pytest.mark.parametrize(("method", "parents"), [("merge", 2), ("squash", 1), ("rebase", 1)])
async def test_all_three_ways_of_merging_bring_the_same_files(method: str, parents: int) -> None:
    async with Client(EmulatedGitHub()) as client:
        number = await client.a_pull()
        await client.github.backdoor.commit(REPO, {"specs/three.yaml": SPEC}, branch="change")
        await client.github.backdoor.commit(REPO, {"other.txt": "meanwhile\n"})
        head = (await client.send("GET", f"./pulls/{number}")).body["head"]["sha"]
        stale = {"merge_method": method, "sha": "0" * 40}
        assert (await client.send("PUT", f"./pulls/{number}/merge", stale)).status == 409
        body = {"merge_method": method, "sha": head}
        merged = (await client.send("PUT", f"./pulls/{number}/merge", body)).body
        assert merged["merged"] is True
        tip = (await client.send("GET", "./git/ref/heads/main")).body["object"]["sha"]
        assert tip == merged["sha"]
        assert len(await parents_of(client, tip)) == parents
        files = (await client.send("GET", "./contents/specs")).body
        assert [file["name"] for file in files] == ["account.yaml", "three.yaml", "two.yaml"]
        assert (await client.send("GET", "./contents/other.txt")).status == 200
        pull = (await client.send("GET", f"./pulls/{number}")).body
        assert (pull["merged"], pull["state"], pull["merge_commit_sha"]) == (True, "closed", tip)
        assert (pull["changed_files"], pull["merged_by"]["login"]) == (2, "maintainer")
        brought = (await client.send("GET", f"./commits/{tip}/pulls")).body
        assert [one["number"] for one in brought] == [number]
        assert (await client.send("GET", f"./pulls/{number}/merge")).status == 204
        heard = await client.heard()
        assert heard[-3:] == ["pull_request.closed", "push", "check_suite.requested"]


async def test_required_checks_and_approvals_hold_a_merge_back() -> None:
    async with Client(EmulatedGitHub()) as client:
        rules = {
            "required_status_checks": {"strict": False, "contexts": ["reconciler"]},
            "enforce_admins": True,
            "required_pull_request_reviews": {"required_approving_review_count": 1},
            "restrictions": None,
        }
        protection = "./branches/main/protection"
        assert (await client.send("GET", protection)).status == 404
        assert (await client.send("PUT", protection, rules)).status == 200
        assert (await client.send("GET", protection)).body["enforce_admins"]["enabled"] is True
        assert (await client.send("GET", "./branches/main")).body["protected"] is True
        number = await client.a_pull()
        path = f"./pulls/{number}"
        sha = (await client.send("GET", path)).body["head"]["sha"]
        refusals = [(await client.send("PUT", f"{path}/merge", {})).body["message"]]
        status = {"context": "reconciler", "state": "failure"}
        await client.send("POST", f"./statuses/{sha}", status)
        refusals.append((await client.send("PUT", f"{path}/merge", {})).body["message"])
        await client.send("POST", f"./statuses/{sha}", {**status, "state": "success"})
        refusals.append((await client.send("PUT", f"{path}/merge", {})).body["message"])
        assert refusals == [
            'Required status check "reconciler" is expected.',
            'Required status check "reconciler" is failing.',
            "At least 1 approving review is required by reviewers with write access.",
        ]
        assert (await client.send("GET", path)).body["mergeable_state"] == "blocked"
        approve = {"event": "APPROVE", "body": "fine"}
        assert (await client.send("POST", f"{path}/reviews", approve)).status == 422
        machine = client.token("reconciler")
        reviewed = await client.send("POST", f"{path}/reviews", approve, token=machine)
        assert (reviewed.status, reviewed.body["state"]) == (200, "APPROVED")
        assert len((await client.send("GET", f"{path}/reviews")).body) == 1
        assert (await client.send("PUT", f"{path}/merge", {})).status == 200
        assert (await client.send("DELETE", protection)).status == 204


async def test_a_fork_brings_its_commits_and_its_pull_request_says_where_it_is_from() -> None:
    async with Client(EmulatedGitHub()) as client:
        door = client.github.backdoor
        fork = await door.fork(REPO, "stranger")
        await door.commit(fork, {"specs/evil.yaml": SPEC}, branch="patch", author="stranger")
        number = await door.open_pull(REPO, "stranger:patch", "From outside", author="stranger")
        pull = (await client.send("GET", f"./pulls/{number}")).body
        assert pull["head"]["repo"]["full_name"] == "stranger/estate"
        assert pull["head"]["repo"]["fork"] is True
        assert pull["author_association"] == "NONE"
        assert (await client.send("GET", f"./pulls/{number}/files")).body[0]["status"] == "added"
        await door.commit(fork, {"specs/more.yaml": SPEC}, branch="patch", author="stranger")
        pull = (await client.send("GET", f"./pulls/{number}")).body
        assert (pull["commits"], pull["mergeable"]) == (2, True)
        heard = await client.heard()
        assert heard == ["pull_request.opened", "pull_request.synchronize"]
        stranger = client.token("stranger")
        for method, path in (("PUT", f"./pulls/{number}/merge"), ("POST", "./git/refs")):
            assert (await client.send(method, path, {}, token=stranger)).status == 403


async def test_closing_reopening_drafts_and_edits_are_told() -> None:
    async with Client(EmulatedGitHub()) as client:
        door, number = client.github.backdoor, await client.a_pull()
        path = f"./pulls/{number}"
        await door.set_draft(REPO, number, draft=True)
        assert (await client.send("GET", path)).body["mergeable_state"] == "draft"
        assert (await client.send("PUT", f"{path}/merge", {})).status == 405
        await door.set_draft(REPO, number, draft=False)
        for change in ({"state": "closed"}, {"state": "open"}, {"title": "Better"}):
            assert (await client.send("PATCH", path, change)).status == 200
        heard = [one for one in await client.heard() if one.startswith("pull_request")]
        actions = ["opened", "converted_to_draft", "ready_for_review", "closed", "reopened",
                   "edited"]  # fmt: skip
        assert heard == [f"pull_request.{action}" for action in actions]
        assert [one["title"] for one in (await client.send("GET", "./pulls")).body] == ["Better"]
        assert (await client.send("GET", "./pulls?state=closed")).body == []


async def test_whether_it_can_be_merged_is_unknown_at_first_when_asked_for() -> None:
    clock = ManualClock()
    async with Client(EmulatedGitHub(clock=clock, mergeable_delay_s=5)) as client:
        number = await client.a_pull()
        found = (await client.send("GET", f"./pulls/{number}")).body
        assert (found["mergeable"], found["mergeable_state"]) == (None, "unknown")
        clock.advance(5)
        found = (await client.send("GET", f"./pulls/{number}")).body
        assert (found["mergeable"], found["mergeable_state"]) == (True, "clean")
