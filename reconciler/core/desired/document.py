"""What every document says beside its spec: name, lifecycle and smoke test."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from reconciler.core.desired.nearest import did_you_mean
from reconciler.core.desired.position import steps
from reconciler.core.desired.problems import Origin, Problems
from reconciler.core.desired.validate import Validator
from reconciler.core.desired.written import named_type
from reconciler.core.kinds.kind import Kind
from reconciler.core.model import Json, Lifecycle, Path, Verify, dotted
from reconciler.core.schema import (
    ANY,
    Field,
    Object,
    Shape,
    array,
    boolean,
    described,
    field_of,
    integer,
    number,
    obj,
    required,
    text,
)

API_VERSION: Final = "aigitops/v1"

METADATA: Final = required(
    obj(
        name=described("The resource's name in Azure.", required(text())),
        dependsOn=described(
            "Resources that must be there first, as Kind/name, beyond those the spec names anyway.",
            array(text(), key=("",)),
        ),
    )
)
LIFECYCLE: Final = obj(
    deletion=described(
        "What happens when this document is removed: keep the resource, or delete it.",
        text("retain", "delete", closed=True, same="exact"),
    ),
    protect=described("Refuse to delete or replace the resource.", boolean()),
    ignore=described("Paths left to others, such as spec.sku.capacity.", array(text(), key=("",))),
    softDeleted=described(
        "What to do when a soft-deleted resource holds the name.",
        text("restore", "purge", closed=True, same="exact"),
    ),
)
VERIFY: Final = obj(
    request=described("The JSON body that is sent to the applied resource.", required(obj(ANY))),
    expect=obj(
        status=described("The HTTP status that must come; 200 unless told.", integer(100, 599)),
        path=described("What the answer must hold, such as choices[0].message.", text()),
    ),
    timeoutSeconds=described("How long to wait for the answer; 60 unless told.", number(1, 600)),
)
DOCUMENT: Final[Mapping[str, Field]] = {
    "apiVersion": required(text(API_VERSION, closed=True, same="exact")),
    "kind": required(text()),
    "metadata": METADATA,
    "spec": required(obj(ANY)),
    "enabled": described("false leaves the document out.", boolean()),
    "lifecycle": described("For the reconciler; never sent to Azure.", LIFECYCLE),
    "verify": described("A smoke test after each change.", VERIFY),
}
_USUAL: Final = frozenset({"apiVersion", "kind", "metadata", "spec"})


@dataclass(eq=False, slots=True)
class Document:
    """A native document, its envelope checked and its values filled in."""

    origin: Origin
    kind: Kind
    name: str
    content: dict[str, Any]

    @property
    def spec(self) -> dict[str, Any]:
        spec: dict[str, Any] = self.content["spec"]
        return spec


def check_envelope(content: Json, origin: Origin, problems: Problems) -> bool:
    """Whether a document has what every document has; tells what is wrong."""
    if type(content) is not dict:
        found = named_type(content)
        problems.add(origin, (), f"a document must be a mapping (apiVersion, kind, …), not {found}")
        return False
    if _is_usual(content):
        return True
    before = len(problems)
    Validator(problems, origin).fields(content, DOCUMENT, ())
    return len(problems) == before


def _is_usual(content: Mapping[str, Json]) -> bool:
    """The common case, told quickly."""
    metadata = content.get("metadata")
    return (
        content.keys() == _USUAL
        and content["apiVersion"] == API_VERSION
        and type(content["kind"]) is str
        and type(content["spec"]) is dict
        and type(metadata) is dict
        and len(metadata) == 1
        and type(metadata.get("name")) is str
    )


def kind_of(
    content: Mapping[str, Json], kinds: Mapping[str, Kind], origin: Origin, problems: Problems
) -> Kind | None:
    """The kind a document names; None, told, when there is none of that name."""
    name = content["kind"]
    kind = kinds.get(name)
    if kind is None:
        hint = did_you_mean(name, kinds) or "; `reconciler kinds` lists them"
        problems.add(origin, ("kind",), f'there is no kind "{name[:60]}"{hint}')
    return kind


def lifecycle_of(document: Document, problems: Problems) -> Lifecycle:
    """The document's lifecycle; ignored paths that the kind does not know are told."""
    written = document.content.get("lifecycle")
    if not written:
        return Lifecycle()
    ignored = (
        _ignored(document, path, place, problems)
        for place, path in enumerate(written.get("ignore", ()))
    )
    return Lifecycle(
        deletion=written.get("deletion"),
        protect=written.get("protect", False),
        ignore=tuple(path for path in ignored if path),
        soft_deleted=written.get("softDeleted"),
    )


def _ignored(document: Document, written: str, place: int, problems: Problems) -> Path:
    where = ("lifecycle", "ignore", place)
    try:
        path = steps(written)
    except ValueError as error:
        problems.add(document.origin, where, f"{dotted(where)}: {error}")
        return ()
    if path[0] != "spec" or len(path) == 1:
        problems.add(document.origin, where, f'{dotted(where)} must begin with "spec."')
        return ()
    _known(document, path[1:], where, problems)
    return path[1:]


def _known(document: Document, path: Path, where: Path, problems: Problems) -> None:
    shape: Shape = document.kind.shape
    beside = document.spec
    for step in path:
        field = field_of(shape, step, beside)
        if field is None:
            known = shape.fields if isinstance(shape, Object) else ()
            hint = did_you_mean(str(step), known)
            message = f"{dotted(where)}: {document.kind.name} has no {dotted(path)}{hint}"
            problems.add(document.origin, where, message)
            return
        shape, beside = field.shape, {}


def verify_of(document: Document, problems: Problems) -> Verify | None:
    """The document's smoke test; told when its kind cannot be tested."""
    written = document.content.get("verify")
    if not written:
        return None
    if document.kind.probe is None:
        message = f"verify: a smoke test cannot be sent to the kind {document.kind.name}"
        problems.add(document.origin, ("verify",), message, "key")
    expect = written.get("expect", {})
    return Verify(
        request=written["request"],
        status=expect.get("status", 200),
        path=expect.get("path", ""),
        timeout_s=float(written.get("timeoutSeconds", 60)),
    )
