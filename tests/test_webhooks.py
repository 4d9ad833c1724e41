"""Webhooks as they come in over HTTP: what is believed, what is queued, and what is turned away.

Each kind of abuse says how often it was tried and what came of it, at the end of the test run.
"""

import asyncio
import json
import logging
import sys
from collections import Counter
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest

from reconciler.app import SystemClock
from reconciler.core.errors import Transient
from reconciler.forge import GitHub, GitHubSettings
from tests.azure.scripted import JumpClock, serving
from tests.desk import Belt
from tests.door import CANARY, HUGE, Delivery, Door, a_door, counted
from tests.forge.conftest import SECRETS
from tests.forge.small import REPOSITORY, TOKEN, Small
from tests.forge.test_webhook import PUBLISHED, abuses, check, comment, headers, pull, push, sign

NEW, OLD = SECRETS


def signed(event: str, payload: Any, secret: str = NEW) -> Delivery:
    body = payload if isinstance(payload, bytes) else json.dumps(payload).encode()
    return {**headers(event, sign(body, secret)), "X-GitHub-Delivery": str(uuid4())}, body


def a_push(number: int = 0) -> dict[str, Any]:
    return {**push("refs/heads/main", f"{number + 1:040x}"), "canary": CANARY}


def github(url: str, secrets: tuple[str, ...] = SECRETS) -> GitHub:
    settings = GitHubSettings(
        repository=REPOSITORY, api_url=url, token=TOKEN, webhook_secrets=secrets
    )
    return GitHub(settings, SystemClock())


@pytest.fixture
async def door(tmp_path: Path) -> AsyncIterator[Door]:
    small = Small(JumpClock())
    async with (
        serving(small.handle) as small.url,
        a_door(tmp_path, github(small.url), SECRETS) as one,
    ):
        yield one
    assert small.seen == [], "a webhook asks nothing of the forge"


@pytest.mark.parametrize(
    ("event", "payload", "message"),
    [
        ("pull_request", pull("synchronize"), {"pull": "7"}),
        ("pull_request", pull("closed"), {"pull": "7"}),
        ("push", push("refs/heads/main", "a" * 40), {"branch": "a" * 40}),
        ("issue_comment", comment("/plan dev"), {"comment": "55", "pull": "7"}),
        (
            "check_run",
            check("check_run", "rerequested", name="dev"),
            {"recheck": "a" * 40, "name": "dev"},
        ),
        ("check_suite", check("check_suite", "rerequested"), {"recheck": "a" * 40, "name": ""}),
    ],
)
async def test_what_matters_is_queued_once_and_accepted(
    door: Door, event: str, payload: Any, message: Mapping[str, str]
) -> None:
    for _ in range(2):
        found = await door.send(signed(event, payload))
        assert (found.status, found.body) == (202, {"accepted": True})
    assert await door.queued() == [message]


async def test_a_ping_is_accepted_every_time_and_queues_nothing(door: Door) -> None:
    for _ in range(3):
        assert (await door.send(signed("ping", {"zen": "Approachable."}))).status == 202
    assert await door.queued() == []


def wrong_signatures() -> Iterator[Delivery]:
    body = json.dumps(a_push()).encode()
    yield from (
        delivery for wrong, delivery in abuses(body).items() if not wrong.startswith("30 MB")
    )
    for place in range(64):
        good = sign(body)
        digit = "0" if good[7 + place] != "0" else "1"
        yield headers("push", good[: 7 + place] + digit + good[8 + place :]), body


def missing_signatures() -> Iterator[Delivery]:
    for event in ("push", "pull_request", "issue_comment", "ping", "star", ""):
        given, body = signed(event, a_push())
        yield {name: text for name, text in given.items() if "Signature" not in name}, body
        yield {}, body
        yield {}, b""


def truncated_signatures() -> Iterator[Delivery]:
    given, body = signed("push", a_push())
    whole = given["X-Hub-Signature-256"]
    for length in range(len(whole)):
        yield {**given, "X-Hub-Signature-256": whole[:length]}, body


def truncated_bodies() -> Iterator[Delivery]:
    given, body = signed("push", a_push())
    yield from ((given, body[:length]) for length in range(0, len(body), 3))


def larger_than_30_mb() -> Iterator[Delivery]:
    huge = json.dumps(a_push()).encode().ljust(HUGE)
    yield signed("push", huge)
    # Its size is looked at before its signature: else these would be refused as not signed.
    yield headers("push", ""), huge
    yield headers("push", sign(b"")), huge
    yield {}, huge
    given, body = signed("push", a_push())
    for length in (str(HUGE), "9" * 400):
        yield {**given, "Content-Length": length}, body


def unknown_events() -> Iterator[Delivery]:
    for name in ("star", "fork", "workflow_run", "deployment", "PUSH", "push ", "push\n", "", "💣"):
        yield signed(name, a_push())
    for action in ("labeled", "edited", "__class__", "OPENED", ""):
        yield signed("pull_request", pull(action))


def forged_repositories() -> Iterator[Delivery]:
    names: list[Any] = [
        "mallory/estate", "contoso/estate2", "contoso/estate/", "contoso%2Festate",
        "contoso/estate\x00", "ＣＯＮＴＯＳＯ/estate", "", " contoso/estate", None, 7, [], {},
    ]  # fmt: skip
    for name in names:
        yield signed("push", {**a_push(), "repository": {"full_name": name}})
    for repository in (None, "contoso/estate", [], ["contoso/estate"]):
        yield signed("pull_request", {**pull("opened"), "repository": repository})


def other_branches() -> Iterator[Delivery]:
    for ref in (
        "refs/heads/other",
        "refs/heads/main2",
        "refs/tags/main",
        "main",
        "",
        "refs/pull/7",
    ):
        yield signed("push", push(ref, "a" * 40))
    for base in ("release", "refs/heads/main", "MAIN", ""):
        yield signed("pull_request", pull("opened", base=base))
    yield signed("push", push("refs/heads/main", "0" * 40))
    yield signed("push", push("refs/heads/main", "--upload-pack=touch /tmp/x"))


def no_json() -> Iterator[Delivery]:
    for body in (
        b"", b"null", b"[]", b"7", b'"push"', b"payload=%7B%7D", b"\xff\xfe", b"{", b"NaN",
        b"\x00" * 9, b"PK\x03\x04", json.dumps(a_push()).encode()[:-1], b"[" * 200_000,
        b'{"a":' * 100_000, b"[" * 100_000 + b"]" * 100_000, b"9" * 5000,
    ):  # fmt: skip
        yield signed("push", body)
        yield signed("issue_comment", body)


type Deliveries = Callable[[], Iterator[Delivery]]


@pytest.mark.parametrize(
    ("deliveries", "status"),
    [
        (wrong_signatures, 401),
        (missing_signatures, 401),
        (truncated_signatures, 401),
        (truncated_bodies, 401),
        (larger_than_30_mb, 413),
        (unknown_events, 204),
        (forged_repositories, 204),
        (other_branches, 204),
        (no_json, 204),
    ],
)
async def test_abuse_queues_nothing(
    door: Door,
    deliveries: Deliveries,
    status: int,
    record_property: Any,
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.DEBUG)
    answered = Counter([(await door.send(one)).status for one in deliveries()])
    queued = await door.queued()
    counted(record_property, deliveries.__name__, answered, len(queued))
    assert set(answered) == {status}
    assert queued == []
    assert not any(one in caplog.text for one in (CANARY, *SECRETS))


async def test_a_replay_queues_nothing_whatever_its_headers_say(
    door: Door, record_property: Any
) -> None:
    first, body = signed("push", a_push(1))
    replays = [
        {**first, "X-GitHub-Delivery": str(uuid4()), "X-Hub-Signature-256": sign(body, secret)}
        for secret in SECRETS
        for _ in range(50)
    ]
    replays += [{name.swapcase(): text for name, text in one.items()} for one in replays]
    answered = Counter([(await door.send((one, body))).status for one in [first, *replays]])
    # Under the name of another event it is still the same content, and says nothing else.
    for event in ("pull_request", "issue_comment", "check_run", "star"):
        answered[(await door.send(({**first, "X-GitHub-Event": event}, body))).status] += 1
    queued = await door.queued()
    counted(record_property, "replays of one", answered, len(queued))
    assert answered == {202: 201, 204: 4}
    assert queued == [{"branch": f"{2:040x}"}]


async def test_of_fifty_that_come_at_once_one_is_queued(door: Door) -> None:
    answers = await asyncio.gather(*(door.send(signed("push", a_push(1))) for _ in range(50)))
    assert {one.status for one in answers} == {202}
    assert len(await door.queued()) == 1


async def test_the_old_secret_opens_the_door_until_it_is_taken_away(
    door: Door, record_property: Any
) -> None:
    answered: Counter[int] = Counter()
    for number, secret in enumerate((NEW, OLD, f"{OLD} ", OLD.upper(), "", "guessed") * 3):
        answered[(await door.send(signed("push", a_push(number), secret))).status] += 1
    assert answered == {202: 6, 401: 12}
    door.service.forge = github("http://127.0.0.1:1", (NEW,))
    for number, secret in enumerate((NEW, OLD) * 3):
        answered[(await door.send(signed("push", a_push(100 + number), secret))).status] += 1
    assert answered == {202: 9, 401: 15}
    door.service.forge = github("http://127.0.0.1:1", ())
    for secret in (NEW, OLD, ""):
        answered[(await door.send(signed("push", a_push(200), secret))).status] += 1
    queued = await door.queued()
    counted(record_property, "secrets being changed", answered, len(queued))
    assert answered == {202: 9, 401: 18}
    assert len(queued) == 9


async def test_headers_are_read_whatever_their_case_and_never_twice(
    door: Door, record_property: Any
) -> None:
    answered: Counter[int] = Counter()
    for number, change in enumerate((str.upper, str.lower, str.title, str.swapcase)):
        given, body = signed("push", a_push(number))
        found = await door.send(({change(name): text for name, text in given.items()}, body))
        answered[found.status] += 1
    assert answered == {202: 4}
    given, body = signed("push", a_push(9))
    good, name = given["X-Hub-Signature-256"], "X-Hub-Signature-256"
    twice = [
        {**given, name: f"{good},{good}"},
        {**given, name: f"{good}, sha256={'0' * 64}"},
        {**given, name: "", name.lower(): f"sha256={'0' * 64}"},
        {**given, name.lower(): ""},
        {**given, name: f" {good}"},
        {**given, name: f"{good} "},
        {**given, name: f"sha256 = {good[7:]}"},
        {**given, name: "", "X-Hub-Signature": good},
        {**given, name: "", "Authorization": good},
        {**given, name: "", f"{name}\x00": good},
    ]
    for one in twice:
        answered[(await door.send((one, body))).status] += 1
    queued = await door.queued()
    counted(record_property, "header games", answered, len(queued))
    assert answered == {202: 4, 401: 10}
    assert len(queued) == 4


@pytest.mark.skipif(not PUBLISHED.exists(), reason="GitHub's payloads are not here: npm install")
async def test_every_published_payload_is_answered(door: Door, record_property: Any) -> None:
    answered: Counter[int] = Counter()
    for event in json.loads(PUBLISHED.read_text()):
        for payload in event["examples"]:
            ours = {**payload, "repository": {"full_name": REPOSITORY}}
            for one in (payload, ours):
                answered[(await door.send(signed(event["name"], one))).status] += 1
    queued = await door.queued()
    counted(record_property, "published payloads, as they are and as ours", answered, len(queued))
    assert answered.total() == 2 * 329
    assert set(answered) == {202, 204}
    assert 0 < len(queued) <= answered[202]


@pytest.mark.parametrize("forge", ["azuredevops", "GitHub", "gitlab", "../github", CANARY])
async def test_another_forge_than_the_one_that_is_connected_is_not_found(
    door: Door, forge: str
) -> None:
    found = await door.send(signed("push", a_push()), forge)
    assert (found.status, found.body and found.body["type"]) == (
        404,
        "urn:reconciler:unknown-forge",
    )
    assert await door.queued() == []


async def test_without_a_forge_nothing_is_heard(door: Door) -> None:
    door.service.forge = None
    assert (await door.send(signed("push", a_push()), "github")).status == 404


async def test_a_queue_that_refuses_is_unavailable_and_not_an_error_of_the_sender(
    door: Door,
) -> None:
    door.service.queue = Belt(broken=True)
    found = await door.send(signed("push", a_push()))
    assert (found.status, found.body and found.body["detail"]) == (503, "the queue is away")
    assert int(found.headers["Retry-After"]) > 0


async def test_state_that_cannot_be_reached_queues_nothing(door: Door) -> None:
    class Away:
        async def seen(self, delivery: str, now: Any) -> bool:
            raise Transient("state is away", retry_after_s=7)

    door.service.store = Away()  # type: ignore[assignment]
    found = await door.send(signed("push", a_push()))
    assert (found.status, found.headers["Retry-After"]) == (503, "7")
    assert await door.queued() == []


async def test_a_webhook_needs_no_part_of_azures_sdk_and_no_client_of_the_forge(
    tmp_path: Path,
) -> None:
    code = """
import asyncio, json, sys
from reconciler import http
from reconciler.app import SystemClock
from reconciler.forge import GitHub, GitHubSettings
from reconciler.service import Service
from reconciler.state.sqlite import SqliteStore
from reconciler.state.sqlite_queue import SqliteQueue
settings = GitHubSettings(repository="contoso/estate", webhook_secrets=("secret",))
clock = SystemClock()
service = Service(SqliteStore(sys.argv[1]), SqliteQueue(sys.argv[1]), None, clock, None, None,
                  forge=GitHub(settings, clock))
request = http.Request("https://app.example/api/webhooks/github", params={"forge": "github"})
print(asyncio.run(http.answer("webhook", lambda: service, request)).status)
print(json.dumps(sorted({one.partition(".")[0] for one in sys.modules})))
"""
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-c", code, str(tmp_path / "state.db"), stdout=asyncio.subprocess.PIPE
    )
    out, _ = await process.communicate()
    status, modules = out.decode().splitlines()
    assert status == "401"
    heavy = {"azure", "aiohttp", "githubkit", "httpx", "pydantic", "opentelemetry", "cryptography"}
    assert heavy & set(json.loads(modules)) == set()
