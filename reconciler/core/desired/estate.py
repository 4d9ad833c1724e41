"""All documents of an environment by name: who stands where, and who is meant by a name."""

from collections.abc import Iterable, Iterator, Mapping
from typing import Final

from reconciler.core import arm
from reconciler.core.desired.address import child_id, front, group_id, is_arm_id, name_refusal
from reconciler.core.desired.declared import GROUP, Absent, Declared, Found, NotFound
from reconciler.core.desired.document import Document
from reconciler.core.desired.environment import Environment
from reconciler.core.desired.nearest import mistyped, nearest
from reconciler.core.desired.problems import Problems
from reconciler.core.desired.written import matches
from reconciler.core.kinds.kind import Kind, Place
from reconciler.core.model import NOTHING, Json, Key, Path

PATIENCE: Final = 200_000
"""Names that are compared, all errors together, to find the one that was meant."""
MAX_LEVELS: Final = 16
"""Of resources inside one another; Azure has no more than a handful."""
SHOWN: Final = 5
"""Places that one message lists."""


class Estate:
    """Everything that one environment declares."""

    def __init__(
        self,
        documents: Iterable[Document],
        environment: Environment,
        kinds: Mapping[str, Kind],
        problems: Problems,
        elsewhere: Mapping[tuple[str, str], str],
    ) -> None:
        self._environment = environment
        self._kinds = kinds
        self._problems = problems
        self._elsewhere = elsewhere
        self.members = [Declared(one, Key(one.kind.name, (one.name,))) for one in documents]
        self._by_name: dict[tuple[str, str], list[Declared]] = {}
        self._by_type: dict[tuple[str, str], list[Declared]] = {}
        self._ids: dict[str, Declared] = {}
        self._tails: dict[str, dict[tuple[str, ...], list[Declared]]] = {}
        self._children: dict[tuple[str, str], dict[str, Declared]] = {}
        self._depth = 0
        self._patience = PATIENCE
        for member in self.members:
            name = member.document.name.lower()
            self._by_name.setdefault((member.key.kind, name), []).append(member)
            for place in member.document.kind.places:
                self._by_type.setdefault((place.arm_type.lower(), name), []).append(member)
        self._home = group_id(environment.subscription, environment.resource_group)

    def address(self, member: Declared) -> Declared:
        """The member with its key and ids filled in; what stands in the way is told, once."""
        if member.asked:
            return member
        if self._depth >= MAX_LEVELS:
            raise NotFound(f"resources are nested deeper than {MAX_LEVELS} levels")
        member.asked = True
        self._check_name(member.document)
        place = self._place(member.document)
        if place is None:
            return member
        member.place = place
        self._depth += 1
        try:
            self._settle(member, place, self._parent(member.document, place))
        except NotFound as error:
            self._tell(member, ("spec", place.field), error)
        except ValueError as error:
            self._problems.add(member.document.origin, ("metadata", "name"), str(error))
        finally:
            self._depth -= 1
        return member

    def _settle(self, member: Declared, place: Place, parent: Found) -> None:
        member.parent, member.parent_id = parent.declared, parent.arm_id
        if parent.declared is not None:
            member.needs.add(parent.declared.key)
        kind, name = member.document.kind, member.document.name
        if kind.identity or not parent.arm_id:  # without an id the parent's problem is told
            return
        if kind.name == GROUP:
            member.arm_id = group_id(self._environment.subscription, name)
            self._ids.setdefault(member.arm_id.lower(), member)
            return
        member.arm_id = child_id(parent.arm_id, _type(parent), place.arm_type, name)
        member.key = Key(kind.name, (*self._front(parent), name))
        self._ids.setdefault(member.arm_id.lower(), member)

    def _front(self, parent: Found) -> tuple[str, ...]:
        if parent.declared is not None and parent.declared.key.kind != GROUP:
            return parent.declared.key.path
        if parent.arm_id == self._home:
            return ()
        return front(
            parent.arm_id, self._environment.subscription, self._environment.resource_group
        )

    def _check_name(self, document: Document) -> None:
        rules, name = document.kind.names, document.name
        wrong = name_refusal(name) or not rules.shortest <= len(name) <= rules.longest
        if wrong or (rules.pattern and not matches(rules.pattern, name)):
            why = rules.hint or name_refusal(name)
            why = why or f"{rules.shortest} to {rules.longest} characters"
            message = f'Azure takes no {document.kind.name} named "{name[:80]}": {why}'
            self._problems.add(document.origin, ("metadata", "name"), message)

    def _place(self, document: Document) -> Place | None:
        """Where the document says it lives."""
        places, spec = document.kind.places, document.spec
        named = [place for place in places if place.field in spec]
        if len(named) == 1:
            return named[0]
        if len(named) > 1:
            words = " and ".join(place.field for place in named)
            self._problems.add(
                document.origin, ("spec", named[1].field), f"{words}: only one", "key"
            )
            return None
        verbatim = document.kind.verbatim
        default = [p for p in places if verbatim or not p.field or p.parent == GROUP]
        if default:
            return default[0]
        words = " or ".join(f"spec.{place.field}" for place in places)
        message = f"{words} is missing: where this {document.kind.name} belongs"
        self._problems.lacks(document.origin, ("spec",), message)
        return None

    def _parent(self, document: Document, place: Place) -> Found:
        environment = self._environment
        if not place.field:
            return Found(f"/subscriptions/{environment.subscription}")
        if place.field not in document.spec:
            return self._home_group()
        written = document.spec[place.field]
        if type(written) is not str:
            raise NotFound(f"spec.{place.field} must be the name or the ARM id of its parent")
        found = self.find(written, (place.parent,) if place.parent else (), place.field)
        self._check_type(found, place, written)
        return found

    def _home_group(self) -> Found:
        group = self._by_name.get((GROUP, self._environment.resource_group.lower()))
        return Found(self._home, self.address(group[0]) if group else None)

    def _check_type(self, found: Found, place: Place, written: str) -> None:
        wanted = self._kinds.get(place.parent)
        if found.declared is not None or not place.parent:
            return
        types = {one.arm_type.lower() for one in wanted.places} if wanted else set()
        if types and arm.type_of(found.arm_id).lower() not in types:
            raise NotFound(f'"{written[:200]}" is no id of {_a(place.parent)}')

    def find(self, text: str, kinds: tuple[str, ...], noun: str) -> Found:
        """Who is meant by a name, ``parent/name``, ``Kind/name`` or ARM id; raises NotFound.

        ``kinds`` are those that may be meant; none: any, and then the kind must be said.
        """
        if text.startswith("/"):
            return self._by_id(text, noun)
        first, _, rest = text.partition("/")
        if rest and first in self._kinds and first not in (kinds or self._kinds):
            raise NotFound(f'{noun} "{text[:80]}": {_a(_or(kinds))} is wanted here')
        if rest and first in self._kinds:
            return self._by_path(text, rest, (first,), noun)
        if not kinds:
            named = (kind for kind in self._kinds if (kind, text.lower()) in self._by_name)
            example = f"{next(named, 'Account')}/{text[:80]}"
            raise NotFound(f'{noun} "{text[:80]}": say its kind, as in {example}')
        return self._by_path(text, text, kinds, noun)

    def _by_id(self, text: str, noun: str) -> Found:
        if not is_arm_id(text):
            raise NotFound(f'{noun} "{text[:200]}" is not an ARM id')
        lowered = text.lower()
        names = arm.names_of(lowered)
        for name in (names[-1], ":".join(names[-2:])):
            # Whoever may be meant gets its address, once, and is then found by its id.
            for member in self._by_type.pop((arm.type_of(lowered), name), ()):
                self.address(member)
        known = self._ids.get(lowered)
        return Found(text) if known is None else Found(known.arm_id, known)

    def _by_path(self, text: str, path: str, kinds: tuple[str, ...], noun: str) -> Found:
        names = tuple(path.lower().split("/"))
        found = [one for kind in kinds for one in self._ending(kind, names)]
        if len(found) == 1:
            return Found(self.address(found[0]).arm_id, found[0])
        if found:
            shown = [f"{self.address(one).key} ({one.source})" for one in found[:SHOWN]]
            places = ", ".join(shown) + (" or another one" if len(found) > SHOWN else "")
            raise NotFound(f'{noun} "{text[:80]}" may be {places}: say which, as parent/name')
        if GROUP in kinds and path.lower() == self._environment.resource_group.lower():
            return Found(self._home)
        raise Absent(self._absent(text, path, kinds, noun))

    def _ending(self, kind: str, names: tuple[str, ...]) -> list[Declared]:
        """The members of a kind whose lower-cased names, parents first, end so."""
        same = self._by_name.get((kind, names[-1]), [])
        if len(names) == 1 or len(same) <= SHOWN or self._kinds[kind].verbatim:
            return [one for one in same if _ends_with(self.address(one).key.path, names)]
        if kind not in self._tails:
            tails = self._tails[kind] = {}
            for one in self._of_kind(kind):
                path = tuple(name.lower() for name in self.address(one).key.path)
                for start in range(len(path) - 1):
                    tails.setdefault(path[start:], []).append(one)
        return self._tails[kind].get(names, [])

    def _absent(self, text: str, path: str, kinds: tuple[str, ...], noun: str) -> str:
        message = f'{noun} "{text[:80]}" is declared nowhere'
        for kind in kinds:
            other = self._elsewhere.get((kind, path.rpartition("/")[2].lower()))
            if other:
                return f"{message} in environment {self._environment.name} (only in {other})"
        known = {one.document.name: one for kind in kinds for one in self._of_kind(kind)}
        self._patience -= len(known)
        if self._patience < 0:
            return message
        near = nearest(path.rpartition("/")[2], known)
        return f'{message}, did you mean "{near}" ({known[near].source})?' if near else message

    def child(self, parent: str, kind: str, name: str) -> Declared | None:
        """The member of a kind and name below a parent (by id), whatever the letter case."""
        return self._below(parent.lower(), kind).get(name.lower())

    def mistyped(self, text: str, kinds: tuple[str, ...], parent: str) -> str:
        """The member below a parent (a lower-cased id) that a name is a slip of, in words."""
        known = {name: one for kind in kinds for name, one in self._below(parent, kind).items()}
        near = mistyped(text, known) if known else None
        return f'"{known[near].document.name}" ({known[near].source})' if near else ""

    def _below(self, parent: str, kind: str) -> Mapping[str, Declared]:
        """The members of a kind below a parent, by name. All addresses are known by now."""
        if not self._children:
            for one in self.members:
                place = (self.address(one).parent_id.lower(), one.key.kind)
                self._children.setdefault(place, {})[one.document.name.lower()] = one
        return self._children.get((parent, kind), NOTHING)

    def _of_kind(self, kind: str) -> Iterator[Declared]:
        return (one for one in self.members if one.key.kind == kind)

    def find_or_tell(
        self, member: Declared, text: Json, kinds: tuple[str, ...], noun: str, path: Path
    ) -> Found | None:
        """``find`` on behalf of a member: it needs who is found, and problems are told."""
        try:
            if type(text) is not str:
                raise NotFound(f"{noun} must be a name, Kind/name or an ARM id")
            found = self.find(text, kinds, noun)
        except NotFound as error:
            self._tell(member, path, error)
            return None
        if found.declared is not None:
            member.needs.add(found.declared.key)
        return found

    def _tell(self, member: Declared, path: Path, error: NotFound) -> None:
        # What a file that cannot be read declares is not known: it may well be there.
        if not (self._problems.incomplete and isinstance(error, Absent)):
            self._problems.add(member.document.origin, path, str(error))


def _ends_with(path: tuple[str, ...], names: tuple[str, ...]) -> bool:
    return tuple(one.lower() for one in path[-len(names) :]) == names


def _type(parent: Found) -> str:
    place = parent.declared.place if parent.declared is not None else None
    return place.arm_type if place is not None else arm.type_of(parent.arm_id)


def _a(word: str) -> str:
    return f"{'an' if word[:1] in 'AEIO' else 'a'} {word}"


def _or(words: tuple[str, ...]) -> str:
    return " or ".join(words)
