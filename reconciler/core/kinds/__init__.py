"""The kinds of resource a spec may declare: one file each, listed here.

A kind is data. To add one: write its file, list it in ``KINDS``, add an example under ``specs/``.
"""

from collections.abc import Mapping
from types import MappingProxyType

from reconciler.core.kinds.account import ACCOUNT
from reconciler.core.kinds.application_insights import APPLICATION_INSIGHTS
from reconciler.core.kinds.autoscale import AUTOSCALE
from reconciler.core.kinds.azure_resource import AZURE_RESOURCE
from reconciler.core.kinds.batch_endpoint import BATCH_DEPLOYMENT, BATCH_ENDPOINT
from reconciler.core.kinds.blocklist import BLOCKLIST, BLOCKLIST_ITEM
from reconciler.core.kinds.connection import CONNECTION
from reconciler.core.kinds.container_registry import CONTAINER_REGISTRY
from reconciler.core.kinds.content_filter import CONTENT_FILTER
from reconciler.core.kinds.foundry_project import FOUNDRY_PROJECT
from reconciler.core.kinds.hub import HUB
from reconciler.core.kinds.key_vault import KEY_VAULT
from reconciler.core.kinds.kind import Kind, Place
from reconciler.core.kinds.log_analytics import LOG_ANALYTICS
from reconciler.core.kinds.managed_identity import MANAGED_IDENTITY
from reconciler.core.kinds.marketplace_subscription import MARKETPLACE_SUBSCRIPTION
from reconciler.core.kinds.ml_asset import ML_ENVIRONMENT, ML_MODEL
from reconciler.core.kinds.ml_compute import ML_COMPUTE
from reconciler.core.kinds.ml_datastore import ML_DATASTORE
from reconciler.core.kinds.model_deployment import MODEL_DEPLOYMENT
from reconciler.core.kinds.online_deployment import ONLINE_DEPLOYMENT
from reconciler.core.kinds.online_endpoint import ONLINE_ENDPOINT
from reconciler.core.kinds.outbound_rule import OUTBOUND_RULE
from reconciler.core.kinds.private_endpoint import PRIVATE_ENDPOINT
from reconciler.core.kinds.project import PROJECT
from reconciler.core.kinds.resource_group import RESOURCE_GROUP
from reconciler.core.kinds.role_assignment import ROLE_ASSIGNMENT
from reconciler.core.kinds.secret import SECRET
from reconciler.core.kinds.serverless_endpoint import SERVERLESS_ENDPOINT
from reconciler.core.kinds.storage_account import STORAGE_ACCOUNT
from reconciler.core.kinds.workspace import WORKSPACE

KINDS: Mapping[str, Kind] = MappingProxyType(
    {
        kind.name: kind
        for kind in (
            RESOURCE_GROUP,
            # Cognitive Services
            ACCOUNT,
            FOUNDRY_PROJECT,
            MODEL_DEPLOYMENT,
            CONTENT_FILTER,
            BLOCKLIST,
            BLOCKLIST_ITEM,
            # Machine Learning; the first of the three kinds of workspace is what a body is that
            # does not say.
            WORKSPACE,
            HUB,
            PROJECT,
            CONNECTION,
            MARKETPLACE_SUBSCRIPTION,
            SERVERLESS_ENDPOINT,
            ONLINE_ENDPOINT,
            ONLINE_DEPLOYMENT,
            BATCH_ENDPOINT,
            BATCH_DEPLOYMENT,
            ML_ENVIRONMENT,
            ML_MODEL,
            ML_DATASTORE,
            ML_COMPUTE,
            OUTBOUND_RULE,
            # what they stand on
            AUTOSCALE,
            APPLICATION_INSIGHTS,
            LOG_ANALYTICS,
            KEY_VAULT,
            SECRET,
            STORAGE_ACCOUNT,
            CONTAINER_REGISTRY,
            MANAGED_IDENTITY,
            ROLE_ASSIGNMENT,
            PRIVATE_ENDPOINT,
            AZURE_RESOURCE,
        )
    }
)

__all__ = ["KINDS", "Kind", "Place"]
