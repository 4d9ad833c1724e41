"""Blocklists of an account, and their items.

https://learn.microsoft.com/azure/templates/microsoft.cognitiveservices/accounts/raiblocklists;
names: hashicorp/terraform-provider-azurerm, internal/services/cognitive.
"""

from reconciler.core.kinds.kind import Document, Kind, Part, Place
from reconciler.core.kinds.shared import ACCOUNT_LOCK, COGNITIVE_SERVICES, on_account
from reconciler.core.schema import (
    Names,
    array,
    boolean,
    default,
    described,
    obj,
    required,
    tags,
    text,
)

ITEM_FIELDS = {
    "pattern": required(text()),
    "isRegex": default(False, boolean()),
    "tags": tags(),
}


def item_document(document: Document) -> Document:
    """One item of a blocklist's ``items`` as a document of its own."""
    spec = document["spec"]
    item = spec["items"]
    owner = document["metadata"]["name"]
    account = spec.get("account")
    short = isinstance(account, str) and not account.startswith("/")
    parent = (
        f"{account.rpartition('/')[2]}/{owner}" if short else f"{account}/raiBlocklists/{owner}"
    )
    return {
        "apiVersion": document.get("apiVersion"),
        "kind": "BlocklistItem",
        "metadata": {"name": item["name"]},
        "spec": {"blocklist": parent, **{k: v for k, v in item.items() if k != "name"}},
    }


BLOCKLIST = Kind(
    name="Blocklist",
    title="Blocklist",
    doc="Words and patterns of your own that content filters refuse.",
    places=on_account("raiBlocklists"),
    names=Names(
        pattern=r"^[a-zA-Z0-9_-]+$",
        shortest=2,
        longest=64,
        hint="2 to 64 letters, digits, '_' or '-'",
    ),
    fields={"description": text(), "tags": tags()},
    lock=ACCOUNT_LOCK,
    parts=(
        Part(
            field="items",
            shape=described(
                "What it refuses; each item is a resource of its own.",
                array(obj(name=required(text()), **ITEM_FIELDS), key=("name",)),
            ),
            make=item_document,
            each=True,
        ),
    ),
    typical_s=2,
)

BLOCKLIST_ITEM = Kind(
    name="BlocklistItem",
    title="Blocklist item",
    doc="One entry of a blocklist; usually written inside the Blocklist, under items.",
    places=(
        Place(
            field="blocklist",
            parent="Blocklist",
            arm_type="Microsoft.CognitiveServices/accounts/raiBlocklists/raiBlocklistItems",
            api_version=COGNITIVE_SERVICES,
        ),
    ),
    fields=ITEM_FIELDS,
    lock=ACCOUNT_LOCK,
    typical_s=1,
)
