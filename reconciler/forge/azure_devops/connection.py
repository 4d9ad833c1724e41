"""The only module that knows azure-core: a request goes out, an answer or its absence comes back.

Of azure-core's policies only the one for tokens is used: its retries would also repeat what may
have been carried out.
"""

import json
from base64 import b64encode
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from azure.core.exceptions import AzureError, ClientAuthenticationError
from azure.core.pipeline import AsyncPipeline
from azure.core.pipeline.policies import AsyncBearerTokenCredentialPolicy
from azure.core.rest import AsyncHttpResponse, HttpRequest

from reconciler import __version__
from reconciler.core.errors import Permanent
from reconciler.forge.azure_devops.transport import open_transport, unsent

if TYPE_CHECKING:
    from azure.core.credentials_async import AsyncTokenCredential

SCOPE: Final = "499b84ac-1321-427f-aa17-267ca6975798/.default"
"""Azure DevOps, whatever the organization:
https://learn.microsoft.com/azure/devops/integrate/get-started/authentication/service-principal-managed-identity"""
USER_AGENT: Final = f"azure-ai-reconciler/{__version__}"


@dataclass(frozen=True, slots=True)
class Answer:
    """``body`` is None when there is none, or none in JSON."""

    status: int
    headers: Mapping[str, str]
    body: Any


class Unanswered(Exception):
    """No answer came. ``sent``: the request may have been carried out all the same."""

    def __init__(self, what: str, sent: bool) -> None:
        super().__init__(what)
        self.sent = sent


def basic(token: str) -> str:
    """A personal access token as a password; the name may be anything:
    https://learn.microsoft.com/azure/devops/organizations/accounts/use-personal-access-tokens-to-authenticate
    """
    return f"Basic {b64encode(f':{token}'.encode()).decode()}"


class Connection:
    """One way to one organization: with a personal access token, or with Entra tokens."""

    def __init__(self, url: str, token: str, credential: "AsyncTokenCredential | None") -> None:
        """Must be made on the event loop."""
        self._transport = open_transport(url)
        self._headers = {
            "Accept": "application/json",
            "User-Agent": USER_AGENT,
            # Without it a wrong token is answered with the way to a page for signing in.
            "X-TFS-FedAuthRedirect": "Suppress",
            **({"Authorization": basic(token)} if token else {}),
        }
        policies: list[Any] = []
        if credential and not token:
            policies.append(AsyncBearerTokenCredentialPolicy(credential, SCOPE))
        self._options: dict[str, Any] = {} if url.startswith("https:") else {"enforce_https": False}
        self._entra = bool(policies)
        self._pipeline: AsyncPipeline[HttpRequest, AsyncHttpResponse] = AsyncPipeline(
            self._transport, policies
        )

    async def exchange(self, method: str, url: str, body: object, content_type: str) -> Answer:
        """Send one request once. Raises Unanswered; Permanent when there is no token."""
        request = HttpRequest(method, url, headers=dict(self._headers))
        if body is not None:
            request.headers["Content-Type"] = content_type
            text = json.dumps(body, separators=(",", ":"), ensure_ascii=False)
            request = HttpRequest(
                method, url, headers=request.headers, content=text.encode("utf-8", "replace")
            )
        options = self._options if self._entra else {}
        try:
            response = (await self._pipeline.run(request, **options)).http_response
        except ClientAuthenticationError as error:
            # What azure-identity says may quote the whole answer: only its kind is told.
            raise Permanent(
                f"no token for Azure DevOps ({type(error).__name__}): is this identity set up, and "
                "a member of the organization? Or set AZURE_DEVOPS_TOKEN"
            ) from None
        except AzureError as error:
            raise Unanswered(type(error).__name__, sent=not unsent(error)) from None
        headers = {name.lower(): value for name, value in response.headers.items()}
        return Answer(response.status_code, headers, _json(response.content))

    async def close(self) -> None:
        await self._transport.close()


def _json(content: bytes) -> Any:
    try:
        return json.loads(content) if content else None
    except (ValueError, RecursionError):
        return None
