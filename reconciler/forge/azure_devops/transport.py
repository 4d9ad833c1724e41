"""azure-core's aiohttp transport: a request is sent once, as it is, without foreign passwords.

aiohttp by itself repeats a request whose kept connection turns out to be dead (it may have been
carried out), re-encodes addresses, and looks for a password in ``~/.netrc``.
"""

from typing import TYPE_CHECKING, Any, Final, cast
from urllib.parse import urlsplit
from urllib.request import getproxies, proxy_bypass

if TYPE_CHECKING:
    import aiohttp
    from azure.core.pipeline.transport import AioHttpTransport

CONNECT_S: Final = 10
READ_S: Final = 30


class _Session:
    """What AioHttpTransport uses of an ``aiohttp.ClientSession``."""

    auto_decompress = True

    def __init__(self, session: "aiohttp.ClientSession", url: str) -> None:
        from yarl import URL

        self._session, self._url = session, URL
        # The switch has no public name; aiohttp's own test client turns it off the same way.
        session._retry_connection = False
        parts = urlsplit(url)
        direct = parts.scheme == "http" or proxy_bypass(parts.hostname or "")
        self._proxy = None if direct else getproxies().get(parts.scheme)

    async def request(self, method: str, url: str, **options: Any) -> "aiohttp.ClientResponse":
        options["proxy"] = self._proxy
        return await self._session.request(method, self._url(url, encoded=True), **options)

    async def __aenter__(self) -> "_Session":
        return self

    async def close(self) -> None:
        await self._session.close()


def open_transport(url: str) -> "AioHttpTransport":
    """A transport for one service. Must be called on the event loop."""
    import aiohttp
    from azure.core.pipeline.transport import AioHttpTransport

    session = aiohttp.ClientSession(cookie_jar=aiohttp.DummyCookieJar())
    return AioHttpTransport(
        session=cast(Any, _Session(session, url)), connection_timeout=CONNECT_S, read_timeout=READ_S
    )


def unsent(error: BaseException) -> bool:
    """Whether a failed request certainly never reached the other side."""
    import aiohttp

    cause = getattr(error, "inner_exception", None) or error.__cause__
    return isinstance(cause, aiohttp.ClientConnectorError | aiohttp.ConnectionTimeoutError)
