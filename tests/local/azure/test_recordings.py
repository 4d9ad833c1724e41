"""The emulator answers as Azure did, wherever Azure's answers were recorded in public.

Every scenario is replayed request by request; status, style of the asynchronous headers and every
member of the bodies are compared. What may differ is listed here, with the reason, and nothing
else may.
"""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass

from tests.contracts import contracts_dir, needs_contracts
from tests.local.azure.replay import Difference, replay, scenarios

# Answers of ARM's infrastructure, or of providers that are not emulated; faults are tested
# elsewhere, on request.
NOT_REPLAYED = (
    "errors-429",
    "errors-lro-failed",
    "cliext-resourcegraph",
    "azd-models-and-usages",  # the catalogue of one day; the emulator has an excerpt
    "cli-cognitiveservices-deployment",  # its paths and its bodies name different resources
)


@dataclass(frozen=True)
class Accepted:
    """Differences whose "scenario method type place" matches are expected."""

    pattern: str
    reason: str


NEWER = "the emulator answers the newest shape; this recording is of an older service or version"
LISTS = "a list of facts that changes with every release, which no client may rely on"
TRIMMED = "the recording was shortened, or its page links cut"
ACCEPTED = (
    # Older shapes
    Accepted(
        r"(storageAccounts|asyncoperations) .*(allowCrossTenantDelegationSas|ipv6Rules)", NEWER
    ),
    Accepted(r"(asyncoperations|storageAccounts) /properties/minimumTlsVersion", NEWER),
    Accepted(r"KeyVault/vaults /properties/(publicNetworkAccess|softDeleteRetention)", NEWER),
    Accepted(r"mfeOperation\w+ /(endTime|percentComplete|startTime)$", NEWER),
    Accepted(r"egressPublicNetworkAccess$", NEWER),
    Accepted(
        r"workspaces /properties/(\w*CMK\w*|enableDataIsolation|ipAllowlist|\w+AuthMode)", NEWER
    ),
    Accepted(r"workspaces /properties/managedNetwork(/enable\w+)?$", NEWER),
    Accepted(r"workspaces /properties/(EnableSoftware\w+|publicNetworkAccess|v1LegacyMode)", NEWER),
    Accepted(r"workspaces /properties/(serverlessCompute\w+|softDeleteEnabled)$", NEWER),
    Accepted(r"workspaces /properties/allowPublicAccessWhenBehindVnet$", NEWER),
    Accepted(
        r"(aso|py)-ml.*workspaces/connections /(properties/\w+|systemData|environment|location)$",
        NEWER,
    ),
    Accepted(r"cli-.*[aA]ccounts .*/properties/(allowProjectManagement|apiProperties)$", NEWER),
    # What the emulator does not know, or says in its own way
    Accepted(r"[aA]ccounts\S* .*/(capabilities|callRateLimit|endpoints|endpoint)\b", LISTS),
    Accepted(r"workspaces /etag$", "null and absent are the same"),
    Accepted(r"notebookInfo/fqdn$", "in which region the notebooks of a workspace are is Azure's"),
    Accepted(
        r"storageAccounts /properties/provisioningState$",
        "which word says that work goes on may differ",
    ),
    Accepted(r"roleDefinitions .*/(description|permissions#)", "rights of roles are not emulated"),
    Accepted(
        r"computes /properties/properties/(address|ipAddress|virtualMachineSize)$",
        "facts of an attached machine, which does not exist here",
    ),
    Accepted(r"computes /properties/resourceId$", "an inner id, shown once while it is updated"),
    Accepted(r"models/versions .*modelUri$", "files are copied by a service that is not emulated"),
    Accepted(r"codes/versions /value#", "search by content across names is not emulated"),
    Accepted(
        r"batch-invoke .*batchEndpoints /(identity|properties/properties)/",
        "a test region of the service, with an identity and ids of its own",
    ),
    Accepted(r"batch-invoke .*mfeOperationsStatus /name$", "as above: its operations are `bebes`"),
    Accepted(
        r"test-update-access-policy .*accessPolicies", "vaults/accessPolicies is not emulated"
    ),
    Accepted(
        r"microsoft\.insights/\w+ /error/message$",
        "the gateway repeats the caller's letter case, the emulator the type's own",
    ),
    Accepted(
        r"workspaces/connections /error/(code|message)$",
        "which of two 404s a missing parent gives depends on the type in ways unknown",
    ),
    Accepted(r"resourceGroups/x /tags/", "set by a policy of that subscription"),
    Accepted(r"accounts/models|accounts/usages|CognitiveServices/skus|locations/usages", LISTS),
    Accepted(r"accounts .*/(qnaAzureSearchEndpointKey|quotaLimit)$", LISTS),
    Accepted(r"raiContentFilters /value", LISTS),
    Accepted(r"raiBlocklistItems /value/0/etag$", "an item shows its etag, in the list too"),
    Accepted(r"private-endpoint .*privateEndpointConnections#", "made by another provider"),
    Accepted(
        r"workspace-20210701.*KeyVault/vaults /properties/accessPolicies#",
        "a workspace enters its vault while it is made, here at the end",
    ),
    Accepted(
        r"errors-aso (PUT|POST|DELETE) .* status$",
        "faults and moments that do not come by themselves: tested one by one",
    ),
    Accepted(
        r"aso-sample-cognitive.*accounts/(projects|deployments) /error/",
        "a group that is being deleted loses what is in it first, here all goes at once",
    ),
    Accepted(r"errors-aso PUT resourceGroups/x /error/message", LISTS),
    # Recordings with parts left out
    Accepted(r"(roleAssignments|deletedAccounts) /(_trimmed_items|value#)", TRIMMED),
    Accepted(r"raiBlocklists /value#", "a deletion before that list is not in the recording"),
    Accepted(r"rai-policy.* PUT resourceGroups/x /type$", "an older version had no type here"),
    Accepted(r"(deletedVaults|KeyVault/vaults) /(value|nextLink|_trimmed)", TRIMMED),
    Accepted(r"header retry-after", "command line recordings drop the header to be fast"),
    Accepted(r"resourceGroups/x header location", "some of the recordings drop it from polls"),
    Accepted(r"e2e-2026-03 DELETE .* header", "that answer was transcribed with one header"),
    Accepted(
        r"infracreateanddelete .*resourceGroups/x /value#", "made by a template, not by a PUT"
    ),
)


def _reason(difference: Difference) -> str | None:
    about = f"{difference.scenario} {difference.where}"
    return next((a.pattern for a in ACCEPTED if re.search(a.pattern, about)), None)


@needs_contracts
async def test_recorded_traffic_is_answered_as_azure_answered_it(capsys):
    compared, unexpected, used = Counter(), [], Counter()
    for name, exchanges in scenarios(contracts_dir() / "recordings").items():
        if name.startswith(NOT_REPLAYED):
            continue
        parts = [[e] for e in exchanges] if name == "errors-aso" else [exchanges]
        for part in parts:
            run = await replay(name, part)
            compared[name] += run.compared
            for difference in run.differences:
                reason = _reason(difference)
                used[reason] += 1
                if reason is None:
                    unexpected.append(str(difference))
    with capsys.disabled():
        accepted = used.total() - used[None]
        print(f"\n{compared.total()} recorded exchanges compared, {accepted} known differences")  # noqa: T201 (the count is the point)
    assert not unexpected, "\n" + "\n".join(unexpected)
    unused = [a.pattern for a in ACCEPTED if not used[a.pattern]]
    assert not unused, f"no longer needed: {unused}"
    assert compared.total() > 350
