"""Service hooks of Azure DevOps as they come in over HTTP: with a password, and no signature."""

import json
from base64 import b64encode
from collections import Counter
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from reconciler.app import SystemClock
from reconciler.forge.azure_devops import AzureDevOps, AzureDevOpsSettings
from tests.door import CANARY, HUGE, Delivery, Door, a_door, counted

NEW, OLD = ("hooks", "password-canary-new"), ("hooks", "password-canary-old")
SECRETS = ("header-canary-new", "header-canary-old")
ESTATE = {"name": "estate", "project": {"name": "contoso"}}


def forge(**changed: Any) -> AzureDevOps:
    given = {
        "organization_url": "https://dev.azure.com/contoso",
        "project": "contoso",
        "repository": "estate",
        "webhook_logins": (NEW, OLD),
        "webhook_secrets": SECRETS,
    }
    return AzureDevOps(AzureDevOpsSettings(**(given | changed)), SystemClock())


@pytest.fixture
async def door(tmp_path: Path) -> AsyncIterator[Door]:
    async with a_door(tmp_path, forge(), (NEW[1], OLD[1], *SECRETS)) as one:
        yield one


def basic(name: str, password: str) -> str:
    return f"Basic {b64encode(f'{name}:{password}'.encode()).decode()}"


def a_push(number: int = 0, ref: str = "refs/heads/main", repository: Any = ESTATE) -> Any:
    update = {"name": ref, "newObjectId": f"{number + 1:040x}"}
    resource = {"refUpdates": [update], "repository": repository}
    return {"eventType": "git.push", "resource": resource, "canary": CANARY}


def a_pull(number: int, target: str = "refs/heads/main", repository: Any = ESTATE) -> Any:
    resource = {
        "pullRequestId": number,
        "status": "active",
        "targetRefName": target,
        "lastMergeSourceCommit": {"commitId": "a" * 40},
        "repository": repository,
    }
    return {"eventType": "git.pullrequest.updated", "resource": resource}


def sent(payload: Any, **given: str) -> Delivery:
    body = payload if isinstance(payload, bytes) else json.dumps(payload).encode()
    found = {name.replace("_", "-"): value for name, value in given.items()}
    return found or {"Authorization": basic(*NEW)}, body


async def test_a_password_or_a_secret_old_or_new_opens_the_door_and_a_replay_queues_nothing(
    door: Door, record_property: Any
) -> None:
    keys = [{"Authorization": basic(*one)} for one in (NEW, OLD)]
    keys += [{"X-Reconciler-Secret": one} for one in SECRETS]
    deliveries = [sent(a_push(at), **key) for at, key in enumerate(keys)] * 25
    answered = Counter([(await door.send(one)).status for one in deliveries])
    assert (await door.send(sent(a_pull(7)))).status == 202
    queued = await door.queued()
    counted(record_property, "Azure DevOps: replays of four", answered, len(queued) - 1)
    assert answered == {202: 100}
    assert queued == [*({"branch": f"{at + 1:040x}"} for at in range(4)), {"pull": "7"}]


async def test_the_old_password_is_worth_nothing_once_it_is_taken_away(door: Door) -> None:
    door.service.forge = forge(webhook_logins=(NEW,), webhook_secrets=())
    assert (await door.send(sent(a_push(1), Authorization=basic(*NEW)))).status == 202
    assert (await door.send(sent(a_push(2), Authorization=basic(*OLD)))).status == 401
    door.service.forge = forge(webhook_logins=(), webhook_secrets=())
    for given in ({"Authorization": basic("", "")}, {"X-Reconciler-Secret": ""}):
        assert (await door.send(sent(a_push(3), **given))).status == 401


def wrong_passwords() -> Iterator[Delivery]:
    user, password = NEW
    whole = basic(user, password)
    for length in range(len(whole)):
        yield sent(a_push(), Authorization=whole[:length])
    for length in range(len(SECRETS[0])):
        yield sent(a_push(), X_Reconciler_Secret=SECRETS[0][:length])
    for other in (
        basic("", password), basic(user, ""), basic(user.upper(), password), basic(password, user),
        basic(user, f"{password} "), basic(user, f"{password}\x00"), basic(user, SECRETS[0]),
        f"Bearer {password}", f"{whole}, {whole}", password, "Basic", "Basic é", "",
    ):  # fmt: skip
        yield sent(a_push(), Authorization=other)
    for other in (
        f"{SECRETS[0]} ",
        SECRETS[0].upper(),
        f"{SECRETS[0]},{SECRETS[1]}",
        "é",
        "\udcff",
    ):
        yield sent(a_push(), X_Reconciler_Secret=other)
    yield sent(a_push(), X_Hub_Signature_256=f"sha256={'0' * 64}")
    yield {}, json.dumps(a_push()).encode()


def larger_than_30_mb() -> Iterator[Delivery]:
    huge = json.dumps(a_push()).encode().ljust(HUGE)
    yield sent(huge)
    # Its size is looked at first: else these would be refused for want of a password.
    yield {}, huge
    yield {"Content-Length": str(HUGE)}, b"{}"


def of_no_concern() -> Iterator[Delivery]:
    for kind in ("build.complete", "workitem.created", "GIT.PUSH", "", None, 7, []):
        yield sent({**a_push(), "eventType": kind})
    for name, project in (("estate2", "contoso"), ("estate", "mallory"), ("", ""), (None, 7)):
        other = {"name": name, "project": {"name": project}}
        yield sent(a_push(repository=other))
        yield sent(a_pull(7, repository=other))
    for ref in ("refs/heads/other", "main", "refs/tags/main", ""):
        yield sent(a_push(ref=ref))
        yield sent(a_pull(7, target=ref))
    for body in (b"", b"null", b"[]", b"{", b"\xff", b"[" * 200_000, b'{"a":' * 100_000):
        yield sent(body)


@pytest.mark.parametrize(
    ("deliveries", "status"),
    [(wrong_passwords, 401), (larger_than_30_mb, 413), (of_no_concern, 204)],
)
async def test_abuse_queues_nothing(
    door: Door, deliveries: Callable[[], Iterator[Delivery]], status: int, record_property: Any
) -> None:
    answered = Counter([(await door.send(one)).status for one in deliveries()])
    queued = await door.queued()
    counted(record_property, f"Azure DevOps: {deliveries.__name__}", answered, len(queued))
    assert set(answered) == {status}
    assert queued == []


async def test_the_address_for_github_leads_nowhere(door: Door) -> None:
    assert (await door.send(sent(a_push()), "github")).status == 404
