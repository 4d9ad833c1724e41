"""Webhooks: what is believed, what is refused, and what is passed over."""

import hashlib
import hmac
import json
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reconciler.core.forge import Event, Untrusted
from reconciler.forge import GitHubSettings
from reconciler.forge.webhook import Webhook
from tests.forge.conftest import SECRETS

PUBLISHED = (
    Path(__file__).parents[2] / "node_modules/@octokit/webhooks-examples/api.github.com/index.json"
)
HEAD, NEXT = "a" * 40, "b" * 40
REPOSITORY = {"full_name": "Contoso/Estate", "default_branch": "main"}
SETTINGS = GitHubSettings(repository="contoso/estate", webhook_secrets=SECRETS, app_id="")


def sign(body: bytes, secret: str = SECRETS[0]) -> str:
    return "sha256=" + hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()


def headers(event: str, signature: str) -> dict[str, str]:
    return {
        "X-GitHub-Event": event,
        "X-GitHub-Delivery": "0b989ba4-242f-11e5-81e1-c7b6966d2516",
        "X-Hub-Signature-256": signature,
    }


def hear(event: str, payload: Any, settings: GitHubSettings = SETTINGS) -> Event | None:
    body = json.dumps(payload).encode()
    return Webhook(settings).hear(headers(event, sign(body)), body)


def pull(action: str, base: str = "main", **more: Any) -> dict[str, Any]:
    found = {"number": 7, "head": {"sha": HEAD}, "base": {"ref": base}, **more}
    return {"action": action, "repository": REPOSITORY, "pull_request": found}


def comment(body: str, action: str = "created", on: str = "pull_request") -> dict[str, Any]:
    return {
        "action": action,
        "repository": REPOSITORY,
        "issue": {"number": 7, on: {}},
        "comment": {"id": 55, "body": body},
    }


def push(ref: str, after: str = HEAD) -> dict[str, Any]:
    return {"ref": ref, "after": after, "repository": REPOSITORY}


def check(what: str, action: str, app: int = 5, **more: Any) -> dict[str, Any]:
    found = {"head_sha": HEAD, "app": {"id": app}, **more}
    return {"action": action, "repository": REPOSITORY, what: found}


@pytest.mark.parametrize(
    ("event", "payload", "kind", "fields"),
    [
        ("pull_request", pull("opened"), "pull", {"pull": 7, "commit": HEAD}),
        ("pull_request", pull("synchronize"), "pull", {"pull": 7, "commit": HEAD}),
        ("pull_request", pull("reopened"), "pull", {"pull": 7, "commit": HEAD}),
        ("pull_request", pull("ready_for_review"), "pull", {"pull": 7, "commit": HEAD}),
        ("pull_request", pull("closed", merged=True), "closed", {"pull": 7, "commit": HEAD}),
        ("push", push("refs/heads/main"), "push", {"commit": HEAD}),
        ("issue_comment", comment("/plan dev"), "comment", {"pull": 7, "comment": 55}),
        ("check_run", check("check_run", "rerequested", name="dev"), "recheck", {"name": "dev"}),
        ("check_suite", check("check_suite", "rerequested"), "recheck", {"commit": HEAD}),
        ("ping", {"zen": "Keep it logically awesome."}, "ping", {}),
    ],
)
def test_what_matters_is_understood(
    event: str, payload: Any, kind: str, fields: dict[str, Any]
) -> None:
    found = hear(event, payload)
    assert found is not None
    assert found.kind == kind
    assert {name: getattr(found, name) for name in fields} == fields


@pytest.mark.parametrize(
    ("event", "payload"),
    [
        ("pull_request", pull("labeled")),
        ("pull_request", pull("opened", base="release")),
        ("pull_request", pull("opened", number=True)),
        ("pull_request", pull("opened", number="7")),
        ("push", push("refs/heads/main", "0" * 40)),
        ("push", push("refs/heads/other")),
        ("push", push("refs/tags/main")),
        ("push", push("refs/heads/main", "--upload-pack=x")),
        ("issue_comment", comment("what about /plan?")),
        ("issue_comment", comment("/plan", on="milestone")),
        ("issue_comment", comment("/plan", action="edited")),
        ("check_run", check("check_run", "created")),
        ("check_suite", check("check_suite", "requested")),
        ("star", {"action": "created", "repository": REPOSITORY}),
        ("", pull("opened")),
        ("pull_request", []),
        ("pull_request", {"repository": "contoso/estate"}),
    ],
)
def test_what_does_not_matter_is_passed_over(event: str, payload: Any) -> None:
    assert hear(event, payload) is None


def test_a_signed_delivery_about_another_repository_is_passed_over() -> None:
    names: list[Any] = ["contoso/estate2", "mallory/estate", "", None, {}, "contoso/estate/"]
    for name in names:
        assert hear("push", push("refs/heads/main") | {"repository": {"full_name": name}}) is None


def test_a_re_request_of_another_app_is_passed_over() -> None:
    ours = GitHubSettings(
        repository="contoso/estate",
        webhook_secrets=SECRETS,
        app_id="5",
        private_key="-----BEGIN PRIVATE KEY-----",
    )
    assert hear("check_suite", check("check_suite", "rerequested", app=5), ours)
    assert hear("check_suite", check("check_suite", "rerequested", app=6), ours) is None


def test_the_old_secret_is_good_during_rotation_and_an_empty_one_never() -> None:
    body = json.dumps(push("refs/heads/main")).encode()
    for secret in SECRETS:
        assert Webhook(SETTINGS).hear(headers("push", sign(body, secret)), body)
    for secrets in ((), ("",)):
        settings = GitHubSettings(repository="contoso/estate", webhook_secrets=secrets)
        with pytest.raises(Untrusted):
            Webhook(settings).hear(headers("push", sign(body, "")), body)


def test_a_replay_has_the_same_id_whatever_its_headers_say() -> None:
    body = json.dumps(push("refs/heads/main")).encode()
    first = Webhook(SETTINGS).hear(headers("push", sign(body)), body)
    forged = headers("push", sign(body, SECRETS[1])) | {"X-GitHub-Delivery": "another"}
    again = Webhook(SETTINGS).hear({name.upper(): v for name, v in forged.items()}, body)
    assert first
    assert again
    assert first.id == again.id
    other = hear("push", push("refs/heads/main", NEXT))
    assert other
    assert other.id != first.id


def abuses(body: bytes) -> dict[str, tuple[dict[str, str], bytes]]:
    """Deliveries that must be refused, by what is wrong with them."""
    good = sign(body)
    sha1 = hmac.new(SECRETS[0].encode(), body, hashlib.sha1).hexdigest()
    md5 = hmac.new(SECRETS[0].encode(), body, hashlib.md5).hexdigest()
    signatures = {
        "missing": "",
        "another secret's": sign(body, "guessed"),
        "an empty secret's": sign(body, ""),
        "of another body": sign(body + b" "),
        "truncated": good[:-1],
        "cut in half": good[:39],
        "longer": good + "0",
        "upper-case": "SHA256=" + good[7:].upper(),
        "without its algorithm": good[7:],
        "sha1": "sha1=" + sha1,
        "sha1 called sha256": "sha256=" + sha1,
        "md5": "md5=" + md5,
        "no algorithm at all": "none=",
        "not hexadecimal": "sha256=" + "g" * 64,
        "not ASCII": "sha256=" + "é" * 64,
        "digits of another script": "sha256=" + "٣" * 64,
        "with a line break": good + "\n",
        "twice": f"{good}, {good}",
        "a byte off": good[:-1] + ("0" if good[-1] != "0" else "1"),
    }
    found = {name: (headers("push", value), body) for name, value in signatures.items()}
    found["only in the old header"] = (
        {"X-GitHub-Event": "push", "X-Hub-Signature": "sha1=" + sha1},
        body,
    )
    found["a changed byte in the body"] = (headers("push", good), body.replace(b"main", b"mair"))
    huge = body + b" " * (30 << 20)
    found["30 MB, signed"] = (headers("push", sign(huge)), huge)
    found["30 MB announced"] = (headers("push", good) | {"Content-Length": str(30 << 20)}, body)
    return found


def test_nothing_forged_is_believed(record_property: Any) -> None:
    body = json.dumps(push("refs/heads/main")).encode()
    refused: Counter[int] = Counter()
    for wrong, (given_headers, given_body) in abuses(body).items():
        with pytest.raises(Untrusted) as caught:
            Webhook(SETTINGS).hear(given_headers, given_body)
        refused[caught.value.status] += 1
        assert not any(secret in str(caught.value) for secret in SECRETS), wrong
    assert refused == {401: 21, 413: 2}
    record_property("refused", dict(refused))


def test_a_signed_body_that_is_no_object_or_too_deep_is_passed_over() -> None:
    for body in (
        b"",
        b"null",
        b"[]",
        b"payload=%7B%7D",
        b"\xff\xfe",
        b"[" * 200_000,
        b'{"a":' * 99,
    ):
        assert Webhook(SETTINGS).hear(headers("push", sign(body)), body) is None


@pytest.mark.skipif(not PUBLISHED.exists(), reason="GitHub's payloads are not here: npm install")
def test_every_published_payload_is_heard_without_an_error(record_property: Any) -> None:
    heard: Counter[str] = Counter()
    for event in json.loads(PUBLISHED.read_text()):
        for payload in event["examples"]:
            name = (payload.get("repository") or {}).get("full_name") or "contoso/estate"
            settings = GitHubSettings(repository=name, branch="master", webhook_secrets=SECRETS)
            found = hear(event["name"], payload, settings)
            heard[found.kind if found else "passed over"] += 1
    record_property("heard", dict(heard))
    assert sum(heard.values()) == 329
    assert {"pull", "closed", "push", "recheck", "ping", "passed over"} <= set(heard)


values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=9),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=9), inner),
    max_leaves=8,
)


@given(
    event=st.sampled_from(["pull_request", "push", "issue_comment", "check_run", "ping"]),
    payload=st.dictionaries(
        st.sampled_from(
            [
                "action",
                "pull_request",
                "issue",
                "comment",
                "ref",
                "after",
                "check_run",
                "repository",
            ]
        ),
        values
        | st.dictionaries(
            st.sampled_from(["number", "id", "body", "base", "head", "app", "full_name", "name"]),
            values,
        ),
    ),
)
def test_no_authentic_payload_of_any_shape_is_an_error(event: str, payload: Any) -> None:
    hear(event, {"repository": REPOSITORY, **payload})
    hear(event, payload)
