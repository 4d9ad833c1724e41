"""Smoke tests against a scripted data plane."""

from typing import Any

import pytest

from reconciler.azure.provider import ArmProvider
from reconciler.core.errors import Permanent
from reconciler.core.model import Verify
from tests.azure.scripted import (
    ACCOUNT_ID,
    DEPLOYMENT_ID,
    DROP,
    GROUP,
    TOKEN,
    JumpClock,
    Script,
    Seen,
    StaticCredential,
    target,
)

PING = {"messages": [{"role": "user", "content": "ping"}], "max_completion_tokens": 16}
PONG = {"choices": [{"message": {"content": "pong"}}]}
CHAT = "/data/openai/deployments/chat/chat/completions"


class Azure:
    """An account with a deployment; the data plane answers what ``replies`` holds."""

    def __init__(self, script: Script, *replies: Any, endpoint: str = "") -> None:
        self.replies = list(replies)
        self.endpoint = endpoint or f"{script.url}/data/"
        self.asked: list[Seen] = []
        script.replies.append(self.answer)

    def answer(self, seen: Seen) -> Any:
        path = seen.raw_path.partition("?")[0]
        if path == ACCOUNT_ID:
            return 200, {}, {"id": ACCOUNT_ID, "properties": {"endpoint": self.endpoint}}
        if path == DEPLOYMENT_ID:
            return 200, {}, {"id": DEPLOYMENT_ID, "properties": {}}
        if path.endswith("/listKeys"):
            return 200, {}, {"primaryKey": "canary-primary"}
        if path.endswith("/onlineEndpoints/e"):
            return 200, {}, {"properties": {"scoringUri": f"{self.endpoint}score"}}
        self.asked.append(seen)
        reply = self.replies.pop(0) if len(self.replies) > 1 else self.replies[0]
        return DROP if reply is DROP else (reply[0], {}, reply[1])


def error(code: str, message: str = "no") -> dict[str, Any]:
    return {"error": {"code": code, "message": message}}


async def test_a_deployment_answers_at_its_accounts_endpoint(
    script: Script, provider: ArmProvider, credential: StaticCredential
) -> None:
    azure = Azure(script, (200, PONG))
    assert await provider.verify(target(), Verify(PING)) == (200, PONG)
    assert azure.asked[0].raw_path.startswith(CHAT)
    assert azure.asked[0].headers["Authorization"] == f"Bearer {TOKEN}"
    assert azure.asked[0].body == PING
    assert credential.asked[-1] == ("https://cognitiveservices.azure.com/.default",)


async def test_what_is_not_spread_yet_is_asked_again(
    script: Script, provider: ArmProvider, clock: JumpClock
) -> None:
    early = [(404, error("DeploymentNotFound")), (401, None), (403, None), (429, None), (503, None)]
    azure = Azure(script, DROP, *early, (200, PONG))
    assert (await provider.verify(target(), Verify(PING)))[0] == 200
    assert len(azure.asked) == 7
    assert len(clock.slept) == 6


async def test_the_last_answer_counts_when_the_time_is_up(
    script: Script, provider: ArmProvider, clock: JumpClock
) -> None:
    Azure(script, (404, error("DeploymentNotFound")))
    assert (await provider.verify(target(), Verify(PING, timeout_s=20)))[0] == 404
    assert clock.elapsed <= 20


async def test_other_refusals_and_expected_ones_end_at_once(
    script: Script, provider: ArmProvider, clock: JumpClock
) -> None:
    azure = Azure(script, (404, error("NotFound")), (403, None))
    assert (await provider.verify(target(), Verify(PING)))[0] == 404
    assert (await provider.verify(target(), Verify(PING, status=403)))[0] == 403
    assert (len(azure.asked), clock.slept) == (2, [])


@pytest.mark.parametrize(
    ("sent", "wanted"),
    [("max_completion_tokens", "max_tokens"), ("max_tokens", "max_completion_tokens")],
)
async def test_the_token_limit_goes_by_the_name_the_model_knows(
    script: Script, provider: ArmProvider, sent: str, wanted: str
) -> None:
    message = f"Unsupported parameter: '{sent}' is not supported with this model."
    azure = Azure(script, (400, error("unsupported_parameter", message)), (200, PONG))
    request = {"messages": [], sent: 16}
    assert (await provider.verify(target(), Verify(request)))[0] == 200
    assert azure.asked[1].body == {"messages": [], wanted: 16}


async def test_a_model_that_knows_neither_name_is_not_asked_for_ever(
    script: Script, provider: ArmProvider
) -> None:
    message = "'max_tokens' is not supported, and 'max_completion_tokens' is not supported either"
    azure = Azure(script, (400, error("unsupported_parameter", message)))
    assert (await provider.verify(target(), Verify(PING)))[0] == 400
    assert len(azure.asked) == 2


async def test_an_endpoint_with_keys_is_asked_with_its_key(
    script: Script, provider: ArmProvider
) -> None:
    azure = Azure(script, (200, [1]))
    workspace = f"{GROUP}/providers/Microsoft.MachineLearningServices/workspaces/w"
    endpoint = target("OnlineEndpoint", f"{workspace}/onlineEndpoints/e")
    assert await provider.verify(endpoint, Verify({"data": []})) == (200, [1])
    assert azure.asked[0].headers["Authorization"] == "Bearer canary-primary"
    assert azure.asked[0].raw_path == "/data/score"


@pytest.mark.parametrize(
    "endpoint", ["http://evil.example/", "ftp://x/", "https://a@evil.example:1/"]
)
async def test_no_token_goes_anywhere_else(
    script: Script, provider: ArmProvider, endpoint: str
) -> None:
    Azure(script, (200, PONG), endpoint=endpoint)
    with pytest.raises(Permanent, match="Refused to test Model deployment contoso/chat"):
        await provider.verify(target(), Verify(PING))


async def test_a_kind_without_probe_says_so(script: Script, provider: ArmProvider) -> None:
    with pytest.raises(Permanent, match="has no smoke test"):
        await provider.verify(target("Account", ACCOUNT_ID), Verify(PING))
