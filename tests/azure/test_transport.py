"""What goes over the wire: URLs to the letter, each request once, proxies and nothing more."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from azure.core.exceptions import ServiceRequestError, ServiceResponseError
from azure.core.pipeline.transport import AioHttpTransport
from azure.core.rest import HttpRequest

from reconciler.azure.transport import open_transport, unsent
from tests.azure.scripted import DROP, Script


@pytest.fixture
async def transport() -> AsyncIterator[AioHttpTransport]:
    one = open_transport(4)
    yield one
    await one.close()


@pytest.mark.parametrize(
    "path", ["/a%2Fb%20c?x=%2b+%3D%7e~&y=(1),$z", "/%e4%bd?sig=A%2FB%3d%3D", "/a//b/./c"]
)
async def test_a_url_goes_out_to_the_letter(
    script: Script, transport: AioHttpTransport, path: str
) -> None:
    script.answer(200)
    await transport.send(HttpRequest("GET", script.url + path))
    assert script.seen[0].raw_path == path


@pytest.mark.parametrize("method", ["GET", "PUT", "DELETE"])
async def test_a_request_on_a_dead_connection_is_not_repeated(
    script: Script, transport: AioHttpTransport, method: str
) -> None:
    script.answer(200)
    await transport.send(HttpRequest("GET", script.url + "/"))
    script.replies[:] = [DROP]
    with pytest.raises((ServiceRequestError, ServiceResponseError)) as caught:
        await transport.send(HttpRequest(method, script.url + "/"))
    assert not unsent(caught.value)
    assert len(script.seen) == 2


async def test_a_host_that_cannot_be_found_was_never_reached(transport: AioHttpTransport) -> None:
    with pytest.raises(ServiceRequestError) as caught:
        await transport.send(HttpRequest("GET", "http://127.0.0.1:9/"))
    assert unsent(caught.value)


async def test_proxies_are_honoured_except_for_this_machine(
    script: Script, transport: AioHttpTransport, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("http_proxy", script.url)
    monkeypatch.setenv("no_proxy", "direct.invalid")
    script.answer(200)
    await transport.send(HttpRequest("GET", "http://azure.invalid/x?y=1"))
    assert script.seen[0].raw_path == "http://azure.invalid/x?y=1"
    await transport.send(HttpRequest("GET", script.url + "/here"))
    assert script.seen[1].raw_path == "/here"


async def test_passwords_in_netrc_are_not_sent(
    script: Script,
    transport: AioHttpTransport,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
) -> None:
    netrc = tmp_path / "netrc"
    netrc.write_text("machine 127.0.0.1 login me password canary\n")
    netrc.chmod(0o600)
    monkeypatch.setenv("NETRC", str(netrc))
    script.answer(200)
    await transport.send(HttpRequest("GET", script.url + "/"))
    assert "Authorization" not in script.seen[0].headers
