"""One open issue per marker: https://docs.github.com/en/rest/issues/issues"""

from collections.abc import Mapping
from typing import Any, Final

from reconciler.forge.client import Client
from reconciler.forge.comments import Login
from reconciler.forge.keep import Turns, is_marked, marked, same

LONGEST_TITLE: Final = 256


class Issues:
    """The issues that the reconciler opens, and closes when their reason is gone."""

    def __init__(self, client: Client, login: Login) -> None:
        self._client, self._login = client, login
        self._turns = Turns()

    async def keep(self, marker: str, title: str, text: str | None, over: bool = False) -> None:
        """Open or update the marker's issue; close it when there is no text, or with its last.
        When two workers have opened one each, the younger is closed."""
        async with self._turns.of(marker):
            mine = await self._mine(marker)
            if text is None:
                await self._close(mine)
                return
            wanted = {"title": title[:LONGEST_TITLE], "body": marked(marker, text)}
            if not mine and not over:
                path = f"{self._client.repository}/issues"
                await self._client.send("POST", path, wanted)
                mine = await self._mine(marker)
            if mine and not _is(mine[0], wanted):
                await self._edit(mine[0], wanted)
            await self._close(mine if over else mine[1:])

    async def _mine(self, marker: str) -> list[Mapping[str, Any]]:
        """Ours that are open, the oldest first. Pull requests are listed as issues too."""
        login = await self._login()
        asked = {"state": "open", "creator": login, "sort": "created", "direction": "asc"}
        found = await self._client.listed(f"{self._client.repository}/issues", asked)
        return [one for one in found if "pull_request" not in one and is_marked(one, marker, login)]

    async def _close(self, issues: list[Mapping[str, Any]]) -> None:
        for one in issues:
            await self._edit(one, {"state": "closed", "state_reason": "completed"})

    async def _edit(self, issue: Mapping[str, Any], changes: Mapping[str, Any]) -> None:
        path = f"{self._client.repository}/issues/{issue['number']}"
        await self._client.send("PATCH", path, changes, repeatable=True)


def _is(issue: Mapping[str, Any], wanted: Mapping[str, str]) -> bool:
    return bool(issue["title"] == wanted["title"]) and same(issue["body"], wanted["body"])
