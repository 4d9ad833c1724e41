"""What a person does on the pages is what the API does for that person, refusals too."""

from __future__ import annotations

from reconciler.local.github import EmulatedGitHub
from tests.local.github.client import REPO, SPEC, Client


async def test_a_pull_request_is_opened_discussed_approved_and_merged_on_its_pages() -> None:
    async with Client(EmulatedGitHub()) as client:
        door = client.github.backdoor
        door.allow(REPO, "developer", "write")
        await door.commit(REPO, {"specs/two.yaml": SPEC}, "Two & more", branch="a#b")
        new = f"/{REPO}/pull/new/a%23b"
        assert f'href="{new}"' in (await client.text(f"/{REPO}"))[1]
        page = (await client.text(new))[1]
        for shown in ('value="Two &amp; more"', 'value="a#b"', "specs/two.yaml", "developer"):
            assert shown in page, shown
        status, page = await client.fill(
            new, do="open", head="a#b", title="Two", text="Why", **{"as": "developer"}
        )
        assert (status, "Why" in page) == (200, True)
        where = f"/{REPO}/pull/1"
        await client.fill(where, do="comment", text="/plan\r\nplease", **{"as": "developer"})
        await client.fill(where, do="approve", **{"as": "maintainer"})
        comments = (await client.send("GET", "./issues/1/comments")).body
        assert [(one["user"]["login"], one["body"]) for one in comments] == [
            ("developer", "/plan\r\nplease")
        ]
        reviews = (await client.send("GET", "./pulls/1/reviews")).body
        assert [(one["user"]["login"], one["state"]) for one in reviews] == [
            ("maintainer", "APPROVED")
        ]
        status, page = await client.fill(where, do="merge", **{"as": "developer"})
        assert (status, ">merged<" in page) == (200, True)
        assert 'value="merge"' not in page
        heard = [one for one in await client.heard() if one.startswith(("pull_", "issue_"))]
        assert heard == ["pull_request.opened", "issue_comment.created", "pull_request.closed"]
        assert f'href="{new}"' not in (await client.text(f"/{REPO}"))[1]


async def test_what_the_api_refuses_is_refused_on_the_pages_with_its_reason() -> None:
    async with Client(EmulatedGitHub()) as client:
        number = await client.a_pull()
        client.github.backdoor.protect(REPO, ["reconciler"])
        client.github.backdoor.token("visitor")
        where = f"/{REPO}/pull/{number}"
        for status, why, given in (
            (405, "Required status check &quot;reconciler&quot; is expected", {"do": "merge"}),
            (422, "Can not approve your own pull request", {"do": "approve"}),
            (422, "Body cannot be blank", {"do": "comment", "text": " "}),
            (403, "Resource not accessible", {"do": "merge", "as": "visitor"}),
            (401, "Requires authentication", {"do": "comment", "text": "x", "as": "nobody"}),
            (404, "Not found", {"do": "delete"}),
            (404, "Not found", {"do": "open", "head": "change", "title": "x"}),
        ):
            answered, page = await client.fill(where, **{"as": "maintainer", **given})
            assert (answered, why in page) == (status, True), (given, page)
        found = (await client.send("GET", f"./pulls/{number}")).body
        assert (found["merged"], found["comments"]) == (False, 0)


async def test_a_form_that_another_site_sends_does_nothing() -> None:
    async with Client(EmulatedGitHub()) as client:
        number = await client.a_pull()
        where, given = f"/{REPO}/pull/{number}", {"do": "merge", "as": "maintainer"}
        answered, _ = await client.fill(where, origin="https://evil.example", **given)
        assert answered == 403
        assert (await client.fill(where, origin="null", **given))[0] == 403
        assert not (await client.send("GET", f"./pulls/{number}")).body["merged"]
        assert (await client.fill(where, origin=client.github.url, **given))[0] == 200


async def test_an_issue_is_answered_on_its_page() -> None:
    async with Client(EmulatedGitHub()) as client:
        await client.send("POST", "./issues", {"title": "Drift"})
        where = f"/{REPO}/issues/1"
        assert 'value="merge"' not in (await client.text(where))[1]
        status, page = await client.fill(where, do="comment", text="Seen", **{"as": "maintainer"})
        assert (status, "Seen" in page) == (200, True)
