"""azure-core's aiohttp transport, with aiohttp held to three promises.

- A URL goes out as it is. aiohttp would decode and re-encode it, and a signed status link that
  differs in one character is refused.
- A request is sent once. aiohttp quietly repeats PUT and DELETE when a kept connection turns out
  to be dead, and whether Azure had already carried them out is unknown then.
- Proxies of the environment are honoured, but nothing else of it: aiohttp would also look for a
  password in ``~/.netrc``, on every request.
"""

from typing import TYPE_CHECKING, Any, cast
from urllib.parse import urlsplit
from urllib.request import getproxies, proxy_bypass

from reconciler.azure.endpoint import is_loopback

if TYPE_CHECKING:
    import aiohttp
    from azure.core.pipeline.transport import AioHttpTransport

CONNECT_S = 10
READ_S = 60


class _Session:
    """What AioHttpTransport uses of an ``aiohttp.ClientSession``."""

    auto_decompress = False

    def __init__(self, session: "aiohttp.ClientSession") -> None:
        from yarl import URL

        self._url = URL
        self._session = session
        self._proxies: dict[str, str | None] = {}
        # The switch has no public name; aiohttp's own test client turns it off the same way.
        session._retry_connection = False

    async def request(self, method: str, url: str, **options: Any) -> "aiohttp.ClientResponse":
        options["proxy"] = self._proxy(url)
        return await self._session.request(method, self._url(url, encoded=True), **options)

    def _proxy(self, url: str) -> str | None:
        """The proxy for a host, looked up once; none on this machine."""
        parts = urlsplit(url)
        if parts.netloc not in self._proxies:
            direct = is_loopback(url) or proxy_bypass(parts.hostname or "")
            self._proxies[parts.netloc] = None if direct else getproxies().get(parts.scheme)
        return self._proxies[parts.netloc]

    async def __aenter__(self) -> "_Session":
        return self

    async def close(self) -> None:
        await self._session.close()


def open_transport(in_flight: int) -> "AioHttpTransport":
    """A transport with up to ``in_flight`` connections. Must be called on the event loop."""
    import aiohttp
    from azure.core.pipeline.transport import AioHttpTransport

    session = aiohttp.ClientSession(
        connector=aiohttp.TCPConnector(limit=in_flight),
        cookie_jar=aiohttp.DummyCookieJar(),
        auto_decompress=False,
    )
    return AioHttpTransport(
        session=cast(Any, _Session(session)), connection_timeout=CONNECT_S, read_timeout=READ_S
    )


def unsent(error: BaseException) -> bool:
    """Whether a failed request certainly never reached the other side."""
    import aiohttp

    cause = getattr(error, "inner_exception", None) or error.__cause__
    return isinstance(cause, aiohttp.ClientConnectorError | aiohttp.ConnectionTimeoutError)
