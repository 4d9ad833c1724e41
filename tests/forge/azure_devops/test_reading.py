"""Pull requests as Azure Repos tells them, over HTTP against the emulated one."""

from datetime import UTC, datetime, timedelta

import pytest

from reconciler.core.errors import Permanent
from reconciler.core.forge import Pull, Reviews
from reconciler.forge.azure_devops import AzureDevOps
from reconciler.forge.azure_devops.numbers import comment_number, comment_place
from reconciler.local.azure_devops import EmulatedAzureDevOps
from tests.azure.scripted import JumpClock
from tests.forge.azure_devops.conftest import BODY, READER, REPO, SPEC, WRITER, a_pull, settings

OTHER = "other@contoso.com"


async def test_a_pull_request_is_read_with_what_merging_it_would_make(
    devops: EmulatedAzureDevOps, forge: AzureDevOps
) -> None:
    head = await devops.backdoor.commit(REPO, {SPEC: "two\n"}, branch="change", author=WRITER)
    number = await devops.backdoor.open_pull(REPO, "change", "Change", author=WRITER)
    merge = devops.world.repository("estate").pulls[number].merge_commit
    assert await forge.pull(number) == Pull(
        number=number,
        title="Change",
        author=WRITER,
        head=head,
        branch="change",
        base="main",
        state="open",
        draft=False,
        fork=False,
        url=f"{devops.url}/platform/_git/estate/pullrequest/{number}",
        merges=True,
        merge_commit=str(merge),
        allowed=True,
    )
    assert [one.number for one in await forge.open_pulls()] == [number]
    assert (await forge.open_pulls())[0].merges is None


async def test_a_conflict_a_draft_a_fork_and_the_ends_of_pull_requests_are_told(
    devops: EmulatedAzureDevOps, forge: AzureDevOps
) -> None:
    door = devops.backdoor
    one, other = await a_pull(devops, "one", "one\n"), await a_pull(devops, "other", "other\n")
    made = await door.complete(REPO, one)
    merged, conflicting = await forge.pull(one), await forge.pull(other)
    assert (merged.state, merged.merge_commit, merged.allowed) == ("merged", made, None)
    assert (conflicting.merges, conflicting.merge_commit, conflicting.allowed) == (False, "", False)
    door.abandon(REPO, other)
    assert (await forge.pull(other)).state == "closed"
    fork = await door.fork(REPO, "copy")
    await door.commit(fork, {"README.md": "mine\n"}, branch="mine", author=READER)
    number = await door.open_pull(REPO, "mine", "Mine", fork=fork, author=READER, draft=True)
    found = await forge.pull(number)
    assert (found.fork, found.draft, found.merges, found.allowed) == (True, True, True, False)
    assert await forge.changed_files(number) == {"README.md"}


async def test_merging_is_waited_for_as_long_as_it_is_not_known(clock: JumpClock) -> None:
    async with EmulatedAzureDevOps(merge_delay_s=1_000_000) as devops:
        await devops.backdoor.create_repository("estate", {SPEC: BODY})
        number = await a_pull(devops)
        forge = AzureDevOps(settings(devops), clock)
        found = await forge.pull(number)
        assert (found.merges, found.merge_commit) == (None, "")
        assert clock.slept == [0.5, 1.0, 2.0, 4.0]
        await forge.close()


async def test_policies_decide_whether_it_may_be_merged_but_not_the_one_that_waits_for_us(
    devops: EmulatedAzureDevOps, forge: AzureDevOps
) -> None:
    number = await a_pull(devops)
    devops.backdoor.protect(REPO, status="gitops/reconciler")
    assert (await forge.pull(number)).allowed is True
    devops.backdoor.protect(REPO, approvals=1)
    assert (await forge.pull(number)).allowed is False
    devops.backdoor.vote(REPO, number, READER, 10)
    assert (await forge.pull(number)).allowed is True
    devops.backdoor.protect(REPO, status="build/unit")
    assert (await forge.pull(number)).allowed is False
    devops.backdoor.add_faults([{"path": "policy/evaluations", "status": 403}])
    assert (await forge.pull(number)).allowed is None


async def test_what_was_merged_between_two_commits_is_found_however_it_was_merged(
    devops: EmulatedAzureDevOps, forge: AzureDevOps
) -> None:
    door = devops.backdoor
    first = await door.complete(REPO, await a_pull(devops, "zero", "zero\n"))
    one = await a_pull(devops, "one", "one\n")
    await door.complete(REPO, one)
    await door.commit(REPO, {"README.md": "straight to main\n"})
    two = await a_pull(devops, "two", "two more\n")
    newest = await door.complete(REPO, two, strategy="squash")
    assert [p.number for p in await forge.merged_between(first, newest)] == [two, one]
    assert [p.state for p in await forge.merged_between(first, newest)] == ["merged", "merged"]
    assert await forge.merged_between(newest, newest) == []
    assert await forge.merged_between(newest, first) == []
    assert [p.number for p in await forge.merged_between("", newest)] == [two]
    assert [p.number for p in await forge.merged_between("a" * 40, newest)] == [two]


async def test_after_a_push_that_threw_history_away_only_what_is_new_is_found(
    devops: EmulatedAzureDevOps, forge: AzureDevOps
) -> None:
    door = devops.backdoor
    old = await door.complete(REPO, await a_pull(devops, "zero", "zero\n"))
    lost = await door.complete(REPO, await a_pull(devops, "lost", "lost\n"))
    await door.commit(REPO, {"README.md": "anew\n"}, force_from=old)
    number = await a_pull(devops, "one", "one\n")
    new = await door.complete(REPO, number)
    assert [one.number for one in await forge.merged_between(lost, new)] == [number]


async def test_a_merge_into_another_branch_is_none_of_ours(
    devops: EmulatedAzureDevOps, forge: AzureDevOps
) -> None:
    door = devops.backdoor
    start = await door.commit(REPO, {"README.md": "y\n"})
    await door.commit(REPO, {"README.md": "z\n"}, branch="release")
    await door.commit(REPO, {SPEC: "in release\n"}, branch="fix")
    inner = await door.open_pull(REPO, "fix", "Fix", base="release")
    await door.complete(REPO, inner)
    outer = await door.open_pull(REPO, "release", "Release")
    new = await door.complete(REPO, outer)
    assert [one.number for one in await forge.merged_between(start, new)] == [outer]


async def test_files_are_listed_over_pages_with_the_old_names_of_renamed_ones(
    devops: EmulatedAzureDevOps, forge: AzureDevOps, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("reconciler.forge.azure_devops.pulls.FILES_AT_ONCE", 2)
    names = [f"specs/many/{at}.yaml" for at in range(5)]
    files: dict[str, str | None] = {name: f"# {name}\n" for name in names}
    files |= {SPEC: None, "specs/models/talk.yaml": BODY}
    await devops.backdoor.commit(REPO, files, branch="change")
    number = await devops.backdoor.open_pull(REPO, "change", "Change")
    expected = {*names, SPEC, "specs/models/talk.yaml"}
    assert await forge.changed_files(number) == expected
    monkeypatch.setattr("reconciler.forge.azure_devops.pulls.MOST_FILES", 5)
    assert await forge.changed_files(number) is None


async def test_a_vote_counts_for_the_newest_commit_only_when_it_came_after_it(
    devops: EmulatedAzureDevOps, forge: AzureDevOps
) -> None:
    door, number = devops.backdoor, await a_pull(devops)
    door.vote(REPO, number, READER, 10)
    door.vote(REPO, number, OTHER, -5)
    pull = await forge.pull(number)
    assert await forge.reviews(pull) == Reviews(frozenset({READER}), frozenset({OTHER}))
    await door.commit(REPO, {SPEC: "three\n"}, branch="change", author=WRITER)
    stale, pull = pull, await forge.pull(number)
    assert await forge.reviews(pull) == Reviews(frozenset(), frozenset({OTHER}))
    assert await forge.reviews(stale) == Reviews(frozenset(), frozenset({OTHER}))
    door.vote(REPO, number, READER, 5)
    door.vote(REPO, number, OTHER, 0)
    assert await forge.reviews(pull) == Reviews(frozenset({READER}), frozenset())
    assert await forge.reviews(stale) == Reviews(frozenset(), frozenset())


async def test_a_policy_that_takes_approvals_away_makes_every_vote_a_fresh_one(
    devops: EmulatedAzureDevOps, forge: AzureDevOps
) -> None:
    door, number = devops.backdoor, await a_pull(devops)
    door.protect(REPO, approvals=1, reset=True)
    door.vote(REPO, number, READER, 10)
    devops.world.repository("estate").pulls[number].threads.clear()
    pull = await forge.pull(number)
    assert (await forge.reviews(pull)).approved == {READER}
    await door.commit(REPO, {SPEC: "three\n"}, branch="change", author=WRITER)
    assert (await forge.reviews(await forge.pull(number))).approved == frozenset()


async def test_nobody_freshens_the_vote_of_somebody_else_with_a_thread_of_his_own(
    devops: EmulatedAzureDevOps, forge: AzureDevOps
) -> None:
    door, number = devops.backdoor, await a_pull(devops)
    door.vote(REPO, number, READER, 10)
    await door.commit(REPO, {SPEC: "three\n"}, branch="change", author=WRITER)
    forger, victim = devops.world.add_user(WRITER), devops.world.add_user(READER)
    pull = devops.world.repository("estate").pulls[number]
    thread = devops.site.thread(pull, forger, "voted 10", kind="system", status=None)
    thread.properties = {
        "CodeReviewThreadType": "VoteUpdate",
        "CodeReviewVotedByIdentity": "1",
        "CodeReviewVotedByTfId": victim.id,
        "CodeReviewVoteResult": "10",
    }
    thread.identities = {"1": victim}
    assert (await forge.reviews(await forge.pull(number))).approved == frozenset()


async def test_comments_are_read_by_one_number_and_commands_are_found_without_webhooks(
    devops: EmulatedAzureDevOps, forge: AzureDevOps
) -> None:
    door, began = devops.backdoor, datetime.now(UTC)
    number, merged = await a_pull(devops), await a_pull(devops, "gone", "gone\n")
    await door.complete(REPO, merged)
    thread, first = door.comment(REPO, number, "Looks good", by=READER)
    door.comment(REPO, number, "/plan dev", by=WRITER, thread=thread)
    door.comment(REPO, merged, "/apply b41d9e07", by=READER)
    found = await forge.comments_since(began - timedelta(minutes=1))
    assert [(one.pull, one.author, one.text) for one in found] == [
        (number, WRITER, "/plan dev"),
        (merged, READER, "/apply b41d9e07"),
    ]
    assert await forge.comment(found[0].id) == found[0]
    assert comment_place(found[0].id) == (number, thread, 2)
    plain = await forge.comment(comment_number(number, thread, first))
    assert plain
    assert plain.text == "Looks good"
    assert await forge.comments_since(datetime.now(UTC) + timedelta(minutes=1)) == []
    for gone in (comment_number(number, thread, 99), comment_number(number, 9999, 1), 0, -5, 7):
        assert await forge.comment(gone) is None


async def test_only_those_who_may_contribute_may_write(
    devops: EmulatedAzureDevOps, forge: AzureDevOps
) -> None:
    door = devops.backdoor
    door.contributor(REPO, "member@contoso.com")
    door.allow(REPO, "denied@contoso.com", "contribute", denied=4)
    door.contributor(REPO, "denied@contoso.com")
    door.allow(REPO, "left@contoso.com", "contribute")
    devops.world.add_user("left@contoso.com").active = False
    expected = {
        WRITER: True,
        WRITER.upper(): True,
        "member@contoso.com": True,
        devops.world.add_user(WRITER).id: True,
        READER: False,
        "denied@contoso.com": False,
        "left@contoso.com": False,
        "nobody@contoso.com": False,
        "writer": False,
        "": False,
        "x" * 300: False,
        "a\nb": False,
        devops.world.guid("nobody"): False,
    }
    assert {user: await forge.may_write(user) for user in expected} == expected


async def test_nobody_gains_rights_by_calling_himself_like_somebody_else(
    devops: EmulatedAzureDevOps, forge: AzureDevOps
) -> None:
    devops.backdoor.allow(REPO, "mallory@contoso.com", "comment", title=WRITER)
    assert not await forge.may_write("mallory@contoso.com")
    assert await forge.may_write(WRITER)
    devops.backdoor.allow(REPO, "boss@contoso.com", "comment")
    devops.backdoor.allow(REPO, "eve@contoso.com", "contribute", title="boss@contoso.com")
    assert not await forge.may_write("boss@contoso.com")


async def test_when_rights_cannot_be_read_nobody_has_any(
    devops: EmulatedAzureDevOps, forge: AzureDevOps
) -> None:
    devops.backdoor.add_faults([{"path": "accesscontrollists", "status": 403}])
    with pytest.raises(Permanent):
        await forge.may_write(WRITER)


@pytest.mark.parametrize("parts", [(1, 1, 1), (2**31 - 1, 2**31 - 1, 2**15 - 1), (12, 345, 6)])
def test_three_numbers_become_one_and_three_again(parts: tuple[int, int, int]) -> None:
    assert comment_place(comment_number(*parts)) == parts


@pytest.mark.parametrize("parts", [(0, 1, 1), (1, 0, 1), (1, 1, 0), (2**31, 1, 1), (1, 1, 2**16)])
def test_numbers_that_no_comment_has_are_refused(parts: tuple[int, int, int]) -> None:
    with pytest.raises(ValueError, match="no comment"):
        comment_number(*parts)
