"""What the emulated Azure holds: resources by id and by collection, and how it is saved."""

from __future__ import annotations

import json
import random
import uuid
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

from reconciler.local.azure import ids
from reconciler.local.azure.model import JSON, Resource, ResourceType
from reconciler.local.clock import Clock


class Store:
    """Resources in memory. Ids are found in any case; the spelling of the creator is kept."""

    def __init__(
        self,
        types: Mapping[str, ResourceType],
        clock: Clock,
        *,
        seed: int = 0,
        tenant: str,
        settings: Mapping[str, Any],
    ) -> None:
        self.base_url = ""
        self.tenant = tenant
        self.settings = settings
        self.random = random.Random(seed)  # noqa: S311 - ids that repeat with the seed are the point
        self._types = types
        self._clock = clock
        self._by_key: dict[str, Resource] = {}
        self._collections: dict[str, dict[str, Resource]] = {}
        self._by_type: dict[str, dict[str, Resource]] = {}
        self._below: dict[str, dict[str, None]] = {}
        self._states: dict[str, dict[str, Any]] = {}
        self._memos: dict[str, dict[str, Any]] = {}

    def now(self) -> float:
        return self._clock.now()

    def guid(self) -> str:
        return str(uuid.UUID(int=self.random.getrandbits(128), version=4))

    def hex(self, digits: int) -> str:
        return f"{self.random.getrandbits(4 * digits):0{digits}x}"

    def state(self, name: str) -> dict[str, Any]:
        return self._states.setdefault(name, {})

    def memo(self, type_name: str) -> dict[str, Any]:
        return self._memos.setdefault(type_name.lower(), {})

    def forget_memo(self, type_name: str) -> None:
        """Empty the scratch space of a type: its resources were changed behind its back."""
        self._memos.pop(type_name.lower(), None)

    # Reading

    def __len__(self) -> int:
        return len(self._by_key)

    def __iter__(self) -> Iterator[Resource]:
        return iter(self._by_key.values())

    def find(self, arm_id: str) -> Resource | None:
        return self._by_key.get(ids.key(arm_id))

    def collection(self, path: str) -> Iterable[Resource]:
        """The resources of one collection, in the order in which they were made."""
        return self._collections.get(ids.key(path), {}).values()

    def children(self, arm_id: str, collection: str) -> Iterable[Resource]:
        return self.collection(f"{arm_id}/{collection}")

    def within(self, arm_id: str) -> list[Resource]:
        found: list[Resource] = []
        todo = [ids.key(arm_id)]
        while todo:
            for below in self._below.get(todo.pop(), ()):
                todo.append(below)
                if below in self._by_key:
                    found.append(self._by_key[below])
        return found

    def of_type(self, type_name: str, subscription: str | None = None) -> Iterable[Resource]:
        found = self._by_type.get(type_name.lower(), {})
        if subscription is None:
            return list(found.values())
        start = f"subscriptions/{subscription.lower()}/"
        return [resource for key, resource in found.items() if key.startswith(start)]

    # Writing

    def insert(self, arm_id: str, body: JSON, secret: JSON | None = None) -> Resource:
        parsed = ids.parse(arm_id)
        known = self._types.get(parsed.type_name.lower()) if parsed else None
        if parsed is None or known is None or parsed.is_collection:
            raise ValueError(f"not the id of a resource of a known type: {arm_id}")
        full = {"id": arm_id, "name": parsed.name, "type": known.name, **body}
        if known.has_state:
            properties = full.setdefault("properties", {})
            properties.setdefault("provisioningState", "Succeeded")
        self.forget_memo(known.name)
        return self.put(Resource(known, arm_id, full, secret or {}, self.now()))

    def put(self, resource: Resource) -> Resource:
        """Store it in every index."""
        key = ids.key(resource.id)
        collection, owner = ids.above(key)
        self._by_key[key] = resource
        self._collections.setdefault(collection, {})[key] = resource
        self._by_type.setdefault(resource.type.name.lower(), {})[key] = resource
        self._below.setdefault(owner, {})[key] = None
        return resource

    def remove(self, arm_id: str) -> None:
        for resource in [*self.within(arm_id), self.find(arm_id)]:
            if resource is not None:
                self._forget(resource)

    def _forget(self, resource: Resource) -> None:
        key = ids.key(resource.id)
        collection, owner = ids.above(key)
        self.forget_memo(resource.type.name)
        self._by_key.pop(key, None)
        self._by_type.get(resource.type.name.lower(), {}).pop(key, None)
        for index, name in ((self._collections, collection), (self._below, owner)):
            entries: dict[str, Any] = index.get(name, {})
            entries.pop(key, None)

    def clear(self) -> None:
        """Forget everything, the providers' own state included."""
        for index in (
            self._by_key,
            self._collections,
            self._by_type,
            self._below,
            self._states,
            self._memos,
        ):
            index.clear()

    # Saving

    def dump(self) -> JSON:
        """All of it as JSON; `load` takes it back."""
        resources = [
            {
                "id": r.id,
                "body": r.body,
                "secret": r.secret,
                "created": r.created,
                "operation": r.operation,
            }
            for r in self
        ]
        version, internal, gauss = self.random.getstate()
        return {
            "resources": resources,
            "states": self._states,
            "random": [version, list(internal), gauss],
        }

    def load(self, saved: JSON) -> None:
        """Replace everything with what `dump` gave."""
        self.clear()
        for entry in saved.get("resources", []):
            resource = self.insert(entry["id"], entry["body"], entry["secret"])
            resource.created, resource.operation = entry["created"], entry["operation"]
        self._states.update(saved.get("states", {}))
        if "random" in saved:
            version, internal, gauss = saved["random"]
            self.random.setstate((version, tuple(internal), gauss))


def save_json(path: Path, content: JSON) -> None:
    """Write a file so that a reader, or a crash, sees the old one or the new one."""
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_suffix(path.suffix + ".partial")
    partial.write_text(json.dumps(content), encoding="utf-8")
    partial.replace(path)
