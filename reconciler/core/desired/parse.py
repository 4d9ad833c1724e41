"""Specs as text → what one environment wants, or every error of every file at once."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from graphlib import CycleError, TopologicalSorter
from typing import Any

from reconciler.core.desired.declared import Declared
from reconciler.core.desired.document import Document, check_envelope, kind_of
from reconciler.core.desired.environment import (
    FOLDER,
    Environment,
    environment_of,
    included,
    root_of,
)
from reconciler.core.desired.estate import Estate
from reconciler.core.desired.nearest import nearest
from reconciler.core.desired.overlay import Overlay
from reconciler.core.desired.problems import Enough, Origin, Problems
from reconciler.core.desired.resource import Builder, parts_of, typed_kind
from reconciler.core.desired.rights import with_rights_of
from reconciler.core.desired.yaml_text import MAX_DOCUMENTS, Budget, Text, read_text
from reconciler.core.errors import SpecError
from reconciler.core.kinds import KINDS, Kind
from reconciler.core.model import Key, Resource


@dataclass(frozen=True, slots=True)
class Desired:
    """What one environment's specs ask for, references resolved."""

    environment: Environment
    resources: tuple[Resource, ...]


def parse(
    files: Mapping[str, str],
    environment: str,
    kinds: Mapping[str, Kind] = KINDS,
    *,
    rights: Environment | None = None,
) -> Desired:
    """What ``environment`` wants, from texts by path (``specs/models/chat.yaml``).

    ``rights``: the environment as somebody else declares it, who says where it is and what may be
    done there. Raises SpecErrors with everything that is wrong in any file of the environment, and
    every unreadable text of the whole folder.
    """
    specs = _Specs(files, kinds)
    with specs:
        chosen = specs.environment(environment)
        if chosen and rights:
            chosen = (with_rights_of(chosen[0], rights), chosen[1])
        desired = specs.desired(*chosen) if chosen else None
    specs.problems.raise_any()
    assert desired is not None
    return desired


def parse_all(files: Mapping[str, str], kinds: Mapping[str, Kind] = KINDS) -> tuple[Desired, ...]:
    """What every environment wants; raises SpecErrors, an error of several environments once."""
    specs = _Specs(files, kinds)
    desired: list[Desired] = []
    with specs:
        specs.require_environments()
        desired += [specs.desired(*one) for one in specs.environments]
    specs.problems.raise_any()
    return tuple(desired)


def environments(files: Mapping[str, str]) -> tuple[Environment, ...]:
    """Every environment that is declared, by name; raises SpecErrors for their files alone."""
    inside = f"{root_of(files)}/{FOLDER}/".lstrip("/")
    specs = _Specs({path: text for path, text in files.items() if path.startswith(inside)}, {})
    specs.problems.raise_any()
    return tuple(environment for environment, _ in specs.environments)


def members(files: Mapping[str, str]) -> Mapping[str, frozenset[str]]:
    """The paths that each environment is made of, its own file among them; raises SpecErrors for
    the files of environments alone."""
    inside = f"{root_of(files)}/{FOLDER}/".lstrip("/")
    specs = _Specs({path: text for path, text in files.items() if path.startswith(inside)}, {})
    specs.problems.raise_any()
    found: dict[str, frozenset[str]] = {}
    with specs:  # patterns that match nothing are told by whoever parses the environment
        for one, text in specs.environments:
            found[one.name] = included(one, Origin(text), files, specs.problems) | {text.file}
    return found


class _Specs:
    """All texts, read once; as a context it ends quietly when there are too many problems."""

    def __init__(self, files: Mapping[str, str], kinds: Mapping[str, Kind]) -> None:
        self.files = {
            path: files[path] for path in sorted(files) if path.endswith((".yaml", ".yml"))
        }
        self.problems = Problems(self.files)
        self.environments: list[tuple[Environment, Text]] = []
        self._kinds = kinds
        self._texts: list[Text] = []
        with self:
            self._read()

    def __enter__(self) -> "_Specs":
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> bool:
        return kind is Enough

    def _read(self) -> None:
        budget = Budget()
        inside = f"{root_of(self.files)}/{FOLDER}/".lstrip("/")
        targets: list[Text] = []
        for path, text in self.files.items():
            texts, errors, whole = read_text(path, text, budget)
            self.problems.tell(errors)
            self.problems.incomplete |= not whole
            (targets if path.startswith(inside) else self._texts).extend(
                one for one in texts if one.value is not None
            )
        for one in targets:
            self._add_environment(one)

    def _add_environment(self, one: Text) -> None:
        environment = environment_of(one, self.problems)
        if environment is None:
            self.problems.incomplete = True
            return
        for other, _ in self.environments:
            if other.name.lower() == environment.name.lower():
                message = f"environment {environment.name} is declared twice: also {other.source}"
                self.problems.add(Origin(one), ("metadata", "name"), message)
                return
        self.environments.append((environment, one))
        self.environments.sort(key=lambda pair: pair[0].name)

    def require_environments(self) -> None:
        if not self.environments and not self.problems:
            message = f"no environment is declared: write one, such as {self._example('dev')}"
            self.problems.tell([SpecError("", message)])

    def environment(self, name: str) -> tuple[Environment, Text] | None:
        """The environment of that name; None, told, when there is none."""
        for one in self.environments:
            if one[0].name == name:
                return one
        self.require_environments()
        if not self.problems:
            known = {environment.name: environment for environment, _ in self.environments}
            near = nearest(name, known)
            hint = (
                f', did you mean "{near}" ({known[near].source})?'
                if near
                else (f": there is {', '.join(sorted(known))}")
            )
            message = f'environment "{name[:80]}" is declared nowhere{hint}'
            self.problems.tell([SpecError("", message)])
        return None

    def _example(self, name: str) -> str:
        return f"{root_of(self.files) or '.'}/{FOLDER}/{name}.yaml"

    def desired(self, environment: Environment, text: Text) -> Desired:
        """Everything in one environment; problems are told."""
        problems = self.problems
        chosen = included(environment, Origin(text), self.files, problems)
        overlay = Overlay(environment, text, problems, self._kinds)
        elsewhere: dict[tuple[str, str], str] = {}
        documents = list(self._documents(chosen, overlay, elsewhere))
        overlay.finish()
        parts = self._parts(documents)
        everyone = [*documents, *(part for several in parts for part in several)]
        estate = Estate(everyone, environment, self._kinds, problems, elsewhere)
        members = [estate.address(one) for one in estate.members]
        self._relate(members, parts)
        self._refuse_twins(members)
        builder = Builder(environment, estate, problems)
        built = [builder.build(one) for one in members]
        resources = tuple(sorted((one for one in built if one), key=lambda one: one.key))
        self._refuse_cycles(members)
        others = tuple(one.name for one, _ in self.environments if one.name != environment.name)
        return Desired(replace(environment, others=others), resources)

    def _parts(self, documents: list[Document]) -> list[list[Document]]:
        """What fields of each document stand for, as documents."""
        parts: list[list[Document]] = []
        count = len(documents)
        for one in documents:
            parts.append(parts_of(one, self._kinds, self.problems))
            count += len(parts[-1])
            if count > MAX_DOCUMENTS:
                message = f"there are more than {MAX_DOCUMENTS:,} resources"
                self.problems.add(one.origin, ("spec",), message)
                raise Enough
        return parts

    def _documents(
        self, chosen: frozenset[str], overlay: Overlay, elsewhere: dict[tuple[str, str], str]
    ) -> Iterator[Document]:
        """The documents of an environment as they are there; of the others, where they are."""
        for text in self._texts:
            origin, content = Origin(text), text.value
            if text.file not in chosen:
                _note(content, origin, elsewhere)
                continue
            if _can_be_laid(content):
                content, origin = overlay.lay(content, origin)
            if not check_envelope(content, origin, self.problems):
                if not _can_be_laid(content):
                    self.problems.incomplete = True  # it may be what others refer to
                    continue
                # The rest of it is looked at all the same: every error at once.
                content = _bare(content)
            if content.get("enabled") is False:
                _note(content, origin, elsewhere)
            else:
                yield from self._document(content, origin, overlay)

    def _document(
        self, content: dict[str, Any], origin: Origin, overlay: Overlay
    ) -> Iterator[Document]:
        if content["kind"] == "Environment":
            message = f"an Environment belongs in the folder {FOLDER}/ of the specs"
            self.problems.add(origin, ("kind",), message)
            return
        kind = kind_of(content, self._kinds, origin, self.problems)
        if kind is None:
            self.problems.incomplete = True  # it may be what others refer to
            return
        one = Document(origin, kind, content["metadata"]["name"], content)
        one.kind = typed_kind(kind, one.spec)
        spec = overlay.tag(one.spec, kind)
        if spec is not one.spec:
            one.content = {**content, "spec": spec}
        yield one

    def _relate(self, members: list[Declared], parts: list[list[Document]]) -> None:
        """An owner needs the parts that come first; the other parts need their owner."""
        by_document = {id(one.document): one for one in members}
        for owner, several in zip(members, parts, strict=False):
            for document in several:
                field = document.origin.within[1]
                part = by_document[id(document)]
                first = next(p.first for p in owner.document.kind.parts if p.field == field)
                one, other = (owner, part) if first else (part, owner)
                one.needs.add(other.key)

    def _refuse_twins(self, members: list[Declared]) -> None:
        seen: dict[object, Declared] = {}
        for one in members:
            path = tuple(name.lower() for name in one.key.path)
            for identity in ((one.key.kind, path), one.arm_id.lower() or id(one)):
                other = seen.setdefault(identity, one)
                if other is not one:
                    self._refuse_twin(one, other)
                    break

    def _refuse_twin(self, one: Declared, other: Declared) -> None:
        same = one.key == other.key
        what = f"{one.key} is declared twice: also at {other.source}"
        if not same and one.key.kind == other.key.kind:
            what = f"{one.key} and {other.key} ({other.source}) differ in letter case only"
        elif not same:
            what = f"{one.key} is the resource that {other.key} is ({other.source})"
        self.problems.add(one.document.origin, ("metadata", "name"), what)

    def _refuse_cycles(self, members: list[Declared]) -> None:
        graph: TopologicalSorter[Key] = TopologicalSorter({one.key: one.needs for one in members})
        try:
            graph.prepare()
        except CycleError as error:
            cycle: list[Key] = error.args[1]
            words = " → ".join(str(key) for key in reversed(cycle))
            one = next(member for member in members if member.key == cycle[0])
            message = f"none of these can be first, each needs the next: {words}"
            self.problems.add(one.document.origin, ("metadata", "name"), message)


def _can_be_laid(content: object) -> bool:
    """Whether a document has enough for patches and values to be laid over it."""
    if type(content) is not dict:
        return False
    metadata = content.get("metadata")
    return (
        type(content.get("kind")) is str
        and type(content.get("spec")) is dict
        and type(metadata) is dict
        and type(metadata.get("name")) is str
    )


def _bare(content: Mapping[str, Any]) -> dict[str, Any]:
    """A document without what its envelope may have wrong."""
    name = content["metadata"]["name"]
    return {"kind": content["kind"], "metadata": {"name": name}, "spec": content["spec"]}


def _note(content: object, origin: Origin, elsewhere: dict[tuple[str, str], str]) -> None:
    if _can_be_laid(content):
        assert isinstance(content, dict)
        off = " where it is not enabled" if content.get("enabled") is False else ""
        key = (content["kind"], content["metadata"]["name"].lower())
        elsewhere.setdefault(key, f"{origin.source}{off}")
