"""The data plane of accounts: enough of Azure OpenAI and Foundry inference for a smoke test.

https://learn.microsoft.com/azure/ai-foundry/openai/reference
"""

from __future__ import annotations

import hmac
from collections.abc import Sequence

from reconciler.local.azure.model import JSON, ArmError, Cloud, DataRequest, Reply, Resource
from reconciler.local.azure.providers.cognitive_services.catalogue import is_retired
from reconciler.local.azure.providers.cognitive_services.deleted import ACCOUNT
from reconciler.local.azure.providers.cognitive_services.deployments import find_model, region_of
from reconciler.local.azure.providers.cognitive_services.models import Model

AUDIENCES = ("https://cognitiveservices.azure.com", "https://ai.azure.com")
V1 = ("openai", "v1")
DENIED = (
    "Access denied due to invalid subscription key or wrong API endpoint. Make sure to provide "
    "a valid key for an active subscription and use a correct regional API endpoint for your "
    "resource."
)


def handle(cloud: Cloud, request: DataRequest) -> Reply:
    """Answer /_data/cognitive/{subdomain}/…"""
    host, *rest = request.segments
    account = _account(cloud, host)
    if account is None:
        return _error(404, "404", "Resource not found")
    _authorize(account, request)
    body = request.body if isinstance(request.body, dict) else {}
    deployment_name, operation = _route(rest, body)
    deployment = cloud.find(f"{account.id}/deployments/{deployment_name}")
    if request.method != "POST" or not operation:
        return _error(404, "404", "Resource not found")
    if deployment is None or not _warm(cloud, deployment):
        return _error(
            404,
            "DeploymentNotFound",
            "The API deployment for this resource does not exist. If you created the deployment "
            "within the last 5 minutes, please wait a moment and try again.",
        )
    wanted = deployment.properties.get("model") or {}
    model = find_model(cloud, region_of(account), str(account.body.get("kind")), wanted)
    if model is not None and is_retired(cloud, model):
        return _error(410, "ModelDeprecated", f"The model {model.name} has been retired.")
    return _operate(operation, body, str(wanted.get("name")), model)


def _account(cloud: Cloud, host: str) -> Resource | None:
    wanted = host.lower()
    for account in cloud.of_type(ACCOUNT):
        domain = account.properties.get("customSubDomainName")
        if (domain and domain.lower() == wanted) or (not domain and region_of(account) == wanted):
            return account
    return None


def _authorize(account: Resource, request: DataRequest) -> None:
    """A key (when the account has keys) or a token for the data plane."""
    key = request.headers.get("api-key", "")
    if key:
        if account.properties.get("disableLocalAuth"):
            raise _denied("AuthenticationTypeDisabled", "Key based authentication is disabled.")
        known = [str(account.secret.get(k, "\0")) for k in ("Key1", "Key2")]
        if any(hmac.compare_digest(key, k) for k in known):
            return
    elif request.audience.rstrip("/") in AUDIENCES:
        return
    raise _denied("401", DENIED)


def _denied(code: str, message: str) -> ArmError:
    return ArmError(401, code, message)


def _route(segments: Sequence[str], body: JSON) -> tuple[str, str]:
    """The deployment and the operation that a path means: the classic, v1 and Foundry forms."""
    words = tuple(segments)
    if words[:2] == ("openai", "deployments") and len(words) > 3:
        return words[2], "/".join(words[3:])
    if words[:2] == V1:
        return str(body.get("model", "")), "/".join(words[2:])
    if words[:1] == ("models",):
        return str(body.get("model", "")), "/".join(words[1:])
    return "", ""


def _warm(cloud: Cloud, deployment: Resource) -> bool:
    """New deployments take a while to answer, if the setting says so."""
    return cloud.now() >= deployment.created + float(
        cloud.settings.get("deployment.warm_up_s", 0.0)
    )


def _operate(operation: str, body: JSON, name: str, model: Model | None) -> Reply:
    if operation == "embeddings":
        vector = {"object": "embedding", "index": 0, "embedding": [0.0125, -0.25, 0.5]}
        usage = {"prompt_tokens": 1, "total_tokens": 1}
        return Reply(200, {"object": "list", "data": [vector], "model": name, "usage": usage})
    if operation == "chat/completions":
        if model is not None and model.reasoning and "max_tokens" in body:
            return _error(
                400,
                "unsupported_parameter",
                "Unsupported parameter: 'max_tokens' is not supported with this model. Use "
                "'max_completion_tokens' instead.",
                param="max_tokens",
                type="invalid_request_error",
            )
        message = {"role": "assistant", "content": "pong", "refusal": None}
        return Reply(200, _completion("chat.completion", name, {"message": message}))
    if operation == "completions":
        return Reply(200, _completion("text_completion", name, {"text": "pong"}))
    return _error(404, "404", "Resource not found")


def _completion(kind: str, name: str, content: JSON) -> JSON:
    return {
        "id": "chatcmpl-emulated",
        "object": kind,
        "created": 0,
        "model": name,
        "choices": [{"index": 0, "finish_reason": "stop", **content}],
        "usage": {"prompt_tokens": 1, "completion_tokens": 1, "total_tokens": 2},
    }


def _error(status: int, code: str, message: str, **more: str) -> Reply:
    return Reply(status, {"error": {"code": code, "message": message, **more}})
