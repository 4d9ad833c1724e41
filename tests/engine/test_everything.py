"""One estate with every kind of step, changed in every way."""

from tests.engine.estates import AFTER, BEFORE
from tests.engine.world import World

ENDPOINT = "Microsoft.MachineLearningServices/workspaces/mlw/onlineEndpoints/vllm"


async def test_an_estate_changed_in_every_way_converges(world: World) -> None:
    world.declare(*BEFORE, environment="prune: true")
    await world.converge()
    world.declare(*AFTER, environment="prune: true")
    plan = await world.plan()
    actions = sorted(f"{change.action} {change.key.name}" for change in plan.changes)
    assert actions == [
        "create contoso/fresh",
        "create mlw/vllm/red",
        "delete contoso/extra",
        "delete contoso/strict",
        "delete mlw/vllm/green",
        "replace contoso/swap",
        "replace mlw/vllm/blue",
        "update contoso/chat",
        "update mlw/vllm",
    ]
    await world.converge()
    names = {one.rpartition("/")[2] for one in world.ids() if "/deployments/" in one}
    blue = next(name for name in names if name.startswith("blue-"))
    assert names == {"chat", "swap", "fresh", blue, "red"}
    assert world.get(ENDPOINT)["properties"]["traffic"] == {blue: 90, "red": 10}


async def test_the_old_deployment_keeps_its_traffic_until_the_new_one_is_there(
    world: World,
) -> None:
    world.declare(*BEFORE, environment="prune: true")
    await world.converge()
    before = len(world.writes())
    world.declare(*AFTER, environment="prune: true")
    await world.converge()
    done = [f"{m} {path.rpartition('/')[2]}" for m, path in world.writes()[before:]]
    made = next(i for i, one in enumerate(done) if one.startswith("PUT blue-"))
    moved = done.index("PUT vllm")
    assert made < moved < done.index("DELETE blue")


async def test_a_new_deployment_that_does_not_come_up_leaves_the_old_one_alone(
    world: World,
) -> None:
    world.declare(*BEFORE, environment="prune: true")
    await world.converge()
    world.azure.faults.add(
        [
            {
                "method": "PUT",
                "path": "deployments/blue-[0-9a-f]+$",
                "status": 400,
                "code": "OutOfQuota",
            }
        ]
    )
    world.declare(*AFTER, environment="prune: true")
    run = await world.apply()
    assert run.state == "failed"
    assert world.get(ENDPOINT)["properties"]["traffic"] == {"blue": 100}
    assert world.get(f"{ENDPOINT}/deployments/blue")
    world.azure.faults.clear()
    await world.converge()
