"""A webhook becomes at most one message. Nothing is asked of the forge or of Azure before the
answer: what is told here is a reason to look, and whoever takes the message looks."""

import asyncio
import logging
from collections.abc import Mapping
from typing import TYPE_CHECKING

from reconciler.core.forge import Event
from reconciler.service.asked import UnknownForge

if TYPE_CHECKING:
    from reconciler.service.parts import Parts

log = logging.getLogger(__name__)


async def hear(parts: "Parts", forge: str, headers: Mapping[str, str], body: bytes) -> bool:
    """Whether it is about anything that matters. Raises UnknownForge, Untrusted, and Transient or
    Permanent when it could not be kept."""
    if parts.forge is None or parts.forge.name != forge:
        raise UnknownForge("no forge of this name is connected here")
    event = parts.forge.hear(headers, body)
    if event is None:
        return False
    message = message_of(event)
    if message and await _is_new(parts, event):
        # Remembered first, so that of two that come at once one is queued. What is lost when the
        # queue then refuses, or this worker dies, is found by the sweep: no forge sends it again.
        await parts.queue.send(message)
        # While the message is on its way to whoever takes it, which may well be this process.
        asyncio.get_running_loop().run_in_executor(None, parts.get_ready)
    return True


async def _is_new(parts: "Parts", event: Event) -> bool:
    replayed = await parts.store.seen(event.id, parts.clock.now())
    if replayed:
        log.info("a webhook that was heard before (%s) was passed over", event.kind)
    return not replayed


def message_of(event: Event) -> Mapping[str, str] | None:
    """What somebody has to look at; None: nothing."""
    match event.kind:
        case "pull" | "closed":
            return {"pull": str(event.pull)}
        case "push":
            return {"branch": event.commit}
        case "comment":
            return {"comment": str(event.comment), "pull": str(event.pull)}
        case "recheck":
            return {"recheck": event.commit, "name": event.name}
        case "ping":
            return None
