"""Azure Resource Manager's address: building URLs below it, and trusting no other host."""

from collections.abc import Iterable, Mapping
from ipaddress import ip_address
from typing import Final
from urllib.parse import quote, urlencode, urlsplit

from reconciler.core.errors import Permanent

PATH_SAFE: Final = "/:@!$&'()*+,;=-._~"
DEFAULT_PORTS: Final = {"https": 443, "http": 80}


def is_loopback(url: str) -> bool:
    """Whether a URL leads to this machine: ``localhost``, ``127.0.0.0/8`` or ``::1``."""
    host = urlsplit(url).hostname or ""
    if host == "localhost":
        return True
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False


def safe(url: str) -> bool:
    """Whether a URL may carry a token: HTTPS, or plain HTTP that never leaves this machine."""
    parts = urlsplit(url)
    if "@" in parts.netloc:
        return False
    return parts.scheme == "https" or (parts.scheme == "http" and is_loopback(url))


class Endpoint:
    """Where ARM is."""

    def __init__(self, base: str) -> None:
        """Raises Permanent for an address that a token must not be sent to."""
        self.base = base.rstrip("/")
        if not safe(self.base) or not urlsplit(self.base).hostname:
            raise Permanent(
                f"{self.base!r} cannot be the Azure endpoint: it must begin with https://, "
                "or with http:// and a loopback address. Check RECONCILER_ARM_ENDPOINT."
            )
        self.loopback = is_loopback(self.base)
        self.origin = _origin(self.base)

    def url(
        self,
        path: str,
        api_version: str,
        query: Mapping[str, str] | Iterable[tuple[str, str]] = (),
    ) -> str:
        """The URL of a path below ARM (an ARM id, or one with its own query)."""
        path, _, own = path.partition("?")
        if any(part in (".", "..") for part in path.split("/")):
            raise Permanent(f"{path!r} is not an ARM id")
        pairs = [("api-version", api_version), *dict(query).items()]
        text = urlencode(pairs, quote_via=quote, safe="()'$,")
        return f"{self.base}{quote(path, safe=PATH_SAFE)}?{text}{'&' + own if own else ''}"

    def follow(self, url: str) -> str:
        """A link that Azure gave, unchanged but absolute; Permanent when it leaves ARM.

        Status links are signed, so not a character may change.
        https://github.com/Azure/azure-resource-manager-rpc/blob/master/v1.0/async-api-reference.md
        """
        if url.startswith("/") and not url.startswith("//"):
            url = self.origin_url + url
        clean = url.isascii() and url.isprintable() and not {" ", "\\"} & set(url)
        if not clean or _origin(url) != self.origin:
            host = urlsplit(url).netloc.rpartition("@")[2] if clean else ""
            raise Permanent(
                f"Azure's answer leads to another host ({host or 'unreadable'}), which is refused: "
                "only the Azure endpoint itself is trusted with a token."
            )
        return url

    @property
    def origin_url(self) -> str:
        parts = urlsplit(self.base)
        return f"{parts.scheme}://{parts.netloc}"


def _origin(url: str) -> tuple[str, str, int]:
    """Scheme, host and port; nothing that equals no other when the URL is malformed."""
    try:
        parts = urlsplit(url)
        port = parts.port or DEFAULT_PORTS.get(parts.scheme, 0)
    except ValueError:
        return ("", url, 0)
    if "@" in parts.netloc:
        return ("", parts.netloc, 0)
    return (parts.scheme, (parts.hostname or "").lower(), port)
