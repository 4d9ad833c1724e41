"""Writes that take their time: every way in which Azure says how far it is."""

from collections import Counter, defaultdict
from typing import Any
from urllib.parse import urlsplit

import pytest
from azure.core.utils import case_insensitive_dict

from reconciler.azure.answer import Answer
from reconciler.azure.operation import advanced, begun
from reconciler.azure.provider import ArmProvider
from reconciler.core.errors import Permanent, Transient
from reconciler.core.model import Target
from reconciler.ports import Operation
from tests.azure.recorded import content, exchanges, needs_recordings
from tests.azure.scripted import (
    ACCOUNT_ID,
    DEPLOYMENT_ID,
    START,
    SUBSCRIPTION,
    JumpClock,
    Script,
    target,
)

BODY = {"sku": {"name": "Standard", "capacity": 1}, "model": {"format": "OpenAI", "name": "m"}}
STATUS = f"{SUBSCRIPTION}/providers/Microsoft.CognitiveServices/locations/l/operationResults/1"
SIGNED = f"{STATUS}?api-version=2017-04-18&t=638&c=MIIH%2Fa%3D&s=a-b_c~&h=%2b%2B"

ENDINGS = {
    "ps-cognitiveservices-rai-policy-and-blocklist-2024-10-01:21": "its polls were not recorded",
    "py-ml-compute-aml-compute-create-and-delete:10": "its polls were not recorded",
    "py-ml-workspace-workspace-create-update-and-delete:59": "the recording ends while it runs",
}


def resource(state: str) -> dict[str, Any]:
    return {"id": DEPLOYMENT_ID, "name": "chat", "properties": {"provisioningState": state}}


def heard(exchange: dict[str, Any]) -> Answer:
    headers = case_insensitive_dict(exchange["headers"])
    return Answer.of(exchange["status"], headers, content(exchange))


@needs_recordings
def test_every_recorded_operation_is_followed_to_its_end() -> None:
    traffic = defaultdict(list)
    for scenario, exchange in exchanges():
        traffic[scenario].append(exchange)
    styles: Counter[str] = Counter()
    for scenario, sequence in traffic.items():
        for place, start in enumerate(sequence):
            verb = {"PUT": "put", "DELETE": "delete", "POST": "purge"}.get(start["method"])
            if verb is None or start["status"] >= 300:
                continue
            operation = begun(Target("X", start["path"], "1"), verb, heard(start), START)
            styles[operation.poll_style or "done"] += 1
            if operation.poll_url:
                done = _followed(operation, sequence[place + 1 :])
                assert done != (f"{scenario}:{start['seq']}" in ENDINGS), (scenario, start["seq"])
    assert styles["async"] >= 25
    assert styles["location"] >= 20
    assert styles["resource"] >= 1
    assert styles["done"] > 100


def _followed(operation: Operation, later: list[dict[str, Any]]) -> bool:
    path = urlsplit(operation.poll_url).path.lower()
    for exchange in later:
        if exchange["method"] == "GET" and exchange["path"].lower() == path:
            if exchange["status"] < 300:
                operation = advanced(operation, heard(exchange), "x", START)
            if operation.done:
                return True
    return False


async def test_a_signed_status_link_is_used_to_the_letter(
    script: Script, provider: ArmProvider
) -> None:
    script.answer(201, resource("Creating"), azure_asyncoperation=script.url + SIGNED)
    script.answer(200, {"status": "Creating"})
    script.answer(200, {"status": "Succeeded"})
    operation = await provider.put(target(), BODY)
    assert (operation.done, operation.poll_style) == (False, "async")
    operation = await provider.poll(operation)
    assert not operation.done
    assert (await provider.poll(operation)).done
    assert [one.raw_path for one in script.seen[1:]] == [SIGNED, SIGNED]


async def test_location_runs_on_202_and_may_move_and_be_relative(
    script: Script, provider: ArmProvider
) -> None:
    script.answer(202, None, LOCATION="/subscriptions/s/op/1?x=1", Retry_After="17")
    script.answer(202, {"status": "Succeeded"}, location="/subscriptions/s/op/2?x=1")
    script.answer(200, None)
    operation = await provider.delete(target())
    assert operation.retry_after_s == 17
    operation = await provider.poll(operation)
    assert not operation.done
    assert (await provider.poll(operation)).done
    assert script.seen[2].raw_path == "/subscriptions/s/op/2?x=1"


async def test_without_a_link_the_resource_is_asked(script: Script, provider: ArmProvider) -> None:
    script.answer(200, resource("RegisteringDns"))
    script.answer(404, None)
    script.answer(200, resource("Accepted"))
    script.answer(200, resource("Succeeded"))
    operation = await provider.put(target(), BODY)
    assert operation.poll_style == "resource"
    for done in (False, False, True):
        operation = await provider.poll(operation)
        assert operation.done is done


async def test_a_location_beside_201_is_not_a_place_to_ask(
    script: Script, provider: ArmProvider
) -> None:
    script.answer(201, {"id": DEPLOYMENT_ID, "properties": {}}, Location=DEPLOYMENT_ID)
    assert (await provider.put(target(), BODY)).done


async def test_a_delete_without_link_ends_when_the_resource_is_gone(
    script: Script, provider: ArmProvider
) -> None:
    script.answer(202, None)
    script.answer(200, resource("Deleting"))
    script.answer(404, {"error": {"code": "NotFound", "message": "gone"}})
    operation = await provider.delete(target())
    operation = await provider.poll(operation)
    assert not operation.done
    assert (await provider.poll(operation)).done


@pytest.mark.parametrize("word", ["Failed", "Canceled"])
async def test_failed_work_quotes_the_reason(
    script: Script, provider: ArmProvider, word: str
) -> None:
    script.answer(202, None, Azure_AsyncOperation=SIGNED)
    script.answer(200, {"status": word, "error": {"code": "Quota", "message": "no room"}})
    operation = await provider.put(target(), BODY)
    with pytest.raises(Permanent, match="contoso/chat, and then failed: no room") as caught:
        await provider.poll(operation)
    assert caught.value.code == "Quota"


async def test_a_failing_poll_is_asked_again_and_then_left_for_later(
    script: Script, provider: ArmProvider, clock: JumpClock
) -> None:
    script.answer(202, None, Azure_AsyncOperation=SIGNED)
    script.answer(500, "<html><head><title>500 Internal Server Error</title></head></html>")
    operation = await provider.put(target(), BODY)
    with pytest.raises(Transient):
        await provider.poll(operation)
    script.replies.clear()
    script.answer(200, {"status": "Succeeded"})
    assert (await provider.poll(operation)).done


async def test_an_expired_link_gives_way_to_the_resource(
    script: Script, provider: ArmProvider
) -> None:
    script.answer(202, None, Azure_AsyncOperation=SIGNED)
    script.answer(404, {"error": {"code": "OperationNotFound", "message": "?"}})
    script.answer(200, resource("Succeeded"))
    operation = await provider.poll(await provider.put(target(), BODY))
    assert (operation.done, operation.poll_style, operation.poll_url) == (False, "resource", "")
    assert (await provider.poll(operation)).done


@pytest.mark.parametrize("header", ["Azure_AsyncOperation", "Location"])
async def test_a_link_to_another_host_is_never_called(
    script: Script, provider: ArmProvider, header: str
) -> None:
    script.answer(202, None, **{header: "https://evil.example/steal"})
    script.answer(200, resource("Succeeded"))
    operation = await provider.put(target(), BODY)
    assert operation.poll_style == "resource"
    assert (await provider.poll(operation)).done
    forged = Operation(target(), "put", False, "https://evil.example/steal", "async")
    with pytest.raises(Permanent, match="another host"):
        await provider.poll(forged)


async def test_status_links_are_not_logged(
    script: Script, provider: ArmProvider, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("DEBUG")
    script.answer(202, None, Azure_AsyncOperation=SIGNED)
    script.answer(200, {"status": "Succeeded"})
    await provider.poll(await provider.put(target(), BODY))
    assert "operationResults" in caplog.text
    assert "MIIH" not in caplog.text
    assert "Bearer" not in caplog.text


async def test_deleting_what_is_not_there_is_done(script: Script, provider: ArmProvider) -> None:
    script.answer(404, {"error": {"code": "ResourceGroupNotFound", "message": "no group"}})
    assert (await provider.delete(target())).done


async def test_a_soft_deleted_account_is_purged_where_azure_keeps_it(
    script: Script, provider: ArmProvider
) -> None:
    script.answer(202, None, Azure_AsyncOperation=SIGNED)
    operation = await provider.purge(target("Account", ACCOUNT_ID), "eastus2")
    assert operation.verb == "purge"
    assert script.lines() == [
        f"DELETE {SUBSCRIPTION}/providers/Microsoft.CognitiveServices/locations/eastus2"
        "/resourceGroups/rg/deletedAccounts/contoso"
    ]
