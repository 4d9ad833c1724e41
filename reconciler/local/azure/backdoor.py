"""Changing the emulated Azure behind everybody's back, as the portal or a test would.

Paths below /_emulator/, without authentication, limits or operations.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from typing import Any

from reconciler.local.azure.bodies import merge_patch
from reconciler.local.azure.faults import Faults
from reconciler.local.azure.model import JSON, Reply
from reconciler.local.azure.state import dump_state
from reconciler.local.azure.store import Store
from reconciler.local.azure.throttle import Throttle
from reconciler.local.azure.traffic import Logged, Request
from reconciler.local.azure.verbs import Verbs
from reconciler.local.traffic import Log

PREFIX = "/_emulator/"
SHOWN = 1000


@dataclass
class Backdoor:
    """Direct access: in process through its methods, over HTTP through `handle`."""

    store: Store
    verbs: Verbs
    faults: Faults
    log: Log[Logged]
    throttle: Throttle

    def get(self, arm_id: str) -> JSON | None:
        """The stored body, or None."""
        found = self.store.find(arm_id)
        return found.body if found else None

    def put(self, arm_id: str, body: JSON) -> JSON:
        """Store a resource as given (in place of an older one); ValueError for unknown types."""
        before = self.store.find(arm_id)
        stored = self.store.insert(arm_id, body, before.secret if before else None)
        return stored.body

    def patch(self, arm_id: str, changes: JSON) -> JSON:
        """Merge into the stored body (null removes); KeyError when there is none."""
        found = self.store.find(arm_id)
        if found is None:
            raise KeyError(arm_id)
        found.body = merge_patch(found.body, changes)
        self.store.forget_memo(found.type.name)
        found.changed()
        return found.body

    def delete(self, arm_id: str) -> None:
        """Remove a resource and what is below it, at once, without soft delete."""
        self.store.remove(arm_id)

    def reset(self) -> None:
        """An empty Azure: no resources, operations, faults, log or used-up limits."""
        self.verbs.clear()
        self.store.clear()
        self.faults.clear()
        self.log.clear()
        self.throttle.reset()

    def handle(self, request: Request) -> Reply:
        """Answer a request over HTTP."""
        name = request.path.removeprefix(PREFIX)
        try:
            body = json.loads(request.content) if request.content else None
            if name.startswith("resources/"):
                return self._resource(request.method, name.removeprefix("resources"), body)
            return self._named(request.method, name, body)
        except (ValueError, TypeError) as error:
            return Reply(400, {"error": str(error)})

    def _named(self, method: str, name: str, body: Any) -> Reply:
        self.verbs.operations.settle()
        if (method, name) == ("GET", "requests"):
            newest = list(self.log.entries)[-SHOWN:]
            summary = {**self.log.summary(), "throttled": self.throttle.refused}
            return Reply(200, {**summary, "requests": [asdict(entry) for entry in newest]})
        if (method, name) == ("GET", "state"):
            return Reply(200, dump_state(self.store, self.verbs))
        if (method, name) == ("POST", "reset"):
            self.reset()
            return Reply(204)
        if (method, name) == ("POST", "faults"):
            self.faults.add(body if isinstance(body, list) else [body])
            return Reply(200, {"faults": len(self.faults.rules)})
        if (method, name) == ("DELETE", "faults"):
            self.faults.clear()
            return Reply(204)
        return Reply(404, {"error": f"no such path: {method} {PREFIX}{name}"})

    def _resource(self, method: str, arm_id: str, body: Any) -> Reply:
        self.verbs.operations.settle()
        if method == "PUT":
            return Reply(200, self.put(arm_id, body))
        if self.get(arm_id) is None:
            return Reply(404, {"error": f"not there: {arm_id}"})
        if method == "PATCH":
            return Reply(200, self.patch(arm_id, body))
        if method == "DELETE":
            self.delete(arm_id)
            return Reply(204)
        return Reply(200, self.get(arm_id))
