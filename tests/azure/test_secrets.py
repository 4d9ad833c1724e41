"""Secrets: read when a body is sent, and seen nowhere else."""

import logging
from typing import Any

import pytest

from reconciler.azure.client import Client
from reconciler.azure.provider import ArmProvider
from reconciler.azure.recent import Recent
from reconciler.azure.secrets import SecretReader, key_in
from reconciler.core.errors import Permanent, ReconcilerError
from reconciler.core.kinds import KINDS
from reconciler.core.model import Secret
from tests.azure.scripted import ACCOUNT_ID, GROUP, JumpClock, Script, Seen, target

CANARY = "canary-value-31415926"
VAULT = f"{GROUP}/providers/Microsoft.KeyVault/vaults/kv"
STORAGE = f"{GROUP}/providers/Microsoft.Storage/storageAccounts/st"
CONNECTION = f"{ACCOUNT_ID}/connections/search"
IN_VAULT = Secret(name="search-key", vault=VAULT)


def vault(script: Script, uri: str | None = None) -> Any:
    """ARM and Key Vault on one loopback server."""

    def reply(seen: Seen) -> Any:
        path = seen.raw_path.partition("?")[0]
        if path == VAULT:
            address = f"{script.url}/vault/" if uri is None else uri
            return 200, {}, {"properties": {"vaultUri": address}}
        if path == f"{VAULT}/secrets/search-key":
            return 200, {}, {"properties": {"secretUriWithVersion": "https://kv/secrets/s/v7"}}
        if path.startswith("/vault/secrets/search-key"):
            return 200, {}, {"value": CANARY, "id": "https://kv/secrets/s/v7"}
        if path == f"{ACCOUNT_ID}/listKeys":
            return 200, {}, {"key1": CANARY, "key2": "other"}
        if path == f"{STORAGE}/listKeys":
            return 200, {}, {"keys": [{"keyName": "key1", "value": CANARY}]}
        if seen.method == "PUT":
            message = f"invalid credentials: {seen.body!r}"
            return 400, {}, {"error": {"code": "BadRequest", "message": message}}
        return 403, {}, {"error": {"code": "Forbidden", "message": "no"}}

    return reply


def body(secret: Secret) -> dict[str, Any]:
    return {"category": "ApiKey", "authType": "ApiKey", "credentials": {"key": secret}}


async def test_a_secret_is_in_the_request_and_in_no_error_or_log(
    script: Script, provider: ArmProvider, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    script.replies.append(vault(script))
    with pytest.raises(ReconcilerError) as caught:
        await provider.put(target("Connection", CONNECTION), body(IN_VAULT))
    assert script.seen[-1].body["properties"]["credentials"] == {"key": CANARY}
    assert "invalid credentials" in str(caught.value)
    for text in (str(caught.value), repr(caught.value), caplog.text, repr(vars(provider))):
        assert CANARY not in text


@pytest.mark.parametrize(
    ("secret", "expected"),
    [
        (IN_VAULT, CANARY),
        (Secret(name="search-key", vault=VAULT, version="v1"), CANARY),
        (Secret(setting="API_KEY"), "canary-setting-1234"),
        (Secret(name="key1", keys_of=ACCOUNT_ID), CANARY),
        (Secret(name="key1", keys_of=STORAGE), CANARY),
    ],
)
async def test_a_secret_comes_from_where_it_says(
    script: Script, client: Client, secret: Secret, expected: str
) -> None:
    script.replies.append(vault(script))
    assert await SecretReader(client, KINDS, Recent(client.clock, 45)).value(secret) == expected
    if secret.version:
        assert script.seen[-1].raw_path == "/vault/secrets/search-key/v1?api-version=7.4"


@pytest.mark.parametrize(
    "uri",
    [
        "https://evil.example/",
        "https://kv.vault.azure.net.evil.example/",
        "http://kv.vault.azure.net/",
        "https://kv.vault.azure.net@evil.example/",
        "",
    ],
)
async def test_only_key_vaults_own_hosts_are_asked(
    script: Script, client: Client, uri: str
) -> None:
    script.replies.append(vault(script, uri))
    with pytest.raises(Permanent, match="no Key Vault host"):
        await SecretReader(client, KINDS, Recent(client.clock, 45)).value(IN_VAULT)
    assert len(script.seen) == 1


async def test_a_value_is_kept_for_minutes_only(
    script: Script, client: Client, clock: JumpClock
) -> None:
    script.replies.append(vault(script))
    reader = SecretReader(client, KINDS, Recent(client.clock, 45))
    await reader.value(IN_VAULT)
    await reader.value(IN_VAULT)
    assert len(script.seen) == 2
    clock.elapsed += 301
    await reader.value(IN_VAULT)
    assert len(script.seen) == 3


async def test_versions_are_seen_without_reading_values(
    script: Script, provider: ArmProvider
) -> None:
    script.replies.append(vault(script))
    hidden = Secret(name="other", vault=VAULT)
    pinned = Secret(name="x", vault=VAULT, version="v1")
    found = await provider.secret_versions([IN_VAULT, hidden, pinned, Secret(setting="API_KEY")])
    assert found == {IN_VAULT: "https://kv/secrets/s/v7", pinned: "v1"}
    assert not any("/vault/" in line for line in script.lines())


async def test_what_cannot_be_had_is_named_with_the_way_out(script: Script, client: Client) -> None:
    script.replies.append(vault(script))
    reader = SecretReader(client, KINDS, Recent(client.clock, 45))
    with pytest.raises(Permanent, match="set RECONCILER_SECRET_MISSING"):
        await reader.value(Secret(setting="MISSING"))
    with pytest.raises(Permanent, match="lists no key 'key9'"):
        await reader.value(Secret(name="key9", keys_of=ACCOUNT_ID))
    with pytest.raises(Permanent, match="no name of a Key Vault secret"):
        await reader.value(Secret(name="../x", vault=VAULT))
    with pytest.raises(Permanent, match="not known how to list keys"):
        await reader.value(Secret(name="k", keys_of=f"{GROUP}/providers/A.B/c/d"))


def test_a_key_is_found_by_field_or_by_name() -> None:
    assert key_in({"primaryKey": "a"}, "primaryKey") == "a"
    assert key_in({"keys": [{"keyName": "key1", "value": "a"}]}, "Key1") == "a"
    assert key_in({"keys": "x"}, "key1") is None
    assert key_in(None, "key1") is None
