"""Secrets, read at the last moment: from Key Vault, from a setting, or from a key listing.

A value exists in the body that is about to be sent, and for minutes in this object's memory.
https://learn.microsoft.com/rest/api/keyvault/secrets/get-secret/get-secret
"""

import asyncio
import re
from collections.abc import Iterable, Mapping
from typing import Any, Final
from urllib.parse import quote, urlsplit

from reconciler.azure.answer import Answer
from reconciler.azure.client import Client
from reconciler.azure.endpoint import is_loopback
from reconciler.azure.errors import refusal
from reconciler.azure.recent import Recent
from reconciler.core.arm import type_of
from reconciler.core.body import at, member
from reconciler.core.errors import Permanent
from reconciler.core.kinds.kind import Kind
from reconciler.core.model import Json, Secret

VAULT_API: Final = "2025-05-01"
"""2026-02-01 is published but not served for ``vaults/secrets``:
Azure/terraform-provider-azapi, internal/azure/loader.go."""
DATA_API: Final = "7.4"
VAULT_HOSTS: Final = (".vault.azure.net", ".vault.azure.cn", ".vault.usgovcloudapi.net")
KEPT_S: Final = 300.0

NAME: Final = re.compile(r"[0-9a-zA-Z-]{1,127}")


class SecretReader:
    """Values of secrets. Shows none of them: not in repr, logs or errors."""

    def __init__(self, client: Client, kinds: Mapping[str, Kind], recent: Recent) -> None:
        self._client, self._recent = client, recent
        self._versions = {
            place.arm_type.lower(): place.api_version
            for kind in kinds.values()
            for place in kind.places
        }
        self._values: dict[Secret, tuple[float, str]] = {}
        self._vaults: dict[str, str] = {}

    async def resolve(self, body: Json) -> Json:
        """``body`` with every Secret replaced by its value."""
        if isinstance(body, Secret):
            return await self.value(body)
        if isinstance(body, Mapping):
            return {name: await self.resolve(item) for name, item in body.items()}
        if isinstance(body, list | tuple):
            return [await self.resolve(item) for item in body]
        return body

    def known(self) -> tuple[str, ...]:
        """Every value read so far, and all that the settings hold, which another process may have
        sent: what no message may repeat."""
        read = (value for _, value in self._values.values())
        return (*read, *self._client.settings.secrets.values())

    async def value(self, secret: Secret) -> str:
        """The value; Permanent, naming the secret and the way out, when it cannot be had."""
        now = self._client.clock.monotonic()
        kept = self._values.get(secret)
        if kept is None or kept[0] < now:
            kept = (now + KEPT_S, await self._read(secret))
            self._values[secret] = kept
        return kept[1]

    async def versions(self, secrets: Iterable[Secret]) -> dict[Secret, str]:
        """The version of each Key Vault secret, through ARM: needs no right to its value.

        Settings and keys have no version that could be seen; what may not be read is left out.
        """
        wanted = [secret for secret in dict.fromkeys(secrets) if secret.vault]
        versions = await asyncio.gather(*map(self._version, wanted))
        return {s: v for s, v in zip(wanted, versions, strict=True) if v is not None}

    async def _version(self, secret: Secret) -> str | None:
        if secret.version:
            return secret.version
        attempt = f"see the version of {secret}"
        path = f"{secret.vault}/secrets/{_name(secret)}"
        answer = await self._client.arm("GET", self._client.endpoint.url(path, VAULT_API), attempt)
        if answer.status in (403, 404):
            return None
        version = at(answer.body, "properties.secretUriWithVersion")
        if answer.status != 200 or not isinstance(version, str):
            raise self._refusal(attempt, answer)
        return version

    async def _read(self, secret: Secret) -> str:
        if secret.setting:
            value = self._client.settings.secrets.get(secret.setting)
            if value is None:
                raise Permanent(f"{secret} is not set: set RECONCILER_SECRET_{secret.setting}")
            return value
        return await (self._key(secret) if secret.keys_of else self._vault_secret(secret))

    async def _vault_secret(self, secret: Secret) -> str:
        attempt = f"read {secret}"
        base = await self._vault_uri(secret.vault, attempt)
        version = f"/{quote(secret.version, safe='')}" if secret.version else ""
        url = f"{base}/secrets/{_name(secret)}{version}?api-version={DATA_API}"
        audience = self._client.settings.vault_audience
        answer = await self._recent.settle(
            lambda: self._client.data("GET", url, attempt, audience=audience),
            (f"{secret.vault}/secrets/{secret.name}",),
            attempt,
        )
        value = member(answer.body, "value", None)
        if answer.status != 200 or not isinstance(value, str):
            raise self._refusal(attempt, answer)
        return value

    async def _vault_uri(self, vault: str, attempt: str) -> str:
        """Where a vault's data plane is, as ARM says; only Key Vault's own hosts are believed."""
        key = vault.lower()
        if key not in self._vaults:
            url = self._client.endpoint.url(vault, VAULT_API)
            answer = await self._recent.settle(
                lambda: self._client.arm("GET", url, attempt), (vault,), attempt
            )
            uri = at(answer.body, "properties.vaultUri")
            if answer.status != 200 or not isinstance(uri, str):
                raise self._refusal(attempt, answer)
            self._vaults[key] = self._trusted(uri, attempt)
        return self._vaults[key]

    def _trusted(self, uri: str, attempt: str) -> str:
        parts = urlsplit(uri)
        host = (parts.hostname or "").lower()
        known = parts.scheme == "https" and host.endswith(VAULT_HOSTS) and "@" not in parts.netloc
        if known or (is_loopback(uri) and self._client.endpoint.loopback):
            return uri.rstrip("/")
        raise Permanent(f"Refused to {attempt}: {host or 'its address'} is no Key Vault host")

    async def _key(self, secret: Secret) -> str:
        attempt = f"read {secret}"
        version = self._versions.get(type_of(secret.keys_of).lower())
        if version is None:
            raise Permanent(f"It is not known how to list keys of {type_of(secret.keys_of)}")
        url = self._client.endpoint.url(f"{secret.keys_of}/listKeys", version)
        answer = await self._recent.settle(
            lambda: self._client.arm("POST", url, attempt), (secret.keys_of,), attempt
        )
        value = key_in(answer.body, secret.name)
        if answer.status != 200:
            raise self._refusal(attempt, answer)
        if value is None:
            raise Permanent(f"Azure lists no key {secret.name!r} for {secret}")
        return value

    def _refusal(self, attempt: str, answer: Answer) -> Exception:
        """A body that answers 200 may hold the value, so it is not quoted."""
        if answer.status < 300:
            return Permanent(f"Azure's answer when asked to {attempt} was not understood")
        return refusal(attempt, answer, answer.retry_after_s(self._client.clock.now()))


def key_in(listing: Any, name: str) -> str | None:
    """A key by its field (``primaryKey``), or by its name in a list (storage accounts)."""
    value = member(listing, name, None)
    if value is None:
        keys = member(listing, "keys", None)
        for key in keys if isinstance(keys, list) else ():
            if str(member(key, "keyName", "")).lower() == name.lower():
                value = member(key, "value", None)
    return value if isinstance(value, str) else None


def _name(secret: Secret) -> str:
    if not NAME.fullmatch(secret.name):
        raise Permanent(f"{secret} is no name of a Key Vault secret")
    return secret.name
