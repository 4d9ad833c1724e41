"""Who is let in, how often, and what need not be sent again."""

from __future__ import annotations

from reconciler.local.clock import ManualClock
from reconciler.local.github import EmulatedGitHub
from tests.local.github.client import REPO, Client


async def test_the_app_signs_in_with_its_key_for_ten_minutes_at_most() -> None:
    clock = ManualClock()
    async with Client(EmulatedGitHub(clock=clock)) as client:
        mine = await client.send("GET", "/app", token=client.jwt())
        assert mine.body["slug"] == "azure-ai-reconciler"
        number = client.github.world.app.installation_id
        for path in ("/app/installations", f"/app/installations/{number}",
                     f"/repos/{REPO}/installation", "/orgs/contoso/installation",
                     "/users/contoso/installation"):  # fmt: skip
            assert (await client.send("GET", path, token=client.jwt())).status == 200, path
        wrong = {
            "expired": client.jwt(expires=-1),
            "too long": client.jwt(expires=1000),
            "from the future": client.jwt(issued=200),
            "unsigned": client.jwt()[:-4] + "AAAA",
            "no app at all": client.token(),
        }
        for name, token in wrong.items():
            assert (await client.send("GET", "/app", token=token)).status == 401, name
        assert (await client.send("GET", "/app", token=client.jwt(iss="1"))).status == 404
        assert (await client.send("GET", f"/repos/{REPO}", token=client.jwt())).status == 401


async def test_an_installation_token_lasts_an_hour_and_does_what_was_asked_for() -> None:
    clock = ManualClock()
    async with Client(EmulatedGitHub(clock=clock)) as client:
        number = await client.a_pull()
        token = await client.app_token(permissions={"contents": "read", "issues": "read"})
        assert (await client.send("GET", "./contents/README.md", token=token)).status == 200
        said = {"body": "hello"}
        path = f"./issues/{number}/comments"
        refused = await client.send("POST", path, said, token=token)
        assert refused.body["message"] == "Resource not accessible by integration"
        full = await client.app_token(repositories=["estate"])
        comment = (await client.send("POST", path, said, token=full)).body
        assert comment["user"]["login"] == "azure-ai-reconciler[bot]"
        assert comment["performed_via_github_app"]["slug"] == "azure-ai-reconciler"
        seen = (await client.send("GET", "/installation/repositories", token=full)).body
        assert [repo["full_name"] for repo in seen["repositories"]] == [REPO]
        clock.advance(3600)
        assert (await client.send("GET", "./issues", token=full)).status == 401
        access = f"/app/installations/{client.github.world.app.installation_id}/access_tokens"
        for asked in ({"permissions": {"members": "read"}}, {"repositories": ["unknown"]}):
            made = await client.send("POST", access, asked, token=client.jwt())
            assert made.status == 422


async def test_what_somebody_may_not_see_is_not_found_and_what_not_do_is_forbidden() -> None:
    async with Client(EmulatedGitHub()) as client:
        await client.github.backdoor.create_repository("secret", private=True)
        stranger = client.token("stranger")
        secret = await client.send("GET", "/repos/contoso/secret", token=stranger)
        assert secret.body == {
            "message": "Not Found",
            "documentation_url": "https://docs.github.com/rest",
            "status": "404",
        }
        assert (await client.send("GET", "./contents/README.md", token="")).status == 200
        assert (await client.send("POST", "./issues", {"title": "x"}, token="")).status == 401
        bad = await client.send("GET", "/user", token="ghp_wrong")
        assert (bad.status, bad.body["message"]) == (401, "Bad credentials")
        sha = (await client.send("GET", "./git/ref/heads/main")).body["object"]["sha"]
        status = {"state": "success"}
        refused = await client.send("POST", f"./statuses/{sha}", status, token=stranger)
        assert refused.status == 403
        made = (await client.send("POST", "./issues", {"title": "x"}, token=stranger)).body
        theirs = f"./issues/{made['number']}"
        other = client.token("another")
        assert (await client.send("PATCH", theirs, {"title": "y"}, token=other)).status == 403
        assert (await client.send("GET", "./nothing")).status == 404


async def test_broken_bodies_are_refused_with_a_sentence() -> None:
    async with Client(EmulatedGitHub()) as client:
        for body in ({}, {"title": "x", "head": 5, "base": "main"}):
            refused = await client.send("POST", "./pulls", body)
            assert (refused.status, "Invalid request" in refused.body["message"]) == (422, True)
        assert (await client.send("POST", "./issues", [1])).status == 400


async def test_content_is_limited_to_eighty_a_minute_and_five_hundred_an_hour() -> None:
    clock = ManualClock()
    async with Client(EmulatedGitHub(clock=clock)) as client:

        async def write(times: int) -> list[int]:
            made = [await client.send("POST", "./issues", {"title": "x"}) for _ in range(times)]
            return [answer.status for answer in made]

        assert await write(81) == [201] * 80 + [403]
        refused = await client.send("POST", "./issues", {"title": "x"})
        assert refused.headers["retry-after"] == "60"
        assert "secondary rate limit" in refused.body["message"]
        assert (await client.send("GET", "./issues")).status == 200
        for _ in range(5):
            clock.advance(60)
            assert await write(80) == [201] * 80
        clock.advance(60)
        assert await write(21) == [201] * 20 + [403]
        refused = await client.send("POST", "./issues", {"title": "x"})
        assert int(refused.headers["retry-after"]) == 3600 - 360


async def test_requests_are_counted_by_the_hour_and_304_is_free() -> None:
    clock = ManualClock()
    async with Client(EmulatedGitHub(clock=clock)) as client:
        client.github.limits.per_hour = 10
        first = await client.send("GET", "./issues")
        tag = first.headers["etag"]
        remaining = first.headers["x-ratelimit-remaining"]
        again = await client.send("GET", "./issues", headers={"If-None-Match": tag})
        assert (again.status, again.headers["x-ratelimit-remaining"]) == (304, remaining)
        rate = (await client.send("GET", "/rate_limit")).body["rate"]
        assert (rate["limit"], rate["used"], rate["remaining"]) == (10, 1, 9)
        statuses = [(await client.send("GET", "./issues")).status for _ in range(10)]
        assert statuses == [200] * 9 + [403]
        refused = await client.send("GET", "./issues")
        assert refused.headers["x-ratelimit-remaining"] == "0"
        assert int(refused.headers["x-ratelimit-reset"]) == int(clock.now()) + 3600
        await client.send("POST", "./issues", {"title": "new"}, token=client.token("other"))
        clock.advance(3600)
        changed = await client.send("GET", "./issues", headers={"If-None-Match": tag})
        assert changed.status == 200


async def test_long_lists_come_in_pages_that_link_to_each_other() -> None:
    async with Client(EmulatedGitHub(rate_limits=False)) as client:
        for number in range(5):
            await client.send("POST", "./issues", {"title": f"Issue {number}"})
        links = []
        for page in (1, 2, 3):
            answer = await client.send("GET", f"./issues?per_page=2&page={page}")
            links.append([word.partition('"')[0] for word in
                          answer.headers["link"].split('rel="')[1:]])  # fmt: skip
        assert len(answer.body) == 1
        assert links == [["next", "last"], ["prev", "next", "last", "first"], ["prev", "first"]]
