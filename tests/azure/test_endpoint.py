"""Addresses: what may carry a token, and which links of Azure are followed."""

import pytest

from reconciler.azure.endpoint import Endpoint, is_loopback
from reconciler.core.errors import Permanent

ARM = Endpoint("https://management.azure.com")


@pytest.mark.parametrize(
    "url",
    ["http://management.azure.com", "ftp://localhost", "management.azure.com", "", "https://"],
)
def test_only_https_and_loopback_http_are_endpoints(url: str) -> None:
    with pytest.raises(Permanent, match="RECONCILER_ARM_ENDPOINT"):
        Endpoint(url)


@pytest.mark.parametrize(
    "url", ["http://localhost:1", "http://127.0.0.1:80", "http://[::1]:5", "https://arm.example"]
)
def test_https_and_loopback_are_accepted(url: str) -> None:
    assert Endpoint(url).base == url


@pytest.mark.parametrize(
    "url",
    ["http://localhost.evil.example", "http://127.0.0.1.evil.example", "http://evil@x.localhost"],
)
def test_what_only_looks_like_loopback_is_not(url: str) -> None:
    assert not is_loopback(url)


@pytest.mark.parametrize(
    "link",
    [
        "https://evil.example/x",
        "http://management.azure.com/x",
        "https://management.azure.com:8443/x",
        "https://management.azure.com@evil.example/x",
        "https://management.azure.com\\@evil.example/x",
        "https://management.azure.com.evil.example/",
        "//evil.example/x",
        "https:/evil",
        "https://management.azure.com\n.evil.example/",
        "https://management.azure.com:99999/",
        "javascript:alert(1)",
        "",
    ],
)
def test_links_to_other_hosts_are_refused(link: str) -> None:
    with pytest.raises(Permanent, match="another host"):
        ARM.follow(link)


@pytest.mark.parametrize(
    "link",
    [
        "https://management.azure.com/s/op?api-version=2017-04-18&t=6&c=M%2Fa%3D&s=a-b_c&h=%2b",
        "https://MANAGEMENT.azure.com:443/S/%7Bx%7D?$skiptoken=a%20b",
    ],
)
def test_links_of_azure_are_followed_to_the_letter(link: str) -> None:
    assert ARM.follow(link) == link


def test_a_relative_link_is_completed() -> None:
    assert (
        ARM.follow("/subscriptions/s/x?y=1") == "https://management.azure.com/subscriptions/s/x?y=1"
    )


def test_urls_are_built_with_what_must_be_escaped_escaped() -> None:
    url = ARM.url("/subscriptions/s/resourceGroups/a b#c", "2024-01-01", {"$filter": "atScope()"})
    assert url == (
        "https://management.azure.com/subscriptions/s/resourceGroups/a%20b%23c"
        "?api-version=2024-01-01&$filter=atScope()"
    )
    assert ARM.url("/x?modelName=a%20b", "1").endswith("/x?api-version=1&modelName=a%20b")


@pytest.mark.parametrize("path", ["/subscriptions/s/../../x", "/a/./b"])
def test_a_path_cannot_climb(path: str) -> None:
    with pytest.raises(Permanent):
        ARM.url(path, "1")
