"""How a pull request stands: statuses of its iterations.

https://learn.microsoft.com/azure/devops/repos/git/pull-request-status
https://learn.microsoft.com/rest/api/azure/devops/git/pull-request-statuses/create
"""

from collections.abc import Mapping
from typing import Any, Final

from reconciler.core.forge import Mark, MarkState
from reconciler.forge.azure_devops.client import Client
from reconciler.forge.keep import Turns

GENRE: Final = "gitops"
"""What comes before a status' name in the branch policy: ``gitops/reconciler``."""
STATES: Final[Mapping[MarkState, str]] = {
    "pending": "pending",
    "success": "succeeded",
    "neutral": "succeeded",
    "failure": "failed",
    "blocked": "failed",
}
DESCRIPTION_LIMIT: Final = 200

type Json = Mapping[str, Any]


class Statuses:
    """Marks as statuses: a state and a few words; there is no room for more."""

    def __init__(self, client: Client) -> None:
        self._client = client
        self._turns = Turns()

    async def mark(self, pull: int, commit: str, mark: Mark) -> None:
        """Told of the iteration that brought the commit, so that it never counts for a later one;
        nothing for a commit that brought none. Nothing is sent when the newest says so already."""
        wanted = {
            "state": STATES[mark.state],
            "description": _shortened(mark.title),
            "context": {"name": mark.name, "genre": GENRE},
            **({"targetUrl": mark.url} if mark.url else {}),
        }
        url = f"{self._client.repository}/pullRequests/{pull}"
        async with self._turns.of((pull, mark.name)):
            iteration = await self._iteration(url, commit)
            if not iteration:
                return
            newest = await self._newest(url, mark.name, iteration)
            if newest and all(newest.get(name) == value for name, value in wanted.items()):
                return
            # Twice is the same as once: the newest of a name counts.
            body = {**wanted, "iterationId": iteration}
            await self._client.call("POST", f"{url}/statuses", body=body, repeatable=True)

    async def _iteration(self, url: str, commit: str) -> int:
        """The newest iteration that the commit is the head of; 0: there is none."""
        found = (await self._client.get(f"{url}/iterations"))["value"]
        heads = [one["id"] for one in found if head_of(one) == commit]
        return max(heads, default=0)

    async def _newest(self, url: str, name: str, iteration: int) -> Json | None:
        found = (await self._client.get(f"{url}/statuses"))["value"]
        ours = [one for one in found if _is(one, name) and one.get("iterationId") == iteration]
        newest = max(ours, key=lambda one: int(one["id"]), default=None)
        # What else Azure DevOps tells about a context is its own.
        return {**newest, "context": {"name": name, "genre": GENRE}} if newest else None


def head_of(iteration: Json) -> str:
    """The commit that an iteration brought."""
    return str((iteration.get("sourceRefCommit") or {}).get("commitId", ""))


def _is(status: Json, name: str) -> bool:
    context = status.get("context") or {}
    return bool((context.get("genre"), context.get("name")) == (GENRE, name))


def _shortened(text: str) -> str:
    return text if len(text) <= DESCRIPTION_LIMIT else text[: DESCRIPTION_LIMIT - 1] + "…"
