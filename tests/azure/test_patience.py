"""What is sent again, when, and what is left to the engine."""

from datetime import timedelta
from email.utils import format_datetime

import pytest

from reconciler.azure.client import Client
from reconciler.azure.provider import ArmProvider
from reconciler.core.errors import Permanent, Transient
from tests.azure.scripted import DEPLOYMENT_ID, DROP, START, TOKEN, JumpClock, Script, target

BODY = {"sku": {"name": "Standard", "capacity": 1}, "model": {"format": "OpenAI", "name": "m"}}
FOUND = {"id": DEPLOYMENT_ID, "name": "chat", "properties": {"provisioningState": "Succeeded"}}
BUSY = {
    "error": {
        "code": "RequestConflict",
        "message": "Another operation is being performed on the parent resource '/x'.",
    }
}


def error(code: str, message: str = "no") -> dict[str, object]:
    return {"error": {"code": code, "message": message}}


async def test_retry_after_in_seconds_is_waited_for(
    script: Script, provider: ArmProvider, clock: JumpClock
) -> None:
    script.answer(429, error("429"), Retry_After="7")
    script.answer(200, FOUND)
    assert await provider.read(target()) is not None
    assert clock.slept == [7.0]


async def test_retry_after_as_a_date_is_counted_from_the_injected_clock(
    script: Script, provider: ArmProvider, clock: JumpClock
) -> None:
    script.answer(
        503, None, Retry_After=format_datetime(START + timedelta(seconds=11), usegmt=True)
    )
    script.answer(200, FOUND)
    assert await provider.read(target()) is not None
    assert clock.slept == [11.0]


async def test_a_wait_longer_than_the_patience_is_left_to_the_engine(
    script: Script, provider: ArmProvider, clock: JumpClock
) -> None:
    script.answer(429, error("SubscriptionRequestsThrottled"), Retry_After="300")
    with pytest.raises(Transient) as caught:
        await provider.read(target())
    assert caught.value.retry_after_s == 300
    assert clock.slept == []
    assert len(script.seen) == 1


async def test_a_read_survives_lost_answers_and_server_errors(
    script: Script, provider: ArmProvider
) -> None:
    script.replies.append(DROP)
    script.answer(500, "<html><head><title>500 Internal Server Error</title></head></html>")
    script.answer(200, FOUND)
    assert await provider.read(target()) is not None
    assert len(script.seen) == 3


async def test_a_put_whose_answer_is_lost_is_sent_once(
    script: Script, provider: ArmProvider
) -> None:
    script.answer(200, FOUND)
    await provider.read(target())  # so that the connection is a kept one
    script.replies[:] = [DROP]
    with pytest.raises(Transient, match="may or may not"):
        await provider.put(target(), BODY)
    assert script.lines()[1:] == [f"PUT {DEPLOYMENT_ID}"]


@pytest.mark.parametrize("status", [500, 502, 503, 504])
async def test_a_put_that_azure_had_trouble_with_is_sent_once(
    script: Script, provider: ArmProvider, status: int
) -> None:
    script.answer(status, error("ServiceUnavailable"), Retry_After="1")
    with pytest.raises(Transient):
        await provider.put(target(), BODY)
    assert len(script.seen) == 1


@pytest.mark.parametrize(
    ("status", "body"),
    [
        (429, error("429")),
        (409, BUSY),
        (409, error("Conflict", "The resource's provisioning state is not terminal.")),
        (400, error("AccountProvisioningStateInvalid", "Account in state Accepted")),
        (400, error("PrincipalNotFound", "Principal x does not exist in the directory")),
        (
            400,
            error("UserError", "Cannot create a deployment in endpoint e because it is in "
                  "Updating provisioning state."),
        ),
        (409, error("CannotDeleteResource", "nested resources exist")),
    ],
)  # fmt: skip
async def test_a_write_refused_as_too_early_is_sent_again_with_growing_pauses(
    script: Script, provider: ArmProvider, clock: JumpClock, status: int, body: object
) -> None:
    script.answer(status, body)
    script.answer(status, body)
    script.answer(200, FOUND)
    assert (await provider.put(target(), BODY)).done
    first, second = clock.slept
    assert 0.5 <= first <= 1 <= second <= 2


async def test_a_busy_azure_is_transient_in_the_end(
    script: Script, provider: ArmProvider, clock: JumpClock
) -> None:
    script.answer(409, BUSY)
    with pytest.raises(Transient, match="Another operation"):
        await provider.put(target(), BODY)
    assert clock.elapsed <= 45


async def test_children_that_never_settle_are_permanent_in_the_end(
    script: Script, provider: ArmProvider
) -> None:
    script.answer(409, error("CannotDeleteResource", "nested resources exist"))
    with pytest.raises(Permanent, match="still lives in it"):
        await provider.delete(target("Account", DEPLOYMENT_ID.partition("/deployments")[0]))


async def test_a_refusal_is_not_repeated(script: Script, provider: ArmProvider) -> None:
    script.answer(400, error("InsufficientQuota"))
    with pytest.raises(Permanent):
        await provider.put(target(), BODY)
    assert len(script.seen) == 1


async def test_nobody_listening_is_said_with_what_to_check(
    client: Client, script: Script, clock: JumpClock
) -> None:
    free = "http://127.0.0.1:9"  # the discard port: nothing listens there
    script.answer(200)
    with pytest.raises(Transient, match=r"could not be reached.*RECONCILER_ARM_ENDPOINT") as caught:
        await client.data("GET", free, "read the weather")
    assert len(clock.slept) == 2
    assert TOKEN not in str(caught.value)


async def test_a_claims_challenge_is_answered_with_a_new_token(
    script: Script, provider: ArmProvider, credential
) -> None:
    challenge = 'Bearer error="insufficient_claims", claims="eyJhY2Nlc3NfdG9rZW4iOnt9fQ=="'
    script.answer(401, error("InvalidAuthenticationToken"), WWW_Authenticate=challenge)
    script.answer(200, FOUND)
    assert await provider.read(target()) is not None
    assert credential.claims == [None, '{"access_token":{}}']


async def test_one_token_serves_many_requests(
    script: Script, provider: ArmProvider, credential
) -> None:
    script.answer(200, FOUND)
    for _ in range(5):
        await provider.read(target())
    assert credential.asked == [("https://management.azure.com/.default",)]
    assert {one.headers["Authorization"] for one in script.seen} == {f"Bearer {TOKEN}"}
