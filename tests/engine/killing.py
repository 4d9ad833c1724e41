"""Killing a worker at any request or save, and seeing what is left."""

import json
import shutil
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from reconciler.core.model import Run
from reconciler.local.azure import ids
from reconciler.local.azure.model import Resource
from reconciler.local.azure.state import dump_state, load_state
from reconciler.state.codec import encode
from tests.engine.world import World

VOLATILE = {"etag", "systemData", "dateCreated", "creationTime", "createdOn", "updatedOn"}
VOLATILE |= {"lastModifiedAt", "AzureAsyncOperationUri", "modifiedOn", "secretUriWithVersion"}
VOLATILE |= {"internalId", "keyCreationTime", "lastEnabledTime", "created", "updated"}
LOCAL = {"close", "state"}
"""Calls that are not moves of a run."""


class Killed(BaseException):
    """The process is gone: nothing after this line ran."""


@dataclass
class Killer:
    """Dies at the ``at``-th call of any wrapped part, before or after it was carried out."""

    at: int = -1
    after: bool = False
    calls: int = 0
    dead: bool = False

    def wrap(self, part: Any) -> Any:
        return Mortal(part, self)


class Mortal:
    """A part whose every call the killer counts."""

    def __init__(self, part: Any, killer: Killer) -> None:
        self._part = part
        self._killer = killer

    def __getattr__(self, name: str) -> Any:
        member = getattr(self._part, name)
        if name in LOCAL or not callable(member):
            return member
        return self._counted(name, member)

    def _counted(self, name: str, member: Callable[..., Any]) -> Any:
        killer = self._killer

        async def call(*values: Any, **named: Any) -> Any:
            if killer.dead:
                raise Killed
            mine = killer.calls
            killer.calls += 1
            if mine == killer.at and not killer.after:
                killer.dead = True
                raise Killed
            answer = await member(*values, **named)
            if mine == killer.at:
                killer.dead = True
            if killer.dead:
                raise Killed
            return Mortal(answer, killer) if name == "lease" else answer

        return call

    async def __aenter__(self) -> Any:
        await self._part.__aenter__()
        return self

    async def __aexit__(self, *error: Any) -> None:
        if not self._killer.dead:  # the dead give nothing back
            await self._part.__aexit__(*error)


@dataclass
class Scene:
    """A world that can be put back to how it was, as often as one likes."""

    world: World
    folder: Path
    saved: Any = None
    made: Counter[str] = field(default_factory=Counter)

    def keep(self) -> None:
        """Remember the world as it is now; count from here on what is made in it."""
        azure = self.world.azure
        self.saved = json.dumps(dump_state(azure.store, azure.verbs))
        shutil.copy(self.world.folder / "state.db", self.folder / "kept.db")
        plain = azure.store.put

        def put(resource: Resource) -> Resource:
            if azure.store.find(resource.id) is None:
                self.made[ids.key(resource.id)] += 1
            return plain(resource)

        azure.store.put = put  # type: ignore[method-assign]

    def put_back(self) -> None:
        azure = self.world.azure
        load_state(azure.store, azure.verbs, json.loads(self.saved))
        for end in ("", "-wal", "-shm"):
            (self.world.folder / f"state.db{end}").unlink(missing_ok=True)
        shutil.copy(self.folder / "kept.db", self.world.folder / "state.db")
        self.world.later_s = 0.0
        self.made.clear()

    async def picture(self) -> dict[str, Any]:
        """Azure, the owned list and how often each thing was made, without what always differs."""
        resources = {one.id.lower(): settled(one.body) for one in self.world.azure.store}
        owned = {key: json.loads(encode(one)) for key, one in (await self.world.owned()).items()}
        return {"azure": resources, "owned": owned, "made": dict(self.made)}


def settled(value: Any) -> Any:
    """A body without times and tags of versions."""
    if isinstance(value, dict):
        return {k: settled(v) for k, v in value.items() if k not in VOLATILE}
    if isinstance(value, list):
        return [settled(one) for one in value]
    return value


def journal(run: Run) -> dict[str, str]:
    """How every step ended."""
    return {name: outcome.state for name, outcome in sorted(run.outcomes.items())}


def differences(one: Any, other: Any, path: str = "") -> list[str]:
    """Where two pictures differ, in lines short enough to read."""
    if isinstance(one, dict) and isinstance(other, dict):
        names = sorted(one.keys() | other.keys())
        return [
            line
            for name in names
            for line in differences(one.get(name), other.get(name), f"{path} {name[-60:]}")
        ]
    return [] if one == other else [f"{path}: {str(one)[:200]} != {str(other)[:200]}"]
