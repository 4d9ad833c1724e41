"""What Azure Storage says when it cannot or will not, as the errors that people meet."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

from azure.core.exceptions import (
    AzureError,
    ClientAuthenticationError,
    HttpResponseError,
    ServiceRequestError,
    ServiceResponseError,
)

from reconciler.core.errors import Permanent, ReconcilerError, Transient

LATER: Final = frozenset({408, 429, 500, 502, 503, 504})
BEING_DELETED: Final = frozenset({"ContainerBeingDeleted", "QueueBeingDeleted"})
RETRY_AFTER_S: Final = 5.0


@contextmanager
def translated(where: str, role: str) -> Iterator[None]:
    """Storage's refusals as Permanent, its bad moments as Transient.

    ``where``: the account and what is used in it, for the message; ``role``: the Azure role that
    the identity needs there (https://learn.microsoft.com/azure/role-based-access-control/built-in-roles/storage).
    """
    try:
        yield
    except AzureError as error:
        raise as_ours(error, where, role) from error


def as_ours(error: AzureError, where: str, role: str) -> ReconcilerError:
    """The same trouble in our words."""
    if isinstance(error, HttpResponseError) and error.status_code:
        return _answered(error, error.status_code, where, role)
    if isinstance(error, ServiceRequestError | ServiceResponseError):
        return Transient(f"{where} cannot be reached: {_first_line(error)}", RETRY_AFTER_S)
    if isinstance(error, ClientAuthenticationError):
        return Permanent(f"no identity to open {where} with: {_first_line(error)}")
    return Transient(f"{where} answered what cannot be read: {_first_line(error)}", RETRY_AFTER_S)


def _answered(error: HttpResponseError, status: int, where: str, role: str) -> ReconcilerError:
    code = code_of(error)
    if status in LATER or code in BEING_DELETED:
        return Transient(f"{where} is busy ({status} {code})", RETRY_AFTER_S)
    request_id = str(getattr(error.response, "headers", {}).get("x-ms-request-id", ""))
    if status in (401, 403):
        said = (
            f"{where} refuses this identity ({status} {code}): give it the role "
            f'"{role}" there, and see that the account\'s firewall lets it in'
        )
    else:
        said = f"{where} refused a request ({status} {code}): {_first_line(error)}"
    return Permanent(said, status=status, code=code, request_id=request_id)


def code_of(error: HttpResponseError) -> str:
    """Storage's own word for the refusal, such as ``BlobNotFound``; "" without one."""
    code = getattr(error, "error_code", None)
    return str(getattr(code, "value", code) or "")


def _first_line(error: AzureError) -> str:
    return (str(error).splitlines() or [type(error).__name__])[0]
