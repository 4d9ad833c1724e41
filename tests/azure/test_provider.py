"""Reading and writing through the provider: collections, pages, lag, words."""

from typing import Any

import pytest

from reconciler.azure.provider import ArmProvider
from reconciler.core.errors import Permanent, Transient
from reconciler.core.kinds import KINDS
from reconciler.core.model import Collection
from tests.azure.scripted import ACCOUNT_ID, DEPLOYMENT_ID, GROUP, JumpClock, Script, target

DEPLOYMENTS = Collection(f"{ACCOUNT_ID}/deployments", "2026-03-01", ("ModelDeployment",))
BODY = {"sku": {"name": "Standard", "capacity": 1}, "model": {"format": "OpenAI", "name": "m"}}


def item(name: str, **properties: Any) -> dict[str, Any]:
    return {
        "id": f"{ACCOUNT_ID}/deployments/{name}",
        "name": name,
        "etag": "x",
        "systemData": {"createdBy": "x"},
        "sku": {"name": "Standard", "capacity": 5, "novel": "x"},
        "properties": {"provisioningState": "Succeeded", "rateLimits": [1], **properties},
    }


async def test_a_collection_is_read_page_after_page_with_links_to_the_letter(
    script: Script, provider: ArmProvider
) -> None:
    link = f"{ACCOUNT_ID}/deployments?api-version=2026-03-01&$skipToken=a%2Fb%3D"
    script.answer(200, {"value": [item("a")], "nextLink": script.url + link})
    script.answer(200, {"value": [item("b")], "nextLink": ""})
    found = await provider.observe(DEPLOYMENTS)
    assert [one.arm_id.rpartition("/")[2] for one in found] == ["a", "b"]
    assert script.seen[1].raw_path == link
    assert found[0].properties == {"sku": {"name": "Standard", "capacity": 5}}
    assert found[0].kind == "ModelDeployment"


@pytest.mark.parametrize("code", ["ParentResourceNotFound", "ResourceGroupNotFound"])
async def test_a_collection_without_parent_is_empty(
    script: Script, provider: ArmProvider, code: str
) -> None:
    script.answer(404, {"error": {"code": code, "message": "none"}})
    assert await provider.observe(DEPLOYMENTS) == []


async def test_an_unreadable_collection_is_an_error_and_never_empty(
    script: Script, provider: ArmProvider
) -> None:
    for body in (None, "<html></html>", {}, {"value": None}, []):
        script.replies[:] = [(200, {}, body)]
        with pytest.raises(Permanent, match="not understood"):
            await provider.observe(DEPLOYMENTS)


async def test_half_a_listing_is_an_error(script: Script, provider: ArmProvider) -> None:
    script.answer(200, {"value": [item("a")], "nextLink": f"{script.url}/next"})
    script.answer(404, {"error": {"code": "ResourceNotFound", "message": "gone"}})
    with pytest.raises(Permanent, match="list /subscriptions"):
        await provider.observe(DEPLOYMENTS)


async def test_pages_on_another_host_are_refused(script: Script, provider: ArmProvider) -> None:
    script.answer(200, {"value": [item("a")], "nextLink": "https://evil.example/?page=2"})
    with pytest.raises(Permanent, match="another host"):
        await provider.observe(DEPLOYMENTS)


async def test_pages_that_lead_in_a_circle_end(script: Script, provider: ArmProvider) -> None:
    link = f"{script.url}{ACCOUNT_ID}/deployments?$skip=1"
    script.answer(200, {"value": [item("a")], "nextLink": link})
    with pytest.raises(Permanent, match="circle"):
        await provider.observe(DEPLOYMENTS)
    assert len(script.seen) == 2


async def test_what_belongs_to_the_service_is_left_out(
    script: Script, provider: ArmProvider
) -> None:
    kind = KINDS["ContentFilter"]
    url = f"{ACCOUNT_ID}/raiPolicies"
    theirs = {"id": f"{url}/Microsoft.Default", "name": "Microsoft.Default"}
    ours = {"id": f"{url}/strict", "name": "strict", "properties": {"mode": "Default"}}
    system = {**theirs, "properties": {"type": "SystemManaged"}}
    script.answer(200, {"value": [system, ours]})
    found = await provider.observe(Collection(url, kind.places[0].api_version, (kind.name,)))
    assert [one.arm_id for one in found] == [f"{url}/strict"]


async def test_workspaces_of_one_collection_are_told_apart(
    script: Script, provider: ArmProvider
) -> None:
    url = f"{GROUP}/providers/Microsoft.MachineLearningServices/workspaces"
    values = [
        {"id": f"{url}/{name}", "name": name, "kind": kind, "properties": {}}
        for name, kind in (("h", "hub"), ("p", "Project"), ("w", "Default"), ("f", "FeatureStore"))
    ]
    script.answer(200, {"value": values})
    found = await provider.observe(Collection(url, "2025-06-01", ("Workspace", "Hub", "Project")))
    assert [one.kind for one in found] == ["Hub", "Project", "Workspace"]


async def test_an_id_under_another_name_is_put_right(script: Script, provider: ArmProvider) -> None:
    url = f"{ACCOUNT_ID}/connections"
    script.answer(200, {"value": [{"id": f"{ACCOUNT_ID}/linkedaccounts/search", "name": "search"}]})
    found = await provider.observe(Collection(url, "2026-03-01", ("Connection",)))
    assert found[0].arm_id == f"{url}/search"


@pytest.mark.parametrize("code", ["SubscriptionNotFound", "InvalidResourceType"])
async def test_a_404_about_something_else_is_never_absence(
    script: Script, provider: ArmProvider, code: str
) -> None:
    script.answer(404, {"error": {"code": code, "message": "?"}})
    for call in (
        provider.observe(DEPLOYMENTS),
        provider.read(target()),
        provider.delete(target()),
        provider.query("/subscriptions/s/x", "1"),
    ):
        with pytest.raises(Permanent, match=code):
            await call


async def test_a_missing_resource_is_none(script: Script, provider: ArmProvider) -> None:
    script.answer(404, None)
    assert await provider.read(target()) is None
    assert len(script.seen) == 1


async def test_a_resource_just_written_is_waited_for(
    script: Script, provider: ArmProvider, clock: JumpClock
) -> None:
    script.answer(201, item("chat"))
    script.answer(404, None)
    script.answer(403, None)
    script.answer(200, item("chat"))
    await provider.put(target(), BODY)
    assert await provider.read(target()) is not None
    assert len(clock.slept) == 2


async def test_a_resource_that_stays_invisible_is_left_for_later(
    script: Script, provider: ArmProvider
) -> None:
    script.answer(201, item("chat"))
    script.answer(404, None)
    await provider.put(target(), BODY)
    with pytest.raises(Transient, match="does not see yet"):
        await provider.read(target())


async def test_a_resource_just_deleted_is_not_waited_for(
    script: Script, provider: ArmProvider, clock: JumpClock
) -> None:
    script.answer(201, item("chat"))
    script.answer(200, None)
    script.answer(404, None)
    await provider.put(target(), BODY)
    await provider.delete(target("Account", ACCOUNT_ID))
    assert await provider.read(target()) is None
    assert clock.slept == []


async def test_a_child_waits_for_its_new_parent(
    script: Script, provider: ArmProvider, clock: JumpClock
) -> None:
    script.answer(201, {"id": ACCOUNT_ID, "properties": {}})
    script.answer(404, {"error": {"code": "ParentResourceNotFound", "message": "no"}})
    script.answer(201, item("chat"))
    await provider.put(target("Account", ACCOUNT_ID), {"kind": "OpenAI", "sku": {"name": "S0"}})
    assert (await provider.put(target(), BODY)).done
    assert len(clock.slept) == 1


async def test_a_right_just_given_is_waited_for(
    script: Script, provider: ArmProvider, clock: JumpClock
) -> None:
    role = f"{GROUP}/providers/Microsoft.Authorization/roleAssignments/x"
    script.answer(201, {"id": role, "properties": {}})
    script.answer(403, {"error": {"code": "AuthorizationFailed", "message": "no"}})
    script.answer(201, item("chat"))
    await provider.put(target("RoleAssignment", role), {"principalId": "p"})
    assert (await provider.put(target(), BODY)).done
    assert len(clock.slept) == 1


async def test_a_put_sends_the_arm_shape(script: Script, provider: ArmProvider) -> None:
    script.answer(201, item("chat"))
    await provider.put(target(), BODY)
    assert script.seen[0].body == {
        "sku": {"name": "Standard", "capacity": 1},
        "properties": {"model": {"format": "OpenAI", "name": "m"}},
    }
    assert script.seen[0].raw_path == f"{DEPLOYMENT_ID}?api-version=2026-03-01"


async def test_errors_say_what_was_attempted(script: Script, provider: ArmProvider) -> None:
    script.answer(400, {"error": {"code": "X", "message": "because"}}, x_ms_request_id="r-1")
    with pytest.raises(Permanent, match="create or update Model deployment contoso/chat: because"):
        await provider.put(target(), BODY)


async def test_other_listings_come_as_they_are(script: Script, provider: ArmProvider) -> None:
    script.answer(200, {"value": [{"name": {"value": "x"}, "limit": 3}]})
    path = "/subscriptions/s/providers/Microsoft.CognitiveServices/locations/l/usages"
    assert await provider.query(path, "2026-03-01") == [{"name": {"value": "x"}, "limit": 3}]


async def test_health_beyond_the_provisioning_state_is_waited_for(
    script: Script, provider: ArmProvider
) -> None:
    workspace = f"{GROUP}/providers/Microsoft.MachineLearningServices/workspaces/w"
    endpoint = target("ServerlessEndpoint", f"{workspace}/serverlessEndpoints/e")

    def state(word: str) -> dict[str, Any]:
        return {"properties": {"provisioningState": "Succeeded", "endpointState": word}}

    script.answer(201, state("Creating"))
    script.answer(200, state("Creating"))
    script.answer(200, state("Online"))
    operation = await provider.put(endpoint, {"location": "eastus2"})
    assert not operation.done
    operation = await provider.poll(operation)
    assert not operation.done
    assert (await provider.poll(operation)).done
