"""What is wrong with the service hooks of a project, from what Azure DevOps says of them: pure.

https://learn.microsoft.com/rest/api/azure/devops/hooks/subscriptions/list
"""

from collections.abc import Iterable, Mapping
from typing import Any, Final
from urllib.parse import urlsplit

from reconciler.core.render.words import clean
from reconciler.doctor.hooks import place_of
from reconciler.settings import LOOPBACK

PATH: Final = "/api/webhooks/azuredevops"
COMMENT: Final = "ms.vss-code.git-pullrequest-comment-event"
EVENTS: Final = frozenset(
    {
        "git.push",
        "git.pullrequest.created",
        "git.pullrequest.updated",
        "git.pullrequest.merged",
        COMMENT,
    }
)

type Json = Mapping[str, Any]


def ours(subscriptions: Iterable[Json], public_url: str) -> list[Json]:
    """Those that lead to this app; where its own address is not known, to one like it."""
    return [one for one in subscriptions if _leads_here(_url(one), public_url)]


def broken(mine: Iterable[Json], branch: str) -> list[str]:
    """What is not told at all, or not so that it can be understood."""
    working = [one for one in mine if _works(one, branch)]
    unheard = sorted(EVENTS - {str(one.get("eventType")) for one in working})
    found = [f"Subscribe to {', '.join(unheard)} (docs/azure-devops.md)."] if unheard else []
    if any(str(one.get("eventType")) == COMMENT and _is_old(one) for one in working):
        found.append(f"Set the resource version of {COMMENT} to 2.0: 1.0 names no pull request.")
    return found


def careless(mine: Iterable[Json]) -> list[str]:
    """What works and should not be so, and what has stopped working."""
    found = []
    for one in mine:
        url, state = urlsplit(_url(one)), str(one.get("status", "enabled"))
        event = clean(str(one.get("eventType")))[:80]
        if url.scheme != "https" and url.hostname not in LOOPBACK:
            place = place_of(_url(one))
            found.append(f"Let {place} begin with https://: anybody on the way can read it now.")
        if state != "enabled":
            found.append(f"A subscription to {event} is {clean(state)[:40]}: enable or remove it.")
    return list(dict.fromkeys(found))


def _url(subscription: Json) -> str:
    return str((subscription.get("consumerInputs") or {}).get("url") or "").strip()


def _leads_here(url: str, public_url: str) -> bool:
    here = url.rstrip("/").lower()
    return here == f"{public_url}{PATH}".lower() if public_url else here.endswith(PATH)


def _works(subscription: Json, branch: str) -> bool:
    """An empty branch stands for all."""
    inputs = subscription.get("publisherInputs") or {}
    told = str(inputs.get("branch") or branch).removeprefix("refs/heads/")
    return subscription.get("status", "enabled") == "enabled" and told == branch


def _is_old(subscription: Json) -> bool:
    return str(subscription.get("resourceVersion") or "").startswith("1.")
