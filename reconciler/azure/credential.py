"""Who the reconciler is: a managed identity, a federated workload, a service principal, or `az`.

https://learn.microsoft.com/azure/developer/python/sdk/authentication/credential-chains
"""

import logging
from collections.abc import Mapping
from typing import TYPE_CHECKING

from reconciler.azure.settings import Identity

if TYPE_CHECKING:
    from azure.core.credentials_async import AsyncTokenCredential


def choose(environment: Mapping[str, str], client_id: str) -> Identity:
    """What the environment offers, most specific first.

    One credential is chosen rather than a chain tried, so that a failure names the one that
    failed and nobody acts by accident as somebody else.
    """
    if environment.get("AZURE_FEDERATED_TOKEN_FILE"):
        return "workload_identity"
    if environment.get("AZURE_CLIENT_SECRET") or environment.get("AZURE_CLIENT_CERTIFICATE_PATH"):
        return "environment"
    if environment.get("IDENTITY_ENDPOINT") or environment.get("MSI_ENDPOINT") or client_id:
        return "managed_identity"
    return "cli"


def credential(
    identity: Identity, client_id: str, environment: Mapping[str, str]
) -> "AsyncTokenCredential":
    """The azure-identity credential for a choice; tokens are fetched when first needed."""
    from azure.identity import aio

    # It warns at every attempt of what the error of the request that needed the token says.
    logging.getLogger("azure.identity").setLevel(logging.ERROR)
    chosen = choose(environment, client_id) if identity == "auto" else identity
    if chosen == "managed_identity":
        return aio.ManagedIdentityCredential(client_id=client_id or None)
    if chosen == "workload_identity":
        return aio.WorkloadIdentityCredential(**({"client_id": client_id} if client_id else {}))
    if chosen == "environment":
        return aio.EnvironmentCredential()
    return aio.AzureCliCredential()
