"""Collects every error of every file, and finds their positions in one go at the end."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from reconciler.core.desired import position
from reconciler.core.desired.position import Spot
from reconciler.core.desired.yaml_text import Text
from reconciler.core.errors import SpecError, SpecErrors
from reconciler.core.model import Path

MAX_PROBLEMS = 500
"""More are not told: nobody reads them, and a hostile folder could make millions."""


class Enough(Exception):
    """So many problems that looking for more is of no use."""


@dataclass(frozen=True, slots=True)
class Layer:
    """A patch that was merged onto a document: what it says, and where it is written."""

    content: Mapping[str, Any]
    text: Text
    path: Path


@dataclass(frozen=True, slots=True)
class Origin:
    """Where the content of a document was written: its text, with patches upon it.

    ``within`` is set for a document that was made from a field of another one: its fields are
    looked for there.
    """

    text: Text
    layers: tuple[Layer, ...] = ()
    within: Path = ()

    @property
    def source(self) -> str:
        return f"{self.text.file}:{self.text.line}"

    def written(self, path: Path, *, missing: bool) -> tuple[Text, Path]:
        """The text and path where ``path`` was last written (or, if missing, would be)."""
        path = self.within or path
        if missing and position.holds(self.text.value, path):
            return self.text, path
        for layer in reversed(self.layers):
            if position.holds(layer.content, path):
                return layer.text, layer.path + path
        return self.text, path


@dataclass(frozen=True, slots=True)
class _Problem:
    text: Text
    path: Path
    spot: Spot
    message: str


class Problems:
    """Every error found so far; ``raise_any`` ends with all of them, sorted by place."""

    def __init__(self, files: Mapping[str, str]) -> None:
        self.files = files
        self.incomplete = False
        """A file could not be read: what seems to be missing may be declared there."""
        self._found: set[SpecError] = set()
        self._open: set[_Problem] = set()

    def __len__(self) -> int:
        return len(self._found) + len(self._open)

    def add(self, origin: Origin, path: Path, message: str, spot: Spot = "value") -> None:
        """Something is wrong with the field at ``path`` of a document (its key or its value)."""
        text, where = origin.written(path, missing=False)
        self._remember(_Problem(text, where, spot, message))

    def lacks(self, origin: Origin, path: Path, message: str) -> None:
        """Something is missing from the mapping at ``path``."""
        text, where = origin.written(path, missing=True)
        self._remember(_Problem(text, where, "key", message))

    def tell(self, errors: Iterable[SpecError]) -> None:
        self._found.update(errors)

    def _remember(self, problem: _Problem) -> None:
        self._open.add(problem)
        if len(self._open) >= MAX_PROBLEMS:
            raise Enough

    def raise_any(self) -> None:
        """Raises SpecErrors if there was any."""
        if not self:
            return
        errors = self._found | set(self._positioned())
        ordered = sorted(errors, key=_place)
        if len(self._open) >= MAX_PROBLEMS:
            ordered.append(SpecError("", f"and more: the first {MAX_PROBLEMS} errors are shown"))
        raise SpecErrors(ordered)

    def _positioned(self) -> Iterable[SpecError]:
        by_file: dict[str, list[_Problem]] = {}
        for problem in self._open:
            by_file.setdefault(problem.text.file, []).append(problem)
        for file, problems in by_file.items():
            nodes = position.nodes_of(self.files[file], (one.text.index for one in problems))
            for one in problems:
                line, column = position.find(nodes[one.text.index], one.path, one.spot)
                yield SpecError(f"{file}:{line}:{column}", one.message)


def _place(error: SpecError) -> tuple[str, int, int, str]:
    file, line, column = error.source.rsplit(":", 2) if error.source else ("", "0", "0")
    return file, int(line), int(column), error.message
