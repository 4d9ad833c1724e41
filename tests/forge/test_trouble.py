"""What happens when GitHub is slow, cross, broken or gone."""

import asyncio
import logging
import traceback
from base64 import b64decode
from typing import Any, Final

import pytest
from aiohttp import web

from reconciler.core.errors import Permanent, ReconcilerError, Transient
from reconciler.core.forge import Mark
from reconciler.forge import GitHub, GitHubSettings
from reconciler.forge.pace import Pace
from tests.azure.scripted import JumpClock, serving
from tests.forge.conftest import SECRETS
from tests.forge.small import APP_ID, DROP, LOST, REPOSITORY, TOKEN, Small, limited, used_up
from tests.forge.test_reading import a_pull

BROKEN: Final[tuple[int, dict[str, str], Any]] = (502, {}, {"message": "Server Error"})


async def test_reads_are_sent_again_after_any_failure(
    small: Small, github: GitHub, clock: JumpClock
) -> None:
    small.fixed["/pulls/7"] = a_pull(mergeable=True)
    small.faults = [BROKEN, LOST, DROP, BROKEN]
    assert (await github.pull(7)).number == 7
    assert len(small.seen) == 5
    assert len(clock.slept) == 4


async def test_patience_ends(small: Small, github: GitHub, clock: JumpClock) -> None:
    small.faults = [BROKEN] * 100
    with pytest.raises(Transient, match="502 Server Error"):
        await github.pull(7)
    assert clock.elapsed <= 30
    assert 4 <= len(small.seen) <= 20


@pytest.mark.parametrize("fault", [BROKEN, DROP, LOST])
async def test_a_write_that_may_have_happened_is_not_sent_again(
    small: Small, github: GitHub, fault: Any
) -> None:
    await github.login()
    small.faults = [None, fault]
    with pytest.raises(Transient):
        await github.say(7, "plan", "one")
    assert len(small.lines("POST")) == 1


async def test_a_write_that_was_refused_for_its_pace_is_sent_again(
    small: Small, github: GitHub, clock: JumpClock
) -> None:
    await github.login()
    small.faults = [None, limited(20)]
    await github.say(7, "plan", "one")
    assert (len(small.comments), clock.slept) == (1, [20.0])


@pytest.mark.parametrize(
    "fault",
    [
        limited(600),
        (403, {}, {"message": "You have exceeded a secondary rate limit."}),
        (429, {}, {"message": "slow down"}),
        (429, {"Retry-After": "Fri, 20 Nov 2026 12:10:00 GMT"}, {}),
    ],
)
async def test_a_longer_silence_is_left_to_the_caller_and_kept_by_all(
    small: Small, github: GitHub, fault: Any
) -> None:
    small.faults = [fault]
    with pytest.raises(Transient) as caught:
        await github.open_pulls()
    asked = len(small.seen)
    assert caught.value.retry_after_s is not None
    assert caught.value.retry_after_s >= 60
    with pytest.raises(Transient, match="no more requests"):
        await github.may_write("ada")
    assert len(small.seen) == asked


async def test_the_primary_limit_is_waited_out(
    small: Small, github: GitHub, clock: JumpClock
) -> None:
    small.fixed["/pulls"] = []
    small.faults = [used_up(clock, 25)]
    assert await github.open_pulls() == []
    assert clock.elapsed == pytest.approx(25, abs=1)


async def test_content_is_made_at_the_pace_github_asks_for(clock: JumpClock) -> None:
    pace, moments = Pace(clock), []
    for _ in range(1001):
        await pace.take(writes=True, patience_s=4000)
        moments.append(clock.monotonic())
    for count, window_s in ((80, 60.0), (500, 3600.0)):
        pairs = zip(moments, moments[count:], strict=False)
        assert all(later - earlier > window_s for earlier, later in pairs)
    assert moments[79] == 0
    assert moments[1000] == pytest.approx(7200, abs=1)


async def test_a_turn_that_would_take_too_long_is_not_used_up(clock: JumpClock) -> None:
    pace = Pace(clock)
    for _ in range(80):
        await pace.take(writes=True, patience_s=0)
    for _ in range(3):
        with pytest.raises(Transient) as caught:
            await pace.take(writes=True, patience_s=30)
        assert caught.value.retry_after_s == pytest.approx(60, abs=1)
    await pace.take(writes=False, patience_s=0)
    assert clock.elapsed == 0


class Interrupted(JumpClock):
    """While somebody sleeps, GitHub asks for silence: once, for so long."""

    def __init__(self, silence_s: float) -> None:
        super().__init__()
        self.silence_s, self.pace = silence_s, Pace(self)

    async def sleep(self, seconds: float) -> None:
        silence_s, self.silence_s = self.silence_s, 0.0
        self.pace.close(seconds + silence_s)
        await super().sleep(seconds)


async def test_who_waits_for_a_turn_keeps_a_silence_that_is_asked_for_meanwhile() -> None:
    clock = Interrupted(40)
    for _ in range(81):
        await clock.pace.take(writes=True, patience_s=300)
    assert clock.elapsed == pytest.approx(100, abs=1)


async def test_a_turn_lost_to_a_silence_is_given_back() -> None:
    clock = Interrupted(1000)
    clock.pace.close(10)
    with pytest.raises(Transient) as caught:
        await clock.pace.take(writes=True, patience_s=30)
    assert caught.value.retry_after_s == pytest.approx(1000, abs=1)
    clock.elapsed += 1000
    for _ in range(80):
        await clock.pace.take(writes=True, patience_s=0)


async def test_ten_callers_at_once_are_not_faster_than_one(clock: JumpClock) -> None:
    pace, moments = Pace(clock), []

    async def write() -> None:
        for _ in range(20):
            await pace.take(writes=True, patience_s=4000)
            moments.append(clock.monotonic())

    await asyncio.gather(*(write() for _ in range(10)))
    pairs = zip(moments, moments[80:], strict=False)
    assert all(later - earlier > 60 for earlier, later in pairs)


async def test_a_broken_github_that_says_for_how_long_is_left_in_peace(
    small: Small, github: GitHub, clock: JumpClock
) -> None:
    small.fixed["/pulls"] = []
    small.faults = [(503, {"Retry-After": "20"}, {})]
    assert await github.open_pulls() == []
    assert clock.slept == [20.0]
    small.faults = [(503, {"Retry-After": "600"}, {})]
    with pytest.raises(Transient) as caught:
        await github.open_pulls()
    assert caught.value.retry_after_s == 600


@pytest.mark.parametrize(
    ("answer", "sentence"),
    [
        ((401, {}, {"message": "Bad credentials"}), "Check GITHUB_TOKEN"),
        (
            (
                403,
                {"x-accepted-github-permissions": "checks=write"},
                {"message": "Resource not accessible by integration"},
            ),
            r"Grant the App or the token what it needs \(checks=write\)",
        ),
        ((404, {}, {"message": "Not Found"}), "It is gone"),
        ((301, {"Location": "/repositories/1"}, {}), "has moved: set RECONCILER_REPO_URL"),
        (
            (422, {}, {"message": "Validation Failed", "errors": [{"code": "custom"}, "no"]}),
            "422 Validation Failed; custom; no",
        ),
        ((418, {}, ["teapot"]), "418 without a word"),
    ],
)
async def test_a_refusal_is_a_sentence_with_a_way_out(
    small: Small, github: GitHub, answer: Any, sentence: str
) -> None:
    small.faults = [answer]
    with pytest.raises(Permanent, match=sentence):
        await github.open_pulls()
    assert len(small.seen) == 1


async def test_a_page_that_is_not_the_api_is_recognised(clock: JumpClock) -> None:
    async def sign_in(request: web.BaseRequest) -> web.Response:
        return web.Response(text="<html>Sign in</html>", content_type="text/html")

    async with serving(sign_in) as url:
        settings = GitHubSettings(repository=REPOSITORY, api_url=url, token=TOKEN)
        github = GitHub(settings, clock)
        with pytest.raises(Permanent, match="check GITHUB_API_URL"):
            await github.pull(7)
        await github.close()


async def test_nobody_there_is_tried_a_few_times(clock: JumpClock) -> None:
    async with serving(web.BaseRequest) as url:  # type: ignore[arg-type]
        pass
    github = GitHub(GitHubSettings(repository=REPOSITORY, api_url=url, token=TOKEN), clock)
    with pytest.raises(Transient, match="ConnectError"):
        await github.mark(7, "c" * 40, Mark("reconciler", "success", "fine"))
    assert len(clock.slept) >= 4
    await github.close()


# Apps


async def test_an_installation_token_is_kept_until_shortly_before_it_runs_out(
    small: Small, app: GitHub, clock: JumpClock
) -> None:
    small.fixed["/pulls"] = []
    for seconds in (0, 3000, 200, 200):
        clock.elapsed += seconds
        await app.open_pulls()
    assert len(small.tokens) == 2
    assert small.lines("GET").count(f"GET /repos/{REPOSITORY}/installation") == 1


async def test_a_token_that_was_withdrawn_is_replaced_once(small: Small, app: GitHub) -> None:
    small.fixed["/pulls"] = []
    await app.open_pulls()
    small.revoked = set(small.tokens)
    assert await app.open_pulls() == []
    assert len(small.tokens) == 2
    small.faults = [(401, {}, {"message": "Bad credentials"})] * 2
    small.faults.insert(1, None)
    with pytest.raises(Permanent, match="Bad credentials"):
        await app.open_pulls()


async def test_the_token_is_a_credential_for_git(small: Small, app: GitHub) -> None:
    header = await app.git_credentials()
    scheme, _, pair = header.partition(" ")
    assert (scheme, b64decode(pair).decode()) == ("Basic", f"x-access-token:{small.tokens[0]}")


async def test_the_author_of_what_an_app_writes_is_its_bot(small: Small, app: GitHub) -> None:
    assert await app.login() == "estate-app[bot]"
    await app.say(7, "plan", "one")
    await app.say(7, "plan", "two")
    assert [one["body"][-3:] for one in small.comments.values()] == ["two"]


async def test_the_token_of_a_job_writes_as_github_actions(small: Small, github: GitHub) -> None:
    small.faults = [(403, {}, {"message": "Resource not accessible by integration"})]
    assert await github.login() == "github-actions[bot]"


async def test_a_key_that_cannot_sign_is_told_without_repeating_it(
    small: Small, clock: JumpClock
) -> None:
    key = "-----BEGIN PRIVATE KEY-----\ncanary-key\n-----END PRIVATE KEY-----"
    settings = GitHubSettings(
        repository=REPOSITORY, api_url=small.url, app_id=APP_ID, private_key=key
    )
    github = GitHub(settings, clock)
    with pytest.raises(Permanent, match="GITHUB_PRIVATE_KEY cannot sign") as caught:
        await github.open_pulls()
    assert "canary" not in everything(caught.value)
    await github.close()


async def test_without_an_identity_nothing_is_asked(small: Small, clock: JumpClock) -> None:
    github = GitHub(GitHubSettings(repository=REPOSITORY, api_url=small.url), clock)
    with pytest.raises(Permanent, match="Set GITHUB_APP_ID"):
        await github.open_pulls()
    assert small.seen == []


# Secrets


def everything(error: BaseException) -> str:
    return f"{error!r} {error} {vars(error)} {''.join(traceback.format_exception(error))}"


async def test_tokens_reach_github_and_nothing_else(
    small: Small,
    github: GitHub,
    app: GitHub,
    caplog: pytest.LogCaptureFixture,
    key_pair: tuple[str, str],
) -> None:
    caplog.set_level(logging.DEBUG)
    echo = {"message": f"no {TOKEN} ghs_canary0x9d2c7e1f {key_pair[0]}", "errors": [TOKEN]}
    told = []
    for one in (github, app):
        for fault in ((401, {}, echo), (403, {}, echo), (404, {}, echo), (500, {}, echo), LOST):
            small.faults = [fault] * 30
            try:
                await one.mark(7, "c" * 40, Mark("reconciler", "success", "fine"))
            except ReconcilerError as error:
                told.append(everything(error))
            small.faults = []
        await one.mark(7, "c" * 40, Mark("reconciler", "success", "fine"))
    assert len(told) == 10
    assert f"Bearer {TOKEN}" in small.authorizations
    secrets = [TOKEN, *small.tokens, *(one[-40:] for one in small.authorizations if one)]
    for text in (*told, caplog.text):
        assert not any(secret in text for secret in secrets)


async def test_a_token_of_no_known_shape_is_not_repeated_either(
    small: Small, clock: JumpClock
) -> None:
    token = "canary0123456789abcdef"
    settings = GitHubSettings(repository=REPOSITORY, api_url=small.url, token=token)
    github = GitHub(settings, clock)
    with pytest.raises(Permanent, match=r"Bad credentials: \*\*\*") as caught:
        await github.open_pulls()
    assert token not in everything(caught.value)
    await github.close()


def test_settings_do_not_show_their_secrets(key_pair: tuple[str, str]) -> None:
    settings = GitHubSettings(
        repository=REPOSITORY,
        token=TOKEN,
        app_id=APP_ID,
        private_key=key_pair[0],
        webhook_secrets=SECRETS,
    )
    assert not any(one in repr(settings) for one in (TOKEN, key_pair[0][40:80], *SECRETS))
