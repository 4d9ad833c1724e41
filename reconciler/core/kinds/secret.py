"""Secrets of a Key Vault, written through ARM.

https://learn.microsoft.com/azure/templates/microsoft.keyvault/vaults/secrets: every write with a
value makes a new version, no read returns it, and ARM has no DELETE for it.
"""

from reconciler.core.kinds.kind import Kind, Place
from reconciler.core.schema import (
    Names,
    boolean,
    default,
    described,
    integer,
    obj,
    required,
    tags,
    text,
)
from reconciler.core.schema import secret as secret_value

SECRET = Kind(
    name="Secret",
    title="Key Vault secret",
    doc="A secret kept in a vault: from a setting of the reconciler, or a key of a resource.",
    places=(
        Place(
            field="keyVault",
            parent="KeyVault",
            arm_type="Microsoft.KeyVault/vaults/secrets",
            api_version="2025-05-01",
        ),
    ),
    names=Names(pattern=r"^[0-9a-zA-Z-]+$", longest=127, hint="1 to 127 letters, digits or '-'"),
    fields={
        "value": described(
            "{secret: {setting: NAME}} or {secret: {keysOf: Account/x, name: key1}}; it is "
            "written again when another source is named. A new value behind the same name "
            "cannot be seen.",
            required(secret_value()),
        ),
        "contentType": text(),
        "attributes": obj(
            enabled=default(True, boolean()),
            nbf=described("Not before, in seconds since 1970.", integer(lowest=0)),
            exp=described("Expires, in seconds since 1970.", integer(lowest=0)),
        ),
        "tags": tags(),
    },
    envelope=frozenset({"tags"}),
    outputs={
        "properties.secretUri": "its URL, whatever the version",
        "properties.secretUriWithVersion": "the URL of its newest version",
    },
    fleeting=frozenset({"properties.secretUriWithVersion"}),
    holds_data=True,
    deletable=False,
    # A vault holds secrets of many programs; none of them is news.
    report_unmanaged=False,
    typical_s=2,
)
