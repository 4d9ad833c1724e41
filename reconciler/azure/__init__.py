"""Azure behind ``reconciler.ports.Provider``: one client over Azure Resource Manager.

Importing this costs little; azure-core, azure-identity and aiohttp are imported when the first
provider is built.
"""

import os
from typing import TYPE_CHECKING

from reconciler.azure.settings import AzureSettings
from reconciler.ports import Clock

if TYPE_CHECKING:
    from reconciler.azure.provider import ArmProvider

__all__ = ["AzureSettings", "build_provider"]


def build_provider(settings: AzureSettings, clock: Clock) -> "ArmProvider":
    """A provider that acts as one identity. Call it on the event loop, and ``close`` it there.

    Raises Permanent when the endpoint is no address that a token may be sent to.
    """
    from reconciler.azure.client import Client
    from reconciler.azure.credential import credential
    from reconciler.azure.provider import ArmProvider

    who = credential(settings.identity, settings.client_id, os.environ)
    return ArmProvider(Client(settings, who, clock))
