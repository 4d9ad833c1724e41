"""Who the reconciler is, with azure-identity against an emulated identity endpoint."""

import json
import os
import subprocess
import sys

import pytest
from aiohttp import web

from reconciler.azure import AzureSettings, build_provider
from reconciler.azure.credential import choose
from reconciler.core.errors import Permanent
from tests.azure.scripted import DEPLOYMENT_ID, JumpClock, Script, serving, target


@pytest.mark.parametrize(
    ("environment", "client_id", "chosen"),
    [
        ({}, "", "cli"),
        ({}, "id", "managed_identity"),
        ({"IDENTITY_ENDPOINT": "x"}, "", "managed_identity"),
        ({"AZURE_CLIENT_SECRET": "x", "IDENTITY_ENDPOINT": "x"}, "", "environment"),
        ({"AZURE_FEDERATED_TOKEN_FILE": "x", "AZURE_CLIENT_SECRET": "x"}, "", "workload_identity"),
    ],
)
def test_the_environment_says_which_identity_there_is(
    environment: dict[str, str], client_id: str, chosen: str
) -> None:
    assert choose(environment, client_id) == chosen


async def test_a_managed_identity_gets_its_token_from_the_platform(
    script: Script, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[web.BaseRequest] = []

    async def platform(request: web.BaseRequest) -> web.StreamResponse:
        asked.append(request)
        token = {"access_token": "from-the-platform", "expires_on": "4000000000"}
        return web.json_response({**token, "resource": "x", "token_type": "Bearer"})

    script.answer(200, {"id": DEPLOYMENT_ID, "properties": {}})
    async with serving(platform) as url:
        monkeypatch.setenv("IDENTITY_ENDPOINT", f"{url}/msi/token")
        monkeypatch.setenv("IDENTITY_HEADER", "secret-header")
        settings = AzureSettings(endpoint=script.url, client_id="plan-identity")
        provider = build_provider(settings, JumpClock())
        try:
            await provider.read(target())
            await provider.read(target())
        finally:
            await provider.close()
    assert len(asked) == 1
    assert asked[0].query["resource"] == "https://management.azure.com"
    assert asked[0].query["client_id"] == "plan-identity"
    assert asked[0].headers["X-IDENTITY-HEADER"] == "secret-header"
    assert script.seen[0].headers["Authorization"] == "Bearer from-the-platform"


async def test_no_identity_is_said_with_what_to_do(
    script: Script, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    async def platform(request: web.BaseRequest) -> web.StreamResponse:
        return web.json_response({"message": "no such identity"}, status=400)

    async with serving(platform) as url:
        monkeypatch.setenv("IDENTITY_ENDPOINT", f"{url}/msi/token")
        monkeypatch.setenv("IDENTITY_HEADER", "secret-header")
        provider = build_provider(
            AzureSettings(endpoint=script.url, client_id="nobody"), JumpClock()
        )
        try:
            with pytest.raises(
                Permanent, match="no Azure token to read Model deployment"
            ) as caught:
                await provider.read(target())
        finally:
            await provider.close()
    assert "RECONCILER_PLAN_CLIENT_ID" in str(caught.value)
    assert ". Sign in with `az login`" in str(caught.value)
    assert "secret-header" not in str(caught.value)
    assert script.seen == []
    assert [one.name for one in caplog.records if one.name.startswith("azure.identity")] == []


async def test_settings_do_not_show_secrets() -> None:
    assert "canary" not in repr(AzureSettings(secrets={"A": "canary"}))


def test_importing_the_package_imports_no_sdk() -> None:
    code = (
        "import sys, json, reconciler.azure;"
        "print(json.dumps([m for m in ('aiohttp', 'azure.core', 'azure.identity')"
        " if m in sys.modules]))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, check=True, env=dict(os.environ)
    )
    assert json.loads(done.stdout) == []
