"""Content filters (responsible AI policies) of an account.

https://learn.microsoft.com/azure/templates/microsoft.cognitiveservices/accounts/raipolicies; a
changed base policy replaces in hashicorp/terraform-provider-azurerm, internal/services/cognitive.
"""

from collections.abc import Mapping
from typing import Any

from reconciler.core.kinds.kind import Kind
from reconciler.core.kinds.shared import ACCOUNT_LOCK, on_account
from reconciler.core.schema import (
    Field,
    Names,
    array,
    boolean,
    default,
    described,
    immutable,
    name_of,
    obj,
    required,
    tags,
    text,
)


def _source() -> Field:
    return required(
        text("Prompt", "Completion", "PreToolCall", "PostToolCall", "PreRun", "PostRun")
    )


def system_managed(body: Mapping[str, Any]) -> bool:
    """``Microsoft.Default`` and its like are listed and cannot be changed."""
    return bool(body.get("properties", {}).get("type") == "SystemManaged")


CONTENT_FILTER = Kind(
    name="ContentFilter",
    title="Content filter",
    doc="What a deployment refuses to read or to say; deployments name it in raiPolicyName.",
    places=on_account("raiPolicies"),
    names=Names(longest=64, hint="1 to 64 characters"),
    fields={
        "basePolicyName": described(
            "The policy it starts from, such as Microsoft.DefaultV2.",
            immutable(text(same="caseless")),
        ),
        "mode": described(
            "Asynchronous_filter streams before checking; Deferred is its old name.",
            default("Default", text("Default", "Deferred", "Blocking", "Asynchronous_filter")),
        ),
        # The service may add the base policy's filters: those that a spec does not name are left.
        "contentFilters": array(
            obj(
                name=required(text(same="caseless")),
                source=_source(),
                enabled=boolean(),
                blocking=boolean(),
                severityThreshold=described(
                    "Only for Hate, Sexual, Violence and Selfharm.", text("Low", "Medium", "High")
                ),
                action=default("None", text("None", "BLOCKING", "ANNOTATING", "HITL", "RETRY")),
            ),
            key=("name", "source"),
            shared=True,
        ),
        "customBlocklists": array(
            obj(
                blocklistName=required(name_of("Blocklist")),
                source=_source(),
                blocking=boolean(),
            ),
            key=("blocklistName", "source"),
        ),
        "safetyProviders": array(
            obj(
                safetyProviderName=required(text(same="caseless")),
                source=_source(),
                blocking=boolean(),
            ),
            key=("safetyProviderName", "source"),
        ),
        "tags": tags(),
    },
    lock=ACCOUNT_LOCK,
    foreign=system_managed,
    typical_s=2,
)
