"""When two spellings of a scalar are the same value.

Azure rewrites what it is sent: letter case of enums and ids, blanks in regions, milliseconds of
timestamps. Each ``Sameness`` of a schema undoes one such habit.
"""

import json
import re
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any, Final

import yaml

from reconciler.core.model import ABSENT, Json, Marker
from reconciler.core.schema import Sameness

_SIZED: Final = (str, list, tuple, Mapping)


def blank(value: Json) -> bool:
    """Absent, ``null``, ``""``, ``{}`` and ``[]`` are the same to Azure.

    Seen in recorded traffic of Azure/azure-service-operator and Azure/azure-cli: ``tags: null``
    comes back as ``{}``, an empty map as ``null``, an empty list not at all.
    """
    if value is None or value is ABSENT:
        return True
    return not value and isinstance(value, _SIZED)


def same(how: Sameness, want: Json, have: Json) -> bool:
    """Whether ``have`` is only another spelling of ``want``."""
    if want is have:
        return True
    if isinstance(want, Marker) or isinstance(have, Marker):
        return False
    if isinstance(want, bool) or isinstance(have, bool):
        return bool(_truth(want) == _truth(have))
    if want == have:
        return True
    rule = RULES.get(how)
    if rule is None:
        return False
    return bool(rule(want) == rule(have))


def caseless(value: Json) -> Json:
    return value.lower() if isinstance(value, str) else value


def region(value: Json) -> Json:
    """``East US 2`` → ``eastus2``."""
    return value.replace(" ", "").lower() if isinstance(value, str) else value


def arm_id(value: Json) -> Json:
    """Ids differ in case and in a slash at either end; ``azureml://`` references likewise.

    A role definition is the same with and without the subscription it was looked up in.
    """
    if not isinstance(value, str):
        return value
    text = value.strip("/").lower()
    _, marker, role = text.rpartition(ROLES)
    return marker + role if marker else text


def identity_type(value: Json) -> Json:
    """``SystemAssigned,UserAssigned`` in any order, with or without blanks."""
    if not isinstance(value, str):
        return value
    return tuple(sorted(part.strip().lower() for part in value.split(",")))


def numeric(value: Json) -> Json:
    """Some services want numbers as strings (autoscale capacities)."""
    if isinstance(value, str):
        try:
            return float(value)
        except ValueError:
            return value
    return value


@lru_cache(maxsize=4096)
def seconds(value: str) -> float | str:
    """An ISO 8601 duration in seconds; the text itself when it is none."""
    match = DURATION.match(value)
    if not match or value in ("P", "PT"):
        return value
    days, hours, minutes, secs = (float(part or 0) for part in match.groups())
    return days * 86400 + hours * 3600 + minutes * 60 + secs


def instant(value: Json) -> Json:
    """A timestamp as a moment: ``…T00:00:00.000Z`` and ``…T00:00:00Z`` are one."""
    if not isinstance(value, str):
        return value
    try:
        moment = datetime.fromisoformat(value)
    except ValueError:
        return value
    return moment.replace(tzinfo=moment.tzinfo or UTC).timestamp()


def yaml_text(value: Json) -> Json:
    """YAML that a service stores reformatted, or as JSON, compared by what it says."""
    if not isinstance(value, str):
        return value
    try:
        return json.loads(value)
    except ValueError:
        pass
    try:
        return yaml.load(value, Loader=yaml.CSafeLoader)
    except (yaml.YAMLError, ValueError):
        # ValueError: what looks like a date, and is none (2001-13-45).
        return value


def _truth(value: Json) -> Json:
    """``"true"`` for a boolean is tolerated; a number never is."""
    if isinstance(value, str):
        return {"true": True, "false": False}.get(value.lower(), value)
    return value if isinstance(value, bool) else (value,)


ROLES: Final = "providers/microsoft.authorization/roledefinitions/"

DURATION: Final = re.compile(
    r"^P(?:(\d+(?:\.\d+)?)D)?(?:T(?:(\d+(?:\.\d+)?)H)?(?:(\d+(?:\.\d+)?)M)?(?:(\d+(?:\.\d+)?)S)?)?$"
)

RULES: Final[Mapping[Sameness, Callable[[Any], Any]]] = {
    "caseless": caseless,
    "location": region,
    "arm_id": arm_id,
    "instant": instant,
    "duration": lambda value: seconds(value) if isinstance(value, str) else value,
    "number": numeric,
    "yaml": yaml_text,
    "identity": identity_type,
}
