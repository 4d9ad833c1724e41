"""What an operator may choose about talking to Azure."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Final, Literal

PUBLIC_ARM: Final = "https://management.azure.com"

type Identity = Literal["auto", "managed_identity", "workload_identity", "environment", "cli"]

type Limits = Mapping[str, tuple[float, float]]
"""Operation type (``reads``, ``writes``, ``deletes``) → (bucket size, refill per second)."""

SUBSCRIPTION_LIMITS: Final[Limits] = MappingProxyType(
    {"reads": (250, 25), "writes": (200, 10), "deletes": (200, 10)}
)
"""Per subscription, principal and operation type:
https://learn.microsoft.com/azure/azure-resource-manager/management/request-limits-and-throttling"""


@dataclass(frozen=True, kw_only=True)
class AzureSettings:
    """How to reach Azure, as whom, and how gently."""

    endpoint: str = PUBLIC_ARM
    """Azure Resource Manager. Plain HTTP is accepted for loopback addresses and nothing else."""
    audience: str = ""
    """Entra scope of ARM tokens; "": ``{endpoint}/.default``, for a loopback endpoint that of
    public Azure."""
    vault_audience: str = "https://vault.azure.net/.default"
    identity: Identity = "auto"
    client_id: str = ""
    """Client id of the user-assigned identity or federated application to act as."""
    limits: Limits = SUBSCRIPTION_LIMITS
    """Never more requests than this; ``{}`` leaves the counting to Azure's answers (429)."""
    in_flight: int = 32
    """Requests under way at once."""
    patience_s: float = 45.0
    """How long one call waits in all for a throttled or busy Azure before it reports Transient."""
    secrets: Mapping[str, str] = field(default_factory=dict, repr=False)
    """Values of ``{secret: {setting: NAME}}``, by NAME."""
