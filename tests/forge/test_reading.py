"""What is read about pull requests, comments and people."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest

from reconciler.core.forge import Comment, Reviews
from reconciler.forge import GitHub
from reconciler.forge.pulls import first_parents
from tests.azure.scripted import JumpClock
from tests.forge.small import REPOSITORY, Small

HEAD, MERGE, NEW, OLD = "a" * 40, "b" * 40, "c" * 40, "d" * 40


def a_pull(number: int = 7, **changed: Any) -> dict[str, Any]:
    ours = {"id": 1, "full_name": REPOSITORY}
    return {
        "number": number,
        "title": "Add a deployment",
        "state": "open",
        "draft": False,
        "user": {"login": "ada"},
        "head": {"sha": HEAD, "ref": "feature", "repo": ours},
        "base": {"sha": OLD, "ref": "main", "repo": ours},
        "html_url": f"https://github.example/{REPOSITORY}/pull/{number}",
        "merge_commit_sha": MERGE,
        "merged_at": None,
        **changed,
    }


async def test_a_pull_request_that_merges_has_its_merge_commit(
    small: Small, github: GitHub
) -> None:
    small.fixed["/pulls/7"] = a_pull(mergeable=True, mergeable_state="clean")
    found = await github.pull(7)
    assert (found.merges, found.merge_commit, found.allowed) == (True, MERGE, True)
    assert (found.author, found.head, found.base, found.fork) == ("ada", HEAD, "main", False)


async def test_a_conflict_has_no_merge_commit(small: Small, github: GitHub) -> None:
    small.fixed["/pulls/7"] = a_pull(mergeable=False, mergeable_state="dirty")
    found = await github.pull(7)
    assert (found.merges, found.merge_commit, found.allowed) == (False, "", False)


async def test_github_is_given_time_to_work_out_whether_it_merges(
    small: Small, github: GitHub, clock: JumpClock
) -> None:
    answers: Iterator[Any] = iter([None, None, True])
    small.fixed["/pulls/7"] = lambda: a_pull(mergeable=next(answers))
    assert (await github.pull(7)).merge_commit == MERGE
    assert clock.slept == [0.5, 1.0]


async def test_a_merge_that_stays_unknown_is_not_guessed(small: Small, github: GitHub) -> None:
    small.fixed["/pulls/7"] = a_pull(mergeable=None, mergeable_state="unknown")
    found = await github.pull(7)
    assert (found.merges, found.merge_commit, found.allowed) == (None, "", None)


async def test_a_merged_pull_request_tells_what_it_became(small: Small, github: GitHub) -> None:
    small.fixed["/pulls/7"] = a_pull(state="closed", merged_at="2026-11-20T12:00:00Z")
    found = await github.pull(7)
    assert (found.state, found.merge_commit) == ("merged", MERGE)


@pytest.mark.parametrize("repo", [None, {"id": 2, "full_name": "mallory/estate"}])
async def test_a_fork_is_one_even_when_it_is_gone(
    small: Small, github: GitHub, repo: object
) -> None:
    head = {"sha": HEAD, "ref": "main", "repo": repo}
    small.fixed["/pulls/7"] = a_pull(head=head, user=None, mergeable=True)
    found = await github.pull(7)
    assert found.fork
    assert found.author == "ghost"


async def test_open_pull_requests_are_listed_to_the_last_page(small: Small, github: GitHub) -> None:
    small.fixed["/pulls"] = [a_pull(number) for number in range(1, 251)]
    assert [one.number for one in await github.open_pulls()] == list(range(1, 251))


def a_commit(sha: str, *parents: str) -> dict[str, Any]:
    return {"sha": sha, "parents": [{"sha": parent} for parent in parents]}


async def test_the_pull_requests_of_a_push_are_found_along_first_parents(
    small: Small, github: GitHub
) -> None:
    merged = {"state": "closed", "merged_at": "2026-11-20T12:00:00Z"}
    elsewhere = {"sha": OLD, "ref": "release", "repo": {"id": 1, "full_name": REPOSITORY}}
    small.fixed[f"/compare/{OLD}...{NEW}"] = {
        "commits": [a_commit(HEAD, OLD), a_commit(MERGE, OLD, HEAD), a_commit(NEW, MERGE)]
    }
    small.fixed[f"/commits/{NEW}/pulls"] = [a_pull(9, **merged), a_pull(5)]
    small.fixed[f"/commits/{MERGE}/pulls"] = [
        a_pull(8, **merged),
        a_pull(9, **merged),
        a_pull(4, **merged, base=elsewhere),
    ]
    assert [one.number for one in await github.merged_between(OLD, NEW)] == [9, 8]
    assert await github.merged_between(NEW, NEW) == []
    assert [one.number for one in await github.merged_between("", NEW)] == [9]


async def test_a_commit_that_is_gone_leaves_the_newest_one(small: Small, github: GitHub) -> None:
    small.fixed[f"/commits/{NEW}/pulls"] = [a_pull(9, state="closed", merged_at="2026-11-20")]
    assert [one.number for one in await github.merged_between(OLD, NEW)] == [9]


def test_a_chain_of_parents_ends_even_when_it_is_a_ring() -> None:
    assert first_parents("a", [a_commit("a", "b"), a_commit("b", "a")]) == ["a", "b"]
    assert first_parents("a", []) == []


async def test_renamed_files_are_touched_under_both_names(small: Small, github: GitHub) -> None:
    renamed = {"filename": "specs/b.yaml", "previous_filename": "specs/a.yaml"}
    small.fixed["/pulls/7/files"] = [renamed, {"filename": "README.md"}]
    found = await github.changed_files(7)
    assert found == frozenset({"specs/a.yaml", "specs/b.yaml", "README.md"})


async def test_more_files_than_github_lists_are_not_taken_for_all(
    small: Small, github: GitHub
) -> None:
    small.fixed["/pulls/7/files"] = [{"filename": f"specs/{n}.yaml"} for n in range(3000)]
    assert await github.changed_files(7) is None


async def test_only_the_last_word_of_each_reviewer_on_the_newest_commit_counts(
    small: Small, github: GitHub
) -> None:
    def review(user: str | None, state: str, commit: str = HEAD) -> dict[str, Any]:
        return {"user": user and {"login": user}, "state": state, "commit_id": commit}

    small.fixed["/pulls/7"] = a_pull(mergeable=True)
    small.fixed["/pulls/7/reviews"] = [
        review("ada", "CHANGES_REQUESTED"),
        review("ada", "APPROVED"),
        review("ada", "COMMENTED"),
        review("bob", "APPROVED", OLD),
        review("eve", "APPROVED"),
        review("eve", "DISMISSED"),
        review("tim", "APPROVED"),
        review("tim", "CHANGES_REQUESTED", OLD),
        review(None, "APPROVED"),
    ]
    found = await github.reviews(await github.pull(7))
    assert found == Reviews(frozenset({"ada"}), frozenset({"tim"}))


async def test_a_comment_is_read_as_it_is_now(small: Small, github: GitHub) -> None:
    made = small.add_comment(7, "/plan dev", login="ada")
    assert await github.comment(made["id"]) == Comment(made["id"], 7, "ada", "/plan dev")
    made["html_url"] = made["html_url"].replace("/pull/", "/issues/")
    assert await github.comment(made["id"]) is None
    assert await github.comment(1) is None


def a_comment(
    number: int, written: str, text: str = "/plan", on: str = "pull/7", **more: Any
) -> dict[str, Any]:
    return {
        "id": number,
        "body": text,
        "created_at": f"2026-11-20T{written}Z",
        "user": {"login": "ada"},
        "html_url": f"https://github.example/{REPOSITORY}/{on}#issuecomment-{number}",
        **more,
    }


async def test_of_the_comments_since_a_moment_new_commands_on_pull_requests_are_read(
    small: Small, github: GitHub
) -> None:
    small.fixed["/issues/comments"] = [
        a_comment(9, "12:00:09", "/apply dev 0123abcd", user=None),
        a_comment(8, "12:00:08", "I would say\n/plan"),
        a_comment(7, "12:00:07", on="issues/3"),
        a_comment(6, "12:00:06", body=None),
        a_comment(5, "12:00:05"),
        a_comment(4, "12:00:04", "/plan, but edited since"),
    ]
    moment = datetime(2026, 11, 20, 14, 0, 5, 600_000, timezone(timedelta(hours=2)))
    found = await github.comments_since(moment)
    assert [(one.id, one.pull, one.author) for one in found] == [(5, 7, "ada"), (9, 7, "")]
    asked = small.sent[-1][2]
    assert asked["since"] == "2026-11-20T12:00:05Z"
    assert (asked["sort"], asked["direction"]) == ("created", "desc")


async def test_comments_are_read_back_to_the_moment_and_no_further(
    small: Small, github: GitHub
) -> None:
    listed = [a_comment(n, f"12:{n // 60:02}:{n % 60:02}") for n in range(900, 0, -1)]
    small.fixed["/issues/comments"] = listed
    found = await github.comments_since(datetime(2026, 11, 20, 12, 11, tzinfo=UTC))
    assert [one.id for one in found] == list(range(660, 901))
    assert len(small.seen) == 3


async def test_a_flood_of_comments_is_read_to_a_bound_the_newest_first(
    small: Small, github: GitHub, caplog: pytest.LogCaptureFixture
) -> None:
    small.fixed["/issues/comments"] = [a_comment(n, "12:00:00") for n in range(5000, 0, -1)]
    found = await github.comments_since(datetime(2026, 11, 20, 12, tzinfo=UTC))
    assert [one.id for one in found] == list(range(4001, 5001))
    assert len(small.seen) == 10
    assert "comments before the newest 1000 were not read" in caplog.text


@pytest.mark.parametrize(
    ("permission", "may"),
    [("admin", True), ("write", True), ("read", False), ("none", False), ("", False)],
)
async def test_only_those_who_may_write_may_write(
    small: Small, github: GitHub, permission: str, may: bool
) -> None:
    small.fixed["/collaborators/ada/permission"] = {"permission": permission}
    assert await github.may_write("ada") is may


async def test_a_stranger_or_a_name_that_is_none_may_not_write(
    small: Small, github: GitHub
) -> None:
    assert not await github.may_write("mallory")
    asked = len(small.seen)
    for name in ("", "../../user", "ada/permission?x=", "a b", "ada\n", "é"):
        assert not await github.may_write(name)
    assert len(small.seen) == asked


async def test_a_reaction_is_sent(small: Small, github: GitHub) -> None:
    await github.react(55, "seen")
    assert small.lines() == [f"POST /repos/{REPOSITORY}/issues/comments/55/reactions"]
