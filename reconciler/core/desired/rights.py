"""What a pull request cannot change for its own plan: where an environment is, and what may be done
there. All that comes from the branch it is to be merged into."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Final

from reconciler.core.desired.environment import Environment

RIGHTS: Final[Mapping[str, str]] = {
    "subscription": "subscription",
    "resource_group": "resourceGroup",
    "prune": "prune",
    "self_heal": "selfHeal",
    "policy": "policy",
    "suspend": "suspend",
    "windows": "windows",
    "apply": "apply",
}
"""As the environment's file calls them."""


def with_rights_of(changed: Environment, branch: Environment) -> Environment:
    """The changed environment with the rights that it has on the branch."""
    return replace(changed, **{name: getattr(branch, name) for name in RIGHTS})


def rights_changed(changed: Environment, branch: Environment) -> tuple[str, ...]:
    """The rights that differ, by their names in the file."""
    return tuple(
        word for name, word in RIGHTS.items() if getattr(changed, name) != getattr(branch, name)
    )
