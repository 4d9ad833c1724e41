"""Online endpoints: one address over deployments that share its traffic.

Traffic: Azure/azureml-examples, cli/deploy-safe-rollout-online-endpoints.sh; names and zeros:
azure-ai-ml, azure/ai/ml/entities/_endpoint/online_endpoint.py.
"""

from reconciler.core.kinds.endpoint_fields import ENDPOINT_NAMES, endpoint_fields
from reconciler.core.kinds.kind import Kind, Probe
from reconciler.core.kinds.shared import (
    ENDPOINT_LOCK,
    ML_AUDIENCE,
    in_workspace,
    keys_part,
)
from reconciler.core.schema import Field, arm_id, default, described, integer, mapping, text


def shares() -> Field:
    """Deployment name → percent; the service lower-cases names and drops zeros."""
    return mapping(integer(lowest=0, highest=100), caseless=True, zero=0, shared=False)


URL = "{properties.scoringUri}"

ONLINE_ENDPOINT = Kind(
    name="OnlineEndpoint",
    title="Online endpoint",
    doc="A stable address and keys for models that run on machines of your choice.",
    places=in_workspace("onlineEndpoints", "Workspace", "Project"),
    names=ENDPOINT_NAMES,
    fields={
        **endpoint_fields(),
        "publicNetworkAccess": default("Enabled", text("Enabled", "Disabled")),
        "compute": described("Kubernetes endpoints only.", arm_id("MLCompute")),
        "traffic": described(
            "Percent by deployment: 100 in all, or nothing. Sent once the deployments exist.",
            shares(),
        ),
        "mirrorTraffic": described("Percent that one deployment gets a copy of.", shares()),
    },
    outputs={
        "identity.principalId": "object id of its system-assigned identity",
        "properties.scoringUri": "where requests go",
        "properties.swaggerUri": "description of its interface",
    },
    endpoint="properties.scoringUri",
    lock=ENDPOINT_LOCK,
    deferred=frozenset({"traffic", "mirrorTraffic"}),
    initial={"identity": {"type": "SystemAssigned"}},
    parts=(keys_part("OnlineEndpoint", "primaryKey", "project", "workspace"),),
    probe=Probe(
        url=URL,
        keys=("listKeys", "primaryKey"),
        modes={
            "AMLToken": Probe(url=URL, keys=("token", "accessToken")),
            "AADToken": Probe(url=URL, audience=ML_AUDIENCE),
        },
    ),
    typical_s=90,
)
