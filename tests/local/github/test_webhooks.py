"""Webhooks arrive signed; on request they do not, or twice, late, or in another order."""

from __future__ import annotations

import asyncio
from collections import Counter

from reconciler.local.clock import ManualClock
from reconciler.local.github import EmulatedGitHub, Mischief
from tests.local.github.client import REPO, Client


async def comment_on(client: Client, times: int) -> None:
    number = await client.a_pull()
    await client.github.hooks.settle()
    client.receiver.got.clear()
    for at in range(times):
        await client.send("POST", f"./issues/{number}/comments", {"body": f"number {at}"})
    await client.github.hooks.settle()


def bodies(client: Client) -> list[str]:
    return [payload["comment"]["body"] for _, _, payload in client.receiver.got]


async def test_events_arrive_signed_and_in_order() -> None:
    async with Client(EmulatedGitHub()) as client:
        await comment_on(client, 5)
        assert bodies(client) == [f"number {at}" for at in range(5)]
        payload = client.receiver.got[0][2]
        assert payload["repository"]["full_name"] == REPO
        assert payload["sender"]["login"] == "maintainer"
        assert payload["installation"]["id"] == client.github.world.app.installation_id
        assert len({guid for guid, _, _ in client.receiver.got}) == 5


async def test_deliveries_are_dropped_or_doubled_with_the_seed() -> None:
    async with Client(EmulatedGitHub(mischief=Mischief(drop=0.3, double=0.5))) as client:
        client.github.backdoor.deliver(drop=0.3, double=0.5)
        await comment_on(client, 30)
        times = Counter(bodies(client))
        assert {0, 1, 2} == {times[f"number {at}"] for at in range(30)}
        client.github.backdoor.deliver(drop=1)
        client.receiver.got.clear()
        await client.send("POST", "./issues/1/comments", {"body": "lost"})
        assert await client.heard() == []


async def test_deliveries_change_places_but_none_is_lost() -> None:
    async with Client(EmulatedGitHub()) as client:
        client.github.backdoor.deliver(delay_s=0.001, reorder=0.5)
        await comment_on(client, 20)
        wanted = [f"number {at}" for at in range(20)]
        assert sorted(bodies(client)) == sorted(wanted)


async def test_deliveries_come_late_on_the_emulator_s_clock() -> None:
    clock = ManualClock()
    async with Client(EmulatedGitHub(clock=clock)) as client:
        client.github.backdoor.deliver(delay_s=60)
        await client.send("POST", "./issues", {"title": "x"})
        await client.send("POST", "./issues/1/comments", {"body": "late"})
        while not clock.sleepers:
            await asyncio.sleep(0)
        assert client.receiver.got == []
        clock.advance(60)
        assert await client.heard() == ["issue_comment.created"]


async def test_what_was_not_taken_is_recorded_and_redelivered_with_the_same_identifier() -> None:
    async with Client(EmulatedGitHub()) as client:
        client.receiver.status = 503
        await client.a_pull()
        await client.heard()
        listed = await client.send("GET", "/app/hook/deliveries", token=client.jwt())
        failed = next(one for one in listed.body if one["event"] == "pull_request")
        assert failed["status_code"] == 503
        one = f"/app/hook/deliveries/{failed['id']}"
        shown = (await client.send("GET", one, token=client.jwt())).body
        assert shown["request"]["payload"]["action"] == "opened"
        client.receiver.status = 202
        again = await client.send("POST", f"{one}/attempts", token=client.jwt())
        assert again.status == 202
        await client.heard()
        newest = (await client.send("GET", "/app/hook/deliveries", token=client.jwt())).body[0]
        assert (newest["guid"], newest["redelivery"]) == (failed["guid"], True)
        assert newest["status_code"] == 202


async def test_a_receiver_that_is_not_there_harms_nobody() -> None:
    async with Client(EmulatedGitHub()) as client:
        config = {"url": "http://127.0.0.1:9/nobody"}
        await client.send("PATCH", "/app/hook/config", config, token=client.jwt())
        await comment_on(client, 1)
        shown = (await client.send("GET", "/app/hook/deliveries", token=client.jwt())).body[0]
        assert shown["status"] == "failed to connect to host"
        found = await client.send("GET", "/app/hook/config", token=client.jwt())
        assert found.body["url"] == config["url"]
