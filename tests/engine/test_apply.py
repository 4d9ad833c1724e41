"""Applying: what is declared comes about, is verified, and the second plan is empty."""

from typing import Any

import pytest

from reconciler.core.desired import parse
from reconciler.core.errors import Refused
from reconciler.core.model import Plan, Run, Target
from reconciler.core.render import plain, plan_text
from reconciler.engine import Reviewed
from tests.engine import estates
from tests.engine.estates import ACCOUNT, ACCOUNT_ID, FILTER, GROUP, chat
from tests.engine.world import World, failures


def unnamed(body: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in body.items() if name not in ("id", "name", "type")}


def actions(plan: Plan) -> list[str]:
    return [f"{change.action} {change.key.name}" for change in plan.changes]


async def test_what_is_declared_comes_about_and_the_second_plan_is_empty(world: World) -> None:
    world.declare(GROUP, ACCOUNT, FILTER, chat(policy="strict"))
    await world.converge()
    assert world.get(f"{ACCOUNT_ID}/deployments/chat")["properties"]["raiPolicyName"] == "strict"


async def test_planning_writes_nothing(world: World) -> None:
    world.declare(GROUP, ACCOUNT, chat())
    await world.plan()
    assert world.writes() == []


async def test_drift_is_found_and_healed_and_the_fields_of_others_stay(world: World) -> None:
    world.declare(GROUP, ACCOUNT, chat())
    await world.converge()
    world.patch(f"{ACCOUNT_ID}/deployments/chat", {"sku": {"capacity": 5}, "tags": {"team": "red"}})
    plan = await world.plan()
    assert [(f.name, f.before, f.after) for f in plan.changes[0].fields] == [("sku.capacity", 5, 2)]
    await world.converge()
    body = world.get(f"{ACCOUNT_ID}/deployments/chat")
    assert (body["sku"]["capacity"], body["tags"]) == (2, {"team": "red"})


async def test_a_field_no_longer_declared_goes_back_to_its_default(world: World) -> None:
    world.declare(GROUP, ACCOUNT, FILTER, chat(policy="strict"))
    await world.converge()
    world.declare(GROUP, ACCOUNT, FILTER, chat())
    assert actions(await world.plan()) == ["update contoso/chat"]
    await world.converge()
    assert (
        world.get(f"{ACCOUNT_ID}/deployments/chat")["properties"].get("raiPolicyName") != "strict"
    )


async def test_what_exists_already_is_adopted_without_a_request(world: World) -> None:
    world.declare(GROUP, ACCOUNT, chat())
    await world.converge()
    (world.folder / "state.db").unlink()
    before = world.writes()
    plan = await world.plan()
    assert len(plan.adopted) == 3
    await world.converge()
    assert world.writes() == before
    assert len(await world.owned()) == 3


async def test_what_nobody_declared_is_reported_and_left_alone(world: World) -> None:
    world.declare(GROUP, ACCOUNT, chat(), environment="prune: true")
    await world.converge()
    body = unnamed(world.get(f"{ACCOUNT_ID}/deployments/chat"))
    prefix = f"/subscriptions/{world.azure.options.subscriptions[0]}/resourceGroups/rg-ai"
    account = unnamed(world.get(ACCOUNT_ID))
    world.azure.backdoor.put(f"{prefix}/providers/{ACCOUNT_ID}/deployments/mine", body)
    other = ACCOUNT_ID.replace("contoso", "by-hand")
    world.azure.backdoor.put(f"{prefix}/providers/{other}", account)
    world.azure.backdoor.put(f"{prefix}/providers/{other}/deployments/theirs", body)
    plan = await world.plan()
    names = {key.name for key in plan.unmanaged}
    assert names == {"contoso/mine", "by-hand", "by-hand/theirs"}
    await world.converge()
    assert world.get(f"{ACCOUNT_ID}/deployments/mine")


async def test_what_is_declared_no_more_is_deleted_only_where_the_environment_prunes(
    world: World,
) -> None:
    world.declare(GROUP, ACCOUNT, chat(), chat(name="extra"))
    await world.converge()
    world.declare(GROUP, ACCOUNT, chat())
    plan = await world.plan()
    assert plan.changes == ()
    assert [check.rule for check in plan.checks if check.rule.startswith("delete")] == [
        "delete.retained"
    ]
    world.declare(GROUP, ACCOUNT, chat(), environment="prune: true")
    assert actions(await world.plan()) == ["delete contoso/extra"]
    await world.converge()
    assert world.get(f"{ACCOUNT_ID}/deployments/extra") is None
    assert not [one for one in await world.owned() if "extra" in one]


async def test_a_policy_leaves_after_the_deployment_that_named_it_was_changed(
    world: World,
) -> None:
    world.declare(GROUP, ACCOUNT, FILTER, chat(policy="strict"))
    await world.converge()
    world.declare(GROUP, ACCOUNT, chat(), environment="prune: true")
    await world.converge()
    paths = [path.rpartition("/")[2] for _, path in world.writes()[-2:]]
    assert paths == ["chat", "strict"]


async def test_a_replace_deletes_and_creates_again(world: World) -> None:
    world.declare(GROUP, ACCOUNT, chat())
    await world.converge()
    world.declare(GROUP, ACCOUNT, chat(model="gpt-4.1"))
    plan = await world.plan()
    assert actions(plan) == ["replace contoso/chat"]
    await world.converge()
    assert [method for method, _ in world.writes()[-2:]] == ["DELETE", "PUT"]
    body = world.get(f"{ACCOUNT_ID}/deployments/chat")
    assert body["properties"]["model"]["name"] == "gpt-4.1"


async def test_a_worse_plan_than_the_reviewed_one_is_refused_until_it_is_allowed(
    world: World,
) -> None:
    world.declare(GROUP, ACCOUNT, chat(3))
    await world.converge()
    world.declare(GROUP, ACCOUNT, chat(4))
    reviewed = Reviewed.of(await world.plan())
    world.patch(f"{ACCOUNT_ID}/deployments/chat", {"properties": {"model": {"name": "gpt-4o"}}})
    with pytest.raises(Refused, match="--allow") as refused:
        await world.apply(reviewed=reviewed)
    digest = str(refused.value).partition("`--allow ")[2].partition("`")[0]
    run = await world.apply(reviewed=reviewed, allow=digest)
    assert run.state == "done", failures(run)


async def test_a_failed_step_holds_back_what_depends_on_it_and_nothing_else(world: World) -> None:
    world.azure.faults.add(
        [{"method": "PUT", "path": "deployments/chat$", "status": 400, "code": "Nope"}]
    )
    world.declare(GROUP, ACCOUNT, chat(), chat(name="other"))
    run = await world.apply()
    assert run.state == "failed"
    assert run.outcomes["create:ModelDeployment/contoso/chat"].state == "failed"
    assert run.outcomes["create:ModelDeployment/contoso/other"].state == "done"
    world.azure.faults.clear()
    await world.converge()


async def test_dependents_of_a_failed_step_are_held_and_say_so(world: World) -> None:
    world.azure.faults.add(
        [{"method": "PUT", "path": "accounts/contoso$", "status": 400, "code": "Nope"}]
    )
    world.declare(GROUP, ACCOUNT, chat())
    run = await world.apply()
    held = run.outcomes["create:ModelDeployment/contoso/chat"]
    assert (held.state, "contoso" in held.detail) == ("held", True)


async def test_somebody_acting_between_plan_and_step_makes_the_run_stale(world: World) -> None:
    world.declare(GROUP, ACCOUNT, chat(2))
    await world.converge()
    world.declare(GROUP, ACCOUNT, chat(3))

    def meddle(event: object) -> None:
        if type(event).__name__ == "RunBegun":
            world.patch(f"{ACCOUNT_ID}/deployments/chat", {"sku": {"capacity": 9}})

    run = await world.apply(progress=meddle)
    assert run.state == "stale"
    assert "changed by somebody else" in run.detail
    assert world.get(f"{ACCOUNT_ID}/deployments/chat")["sku"]["capacity"] == 9
    await world.converge()


async def test_a_soft_deleted_name_asks_for_a_choice_and_can_be_restored_or_purged(
    world: World,
) -> None:
    world.declare(GROUP, ACCOUNT)
    await world.converge()
    prefix = f"/subscriptions/{world.azure.options.subscriptions[0]}/resourceGroups/rg-ai"
    async with world.app() as app:
        cloud = app._cloud("apply")
        await cloud.delete(Target("Account", f"{prefix}/providers/{ACCOUNT_ID}", "2026-03-01"))
    plan = await world.plan()
    assert [check.rule for check in plan.checks if check.level == "error"] == ["name.softDeleted"]
    with pytest.raises(Refused, match="softDeleted"):
        await world.apply()
    restoring = ACCOUNT + "    lifecycle: {softDeleted: restore}\n"
    world.declare(GROUP, restoring, chat())
    await world.converge()
    async with world.app() as app:
        cloud = app._cloud("apply")
        target = Target(
            "ModelDeployment", f"{prefix}/providers/{ACCOUNT_ID}/deployments/chat", "2026-03-01"
        )
        await cloud.delete(target)
        await cloud.delete(Target("Account", f"{prefix}/providers/{ACCOUNT_ID}", "2026-03-01"))
    purging = ACCOUNT + "    lifecycle: {softDeleted: purge}\n"
    world.declare(GROUP, purging, chat())
    run = await world.converge()
    assert "purge:Account/contoso" in run.outcomes


async def test_a_suspended_environment_plans_and_does_not_apply(world: World) -> None:
    world.declare(GROUP, environment='suspend: {reason: "freeze"}')
    assert (await world.plan()).summary["create"] == 1
    with pytest.raises(Refused, match="freeze"):
        await world.apply()


async def test_specs_that_declare_nothing_delete_nothing(world: World) -> None:
    world.declare(GROUP, ACCOUNT)
    await world.converge()
    world.declare(
        "apiVersion: aigitops/v1\nkind: ResourceGroup\nmetadata: {name: x}\n"
        "spec: {}\nenabled: false\n",
        environment="prune: true",
    )
    with pytest.raises(Refused, match="declare nothing"):
        await world.plan()


async def test_a_smoke_test_must_pass_for_a_change_to_count_as_done(world: World) -> None:
    verify = """
    verify:
      request: {messages: [{role: user, content: ping}], max_completion_tokens: 16}
      expect: {status: 200, path: PATH}
"""
    world.declare(GROUP, ACCOUNT, chat() + verify.replace("PATH", '"choices[0].message"'))
    run = await world.converge()
    assert "answered 200" in run.outcomes["create:ModelDeployment/contoso/chat"].detail
    world.declare(GROUP, ACCOUNT, chat(3) + verify.replace("PATH", '"choices[7].message"'))
    run = await world.apply()
    assert run.state == "failed"
    assert "choices[7].message" in failures(run)[0]


async def test_a_replace_does_not_take_along_what_others_put_inside(world: World) -> None:
    consent = "    lifecycle: {deletion: delete, softDeleted: purge}\n"
    world.declare(GROUP, ACCOUNT + consent)
    await world.converge()
    body = {"properties": {"description": "a colleague's"}}
    prefix = f"/subscriptions/{world.azure.options.subscriptions[0]}/resourceGroups/rg-ai"
    theirs = f"{prefix}/providers/{ACCOUNT_ID}/raiBlocklists/theirs"
    world.azure.backdoor.put(theirs, body)
    world.declare(GROUP, ACCOUNT.replace("contoso-x", "contoso-y") + consent)
    plan = await world.plan()
    assert actions(plan) == ["replace contoso"]
    assert [one.rule for one in plan.checks if one.level == "error"] == ["delete.notEmpty"]
    with pytest.raises(Refused, match="theirs"):
        await world.apply()
    world.azure.backdoor.delete(theirs)
    await world.converge()


async def test_a_smoke_test_that_failed_is_asked_again_until_it_passes(world: World) -> None:
    verify = "    verify: {request: {messages: []}, expect: {status: 200, path: PATH}}\n"
    world.declare(GROUP, ACCOUNT, chat() + verify.replace("PATH", '"choices[7].message"'))
    assert (await world.apply()).state == "failed"
    change = (await world.plan()).changes[0]
    assert (change.action, change.key.name, change.fields) == ("update", "contoso/chat", ())
    assert change.reason == "its smoke test has not passed since it was applied"
    before = world.writes()
    assert (await world.apply()).state == "failed"
    world.declare(GROUP, ACCOUNT, chat() + verify.replace("PATH", '"choices[0].message"'))
    await world.converge()
    assert world.writes() == before


async def test_a_smoke_test_that_is_no_longer_declared_is_not_waited_for(world: World) -> None:
    verify = '    verify: {request: {messages: []}, expect: {path: "choices[7].message"}}\n'
    world.declare(GROUP, ACCOUNT, chat() + verify)
    assert (await world.apply()).state == "failed"
    world.declare(GROUP, ACCOUNT, chat())
    await world.converge()
    assert not any(one.untested for one in (await world.owned()).values())


async def test_what_a_limited_apply_leaves_out_is_not_written_down_as_applied(
    world: World,
) -> None:
    world.declare(GROUP, ACCOUNT, FILTER, chat(policy="strict"))
    await world.converge()
    world.declare(GROUP, ACCOUNT, FILTER, chat())
    async with world.app() as app:
        desired = parse(world.files, "dev")
        engine = app.engine("apply")
        queued = Run("limited", Plan("dev", "commit-2"), only=("Account/*",))
        async with engine.writing("dev"):
            run = await engine.start(queued, desired.environment, desired.resources)
            await engine.advance(run)
    assert actions(await world.plan()) == ["update contoso/chat"]
    await world.converge()
    assert (
        world.get(f"{ACCOUNT_ID}/deployments/chat")["properties"].get("raiPolicyName") != "strict"
    )


async def test_who_reads_a_secret_that_the_same_run_writes_is_sent_its_new_version(
    world: World,
) -> None:
    estate = (estates.VAULT, estates.STORAGE, estates.LOGS, estates.INSIGHTS, estates.WORKSPACE)
    world.declare(GROUP, *estate, estates.TOKEN, estates.CONNECTION)
    await world.converge()
    again = estates.TOKEN.replace("value:", "contentType: text/plain, value:")
    world.declare(GROUP, *estate, again, estates.CONNECTION)
    plan = await world.plan()
    assert actions(plan) == ["update mlw/weather", "update kv-contoso/token"]
    assert "(secret kv-contoso/token, changed)" in plain(plan_text(plan))
    await world.converge()


async def test_an_identity_is_given_up_by_saying_none_or_by_saying_it_no_more(
    world: World,
) -> None:
    def account(identity: str) -> str:
        return ACCOUNT.replace("spec: {", f"spec: {{identity: {{type: {identity}}}, ")

    for later in (account("None"), ACCOUNT):
        world.declare(GROUP, account("SystemAssigned"))
        await world.converge()
        world.declare(GROUP, later)
        assert actions(await world.plan()) == ["update contoso"]
        await world.converge()
        assert (world.get(ACCOUNT_ID).get("identity") or {}).get("principalId") is None


async def test_what_another_environment_owns_too_is_left_to_it(world: World) -> None:
    world.declare(GROUP, ACCOUNT, chat(), environment="prune: true")
    dev = world.files["specs/environments/dev.yaml"]
    prod = {"specs/environments/prod.yaml": dev.replace("name: dev", "name: prod")}
    await world.converge()
    world.files |= prod
    async with world.app() as app:
        assert (await app.apply(world.files, "prod", "commit-1")).state == "done"
    world.declare(GROUP, ACCOUNT, environment="prune: true", **prod)
    plan = await world.plan()
    assert plan.changes == ()
    assert [one.message for one in plan.checks if one.rule == "delete.retained"] == [
        "ModelDeployment/contoso/chat is declared no more and stays: environment prod looks after "
        "it too"
    ]
    await world.converge()
    assert world.get(f"{ACCOUNT_ID}/deployments/chat")
    async with world.app() as app:
        run = await app.apply(world.files, "prod", "commit-2")
    assert actions(run.plan) == ["delete contoso/chat"]


async def test_a_key_that_left_a_connection_is_taken_away(world: World) -> None:
    def connection(**keys: str) -> str:
        sources = ", ".join(f"{name}: {{secret: {{setting: {one}}}}}" for name, one in keys.items())
        return f"""
            apiVersion: aigitops/v1
            kind: Connection
            metadata: {{name: tools}}
            spec:
              account: contoso
              category: CustomKeys
              target: https://tools.example.com
              authType: CustomKeys
              credentials: {{keys: {{{sources}}}}}
        """

    world.declare(GROUP, ACCOUNT, connection(search="TOKEN", maps="TOKEN"))
    await world.converge()
    world.declare(GROUP, ACCOUNT, connection(search="TOKEN"))
    plan = await world.plan()
    assert [one.name for one in plan.changes[0].fields] == ["credentials.keys.maps"]
    await world.converge()


async def test_any_resource_is_compared_as_azure_spells_regions_and_tags(world: World) -> None:
    world.declare(
        GROUP,
        """
        apiVersion: aigitops/v1
        kind: AzureResource
        metadata: {name: id-raw}
        spec:
          type: Microsoft.ManagedIdentity/userAssignedIdentities@2023-01-31
          body: {location: East US 2, tags: {Team: red}}
        """,
    )
    await world.converge()
    named = "Microsoft.ManagedIdentity/userAssignedIdentities/id-raw"
    world.patch(named, {"location": "eastus2", "tags": {"Team": None, "team": "red", "by": "hand"}})
    assert (await world.plan()).changes == ()


async def test_who_names_the_version_of_a_secret_is_sent_the_one_that_the_run_makes(
    world: World,
) -> None:
    tags = "tags: {uri: {ref: Secret/kv-contoso/token, path: secretUriWithVersion}}"
    account = ACCOUNT.replace("spec: {", f"spec: {{{tags}, ")
    world.declare(GROUP, estates.VAULT, estates.TOKEN, account)
    await world.converge()
    again = estates.TOKEN.replace("value:", "contentType: text/plain, value:")
    world.declare(GROUP, estates.VAULT, again, account)
    assert actions(await world.plan()) == ["update contoso", "update kv-contoso/token"]
    await world.converge()
