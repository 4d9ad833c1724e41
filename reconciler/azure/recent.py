"""What this process wrote a moment ago, because Azure's reads lag behind its writes.

A GET right after a create may answer 404 or 403, a child may not find its parent, and a role just
assigned does not work yet. Those answers are asked for again, for a while.
https://learn.microsoft.com/azure/role-based-access-control/troubleshooting and
Azure/terraform-provider-azapi, internal/retry/retryable_errors.go.
"""

from collections.abc import Awaitable, Callable, Iterable
from typing import Final

from reconciler.azure.answer import Answer, said
from reconciler.azure.errors import refusal
from reconciler.azure.patience import pauses
from reconciler.core.arm import parent_of
from reconciler.core.errors import Transient
from reconciler.ports import Clock

SHOWN_AFTER_S: Final = 300.0
ROLE_WORKS_AFTER_S: Final = 600.0
ROLE: Final = "/providers/microsoft.authorization/roleassignments/"
AGAIN_S: Final = 30.0
MISSING: Final = frozenset(
    {"notfound", "resourcenotfound", "resourcegroupnotfound", "parentresourcenotfound"}
    | {"usererror", "roleassignmentnotfound"}
)
"""Codes that say that a resource is missing, and not something it names (an offer, a model)."""


class Recent:
    """Remembers writes for minutes; patience beyond one call is the engine's."""

    def __init__(self, clock: Clock, patience_s: float) -> None:
        self._clock, self._patience_s = clock, patience_s
        self._written: dict[str, float] = {}
        self._role_until = float("-inf")

    def wrote(self, arm_id: str) -> None:
        now = self._clock.monotonic()
        self._written[arm_id.lower()] = now + SHOWN_AFTER_S
        if ROLE in arm_id.lower():
            self._role_until = now + ROLE_WORKS_AFTER_S

    def deleted(self, arm_id: str) -> None:
        """It and what lives in it will not be seen again."""
        gone = arm_id.lower()
        for known in [k for k in self._written if k == gone or k.startswith(gone + "/")]:
            del self._written[known]

    def parents(self, arm_id: str) -> tuple[str, ...]:
        """Everything above a resource that a refusal may be about."""
        found, here = [], parent_of(arm_id)
        while here.count("/") >= 4:
            found.append(here)
            here = parent_of(here)
        return tuple(found)

    async def settle(
        self, send: Callable[[], Awaitable[Answer]], about: Iterable[str], attempt: str
    ) -> Answer:
        """The answer, once it is not merely too early for it: ``about`` are the ids of what has
        to be seen. What was refused is sent again as it is.

        Raises Transient when it is still too early after this call's patience.
        """
        ids = tuple(about)
        left = self._patience_s
        for pause in pauses():
            answer = await send()
            if not self._early(answer, ids):
                break
            if pause > left:
                raise self._too_early(attempt, answer)
            left -= pause
            await self._clock.sleep(pause)
        return answer

    def _early(self, answer: Answer, ids: Iterable[str]) -> bool:
        if answer.status not in (403, 404):
            return False
        now = self._clock.monotonic()
        if answer.status == 403 and now < self._role_until:
            return True
        if answer.status == 404 and not _about_a_resource(answer):
            return False
        return any(self._written.get(one.lower(), now) > now for one in ids)

    def _too_early(self, attempt: str, answer: Answer) -> Transient:
        reason = refusal(attempt, answer)
        return Transient(f"Azure does not see yet what was just written. {reason}", AGAIN_S)


def _about_a_resource(answer: Answer) -> bool:
    codes = said(answer.body).codes
    return not codes or codes[0].lower() in MISSING
