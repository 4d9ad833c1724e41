"""The only module that knows githubkit: a request goes out, an answer or its absence comes back.

githubkit signs for an App and builds requests; its typed models are not used (they refuse answers
that differ from the published schemas), nor its retries (they repeat every request after a 5xx).
"""

from collections.abc import AsyncGenerator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any, Final

import httpx
from githubkit import AppAuthStrategy, UnauthAuthStrategy
from githubkit.auth import BaseAuthStrategy
from githubkit.cache import MemCacheStrategy
from githubkit.core import GitHubCore
from githubkit.exception import RequestError, RequestFailed

from reconciler.core.errors import Permanent

HEADERS: Final = {"X-GitHub-Api-Version": "2022-11-28"}
TIMEOUT: Final = httpx.Timeout(20.0, connect=10.0)
LIMITS: Final = httpx.Limits(max_connections=16)
"""GitHub takes no more than 100 requests at once, of all the instances of the app together:
https://docs.github.com/en/rest/using-the-rest-api/rate-limits-for-the-rest-api#about-secondary-rate-limits"""
UNSENT: Final = (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout, httpx.ProxyError)


@dataclass(frozen=True, slots=True)
class Answer:
    """``body`` is None when there is none, or none in JSON; ``more``: a next page exists."""

    status: int
    headers: Mapping[str, str]
    body: Any
    more: bool


class Unanswered(Exception):
    """No answer came. ``sent``: the request may have been carried out all the same."""

    def __init__(self, what: str, sent: bool) -> None:
        super().__init__(what)
        self.sent = sent


class _Core(GitHubCore[BaseAuthStrategy]):
    """Outside of ``async with`` githubkit connects anew for every request, and that block belongs
    to one task: here one client serves every task until it is closed."""

    _kept: httpx.AsyncClient | None = None

    @asynccontextmanager
    async def get_async_client(self) -> AsyncGenerator[httpx.AsyncClient]:
        if self._kept is None:
            self._kept = httpx.AsyncClient(
                auth=self.auth.get_auth_flow(self),
                base_url=self.config.base_url,
                headers={"Accept": self.config.accept, "User-Agent": self.config.user_agent},
                timeout=TIMEOUT,
                limits=LIMITS,
            )
        yield self._kept

    def _check_rate_limit(self, response: object) -> None:
        """Limits are read in ``trouble``: githubkit stumbles over a ``Retry-After`` that is a date,
        and asks the machine's clock."""

    async def close(self) -> None:
        if self._kept is not None:
            await self._kept.aclose()
            self._kept = None


class Connection:
    """One way to one GitHub: with an App's key for what an App asks about itself."""

    def __init__(self, api_url: str, app_id: str = "", private_key: str = "") -> None:
        self._core = _Core(
            AppAuthStrategy(app_id, private_key) if app_id else UnauthAuthStrategy(),
            base_url=api_url,
            user_agent="azure-ai-reconciler",
            auto_retry=False,
            http_cache=False,
            # Its own: the one that all share knows a key's signature by the App's number alone.
            cache_strategy=MemCacheStrategy(),
        )

    async def exchange(
        self,
        method: str,
        path: str,
        token: str,
        params: Mapping[str, str | int] | None = None,
        body: Mapping[str, Any] | None = None,
    ) -> Answer:
        """Send one request once. Raises Unanswered; Permanent for a key that cannot sign."""
        headers = {**HEADERS, **({"Authorization": f"Bearer {token}"} if token else {})}
        try:
            found = await self._core.arequest(
                method, path, params=params, json=body, headers=headers
            )
            response = found.raw_response
        except RequestFailed as error:
            response = error.response.raw_response
        except RequestError as error:
            raise _unanswered(error.exc) from None
        return Answer(
            response.status_code, response.headers, _json(response), "next" in response.links
        )

    async def close(self) -> None:
        """Close what is open; a later request connects again."""
        await self._core.close()


def _unanswered(error: Exception) -> Exception:
    if isinstance(error, httpx.HTTPError):
        return Unanswered(type(error).__name__, sent=not isinstance(error, UNSENT))
    # Whatever else goes wrong here happens while the App's key is read and used.
    return Permanent(f"GITHUB_PRIVATE_KEY cannot sign ({type(error).__name__}): is it whole?")


def _json(response: httpx.Response) -> Any:
    try:
        return response.json() if response.content else None
    except ValueError:
        return None
