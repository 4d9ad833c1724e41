"""The one client for Azure: requests in, answers out, for ARM and for data planes.

It waits where waiting is safe (``patience``), never sends more than ARM admits (``bucket``), and
keeps tokens to HTTPS and to this machine. Any status is an answer; only a request that got none
is an error.
"""

import asyncio
import json
import logging
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urlsplit

from azure.core.exceptions import (
    AzureError,
    ClientAuthenticationError,
    ServiceRequestError,
    ServiceResponseError,
)
from azure.core.pipeline import AsyncPipeline, PipelineRequest, PipelineResponse
from azure.core.pipeline.policies import AsyncBearerTokenCredentialPolicy, AsyncHTTPPolicy
from azure.core.rest import AsyncHttpResponse, HttpRequest

from reconciler import __version__
from reconciler.azure.answer import Answer, retry_after_s, shown
from reconciler.azure.bucket import Bucket, Buckets, remaining
from reconciler.azure.endpoint import Endpoint, is_loopback, safe
from reconciler.azure.patience import PatiencePolicy
from reconciler.azure.settings import PUBLIC_ARM, AzureSettings
from reconciler.azure.transport import open_transport, unsent
from reconciler.core.errors import Permanent, ReconcilerError, Transient
from reconciler.core.model import Json
from reconciler.ports import Clock, Stopping, never
from reconciler.telemetry import arm_request

if TYPE_CHECKING:
    from azure.core.credentials_async import AsyncTokenCredential

log = logging.getLogger(__name__)

USER_AGENT: Final = f"azure-ai-reconciler/{__version__}"
FAILURE_CAUSE: Final = "x-ms-failure-cause"
CLOSED_S: Final = 1.0
"""How long a bucket stays closed after a refusal of ARM itself that names no time."""


class AdmissionPolicy(AsyncHTTPPolicy[HttpRequest, AsyncHttpResponse]):
    """Lets a request out when ARM would admit it and not too many are under way."""

    def __init__(self, buckets: Buckets, in_flight: int, clock: Clock) -> None:
        super().__init__()
        self._buckets, self._clock = buckets, clock
        self._slots = asyncio.Semaphore(in_flight)

    async def send(
        self, request: PipelineRequest[HttpRequest]
    ) -> PipelineResponse[HttpRequest, AsyncHttpResponse]:
        http, context = request.http_request, request.context
        # Kept with the request, and out of what the transport is told.
        context.setdefault("stop", context.options.pop("stop", never))
        bucket, header = self._buckets.of(http.method, urlsplit(http.url).path)
        if bucket is None:
            async with self._slots:
                return await self._sent(request)
        await bucket.take()
        left: int | None = None
        try:
            async with self._slots:
                response = await self._sent(request)
            left = remaining(response.http_response.headers, header)
        finally:
            bucket.answered(left)
        if response.http_response.status_code == 429:
            self._refused(bucket, response.http_response)
        return response

    async def _sent(
        self, request: PipelineRequest[HttpRequest]
    ) -> PipelineResponse[HttpRequest, AsyncHttpResponse]:
        http = request.http_request
        if request.context["stop"]():
            raise Transient(f"{http.method} {urlsplit(http.url).path} was not sent: told to stop")
        with arm_request(http.method, http.url) as asked:
            response = await self.next.send(request)
            answer = response.http_response
            asked.answered(answer.status_code, answer.headers.get(FAILURE_CAUSE, ""))
        return response

    def _refused(self, bucket: Bucket, answer: AsyncHttpResponse) -> None:
        """ARM's own refusal concerns every request; a provider's only this one."""
        if answer.headers.get(FAILURE_CAUSE, "").lower() == "gateway":
            wait = retry_after_s(answer.headers.get("Retry-After"), self._clock.now())
            bucket.close(CLOSED_S if wait is None else wait)


class Client:
    """Sends requests to ARM and, with a token of their own audience, to data planes."""

    def __init__(
        self, settings: AzureSettings, credential: "AsyncTokenCredential", clock: Clock
    ) -> None:
        """Must be made on the event loop; ``close`` ends it and the credential."""
        self.settings, self.clock = settings, clock
        self.endpoint = Endpoint(settings.endpoint)
        self.scope = settings.audience or _audience(self.endpoint)
        self._credential = credential
        self._transport = open_transport(settings.in_flight)
        self._arm = self._pipeline(
            self.scope,
            AdmissionPolicy(Buckets(settings.limits, clock), settings.in_flight, clock),
        )
        self._data: dict[tuple[str, bool], AsyncPipeline[HttpRequest, AsyncHttpResponse]] = {}

    async def arm(
        self, method: str, url: str, attempt: str, body: Json = None, stop: Stopping = never
    ) -> Answer:
        """Azure's answer to a request below the endpoint, whatever its status.

        ``attempt`` says in words what is being done, for errors: Transient when there was no
        answer, or when ``stop`` said at the last moment not to send it; Permanent when there is
        no token.
        """
        url = self.endpoint.follow(url)
        return await self._send(self._arm, _request(method, url, body), attempt, stop=stop)

    async def data(
        self,
        method: str,
        url: str,
        attempt: str,
        *,
        audience: str = "",
        headers: Mapping[str, str] | None = None,
        body: Json = None,
        patient: bool = True,
    ) -> Answer:
        """The answer of a data plane; without an audience no token is sent.

        A data plane on this machine is only reached when ARM is on this machine too. Nothing is
        sent twice for POST, unless it was refused as too early.
        """
        if not safe(url) or (is_loopback(url) and not self.endpoint.loopback):
            raise Permanent(f"Refused to {attempt}: {urlsplit(url).netloc} is not reached by HTTPS")
        key = (audience, patient)
        if key not in self._data:
            self._data[key] = self._pipeline(audience, patient=patient)
        request = _request(method, url, body, headers)
        return await self._send(self._data[key], request, attempt, token=bool(audience))

    async def token(self, attempt: str) -> str:
        """A token for ARM, from the cache of the credential if it has one. Raises Permanent when
        there is none to be had, Transient when nobody answered."""
        try:
            return (await self._credential.get_token(self.scope)).token
        except AzureError as error:
            raise unanswered(attempt, error, "the endpoint that gives out tokens") from None

    async def close(self) -> None:
        await self._transport.close()
        await self._credential.close()

    def _pipeline(
        self,
        audience: str,
        *more: AsyncHTTPPolicy[HttpRequest, AsyncHttpResponse],
        patient: bool = True,
    ) -> AsyncPipeline[HttpRequest, AsyncHttpResponse]:
        """Only what is needed: each policy costs time on every request."""
        policies: list[AsyncHTTPPolicy[HttpRequest, AsyncHttpResponse]] = []
        if patient:
            policies.append(PatiencePolicy(self.clock, self.settings.patience_s))
        if audience:
            policies.append(
                AsyncBearerTokenCredentialPolicy(self._credential, audience, enable_cae=True)
            )
        return AsyncPipeline(self._transport, [*policies, *more])

    async def _send(
        self,
        pipeline: AsyncPipeline[HttpRequest, AsyncHttpResponse],
        request: HttpRequest,
        attempt: str,
        *,
        token: bool = True,
        stop: Stopping | None = None,
    ) -> Answer:
        plain = token and not request.url.startswith("https:")
        options: dict[str, Any] = {"enforce_https": False} if plain else {}
        if stop is not None:
            options["stop"] = stop
        try:
            response = (await pipeline.run(request, **options)).http_response
        except AzureError as error:
            raise unanswered(attempt, error, urlsplit(request.url).netloc) from None
        answer = Answer.of(response.status_code, response.headers, response.content)
        if log.isEnabledFor(logging.DEBUG):
            path = urlsplit(request.url).path
            log.debug("%s %s: %s %s", request.method, path, answer.status, answer.request_id)
        return answer


def _audience(endpoint: Endpoint) -> str:
    return f"{PUBLIC_ARM if endpoint.loopback else endpoint.base}/.default"


def _request(
    method: str, url: str, body: Json, headers: Mapping[str, str] | None = None
) -> HttpRequest:
    sent = {"Accept": "application/json", "User-Agent": USER_AGENT, **(headers or {})}
    if body is None:
        return HttpRequest(method, url, headers=sent)
    sent["Content-Type"] = "application/json"
    text = json.dumps(body, separators=(",", ":"), ensure_ascii=False).encode()
    return HttpRequest(method, url, headers=sent, content=text)


def unanswered(attempt: str, error: AzureError, host: str) -> ReconcilerError:
    """The error for a request without an answer. The cause is not chained: it may hold a URL."""
    if isinstance(error, ClientAuthenticationError):
        return Permanent(
            f"There is no Azure token to {attempt}: {shown(str(error)).rstrip('. ')}. Sign in "
            "with `az login`, or set RECONCILER_PLAN_CLIENT_ID and RECONCILER_APPLY_CLIENT_ID to "
            "managed identities that exist here."
        )
    if unsent(error):
        why = shown(str(error.inner_exception))
        return Transient(
            f"Azure could not be reached to {attempt}: no connection to {host} ({why}). "
            "Check the network, the proxy (HTTPS_PROXY), the "
            "trusted certificates (SSL_CERT_FILE) and RECONCILER_ARM_ENDPOINT."
        )
    if isinstance(error, ServiceRequestError | ServiceResponseError):
        return Transient(
            f"Azure's answer was lost when it was asked to {attempt} ({type(error).__name__}): it "
            "may or may not have been done"
        )
    return Permanent(f"It was not possible to {attempt}: {shown(str(error))}")
