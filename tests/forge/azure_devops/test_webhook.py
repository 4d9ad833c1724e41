"""What service hooks send: believed only with a password or secret, and then only as a hint."""

import json
from base64 import b64encode
from collections import Counter
from collections.abc import Mapping
from typing import Any, Final

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reconciler.core.forge import Event, Untrusted
from reconciler.forge.azure_devops import AzureDevOpsSettings
from reconciler.forge.azure_devops.numbers import comment_number
from reconciler.forge.azure_devops.webhook import Webhook

ENVIRONMENT: Final = {
    "RECONCILER_REPO_URL": "https://dev.azure.com/contoso/platform/_git/estate",
    "AZURE_DEVOPS_WEBHOOK_SECRET": "hook-canary-new",
    "AZURE_DEVOPS_WEBHOOK_SECRET_OLD": "hook-canary-old",
    "AZURE_DEVOPS_WEBHOOK_USER": "hooks",
    "AZURE_DEVOPS_WEBHOOK_PASSWORD": "pass-canary-new",
    "AZURE_DEVOPS_WEBHOOK_USER_OLD": "elder",
    "AZURE_DEVOPS_WEBHOOK_PASSWORD_OLD": "pass:canary-old",
}
SETTINGS: Final = AzureDevOpsSettings.from_env(ENVIRONMENT)
CANARIES: Final = ("hook-canary", "pass-canary", "canary-old")
HEAD, NEXT = "a" * 40, "b" * 40
REPOSITORY: Final = {
    "id": "c2c2c2c2-dddd-eeee-ffff-a3a3a3a3a3a3",
    "name": "Estate",
    "project": {"id": "d3d3d3d3-eeee-ffff-aaaa-b4b4b4b4b4b4", "name": "Platform"},
}
SECRET: Final = {"X-Reconciler-Secret": "hook-canary-new"}


def login(user: str, password: str) -> dict[str, str]:
    pair = f"{user}:{password}".encode()
    return {"Authorization": f"Basic {b64encode(pair).decode()}"}


def event(kind: str, resource: Any, **more: Any) -> dict[str, Any]:
    return {
        "subscriptionId": "1",
        "notificationId": 3,
        "id": "2ab4e3d3-b7a6-425e-92b1-5a9982c1269e",
        "eventType": kind,
        "publisherId": "tfs",
        "resource": resource,
        "resourceVersion": "1.0",
        "createdDate": "2024-09-19T13:03:27.2813828Z",
        **more,
    }


def pull(**more: Any) -> dict[str, Any]:
    return {
        "repository": REPOSITORY,
        "pullRequestId": 7,
        "status": "active",
        "sourceRefName": "refs/heads/mytopic",
        "targetRefName": "refs/heads/main",
        "lastMergeSourceCommit": {"commitId": HEAD},
        **more,
    }


def push(ref: str = "refs/heads/main", commit: str = HEAD, **more: Any) -> dict[str, Any]:
    update = {"name": ref, "oldObjectId": NEXT, "newObjectId": commit}
    return event("git.push", {"refUpdates": [update], "repository": REPOSITORY, **more})


def comment(text: str = "/plan", **more: Any) -> dict[str, Any]:
    place = "https://dev.azure.com/contoso/_apis/git/repositories/c2/pullRequests/7/threads/5"
    found = {
        "id": 2,
        "content": text,
        "commentType": "text",
        "_links": {"self": {"href": f"{place}/comments/2"}, "threads": {"href": place}},
        **more,
    }
    resource = {"comment": found, "pullRequest": pull()}
    return event("ms.vss-code.git-pullrequest-comment-event", resource, resourceVersion="2.0")


def hear(payload: Any, headers: Mapping[str, str] = SECRET) -> Event | None:
    return Webhook(SETTINGS).hear(headers, json.dumps(payload).encode())


@pytest.mark.parametrize("kind", ["created", "updated", "merged"])
def test_pull_requests_into_the_branch_are_heard(kind: str) -> None:
    for status, expected in (("active", "pull"), ("completed", "closed"), ("abandoned", "closed")):
        found = hear(event(f"git.pullrequest.{kind}", pull(status=status)))
        assert found
        assert (found.kind, found.pull, found.commit) == (expected, 7, HEAD)


def test_pushes_to_the_branch_and_commands_are_heard() -> None:
    found = hear(push())
    assert found
    assert (found.kind, found.commit) == ("push", HEAD)
    found = hear(comment("/apply dev"))
    assert found
    assert (found.kind, found.pull, found.comment) == ("comment", 7, comment_number(7, 5, 2))


def test_what_is_about_something_else_is_passed_over() -> None:
    other = {**REPOSITORY, "name": "other"}
    elsewhere = {**REPOSITORY, "project": {"name": "elsewhere"}}
    none: list[Any] = [
        event("git.pullrequest.created", pull(targetRefName="refs/heads/release")),
        event("git.pullrequest.created", pull(repository=other)),
        event("git.pullrequest.created", pull(repository=elsewhere)),
        event("git.pullrequest.created", pull(status="notSet")),
        event("git.pullrequest.created", pull(pullRequestId="7")),
        event("git.pullrequest.created", pull(pullRequestId=-7)),
        event("git.pullrequest.created", pull(pullRequestId=True)),
        event("git.pullrequest.created", None),
        push("refs/heads/release"),
        push("refs/tags/main"),
        push(commit="0" * 40),
        push(commit="../../etc"),
        push(repository=other),
        push(refUpdates="refs/heads/main"),
        comment("I would /plan this"),
        comment("/plan", isDeleted=True),
        comment("/plan", id=0),
        comment("/plan", _links={}),
        comment("/plan", _links={"self": {"href": "…/pullRequests/8/threads/5/comments/2"}}),
        comment("/plan", _links={"self": {"href": "…/pullRequests/7/threads/9999999999/x"}}),
        event("ms.vss-code.git-pullrequest-comment-event", comment()["resource"]["comment"]),
        event("build.complete", pull()),
        event("git.pullrequest.created", pull()) | {"eventType": 7},
        event("git.repo.deleted", {"repository": REPOSITORY}),
        {},
        [],
        None,
        "text",
    ]
    assert [hear(payload) for payload in none] == [None] * len(none)


def test_a_push_of_many_branches_is_heard_for_the_one_that_matters() -> None:
    resource = push()["resource"]
    other = {"name": "refs/heads/x", "newObjectId": NEXT}
    found = hear(event("git.push", {**resource, "refUpdates": [other, *resource["refUpdates"]]}))
    assert found
    assert found.commit == HEAD


def test_password_and_secret_are_good_both_new_and_old() -> None:
    for headers in (
        SECRET,
        {"x-reconciler-SECRET": "hook-canary-old"},
        login("hooks", "pass-canary-new"),
        login("elder", "pass:canary-old"),
        {"authorization": login("hooks", "pass-canary-new")["Authorization"].lower()[:6]
         + login("hooks", "pass-canary-new")["Authorization"][6:]},
        {**login("hooks", "wrong"), **SECRET},
    ):  # fmt: skip
        assert hear(push(), headers), headers


def test_an_old_password_goes_with_the_same_name_unless_another_is_set() -> None:
    given = {name: value for name, value in ENVIRONMENT.items() if not name.endswith("USER_OLD")}
    hook = Webhook(AzureDevOpsSettings.from_env(given))
    body = json.dumps(push()).encode()
    assert hook.hear(login("hooks", "pass:canary-old"), body)
    with pytest.raises(Untrusted):
        hook.hear(login("elder", "pass:canary-old"), body)


def test_another_header_can_carry_the_secret() -> None:
    hook = Webhook(
        AzureDevOpsSettings.from_env(ENVIRONMENT | {"AZURE_DEVOPS_WEBHOOK_HEADER": "X-H"})
    )
    body = json.dumps(push()).encode()
    assert hook.hear({"x-h": "hook-canary-new"}, body)
    with pytest.raises(Untrusted):
        hook.hear(SECRET, body)


def test_without_a_password_or_secret_nothing_is_ever_believed() -> None:
    given = {"RECONCILER_REPO_URL": ENVIRONMENT["RECONCILER_REPO_URL"]}
    empties = {"AZURE_DEVOPS_WEBHOOK_USER": "hooks", "AZURE_DEVOPS_WEBHOOK_PASSWORD_OLD": " "}
    for environment in (given, given | empties):
        hook = Webhook(AzureDevOpsSettings.from_env(environment))
        for headers in ({}, {"X-Reconciler-Secret": ""}, login("", ""), login("hooks", "")):
            with pytest.raises(Untrusted):
                hook.hear(headers, json.dumps(push()).encode())


def test_a_replay_has_the_same_id_whoever_sends_it() -> None:
    first, again = hear(push()), hear(push(), login("elder", "pass:canary-old"))
    other = hear(push(commit=NEXT))
    assert first
    assert again
    assert other
    assert first.id == again.id != other.id


def abuses() -> dict[str, tuple[dict[str, str], bytes]]:
    """Deliveries that must be refused, by what is wrong with them."""
    body = json.dumps(push()).encode()
    right = login("hooks", "pass-canary-new")["Authorization"]
    headers: dict[str, dict[str, str]] = {
        "nothing": {},
        "an empty secret": {"X-Reconciler-Secret": ""},
        "another secret": {"X-Reconciler-Secret": "guessed"},
        "a truncated secret": {"X-Reconciler-Secret": "hook-canary-ne"},
        "a longer secret": {"X-Reconciler-Secret": "hook-canary-new0"},
        "a secret in capitals": {"X-Reconciler-Secret": "HOOK-CANARY-NEW"},
        "a secret with a space": {"X-Reconciler-Secret": " hook-canary-new"},
        "both secrets at once": {"X-Reconciler-Secret": "hook-canary-new, hook-canary-old"},
        "a secret that is not ASCII": {"X-Reconciler-Secret": "é" * 20},
        "a lone surrogate": {"X-Reconciler-Secret": "\ud800"},
        "the secret in another header": {"X-Secret": "hook-canary-new"},
        "the secret as a bearer": {"Authorization": "Bearer hook-canary-new"},
        "the secret as a password": login("hooks", "hook-canary-new"),
        "the password as a secret": {"X-Reconciler-Secret": "pass-canary-new"},
        "another password": login("hooks", "guessed"),
        "an empty password": login("hooks", ""),
        "a truncated password": login("hooks", "pass-canary-ne"),
        "another name": login("admin", "pass-canary-new"),
        "the old name with the new password": login("elder", "pass-canary-new"),
        "the new name with the old password": login("hooks", "pass:canary-old"),
        "no name": login("", "pass-canary-new"),
        "a password without base64": {"Authorization": "Basic hooks:pass-canary-new"},
        "a truncated header": {"Authorization": right[:-4]},
        "a header that is no base64": {"Authorization": "Basic ====="},
        "a header of one word": {"Authorization": "Basic"},
        "a header twice": {"Authorization": f"{right}, {right}"},
        "a digest": {"Authorization": 'Digest username="hooks"'},
        "a signature of GitHub's": {"X-Hub-Signature-256": "sha256=" + "0" * 64},
    }
    found = {name: (given, body) for name, given in headers.items()}
    huge = body + b" " * (30 << 20)
    found["30 MB, with the secret"] = (dict(SECRET), huge)
    found["30 MB announced"] = ({**SECRET, "Content-Length": str(30 << 20)}, body)
    found["30 MB without anything"] = ({}, huge)
    return found


def test_nothing_forged_is_believed(record_property: Any) -> None:
    refused: Counter[int] = Counter()
    for wrong, (headers, body) in abuses().items():
        with pytest.raises(Untrusted) as caught:
            Webhook(SETTINGS).hear(headers, body)
        refused[caught.value.status] += 1
        assert not any(canary in str(caught.value) for canary in CANARIES), wrong
    assert refused == {401: 28, 413: 3}
    record_property("refused", dict(refused))


def test_an_authentic_body_that_is_no_object_or_too_deep_is_passed_over() -> None:
    for body in (b"", b"null", b"[]", b"a=b", b"\xff\xfe", b"[" * 200_000, b'{"a":' * 99):
        assert Webhook(SETTINGS).hear(SECRET, body) is None


def test_settings_never_show_their_secrets() -> None:
    assert not any(canary in repr(SETTINGS) for canary in CANARIES)


values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=9),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=9), inner),
    max_leaves=8,
)
names = st.sampled_from(
    ["comment", "pullRequest", "repository", "refUpdates", "name", "id", "status", "content",
     "targetRefName", "_links", "self", "href", "pullRequestId", "newObjectId", "project"]
)  # fmt: skip


@given(
    kind=st.sampled_from(["git.push", "git.pullrequest.updated", comment()["eventType"]]),
    resource=values | st.dictionaries(names, values | st.dictionaries(names, values)),
)
def test_no_authentic_payload_of_any_shape_is_an_error(kind: str, resource: Any) -> None:
    hear({"eventType": kind, "resource": resource})
    hear({"eventType": resource, "resource": kind})
