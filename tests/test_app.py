"""Which adapters the settings choose."""

import pytest

from reconciler.app import _specs
from reconciler.settings import Settings


@pytest.mark.parametrize(
    ("url", "entra"),
    [
        ("https://dev.azure.com/contoso/platform/_git/specs", True),
        ("https://contoso.visualstudio.com/platform/_git/specs", True),
        ("https://evildev.azure.com.example/specs", False),
        ("https://notdev.azure.com/specs", False),
        ("https://github.com/contoso/specs", False),
    ],
)
async def test_an_entra_token_is_only_for_azure_repos(url: str, entra: bool) -> None:
    environment = {"RECONCILER_REPO_URL": url, "IDENTITY_ENDPOINT": "http://127.0.0.1:1"}
    specs = _specs(environment, Settings())
    assert (specs._git.credentials is not None) is entra
