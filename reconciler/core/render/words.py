"""Facts in words, the same in a terminal, a comment and a page."""

import json
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from reconciler.core.kinds import KINDS
from reconciler.core.model import (
    ABSENT,
    Action,
    Change,
    FieldChange,
    Json,
    Key,
    Plan,
    Secret,
    dotted,
    shown,
)

SYMBOLS: Final[dict[Action, str]] = {"delete": "-", "replace": "±", "update": "~", "create": "+"}
"""Also the order in which changes are shown: danger first."""
DANGEROUS_WORDS: Final[dict[Action, str]] = {"delete": "delete", "replace": "replace"}
"""Both as nouns, for counting."""
NAME_LIMIT: Final = 100
SPEAKS_FOR_ITSELF: Final = ("sku", "model")
"""Fields whose values are understood without the names inside."""


def clean(text: str) -> str:
    """One line that steers nothing: control, format and line-breaking characters as escapes."""
    if text.isprintable():
        return text
    return "".join(ch if ch.isprintable() else _escape(ch) for ch in text)


def _escape(ch: str) -> str:
    return ch.encode("unicode_escape").decode("ascii")


def shorten(text: str, limit: int) -> str:
    """At most ``limit`` characters: the middle goes, the ends tell values apart."""
    if len(text) <= limit:
        return text
    head = limit // 2
    return f"{text[:head]}…{text[len(text) - (limit - 1 - head) :]}"


def shorten_pair(before: str, after: str, limit: int) -> tuple[str, str]:
    """Two texts that differ, shortened so that they still do."""
    if max(len(before), len(after)) <= limit:
        return before, after
    same = next((i for i, (a, b) in enumerate(zip(before, after, strict=False)) if a != b), None)
    same = min(len(before), len(after)) if same is None else same
    # What leads up to the difference is cut, but for a few characters.
    cut = max(0, same - limit // 4) if same >= limit // 2 else 0
    if cut:
        before, after = f"…{before[cut:]}", f"…{after[cut:]}"
    return shorten(before, limit), shorten(after, limit)


def title_of(key: Key) -> str:
    """A kind as the portal calls it."""
    return KINDS[key.kind].title if key.kind in KINDS else shorten(clean(key.kind), NAME_LIMIT)


def source_text(source: str) -> str:
    """``file:line``, bounded."""
    return shorten(clean(source), 80)


def name_of(key: Key) -> str:
    return shorten(clean(key.name), NAME_LIMIT)


LOOKS_LIKE_ANOTHER_TYPE: Final = re.compile(r"[-+.\d][\w.,:+-]*|true|false|null|~|", re.IGNORECASE)


def value_text(value: Json) -> str:
    """A value on one line, strings in quotes only where they could be taken for something else."""
    if value is ABSENT:
        return "(not set)"
    if isinstance(value, Secret):
        return clean(str(value))
    words = shown(value)
    if words is not value and isinstance(words, str):
        return clean(words)
    return clean(_flow(words, inside=False))


def _flow(value: Json, *, inside: bool) -> str:
    """YAML's flow style, nearly."""
    if isinstance(value, dict):
        items = (f"{_flow(k, inside=True)}: {_flow(v, inside=True)}" for k, v in value.items())
        return f"{{{', '.join(items)}}}"
    if isinstance(value, list):
        return f"[{', '.join(_flow(item, inside=True) for item in value)}]"
    if isinstance(value, str):
        return json.dumps(value, ensure_ascii=False) if _needs_quotes(value, inside) else value
    return json.dumps(value)


def _needs_quotes(text: str, inside: bool) -> bool:
    if text[:1].isdigit() and re.fullmatch(r"\d{4}-\d\d-\d\d", text):
        return False  # versions are dates, and nothing else looks like that
    return (
        LOOKS_LIKE_ANOTHER_TYPE.fullmatch(text) is not None
        or text != text.strip()
        or text[0] in "(\"'…"
        or " → " in text
        or (inside and any(ch in text for ch in ",:[]{}"))
    )


@dataclass(frozen=True)
class FieldRow:
    """One field of a change: its dotted name, what becomes of it, and a remark."""

    name: str
    text: str
    remark: str = ""


def field_rows(change: Change, limit: int) -> list[FieldRow]:
    """The fields of a change; ``limit``: characters for what becomes of one."""
    if change.action == "create":
        return _new_rows(change.fields, limit)
    return [_changed_row(one, limit) for one in change.fields]


def _changed_row(one: FieldChange, limit: int) -> FieldRow:
    remark = "cannot change in place" if one.replaces else ""
    if isinstance(one.after, Secret) and (
        one.before == one.after or not isinstance(one.before, Secret)
    ):
        text = value_text(one.after).removesuffix(")") + ", changed)"
        return FieldRow(_field_name(one.name), shorten(text, limit), remark)
    before = value_text(one.before)
    after = "(default)" if one.after is ABSENT else value_text(one.after)
    before, after = shorten_pair(before, after, max(12, (limit - 3) // 2))
    return FieldRow(_field_name(one.name), f"{before} → {after}", remark)


def _new_rows(fields: Sequence[FieldChange], limit: int) -> list[FieldRow]:
    """Fields of a new resource; small groups such as ``sku`` and ``tags`` on one line."""
    groups: dict[str | int, list[FieldChange]] = {}
    for one in fields:
        groups.setdefault(one.path[0], []).append(one)
    rows = []
    for top, members in groups.items():
        together = _together(top, members)
        if together and len(together) <= limit:
            rows.append(FieldRow(_field_name(dotted((top,))), together))
        else:
            rows += [
                FieldRow(_field_name(one.name), shorten(value_text(one.after), limit))
                for one in members
            ]
    return rows


def _together(top: str | int, members: Sequence[FieldChange]) -> str:
    """Several plain values one level down as one; "" where that would not read well."""
    plain = all(isinstance(one.after, str | int | float) and len(one.path) == 2 for one in members)
    if len(members) < 2 or not plain:
        return ""
    if top in SPEAKS_FOR_ITSELF:
        return ", ".join(value_text(one.after) for one in members)
    return value_text({str(one.path[1]): one.after for one in members})


def _field_name(name: str) -> str:
    return shorten(clean(name), 60)


def in_order(changes: Iterable[Change]) -> list[Change]:
    """Danger first, and otherwise as planned."""
    order = list(SYMBOLS)
    return sorted(changes, key=lambda change: order.index(change.action))


def consequence(change: Change, plan: Plan) -> str:
    """What a delete or a replace means for whoever uses the resource; "" for the rest."""
    kind = KINDS.get(change.key.kind)
    lost = "What it holds is lost. " if kind and kind.holds_data else ""
    if change.action == "delete":
        return f"{lost}Whoever still uses it is cut off."
    if change.action != "replace":
        return ""
    verbs = [step.verb for step in plan.steps if step.key == change.key]
    if "delete" in verbs and verbs.index("delete") < (
        verbs.index("put") if "put" in verbs else len(verbs)
    ):
        again = f" (making one usually takes about {duration(kind.typical_s)})" if kind else ""
        return f"{lost}It is deleted first and then made again{again}: until then it is gone."
    return "The new one is made before the old one is removed."


def counts(summary: Mapping[str, int], adopted: int = 0) -> str:
    """``1 to create, 2 to delete, 38 unchanged``: only what is there."""
    parts = [f"{summary[action]} to {action}" for action in reversed(SYMBOLS) if summary[action]]
    if adopted:
        parts.append(f"{adopted} to adopt")
    parts.append(f"{summary['unchanged']} unchanged")
    if summary["unmanaged"]:
        parts.append(f"{summary['unmanaged']} unmanaged")
    return ", ".join(parts)


def check_counts(plan: Plan) -> str:
    """``1 error, 2 warnings``; "" without remarks."""
    levels = [check.level for check in plan.checks]
    found = ((level, levels.count(level)) for level in ("error", "warning", "note"))
    return ", ".join(plural(count, level) for level, count in found if count)


def sentence(text: str) -> str:
    """With a capital and a full stop."""
    text = clean(text).strip()
    return f"{text[:1].upper()}{text[1:].removesuffix('.')}." if text else ""


def plural(count: int, noun: str) -> str:
    return f"{count} {noun}" if count == 1 else f"{count} {noun}s"


def commit_text(commit: str) -> str:
    """A commit as people quote it; specs without one by the digest of their text."""
    if commit.startswith("files-"):
        return f"uncommitted specs ({clean(commit.removeprefix('files-'))})"
    short = commit[:7] if re.fullmatch(r"[0-9a-f]{40}|[0-9a-f]{64}", commit) else commit
    return f"specs at {shorten(clean(short), 40)}" if short else "specs"


def duration(seconds: float) -> str:
    """``0.9 s``, ``41 s``, ``6 min``, ``2 h``."""
    if seconds < 10:
        return f"{seconds:.1f} s".replace(".0 s", " s")
    if seconds < 90:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 5400 else f"{seconds / 3600:.0f} h"
