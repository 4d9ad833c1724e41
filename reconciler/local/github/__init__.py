"""An emulated GitHub, at the wire, on loopback.

`EmulatedGitHub` serves git, the REST API, webhooks and plain pages over HTTP(S), as an
asynchronous context manager; `serve` does so as a program. It knows nothing of the reconciler,
so that the two cannot share a mistake.
"""

from reconciler.local.github.faults import Fault
from reconciler.local.github.hooks import Mischief
from reconciler.local.github.main import add_arguments, serve
from reconciler.local.github.server import EmulatedGitHub
from reconciler.local.github.traffic import Exchange

__all__ = ["EmulatedGitHub", "Exchange", "Fault", "Mischief", "add_arguments", "serve"]
