"""When a request to GitHub is sent, sent again, or given up.

One question decides: can it have been carried out? No (a rate limit, a token that has run out, no
connection): any request is sent again. Unknown (5xx, answer lost): only one that can be repeated.
"""

import random
from collections.abc import AsyncIterator, Iterator, Mapping
from typing import TYPE_CHECKING, Any, Final, Protocol

from reconciler.core.errors import Permanent
from reconciler.forge.pace import Pace
from reconciler.forge.settings import GitHubSettings
from reconciler.forge.trouble import Trouble, refused, unanswered
from reconciler.ports import Clock

if TYPE_CHECKING:
    from reconciler.forge.connection import Answer, Connection

FIRST_S: Final = 0.5
LONGEST_S: Final = 8.0
PAGE: Final = 100
READS: Final = frozenset({"GET", "HEAD"})

type Params = Mapping[str, str | int]
type Json = Any


class Tokens(Protocol):
    """Who the reconciler is to GitHub."""

    async def token(self) -> str:
        """One that can be used now; "": the connection signs by itself."""

    def renew(self, token: str) -> bool:
        """It was not accepted: whether the next one is another."""


class Client:
    """Requests about one repository. Raises Transient and Permanent."""

    def __init__(
        self,
        settings: GitHubSettings,
        tokens: Tokens,
        clock: Clock,
        *,
        as_app: bool = False,
    ) -> None:
        self._settings, self._tokens, self._clock = settings, tokens, clock
        self._as_app = as_app
        self._pace = Pace(clock)
        self._made: Connection | None = None
        self.repository = f"/repos/{settings.repository}"

    async def get(self, path: str, params: Params | None = None) -> Json:
        """The body of an answer."""
        return (await self.call("GET", path, params=params)).body

    async def pages(self, path: str, params: Params | None = None) -> AsyncIterator[Json]:
        """The bodies of all the pages of a listing. Page numbers are counted here: no URL that
        somebody else wrote is ever asked with our token."""
        page, more = 0, True
        while more:
            page += 1
            asked = {**(params or {}), "per_page": PAGE, "page": page}
            answer = await self.call("GET", path, params=asked)
            yield answer.body
            more = answer.more

    async def listed(self, path: str, params: Params | None = None) -> list[Json]:
        """Everything in a listing."""
        return [one async for page in self.pages(path, params) for one in page]

    async def send(
        self, method: str, path: str, body: Mapping[str, Any], *, repeatable: bool = False
    ) -> Json:
        """The body of the answer to a write. ``repeatable``: twice is the same as once."""
        answer = await self.call(method, path, body=body, repeatable=repeatable)
        return answer.body

    async def call(
        self,
        method: str,
        path: str,
        *,
        params: Params | None = None,
        body: Mapping[str, Any] | None = None,
        repeatable: bool = False,
    ) -> "Answer":
        """Send a request until it is answered, refused, or patience is at its end."""
        repeatable = repeatable or method in READS
        deadline, renewed = self._clock.monotonic() + self._settings.patience_s, False
        for pause in _pauses():
            await self._pace.take(method not in READS, deadline - self._clock.monotonic())
            token = await self._tokens.token()
            found = await self._once(method, path, token, params, body)
            if not isinstance(found, Trouble):
                return found
            if _status(found) == 401 and not renewed and self._tokens.renew(token):
                renewed = True
                continue
            wait = self._wait(found, pause)
            if found.again == "none" or (found.again == "repeatable" and not repeatable):
                raise found.error
            if self._clock.monotonic() + wait > deadline:
                raise found.error
            await self._clock.sleep(wait)
        raise AssertionError("pauses never end")

    async def _once(
        self,
        method: str,
        path: str,
        token: str,
        params: Params | None,
        body: Mapping[str, Any] | None,
    ) -> "Answer | Trouble":
        from reconciler.forge.connection import Unanswered

        what = f"{method} {path}"
        try:
            answer = await self._connection.exchange(method, path, token, params, body)
        except Unanswered as error:
            return unanswered(error, what)
        if answer.status >= 300:
            return refused(answer, what, token, self._clock.now())
        if answer.body is None and answer.status != 204:
            raise Permanent(f"that is not GitHub's API ({what}): check GITHUB_API_URL")
        return answer

    def _wait(self, trouble: Trouble, pause: float) -> float:
        if trouble.wait_s is None:
            return pause
        self._pace.close(trouble.wait_s)
        return trouble.wait_s

    @property
    def _connection(self) -> "Connection":
        """Made when it is first needed: a webhook is answered without githubkit being imported."""
        if self._made is None:
            from reconciler.forge.connection import Connection

            given = self._settings
            key = (given.app_id, given.private_key) if self._as_app else ("", "")
            self._made = Connection(given.api_url, *key)
        return self._made

    async def close(self) -> None:
        """Close connections; a later request opens new ones."""
        if self._made is not None:
            await self._made.close()


def _status(trouble: Trouble) -> int:
    return trouble.error.status if isinstance(trouble.error, Permanent) else 0


def _pauses() -> Iterator[float]:
    """Seconds between attempts: doubling, never all at once."""
    pause = FIRST_S
    while True:
        yield pause * (0.5 + 0.5 * random.random())  # noqa: S311 - not a secret
        pause = min(LONGEST_S, pause * 2)
