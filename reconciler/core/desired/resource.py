"""A document at its address → the resources it asks for."""

from collections.abc import Iterator, Mapping
from typing import Any

from reconciler.core.desired.declared import Declared, location_of
from reconciler.core.desired.document import Document, kind_of, lifecycle_of, verify_of
from reconciler.core.desired.environment import Environment
from reconciler.core.desired.estate import Estate
from reconciler.core.desired.meaning import Meaning
from reconciler.core.desired.problems import Origin, Problems
from reconciler.core.desired.validate import Validator
from reconciler.core.kinds.azure_resource import typed
from reconciler.core.kinds.kind import Kind, Part, as_written
from reconciler.core.model import ABSENT, Json, Key, Path, Ref, Resource, Secret
from reconciler.core.schema import Field, Scalar


class _AsWritten:
    """Names left as they are: for a look at what the author wrote, before it is prepared."""

    def reference(self, text: str, field: Field, path: Path) -> Json:
        return text

    def sibling(self, text: str, field: Field, path: Path) -> str:
        return text

    def name(self, text: str, kinds: tuple[str, ...], path: Path) -> str:
        return text

    def secret(self, written: Mapping[str, Json], path: Path) -> Secret:
        return Secret()

    def ref(self, written: Mapping[str, Json], path: Path) -> Ref | str:
        return ""


def parts_of(document: Document, kinds: Mapping[str, Kind], problems: Problems) -> list[Document]:
    """The documents that fields of a document stand for; misfits are told."""
    made: list[Document] = []
    for part in document.kind.parts:
        if part.field in document.spec:
            path = ("spec", part.field)
            before = len(problems)
            check = Validator(problems, document.origin, _AsWritten())
            check.value(document.spec[part.field], part.shape, path)
            if len(problems) == before:
                made += _make(document, part, kinds, problems)
    return made


def _make(
    document: Document, part: Part, kinds: Mapping[str, Kind], problems: Problems
) -> Iterator[Document]:
    path: Path = ("spec", part.field)
    for within, content in _owners(document, part, path):
        origin = Origin(document.origin.text, document.origin.layers, within)
        try:
            content = dict(part.make(content))
        except ValueError as error:
            problems.add(origin, within, str(error))
            continue
        kind = kind_of(content, kinds, origin, problems)
        if kind is not None:
            yield Document(origin, kind, str(content["metadata"]["name"]), content)


def _owners(document: Document, part: Part, path: Path) -> Iterator[tuple[Path, Any]]:
    if not part.each:
        yield path, document.content
        return
    for place, item in enumerate(document.spec[part.field]):
        spec = {**document.spec, part.field: item}
        yield (*path, place), {**document.content, "spec": spec}


def typed_kind(kind: Kind, spec: Mapping[str, Any]) -> Kind:
    """The kind itself, or for any ARM resource the kind of the type it names."""
    if not kind.verbatim or type(spec.get("type")) is not str:
        return kind
    try:
        return typed(spec["type"])
    except ValueError:
        return kind  # the pattern of the field tells


class Builder:
    """Makes the resources of one environment, once everybody's address is known."""

    def __init__(self, environment: Environment, estate: Estate, problems: Problems) -> None:
        self._environment = environment
        self._estate = estate
        self._problems = problems
        self._needs: dict[frozenset[Key], frozenset[Key]] = {}
        self._aside: dict[str, frozenset[str]] = {}

    def build(self, member: Declared) -> Resource | None:
        """The resource, or None when something about it was told."""
        document, before = member.document, len(self._problems)
        self._depend(member)
        properties = self._properties(member)
        lifecycle = lifecycle_of(document, self._problems)
        verify = verify_of(document, self._problems)
        if len(self._problems) > before or member.place is None:
            return None
        needs = frozenset(member.needs)
        return Resource(
            key=member.key,
            arm_id=member.arm_id,
            api_version=member.place.api_version,
            properties=properties,
            needs=self._needs.setdefault(needs, needs),
            source=member.source,
            lifecycle=lifecycle,
            verify=verify,
        )

    def _depend(self, member: Declared) -> None:
        for place, written in enumerate(member.document.content["metadata"].get("dependsOn", ())):
            path = ("metadata", "dependsOn", place)
            self._estate.find_or_tell(member, written, (), "dependsOn", path)

    def _properties(self, member: Declared) -> Mapping[str, Any]:
        kind, spec = member.document.kind, member.document.spec
        aside = self._not_its_own(kind)
        written = {name: item for name, item in spec.items() if name not in aside}
        self._add_location(member, written)
        if kind.prepare is not as_written:
            prepared = self._prepared(member, written)
            if prepared is None:
                return written
            written = prepared
        meaning = Meaning(member, self._estate, self._problems)
        properties = self._checked(
            member, written, Validator(self._problems, member.document.origin, meaning)
        )
        if kind.identity and member.place is not None and member.place.field in kind.identity:
            return {member.place.field: member.parent_id, **properties}
        return properties

    def _prepared(self, member: Declared, written: dict[str, Any]) -> dict[str, Any] | None:
        """What ``prepare`` makes of what was written, if that is in order."""
        before, origin = len(self._problems), member.document.origin
        self._checked(member, written, Validator(self._problems, origin, _AsWritten()))
        if len(self._problems) > before:
            return None
        try:
            return dict(member.document.kind.prepare(written, self._environment.subscription))
        except ValueError as error:
            self._problems.lacks(origin, ("spec",), str(error))
            return None

    def _not_its_own(self, kind: Kind) -> frozenset[str]:
        """Fields of a spec that say where the resource lives or stand for other resources."""
        if kind.name not in self._aside:
            fields = {place.field for place in kind.places} | {part.field for part in kind.parts}
            self._aside[kind.name] = frozenset(fields)
        return self._aside[kind.name]

    def _checked(
        self, member: Declared, written: dict[str, Any], validator: Validator
    ) -> dict[str, Any]:
        kind = member.document.kind
        return validator.shaped(written, kind.shape, ("spec",), self._not_its_own(kind))

    def _add_location(self, member: Declared, written: dict[str, Any]) -> None:
        field = member.document.kind.fields.get("location")
        if field is None or "location" in written or not isinstance(field.shape, Scalar):
            return
        fixed = field.default is not ABSENT
        written["location"] = field.default if fixed else location_of(member, self._environment)
