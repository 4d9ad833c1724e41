"""Spec text → resources: pure, from a mapping of paths to texts.

plain, yaml_text   text → values, within limits
position, problems where things stand, and every error at once
document, environment, overlay   what is written, and how it differs from place to place
written, validate   values against the shapes of their fields
address, declared, estate, meaning   who is meant by a name, and where everybody stands
resource           all of that → resources
rights             what a pull request cannot change for its own plan
parse              the way through all of them
"""

from reconciler.core.desired.environment import Environment, Suspension
from reconciler.core.desired.parse import Desired, environments, members, parse, parse_all
from reconciler.core.desired.position import locate

__all__ = [
    "Desired",
    "Environment",
    "Suspension",
    "environments",
    "locate",
    "members",
    "parse",
    "parse_all",
]
