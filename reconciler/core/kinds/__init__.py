"""The kinds of resource a spec may declare: one file each, listed here.

A kind is data. To add one: write its file, list it in ``KINDS``, add an example under ``specs/``.
"""

from collections.abc import Mapping
from types import MappingProxyType

from reconciler.core.kinds.account import ACCOUNT
from reconciler.core.kinds.kind import Kind, Place
from reconciler.core.kinds.model_deployment import MODEL_DEPLOYMENT

KINDS: Mapping[str, Kind] = MappingProxyType(
    {
        kind.name: kind
        for kind in (
            ACCOUNT,
            MODEL_DEPLOYMENT,
        )
    }
)

__all__ = ["KINDS", "Kind", "Place"]
