"""The data planes of endpoints: scoring, and chat with a serverless model.

Answers are canned but shaped like the real ones, so that a smoke test has something to look at:
https://learn.microsoft.com/azure/machine-learning/how-to-authenticate-online-endpoint and
https://learn.microsoft.com/azure/ai-foundry/how-to/deploy-models-serverless.
"""

from __future__ import annotations

import secrets
from typing import Any

from reconciler.local.azure.model import JSON, Cloud, DataRequest, DataRoute, Reply, Resource
from reconciler.local.azure.providers.machine_learning import online, serverless

_ML_AUDIENCE = "https://ml.azure.com"


def _endpoint(cloud: Cloud, kind: str, request: DataRequest) -> Resource | None:
    """The endpoint whose host name is /{location}/{name}/ here."""
    place, name = (*request.segments, "", "")[:2]
    for endpoint in cloud.of_type(kind):
        location = str(endpoint.body.get("location", "")).replace(" ", "").lower()
        if endpoint.name.lower() == name.lower() and location == place.lower():
            return endpoint
    return None


def _allowed(cloud: Cloud, endpoint: Resource, request: DataRequest) -> bool:
    """A key with or without "Bearer", the endpoint's own token, or a token of Entra ID."""
    mode = endpoint.properties.get("authMode", "Key")
    offered = request.bearer or request.headers.get("authorization", "")
    if mode in ("AADToken", "AAD", "KeyAndAAD") and request.audience.rstrip("/") == _ML_AUDIENCE:
        return True
    if mode == "AMLToken":
        good = [endpoint.secret.get("accessToken", "")]
    elif mode in ("Key", "KeyAndAAD"):
        good = list(online.keys(cloud.hex, endpoint).values())
    else:
        good = []
    return any(g and secrets.compare_digest(g, offered) for g in good)


# Online endpoints


def _score(cloud: Cloud, request: DataRequest) -> Reply:
    endpoint = _endpoint(cloud, online.ENDPOINT, request)
    if endpoint is None or request.segments[2:] != ("score",):
        return Reply(404, _error("NotFound", "There is no such endpoint."))
    if not _allowed(cloud, endpoint, request):
        return Reply(401, _error("Unauthorized", "The key or token is not valid."))
    name = _deployment(cloud, endpoint, request.headers.get("azureml-model-deployment", ""))
    if name is None:
        return Reply(404, _error("NoDeployment", "No deployment takes this request."))
    return Reply(200, _prediction(request.body), {"azureml-model-deployment": name})


def _deployment(cloud: Cloud, endpoint: Resource, asked: str) -> str | None:
    """The deployment asked for by header, else the one that gets most of the traffic."""
    ready = {
        d.name.lower(): d.name for d in cloud.children(endpoint.id, "deployments") if d.settled
    }
    if asked:
        return ready.get(asked.lower())
    traffic = {n: v for n, v in (endpoint.properties.get("traffic") or {}).items() if n in ready}
    return ready[max(traffic, key=lambda n: traffic[n])] if traffic else None


def _prediction(sent: Any) -> Any:
    """A list of numbers for rows of data, a text for a chat."""
    if isinstance(sent, dict) and "input_data" in sent:
        return {"output": "pong"}
    rows = sent.get("data", [0]) if isinstance(sent, dict) else [0]
    return [float(len(row)) if isinstance(row, list) else 0.0 for row in rows]


# Serverless endpoints


def _chat(cloud: Cloud, request: DataRequest) -> Reply:
    endpoint = _endpoint(cloud, serverless.ENDPOINT, request)
    path = "/".join(request.segments[2:]).removeprefix("v1/")
    if endpoint is None or path not in ("chat/completions", "completions"):
        return Reply(404, _error("NotFound", "There is nothing at this address."))
    if not _allowed(cloud, endpoint, request):
        return Reply(401, _error("Unauthorized", "Unauthorized. Access token is missing, invalid."))
    if endpoint.properties.get("endpointState") != "Online":
        return Reply(424, _error("EndpointNotOnline", "The endpoint is not online."))
    model = endpoint.properties["modelSettings"]["modelId"].split("/models/")[-1].split("/")[0]
    return Reply(200, _completion(cloud, model, chat=path.startswith("chat")))


def _completion(cloud: Cloud, model: str, *, chat: bool) -> JSON:
    said: JSON = {"message": {"role": "assistant", "content": "pong"}} if chat else {"text": "pong"}
    return {
        "id": f"chatcmpl-{cloud.hex(24)}",
        "object": "chat.completion" if chat else "text_completion",
        "created": int(cloud.now()),
        "model": model,
        "choices": [{"index": 0, "finish_reason": "stop", **said}],
        "usage": {"prompt_tokens": 4, "completion_tokens": 1, "total_tokens": 5},
    }


def _error(code: str, message: str) -> JSON:
    return {"error": {"code": code, "message": message}}


DATA = (
    DataRoute(prefix="online", handler=_score),
    DataRoute(prefix="serverless", handler=_chat),
)
