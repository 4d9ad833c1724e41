"""A Functions project, loaded into the worker library: its functions, and how to call them."""

import json
import os
import re
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from types import SimpleNamespace
from typing import Any, Final, Literal

from reconciler.local.host import wire

PLACEHOLDER: Final = re.compile(r"%([^%]+)%")


class NotHosted(Exception):
    """A project that cannot be run, and why."""


class Failed(Exception):
    """A function that raised, as the worker tells it."""


@dataclass(frozen=True)
class Function:
    """One function and what starts it; ``%NAME%`` in its trigger is resolved."""

    name: str
    id: str
    trigger: Mapping[str, Any]

    @property
    def kind(self) -> Literal["http", "timer", "queue"]:
        kind = str(self.trigger["type"]).lower().removesuffix("trigger")
        if kind not in ("http", "timer", "queue"):
            raise NotHosted(f"{self.name} is started by {kind}, which is not hosted here")
        return kind  # type: ignore[return-value]  # one of the three


@dataclass(frozen=True)
class HttpAnswer:
    status: int
    headers: Mapping[str, str]
    body: bytes


class Worker:
    """The project in a folder. One a process: the library keeps its functions in modules."""

    def __init__(self, project: Path) -> None:
        self.project = project.resolve()
        self.functions: dict[str, Function] = {}

    async def start(self) -> None:
        """Load the project. Raises NotHosted, with what the worker said, when it cannot be."""
        try:
            import azure_functions_runtime as runtime  # type: ignore[import-untyped]
        except ImportError as error:
            way_out = "pip install azure-functions-runtime (it is in requirements-dev.txt)"
            raise NotHosted(f"the Functions worker library is not installed: {way_out}") from error
        self._runtime: Any = runtime
        sys.path.insert(0, str(self.project))
        os.environ["AzureWebJobsScriptRoot"] = str(self.project)  # noqa: SIM112 - the worker's name
        runtime.start_threadpool_executor()
        begin = wire.initialization(wire.Protos(), str(self.project))
        answer = await runtime.worker_init_request(begin)
        if answer.result.status != wire.StatusResult.Success:
            told = answer.result.exception
            raise NotHosted(f"{told.message}\n{told.stack_trace}")
        found = await runtime.functions_metadata_request(SimpleNamespace())
        for one in found.function_metadata_results or ():
            self.functions[one.name] = _function(one)

    def stop(self) -> None:
        self._runtime.stop_threadpool_executor()

    async def http(self, name: str, request: wire.RpcHttp) -> HttpAnswer:
        """Raises Failed."""
        answer = await self._call(name, wire.TypedData(http=request))
        if not isinstance(answer, wire.RpcHttp):
            raise Failed(f"{name} answered with {type(answer).__name__}")
        content = answer.body.content if answer.body else b""
        body = content.encode() if isinstance(content, str) else content or b""
        return HttpAnswer(int(answer.status_code or 200), dict(answer.headers), body)

    async def timer(self, name: str, past_due: bool, status: Mapping[str, str]) -> None:
        """Raises Failed."""
        content = {
            "Schedule": {"AdjustForDST": True},
            "ScheduleStatus": dict(status),
            "IsPastDue": past_due,
        }
        await self._call(name, wire.TypedData(json=json.dumps(content)))

    async def queue(self, name: str, text: str, message_id: str, count: int, at: datetime) -> None:
        """Raises Failed."""
        moment = at.isoformat()
        metadata = {
            "Id": message_id,
            "PopReceipt": message_id,
            "QueueTrigger": text,
            "DequeueCount": count,
            "InsertionTime": moment,
            "ExpirationTime": moment,
            "NextVisibleTime": moment,
        }
        await self._call(name, wire.TypedData(string=text), metadata)

    async def _call(
        self, name: str, data: wire.TypedData, metadata: Mapping[str, Any] | None = None
    ) -> Any:
        function = self.functions[name]
        call = wire.invocation(function.id, function.trigger["name"], data, metadata or {})
        answer = await self._runtime.invocation_request(call)
        if answer.result.status != wire.StatusResult.Success:
            told = answer.result.exception
            raise Failed(f"{told.message}\n{told.stack_trace}")
        return answer.return_value.content if answer.return_value else None


def _function(told: Any) -> Function:
    bindings = [json.loads(text) for text in told.raw_bindings]
    trigger = next(one for one in bindings if one["type"].lower().endswith("trigger"))
    resolved = {name: resolve(value) for name, value in trigger.items()}
    return Function(told.name, told.function_id, resolved)


def resolve(value: Any) -> Any:
    """``%NAME%`` as the setting of that name. Raises NotHosted when there is none.

    https://learn.microsoft.com/azure/azure-functions/functions-bindings-expressions-patterns
    """

    def setting(match: re.Match[str]) -> str:
        if match[1] not in os.environ:
            raise NotHosted(f"%{match[1]}% does not resolve to a value: set {match[1]}")
        return os.environ[match[1]]

    return PLACEHOLDER.sub(setting, value) if isinstance(value, str) else value
