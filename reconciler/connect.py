"""The repository and the forge that the settings choose, and who the reconciler is there.

Each token goes to the host it is for, told by its whole name, and to no other.
"""

from collections.abc import Mapping
from contextlib import AsyncExitStack
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self
from urllib.parse import urlsplit

from reconciler.core.errors import Permanent
from reconciler.settings import Settings

if TYPE_CHECKING:
    from azure.core.credentials import AccessToken
    from azure.core.credentials_async import AsyncTokenCredential

    from reconciler.forge import GitHub
    from reconciler.forge.azure_devops import AzureDevOps
    from reconciler.git import Credentials, GitSpecs
    from reconciler.git.address import Address
    from reconciler.ports import Clock


def forge_of(
    environment: Mapping[str, str],
    settings: Settings,
    clock: "Clock",
    closing: AsyncExitStack | None = None,
) -> "GitHub | AzureDevOps | None":
    """The forge, of which nothing is asked yet; it is closed with ``closing``. Raises Permanent."""
    made = _made(environment, settings, clock, closing)
    if made is not None and closing is not None:
        closing.push_async_callback(made.close)
    return made


def _made(
    environment: Mapping[str, str],
    settings: Settings,
    clock: "Clock",
    closing: AsyncExitStack | None,
) -> "GitHub | AzureDevOps | None":
    if settings.forge == "github":
        from reconciler.forge import GitHub, GitHubSettings

        return GitHub(GitHubSettings.from_env(environment), clock)
    if settings.forge == "azuredevops":
        from reconciler.forge.azure_devops import AzureDevOps, AzureDevOpsSettings

        given = AzureDevOpsSettings.from_env(environment)
        who = None if given.token else _credential(environment, settings, closing)
        return AzureDevOps(given, clock, who)
    return None


def specs_of(
    environment: Mapping[str, str],
    settings: Settings,
    forge: "GitHub | AzureDevOps | None" = None,
    closing: AsyncExitStack | None = None,
) -> "GitSpecs":
    """The repository, and who the reconciler is there: an App, a token, or on Azure Repos itself.
    Raises Permanent."""
    from reconciler.git import GitSettings, GitSpecs, entra_token, static_token
    from reconciler.git.address import parse_address

    given = GitSettings.from_env(environment)
    address = parse_address(given.url)
    who: Credentials | None = None
    if address.azure_repos or _on_azure_devops(environment, settings, address):
        who = forge.git_credentials if forge is not None and forge.name == "azuredevops" else None
        who = who or entra_token(_credential(environment, settings, closing))
    elif forge is not None and forge.name == "github" and environment.get("GITHUB_APP_ID"):
        who = _app(environment, address, forge.git_credentials)
    elif token := environment.get("GITHUB_TOKEN", ""):
        who = static_token(token)
    return GitSpecs(given, who)


def _on_azure_devops(
    environment: Mapping[str, str], settings: Settings, address: "Address"
) -> bool:
    """Whether a repository is on the very host of the organization: a server of one's own."""
    if settings.forge != "azuredevops" or not address.origin:
        return False
    from reconciler.forge.azure_devops import AzureDevOpsSettings

    return _same_host(AzureDevOpsSettings.from_env(environment).organization_url, address)


def _app(
    environment: Mapping[str, str], address: "Address", tokens: "Credentials | None"
) -> "Credentials | None":
    """An App's tokens, for the host whose App it is. Raises Permanent for another one."""
    from reconciler.forge import GitHubSettings

    if not address.origin:
        return None
    site = GitHubSettings.from_env(environment).site
    if not _same_host(site, address):
        raise Permanent(
            f"RECONCILER_REPO_URL is on {address.origin} and the App of GITHUB_APP_ID on {site}: "
            "both have to be on the same host"
        )
    return tokens


def _same_host(url: str, address: "Address") -> bool:
    return urlsplit(url).netloc.lower() == urlsplit(address.origin).netloc.lower()


def _credential(
    environment: Mapping[str, str], settings: Settings, closing: AsyncExitStack | None
) -> "AsyncTokenCredential":
    """The identity that plans: Azure DevOps knows it by its own name."""
    made = _Later(environment, settings.plan_client_id)
    if closing is not None:
        closing.push_async_callback(made.close)
    return made


class _Later:
    """A credential of azure-identity, which is imported for the first token: a webhook is answered
    without it."""

    def __init__(self, environment: Mapping[str, str], client_id: str) -> None:
        self._environment, self._client_id = environment, client_id
        self._made: AsyncTokenCredential | None = None

    async def get_token(self, *scopes: str, **options: Any) -> "AccessToken":
        from reconciler.azure.credential import credential

        if self._made is None:
            self._made = credential("auto", self._client_id, self._environment)
        return await self._made.get_token(*scopes, **options)

    async def close(self) -> None:
        """A later token makes another one."""
        if self._made is not None:
            made, self._made = self._made, None
            await made.close()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None = None,
        error: BaseException | None = None,
        trace: TracebackType | None = None,
    ) -> None:
        await self.close()
