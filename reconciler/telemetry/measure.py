"""Metrics and spans, through the OpenTelemetry API alone.

Nothing listens until :func:`listen` is called: until then every call here is a comparison with
None, and OpenTelemetry is not imported. Names follow its semantic conventions:
https://opentelemetry.io/docs/specs/semconv/http/http-spans/
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from threading import Lock
from types import TracebackType
from typing import TYPE_CHECKING, Final, Literal, Protocol, Self
from urllib.parse import urlsplit

from reconciler.telemetry.context import fields, within

if TYPE_CHECKING:
    from opentelemetry.metrics import CallbackOptions, Meter, MeterProvider
    from opentelemetry.trace import Span, Tracer, TracerProvider

NAME: Final = "reconciler"

type Attributes = Mapping[str, str | int]


@dataclass(frozen=True, slots=True)
class Metric:
    """Something that is measured; ``docs/observability.md`` lists them."""

    name: str
    instrument: Literal["counter", "gauge"]
    unit: str
    """In UCUM, as OpenTelemetry wants it: https://ucum.org/ucum"""
    meaning: str


RUNS: Final = Metric(
    "reconciler.runs", "counter", "{run}", "Runs that ended, by environment, mode and outcome."
)
DRIFT: Final = Metric(
    "reconciler.drift",
    "gauge",
    "{change}",
    "Changes that the last comparison with Azure found, by environment.",
)
UNRECONCILED_AGE: Final = Metric(
    "reconciler.unreconciled.age",
    "gauge",
    "s",
    "How long an environment has been otherwise than its specs; 0 when it is as they say.",
)
QUEUE_AGE: Final = Metric(
    "reconciler.queue.age",
    "gauge",
    "s",
    "How long the oldest run that no worker has begun has been waiting; 0 when none waits.",
)
ARM_REQUESTS: Final = Metric(
    "reconciler.arm.requests",
    "counter",
    "{request}",
    "Requests sent to Azure Resource Manager, by method and status; a retry counts again.",
)
ARM_THROTTLES: Final = Metric(
    "reconciler.arm.throttles",
    "counter",
    "{request}",
    "Requests that Azure refused with 429, by who refused: gateway (ARM) or service.",
)
METRICS: Final = (RUNS, DRIFT, UNRECONCILED_AGE, QUEUE_AGE, ARM_REQUESTS, ARM_THROTTLES)


@dataclass(frozen=True, slots=True)
class _Listener:
    tracer: Tracer
    record: Mapping[Metric, Callable[[float, Attributes], None]]


_listener: _Listener | None = None


def listen(tracers: TracerProvider, meters: MeterProvider) -> None:
    """From now on, give spans and measurements to these providers."""
    global _listener
    meter = meters.get_meter(NAME)
    record: dict[Metric, Callable[[float, Attributes], None]] = {}
    for one in METRICS:
        if one.instrument == "counter":
            record[one] = meter.create_counter(one.name, one.unit, one.meaning).add
        else:
            record[one] = _once_each(meter, one)
    _listener = _Listener(tracers.get_tracer(NAME), record)


def _once_each(meter: Meter, metric: Metric) -> Callable[[float, Attributes], None]:
    """A gauge that tells a value once. A synchronous one would go on to tell its last value, long
    after another instance has taken over what it is about."""
    from opentelemetry.metrics import Observation

    measured: dict[frozenset[tuple[str, str | int]], float] = {}
    lock = Lock()

    def observe(options: CallbackOptions) -> list[Observation]:
        with lock:
            found = [Observation(value, dict(about)) for about, value in measured.items()]
            measured.clear()
        return found

    def record(value: float, attributes: Attributes) -> None:
        with lock:
            measured[frozenset(attributes.items())] = value

    meter.create_observable_gauge(metric.name, [observe], metric.unit, metric.meaning)
    return record


def deafen() -> None:
    """Undo :func:`listen`."""
    global _listener
    _listener = None


def count(metric: Metric, attributes: Attributes) -> None:
    """One more."""
    if _listener is not None:
        _listener.record[metric](1, attributes)


def gauge(metric: Metric, value: float, attributes: Attributes) -> None:
    """The value as it is now."""
    if _listener is not None:
        _listener.record[metric](value, attributes)


def run_ended(environment: str, mode: str, outcome: str) -> None:
    """A saved run has come to its end."""
    count(RUNS, {"environment": environment, "mode": mode, "outcome": outcome})


@contextmanager
def work(name: str, **about: str) -> Iterator[None]:
    """A piece of work: a span, and the fields of every log line inside it.

    ``about``: any of ``run``, ``environment``, ``commit``, ``step``.
    """
    with within(about):
        if _listener is None:
            yield
            return
        known = {f"{NAME}.{key}": value for key, value in fields().items()}
        with _span(_listener.tracer, name, known):
            yield


@contextmanager
def _span(tracer: Tracer, name: str, attributes: Attributes) -> Iterator[Span]:
    """A span that says how it failed by the name of the error alone: its words stay in the log,
    where secrets are taken out of them."""
    with tracer.start_as_current_span(
        name, attributes=attributes, record_exception=False, set_status_on_exception=False
    ) as span:
        try:
            yield span
        except BaseException as error:
            _failed(span, type(error).__name__)
            raise


def _failed(span: Span, kind: str) -> None:
    from opentelemetry.trace import Status, StatusCode

    span.set_attribute("error.type", kind)
    span.set_status(Status(StatusCode.ERROR))


class Asked(Protocol):
    """A request that is under way."""

    def answered(self, status: int, refused_by: str = "") -> None:
        """``refused_by``: what ``x-ms-failure-cause`` says."""


class _Unheard:
    """What a request costs while nobody listens."""

    __slots__ = ()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        return None

    def answered(self, status: int, refused_by: str = "") -> None:
        return None


_UNHEARD: Final = _Unheard()


def arm_request(method: str, url: str) -> AbstractContextManager[Asked]:
    """One request to Azure Resource Manager: a span, and a count once it is over.

    Of the URL only the path is told: queries of status links are signatures.
    """
    if _listener is None:
        return _UNHEARD
    return _heard(_listener, method, urlsplit(url).path)


@dataclass(slots=True)
class _Heard:
    method: str
    span: Span
    status: int = 0

    def answered(self, status: int, refused_by: str = "") -> None:
        self.status = status
        self.span.set_attribute("http.response.status_code", status)
        if status == 429:
            count(ARM_THROTTLES, {"refused_by": refused_by or "unknown"})
        if status >= 400:
            _failed(self.span, str(status))


@contextmanager
def _heard(listener: _Listener, method: str, path: str) -> Iterator[_Heard]:
    about = {"http.request.method": method, "url.path": path}
    with _span(listener.tracer, f"ARM {method}", about) as span:
        asked = _Heard(method, span)
        try:
            yield asked
        finally:
            status = str(asked.status) if asked.status else "none"
            count(ARM_REQUESTS, {"http.request.method": method, "status": status})
