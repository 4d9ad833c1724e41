"""When a request is sent again, and when that is left to the engine.

azure-core's own retry policy repeats whatever carries ``Retry-After``, POST and PATCH too, takes
a dead connection for a request that was never sent, and counts its patience on the wall clock.
So the decision is made here, by one question: can the request have been carried out?

- No (429, busy, or no connection at all): any request is sent again.
- Unknown (5xx, answer lost): only reads are sent again. For a PUT or DELETE the call ends as
  Transient, and the engine reads the resource before it sends anything.
"""

import random
from collections.abc import Callable, Iterator
from typing import Any, Final

from azure.core.exceptions import AzureError, ServiceRequestError, ServiceResponseError
from azure.core.pipeline import PipelineRequest, PipelineResponse
from azure.core.pipeline.policies import AsyncHTTPPolicy
from azure.core.rest import AsyncHttpResponse, HttpRequest

from reconciler.azure.answer import parsed, retry_after_s, said
from reconciler.azure.errors import nature
from reconciler.azure.transport import unsent
from reconciler.ports import Clock

FIRST_S: Final = 1.0
LONGEST_S: Final = 30.0
CONNECT_TRIES: Final = 3
READS: Final = frozenset({"GET", "HEAD"})

type Jitter = Callable[[], float]
"""Random numbers between 0 and 1."""


def pauses(jitter: Jitter = random.random) -> Iterator[float]:
    """Seconds to wait between attempts: doubling, up to half a minute, never all at once."""
    pause = FIRST_S
    while True:
        yield pause * (0.5 + 0.5 * jitter())
        pause = min(LONGEST_S, pause * 2)


class PatiencePolicy(AsyncHTTPPolicy[HttpRequest, AsyncHttpResponse]):
    """Sends a request again while that is safe, for ``patience_s`` seconds in all."""

    def __init__(self, clock: Clock, patience_s: float, jitter: Jitter = random.random) -> None:
        super().__init__()
        self._clock, self._patience_s, self._jitter = clock, patience_s, jitter

    async def send(
        self, request: PipelineRequest[HttpRequest]
    ) -> PipelineResponse[HttpRequest, AsyncHttpResponse]:
        left = self._patience_s
        steps = pauses(self._jitter)
        failures = 0
        while True:
            try:
                response = await self.next.send(request)
            except (ServiceRequestError, ServiceResponseError) as error:
                failures += 1
                wait = next(steps)
                if wait > left or not _repeatable(request.http_request, error, failures):
                    raise
            else:
                if response.http_response.status_code < 400:
                    return response
                asked = self._wait(response)
                if asked is None:
                    return response
                wait = asked or next(steps)
                if wait > left:
                    return response
            left -= wait
            await self._clock.sleep(wait)

    def _wait(self, response: PipelineResponse[HttpRequest, AsyncHttpResponse]) -> float | None:
        """How long Azure wants us to wait (0: it does not say); None when waiting is no use."""
        answer = response.http_response
        how = nature(answer.status_code, said(_body(answer)))
        if how == "refused":
            return None
        if how == "unavailable" and answer.request.method not in READS:
            return None
        return retry_after_s(answer.headers.get("Retry-After"), self._clock.now()) or 0.0


def _body(answer: AsyncHttpResponse) -> Any:
    return parsed(answer.content) if answer.status_code in (400, 409) else None


def _repeatable(request: HttpRequest, error: AzureError, failures: int) -> bool:
    if unsent(error):
        return failures < CONNECT_TRIES
    return request.method in READS
