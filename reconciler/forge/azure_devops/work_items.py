"""One open work item per marker, found again by a tag and by who created it.

https://learn.microsoft.com/rest/api/azure/devops/wit/work-items
https://learn.microsoft.com/azure/devops/boards/queries/wiql-syntax
"""

from collections.abc import Mapping
from typing import Any, Final
from urllib.parse import quote

from reconciler.core.errors import Permanent
from reconciler.forge.azure_devops.client import PATCH_DOCUMENT, Client
from reconciler.forge.azure_devops.settings import AzureDevOpsSettings
from reconciler.forge.keep import MARKER, Turns, same

LONGEST_TITLE: Final = 255
"""https://learn.microsoft.com/azure/devops/boards/queries/titles-ids-descriptions"""
TEXT: Final = "System.Description"
OPEN: Final = (
    "SELECT [System.Id] FROM WorkItems WHERE [System.TeamProject] = @project "
    "AND [System.CreatedBy] = @me AND [System.Tags] CONTAINS '{tag}' "
    "AND [System.State] <> '{closed}' ORDER BY [System.Id]"
)
FIELDS: Final = ("System.Id", "System.Title", "System.Tags", "System.State", TEXT)

type Json = Mapping[str, Any]


class WorkItems:
    """The work items that the reconciler opens, and closes when their reason is gone."""

    def __init__(self, client: Client, settings: AzureDevOpsSettings) -> None:
        self._client = client
        self._type, self._closed = settings.issue_type, settings.issue_closed_state
        self._turns = Turns()

    async def keep(self, marker: str, title: str, text: str | None, over: bool = False) -> None:
        """Open or update the marker's work item; close it when there is no text, or with its last.
        When two workers have opened one each, the younger is closed. Nothing without a type."""
        if not MARKER.fullmatch(marker):
            raise ValueError("a marker is made of letters, digits and hyphens")
        if not self._type:
            return
        tag = f"reconciler-{marker}"
        async with self._turns.of(marker):
            try:
                await self._keep(tag, title, text, over)
            except Permanent as error:
                raise _explained(error) from None

    async def _keep(self, tag: str, title: str, text: str | None, over: bool) -> None:
        mine = await self._mine(tag)
        if text is None:
            await self._close(mine)
            return
        wanted = {"System.Title": title[:LONGEST_TITLE], TEXT: text}
        if not mine and not over:
            await self._create({**wanted, "System.Tags": tag})
            mine = await self._mine(tag)
        if mine and not _is(mine[0], wanted):
            await self._edit(mine[0], wanted)
        await self._close(mine if over else mine[1:])

    async def _mine(self, tag: str) -> list[Json]:
        """Ours that are open, the oldest first."""
        closed = self._closed.replace("'", "''")
        query = OPEN.format(tag=tag, closed=closed)
        found = await self._client.ask(f"{self._client.project}/wit/wiql", {"query": query})
        ids = [one["id"] for one in found.get("workItems") or []][:200]
        if not ids:
            return []
        url = f"{self._client.project}/wit/workitemsbatch"
        items = await self._client.ask(url, {"ids": ids, "fields": list(FIELDS)})
        return sorted(
            (one for one in items.get("value") or [] if tag in _tags(one)),
            key=lambda one: int(one["id"]),
        )

    async def _create(self, fields: Mapping[str, str]) -> None:
        url = f"{self._client.project}/wit/workitems/${quote(self._type, safe='')}"
        await self._write("POST", url, fields)

    async def _edit(self, item: Json, fields: Mapping[str, str]) -> None:
        url = f"{self._client.project}/wit/workitems/{item['id']}"
        await self._write("PATCH", url, fields)

    async def _write(self, method: str, url: str, fields: Mapping[str, str]) -> None:
        """Text is Markdown; a project that knows none is given the text as it is."""
        changes = [_change(f"/fields/{name}", value) for name, value in fields.items()]
        repeatable = method == "PATCH"
        markdown = [_change(f"/multilineFieldsFormat/{TEXT}", "Markdown")] if TEXT in fields else []
        try:
            await self._send(method, url, [*changes, *markdown], repeatable)
        except Permanent as error:
            if error.status != 400 or not markdown:
                raise
            await self._send(method, url, changes, repeatable)

    async def _send(self, method: str, url: str, changes: list[Json], repeatable: bool) -> None:
        await self._client.call(
            method, url, body=changes, repeatable=repeatable, content_type=PATCH_DOCUMENT
        )

    async def _close(self, items: list[Json]) -> None:
        for one in items:
            await self._edit(one, {"System.State": self._closed})


def _change(path: str, value: str) -> Json:
    return {"op": "add", "path": path, "value": value}


def _field(item: Json, name: str) -> str:
    return str((item.get("fields") or {}).get(name) or "")


def _tags(item: Json) -> set[str]:
    return {tag.strip() for tag in _field(item, "System.Tags").split(";")}


def _is(item: Json, wanted: Mapping[str, str]) -> bool:
    return _field(item, "System.Title") == wanted["System.Title"] and same(
        _field(item, TEXT), wanted[TEXT]
    )


def _explained(error: Permanent) -> Permanent:
    way = (
        "To report drift as a work item this identity has to be allowed to edit work items, and "
        "AZURE_DEVOPS_ISSUE_TYPE and AZURE_DEVOPS_ISSUE_CLOSED_STATE have to be a type and a state "
        "of this project; an empty AZURE_DEVOPS_ISSUE_TYPE makes none"
    )
    return Permanent(f"{error}. {way}", status=error.status, request_id=error.request_id)
