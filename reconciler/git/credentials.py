"""Who the reconciler is to the Git server: a token, asked for anew before every connection."""

from base64 import b64encode
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Final

from reconciler.core.errors import Permanent, Transient

if TYPE_CHECKING:
    from azure.core.credentials_async import AsyncTokenCredential

type Credentials = Callable[[], Awaitable[str]]
"""Gives the value of the ``Authorization`` header (``Bearer …`` or ``Basic …``); raises Transient
or Permanent. Called before every connection over HTTPS, so whoever has tokens that expire keeps
one until it does."""

AZURE_REPOS_SCOPE: Final = "499b84ac-1321-427f-aa17-267ca6975798/.default"
"""Azure DevOps, whatever the organization:
https://learn.microsoft.com/azure/devops/integrate/get-started/authentication/service-principal-managed-identity"""


def basic(token: str, user: str = "x-access-token") -> str:
    """The header for a token that is used as a password, as GitHub takes them:
    https://docs.github.com/en/apps/creating-github-apps/authenticating-with-a-github-app/authenticating-as-a-github-app-installation
    """
    return f"Basic {b64encode(f'{user}:{token}'.encode()).decode()}"


def static_token(token: str) -> Credentials:
    """A personal access token or a job's token (``GITHUB_TOKEN``). Raises Permanent."""
    token = token.strip()
    if not token or not token.isascii() or not token.isprintable() or " " in token:
        raise Permanent("GITHUB_TOKEN does not look like a token: it has to be one printable word")
    header = basic(token)

    async def give() -> str:
        return header

    return give


def entra_token(credential: "AsyncTokenCredential") -> Credentials:
    """Azure Repos with a managed identity (or any azure-identity credential), without secrets."""

    async def give() -> str:
        from azure.core.exceptions import ClientAuthenticationError, ServiceRequestError

        try:
            token = await credential.get_token(AZURE_REPOS_SCOPE)
        except ServiceRequestError:
            message = "Entra ID could not be reached for a token for Azure Repos"
            raise Transient(message) from None
        except ClientAuthenticationError as error:
            # What azure-identity says may quote the whole answer: only its kind is told.
            raise Permanent(
                f"no token for Azure Repos ({type(error).__name__}): is this identity set up, and "
                "a member of the Azure DevOps organization with read access to the repository?"
            ) from None
        return f"Bearer {token.token}"

    return give
