"""Sends metrics and traces to Application Insights.

https://learn.microsoft.com/azure/azure-monitor/app/opentelemetry-configuration
"""

import logging
from collections.abc import Mapping
from threading import Thread
from typing import Final

from reconciler.telemetry.measure import listen

log = logging.getLogger(__name__)

CONNECTION: Final = "APPLICATIONINSIGHTS_CONNECTION_STRING"
BY_THE_WORKER: Final = "PYTHON_APPLICATIONINSIGHTS_ENABLE_TELEMETRY"
"""Set: the Functions worker configures the same exporter itself."""
LIBRARIES: Final = (
    "azure_sdk",
    "django",
    "fastapi",
    "flask",
    "psycopg2",
    "requests",
    "urllib",
    "urllib3",
)
"""What the exporter would instrument by itself; their spans hold whole URLs."""


def start_export(environment: Mapping[str, str]) -> bool:
    """Begin to send, when ``APPLICATIONINSIGHTS_CONNECTION_STRING`` is set; whether it is.

    Importing the exporter takes a second or more, which a thread of its own spends: what is done
    meanwhile is not measured. Logs are left to the host, which collects them already.
    """
    connection = environment.get(CONNECTION, "").strip()
    if not connection:
        return False
    ours = environment.get(BY_THE_WORKER, "").strip().lower() not in ("1", "true")
    Thread(target=start, args=(connection if ours else "",), daemon=True).start()
    return True


def start(connection: str) -> None:
    """Configure the exporter, unless ``connection`` is "", and listen."""
    if connection:
        try:
            _configure(connection)
        except ValueError as error:
            # Its words may quote the connection string.
            log.warning("%s is of no use (%s)", CONNECTION, type(error).__name__)
            return
    from opentelemetry.metrics import get_meter_provider
    from opentelemetry.trace import get_tracer_provider

    listen(get_tracer_provider(), get_meter_provider())


def _configure(connection: str) -> None:
    from azure.monitor.opentelemetry import configure_azure_monitor

    configure_azure_monitor(
        connection_string=connection,
        disable_logging=True,
        enable_live_metrics=False,
        enable_performance_counters=False,
        instrumentation_options={name: {"enabled": False} for name in LIBRARIES},
    )
