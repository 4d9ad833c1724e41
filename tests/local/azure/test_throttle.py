"""Request limits: token buckets per subscription, principal and type of operation."""

from __future__ import annotations

import pytest

from reconciler.local.azure import EmulatedAzure, ManualClock
from reconciler.local.azure.model import ArmError
from reconciler.local.azure.throttle import Throttle
from tests.local.azure.client import Client


def test_reads_have_250_tokens_and_regain_25_a_second() -> None:
    throttle = Throttle()
    for _ in range(250):
        throttle.admit("s", "p", "GET", 0.0)
    with pytest.raises(ArmError) as refused:
        throttle.admit("s", "p", "GET", 0.0)
    assert (refused.value.status, refused.value.headers["Retry-After"]) == (429, "1")
    for _ in range(25):
        throttle.admit("s", "p", "GET", 1.0)
    with pytest.raises(ArmError):
        throttle.admit("s", "p", "GET", 1.0)
    assert throttle.refused == 2


def test_writes_deletes_reads_and_principals_have_buckets_of_their_own() -> None:
    throttle = Throttle()
    for _ in range(200):
        throttle.admit("s", "p", "PUT", 0.0)
    with pytest.raises(ArmError):
        throttle.admit("s", "p", "PATCH", 0.0)
    for principal, method in (("p", "DELETE"), ("p", "GET"), ("q", "PUT")):
        throttle.admit("s", principal, method, 0.0)


async def test_answers_tell_what_is_left_and_429_comes_with_retry_after() -> None:
    clock = ManualClock()
    async with Client(EmulatedAzure(clock=clock)) as client:
        first = await client.send("GET", client.account)
        assert first.headers["x-ms-ratelimit-remaining-subscription-reads"] == "249"
        assert first.headers["x-ms-ratelimit-remaining-subscription-global-reads"] == "3749"
        for _ in range(249):
            await client.send("GET", client.account)
        refused = await client.send("GET", client.account)
        assert (refused.status, refused.code) == (429, "SubscriptionRequestsThrottled")
        assert client.azure.throttle.refused == 1
        clock.advance(int(refused.headers["retry-after"]))
        assert (await client.send("GET", client.account)).status == 404


async def test_limits_can_be_off() -> None:
    async with Client(EmulatedAzure(clock=ManualClock(), rate_limits=False)) as client:
        for _ in range(260):
            assert (await client.send("GET", client.account)).status == 404
