"""An emulated Azure, at the wire, on loopback.

`EmulatedAzure` serves Azure Resource Manager, sign-in and some data planes over HTTP(S), as an
asynchronous context manager; `serve` does so as a program. It knows nothing of the reconciler,
so that the two cannot share a mistake.
"""

from reconciler.local.azure.faults import Fault
from reconciler.local.azure.main import add_arguments, serve
from reconciler.local.azure.server import EmulatedAzure
from reconciler.local.azure.traffic import Exchange
from reconciler.local.clock import ManualClock, SystemClock

__all__ = [
    "EmulatedAzure",
    "Exchange",
    "Fault",
    "ManualClock",
    "SystemClock",
    "add_arguments",
    "serve",
]
