"""Refusals of Azure as sentences: none empty, none leaking, the way out where one is known."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reconciler.azure.answer import Answer, said, shown
from reconciler.azure.errors import failed_operation, refusal
from reconciler.core.errors import Permanent, Transient
from tests.azure.recorded import content, exchanges, needs_recordings

HEADERS = {"x-ms-request-id": "req-1"}


def answer(status: int, body: object) -> Answer:
    raw = body.encode() if isinstance(body, str) else json.dumps(body).encode()
    return Answer.of(status, HEADERS, raw)


def refused(status: int, code: str, message: str) -> Permanent:
    error = refusal("do it", answer(status, {"error": {"code": code, "message": message}}))
    assert isinstance(error, Permanent)
    return error


@needs_recordings
def test_every_recorded_error_becomes_a_sentence() -> None:
    count = 0
    for scenario, exchange in exchanges():
        if exchange["status"] < 400:
            continue
        count += 1
        got = refusal("read it", Answer.of(exchange["status"], HEADERS, content(exchange)))
        text = str(got)
        assert text.startswith("Azure "), scenario
        assert "read it" in text
        assert "{" not in text.partition("[")[0] or "FailedIdentity" in text, text
        assert "<html" not in text
        assert (exchange["status"] in (429, 500, 503)) <= isinstance(got, Transient), text
    assert count > 50


@needs_recordings
def test_every_recorded_failure_of_slow_work_quotes_azure() -> None:
    found = 0
    for _, exchange in exchanges():
        body = exchange["response"]
        if isinstance(body, dict) and body.get("status") == "Failed" and "error" in body:
            found += 1
            error = failed_operation("make it", body["error"], "req-1")
            assert error.code
            assert str(error).startswith("Azure accepted to make it, and then failed: ")
    assert found


def test_quota_is_shown_in_numbers() -> None:
    message = (
        "This operation require 240 new capacity in quota Tokens Per Minute (thousands) - "
        "Text-Embedding-Ada-002, which is bigger than the current available capacity 10. The "
        "current quota usage is 230 and the quota limit is 240 for quota Tokens Per Minute."
    )
    error = refused(400, "InsufficientQuota", message)
    assert "240 more is needed, 10 of 240 is left (230 in use)" in str(error)
    assert (error.status, error.code, error.request_id) == (400, "InsufficientQuota", "req-1")


def test_a_missing_right_is_named() -> None:
    message = (
        "The client 'c' with object id 'o' does not have authorization to perform action "
        "'Microsoft.CognitiveServices/accounts/write' over scope '/subscriptions/s' or the scope "
        "is invalid. If access was recently granted, please refresh your credentials."
    )
    text = str(refused(403, "AuthorizationFailed", message))
    assert "a role with the action Microsoft.CognitiveServices/accounts/write on /subscr" in text


@pytest.mark.parametrize(
    ("status", "code", "message", "way"),
    [
        (
            409,
            "MissingSubscriptionRegistration",
            "The subscription is not registered to use namespace 'Microsoft.KeyVault'.",
            "az provider register --namespace Microsoft.KeyVault",
        ),
        (409, "FlagMustBeSetForRestore", "soft-deleted", "lifecycle.softDeleted: restore"),
        (409, "ScopeLocked", "locked", "lock"),
        (403, "RequestDisallowedByPolicy", "policy", "exemption"),
        (400, "NoRegisteredProviderFound", "x", "az provider show"),
        (401, "InvalidAuthenticationToken", "bad", "RECONCILER_PLAN_CLIENT_ID"),
        (403, "Forbidden", "no", "role"),
    ],
)
def test_a_known_refusal_has_a_way_out(status: int, code: str, message: str, way: str) -> None:
    text = str(refused(status, code, message))
    assert way in text
    assert f"[{code}; request req-1]" in text


@pytest.mark.parametrize(
    ("body", "code", "message"),
    [
        ({"error": {"code": "A", "message": "m"}}, "A", "m"),
        ({"code": "A", "message": "m"}, "A", "m"),
        ({"Code": "429", "Message": "m", "Details": [{"Message": "m"}]}, "429", "m"),
        ({"error": "invalid_client", "error_description": "m"}, "invalid_client", "m"),
        ({"error": {"code": "X", "message": "m", "innerError": {"code": "Y"}}}, "X", "m"),
        ({"error": {"code": "UserError", "message": "m", "innerError": {"code": "Y"}}}, "Y", "m"),
        (
            {
                "error": {
                    "code": "UserError",
                    "message": "m",
                    "additionalInfo": [
                        {
                            "type": "InnerError",
                            "info": {
                                "value": {
                                    "code": "BadArgument",
                                    "innerError": {"code": "ServerlessOfferNotFound"},
                                }
                            },
                        }
                    ],
                }
            },
            "ServerlessOfferNotFound",
            "m",
        ),
        ("<html><head><title>502 Bad Gateway</title></head>", "", "a web page (502 Bad Gateway)"),
        ("plain words", "", "plain words"),
        ("", "", ""),
        ([], "", ""),
        ({"error": None}, "", ""),
        ({"error": {"code": None, "message": {"value": 1}, "details": "x"}}, "", ""),
    ],
)
def test_errors_are_understood_in_every_wrapping(body: object, code: str, message: str) -> None:
    found = said(answer(400, body).body)
    assert (found.code, found.message) == (code, message)


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=20),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["error", "code", "message", "details", "additionalInfo", "info"])
            | st.text(max_size=5),
            inner,
            max_size=4,
        )
    ),
    max_leaves=20,
)


@given(st.integers(400, 599), json_values)
def test_no_body_breaks_the_sentence(status: int, body: object) -> None:
    text = str(refusal("do it", answer(status, body)))
    assert text.startswith("Azure ")
    assert text.isprintable()


@pytest.mark.parametrize(
    "leak",
    [
        "see https://management.azure.com/x?t=1&c=CANARY&s=CANARY",
        "Authorization: Bearer CANARY-abcdefgh",
        "token eyJhbGciOiJub25l.eyJDQU5BUlkiOjF9.CANARY",
        "DefaultEndpointsProtocol=https;AccountKey=CANARY==;x",
        'body was {"password": "CANARY"}',
        "api-key: CANARY",
        "https://x.blob.core.windows.net/c?sv=1&sig=CANARY",
        "the value hunter2-CANARY is too short",
        'escaped hunter\\"2-CANARY',
    ],
)
def test_what_should_not_be_seen_is_cut_out(leak: str) -> None:
    hidden = ("hunter2-CANARY", 'hunter"2-CANARY')
    assert "CANARY" not in shown(leak, hidden)
    error = refusal("do it", answer(400, {"error": {"code": "X", "message": leak}}), None, hidden)
    assert "CANARY" not in str(error)


def test_long_texts_are_cut_and_kept_on_one_line() -> None:
    text = shown("a\r\n\x1b[31m" + "b" * 5000)
    assert len(text) == 600
    assert text.startswith("a [31mb")
