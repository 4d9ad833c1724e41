"""What a spec folder may hold, wherever it is kept: on disk or in Git."""

from typing import Final

from reconciler.core.errors import SpecError

SUFFIXES: Final = (".yaml", ".yml")
MAX_FILES: Final = 20_000
MAX_FOLDERS: Final = 10_000


def not_text(name: str, error: UnicodeDecodeError) -> SpecError:
    """The error for a file that is not UTF-8, at the first byte that cannot be read."""
    before = bytes(error.object[: error.start])
    line = before.count(b"\n") + 1
    column = len(before[before.rfind(b"\n") + 1 :].decode("utf-8", "replace")) + 1
    message = "this is not UTF-8 text: save the file as UTF-8"
    return SpecError(f"{name}:{line}:{column}", message)
