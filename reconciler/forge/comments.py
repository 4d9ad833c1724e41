"""One comment per marker, edited in place.

https://docs.github.com/en/rest/issues/comments
GitHub has no "create unless it exists". So whoever has created a comment looks again; when two did,
both keep the older one, and each removes its own younger one.
"""

import logging
from collections.abc import Awaitable, Callable, Mapping
from datetime import UTC, datetime
from typing import Any, Final

from reconciler.core.commands import commands
from reconciler.core.errors import Permanent
from reconciler.core.forge import Comment
from reconciler.forge.client import PAGE, Client
from reconciler.forge.keep import Turns, is_marked, marked, same

log = logging.getLogger(__name__)

MOST_PAGES: Final = 10
"""Of a hundred comments each, that are read to find commands that no webhook brought."""

type Login = Callable[[], Awaitable[str]]


class Comments:
    """The comments on pull requests."""

    def __init__(self, client: Client, login: Login) -> None:
        self._client, self._login = client, login
        self._turns = Turns()

    async def say(self, pull: int, marker: str, text: str) -> None:
        """Keep the marker's comment up to date."""
        body = marked(marker, text)
        async with self._turns.of((pull, marker)):
            mine = await self._mine(pull, marker)
            if not mine:
                path = f"{self._client.repository}/issues/{pull}/comments"
                await self._client.send("POST", path, {"body": body})
                mine = await self._mine(pull, marker)
            await self._settle(mine, body)

    async def _mine(self, pull: int, marker: str) -> list[Mapping[str, Any]]:
        """Ours, the oldest first: those on the first page of the listing that has any."""
        login = await self._login()
        path = f"{self._client.repository}/issues/{pull}/comments"
        async for page in self._client.pages(path):
            if mine := [one for one in page if is_marked(one, marker, login)]:
                return mine
        return []

    async def _settle(self, mine: list[Mapping[str, Any]], body: str) -> None:
        if mine and not same(mine[0]["body"], body):
            await self._client.send("PATCH", self._path(mine[0]), {"body": body}, repeatable=True)
        for younger in mine[1:]:
            await self._remove(younger)

    async def _remove(self, comment: Mapping[str, Any]) -> None:
        try:
            await self._client.call("DELETE", self._path(comment), repeatable=True)
        except Permanent as error:
            if error.status != 404:  # the other one was faster
                raise

    def _path(self, comment: Mapping[str, Any]) -> str:
        return f"{self._client.repository}/issues/comments/{comment['id']}"

    async def one(self, comment: int) -> Comment | None:
        """A comment as it reads now; None when it is gone, or not on a pull request."""
        try:
            found = await self._client.get(self._path({"id": comment}))
        except Permanent as error:
            if error.status != 404:
                raise
            return None
        return _read(found)

    async def since(self, moment: datetime) -> list[Comment]:
        """The commands that were written since then, oldest first.

        GitHub's ``since`` is about changes, so that an old comment that was edited is listed too,
        and is passed over. The newest are asked for first: a flood leaves out the oldest ones, and
        what is written meanwhile shows a comment twice, not never.
        """
        asked = {
            "since": f"{moment.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}",
            "sort": "created",
            "direction": "desc",
        }
        found: dict[int, Comment] = {}
        path, pages = f"{self._client.repository}/issues/comments", 0
        async for page in self._client.pages(path, asked):
            pages += 1
            new = [one for one in page if one["created_at"] >= asked["since"]]
            read = [one for one in map(_read, new) if one and commands(one.text)]
            found |= {one.id: one for one in read}
            if len(new) < len(page):
                break
            if pages == MOST_PAGES:
                log.warning("comments before the newest %s were not read", pages * PAGE)
                break
        return sorted(found.values(), key=lambda one: one.id)

    async def react(self, comment: int, sign: str) -> None:
        """Reacting twice is the same as once."""
        path = f"{self._path({'id': comment})}/reactions"
        await self._client.send("POST", path, {"content": sign}, repeatable=True)


def _read(found: Mapping[str, Any]) -> Comment | None:
    """None: it is not on a pull request."""
    number = found["html_url"].partition("/pull/")[2].partition("#")[0]
    if not number.isdecimal():
        return None
    author, text = (found.get("user") or {}).get("login", ""), found.get("body") or ""
    return Comment(found["id"], int(number), author, text, found.get("created_at") or "")
