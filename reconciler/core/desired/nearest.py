"""Did you mean: the known word that a misspelt one was probably meant to be."""

from collections.abc import Iterable

LONGEST = 64
"""Longer words are not compared: nobody mistypes them by a letter or two and hostile text may."""


def nearest(word: str, known: Iterable[str]) -> str | None:
    """The known word closest to ``word``: equal but for letter case, or a few letters away."""
    if len(word) > LONGEST:
        return None
    lowered = word.lower()
    allowed = max(1, min(3, len(word) // 3))
    best: tuple[int, str] | None = None
    for candidate in known:
        if abs(len(candidate) - len(word)) > allowed:
            continue
        steps = distance(lowered, candidate.lower(), allowed)
        if steps <= allowed and (best is None or (steps, candidate) < best):
            best = (steps, candidate)
    return best[1] if best else None


def did_you_mean(word: str, known: Iterable[str]) -> str:
    """``, did you mean "x"?`` or nothing."""
    found = nearest(word, known)
    return f', did you mean "{found}"?' if found else ""


def mistyped(word: str, known: Iterable[str]) -> str | None:
    """The known value that ``word`` is a slip of; None when ``word`` may well be a new value.

    One letter in four or more, two in eight or more. Digits never count as slips: ``gpt-5`` is
    not a misspelt ``gpt-4``.
    """
    allowed = 0 if len(word) < 4 else 1 if len(word) < 8 else 2
    if not allowed or len(word) > LONGEST:
        return None
    lowered = word.lower()
    candidates = [one for one in known if abs(len(one) - len(word)) <= allowed]
    if any(one.lower() == lowered for one in candidates):
        return None
    for one in candidates:
        close = distance(lowered, one.lower(), allowed) <= allowed
        if close and _letters(lowered) != _letters(one.lower()):
            return one
    return None


def _letters(word: str) -> str:
    return "".join(letter for letter in word if not letter.isdigit())


def _trimmed(one: str, other: str) -> tuple[str, str]:
    """Both words without what they begin and end with alike: names often share much of it."""
    start, most = 0, min(len(one), len(other))
    while start < most and one[start] == other[start]:
        start += 1
    end = 0
    while end < most - start and one[-1 - end] == other[-1 - end]:
        end += 1
    return one[start : len(one) - end], other[start : len(other) - end]


def distance(one: str, other: str, most: int) -> int:
    """Insertions, deletions, changes and swaps of neighbours; ``most + 1`` when there are more."""
    one, other = _trimmed(one, other)
    before: list[int] = []
    row = list(range(len(other) + 1))
    for i, letter in enumerate(one, 1):
        before, last, row = row, before, [i]
        for j, wanted in enumerate(other, 1):
            cost = min(before[j] + 1, row[j - 1] + 1, before[j - 1] + (letter != wanted))
            if i > 1 and j > 1 and letter == other[j - 2] and one[i - 2] == wanted:
                cost = min(cost, last[j - 2] + 1)
            row.append(cost)
        if min(row) > most:
            return most + 1
    return row[-1]
