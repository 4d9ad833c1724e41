"""Projects of a Foundry (AIServices) account.

https://learn.microsoft.com/azure/templates/microsoft.cognitiveservices/accounts/projects; a text
that was set cannot be emptied again: https://github.com/Azure/azure-rest-api-specs/issues/38422.
"""

from reconciler.core.kinds.kind import Kind
from reconciler.core.kinds.shared import ACCOUNT_LOCK, BOTH, identity, on_account
from reconciler.core.schema import Names, computed, described, location, required, tags, text

FOUNDRY_PROJECT = Kind(
    name="FoundryProject",
    title="Foundry project",
    doc="A team's workplace on a Foundry account: agents, files, evaluations, connections.",
    places=on_account("projects"),
    names=Names(
        pattern=r"^[a-zA-Z0-9][a-zA-Z0-9_.-]*$",
        shortest=2,
        longest=64,
        hint="2 to 64 letters, digits, '_', '.' or '-', starting with a letter or digit",
    ),
    fields={
        "location": described("The account's own region.", location()),
        "identity": required(identity(BOTH)),
        # Computed: what is removed from a spec stays, since the service cannot empty it.
        "displayName": computed(text(shortest=1)),
        "description": computed(text(shortest=1)),
        "tags": tags(),
    },
    outputs={
        "identity.principalId": "object id of its system-assigned identity",
        "properties.endpoints.AI Foundry API": "base URL of its data plane",
        "properties.internalId": "the id by which its data is kept apart",
    },
    holds_data=True,
    lock=ACCOUNT_LOCK,
    typical_s=12,
)
