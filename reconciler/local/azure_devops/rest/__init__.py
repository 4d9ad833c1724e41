"""The operations of the emulated REST API."""

from reconciler.local.azure_devops.rest import boards, commits, people, pulls, threads
from reconciler.local.azure_devops.wire import routes_of

ROUTES = routes_of(boards, commits, people, pulls, threads)
