"""Writes that Azure accepted and is still working on.

Azure names a place to ask in one of three ways, in this order of trust: ``Azure-AsyncOperation``
(a status), ``Location`` (202 while it runs), or the resource's own ``provisioningState``.
https://github.com/Azure/azure-resource-manager-rpc/blob/master/v1.0/async-api-reference.md
"""

from collections.abc import Collection, Mapping
from dataclasses import replace
from datetime import datetime
from typing import Final

from reconciler.azure.answer import Answer
from reconciler.azure.errors import failed_operation
from reconciler.core.body import at, member
from reconciler.core.model import ABSENT, Json, Target
from reconciler.ports import Operation

DONE: Final = "Succeeded"
FAILED: Final = ("Failed", "Canceled")
"""With ``Succeeded`` the only final words; everything else is still running."""


def begun(target: Target, verb: str, answer: Answer, now: datetime) -> Operation:
    """The operation that a successful answer to a write starts, or completes."""
    operation = Operation(
        target=target,
        verb=verb,
        done=False,
        retry_after_s=answer.retry_after_s(now),
        request_id=answer.request_id,
    )
    status_url = answer.headers.get("Azure-AsyncOperation")
    if status_url:
        return replace(operation, poll_url=status_url, poll_style="async")
    if answer.status == 202:
        location = answer.headers.get("Location")
        if location:
            return replace(operation, poll_url=location, poll_style="location")
        return replace(operation, poll_style="resource")
    # Location beside 200 or 201 is where the new resource is, not where to ask.
    state = provisioning_state(answer.body)
    if verb == "put" and state != DONE:
        return replace(operation, poll_style="resource")
    return replace(operation, done=True)


def advanced(
    operation: Operation,
    answer: Answer,
    attempt: str,
    now: datetime,
    hide: Collection[str] = (),
) -> Operation:
    """The operation after one successful answer from its status URL.

    Raises Permanent when Azure gave up, with Azure's reason, in which the values in ``hide`` are
    not repeated.
    """
    operation = replace(
        operation,
        retry_after_s=answer.retry_after_s(now),
        request_id=answer.request_id or operation.request_id,
    )
    word = _word(operation, answer)
    if word in FAILED:
        error = member(answer.body, "error", None)
        raise failed_operation(attempt, error, operation.request_id, hide)
    if word == DONE:
        return replace(operation, done=True)
    moved = answer.headers.get("Location")
    if operation.poll_style == "location" and answer.status == 202 and moved:
        return replace(operation, poll_url=moved)
    return operation


def _word(operation: Operation, answer: Answer) -> str:
    """How the operation stands, in ARM's words. 202 never ends anything, whatever the body says:
    Key Vault and Machine Learning describe running work there."""
    if answer.status == 202:
        return "Running"
    status = member(answer.body, "status", None)
    if operation.poll_style == "async":
        return status if isinstance(status, str) else provisioning_state(answer.body)
    # A Location ends with the resource itself, with a status, or with nothing.
    if isinstance(status, str) and member(answer.body, "properties") is ABSENT:
        return status
    return provisioning_state(answer.body)


def by_resource(operation: Operation, state: str | None, attempt: str) -> Operation:
    """The operation after a look at the resource itself; ``state`` None: it is not there.

    A resource that is not there yet after a PUT is on its way: reads lag behind writes.
    """
    if operation.verb == "put":
        if state in FAILED:
            raise failed_operation(attempt, {"code": state}, operation.request_id)
        return replace(operation, done=state == DONE or state == "Disabled")
    if state == "Failed":
        raise failed_operation(attempt, {"code": state}, operation.request_id)
    return replace(operation, done=state is None)


def ask_the_resource(operation: Operation) -> Operation:
    """Go on without the status URL: it is gone, or says less than the resource."""
    return replace(operation, poll_url="", poll_style="resource", done=False)


def provisioning_state(body: Json) -> str:
    """``properties.provisioningState``; Succeeded when there is none."""
    if not isinstance(body, Mapping):
        return DONE
    state = at(body, "properties.provisioningState")
    return state if isinstance(state, str) and state else DONE
