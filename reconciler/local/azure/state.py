"""Keeping the emulated Azure in a file, so that it can be stopped and started again."""

from __future__ import annotations

import asyncio
import json
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

from reconciler.local.azure.model import JSON, AsyncStyle, Operation
from reconciler.local.azure.store import Store, save_json
from reconciler.local.azure.verbs import Verbs

DELAY_S = 0.5
PLAIN = tuple(f.name for f in fields(Operation) if f.name != "style")


@dataclass
class StateFile:
    """Saves after changes (many at once as one) and at the end; without a path, nothing."""

    path: Path | None
    store: Store
    verbs: Verbs
    _pending: asyncio.TimerHandle | None = None

    def load(self) -> None:
        """Take up what was saved, if anything was."""
        if self.path is None or not self.path.exists():
            return
        saved = json.loads(self.path.read_text(encoding="utf-8"))
        load_state(self.store, self.verbs, saved)

    def dirty(self) -> None:
        """Something may have changed: save soon."""
        if self.path is not None and self._pending is None:
            self._pending = asyncio.get_running_loop().call_later(DELAY_S, self.save)

    def save(self) -> None:
        if self._pending is not None:
            self._pending.cancel()
            self._pending = None
        if self.path is not None:
            save_json(self.path, dump_state(self.store, self.verbs))


def dump_state(store: Store, verbs: Verbs) -> JSON:
    """Everything, as JSON. Operations of actions are left out: their effects are done."""
    operations = []
    for operation in verbs.operations.running():
        place = _place_of_style(store, operation)
        if place:
            plain: dict[str, Any] = {name: getattr(operation, name) for name in PLAIN}
            operations.append({**plain, "style": place})
    return {**store.dump(), "operations": operations}


def load_state(store: Store, verbs: Verbs, saved: JSON) -> None:
    """Replace everything with what `dump_state` gave."""
    verbs.clear()
    store.load(saved)
    for entry in saved.get("operations", []):
        target = store.find(entry["target"])
        answer = getattr(target.type, entry["style"], None) if target else None
        if answer is not None and answer.wait is not None:
            verbs.restore(Operation(**{**entry, "style": answer.wait}))


def _place_of_style(store: Store, operation: Operation) -> str:
    """Which answer of the target's type the operation's style belongs to."""
    target = store.find(operation.target) if operation.target else None
    for place in ("put", "patch", "delete"):
        answer = getattr(target.type, place) if target else None
        style: AsyncStyle | None = answer.wait if answer else None
        if style is operation.style:
            return place
    return ""
