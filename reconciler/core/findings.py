"""What a plan is made from, and what comparing finds before it is ordered."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from reconciler.core.model import (
    NOTHING,
    Check,
    Key,
    Resource,
)
from reconciler.core.steps import Intent


@dataclass(frozen=True)
class Wanted:
    """What one environment asks for."""

    environment: str
    commit: str
    resources: tuple[Resource, ...]
    prune: bool = False
    resource_group: str = ""
    """The environment's own; names inside it are shown without it."""
    only: tuple[str, ...] = ()
    """Patterns over ``Kind/name``; what fits none, and is needed by none that does, is left as it
    is. None: everything."""
    shared: Mapping[str, str] = NOTHING
    """Lower-cased ARM ids of owned resources that another environment owns too, and its name."""


@dataclass
class Findings:
    """What comparing produced, before it is ordered."""

    intents: list[Intent] = field(default_factory=list)
    checks: list[Check] = field(default_factory=list)
    adopted: list[Key] = field(default_factory=list)
    unchanged: int = 0
