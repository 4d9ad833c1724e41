"""One number for a comment, which Azure Repos names by three: pull request, thread, comment.

A comment's own number counts within its thread and is an int16, the others are int32:
https://learn.microsoft.com/rest/api/azure/devops/git/pull-request-thread-comments/get
"""

from typing import Final

COMMENT_BITS: Final = 16
THREAD_BITS: Final = 32
PULL_BITS: Final = 31


def comment_number(pull: int, thread: int, comment: int) -> int:
    """``pull``, ``thread`` and ``comment`` side by side: up to 79 bits. Raises ValueError."""
    parts = ((pull, PULL_BITS), (thread, THREAD_BITS), (comment, COMMENT_BITS))
    if not all(0 < part < 1 << bits for part, bits in parts):
        raise ValueError("no comment has such numbers")
    return (pull << THREAD_BITS | thread) << COMMENT_BITS | comment


def comment_place(number: int) -> tuple[int, int, int] | None:
    """Pull request, thread and comment; None for a number that stands for none."""
    rest, comment = divmod(number, 1 << COMMENT_BITS)
    pull, thread = divmod(rest, 1 << THREAD_BITS)
    found = (pull, thread, comment)
    return found if number > 0 and all(found) and pull < 1 << PULL_BITS else None
