"""Microsoft.MachineLearningServices: workspaces and all that lives in them."""

from __future__ import annotations

from reconciler.local.azure.model import Provider
from reconciler.local.azure.providers.machine_learning import (
    assets,
    batch,
    computes,
    connections,
    datastores,
    online,
    online_deployments,
    scoring,
    serverless,
    workspaces,
)
from reconciler.local.azure.providers.machine_learning.common import NAMESPACE

PROVIDER = Provider(
    namespace=NAMESPACE,
    types=(
        workspaces.TYPE,
        connections.CONNECTION,
        connections.OUTBOUND_RULE,
        datastores.DATASTORE,
        *assets.ASSETS,
        computes.COMPUTE_TYPE,
        online.ENDPOINT_TYPE,
        online_deployments.DEPLOYMENT_TYPE,
        batch.ENDPOINT_TYPE,
        batch.DEPLOYMENT_TYPE,
        serverless.SUBSCRIPTION_TYPE,
        serverless.ENDPOINT_TYPE,
    ),
    routes=computes.ROUTES,
    data=scoring.DATA,
)
