"""Bodies: taken apart, merged, turned into text."""

from __future__ import annotations

import json
from copy import deepcopy
from typing import Any

from reconciler.local.azure import errors
from reconciler.local.azure.model import JSON, Resource


def encoded(resource: Resource) -> bytes:
    """The resource as JSON text, made once per change."""
    if resource.encoded is None:
        resource.encoded = json.dumps(resource.body, separators=(",", ":")).encode()
    return resource.encoded


def merge(before: JSON, changes: JSON) -> JSON:
    """PATCH as most types do it: top-level members replaced, `properties` merged, null removes."""
    result = deepcopy(before)
    for name, value in changes.items():
        if name == "properties" and isinstance(value, dict):
            result["properties"] = merge_patch(result.get("properties") or {}, value)
        elif value is None:
            result.pop(name, None)
        else:
            result[name] = deepcopy(value)
    return result


def merge_patch(before: JSON, changes: JSON) -> JSON:
    """RFC 7386: merged at every depth, null removes."""
    result = dict(before)
    for name, value in changes.items():
        if value is None:
            result.pop(name, None)
        elif isinstance(value, dict) and isinstance(result.get(name), dict):
            result[name] = merge_patch(result[name], value)
        else:
            result[name] = deepcopy(value)
    return result


def as_object(body: Any) -> JSON:
    """The body of a PUT or PATCH, which must be a JSON object."""
    if not isinstance(body, dict):
        raise errors.bad_content("the body is not a JSON object")
    return body
