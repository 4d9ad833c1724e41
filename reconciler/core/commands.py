"""What people ask for in comments: ``/plan``, ``/apply``, ``/cancel``, ``/unlock``, ``/help``.

Commands are the first lines of a comment, each beginning with a slash in its first column; the
first line that does not ends them. So nothing in a quote, in a code block, in the middle of a text
or in an answer by e-mail is ever taken for one.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final, Literal

from reconciler.core.desired.nearest import did_you_mean

type Verb = Literal["plan", "apply", "cancel", "unlock", "help"]

MOST_COMMANDS: Final = 5
"""In one comment; more is a slip."""
MOST_BLANK_LINES: Final = 5
LONGEST_LINE: Final = 200
WORD: Final = re.compile(r"/[A-Za-z][A-Za-z-]{0,19}(?=[ \t]|$)")
ENVIRONMENT: Final = re.compile(r"[A-Za-z0-9]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?")
DIGEST: Final = re.compile(r"[0-9a-f]{8,64}")
USAGE: Final[Mapping[str, str]] = {
    "plan": "/plan [environment]",
    "apply": "/apply [environment] [digest]",
    "cancel": "/cancel",
    "unlock": "/unlock environment",
    "help": "/help",
}


@dataclass(frozen=True, slots=True)
class Command:
    """One thing that is asked for."""

    verb: Verb
    environment: str = ""
    """"": every environment that the pull request touches."""
    digest: str = ""
    """The plan that ``/apply`` allows by name."""


@dataclass(frozen=True, slots=True)
class Misread:
    """A line that begins like a command and is none; ``reason`` holds nothing foreign but words
    made of letters, digits and hyphens."""

    reason: str
    foreign: bool = False
    """It resembles none of ours: another program's, perhaps."""


type Asked = Command | Misread


def commands(text: str) -> tuple[Asked, ...]:
    """What a comment asks for, in its order, nothing twice; empty for an ordinary comment."""
    found: dict[Asked, None] = {}
    for line in _first_lines(text):
        if not WORD.match(line):
            break
        if len(found) == MOST_COMMANDS:
            found[Misread(f"only the first {MOST_COMMANDS} commands of a comment are read")] = None
            break
        found[_understood(line)] = None
    return tuple(found)


def _first_lines(text: str) -> list[str]:
    """Enough lines to hold every command, without the blank ones that a comment begins with."""
    most = MOST_BLANK_LINES + MOST_COMMANDS + 1
    lines = re.split(r"\r?\n", text, maxsplit=most)[:most]
    start = next((at for at, line in enumerate(lines) if line.strip()), len(lines))
    return lines[start:]


def _understood(line: str) -> Asked:
    if len(line) > LONGEST_LINE:
        return Misread("a command is one short line, such as `/plan` or `/apply dev`")
    word, *arguments = line.split()
    verb = word[1:].lower()
    if verb not in READERS:
        known = [f"/{one}" for one in READERS]
        hint = did_you_mean("/" + verb, known)
        return Misread(f"there is no /{verb}{hint or '.'}", foreign=not hint)
    return READERS[verb](arguments) or Misread(f"it is `{USAGE[verb]}`")


def _plan(words: list[str]) -> Asked | None:
    return Command("plan", *words) if len(words) <= 1 and _environments(words) else None


def _apply(words: list[str]) -> Asked | None:
    """A single word of eight or more hexadecimal digits is a digest."""
    digest = words[-1] if words and DIGEST.fullmatch(words[-1]) else ""
    before = words[:-1] if digest else words
    if len(before) > 1 or not _environments(before):
        return None
    return Command("apply", "".join(before), digest)


def _unlock(words: list[str]) -> Asked | None:
    return Command("unlock", *words) if len(words) == 1 and _environments(words) else None


def _cancel(words: list[str]) -> Asked | None:
    return None if words else Command("cancel")


def _help(words: list[str]) -> Asked | None:
    return None if words else Command("help")


def _environments(words: list[str]) -> bool:
    return all(ENVIRONMENT.fullmatch(word) for word in words)


READERS: Final[Mapping[str, Callable[[list[str]], Asked | None]]] = {
    "plan": _plan,
    "apply": _apply,
    "cancel": _cancel,
    "unlock": _unlock,
    "help": _help,
}
