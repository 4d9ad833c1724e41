"""Smoke tests: one small request to the data plane of what was applied.

New deployments are unknown for some minutes (404 DeploymentNotFound), new roles take up to ten
(401, 403), cold endpoints answer 429 or 503: those are asked again until the time is up.
https://learn.microsoft.com/azure/role-based-access-control/troubleshooting
"""

import re
from collections.abc import Awaitable, Callable, Mapping
from typing import Any, Final
from urllib.parse import quote, urlsplit

from reconciler.azure.answer import Answer, said
from reconciler.azure.client import Client
from reconciler.azure.errors import refusal
from reconciler.azure.patience import pauses
from reconciler.azure.secrets import key_in
from reconciler.core.arm import names_of, parent_of, type_of
from reconciler.core.errors import Permanent, Transient
from reconciler.core.kinds.kind import Kind, Probe
from reconciler.core.model import ABSENT, Observed, Properties, Target, Verify

LATER: Final = frozenset({401, 403, 429, 503})
SLOT: Final = re.compile(r"\{([^{}]+)\}")
TOKEN_LIMITS: Final = {
    "max_completion_tokens": "max_tokens",
    "max_tokens": "max_completion_tokens",
}
"""Reasoning models refuse ``max_tokens``, older ones the other word:
https://learn.microsoft.com/azure/ai-foundry/openai/how-to/reasoning"""

type Read = Callable[[Target], Awaitable[Observed | None]]


class Verifier:
    """Sends smoke tests, only to addresses that ARM gave."""

    def __init__(self, client: Client, kinds: Mapping[str, Kind], read: Read) -> None:
        self._client, self._kinds, self._read = client, kinds, read

    async def run(self, target: Target, verify: Verify) -> tuple[int, Any]:
        """Status and answer of the last attempt; Permanent when the kind has no smoke test."""
        kind = self._kinds[target.kind]
        if kind.probe is None:
            raise Permanent(f"{kind.title} has no smoke test: remove verify from its spec")
        attempt = f"test {kind.title} {'/'.join(names_of(target.arm_id))}"
        observed = await self._read(target)
        probe = kind.probe.way_in(observed.properties if observed else {})
        url = await self._url(target, kind, probe, _texts(observed), attempt)
        headers = await self._headers(target, probe, attempt)
        clock = self._client.clock
        until = clock.monotonic() + verify.timeout_s
        body = dict(verify.request)
        for pause in pauses():
            late = clock.monotonic() + pause > until
            try:
                answer = await self._ask(url, attempt, probe.audience, headers, body)
            except Transient:
                if late:
                    raise
                await clock.sleep(pause)
                continue
            other = _with_other_limit(body, answer)
            if other is not None and other != verify.request:
                body = other
                continue
            wait = answer.retry_after_s(clock.now()) or pause
            done = answer.status == verify.status or not _later(answer)
            if done or clock.monotonic() + wait > until:
                break
            await clock.sleep(wait)
        return answer.status, answer.body

    async def _ask(
        self, url: str, attempt: str, audience: str, headers: dict[str, str], body: Properties
    ) -> Answer:
        """One attempt. A smoke test may be sent again: it changes nothing."""
        return await self._client.data(
            "POST", url, attempt, audience=audience, headers=headers, body=body, patient=False
        )

    async def _headers(self, target: Target, probe: Probe, attempt: str) -> dict[str, str]:
        """A key as a bearer, where the probe goes by keys; else none (a token is added)."""
        action, name = probe.keys
        if probe.audience or not action:
            return {}
        url = self._client.endpoint.url(f"{target.arm_id}/{action}", target.api_version)
        answer = await self._client.arm("POST", url, attempt)
        if answer.status != 200:
            raise refusal(attempt, answer, answer.retry_after_s(self._client.clock.now()))
        key = key_in(answer.body, name)
        if key is None:
            raise Permanent(f"It was not possible to {attempt}: Azure lists no key {name!r}")
        return {"Authorization": f"Bearer {key}"}

    async def _url(
        self, target: Target, kind: Kind, probe: Probe, own: dict[str, str], attempt: str
    ) -> str:
        values = await self._outputs(target, kind, probe, own)
        missing = [name for name in SLOT.findall(probe.url) if name not in values]
        if missing:
            raise Permanent(f"It was not possible to {attempt}: Azure gave no {missing[0]}")
        url = SLOT.sub(lambda slot: values[slot[1]], probe.url)
        first = SLOT.match(probe.url)
        if first is None or urlsplit(url).netloc != urlsplit(values[first[1]]).netloc:
            raise Permanent(f"Refused to {attempt}: the address is not one that Azure gave")
        return url

    async def _outputs(
        self, target: Target, kind: Kind, probe: Probe, own: dict[str, str]
    ) -> dict[str, str]:
        """What the template may name, as text."""
        found = dict(own)
        above = self._parent(target, kind) if "{parent." in probe.url else None
        if above is not None:
            over = _texts(await self._read(above))
            found |= {f"parent.{name}": value for name, value in over.items()}
        name = names_of(target.arm_id)[-1]
        return {**found, "name": quote(name, safe="")}

    def _parent(self, target: Target, kind: Kind) -> Target | None:
        wanted = type_of(target.arm_id).lower()
        for place in kind.places:
            parent = self._kinds.get(place.parent)
            if parent is not None and place.arm_type.lower() == wanted and parent.outputs:
                version = parent.places[0].api_version
                return Target(parent.name, parent_of(target.arm_id), version)
        return None


def _texts(observed: Observed | None) -> dict[str, str]:
    outputs: Properties = observed.outputs if observed is not None else {}
    return {name: value for name, value in outputs.items() if isinstance(value, str)}


def _later(answer: Answer) -> bool:
    if answer.status == 404:
        return said(answer.body).names("DeploymentNotFound")
    return answer.status in LATER


def _with_other_limit(body: Mapping[str, Any], answer: Answer) -> dict[str, Any] | None:
    """The body with the token limit under its other name, when the model wants that one."""
    if answer.status != 400:
        return None
    message = said(answer.body).message
    for name, other in TOKEN_LIMITS.items():
        refused = re.search(rf"['\"]?{name}['\"]? is not supported", message)
        unknown = re.search(rf"(?:unrecogni[sz]ed|unknown)[^.]*\b{name}\b", message, re.IGNORECASE)
        if (refused or unknown) and body.get(name, ABSENT) is not ABSENT and other not in body:
            return {other if key == name else key: value for key, value in body.items()}
    return None
