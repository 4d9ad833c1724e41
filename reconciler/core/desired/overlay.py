"""What an environment does to documents: patches, tags, and values in place of ``${name}``."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import partial
from typing import Any, Final

from reconciler.core.desired.environment import Environment
from reconciler.core.desired.nearest import did_you_mean
from reconciler.core.desired.problems import Layer, Origin, Problems
from reconciler.core.desired.yaml_text import Text
from reconciler.core.kinds.kind import Kind
from reconciler.core.model import Json, Path
from reconciler.core.schema import Map

_HOLE: Final = re.compile(r"\$\$\{|\$\{([^{}]{0,80})\}|\$\{")
_PATCHED: Final = ("metadata", "spec", "lifecycle", "verify", "enabled")


@dataclass(eq=False, slots=True)
class Patch:
    """One entry of an environment's ``patches``, and the documents it found."""

    kind: str
    name: str
    layer: Layer
    found: list[Origin]


class Overlay:
    """An environment, as it is laid over its documents."""

    def __init__(
        self,
        environment: Environment,
        text: Text,
        problems: Problems,
        kinds: Mapping[str, Kind],
    ) -> None:
        self._kinds = kinds
        self._text = text
        self._origin = Origin(text)
        self._problems = problems
        self._plain_files = plain_files(problems.files)
        self._values = _values(environment, self._origin, problems)
        self._patched = {patch["kind"] for patch in environment.patches}
        self._patches: dict[tuple[str, str], list[Patch]] = {}
        for place, patch in enumerate(environment.patches):
            self._add_patch(place, patch)
        self._tags = self._fill(environment.tags, self._origin, ("spec", "tags"))

    def _add_patch(self, place: int, patch: Mapping[str, Any]) -> None:
        name = self._fill(patch["name"], self._origin, ("spec", "patches", place, "name"))
        content = {part: patch[part] for part in _PATCHED if part in patch}
        layer = Layer(content, self._text, ("spec", "patches", place))
        one = Patch(patch["kind"], str(name), layer, [])
        last = one.name.lower().rpartition("/")[2]
        self._patches.setdefault((one.kind, last), []).append(one)

    def lay(self, content: dict[str, Any], origin: Origin) -> tuple[dict[str, Any], Origin]:
        """The document as it is in this environment, and where its parts were written."""
        kind = content["kind"]
        if kind in self._patched:
            name = str(self._fill(content["metadata"]["name"], origin, ("metadata", "name")))
            for patch in self._patches.get((kind, name.lower()), ()):
                if self._meant(patch, content["spec"], origin):
                    patch.found.append(origin)
                    content = _merged(content, patch.layer.content)
                    origin = replace(origin, layers=(*origin.layers, patch.layer))
        if origin.layers or origin.text.file not in self._plain_files:
            content = self._fill(content, origin, ())
        return content, origin

    def _meant(self, patch: Patch, spec: Mapping[str, Any], origin: Origin) -> bool:
        """Whether a document of the patch's kind and name lives where the patch says."""
        parent = patch.name.lower().rpartition("/")[0]
        if not parent:
            return True
        kind = self._kinds.get(patch.kind)
        for place in kind.places if kind else ():
            written = self._fill(spec.get(place.field), origin, ("spec", place.field))
            if f"/{written}".lower().endswith(f"/{parent}"):
                return True
        return False

    def tag(self, spec: dict[str, Any], kind: Kind) -> dict[str, Any]:
        """The spec with the environment's tags under its own."""
        field = kind.fields.get("tags")
        own = spec.get("tags")
        if not self._tags or field is None or not isinstance(field.shape, Map):
            return spec
        if own is None:
            return {**spec, "tags": self._tags}
        if type(own) is not dict:
            return spec
        taken = {name.lower() for name in own}
        added = {name: tag for name, tag in self._tags.items() if name.lower() not in taken}
        return {**spec, "tags": {**added, **own}}

    def finish(self) -> None:
        """Tell of the patches that found no document, or more than one."""
        for patch in (one for several in self._patches.values() for one in several):
            wanted = f"{patch.kind}/{patch.name}"
            path = (*patch.layer.path, "name")
            if not patch.found and not self._problems.incomplete:
                message = f"the patch of {wanted} finds no such document in this environment"
                self._problems.add(self._origin, path, message)
            elif len(patch.found) > 1:
                places = ", ".join(sorted(origin.source for origin in patch.found))
                message = f"{wanted} is several documents: {places}; write parent/name"
                self._problems.add(self._origin, path, message)

    def _fill(self, value: Json, origin: Origin, path: Path) -> Any:
        """The value with every ``${name}`` in its strings replaced."""
        kind = type(value)
        if kind is str:
            return self._fill_text(value, origin, path) if "${" in value else value
        if kind is dict:
            filled = {k: self._fill(v, origin, (*path, k)) for k, v in value.items()}
            return filled if any(filled[k] is not v for k, v in value.items()) else value
        if kind is list:
            items = [self._fill(v, origin, (*path, i)) for i, v in enumerate(value)]
            return (
                items if any(new is not v for new, v in zip(items, value, strict=True)) else value
            )
        return value

    def _fill_text(self, text: str, origin: Origin, path: Path) -> Json:
        return fill(text, self._values, partial(self._problems.add, origin, path))


def fill(text: str, values: Mapping[str, Json], tell: Callable[[str], None]) -> Json:
    """One string filled in: a lone ``${name}`` keeps the type of its value."""
    whole = _HOLE.fullmatch(text)
    if whole and whole[1] is not None:
        return _value(whole, values, tell)
    pieces: list[str] = []
    end = 0
    for hole in _HOLE.finditer(text):
        pieces.append(text[end : hole.start()])
        filled = "${" if hole[0] == "$${" else _value(hole, values, tell)
        pieces.append(str(filled).lower() if isinstance(filled, bool) else str(filled))
        end = hole.end()
    return "".join((*pieces, text[end:]))


def _value(hole: re.Match[str], values: Mapping[str, Json], tell: Callable[[str], None]) -> Json:
    name = hole[1]
    if name is None:
        tell("${ is not closed: write ${name}, or $${ for the characters themselves")
    elif name not in values:
        hint = did_you_mean(name, values) or "; environments set values under spec.values"
        tell(f"${{{name}}} has no value here{hint} ($${{ writes the characters themselves)")
    else:
        return values[name]
    return hole[0]


def _values(
    environment: Environment, origin: Origin, problems: Problems
) -> Mapping[str, str | int | float | bool]:
    """The environment's values and the built-in ones, which its values may use."""
    built_in: dict[str, str | int | float | bool] = {
        "environment": environment.name,
        "location": environment.location,
        "subscription": environment.subscription,
        "resourceGroup": environment.resource_group,
    }
    values = dict(built_in)
    for name, value in environment.values.items():
        path = ("spec", "values", name)
        if name in built_in:
            problems.add(origin, path, f"${{{name}}} is built in: choose another name", "key")
        elif isinstance(value, str) and "${" in value:
            values[name] = fill(value, built_in, partial(problems.add, origin, path))
        else:
            values[name] = value
    return values


def _merged(content: Mapping[str, Any], patch: Mapping[str, Any]) -> dict[str, Any]:
    """Mappings are merged, null removes, anything else replaces."""
    result = dict(content)
    for name, item in patch.items():
        below = result.get(name)
        if item is None:
            result.pop(name, None)
        elif isinstance(item, Mapping):
            result[name] = _merged(below if isinstance(below, Mapping) else {}, item)
        else:
            result[name] = item
    return result


def plain_files(files: Mapping[str, str]) -> frozenset[str]:
    """The files that cannot hold a ``${``, not even as an escape in quotes."""
    return frozenset(path for path, text in files.items() if "${" not in text and "\\" not in text)
