"""Where a field stands in its file: found only when an error or a check needs to say so."""

import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Final, Literal

import yaml

from reconciler.core.model import Path

type Spot = Literal["key", "value"]

_STEP: Final = re.compile(r"\[(\d+)\]|([^.\[\]]+)")


def nodes_of(text: str, indexes: Iterable[int]) -> dict[int, Any]:
    """The composed documents of a text that was read before, by index."""
    wanted = set(indexes)
    loader = yaml.CBaseLoader(text.removeprefix("\ufeff"))
    found: dict[int, Any] = {}
    try:
        index = 0
        while wanted and loader.check_node():
            node = loader.get_node()
            if index in wanted:
                wanted.discard(index)
                found[index] = node
            index += 1
    finally:
        loader.dispose()
    return found


def _at_line(text: str, line: int) -> Any:
    """The document whose first key stands on ``line``."""
    loader = yaml.CBaseLoader(text.removeprefix("\ufeff"))
    try:
        while loader.check_node():
            node: Any = loader.get_node()
            if node.start_mark.line + 1 == line and isinstance(node, yaml.MappingNode):
                return node
        return None
    except yaml.YAMLError:
        return None
    finally:
        loader.dispose()


def find(node: Any, path: Path, spot: Spot) -> tuple[int, int]:
    """Line and column (from 1) of a field's key or value; of what holds it when it is not there."""
    mark = node.start_mark
    for step in path:
        pair = _child(node, step)
        if pair is None:
            break
        key, node = pair
        mark = key.start_mark
    else:
        mark = node.start_mark if spot == "value" else mark
    return mark.line + 1, mark.column + 1


def _child(node: Any, step: str | int) -> tuple[Any, Any] | None:
    if isinstance(node, yaml.SequenceNode):
        if isinstance(step, int) and step < len(node.value):
            return node.value[step], node.value[step]
        return None
    if isinstance(node, yaml.MappingNode):
        return next(((k, v) for k, v in node.value if k.value == step), None)
    return None


def locate(files: Mapping[str, str], source: str, path: Path | str = ()) -> str:
    """``file:line:column`` of a field of the document at ``source`` (``file:line``).

    ``path`` is ``spec.sku.capacity`` or its steps. What is not written is placed where it would
    be; a source that is no document's is given back with column 1.
    """
    file, _, line = source.rpartition(":")
    found = _at_line(files[file], int(line)) if file in files and line.isdecimal() else None
    if found is None:
        return f"{source}:1" if source else ""
    where = steps(path) if isinstance(path, str) and path else path
    row, column = find(found, tuple(where), "key")
    return f"{file}:{row}:{column}"


def holds(content: Any, path: Path) -> bool:
    """Whether a value has something at ``path``."""
    for step in path:
        listed = isinstance(content, list) and isinstance(step, int) and step < len(content)
        if not listed and not (isinstance(content, Mapping) and step in content):
            return False
        content = content[step]
    return True


def steps(dotted: str) -> Path:
    """``spec.rules[0].name`` → ``("spec", "rules", 0, "name")``; raises ValueError."""
    path: list[str | int] = []
    for place, name in _pieces(dotted):
        path.append(int(place) if place else name)
    return tuple(path)


def _pieces(dotted: str) -> Iterator[tuple[str, str]]:
    if not re.fullmatch(r"[^.\[\]]+(\.[^.\[\]]+|\[\d{1,6}\])*", dotted):
        raise ValueError(f'"{dotted[:80]}" is not a path such as spec.sku.capacity')
    for match in _STEP.finditer(dotted):
        yield match[1] or "", match[2] or ""
