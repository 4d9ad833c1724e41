"""One comment, one status, one check run, one issue: however often and by however many."""

import asyncio

import pytest

from reconciler.core.errors import Transient
from reconciler.core.forge import Annotation, Mark
from reconciler.forge import GitHub, GitHubSettings
from tests.azure.scripted import JumpClock
from tests.forge.small import DROP, LOST, REPOSITORY, TOKEN, Small

COMMIT = "c" * 40
OPENED = "<!-- reconciler:plan -->\n"


def bodies(small: Small) -> list[str]:
    return [one["body"] for one in small.comments.values()]


async def test_a_comment_is_written_once_and_then_edited_in_place(
    small: Small, github: GitHub
) -> None:
    for text in ("one", "two", "two"):
        await github.say(7, "plan", text)
    assert bodies(small) == [f"{OPENED}two"]
    assert small.lines("POST") == [f"POST /repos/{REPOSITORY}/issues/7/comments"]
    assert len(small.lines("PATCH")) == 1


async def test_every_marker_and_every_pull_request_has_a_comment_of_its_own(
    small: Small, github: GitHub
) -> None:
    for pull, marker in ((7, "plan"), (7, "result"), (8, "plan"), (7, "plan")):
        await github.say(pull, marker, f"{pull} {marker}")
    assert len(small.comments) == 3


async def test_the_marker_of_somebody_else_or_further_down_is_not_ours(
    small: Small, github: GitHub
) -> None:
    small.add_comment(7, f"{OPENED}forged", login="mallory")
    small.add_comment(7, f"quoted\n{OPENED}")
    await github.say(7, "plan", "true")
    assert bodies(small)[:2] == [f"{OPENED}forged", f"quoted\n{OPENED}"]
    assert bodies(small)[2:] == [f"{OPENED}true"]


async def test_a_comment_is_found_on_a_later_page(small: Small, github: GitHub) -> None:
    for number in range(230):
        small.add_comment(7, f"talk {number}", login="somebody")
    await github.say(7, "plan", "one")
    await github.say(7, "plan", "two")
    assert bodies(small)[230:] == [f"{OPENED}two"]


async def test_ten_calls_at_once_write_one_comment(small: Small, github: GitHub) -> None:
    await asyncio.gather(*(github.say(7, "plan", str(number)) for number in range(10)))
    assert len(small.comments) == 1
    assert len(small.lines("POST")) == 1


async def test_two_workers_that_both_create_a_comment_leave_the_older_one(
    small: Small, github: GitHub, clock: JumpClock
) -> None:
    settings = GitHubSettings(repository=REPOSITORY, api_url=small.url, token=TOKEN)
    other = GitHub(settings, clock)
    small.barrier = asyncio.Barrier(2)
    await asyncio.gather(github.say(7, "plan", "mine"), other.say(7, "plan", "theirs"))
    await other.close()
    assert len(small.lines("POST")) == 2
    assert list(small.comments) == [100]
    await github.say(7, "plan", "later")
    assert bodies(small) == [f"{OPENED}later"]


@pytest.mark.parametrize("fault", [DROP, LOST])
async def test_a_comment_whose_answer_was_lost_is_not_written_twice(
    small: Small, github: GitHub, fault: object
) -> None:
    await github.login()
    small.faults = [None, fault]
    with pytest.raises(Transient, match="did not answer"):
        await github.say(7, "plan", "one")
    await github.say(7, "plan", "one")
    assert bodies(small) == [f"{OPENED}one"]


async def test_text_beyond_the_limit_is_refused_and_up_to_it_fits(
    small: Small, github: GitHub
) -> None:
    marker = "m" * 80
    await github.say(7, marker, "x" * github.text_limit)
    assert len(bodies(small)[0]) <= 65_536
    with pytest.raises(ValueError, match="too many"):
        await github.say(7, marker, "x" * (github.text_limit + 1))
    with pytest.raises(ValueError, match="marker"):
        await github.say(7, "--> <b>", "x")


async def test_an_issue_is_opened_updated_and_closed_by_itself(
    small: Small, github: GitHub
) -> None:
    small.add_issue("a pull request", "<!-- reconciler:drift-dev -->\n", pull_request={})
    for text in ("one", "two", "two"):
        await github.keep_issue("drift-dev", "dev has drifted", text)
    [issue] = [one for one in small.issues.values() if "pull_request" not in one]
    assert (issue["title"], issue["state"]) == ("dev has drifted", "open")
    assert issue["body"].endswith("two")
    for _ in range(2):
        await github.keep_issue("drift-dev", "dev has drifted", None)
    assert issue["state"] == "closed"
    assert len(small.lines("PATCH")) == 2
    await github.keep_issue("drift-dev", "dev has drifted", "again")
    assert len([one for one in small.issues.values() if one["state"] == "open"]) == 2


async def test_an_issue_is_closed_with_its_last_word_and_none_is_opened_for_one(
    small: Small, github: GitHub
) -> None:
    await github.keep_issue("drift-dev", "dev has drifted", "one")
    for _ in range(2):
        await github.keep_issue("drift-dev", "dev has drifted", "healed", over=True)
    (issue,) = small.issues.values()
    assert (issue["state"], issue["body"].endswith("healed")) == ("closed", True)


async def test_of_two_issues_for_one_marker_the_younger_is_closed(
    small: Small, github: GitHub
) -> None:
    for _ in range(2):
        small.add_issue("t", "<!-- reconciler:drift-dev -->\nold")
    await github.keep_issue("drift-dev", "t", "new")
    assert [one["state"] for one in small.issues.values()] == ["open", "closed"]


async def test_a_status_is_sent_when_it_says_something_new(small: Small, github: GitHub) -> None:
    marks = [Mark("reconciler/dev", "pending", "planning")]
    marks += [Mark("reconciler/dev", "blocked", "x" * 200, url="https://example.com/r")] * 2
    for mark in marks:
        await github.mark(7, COMMIT, mark)
    assert [one["state"] for one in small.statuses] == ["failure", "pending"]
    assert len(small.statuses[0]["description"]) == 140
    assert small.statuses[0]["target_url"] == "https://example.com/r"


def remarks(count: int, level: str = "warning") -> tuple[Annotation, ...]:
    return tuple(
        Annotation("specs/a.yaml", line, level, f"remark {line}", "rule", 3)  # type: ignore[arg-type]
        for line in range(1, count + 1)
    )


async def test_a_check_run_goes_from_pending_to_its_conclusion_in_place(
    small: Small, app: GitHub
) -> None:
    for state in ("pending", "pending", "failure", "failure"):
        mark = Mark("reconciler", state, f"is {state}", "**why**", "https://example.com/r")
        await app.mark(7, COMMIT, mark)
    [run] = small.runs
    assert (run["status"], run["conclusion"]) == ("completed", "failure")
    assert run["output"]["summary"] == "**why**"
    assert len(small.lines("PATCH")) == 1


async def test_a_completed_check_run_is_followed_by_a_new_one(small: Small, app: GitHub) -> None:
    for state in ("success", "pending", "neutral"):
        await app.mark(7, COMMIT, Mark("reconciler", state, state))
    assert [one["conclusion"] for one in small.runs] == ["success", "neutral"]


async def test_a_check_run_that_was_asked_for_again_is_answered_again(
    small: Small, app: GitHub
) -> None:
    mark = Mark("reconciler", "success", "fine")
    await app.mark(7, COMMIT, mark)
    small.runs[0]["status"] = "queued"
    await app.mark(7, COMMIT, mark)
    assert small.runs[0]["status"] == "completed"


async def test_annotations_go_out_fifty_at_a_time_and_the_conclusion_last(
    small: Small, app: GitHub
) -> None:
    await app.mark(7, COMMIT, Mark("reconciler", "failure", "bad", annotations=remarks(120)))
    [run] = small.runs
    assert [one["start_line"] for one in small.annotations[run["id"]]] == list(range(1, 121))
    assert len(small.lines("POST")) == 2  # the App's token and the run
    assert len(small.lines("PATCH")) == 2


async def test_a_check_run_broken_off_between_batches_is_begun_anew(
    small: Small, app: GitHub
) -> None:
    await app.mark(7, "d" * 40, Mark("reconciler", "success", "warms up"))
    mark = Mark("reconciler", "failure", "bad", annotations=remarks(70))
    small.faults = [None, None, LOST]
    with pytest.raises(Transient):
        await app.mark(7, COMMIT, mark)
    await app.mark(7, COMMIT, mark)
    run = small.runs[-1]
    assert (run["status"], len(small.annotations[run["id"]])) == ("completed", 70)


async def test_what_has_no_room_among_the_annotations_is_counted(small: Small, app: GitHub) -> None:
    both = (*remarks(600), *remarks(1, "error"))
    await app.mark(7, COMMIT, Mark("reconciler", "failure", "bad", annotations=both))
    [run] = small.runs
    shown = small.annotations[run["id"]]
    assert len(shown) == 500
    assert shown[0]["annotation_level"] == "failure"
    assert run["output"]["summary"] == "bad\n\n101 more remarks have no room here."
