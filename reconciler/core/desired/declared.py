"""A document at its address, and how one is found."""

from dataclasses import dataclass, field
from typing import Final

from reconciler.core.desired.document import Document
from reconciler.core.desired.environment import Environment
from reconciler.core.kinds.kind import Place
from reconciler.core.model import Json, Key

GROUP: Final = "ResourceGroup"


class NotFound(Exception):
    """A name that means nothing, or too much; the message is for the author."""


class Absent(NotFound):
    """Nothing of that name is declared."""


@dataclass(eq=False, slots=True)
class Declared:
    """A document and its address."""

    document: Document
    key: Key
    place: Place | None = None
    arm_id: str = ""
    parent: "Declared | None" = None
    parent_id: str = ""
    needs: set[Key] = field(default_factory=set)
    asked: bool = False
    """Its address was looked for (and found, or its problem told)."""

    @property
    def source(self) -> str:
        return self.document.origin.source


@dataclass(frozen=True, slots=True)
class Found:
    """Who is meant: a declared resource, or one that only has an id."""

    arm_id: str
    declared: Declared | None = None


def location_of(member: Declared, environment: Environment) -> Json:
    """The region a resource goes to when it names none: its parent's, or the environment's."""
    parent = member.parent
    if parent is None or parent.key.kind == GROUP:
        return environment.location
    return parent.document.spec.get("location") or location_of(parent, environment)
