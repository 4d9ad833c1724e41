"""Any ARM resource: the escape hatch.

Its document says the type and the body as ARM has them; what the other kinds know of a type
(defaults, spellings, what replaces) has to be respected by the author.
"""

from dataclasses import replace

from reconciler.core.kinds.kind import Kind, Place
from reconciler.core.schema import (
    Field,
    Scalar,
    anything,
    described,
    immutable,
    obj,
    required,
    text,
)
from reconciler.core.schema import tags as tag_map

TYPE = r"^[A-Za-z0-9]+(\.[A-Za-z0-9]+)+(/[A-Za-z0-9]+)+@\d{4}-\d{2}-\d{2}(-[a-z]+)?$"

BODY = obj(anything(), location=Field(shape=Scalar(same="location")), tags=tag_map())
"""What ARM itself understands is compared as ARM does: regions and the names of tags."""

AZURE_RESOURCE = Kind(
    name="AzureResource",
    title="Azure resource",
    doc="Any ARM resource, for types that have no kind here: type@version, parent and body.",
    places=(Place(field="parent", parent="", arm_type="", api_version=""),),
    fields={
        "type": described(
            "Namespace/type@api-version, Microsoft.Search/searchServices@2025-05-01.",
            required(immutable(text(pattern=TYPE, same="caseless"))),
        ),
        "body": described("The body as ARM wants it, with properties inside.", BODY),
    },
    verbatim="body",
    outputs={"identity.principalId": "object id of its system-assigned identity"},
    # What an unknown type holds is unknown too.
    holds_data=True,
    listed=False,
    report_unmanaged=False,
)


def typed(type_and_version: str) -> Kind:
    """The kind of one type: ``typed("Microsoft.Search/searchServices@2025-05-01")``.

    Raises ValueError when the text is not ``Namespace/type@version``.
    """
    arm_type, at, api_version = type_and_version.partition("@")
    if not (at and api_version and "/" in arm_type):
        raise ValueError(f'"{type_and_version}" is not Namespace/type@api-version')
    place = replace(AZURE_RESOURCE.places[0], arm_type=arm_type, api_version=api_version)
    return replace(AZURE_RESOURCE, places=(place,))
