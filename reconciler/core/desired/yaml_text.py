"""YAML text → plain values and the line each document starts on, within limits.

Values are built from libyaml's events: no tag is ever obeyed, no node with marks is kept, and
depth, size, aliases and duplicate keys are counted while reading, so hostile text ends early.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

import yaml

from reconciler.core.desired.plain import Surprise, plain
from reconciler.core.errors import SpecError
from reconciler.core.model import Json

MAX_FILE_BYTES: Final = 1024 * 1024
MAX_TOTAL_BYTES: Final = 64 * 1024 * 1024
MAX_DOCUMENTS: Final = 20_000
MAX_NODES: Final = 2_000_000
"""Scalars, lists and mappings of all files together, aliases counted as what they stand for."""
MAX_DEPTH: Final = 64
MAX_ERRORS: Final = 100
"""Of one file, while reading its text."""

# NEL, LS and PS are line ends to YAML 1.1 and not to editors: line numbers would be wrong.
_UNWANTED = re.compile(
    "[^\t\n\r\x20-\x7e\xa0-\u2027\u202a-\ud7ff\ue000-\ufefe\uff00-\ufffd\U00010000-\U0010ffff]"
)
_NO_KEY: Final = object()
_NO_ALIAS: Final = (
    "this alias (*…) stands for nothing written above; a text that begins with * has to be quoted"
)
"""Names of aliases and anchors are not repeated: they may be a password that is not quoted."""


@dataclass(frozen=True, slots=True, eq=False)
class Text:
    """One document: its value, and where it stands."""

    file: str
    index: int
    """Which document of the file, counted from 0, empty ones included."""
    line: int
    value: Json


@dataclass(slots=True)
class Budget:
    """What all files together may still use, and the scalars seen, so that equal ones share."""

    nodes: int = MAX_NODES
    documents: int = MAX_DOCUMENTS
    size: int = MAX_TOTAL_BYTES
    scalars: dict[str, Json] = field(default_factory=dict)
    strings: dict[str, str] = field(default_factory=dict)


class _Broken(Exception):
    """Reading a file cannot go on."""

    def __init__(self, message: str, mark: Any) -> None:
        super().__init__(message)
        self.message = message
        self.mark = mark


@dataclass(slots=True)
class _Frame:
    """A list or mapping that is being filled."""

    value: Any
    left: int
    """Nodes left in the budget when it began."""
    anchor: str | None
    key: Any = _NO_KEY
    deepest: int = 0


@dataclass(frozen=True, slots=True)
class _Anchored:
    value: Json
    nodes: int
    height: int


def read_text(file: str, text: str, budget: Budget) -> tuple[list[Text], list[SpecError], bool]:
    """Documents, errors, and whether the file was readable to its end."""
    text = text.removeprefix("\ufeff")
    refusal = _size_refusal(text, budget) or _character_refusal(text)
    if refusal:
        return [], [SpecError(f"{file}:{refusal[0]}", refusal[1])], False
    reader = _Reader(file, budget)
    try:
        reader.read(text)
    except _Broken as broken:
        where = f"{file}:{broken.mark.line + 1}:{broken.mark.column + 1}"
        return [], [*reader.errors, SpecError(where, broken.message)], False
    except yaml.YAMLError as error:
        return [], [*reader.errors, _syntax(file, text, error)], False
    if not reader.texts and not reader.errors:
        message = "there is no document in this file: write one, or remove the file"
        return [], [SpecError(f"{file}:1:1", message)], False
    return reader.texts, reader.errors, True


def _size_refusal(text: str, budget: Budget) -> tuple[str, str] | None:
    size = len(text) if text.isascii() else len(text.encode("utf-8", "surrogatepass"))
    budget.size -= size
    if size > MAX_FILE_BYTES:
        return "1:1", f"the file is larger than {MAX_FILE_BYTES >> 20} MiB: split it"
    if budget.size < 0:
        return "1:1", f"the files together are larger than {MAX_TOTAL_BYTES >> 20} MiB"
    return None


def _character_refusal(text: str) -> tuple[str, str] | None:
    found = _UNWANTED.search(text)
    if not found:
        return None
    line = text.count("\n", 0, found.start()) + 1
    column = found.start() - text.rfind("\n", 0, found.start())
    return f"{line}:{column}", f"character U+{ord(found.group()):04X} is not accepted in YAML"


def _syntax(file: str, text: str, error: yaml.YAMLError) -> SpecError:
    mark = getattr(error, "problem_mark", None) or getattr(error, "context_mark", None)
    problem = getattr(error, "problem", None) or "cannot be read"
    if mark is None:
        return SpecError(f"{file}:1:1", f"this is not YAML: {problem}")
    lines = text.splitlines()
    opened = getattr(error, "context_mark", None)
    if mark.line >= len(lines) and opened is not None:
        mark = opened  # what is not closed at the end is told where it was opened
    elif mark.line < len(lines) and "\t" in lines[mark.line][: mark.column + 1]:
        problem = "a tab cannot indent YAML, use blanks"
    return SpecError(f"{file}:{mark.line + 1}:{mark.column + 1}", f"this is not YAML: {problem}")


class _Reader:
    """Builds the documents of one file from events."""

    def __init__(self, file: str, budget: Budget) -> None:
        self.file = file
        self.budget = budget
        self.texts: list[Text] = []
        self.errors: list[SpecError] = []
        self._index = -1
        self._frames: list[_Frame] = []
        self._anchors: dict[str, _Anchored] = {}
        self._handlers: Mapping[type, Callable[[Any], None]] = {
            yaml.ScalarEvent: self._scalar,
            yaml.MappingStartEvent: self._mapping,
            yaml.SequenceStartEvent: self._sequence,
            yaml.MappingEndEvent: self._end,
            yaml.SequenceEndEvent: self._end,
            yaml.AliasEvent: self._alias,
            yaml.DocumentStartEvent: self._document,
        }

    def read(self, text: str) -> None:
        loader = yaml.CBaseLoader(text)
        try:
            while (event := loader.get_event()) is not None:
                handler = self._handlers.get(type(event))
                if handler is not None:
                    handler(event)
        finally:
            loader.dispose()

    def error(self, mark: Any, message: str) -> None:
        self.errors.append(SpecError(f"{self.file}:{mark.line + 1}:{mark.column + 1}", message))
        if len(self.errors) >= MAX_ERRORS:
            raise _Broken("and more: only the first errors of this file are shown", mark)

    def _document(self, event: Any) -> None:
        self._index += 1
        self._anchors.clear()
        self.budget.documents -= 1
        if self.budget.documents < 0:
            raise _Broken(f"there are more than {MAX_DOCUMENTS:,} documents", event.start_mark)

    def _mapping(self, event: Any) -> None:
        self._begin(event, {})

    def _sequence(self, event: Any) -> None:
        self._begin(event, [])

    def _begin(self, event: Any, value: Any) -> None:
        self._refuse_tag(event)
        self._count(event, 1)
        frames = self._frames
        if len(frames) >= MAX_DEPTH:
            raise _Broken(f"nested deeper than {MAX_DEPTH} levels", event.start_mark)
        if frames and frames[-1].key is _NO_KEY and type(frames[-1].value) is dict:
            raise _Broken("a key must be a string", event.start_mark)
        if not frames:
            line = event.start_mark.line + 1
            self.texts.append(Text(self.file, self._index, line, value))
        frames.append(_Frame(value, self.budget.nodes, event.anchor))

    def _end(self, event: Any) -> None:
        frame = self._frames.pop()
        height = frame.deepest + 1
        if frame.anchor is not None:
            nodes = frame.left - self.budget.nodes + 1
            self._keep(frame.anchor, _Anchored(frame.value, nodes, height), event.start_mark)
        if self._frames:
            parent = self._frames[-1]
            parent.deepest = max(parent.deepest, height)
            self._put(parent, frame.value)

    def _scalar(self, event: Any) -> None:
        self._count(event, 1)
        text = event.value
        if event.implicit[0]:
            value = self._plain(text, event)
        else:
            self._refuse_tag(event)
            if "\0" in text:
                self.error(event.start_mark, "a string cannot hold the character NUL")
            value = self.budget.strings.setdefault(text, text)
        if event.anchor is not None:
            self._keep(event.anchor, _Anchored(value, 1, 0), event.start_mark)
        if not self._frames:
            self._root_scalar(value, event)
            return
        frame = self._frames[-1]
        if frame.key is _NO_KEY and type(frame.value) is dict:
            self._key(frame, value, event)
        else:
            self._put(frame, value)

    def _plain(self, text: str, event: Any) -> Json:
        scalars = self.budget.scalars
        if text in scalars:
            value = scalars[text]
        else:
            value = scalars[text] = plain(text)
        if type(value) is Surprise:
            self.error(event.start_mark, value.message)
            return text
        return value

    def _root_scalar(self, value: Json, event: Any) -> None:
        if value is not None:
            self.error(event.start_mark, "a document must be a mapping (apiVersion, kind, …)")

    def _key(self, frame: _Frame, key: Json, event: Any) -> None:
        if type(key) is not str:
            self.error(event.start_mark, f'a key must be a string: quote it ("{event.value}")')
            key = event.value
        elif key in frame.value:
            self.error(event.start_mark, f'"{key[:40]}" is written twice in one mapping')
        frame.key = key

    def _put(self, frame: _Frame, value: Json) -> None:
        if type(frame.value) is list:
            frame.value.append(value)
        else:
            frame.value.setdefault(frame.key, value)
            frame.key = _NO_KEY

    def _alias(self, event: Any) -> None:
        known = self._anchors.get(event.anchor)
        if known is None:
            raise _Broken(_NO_ALIAS, event.start_mark)
        self._count(event, known.nodes)
        frame = self._frames[-1]
        if len(self._frames) + known.height > MAX_DEPTH:
            raise _Broken(f"nested deeper than {MAX_DEPTH} levels", event.start_mark)
        frame.deepest = max(frame.deepest, known.height)
        if frame.key is _NO_KEY and type(frame.value) is dict:
            raise _Broken("an alias cannot be a key", event.start_mark)
        self._put(frame, known.value)

    def _keep(self, anchor: str, anchored: _Anchored, mark: Any) -> None:
        if anchor in self._anchors:
            raise _Broken("this anchor (&…) is defined twice in one document", mark)
        self._anchors[anchor] = anchored

    def _count(self, event: Any, nodes: int) -> None:
        self.budget.nodes -= nodes
        if self.budget.nodes < 0:
            message = f"there are more than {MAX_NODES:,} values, aliases counted in full"
            raise _Broken(message, event.start_mark)

    def _refuse_tag(self, event: Any) -> None:
        if event.tag is not None:
            message = "tags (!…) are not accepted: quote a string, write other values as they are"
            self.error(event.start_mark, message)
