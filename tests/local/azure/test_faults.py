"""Misbehaviour on request, each kind of it."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from reconciler.local.azure import EmulatedAzure, Fault, ManualClock
from reconciler.local.azure.faults import load_faults
from tests.local.azure.client import Client, account_body


def faulty(*faults: Fault, **options: Any) -> Client:
    return Client(EmulatedAzure(faults=faults, rate_limits=False, **options))


async def test_the_nth_request_that_fits_is_refused_with_a_retry_after() -> None:
    rule = Fault(method="PUT", path="/deployments/", nth=2, status=429, retry_after_s=3)
    async with faulty(rule) as client:
        await client.an_account()
        statuses = [(await client.a_deployment(name)) for name in ("one", "two", "three")]
        assert [answer.status for answer in statuses] == [201, 429, 201]
        assert statuses[1].headers["retry-after"] == "3"
        assert (await client.send("GET", f"{client.account}/deployments/two")).status == 404


async def test_a_page_of_nginx_takes_the_place_of_an_answer() -> None:
    async with faulty(Fault(method="GET", path="/accounts/", status=500, html=True)) as client:
        answer = await client.send("GET", client.account)
        assert answer.status == 500
        assert answer.headers["content-type"].startswith("text/html")
        assert "<center>nginx</center>" in answer.text


async def test_a_fault_strikes_no_more_often_than_its_count() -> None:
    async with faulty(Fault(path="/accounts", status=503, count=2)) as client:
        found = [(await client.send("GET", client.account)).status for _ in range(3)]
        assert found == [503, 503, 404]


async def test_chance_is_seeded() -> None:
    patterns = []
    for _ in range(2):
        async with faulty(Fault(path="/accounts", status=500, probability=0.5), seed=3) as client:
            found = [(await client.send("GET", client.account)).status for _ in range(20)]
            patterns.append(found)
    assert patterns[0] == patterns[1]
    assert {404, 500} == set(patterns[0])


async def test_a_lost_answer_was_processed_and_a_dropped_request_was_not() -> None:
    # twice each: aiohttp's client repeats an idempotent request once by itself
    rules = (
        Fault(method="PUT", path="/deployments/lost$", drop="after", count=2),
        Fault(method="PUT", path="/deployments/dropped$", drop="before", count=2),
    )
    async with faulty(*rules) as client:
        await client.an_account()
        for name in ("lost", "dropped"):
            with pytest.raises(aiohttp.ClientError):
                await client.a_deployment(name)
        assert (await client.send("GET", f"{client.account}/deployments/lost")).status == 200
        assert (await client.send("GET", f"{client.account}/deployments/dropped")).status == 404
        assert client.azure.requests.count("PUT", 0) == 4


async def test_an_operation_fails_with_the_error_that_was_asked_for() -> None:
    error = {"code": "InternalServerError", "message": "No capacity."}
    rule = Fault(method="PUT", path="/accounts/", operation_error=error, count=1)
    async with faulty(rule) as client:
        await client.a_group()
        made = await client.send("PUT", client.account, account_body())
        assert made.status == 201
        poll = await client.send("GET", made.headers["azure-asyncoperation"])
        assert (poll.status, poll.body["status"], poll.body["error"]) == (200, "Failed", error)
        account = await client.send("GET", client.account)
        assert account.body["properties"]["provisioningState"] == "Failed"
        again = await client.send("PUT", client.account, account_body())
        await client.send("GET", again.headers["azure-asyncoperation"])
        account = await client.send("GET", client.account)
        assert account.body["properties"]["provisioningState"] == "Succeeded"


async def test_an_operation_takes_longer_when_asked() -> None:
    clock = ManualClock()
    rule = Fault(method="PUT", path="/accounts/", operation_delay_s=100)
    async with faulty(rule, clock=clock, time_scale=1.0) as client:
        await client.a_group()
        made = await client.send("PUT", client.account, account_body())
        clock.advance(90)
        poll = await client.send("GET", made.headers["azure-asyncoperation"])
        assert poll.body["status"] == "Creating"
        clock.advance(30)
        poll = await client.send("GET", made.headers["azure-asyncoperation"])
        assert poll.body["status"] == "Succeeded"


async def test_latency_is_waited_for_on_the_emulator_s_clock() -> None:
    clock = ManualClock()
    rule = Fault(method="GET", path="/accounts/", latency_s=5)
    async with faulty(rule, clock=clock) as client:
        asking = asyncio.create_task(client.send("GET", client.account))
        while not clock.sleepers:
            await asyncio.sleep(0)
        assert not asking.done()
        clock.advance(5)
        assert (await asking).status == 404


async def test_faults_can_be_added_while_it_runs() -> None:
    async with faulty() as client:
        door = f"{client.azure.url}/_emulator/faults"
        await client.send("POST", door, {"path": "/accounts", "status": 409, "code": "Busy"})
        assert (await client.send("GET", client.account)).code == "Busy"
        await client.send("DELETE", door)
        assert (await client.send("GET", client.account)).status == 404


def test_faults_are_read_from_yaml_and_unknown_fields_are_errors(tmp_path: Path) -> None:
    file = tmp_path / "faults.yaml"
    file.write_text("faults:\n- {method: PUT, status: 503, count: 1}\n- {drop: after, nth: 3}\n")
    first, second = load_faults(file)
    assert (first.method, first.status, first.count) == ("PUT", 503, 1)
    assert (second.drop, second.nth) == ("after", 3)
    file.write_text("- {colour: red}\n")
    with pytest.raises(ValueError, match="colour"):
        load_faults(file)
