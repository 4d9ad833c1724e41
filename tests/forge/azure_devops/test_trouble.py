"""When Azure DevOps throttles, fails or refuses: what is sent again, and what is said."""

import subprocess
import sys
from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any

import pytest

from reconciler.core.errors import Permanent, Transient
from reconciler.core.forge import Mark
from reconciler.forge.azure_devops import AzureDevOps, AzureDevOpsSettings
from reconciler.local.azure_devops import EmulatedAzureDevOps
from reconciler.local.azure_devops.world import MACHINE
from tests.azure.scripted import DROP, JumpClock, Script, StaticCredential, serving
from tests.azure.scripted import TOKEN as ENTRA
from tests.forge.azure_devops.conftest import REPO, a_pull, settings


@pytest.fixture
async def jumping(devops: EmulatedAzureDevOps, clock: JumpClock) -> AsyncIterator[AzureDevOps]:
    """A forge whose time passes only while it waits."""
    one = AzureDevOps(settings(devops), clock)
    yield one
    await one.close()


def faults(devops: EmulatedAzureDevOps, **rule: Any) -> None:
    devops.backdoor.add_faults([rule])


def count(devops: EmulatedAzureDevOps, method: str, end: str) -> int:
    return sum(one.method == method and one.path.endswith(end) for one in devops.requests.entries)


async def test_a_blocked_request_is_sent_again_after_the_time_that_was_named(
    devops: EmulatedAzureDevOps, jumping: AzureDevOps, clock: JumpClock
) -> None:
    number = await a_pull(devops)
    faults(devops, method="POST", path="/threads$", status=429, retry_after_s=7, count=1)
    await jumping.say(number, "plan", "Planned")
    assert clock.elapsed == pytest.approx(7)
    assert count(devops, "POST", "/threads") == 2


async def test_patience_has_an_end_and_the_time_is_told(
    devops: EmulatedAzureDevOps, jumping: AzureDevOps, clock: JumpClock
) -> None:
    number = await a_pull(devops)
    faults(devops, path="/threads$", status=429, retry_after_s=120)
    with pytest.raises(Transient) as caught:
        await jumping.say(number, "plan", "Planned")
    assert caught.value.retry_after_s == 120
    assert clock.elapsed == 0
    with pytest.raises(Transient, match="no more requests for now") as caught:
        await jumping.pull(number)
    assert caught.value.retry_after_s == pytest.approx(120)


async def test_good_answers_that_ask_for_patience_are_heeded_too(
    devops: EmulatedAzureDevOps, jumping: AzureDevOps, clock: JumpClock
) -> None:
    number = await a_pull(devops)
    faults(devops, path=f"/pullRequests/{number}$", retry_after_s=5, count=1)
    assert (await jumping.pull(number)).merges
    assert clock.elapsed == pytest.approx(5)


async def test_what_may_have_been_carried_out_is_only_repeated_where_that_is_the_same(
    devops: EmulatedAzureDevOps, jumping: AzureDevOps
) -> None:
    number = await a_pull(devops)
    lost: list[dict[str, Any]] = [
        {"status": 503},
        {"status": 500},
        {"drop": "after"},
        {"drop": "before"},
    ]
    for at, fault in enumerate(lost):
        devops.backdoor.clear_faults()
        devops.requests.clear()
        faults(devops, method="POST", path="/threads$", count=1, **fault)
        with pytest.raises(Transient):
            await jumping.say(number, f"new-{at}", "x")
        assert count(devops, "POST", "/threads") == 1
    head = (await jumping.pull(number)).head
    faults(devops, method="POST", path="/statuses$", status=502, count=2)
    await jumping.mark(number, head, Mark("reconciler", "success", "Done"))
    assert count(devops, "POST", "/statuses") == 3


async def test_reads_are_repeated_until_patience_ends(
    devops: EmulatedAzureDevOps, jumping: AzureDevOps, clock: JumpClock
) -> None:
    number = await a_pull(devops)
    faults(devops, path=f"/pullRequests/{number}$", status=503, count=3)
    assert (await jumping.pull(number)).number == number
    devops.backdoor.clear_faults()
    faults(devops, path=f"/pullRequests/{number}$", status=503)
    with pytest.raises(Transient, match="in trouble"):
        await jumping.pull(number)
    assert clock.elapsed <= 40


async def test_nobody_at_home_is_tried_again_even_for_what_must_not_be_repeated(
    clock: JumpClock,
) -> None:
    async with EmulatedAzureDevOps() as devops:
        given = settings(devops)
    one = AzureDevOps(given, clock)
    with pytest.raises(Transient, match="did not answer"):
        await one.keep_issue("drift", "Drift", "text")
    assert len(clock.slept) > 3
    await one.close()


@pytest.mark.parametrize("change", [{"AZURE_DEVOPS_TOKEN": "canary-wrong-token"}])
async def test_a_wrong_token_is_refused_without_being_repeated(
    devops: EmulatedAzureDevOps, clock: JumpClock, change: dict[str, str]
) -> None:
    one = AzureDevOps(settings(devops, **change), clock)
    with pytest.raises(Permanent, match="AZURE_DEVOPS_TOKEN") as caught:
        await one.open_pulls()
    assert caught.value.status == 401
    assert "canary" not in str(caught.value)
    await one.close()


async def test_a_page_for_signing_in_is_no_answer(
    devops: EmulatedAzureDevOps, jumping: AzureDevOps
) -> None:
    faults(devops, path="pullrequests$", sign_in=True)
    with pytest.raises(Permanent, match="does not know who asks") as caught:
        await jumping.open_pulls()
    assert caught.value.status == 401


async def test_what_is_gone_or_forbidden_says_what_to_do(
    devops: EmulatedAzureDevOps, jumping: AzureDevOps
) -> None:
    with pytest.raises(Permanent, match=r"TF401180.*It is gone, or") as caught:
        await jumping.pull(9999)
    assert caught.value.status == 404
    number = await a_pull(devops)
    devops.backdoor.allow(REPO, MACHINE, "read")
    with pytest.raises(Permanent, match=r"TF401027.*docs/azure-devops\.md"):
        await jumping.say(number, "plan", "Planned")


async def test_refusals_are_told_on_one_line_without_anything_like_a_token(
    clock: JumpClock,
) -> None:
    token = "canary5f1e9d7b3a"
    said = f"No:\n\x1b[31m{token} eyJabc.eyJdef.sig " + "x" * 900
    script = Script()
    script.answer(400, {"message": said}, x_vss_e2eid="e2e-1")
    async with serving(script.handle) as url:
        environment = {
            "RECONCILER_REPO_URL": f"{url}/contoso/platform/_git/estate",
            "AZURE_DEVOPS_TOKEN": token,
        }
        one = AzureDevOps(AzureDevOpsSettings.from_env(environment), clock)
        with pytest.raises(Permanent) as caught:
            await one.open_pulls()
        await one.close()
    text = str(caught.value)
    assert (caught.value.status, caught.value.request_id) == (400, "e2e-1")
    assert text.isprintable()
    assert len(text) < 600
    assert not any(word in text for word in (token, "eyJ", "\x1b"))


@pytest.mark.parametrize(
    ("status", "headers", "body", "expected"),
    [
        (200, {}, "<html>proxy</html>", Permanent),
        (302, {"Location": "https://spsprodeus.vssps.visualstudio.com/_signin"}, None, Permanent),
        (301, {"Location": "https://elsewhere.example/"}, None, Permanent),
        (429, {"Retry-After": "soon"}, {"message": "later"}, Transient),
        (429, {"Retry-After": "Fri, 20 Nov 2026 12:05:00 GMT"}, {}, Transient),
        (503, {"Retry-After": "²"}, "x", Transient),
        (408, {}, None, Transient),
    ],
)
async def test_strange_answers_are_refusals_or_patience_and_never_a_crash(
    clock: JumpClock, status: int, headers: dict[str, str], body: Any, expected: type[Exception]
) -> None:
    script = Script(replies=[(status, headers, body)])
    async with serving(script.handle) as url:
        environment = {
            "RECONCILER_REPO_URL": f"{url}/contoso/platform/_git/estate",
            "AZURE_DEVOPS_TOKEN": "canary",
        }
        one = AzureDevOps(AzureDevOpsSettings.from_env(environment), clock)
        with pytest.raises(expected):
            await one.open_pulls()
        await one.close()
    assert all(one.raw_path.startswith("/contoso/") for one in script.seen)


async def test_a_dead_connection_is_not_silently_used_twice(clock: JumpClock) -> None:
    script = Script(replies=[DROP])
    async with serving(script.handle) as url:
        environment = {
            "RECONCILER_REPO_URL": f"{url}/contoso/platform/_git/estate",
            "AZURE_DEVOPS_TOKEN": "canary",
        }
        one = AzureDevOps(AzureDevOpsSettings.from_env(environment), clock)
        with pytest.raises(Transient):
            await one._client.call("POST", f"{url}/contoso/_apis/x", body={})
        await one.close()
    assert script.lines() == ["POST /contoso/_apis/x"]


async def test_tokens_of_entra_are_used_where_no_other_is_set(
    devops: EmulatedAzureDevOps, clock: JumpClock
) -> None:
    devops.world.bearers[ENTRA] = devops.world.add_user(MACHINE)
    number, credential = await a_pull(devops), StaticCredential()
    one = AzureDevOps(settings(devops, AZURE_DEVOPS_TOKEN=""), clock, credential)
    await one.say(number, "plan", "Planned")
    assert await one.login() == MACHINE
    assert set(credential.asked) == {("499b84ac-1321-427f-aa17-267ca6975798/.default",)}
    assert one.git_credentials is None
    await one.close()
    assert (await one.pull(number)).number == number
    await one.close()


async def test_nobody_to_be_is_said_before_anything_is_sent(
    devops: EmulatedAzureDevOps, clock: JumpClock
) -> None:
    one = AzureDevOps(settings(devops, AZURE_DEVOPS_TOKEN=""), clock)
    with pytest.raises(Permanent, match="AZURE_DEVOPS_TOKEN"):
        await one.open_pulls()
    assert len(devops.requests) == 0
    await one.close()


async def test_comments_since_survives_times_of_any_zone(
    devops: EmulatedAzureDevOps, jumping: AzureDevOps, clock: JumpClock
) -> None:
    number = await a_pull(devops)
    devops.backdoor.comment(REPO, number, "/plan")
    devops.backdoor.abandon(REPO, number)
    assert await jumping.comments_since(clock.now() - timedelta(days=36_500)) == []


def test_a_webhook_is_heard_without_importing_azure_core_or_aiohttp() -> None:
    program = (
        "import sys\n"
        "from reconciler.app import SystemClock\n"
        "from reconciler.forge.azure_devops import AzureDevOps, AzureDevOpsSettings\n"
        "given = AzureDevOpsSettings.from_env({\n"
        "    'RECONCILER_REPO_URL': 'https://dev.azure.com/c/p/_git/r',\n"
        "    'AZURE_DEVOPS_WEBHOOK_SECRET': 's'})\n"
        "AzureDevOps(given, SystemClock()).hear({'X-Reconciler-Secret': 's'}, b'{}')\n"
        "print(sorted({'azure.core', 'aiohttp', 'githubkit', 'yarl'} & set(sys.modules)))\n"
    )
    found = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert found.stdout.strip() == "[]", found.stderr
