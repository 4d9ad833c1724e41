"""When a request to Azure DevOps is sent, sent again, or given up.

One question decides: can it have been carried out? No (it was blocked, there is no connection): any
request is sent again. Unknown (5xx, answer lost): only one that can be repeated.
"""

import random
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import quote, urlencode

from reconciler.core.errors import Permanent, Transient
from reconciler.forge.azure_devops.settings import AzureDevOpsSettings
from reconciler.forge.azure_devops.trouble import quiet_s, refused, unanswered
from reconciler.forge.trouble import Trouble
from reconciler.ports import Clock

if TYPE_CHECKING:
    from azure.core.credentials_async import AsyncTokenCredential

    from reconciler.forge.azure_devops.connection import Answer, Connection

VERSION: Final = "7.1"
"""https://learn.microsoft.com/azure/devops/integrate/concepts/rest-api-versioning"""
PREVIEW: Final = "7.1-preview.1"
"""For what has no other: connection data and the evaluations of policies."""
FIRST_S: Final = 0.5
LONGEST_S: Final = 8.0
PAGE: Final = 100
MOST: Final = 10_000
"""Items of a listing: a server that does not count must not keep us for ever."""
JSON: Final = "application/json"
PATCH_DOCUMENT: Final = "application/json-patch+json"
"""How work items are written."""

type Params = Mapping[str, str | int]
type Json = Any


class Client:
    """Requests about one repository. Raises Transient and Permanent."""

    def __init__(
        self,
        settings: AzureDevOpsSettings,
        clock: Clock,
        credential: "AsyncTokenCredential | None" = None,
    ) -> None:
        self._settings, self._clock, self._credential = settings, clock, credential
        self._closed_until = clock.monotonic()
        self._made: Connection | None = None
        self.organization = settings.organization_url
        self.project = f"{self.organization}/{quote(settings.project, safe='')}/_apis"
        name = quote(settings.repository, safe="")
        self.repository = f"{self.project}/git/repositories/{name}"

    async def get(self, url: str, params: Params | None = None, version: str = VERSION) -> Json:
        """The body of an answer."""
        return await self.call("GET", url, params=params, version=version)

    async def listed(
        self, url: str, params: Params | None = None, most: int = 0, version: str = VERSION
    ) -> list[Json]:
        """All the items of a listing that is given out in pages, or the first ``most``."""
        found: list[Json] = []
        while True:
            asked = {**(params or {}), "$top": PAGE, "$skip": len(found)}
            page = (await self.get(url, asked, version))["value"]
            found += page
            if len(page) < PAGE or len(found) >= (most or MOST):
                return found[:most] if most else found

    async def ask(self, url: str, body: object, params: Params | None = None) -> Json:
        """The answer to a question that is too long for an address."""
        answer = await self.call("POST", url, body=body, params=params, repeatable=True)
        return answer or {}

    async def call(
        self,
        method: str,
        url: str,
        *,
        params: Params | None = None,
        body: object = None,
        repeatable: bool = False,
        version: str = VERSION,
        content_type: str = JSON,
    ) -> Json:
        """Send a request until it is answered, refused, or patience is at its end.
        ``repeatable``: twice is the same as once."""
        repeatable = repeatable or method == "GET"
        query = {**(params or {}), "api-version": version}
        address = f"{url}?{urlencode(query, safe='$', quote_via=quote)}"
        what = f"{method} {url.removeprefix(self.organization)}"
        deadline = self._clock.monotonic() + self._settings.patience_s
        for pause in _pauses():
            await self._peace(deadline)
            found = await self._once(method, address, what, body, content_type)
            if not isinstance(found, Trouble):
                return found.body
            wait = pause if found.wait_s is None else found.wait_s
            if found.again == "none" or (found.again == "repeatable" and not repeatable):
                raise found.error
            if self._clock.monotonic() + wait > deadline:
                raise found.error
            await self._clock.sleep(wait)
        raise AssertionError("pauses never end")

    async def _peace(self, deadline: float) -> None:
        """Wait while Azure DevOps wants no requests. Raises Transient when that is too long."""
        if self._closed_until > deadline:
            raise Transient(
                "Azure DevOps takes no more requests for now: its limits are used up",
                retry_after_s=self._closed_until - self._clock.monotonic(),
            )
        while (wait := self._closed_until - self._clock.monotonic()) > 0:
            await self._clock.sleep(wait)

    async def _once(
        self, method: str, address: str, what: str, body: object, content_type: str
    ) -> "Answer | Trouble":
        from reconciler.forge.azure_devops.connection import Unanswered

        try:
            answer = await self._connection.exchange(method, address, body, content_type)
        except Unanswered as error:
            return unanswered(error, what)
        now = self._clock.now()
        if wait_s := quiet_s(answer, now):
            self._closed_until = max(self._closed_until, self._clock.monotonic() + wait_s)
        if answer.status >= 300 or answer.status == 203:
            return refused(answer, what, self._settings.token, now)
        if _is_foreign(answer, method):
            raise Permanent(f"that is not Azure DevOps ({what}): check AZURE_DEVOPS_ORG_URL")
        return answer

    @property
    def _connection(self) -> "Connection":
        """Made when it is first needed: a webhook is answered without azure-core being imported."""
        if self._made is None:
            from reconciler.forge.azure_devops.connection import Connection

            if not self._settings.token and self._credential is None:
                raise Permanent(
                    "who is the reconciler on Azure DevOps? Set AZURE_DEVOPS_TOKEN, or run it with "
                    "a managed identity"
                )
            token = self._settings.token
            self._made = Connection(self.organization, token, self._credential)
        return self._made

    async def close(self) -> None:
        """Close connections; a later request opens new ones."""
        if self._made is not None:
            made, self._made = self._made, None
            await made.close()


def _is_foreign(answer: "Answer", method: str) -> bool:
    """Whether something else than Azure DevOps answered; not every write is answered in words."""
    page = "html" in answer.headers.get("content-type", "").lower()
    return page or (answer.body is None and method == "GET")


def _pauses() -> Iterator[float]:
    """Seconds between attempts: doubling, never all at once."""
    pause = FIRST_S
    while True:
        yield pause * (0.5 + 0.5 * random.random())  # noqa: S311 - not a secret
        pause = min(LONGEST_S, pause * 2)
