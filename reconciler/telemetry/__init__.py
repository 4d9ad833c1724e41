"""What the reconciler tells about itself: logs, metrics and traces.

context  what is being worked on: run, environment, commit and step, set where work begins
redact   takes secrets and signed links out of text
logs     structured logs through the standard library
measure  metrics and spans; nothing happens, and nothing is imported, until ``start_export``
monitor  sends them to Application Insights

Importing this costs next to nothing: OpenTelemetry is imported when something listens.
"""

from reconciler.telemetry.context import fields
from reconciler.telemetry.logs import start_logs
from reconciler.telemetry.measure import (
    ARM_REQUESTS,
    ARM_THROTTLES,
    DRIFT,
    METRICS,
    QUEUE_AGE,
    RUNS,
    UNRECONCILED_AGE,
    Metric,
    arm_request,
    count,
    gauge,
    run_ended,
    work,
)
from reconciler.telemetry.monitor import start_export

__all__ = [
    "ARM_REQUESTS",
    "ARM_THROTTLES",
    "DRIFT",
    "METRICS",
    "QUEUE_AGE",
    "RUNS",
    "UNRECONCILED_AGE",
    "Metric",
    "arm_request",
    "count",
    "fields",
    "gauge",
    "run_ended",
    "start_export",
    "start_logs",
    "work",
]
