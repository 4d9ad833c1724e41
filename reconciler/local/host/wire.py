"""The messages between host and worker, as plain objects.

The worker library takes the classes of its messages from the host that runs it (``protos``), so
that none of the generated ones are needed; it asks for many names that do not matter here.
https://github.com/Azure/azure-functions-language-worker-protobuf
"""

import json
import uuid
from types import SimpleNamespace
from typing import Any


class Message:
    """Anything with attributes; one that was not given is empty."""

    def __init__(self, **given: Any) -> None:
        self.__dict__.update(given)

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        return ""


class TypedData(Message):
    """A value of one of several types: the one attribute that was given."""

    def WhichOneof(self, group: str) -> str | None:
        return next((name for name, value in vars(self).items() if value is not None), None)

    def __getattr__(self, name: str) -> Any:
        raise AttributeError(name)  # the library asks whether it has a ``TypedData`` of its own

    @property
    def content(self) -> Any:
        name = self.WhichOneof("data")
        return getattr(self, name) if name else None


class ParameterBinding(Message):
    def WhichOneof(self, group: str) -> str | None:
        return "data" if "data" in vars(self) else None


class StatusResult(Message):
    Failure, Success, Cancelled = 0, 1, 2


class BindingInfo(Message):
    undefined, string, binary, stream = 0, 1, 2, 3
    out, inout = 1, 2


setattr(BindingInfo, "in", 0)


class RpcHttpCookie(Message):
    class SameSite:
        Lax, Strict, ExplicitNone = 1, 2, 3


setattr(RpcHttpCookie.SameSite, "None", 0)


class RpcHttp(Message):
    def __init__(self, **given: Any) -> None:
        empty = {"headers": {}, "query": {}, "params": {}, "body": TypedData(), "status_code": ""}
        super().__init__(**{**empty, **given})


class Protos:
    """What the library takes for the module of generated messages."""

    TypedData = TypedData
    ParameterBinding = ParameterBinding
    StatusResult = StatusResult
    BindingInfo = BindingInfo
    RpcHttpCookie = RpcHttpCookie
    RpcHttp = RpcHttp

    def __getattr__(self, name: str) -> type[Message]:
        made = type(name, (Message,), {})
        setattr(self, name, made)
        return made


def initialization(protos: Protos, project: str) -> Any:
    """The first message to a worker."""
    begin = SimpleNamespace(capabilities={}, function_app_directory=project)
    return SimpleNamespace(
        properties={"host": "127.0.0.1", "protos": protos},
        request=SimpleNamespace(worker_init_request=begin),
    )


def invocation(function_id: str, parameter: str, data: TypedData, metadata: Any) -> Any:
    """A call of one function."""
    trace = f"00-{uuid.uuid4().hex}-{uuid.uuid4().hex[:16]}-01"
    call = SimpleNamespace(
        invocation_id=str(uuid.uuid4()),
        function_id=function_id,
        input_data=[ParameterBinding(name=parameter, data=data)],
        trigger_metadata={name: TypedData(json=json.dumps(v)) for name, v in metadata.items()},
        trace_context=SimpleNamespace(trace_parent=trace, trace_state="", attributes={}),
        retry_context=SimpleNamespace(retry_count=0, max_retry_count=0, exception=None),
    )
    return SimpleNamespace(request=SimpleNamespace(invocation_request=call))
