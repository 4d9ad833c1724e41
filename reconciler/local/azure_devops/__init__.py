"""An emulated Azure DevOps, at the wire, on loopback: a small one.

`EmulatedAzureDevOps` serves git, the REST calls that pull requests need, and service hooks over
HTTP(S), as an asynchronous context manager; `serve` does so as a program. It knows nothing of the
reconciler, so that the two cannot share a mistake. What no document settles is told in
docs/unverified.md.
"""

from reconciler.local.azure_devops.faults import Fault
from reconciler.local.azure_devops.main import add_arguments, serve
from reconciler.local.azure_devops.server import EmulatedAzureDevOps

__all__ = ["EmulatedAzureDevOps", "Fault", "add_arguments", "serve"]
